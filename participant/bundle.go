package participant

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/trust"
)

// Bundle is what was seen at the address that a participant states for its trust
// domain; it is never changed. Sequence is the highest that was ever seen there:
// it outlives the statement, so that an old bundle never comes back.
type Bundle struct {
	Participant trust.ParticipantID
	Address     string
	Sequence    int64
	Bundle      spiffe.Bundle
}

type storedBundle struct {
	Participant trust.ParticipantID `json:"participant"`
	Issuer      trust.IssuerID      `json:"issuer"`
	Address     string              `json:"address"`
	Sequence    int64               `json:"sequence"`
	Document    []byte              `json:"document"`
}

// MarshalJSONTo writes the bundle with its document as seen.
func (b *Bundle) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, storedBundle{b.Participant, b.Bundle.TrustDomain(), b.Address, b.Sequence, b.Bundle.Document()})
}

// UnmarshalJSONFrom reads what MarshalJSONTo writes.
func (b *Bundle) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var s storedBundle
	if err := json.UnmarshalDecode(dec, &s); err != nil {
		return err
	}
	read, err := spiffe.ParseBundle(s.Issuer, s.Document)
	*b = Bundle{s.Participant, s.Address, s.Sequence, read}
	return err
}

// SeeBundle takes the bundle that was fetched at a trust domain's registered
// address, which must be the address registered now. One with a lower sequence
// than was seen there before is refused, unless it says that nothing of the
// trust domain is to be trusted. One that is known changes nothing. It fails
// with Invalid, NotFound or Conflict.
func (s State) SeeBundle(domain trust.IssuerID, address string, document []byte) ([]trust.Event, error) {
	speaker, _ := s.Speaker(domain.String())
	line, ok := speaker.bundleLine()
	switch {
	case !ok:
		return nil, trust.Errorf(trust.NotFound, "trust domain %s is stated by nobody, or by several; its bundle is not wanted", domain)
	case line.Issuer.Bundle.URI != address:
		return nil, trust.Errorf(trust.Conflict, "bundle of %s comes from %s; that is not its one registered address", domain, address)
	}
	next, err := spiffe.ParseBundle(domain, document)
	if err != nil {
		return nil, err
	}
	if seen, known := s.Bundles.Get(bundleKey(line.Participant, domain)); known {
		switch {
		case !next.Empty() && next.Sequence() < seen.Sequence:
			return nil, trust.Errorf(trust.Conflict, "bundle of %s has the sequence %d; %d was seen before, so it is an old one", domain, next.Sequence(), seen.Sequence)
		case seen.Address == address && bytes.Equal(seen.Bundle.Document(), next.Document()):
			return nil, nil
		}
	}
	return []trust.Event{BundleSeen{Participant: line.Participant, Issuer: domain, Bundle: next.Document()}}, nil
}

// bundleLine gives the one candidate that states where a trust domain's bundle
// is. A trust domain of two participants is nobody's.
func (s *Speaker) bundleLine() (Claimant, bool) {
	if len(s.Candidates) != 1 || s.Candidates[0].Issuer.Bundle == nil {
		return Claimant{}, false
	}
	return s.Candidates[0], true
}

// seeBundle replaces a trust domain's bundle; nothing is merged, and an address
// or a participant that is not the stated one has none.
func (s State) seeBundle(e BundleSeen) State {
	speaker, _ := s.Speaker(e.Issuer.String())
	line, ok := speaker.bundleLine()
	if !ok || line.Participant != e.Participant {
		return s
	}
	read, err := spiffe.ParseBundle(e.Issuer, e.Bundle)
	if err != nil {
		return s
	}
	next := &Bundle{Participant: e.Participant, Address: line.Issuer.Bundle.URI, Sequence: read.Sequence(), Bundle: read}
	key := bundleKey(e.Participant, e.Issuer)
	if seen, known := s.Bundles.Get(key); known {
		next.Sequence = max(next.Sequence, seen.Sequence)
	}
	s.Bundles = s.Bundles.With(key, next)
	speaker.Bundle = &next.Bundle
	s.speakers = s.speakers.With(issuerKey(e.Issuer.String()), &speaker)
	return s
}

// seenBundle gives what was seen at the address that the one candidate states.
func (s State) seenBundle(speaker *Speaker) *spiffe.Bundle {
	line, ok := speaker.bundleLine()
	if !ok {
		return nil
	}
	seen, known := s.Bundles.Get(bundleKey(line.Participant, speaker.Issuer))
	if !known || seen.Address != line.Issuer.Bundle.URI {
		return nil
	}
	return &seen.Bundle
}

// checkBundle: a trust domain says where its bundle is, and nothing that only an
// issuer of tokens has.
func (i Issuer) checkBundle() error {
	switch b := i.Bundle; {
	case i.Discriminator != nil || i.JWKSURI != "":
		return trust.Errorf(trust.Invalid, "trust domain %s has a jwks_uri or a discriminator; it has a bundle in their place", i.Issuer)
	case b == nil || !isFetchable(b.URI):
		return trust.Errorf(trust.Invalid, "trust domain %s has no bundle with an https URL", i.Issuer)
	case b.Profile != HTTPSWeb:
		return trust.Errorf(trust.Invalid, "trust domain %s has a bundle of the profile %q; %s is known", i.Issuer, b.Profile, HTTPSWeb)
	default:
		return nil
	}
}

func isFetchable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.Fragment == ""
}

// checkPath: a path is told of the SVIDs of a trust domain.
func (i Issuer) checkPath(rule ClassRule) error {
	switch {
	case rule.Path == "":
		return nil
	case !i.Issuer.TrustDomain():
		return trust.Errorf(trust.Invalid, "issuer %s has a class rule with a path; only the SVIDs of a trust domain have one", i.Issuer)
	case rule.Claim != "":
		return trust.Errorf(trust.Invalid, "trust domain %s has a class rule with a path and a claim; it has one of them", i.Issuer)
	default:
		return spiffe.CheckPathRule(rule.Path)
	}
}

// findKey finds a key of a trust domain: one that signs JWT-SVIDs by its kid, and
// any by its thumbprint, since those of certificates have no kid and a workload's
// own stands in no bundle. It fails with NotFound.
func (s *Speaker) findKey(name string) (KnownKey, error) {
	if s.Bundle != nil {
		if key, err := s.Bundle.Keys().Lookup(name); err == nil && name != "" {
			return KnownKey{KeyID: name, Thumbprint: key.Thumbprint(), Alg: key.Alg()}, nil
		}
	}
	sum, err := base64.RawURLEncoding.Strict().DecodeString(name)
	if err != nil || len(sum) != sha256.Size {
		return KnownKey{}, trust.Errorf(trust.NotFound, "key %q is no kid in the bundle of %s and no thumbprint", name, s.Issuer)
	}
	return KnownKey{Thumbprint: name}, nil
}
