package decision

import (
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// Ground is whose word the evidence stands on: any of it may end while the token
// is good. A permit that is given again is asked for it every time.
type Ground struct {
	Participant trust.ParticipantID
	Issuer, Key string // of the token; the key's RFC 7638 thumbprint
	IssuedAt    int64
	Origin      *evidence.Origin // that the issuer, a broker, restated; nil: none
}

// Ground gives what ev stands on.
func (ev *Evidence) Ground() Ground {
	return Ground{ev.Participant, ev.Issuer.String(), ev.Thumbprint, ev.IssuedAt, ev.Origin}
}

// Ended says whether anything of the ground has ended, and why.
func (g *Ground) Ended(s *state.Snapshot, o *Observed) (trust.Reason, bool) {
	reason, ended := s.Revocation.Verdict(g.Participant.String(), g.Issuer, g.Key, o.Subject, g.IssuedAt)
	if origin := g.Origin; origin != nil && !ended {
		return s.Revocation.Verdict(g.Participant.String(), origin.Issuer.String(), origin.Thumbprint, o.Origin, origin.IssuedAt)
	}
	return reason, ended
}
