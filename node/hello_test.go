package node_test

import (
	"slices"
	"testing"

	"github.com/entente-id/entente/node"
)

// What a node states that it understands is what it understands.
func TestWhatIsStatedIsUnderstood(t *testing.T) {
	stated, handled := node.Kinds()
	if !slices.Equal(stated, handled) {
		t.Errorf("stated are %v, handled %v", stated, handled)
	}
}
