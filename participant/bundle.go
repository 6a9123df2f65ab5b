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
// it outlives the statement, so that an old bundle never comes back. Revision is
// under which sequence this node itself publishes it: it rises with every bundle,
// also where the domain's own sequence is absent or falls.
type Bundle struct {
	Participant trust.ParticipantID
	Address     string
	Sequence    int64
	Revision    int64
	Bundle      spiffe.Bundle
}

type storedBundle struct {
	Participant trust.ParticipantID `json:"participant"`
	Issuer      trust.IssuerID      `json:"issuer"`
	Address     string              `json:"address"`
	Sequence    int64               `json:"sequence"`
	Revision    int64               `json:"revision"`
	Document    []byte              `json:"document"`
}

// MarshalJSONTo writes the bundle with its document as seen.
func (b *Bundle) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, storedBundle{b.Participant, b.Bundle.TrustDomain(), b.Address, b.Sequence, b.Revision, b.Bundle.Document()})
}

// UnmarshalJSONFrom reads what MarshalJSONTo writes.
func (b *Bundle) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var s storedBundle
	if err := json.UnmarshalDecode(dec, &s); err != nil {
		return err
	}
	read, err := spiffe.ParseBundle(s.Issuer, s.Document)
	*b = Bundle{s.Participant, s.Address, s.Sequence, s.Revision, read}
	return err
}

// SeeBundle takes the bundle that was fetched at a trust domain's registered
// address, which must be the address registered now. One with a lower sequence
// than was seen there before is refused, unless it says that nothing of the
// trust domain is to be trusted. One that is known changes nothing. It fails
// with Invalid, NotFound or Conflict.
func (s State) SeeBundle(domain trust.IssuerID, address string, document []byte) ([]trust.Event, error) {
	line, err := s.bundleLine(domain)
	switch {
	case err != nil:
		return nil, err
	case line.Issuer.Bundle.URI != address:
		return nil, trust.Errorf(trust.Conflict, "bundle of %s comes from %s; that is not its one registered address", domain, address)
	}
	next, err := spiffe.ParseBundle(domain, document)
	if err != nil {
		return nil, err
	}
	return s.takeBundle(line, next, "")
}

// GiveBundle takes a trust domain's bundle from an operator, who had it from the
// trust domain's own people: the first one of an endpoint of the profile
// https_spiffe, which proves itself by the last bundle that is known, or the next
// after that says that nothing is to be trusted. It fails with Invalid, NotFound
// or Conflict.
func (s State) GiveBundle(domain trust.IssuerID, document []byte, by string) ([]trust.Event, error) {
	line, err := s.bundleLine(domain)
	switch {
	case err != nil:
		return nil, err
	case by == "":
		return nil, trust.Errorf(trust.Invalid, "bundle of %s is given by nobody; an operator must be named", domain)
	case line.Issuer.Bundle.Profile != HTTPSSPIFFE:
		return nil, trust.Errorf(trust.Conflict, "bundle of %s is read over %s, which needs none by hand", domain, line.Issuer.Bundle.Profile)
	}
	next, err := spiffe.ParseBundle(domain, document)
	if err != nil {
		return nil, err
	}
	if next.Authorities() == 0 {
		return nil, trust.Errorf(trust.Invalid, "bundle of %s has no authority by which its endpoint could prove itself", domain)
	}
	return s.takeBundle(line, next, by)
}

// takeBundle decides whether a bundle may follow the one that is known.
func (s State) takeBundle(line Claimant, next spiffe.Bundle, by string) ([]trust.Event, error) {
	domain := next.TrustDomain()
	if seen, known := s.Bundles.Get(bundleKey(line.Participant, domain)); known {
		switch {
		case !next.Empty() && next.Sequence() < seen.Sequence:
			return nil, trust.Errorf(trust.Conflict, "bundle of %s has the sequence %d; %d was seen before, so it is an old one", domain, next.Sequence(), seen.Sequence)
		case seen.Address == line.Issuer.Bundle.URI && bytes.Equal(seen.Bundle.Document(), next.Document()):
			return nil, nil
		}
	}
	return []trust.Event{BundleSeen{Participant: line.Participant, Issuer: domain, Bundle: next.Document(), By: by}}, nil
}

// Endpoint is where a trust domain's bundle is read and by what that is proven.
type Endpoint struct {
	BundleEndpoint
	Last *spiffe.Bundle // the last known, wherever it was seen; nil before the first
}

// Endpoint gives a trust domain's bundle endpoint. It fails with NotFound.
func (s State) Endpoint(domain trust.IssuerID) (Endpoint, error) {
	line, err := s.bundleLine(domain)
	if err != nil {
		return Endpoint{}, err
	}
	e := Endpoint{BundleEndpoint: *line.Issuer.Bundle}
	if seen, known := s.Bundles.Get(bundleKey(line.Participant, domain)); known {
		e.Last = &seen.Bundle
	}
	return e, nil
}

// OwnBundle gives the bundle of a trust domain that this organisation states. It
// fails with NotFound for any other, and with Unavailable before the first fetch.
func (s State) OwnBundle(domain trust.IssuerID) (*Bundle, error) {
	line, err := s.bundleLine(domain)
	if err != nil || s.Own == nil || line.Participant != s.Own.Card.ID {
		return nil, trust.Errorf(trust.NotFound, "trust domain %s is none of this organisation's", domain)
	}
	seen, known := s.Bundles.Get(bundleKey(line.Participant, domain))
	if !known || seen.Address != line.Issuer.Bundle.URI {
		return nil, trust.Errorf(trust.Unavailable, "bundle of %s was not read yet", domain)
	}
	return seen, nil
}

func (s State) bundleLine(domain trust.IssuerID) (Claimant, error) {
	speaker, _ := s.Speaker(domain.String())
	line, ok := speaker.bundleLine()
	if !ok {
		return Claimant{}, trust.Errorf(trust.NotFound, "trust domain %s is stated by nobody, or by several; its bundle is not wanted", domain)
	}
	return line, nil
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
	next := &Bundle{Participant: e.Participant, Address: line.Issuer.Bundle.URI, Sequence: read.Sequence(), Revision: max(read.Sequence(), 1), Bundle: read}
	key := bundleKey(e.Participant, e.Issuer)
	if seen, known := s.Bundles.Get(key); known {
		next.Sequence, next.Revision = max(next.Sequence, seen.Sequence), max(next.Revision, seen.Revision+1)
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
	}
	switch b := i.Bundle; b.Profile {
	case HTTPSWeb:
		if b.EndpointID != "" {
			return trust.Errorf(trust.Invalid, "trust domain %s has an endpoint_spiffe_id, which an endpoint of %s does not show", i.Issuer, b.Profile)
		}
		return nil
	case HTTPSSPIFFE:
		id, err := spiffe.ParseID(b.EndpointID)
		if err != nil || id.TrustDomain() != i.Issuer || id.Path() == "" {
			return trust.Errorf(trust.Invalid, "trust domain %s has the endpoint_spiffe_id %q; an endpoint of %s has one with a path in the trust domain itself", i.Issuer, b.EndpointID, b.Profile)
		}
		return nil
	default:
		return trust.Errorf(trust.Invalid, "trust domain %s has a bundle of the profile %q; those are %s and %s", i.Issuer, b.Profile, HTTPSWeb, HTTPSSPIFFE)
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
