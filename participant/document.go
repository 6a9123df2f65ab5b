// Package participant knows the organisations of the ecosystem: their dated
// keys, how they were introduced, and which token issuers speak for them. It
// decides when a card, an invitation or a statement may be believed. It refuses
// to know what an issuer's tokens contain and how anything is fetched.
package participant

import (
	"cmp"
	"slices"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// KeyUse is what one of a node's online keys may sign or authenticate.
type KeyUse string

const (
	LogKey       KeyUse = "log"       // checkpoints; Ed25519
	StreamKey    KeyUse = "stream"    // messages on the edge
	StatementKey KeyUse = "statement" // entity statements
	TokenKey     KeyUse = "token"     // local credentials
	TLSKey       KeyUse = "tls"       // both ends of mutual TLS between nodes
)

// KeyRecord is a dated online key.
type KeyRecord struct {
	Use    KeyUse       `json:"use"`
	Key    jose.Key     `json:"key"`
	Window trust.Window `json:"window"`
}

// Card is how a participant introduces itself: its governance key certifies the
// online keys, the address of the node and the origins of its logs.
type Card struct {
	Kind           string              `json:"kind"` // "Card"
	ID             trust.ParticipantID `json:"id"`
	Name           string              `json:"name"`
	GovernanceKey  string              `json:"governance_key"` // ed25519:<base64url>
	Endpoint       string              `json:"endpoint"`       // https://host:port of the partner listener
	TrustOrigin    string              `json:"trust_origin"`
	DecisionOrigin string              `json:"decision_origin"`
	Keys           []KeyRecord         `json:"keys"`
	Issued         trust.Instant       `json:"issued"`
	Demo           bool                `json:"demo,omitzero"` // its ledger may hold injected time
}

// CardDomain is the domain tag of a card's governance signature.
const CardDomain = "entente card v1"

// SignedCard is a card's exact bytes and its governance signature.
type SignedCard struct {
	Bytes     []byte `json:"bytes"`
	Signature []byte `json:"signature"`
}

// Invitation is what travels by hand before there is an edge. Framework is the
// hash of the framework the inviter lives under, empty before the first.
type Invitation struct {
	Card      SignedCard `json:"card"`
	Framework string     `json:"framework"`
}

// Issuer is a token issuer that speaks for a participant, as the participant
// states it. A national issuer has a Discriminator and no keys of its own here;
// its keys come from the framework's registered address. A SPIFFE trust domain,
// spiffe://name, has a Bundle.
type Issuer struct {
	Issuer  trust.IssuerID  `json:"issuer"`
	JWKSURI string          `json:"jwks_uri,omitempty"`
	Bundle  *BundleEndpoint `json:"bundle,omitempty"`
	// Namespaces confines the issuer (R50): a token has each of these claims, and
	// they assert nothing that is not listed.
	Namespaces map[string][]Namespace `json:"namespaces,omitempty"`
	// Domains confines the addresses that the issuer names people by, in whichever
	// of the claims email, upn, unique_name and preferred_username a token has.
	Domains       []string       `json:"domains,omitempty"`
	Discriminator *Discriminator `json:"discriminator,omitempty"`
	// Subjects names the space of this issuer's subject identifiers. Issuers of
	// one participant with the same Subjects speak of the same people, so a
	// tombstone holds for all of them. Empty means "default".
	Subjects string `json:"subjects,omitempty"`
	// Classes tells which identity class a token speaks of: the first rule that
	// matches; none is unclassified.
	Classes []ClassRule `json:"classes"`
	// Presets stand for conditions, in a Document only; none is ever stated.
	Presets []Preset `json:"presets,omitempty"`
	// Broker is set for an issuer that restates what others signed in.
	Broker *Broker `json:"broker,omitempty"`
}

// Namespace gives Subjects, or "default" where it is empty.
func (i Issuer) Namespace() string { return cmp.Or(i.Subjects, "default") }

// InDomains reports whether an address lies in one of the issuer's domains.
func (i *Issuer) InDomains(address string) bool {
	return slices.ContainsFunc(i.Domains, func(domain string) bool { return Namespace{Domain: domain}.Holds(address) })
}

// Discriminator is the claim and value by which a national issuer's token
// speaks for this participant.
type Discriminator struct {
	Claim string `json:"claim"`
	Value string `json:"value"`
}

// BundleEndpoint is where a trust domain publishes its bundle. Trust domain,
// address and profile are told apart and never derived from each other (SPIFFE
// Federation, section 5.2). EndpointID is the SPIFFE ID of an HTTPSSPIFFE
// endpoint, in the trust domain itself.
type BundleEndpoint struct {
	URI        string        `json:"uri"`
	Profile    BundleProfile `json:"profile"`
	EndpointID string        `json:"endpoint_spiffe_id,omitempty"`
}

// BundleProfile says how a bundle endpoint is authenticated.
type BundleProfile string

const (
	HTTPSWeb    BundleProfile = "https_web"    // by a certificate of the web's authorities (section 5.2.1)
	HTTPSSPIFFE BundleProfile = "https_spiffe" // by an X509-SVID of the trust domain (section 5.2.2)
)

// ClassRule gives Class to a token whose claim equals a value, or to an SVID by
// its path: one that ends in a slash is for every path below it, any other for
// itself alone; and every claim of When is exactly the text named there. With
// none of these it matches everything.
type ClassRule struct {
	Class  trust.Class `json:"class"`
	Claim  string      `json:"claim,omitempty"`
	Equals string      `json:"equals,omitempty"`
	Path   string      `json:"path,omitempty"`

	When map[string]string `json:"when,omitempty"`
}

// Document is what an IAM engineer writes about the own organisation; it is
// declared to the own node, which states it to every partner.
type Document struct {
	Kind    string              `json:"kind"` // "Participant"
	ID      trust.ParticipantID `json:"id"`
	Name    string              `json:"name,omitempty"`
	Contact map[string]string   `json:"contact,omitempty"`
	Issuers []Issuer            `json:"issuers"`
}

// Statement is the payload of a participant's entity-statement+jwt (OpenID
// Federation 1.0, section 3): short-lived, signed with its statement key.
type Statement struct {
	Iss      trust.ParticipantID `json:"iss"`
	Sub      trust.ParticipantID `json:"sub"`
	Iat      int64               `json:"iat"`
	Exp      int64               `json:"exp"`
	Metadata struct {
		Entente struct {
			Issuers []Issuer `json:"issuers"`
		} `json:"entente_node"`
	} `json:"metadata"`
}
