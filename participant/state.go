package participant

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is the organisations this node knows and the issuers that speak for
// them. It is a value that never changes; the zero value is a node that is not
// born.
type State struct {
	Own     *Partner              `json:"own,omitempty"`
	Others  table.Table[*Partner] `json:"others"`            // by participant
	KeySets table.Table[KeySet]   `json:"key_sets"`          // by issuer
	Bundles table.Table[*Bundle]  `json:"bundles,omitempty"` // by participant and trust domain

	speakers table.Table[*Speaker] // by issuer
	owners   table.Table[owner]    // by thumbprint, log origin, and SPKI of TLS keys
}

// never is a time that does not come, in Unix seconds: the last that canonical
// JSON keeps exact.
const never = 1<<53 - 1

// KeySet is what was seen at an issuer's registered address.
type KeySet struct {
	Issuer  trust.IssuerID `json:"issuer"`
	Address string         `json:"address,omitempty"`
	Keys    jose.KeySet    `json:"keys"`
	Known   []KnownKey     `json:"known"` // those of Keys, then those that are gone, the latest first
}

// Partner is a participant as this node knows it; it is never changed. For this
// node itself Issuers are those declared, and its statement does not expire.
type Partner struct {
	Card             Card
	Signed           SignedCard
	Framework        string // the framework hash that was confirmed
	Fingerprint      string
	Issuers          []Issuer
	StatementExpires int64 // Unix seconds; renewals of the same content are not counted here
	Suspended        bool  // we stopped trusting it
	SuspendsUs       bool  // it told us that it stopped trusting us
	Confirmed        int64 // Unix seconds
	Adopted          int   // the version of the framework that it said it adopted, 0 for none
	AdoptedHash      string
}

type storedPartner struct {
	Signed           SignedCard `json:"card"`
	Framework        string     `json:"framework,omitempty"`
	Fingerprint      string     `json:"fingerprint,omitempty"`
	Issuers          []Issuer   `json:"issuers"`
	StatementExpires int64      `json:"statement_expires"`
	Suspended        bool       `json:"suspended,omitzero"`
	SuspendsUs       bool       `json:"suspends_us,omitzero"`
	Confirmed        int64      `json:"confirmed"`
	Adopted          int        `json:"adopted,omitzero"`
	AdoptedHash      string     `json:"adopted_hash,omitempty"`
}

// MarshalJSONTo writes the partner with its card as signed.
func (p *Partner) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, storedPartner{
		p.Signed, p.Framework, p.Fingerprint, p.Issuers, p.StatementExpires, p.Suspended, p.SuspendsUs, p.Confirmed,
		p.Adopted, p.AdoptedHash,
	})
}

// UnmarshalJSONFrom reads what MarshalJSONTo writes.
func (p *Partner) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var s storedPartner
	if err := json.UnmarshalDecode(dec, &s); err != nil {
		return err
	}
	card, err := s.Signed.read()
	*p = Partner{card, s.Signed, s.Framework, s.Fingerprint, s.Issuers, s.StatementExpires, s.Suspended, s.SuspendsUs, s.Confirmed, s.Adopted, s.AdoptedHash}
	return err
}

// Keys gives the partner's keys of a use that are valid at now (Unix seconds).
func (p *Partner) Keys(use KeyUse, now int64) []jose.Key { return p.Card.keys(use, now) }

// Speaker is everything that can be said of an issuer that is stated here.
type Speaker struct {
	Issuer trust.IssuerID
	// JWKSURI is the address that all candidates state, empty for a national
	// issuer, whose address the framework registers.
	JWKSURI string
	// Keys were seen at KeysFrom, which is that address, or for a national issuer
	// one that the framework registered once; empty before the first fetch.
	Keys     jose.KeySet
	KeysFrom string
	// Bundle is a trust domain's, seen at the address that its one candidate
	// states; nil before the first fetch.
	Bundle *spiffe.Bundle
	// Discriminator is the claim by whose value a token tells which candidate it
	// speaks for, empty where there is only to be one.
	Discriminator string
	Candidates    []Claimant // by participant and value
}

// Claimant is a participant that an issuer speaks for. Value is its
// discriminator's, Issuer the line of its statement.
type Claimant struct {
	Participant trust.ParticipantID
	Value       string
	Issuer      Issuer
}

// owner is whose a key or log is and, for a key, when it is valid.
type owner struct {
	participant trust.ParticipantID
	window      trust.Window
}

// UnmarshalJSONFrom reads a state that was written as JSON, and finds its
// indexes again.
func (s *State) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain State
	var read plain
	if err := json.UnmarshalDecode(dec, &read); err != nil {
		return err
	}
	*s = State(read)
	if s.Own != nil {
		*s = s.index(s.Own)
	}
	for _, p := range s.Others.All() {
		if p == nil {
			return trust.Errorf(trust.Invalid, "state of participants has an empty row")
		}
		*s = s.index(p)
	}
	return nil
}

// Self gives this node's own participant, nil before it is born.
func (s State) Self() *Partner { return s.Own }

// Partner finds a confirmed partner. This node is none.
func (s State) Partner(id trust.ParticipantID) (*Partner, bool) { return s.Others.Get(partnerKey(id)) }

// Partners yields the confirmed partners by identifier.
func (s State) Partners() iter.Seq[*Partner] {
	var all []*Partner
	for _, p := range s.Others.All() {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *Partner) int { return cmp.Compare(a.Card.ID.String(), b.Card.ID.String()) })
	return slices.Values(all)
}

// Declared gives the issuers that this organisation states to its partners.
func (s State) Declared() []Issuer {
	if s.Own == nil {
		return nil
	}
	return s.Own.Issuers
}

// Speaker finds an issuer by its exact iss value, if anybody states it.
func (s State) Speaker(iss string) (Speaker, bool) {
	speaker, ok := s.speakers.Get(issuerKey(iss))
	if !ok {
		return Speaker{}, false
	}
	return *speaker, true
}

// TLSOwner finds the partner that a TLS key belongs to, by the SHA-256 of its
// SubjectPublicKeyInfo, if the key is valid at now (Unix seconds).
func (s State) TLSOwner(spkiSHA256 [32]byte, now int64) (trust.ParticipantID, bool) {
	o, ok := s.owners.Get(tlsKey(spkiSHA256))
	if !ok || !o.window.Contains(now) || s.Own != nil && o.participant == s.Own.Card.ID {
		return trust.ParticipantID{}, false
	}
	return o.participant, true
}

// ConfirmedFramework gives the framework that the partner confirmed last named,
// if one did.
func (s State) ConfirmedFramework() (hash string, ok bool) {
	latest := int64(math.MinInt64)
	for p := range s.Partners() {
		if p.Framework != "" && p.Confirmed > latest {
			hash, latest = p.Framework, p.Confirmed
		}
	}
	return hash, hash != ""
}

func bundleKey(id trust.ParticipantID, domain trust.IssuerID) table.Key {
	return table.KeyOf("bundle", id.String(), domain.String())
}
func partnerKey(id trust.ParticipantID) table.Key { return table.KeyOf("participant", id.String()) }
func issuerKey(iss string) table.Key              { return table.KeyOf("issuer", iss) }
func thumbprintKey(thumbprint string) table.Key   { return table.KeyOf("thumbprint", thumbprint) }
func originKey(origin string) table.Key           { return table.KeyOf("origin", origin) }
func tlsKey(spki [32]byte) table.Key              { return table.KeyOf("tls", string(spki[:])) }
