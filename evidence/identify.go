package evidence

import (
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// identify finds the one participant that the token's issuer speaks for. What it
// reads nobody vouches for yet: it chooses among registered issuers, nothing
// else.
func (ev *Evidence) identify(r Registry) (participant.Speaker, *participant.Issuer, *Fault) {
	iss, f := ev.speaker()
	if f != nil {
		return participant.Speaker{}, nil, f
	}
	speaker, ok := r.Speaker(iss)
	if !ok || len(speaker.Candidates) == 0 || speaker.Issuer.TrustDomain() != ev.Kind.svid() {
		return speaker, nil, fault(trust.UnknownIssuer, "issuer of the token is not registered by any participant")
	}
	claimant, f := ev.claimant(&speaker)
	if f != nil {
		return speaker, nil, f
	}
	if claim, foreign := foreignTo(&claimant.Issuer, ev.Claims); foreign {
		return speaker, nil, fault(trust.ForeignNamespace, "token's claim "+claim+" speaks of a namespace that is not registered for issuer "+speaker.Issuer.String())
	}
	ev.Participant, ev.Issuer = claimant.Participant, speaker.Issuer
	ev.Namespace = claimant.Issuer.Subjects
	if ev.Namespace == "" {
		ev.Namespace = DefaultNamespace
	}
	return speaker, &claimant.Issuer, nil
}

// claimant gives the one candidate that the token means. A national issuer's
// token tells it by the discriminator claim; an issuer of one participant has
// one candidate.
func (ev *Evidence) claimant(s *participant.Speaker) (found *participant.Claimant, f *Fault) {
	value, stated := ev.Claims.Text(s.Discriminator)
	for i := range s.Candidates {
		c := &s.Candidates[i]
		if s.Discriminator != "" && (!stated || value == "" || c.Value != value) {
			continue
		}
		if found != nil {
			return nil, fault(trust.AmbiguousIssuer, "issuer "+s.Issuer.String()+" is stated by two participants for this token")
		}
		found = c
	}
	if found == nil {
		return nil, fault(trust.UnknownParticipant, "issuer "+s.Issuer.String()+" speaks for no participant by the token's claim "+s.Discriminator)
	}
	return found, nil
}
