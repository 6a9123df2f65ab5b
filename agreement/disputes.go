package agreement

import (
	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/trust"
)

// Disputes is how the parties settle what they do not agree about: how long each
// stage lasts, who mediates, and who sits on the panel, whose majority rules (R57).
// Whoever is not named here, both parties have to name when it comes to it.
type Disputes struct {
	Stage    trust.Span            `json:"stage"`
	Mediator trust.ParticipantID   `json:"mediator,omitzero"`
	Panel    []trust.ParticipantID `json:"panel,omitempty"`
}

// DisputeRules gives the rules for a dispute under the agreement; the usual ones
// where it has none of its own.
func (d *Document) DisputeRules() dispute.Rules {
	if d.Disputes == nil {
		return dispute.Rules{Stage: dispute.UsualStage}
	}
	return dispute.Rules{Stage: int64(d.Disputes.Stage), Mediator: d.Disputes.Mediator, Panel: d.Disputes.Panel}
}

// disputes sees that whoever settles a dispute is no party to it.
func (c *checker) disputes(d Document) {
	if err := d.DisputeRules().Check(d.Home, d.Host); err != nil {
		c.fault("disputes", "is refused: %s", err)
	}
}
