// Package receipt is what a host tells the home about each decision it made on
// one of the home's subjects, and how two keep the same account of that. It
// decides what a receipt says, how receipts are numbered, hashed and signed for
// in batches, and where two accounts differ. It refuses to know how a decision
// fell and whose name stands behind a subject.
package receipt

import (
	"crypto/sha256"
	"encoding/base64"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// Kind is what was decided about.
type Kind string

const (
	Access     Kind = "access"     // an access, at an enforcement point
	Credential Kind = "credential" // the issue of a credential
)

// Receipt says that a host decided about a subject of the home. It names no
// resource, no reason and nobody: Subject is an identifier that the two of them
// alone share.
type Receipt struct {
	N         uint64             `json:"n"`   // from 1, without gaps, per home and series
	At        trust.Instant      `json:"at"`  // of the host's entry
	Txn       string             `json:"txn"` // joins both records: the identifier that the request had, else Reference
	Reference string             `json:"reference"`
	Token     string             `json:"token,omitempty"` // SHA-256 of the token that was presented, base64url
	Subject   string             `json:"subject"`
	Class     trust.Class        `json:"class,omitempty"`
	Kind      Kind               `json:"kind"`
	Action    trust.Action       `json:"action,omitempty"`
	Type      trust.ResourceType `json:"resource_type,omitempty"`
	Permit    bool               `json:"permit"`
	Uses      int                `json:"uses,omitzero"` // set where a permit was used again so often, without asking
	Leaf      string             `json:"leaf"`          // hash of the host's entry, base64
}

// Hash is a receipt's leaf in the tree of its batch (RFC 6962, section 2.1).
func (r Receipt) Hash() (tlog.Hash, error) {
	b, err := canonical.Marshal(r)
	if err != nil {
		return tlog.Hash{}, trust.Errorf(trust.Internal, "rendering receipt %d: %w", r.N, err)
	}
	return tlog.RecordHash(b), nil
}

// maxText bounds each text of a receipt, in bytes.
const maxText = 256

// Check refuses a receipt whose texts are longer than any receipt needs, and one
// that names no decision or no subject. It fails with Invalid.
func (r Receipt) Check() error {
	for _, text := range []string{r.Txn, r.Reference, r.Token, r.Subject, string(r.Class), string(r.Action), string(r.Type), r.Leaf} {
		if len(text) > maxText {
			return trust.Errorf(trust.Invalid, "receipt %d has a text of %d bytes; at most %d are allowed", r.N, len(text), maxText)
		}
	}
	switch {
	case !Word(r.Reference) || !Word(r.Txn) || !Word(r.Subject) || r.Leaf == "":
		return trust.Errorf(trust.Invalid, "receipt %d has no txn, reference, subject or leaf that is one", r.N)
	case r.Kind != Access && r.Kind != Credential:
		return trust.Errorf(trust.Invalid, "receipt %d is about %.40q; it is about an access or a credential", r.N, r.Kind)
	default:
		return nil
	}
}

// Word reports whether a text is one of 1 to 128 letters, digits and the marks
// _ - : . /, as identifiers are. What could be a mail address does not travel.
func Word(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == ':', c == '.', c == '/':
		default:
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// Subject is what a host and a home call a subject of the home between them:
// both can compute it from the name that the home's own proofs have, and at
// another host it is another.
func Subject(host, home trust.ParticipantID, namespace, subject string) string {
	h := sha256.New()
	for _, part := range []string{"entente receipt subject 1", host.String(), home.String(), namespace, subject} {
		sum := sha256.Sum256([]byte(part))
		h.Write(sum[:])
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}
