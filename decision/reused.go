package decision

import (
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// ReusedKind is the kind of entry of uses that an enforcement point made of a
// permit without asking again, as long as it might.
var ReusedKind = trust.Kind{Name: "decision.reused", Version: 1}

// MaxUses is how many uses one entry has at most.
const MaxUses = 1_000

// Reused is the body of such an entry.
type Reused struct {
	Of   trust.Position `json:"of"`   // the permit: an earlier decision.made of the same log
	Uses []int64        `json:"uses"` // when, by the enforcement point's clock, in Unix seconds, in order
}

// Check reports what is wrong with r. It fails with Invalid.
func (r Reused) Check() error {
	if len(r.Uses) == 0 || len(r.Uses) > MaxUses || r.Uses[0] <= 0 || !slices.IsSorted(r.Uses) {
		return trust.Errorf(trust.Invalid, "%d uses of a permit are reported; there are 1 to %d, in the order of time", len(r.Uses), MaxUses)
	}
	return nil
}

// ParseReused reads the body of a ReusedKind entry. It fails with Invalid.
func ParseReused(body []byte) (Reused, error) {
	var r Reused
	if err := canonical.Decode(body, &r); err != nil {
		return r, err
	}
	return r, r.Check()
}
