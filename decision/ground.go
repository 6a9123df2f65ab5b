package decision

import (
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// Ground is whose word the evidence stands on: any of it may end while the token
// is good. A permit that is given again is asked for it every time.
type Ground struct {
	Participant trust.ParticipantID
	Issuer, Key string // of the token; the key's RFC 7638 thumbprint
	IssuedAt    int64
	AuthTime    int64            // 0: not stated
	Keys        []string         // likewise, of the certificates on the way
	Origin      *evidence.Origin // that the issuer, a broker, restated; nil: none
	Chain       []Ground         // of each link, then of who acts; nil: the subject calls itself
	Credential  string           // of our own, that was presented; empty: none
	Client      string           // whom that was issued to
	Own         bool             // whether this node issued it, and not a partner
	Epoch       uint32           // of our own: that was opened last behind a loss when it was issued, 0 for none
}

// Ground gives what ev stands on.
func (ev *Evidence) Ground() Ground {
	g := groundOf(&ev.Evidence)
	if c := ev.Chain; c != nil {
		for i := range c.Links {
			g.Chain = append(g.Chain, groundOfLink(&c.Links[i]))
		}
		g.Chain = append(g.Chain, groundOf(&c.Actor))
	}
	return g
}

func groundOf(ev *evidence.Evidence) Ground {
	g := Ground{Participant: ev.Participant, Issuer: ev.Issuer.String(), Key: ev.Thumbprint, IssuedAt: ev.IssuedAt, AuthTime: ev.AuthTime, Keys: ev.Keys, Origin: ev.Origin}
	if ev.Grant != nil {
		g.Credential, g.Client, g.Own, g.Epoch = ev.Grant.ID, ev.ClientID, ev.Grant.Agreement != "", ev.Grant.Epoch
	}
	return g
}

func groundOfLink(link *evidence.Hop) Ground {
	return Ground{Participant: link.Participant, Issuer: link.From.Issuer.String(), Key: link.Thumbprint, IssuedAt: link.IssuedAt}
}

// Ended says whether anything of the ground has ended, and why. What stands
// behind a hop of a chain has ended with it.
func (g *Ground) Ended(s *state.Snapshot, o *Observed) (trust.Reason, bool) {
	reason, ended := s.Revocation.Verdict(g.Participant.String(), g.Issuer, g.Key, o.Subject, g.IssuedAt)
	if !ended && s.Suspension.SubjectSuspended(o.Subject, o.Now) {
		return trust.SubjectSuspended, true
	}
	if !ended && s.Identity.Idle(o.Subject) {
		return trust.IdentityIdle, true
	}
	if !ended && o.Spent {
		return trust.MonitoringSpent, true
	}
	if !ended && s.Revocation.AnyKeyRevoked(g.Issuer, g.Keys) {
		return trust.KeyRevoked, true
	}
	if origin := g.Origin; origin != nil && !ended {
		reason, ended = s.Revocation.Verdict(g.Participant.String(), origin.Issuer.String(), origin.Thumbprint, o.Origin, origin.IssuedAt)
		if !ended && s.Suspension.SubjectSuspended(o.Origin, o.Now) {
			return trust.SubjectSuspended, true
		}
		if !ended && s.Identity.Idle(o.Origin) {
			return trust.IdentityIdle, true
		}
	}
	if !ended {
		reason, ended = g.takenBack(s, o)
	}
	for i := range g.Chain {
		if ended || i >= len(o.Chain) {
			break
		}
		if _, ended = g.Chain[i].Ended(s, &o.Chain[i]); ended {
			reason = trust.HopRevoked
		}
	}
	if g.Credential != "" && !ended {
		return g.credentialEnded(s, o.Now)
	}
	return reason, ended
}

// takenBack asks what signals said of the bearer, and of a broker's subject by
// its name at the origin.
func (g *Ground) takenBack(s *state.Snapshot, o *Observed) (trust.Reason, bool) {
	if !s.Signal.Marked() {
		return "", false
	}
	b := g.bearer(o)
	reason, ended := s.Signal.Verdict(&b)
	if origin := g.Origin; origin != nil && !ended {
		b.Issuer, b.Subject, b.IssuedAt = origin.Issuer.String(), o.Origin, origin.IssuedAt
		return s.Signal.Verdict(&b)
	}
	return reason, ended
}

func (g *Ground) bearer(o *Observed) signal.Bearer {
	return signal.Bearer{
		Participant: g.Participant.String(), Issuer: g.Issuer, Subject: o.Subject, Session: o.Session, Device: o.Device,
		IssuedAt: g.IssuedAt, AuthTime: g.AuthTime,
	}
}

// credentialEnded: a credential of our own ends by itself, with the client it was
// issued to, and with the ledger that held its end: what was given back in entries
// that are lost is known to nobody.
func (g *Ground) credentialEnded(s *state.Snapshot, now int64) (trust.Reason, bool) {
	if g.Own && g.Epoch != s.Edge.Recovery.Epoch {
		return trust.CredentialEnded, true
	}
	if s.Revocation.CredentialRevoked(g.Credential) {
		return trust.CredentialEnded, true
	}
	if s.Suspension.ClientSuspended(g.Client, now) {
		return trust.ClientSuspended, true
	}
	c, registered := s.Client.Get(g.Client)
	return trust.ClientEnded, registered && c.Ended
}
