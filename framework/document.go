// Package framework holds the trust framework: the rules that participants
// share. It decides which document may become this node's framework, and what
// its ladders say about a set of claims. It refuses to know who delivers a
// document and how a decision uses it.
package framework

import "github.com/entente-id/entente/trust"

// Document is the shared rules, as people write them. The bytes that are signed
// are its RFC 8785 form; nothing is ever rendered a second time.
type Document struct {
	Kind     string `json:"kind"` // "Framework"
	Name     string `json:"name"`
	Summary  string `json:"summary,omitempty"`
	Version  int    `json:"version"`            // from 1, strictly rising
	Previous string `json:"previous,omitempty"` // hash of the version before; empty for 1
	// Activates is from when on the version holds where it was adopted; absent is
	// from its adoption on.
	Activates  trust.Instant             `json:"activates,omitzero"`
	Expires    trust.Instant             `json:"expires"`
	Governance Governance                `json:"governance"`
	Assurance  Assurance                 `json:"assurance"`
	Tiers      map[trust.Tier]TierRule   `json:"tiers"`
	Classes    map[trust.Class]ClassRule `json:"classes"`
	Issuers    []NationalIssuer          `json:"issuers,omitempty"`
	Controls   []Control                 `json:"controls,omitempty"`
}

// Governance says who may change the framework. Threshold counts distinct
// participants, not signatures.
type Governance struct {
	Authority trust.ParticipantID `json:"authority"`
	Threshold int                 `json:"threshold"`
	Signers   []Signer            `json:"signers"`
	// AdoptWithin is for how long after it holds a version may not have been adopted
	// by a participant; from then on its partners hold that one to the basic tier.
	// Absent is for ever.
	AdoptWithin trust.Span `json:"adopt_within,omitzero"`
	Disputes    *Disputes  `json:"disputes,omitempty"`
}

// Signer is a participant and its governance key, written
// "ed25519:<base64url of 32 bytes>".
type Signer struct {
	Participant trust.ParticipantID `json:"participant"`
	Key         string              `json:"key"`
}

// Disputes are the time limits of the stages of a dispute.
type Disputes struct {
	Direct   trust.Span `json:"direct"`
	Mediated trust.Span `json:"mediated"`
	Panel    trust.Span `json:"panel"`
}

// Assurance names the ladders, lowest level first, and maps foreign claims onto
// them. A claim that no rule maps gives the lowest level of every ladder.
type Assurance struct {
	Identity       []Level     `json:"identity,omitempty"`
	Authentication []Level     `json:"authentication,omitempty"`
	Federation     []Level     `json:"federation,omitempty"`
	Attestation    []Level     `json:"attestation,omitempty"`
	Mapping        []LevelRule `json:"mapping,omitempty"`
	// Brokered is the most that a broker may assert, on each ladder, where the
	// origin's own signed word is absent; on one not named, the lowest level.
	Brokered map[Ladder]Level `json:"brokered,omitempty"`
}

// Level is a rung's name on its own ladder.
type Level string

// LevelRule gives levels to a token whose claim equals a value. A numeric claim
// equals the decimal text of its integer value; an array claim equals when one
// of its members does.
type LevelRule struct {
	Claim  string           `json:"claim"`
	Equals string           `json:"equals"`
	Gives  map[Ladder]Level `json:"gives"`
}

// TierRule says how strong a link of a tier must be.
type TierRule struct {
	MaxStaleness     trust.Span       `json:"max_staleness"`
	RemovalTarget    trust.Span       `json:"removal_target"`
	MaxCredentialTTL trust.Span       `json:"max_credential_ttl"`
	SenderConstraint SenderConstraint `json:"sender_constraint,omitempty"`
	Attestation      Level            `json:"attestation,omitempty"`
	Caps             *Caps            `json:"caps,omitempty"`
	// MaxBundleAge is how long after it was last read the bundle of a SPIFFE trust
	// domain counts. Absent is DefaultBundleAge, or MaxStaleness where that is more.
	MaxBundleAge trust.Span `json:"max_bundle_age,omitzero"`
	// MaxException is for how long an exception may waive a check on a link of the
	// tier; absent is not at all.
	MaxException trust.Span `json:"max_exception,omitzero"`
}

const (
	// DefaultBundleAge is three times as long as a node takes to read a bundle again
	// if nobody says otherwise.
	DefaultBundleAge trust.Span = 900
	// MinBundleAge is three times as long as it takes at the least.
	MinBundleAge trust.Span = 90
)

// BundleAge gives the bound on a bundle's age.
func (t TierRule) BundleAge() trust.Span {
	if t.MaxBundleAge != 0 {
		return t.MaxBundleAge
	}
	return max(DefaultBundleAge, t.MaxStaleness)
}

// SenderConstraint says whether a token must be bound to its sender's key.
type SenderConstraint string

const (
	SenderConstraintNone        SenderConstraint = ""
	SenderConstraintWhenOffered SenderConstraint = "when_offered"
	SenderConstraintRequired    SenderConstraint = "required"
)

// Caps bound what a weak tier may ask for.
type Caps struct {
	RequestsPerSecond   int `json:"requests_per_second,omitzero"`
	ScopesPerCredential int `json:"scopes_per_credential,omitzero"`
}

// ClassRule says what an identity class needs. A class without needs, or whose
// tier has no removal target and staleness bound, cannot be published (R20).
type ClassRule struct {
	Needs            map[Ladder]Level `json:"needs"`
	Owner            Requirement      `json:"owner,omitempty"`
	Principal        Requirement      `json:"principal,omitempty"`
	MaxTokenLifetime trust.Span       `json:"max_token_lifetime"`
	MaxAuthAge       trust.Span       `json:"max_auth_age,omitzero"`
	DelegationDepth  int              `json:"delegation_depth,omitzero"`
	Tier             trust.Tier       `json:"tier"`
	ReviewEvery      trust.Span       `json:"review_every,omitzero"`
}

// Requirement is "required" or empty.
type Requirement string

const (
	NotRequired Requirement = ""
	Required    Requirement = "required"
)

// NationalIssuer is an issuer that serves many participants. Which one a token
// speaks for is told by the value of the claim Discriminator; each participant
// registers its own value in its statement.
type NationalIssuer struct {
	Issuer        trust.IssuerID `json:"issuer"`
	JWKSURI       string         `json:"jwks_uri"`
	Discriminator string         `json:"discriminator"`
}

// Control ties a catalogue's control to the kinds of evidence that show it.
type Control struct {
	Catalog  string   `json:"catalog"`
	ID       string   `json:"id"`
	Evidence []string `json:"evidence"`
}
