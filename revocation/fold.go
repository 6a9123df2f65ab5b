package revocation

import (
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is every mark there is. It is a value that never changes; in the zero
// value nothing has ended and every subject is in its first engagement. No row
// of its tables holds a pointer.
type State struct {
	Tombstones table.Table[trust.Engagement] `json:"tombstones"` // by subject: all engagements up to this one have ended
	Returns    table.Table[Return]           `json:"returns"`    // by subject, which has a tombstone: accepted back
	Openings   table.Table[Opening]          `json:"openings"`   // by subject; opened, not approved yet
	Keys       table.Table[int64]            `json:"keys"`       // by issuer and thumbprint: revoked when
	Issuers    table.Table[int64]            `json:"issuers"`    // by participant and issuer: revoked when
	// Credentials are the node's own that ended early, by identifier. Past are the
	// older of them: all are forgotten at once when the last would have expired.
	Credentials Given `json:"credentials"`
	Past        Given `json:"past"`
	// Leaks are what leaked, in the order of the first reports.
	Leaks []Leak `json:"leaks,omitempty"`
}

// Given are credentials that were given back, with the time at which each would
// have expired. None expires after Last. Times are Unix seconds.
type Given struct {
	Expires table.Table[int64] `json:"expires"`
	Last    int64              `json:"last,omitzero"`
}

// Return is the engagement that a local person accepted last, after an earlier
// one had ended; it begins at Since, in Unix seconds. Few come back, so it
// stands beside the tombstones, which are many.
type Return struct {
	Engagement trust.Engagement `json:"engagement"`
	Since      int64            `json:"since"`
}

// Opening is an engagement the home vouches for; it begins at Since, in Unix
// seconds.
type Opening struct {
	Engagement trust.Engagement `json:"engagement"`
	Since      int64            `json:"since"`
	Alias      trust.SubjectKey `json:"alias,omitzero"` // which is approved with it
}

// Apply gives the state after e. It never fails; an event of another package
// changes nothing. Whatever the order of events, none lowers Ended, and none
// goes back to an engagement that ended or was followed by another.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Revoked:
		s = s.revoke(e.Target, at.At)
		if e.Alias != (trust.SubjectKey{}) {
			e.Target.Subject = e.Alias
			s = s.revoke(e.Target, at.At)
		}
	case Bulk:
		return s.revokeMany(e)
	case EngagementOpened:
		s.Openings = s.Openings.With(table.Key(e.Subject), Opening{Engagement: e.Engagement, Since: e.Since, Alias: e.Alias})
	case CredentialRevoked:
		return s.giveBack(e, at.At)
	case LeakReported:
		return s.leak(e, at.At)
	case EngagementApproved:
		return s.approve(e.Subject, e.Engagement)
	}
	return s
}

// undated is for how long a credential is marked whose entry does not say when it
// expires.
const undated = 366 * 86400

// giveBack marks a credential. A mark may be forgotten once what it marks would
// not count without it: nothing is decided at a time before the newest entry's.
func (s State) giveBack(e CredentialRevoked, at int64) State {
	if s.Past.Last < at {
		s.Past, s.Credentials = s.Credentials, Given{}
	}
	expires := e.Expires
	if expires == 0 {
		expires = at + undated
	}
	s.Credentials.Expires = s.Credentials.Expires.With(credentialKey(e.Credential), expires)
	s.Credentials.Last = max(s.Credentials.Last, expires)
	return s
}

func (s State) revoke(t Target, at int64) State {
	switch t.Kind {
	case Subject:
		if ended, _ := s.Tombstones.Get(table.Key(t.Subject)); t.Engagement > ended {
			s.Tombstones = s.Tombstones.With(table.Key(t.Subject), t.Engagement)
		}
		if o, ok := s.Openings.Get(table.Key(t.Subject)); ok && o.Engagement <= t.Engagement {
			s.Openings = s.Openings.Without(table.Key(t.Subject))
		}
	case Key:
		s.Keys = s.Keys.With(keyKey(t.Issuer.String(), t.Thumbprint), at)
	case Issuer:
		s.Issuers = s.Issuers.With(issuerKey(t.Participant.String(), t.Issuer.String()), at)
	}
	return s
}

func (s State) approve(subject trust.SubjectKey, engagement trust.Engagement) State {
	opening, ok := s.Openings.Get(table.Key(subject))
	if !ok || opening.Engagement != engagement || engagement <= s.last(subject) {
		return s
	}
	s = s.comeBack(subject, Return{engagement, opening.Since})
	if opening.Alias != (trust.SubjectKey{}) {
		back, _ := s.Returns.Get(table.Key(opening.Alias))
		s = s.comeBack(opening.Alias, Return{max(back.Engagement, engagement), opening.Since})
	}
	s.Openings = s.Openings.Without(table.Key(subject))
	return s
}

// last is the highest engagement that ended or was accepted.
func (s State) last(subject trust.SubjectKey) trust.Engagement {
	ended, _ := s.Tombstones.Get(table.Key(subject))
	back, _ := s.Returns.Get(table.Key(subject))
	return max(ended, back.Engagement)
}

// comeBack sets a return. Whoever has one has a tombstone too, so that only a
// subject with a tombstone is looked for there.
func (s State) comeBack(subject trust.SubjectKey, back Return) State {
	if _, ok := s.Tombstones.Get(table.Key(subject)); !ok {
		s.Tombstones = s.Tombstones.With(table.Key(subject), 0)
	}
	s.Returns = s.Returns.With(table.Key(subject), back)
	return s
}

func credentialKey(id string) table.Key { return table.KeyOf("own credential", id) }

func keyKey(issuer, thumbprint string) table.Key { return table.KeyOf("key", issuer, thumbprint) }

func issuerKey(participant, issuer string) table.Key {
	return table.KeyOf("issuer", participant, issuer)
}
