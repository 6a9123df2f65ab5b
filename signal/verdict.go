package signal

import (
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Bearer is whose token is judged, and of when. Session and Device are zero for a
// token that names none; times are Unix seconds, AuthTime 0 is not stated.
type Bearer struct {
	Participant, Issuer      string
	Subject, Session, Device trust.SubjectKey
	IssuedAt, AuthTime       int64
}

// before reports whether the bearer signed in at an instant or before it, by
// auth_time where the token states it: it may have been issued long afterwards.
func (b *Bearer) before(at int64) bool {
	since := b.IssuedAt
	if b.AuthTime != 0 {
		since = b.AuthTime
	}
	return at != 0 && since <= at
}

// Marked reports whether signals left any mark at all.
func (s *State) Marked() bool {
	return s.Subjects.Len()|s.Sessions.Len()|s.Devices.Len()|s.Issuers.Len() != 0
}

// Verdict says whether signals took away what a token stands on, and why. Every
// path asks this one predicate.
func (s *State) Verdict(b *Bearer) (trust.Reason, bool) {
	if mark, ok := find(s.Subjects, b.Subject); ok {
		if reason, ended := mark.verdict(b); ended {
			return reason, true
		}
		if b.Session == (trust.SubjectKey{}) && b.before(mark.Sessionless) || b.Device == (trust.SubjectKey{}) && b.before(mark.Deviceless) {
			return trust.SessionOver, true
		}
	}
	if mark, ok := find(s.Sessions, b.Session); ok {
		if reason, ended := mark.verdict(b); ended || mark.SignedIn != 0 { // no token of it is one of another
			if !ended {
				reason = trust.SessionOver
			}
			return reason, true
		}
	}
	if mark, ok := find(s.Devices, b.Device); ok {
		if reason, ended := mark.verdict(b); ended {
			return reason, true
		}
	}
	if s.Issuers.Len() > 0 {
		if mark, ok := find(s.Issuers, IssuerKey(b.Participant, b.Issuer)); ok {
			return mark.verdict(b)
		}
	}
	return "", false
}

func find(marks table.Table[Mark], key trust.SubjectKey) (Mark, bool) {
	if marks.Len() == 0 || key == (trust.SubjectKey{}) {
		return Mark{}, false
	}
	return marks.Get(table.Key(key))
}

func (m *Mark) verdict(b *Bearer) (trust.Reason, bool) {
	switch {
	case m.Account.Off:
		return trust.SubjectDisabled, true
	case b.before(m.SignedIn):
		return trust.SessionOver, true
	case m.Issued != 0 && b.IssuedAt <= m.Issued:
		return trust.ClaimsChanged, true
	case m.Device.Off:
		return trust.DeviceUnfit, true
	case m.Risk.Off:
		return trust.RiskTooHigh, true
	default:
		return "", false
	}
}

// Cap gives what counts of a token's assurance.
func (s *State) Cap(b *Bearer, v framework.Vector) framework.Vector {
	for _, at := range []struct {
		marks table.Table[Mark]
		key   trust.SubjectKey
	}{{s.Subjects, b.Subject}, {s.Sessions, b.Session}, {s.Devices, b.Device}} {
		if mark, ok := find(at.marks, at.key); ok {
			v = mark.cap(v)
		}
	}
	if s.Issuers.Len() > 0 {
		if mark, ok := find(s.Issuers, IssuerKey(b.Participant, b.Issuer)); ok {
			v = mark.cap(v)
		}
	}
	return v
}
