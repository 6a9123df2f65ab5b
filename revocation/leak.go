package revocation

import (
	"encoding/hex"
	"slices"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// MaxLeaks is how many leaked things the state knows, the newest of them; the log
// has all.
const MaxLeaks = 1000

// LeakReported: a token or a credential is where it should not be. Of a credential
// of this node's own Credential is its identifier, of any other Token is this
// ledger's keyed hash of it (32 hexadecimal digits). Home answers for whom it
// speaks for; Agreements (random ids) are those under which it was accepted,
// Classes as what, Hosts the partners at which it was. What the report did about
// it stands in the same commit. It ends nothing by itself.
type LeakReported struct {
	Credential string                `json:"credential,omitempty"`
	Token      string                `json:"token,omitempty"`
	Home       trust.ParticipantID   `json:"home"`
	Issuer     trust.IssuerID        `json:"issuer,omitzero"`
	Subject    trust.SubjectKey      `json:"subject,omitzero"`
	Agreements []string              `json:"agreements,omitempty"`
	Classes    []trust.Class         `json:"classes,omitempty"`
	Hosts      []trust.ParticipantID `json:"hosts,omitempty"`
	Permits    int                   `json:"permits"`
	Partial    bool                  `json:"partial,omitzero"` // there was no time to read all records
	By         string                `json:"by"`
}

// Leak is a leaked thing as rules count it: as it was first reported, at At (Unix
// seconds).
type Leak struct {
	Of         table.Key           `json:"of"`
	Home       trust.ParticipantID `json:"home"`
	Subject    trust.SubjectKey    `json:"subject,omitzero"`
	Agreements []string            `json:"agreements,omitempty"`
	Classes    []trust.Class       `json:"classes,omitempty"`
	At         int64               `json:"at"`
}

// Leaked reports whether what l is about was reported before.
func (s State) Leaked(l *LeakReported) bool {
	return slices.ContainsFunc(s.Leaks, func(known Leak) bool { return known.Of == l.key() })
}

// leak notes what leaked, once however often it is reported.
func (s State) leak(l LeakReported, at int64) State {
	if s.Leaked(&l) {
		return s
	}
	kept := slices.Clone(s.Leaks[max(len(s.Leaks)-MaxLeaks+1, 0):])
	s.Leaks = append(kept, Leak{l.key(), l.Home, l.Subject, l.Agreements, l.Classes, at})
	return s
}

func (l *LeakReported) key() table.Key { return table.KeyOf("leaked", l.Credential, l.Token) }

// ReportLeak records a leak. It fails with Invalid.
func (s State) ReportLeak(l LeakReported) ([]trust.Event, error) {
	raw, err := hex.DecodeString(l.Token)
	if l.By == "" || l.Home.IsZero() || (l.Credential == "") == (l.Token == "") || err != nil || l.Token != "" && len(raw) != 16 {
		return nil, trust.Errorf(trust.Invalid, "report of a leak must name an operator, a home and either a credential or the hash of a token")
	}
	return []trust.Event{l}, nil
}

// EventKind is revocation.leak_reported.
func (LeakReported) EventKind() trust.Kind { return kind("leak_reported") }
