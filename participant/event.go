package participant

import "github.com/entente-id/entente/trust"

// Born is the first entry of every trust log: who this node is. Demo marks a
// ledger in which injected time is possible; other nodes refuse such a partner
// unless they are demo nodes themselves.
type Born struct {
	Card SignedCard `json:"card"`
	Demo bool       `json:"demo,omitzero"`
}

// Renewed: a participant's card was replaced by a newer one under the same
// governance key (keys rotated, endpoint moved): this node's own, or a partner's
// that it sent.
type Renewed struct {
	Card SignedCard `json:"card"`
}

// Confirmed: a local operator compared a partner's fingerprint and let it in.
type Confirmed struct {
	Card        SignedCard `json:"card"`
	Framework   string     `json:"framework"` // the framework hash the fingerprint covered
	Fingerprint string     `json:"fingerprint"`
	By          string     `json:"by"`
}

// Declared: this organisation's own issuers, to be stated to partners.
type Declared struct {
	Issuers []Issuer `json:"issuers"`
	By      string   `json:"by"`
}

// Stated: a partner's statement with new content. Renewals of the same content
// are a watermark, not an entry.
type Stated struct {
	Participant trust.ParticipantID `json:"participant"`
	Issuers     []Issuer            `json:"issuers"`
	Expires     int64               `json:"expires"`
}

// KeysSeen: the key set published at an issuer's registered address changed.
// The new set replaces the old one; nothing is merged.
type KeysSeen struct {
	Issuer  trust.IssuerID `json:"issuer"`
	Address string         `json:"address,omitempty"` // where it was fetched; empty in the first entries, which did not say
	Keys    []byte         `json:"keys"`              // the JWK Set, canonical
}

// BundleSeen: the bundle published at a trust domain's registered address
// changed. The new one replaces the old one; nothing is merged. By is the
// operator who gave one by hand, for an endpoint that only a bundle proves.
type BundleSeen struct {
	Participant trust.ParticipantID `json:"participant"`
	Issuer      trust.IssuerID      `json:"issuer"`
	Bundle      []byte              `json:"bundle"` // the document, canonical
	By          string              `json:"by,omitempty"`
}

// Suspended: trust in a participant is stopped. By is the operator who decided
// it here; or From is a partner that told us, of its own decision about us.
type Suspended struct {
	Participant trust.ParticipantID `json:"participant"`
	By          string              `json:"by,omitempty"`
	From        trust.ParticipantID `json:"from,omitzero"`
}

// Resumed: trust in a participant goes on, or From's in us, by the word of
// whoever had stopped it. Of our own, the entry before it says which two people
// decided it.
type Resumed struct {
	Participant trust.ParticipantID `json:"participant"`
	By          string              `json:"by,omitempty"`
	From        trust.ParticipantID `json:"from,omitzero"`
}

// Adopted: a partner said that a version of the framework was adopted there.
type Adopted struct {
	Participant trust.ParticipantID `json:"participant"`
	Framework   string              `json:"framework"` // hash
	Version     int                 `json:"version"`
}

// EventKind is participant.adopted.
func (Adopted) EventKind() trust.Kind { return kind("adopted") }

// EventKind is participant.born.
func (Born) EventKind() trust.Kind { return kind("born") }

// EventKind is participant.renewed.
func (Renewed) EventKind() trust.Kind { return kind("renewed") }

// EventKind is participant.confirmed.
func (Confirmed) EventKind() trust.Kind { return kind("confirmed") }

// EventKind is participant.declared.
func (Declared) EventKind() trust.Kind { return kind("declared") }

// EventKind is participant.stated.
func (Stated) EventKind() trust.Kind { return kind("stated") }

// EventKind is participant.keys_seen.
func (KeysSeen) EventKind() trust.Kind { return kind("keys_seen") }

// EventKind is participant.bundle_seen.
func (BundleSeen) EventKind() trust.Kind { return kind("bundle_seen") }

// EventKind is participant.suspended.
func (Suspended) EventKind() trust.Kind { return kind("suspended") }

// EventKind is participant.resumed.
func (Resumed) EventKind() trust.Kind { return kind("resumed") }

func kind(verb string) trust.Kind { return trust.Kind{Name: "participant." + verb, Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{Born{}, Renewed{}, Confirmed{}, Declared{}, Stated{}, KeysSeen{}, BundleSeen{}, Suspended{}, Resumed{}, Adopted{}}
}
