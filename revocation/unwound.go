package revocation

import "github.com/entente-id/entente/trust"

// RootKind is what other things hang from.
type RootKind string

const (
	RootSubject   RootKind = "subject"
	RootKey       RootKind = "key"
	RootIssuer    RootKind = "issuer"
	RootAgreement RootKind = "agreement"
	RootClient    RootKind = "client" // an integration: an OAuth client
)

// Root is what an unwinding ended, as the ledger knows it: a subject by its key
// and a signing key by its RFC 7638 thumbprint, each with the participant that
// answers for it, an issuer likewise, an agreement by its random id, a client by
// its identifier.
type Root struct {
	Kind        RootKind            `json:"kind"`
	Participant trust.ParticipantID `json:"participant,omitzero"`
	Subject     trust.SubjectKey    `json:"subject,omitzero"`
	Issuer      trust.IssuerID      `json:"issuer,omitzero"`
	Thumbprint  string              `json:"thumbprint,omitempty"`
	Agreement   string              `json:"agreement,omitempty"`
	Client      string              `json:"client,omitempty"`
}

// Check reports what is wrong with the shape of r: exactly the members of its
// kind are set. It fails with Invalid.
func (r Root) Check() error {
	want := Root{Kind: r.Kind}
	var fits bool
	switch r.Kind {
	case RootSubject:
		want.Participant, want.Subject = r.Participant, r.Subject
		fits = !r.Participant.IsZero() && r.Subject != trust.SubjectKey{}
	case RootKey:
		want.Participant, want.Issuer, want.Thumbprint = r.Participant, r.Issuer, r.Thumbprint
		fits = !r.Participant.IsZero() && !r.Issuer.IsZero() && isThumbprint(r.Thumbprint)
	case RootIssuer:
		want.Participant, want.Issuer = r.Participant, r.Issuer
		fits = !r.Participant.IsZero() && !r.Issuer.IsZero()
	case RootAgreement:
		want.Agreement = r.Agreement
		fits = r.Agreement != ""
	case RootClient:
		want.Client = r.Client
		fits = r.Client != ""
	default:
		return trust.Errorf(trust.Invalid, "nothing hangs from a %q; it hangs from a subject, key, issuer, agreement or client", r.Kind)
	}
	if !fits || r != want {
		return trust.Errorf(trust.Invalid, "root of kind %s must have exactly what a %s is known by", r.Kind, r.Kind)
	}
	return nil
}

// LimbKind is what hangs from a root.
type LimbKind string

const (
	LimbRoot       LimbKind = "root" // the root itself
	LimbMapping    LimbKind = "mapping"
	LimbException  LimbKind = "exception"
	LimbStream     LimbKind = "stream"
	LimbCredential LimbKind = "credential" // of this node's own, by its random identifier
	LimbSession    LimbKind = "session"    // that an enforcement point has open
)

// Limb is one thing that hangs from a root. What ended it is the trust entry at
// At, or for a session the denial at At of the decision log; zero where it had
// ended with what ended before, and where the denial could not be recorded.
// Reason is what it is denied by; empty for what has no decisions of its own, and
// for a session that goes on under another agreement, which covers it too.
type Limb struct {
	Kind   LimbKind       `json:"kind"`
	Name   string         `json:"name,omitempty"`
	Permit trust.Position `json:"permit,omitzero"` // of a session: its permit, in the decision log
	Reason trust.Reason   `json:"reason,omitempty"`
	At     trust.Position `json:"at,omitzero"`
}

// MaxLimbs is how many limbs one entry has at most, left ones among them.
const MaxLimbs = 5_000

// Unwound: a root was ended, and what hung from it was looked for again, on the
// state at Seen: Gone is what had ended with it, Left what had not. More than
// MaxLimbs are on several pages, which stand one behind the other in one commit.
// It changes no state.
type Unwound struct {
	Root  Root           `json:"root"`
	End   trust.Position `json:"end,omitzero"` // the entry that ended the root; zero: it had ended before
	Seen  trust.Position `json:"seen"`
	Gone  []Limb         `json:"gone,omitempty"`
	Left  []Limb         `json:"left,omitempty"`
	Page  int            `json:"page"` // from 1
	Pages int            `json:"pages"`
	// Uncounted says that credentials live which this node issued without
	// remembering them; those of the root have ended with it and are not listed.
	Uncounted bool   `json:"uncounted,omitzero"`
	By        string `json:"by"`
}

// Unwind records what an unwinding found. It fails with Invalid.
func (s State) Unwind(u Unwound) ([]trust.Event, error) {
	if err := u.Root.Check(); err != nil {
		return nil, err
	}
	n := len(u.Gone) + len(u.Left)
	if u.By == "" || u.Page < 1 || u.Page > u.Pages || n > MaxLimbs {
		return nil, trust.Errorf(trust.Invalid, "unwinding of a %s must name an operator, a page of its pages and at most %d limbs; this one has page %d of %d and %d limbs", u.Root.Kind, MaxLimbs, u.Page, u.Pages, n)
	}
	return []trust.Event{u}, nil
}

// EventKind is revocation.unwound.
func (Unwound) EventKind() trust.Kind { return kind("unwound") }
