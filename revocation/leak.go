package revocation

import (
	"encoding/hex"

	"github.com/entente-id/entente/trust"
)

// LeakReported: a token or a credential is where it should not be. Of a credential
// of this node's own Credential is its identifier, of any other Token is this
// ledger's keyed hash of it (32 hexadecimal digits). Home answers for whom it
// speaks for; Agreements (random ids) are those under which it was accepted,
// Hosts the partners at which it was. What the report did about it stands in the
// same commit. It changes no state.
type LeakReported struct {
	Credential string                `json:"credential,omitempty"`
	Token      string                `json:"token,omitempty"`
	Home       trust.ParticipantID   `json:"home"`
	Issuer     trust.IssuerID        `json:"issuer,omitzero"`
	Subject    trust.SubjectKey      `json:"subject,omitzero"`
	Agreements []string              `json:"agreements,omitempty"`
	Hosts      []trust.ParticipantID `json:"hosts,omitempty"`
	Permits    int                   `json:"permits"`
	Partial    bool                  `json:"partial,omitzero"` // there was no time to read all records
	By         string                `json:"by"`
}

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
