package node

import (
	"github.com/entente-id/entente/jose"
)

// TokenKeys gives the public keys of the node's own credentials as its card
// certifies them: those in use and those announced for later, so that whoever
// caches them knows a successor before it signs. What has ended is left out. It
// fails with Invalid.
func (n *Node) TokenKeys() (jose.KeySet, error) {
	var keys []jose.Key
	now := n.Now()
	for _, k := range tokenKeys(n.State()) {
		if now < k.Window.NotAfter {
			keys = append(keys, k.Key)
		}
	}
	return jose.NewKeySet(keys...)
}

// Address is where clients reach the node, without a path.
func (n *Node) Address() string {
	if n.Base != "" {
		return n.Base
	}
	return n.self.String()
}

// Serves reports whether a service of this organisation has exactly this
// audience.
func (n *Node) Serves(audience string) bool {
	_, ok := n.State().Service.Audience(audience)
	return ok
}
