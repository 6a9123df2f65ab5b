package participant_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// domain is a trust domain of a participant.
func domain(t testing.TB, name string) participant.Issuer {
	t.Helper()
	return participant.Issuer{
		Issuer: issuerID(t, "spiffe://prod."+name+".example"),
		Bundle: &participant.BundleEndpoint{URI: "https://spire." + name + ".example/bundle", Profile: participant.HTTPSWeb},
		Classes: []participant.ClassRule{
			{Class: trust.Workload, Path: "/ward/"}, {Class: trust.ServiceAccount, Claim: "kind", Equals: "account"}, {Class: trust.Agent, Path: "/agent"},
		},
	}
}

// bundleOf is a bundle of one key, that name makes; no name, no key. Sequence 0
// is left out.
func bundleOf(t testing.TB, sequence int, name string) []byte {
	t.Helper()
	o := canonical.Object{"keys": []any{}}
	if sequence > 0 {
		o["spiffe_sequence"] = int64(sequence)
	}
	if name != "" {
		text, err := signer(t, jose.ES256, name).Key().MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		jwk, err := canonical.ParseObject(text)
		if err != nil {
			t.Fatal(err)
		}
		jwk["use"] = "jwt-svid"
		o["keys"] = []any{jwk}
	}
	text, err := canonical.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// kidsOf are the keys that count for a trust domain, "none" where no bundle is.
func kidsOf(s participant.State, domain participant.Issuer) string {
	speaker, _ := s.Speaker(domain.Issuer.String())
	if speaker.Bundle == nil {
		return "none"
	}
	var kids []string
	for _, k := range speaker.Bundle.Keys().Keys() {
		kids = append(kids, k.KeyID())
	}
	return strings.Join(kids, " ")
}

func TestTrustDomainsThatAreRefused(t *testing.T) {
	s := met(t, "rje", "r0a")
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje", domain(t, "rje")), now))
	for what, c := range map[string]struct {
		kind   trust.ErrorKind
		change func(*participant.Issuer)
	}{
		"no bundle":              {trust.Invalid, func(i *participant.Issuer) { i.Bundle = nil }},
		"no address":             {trust.Invalid, func(i *participant.Issuer) { i.Bundle.URI = "" }},
		"over http":              {trust.Invalid, func(i *participant.Issuer) { i.Bundle.URI = "http://spire.r0a.example/bundle" }},
		"a password":             {trust.Invalid, func(i *participant.Issuer) { i.Bundle.URI = "https://u:p@spire.r0a.example/bundle" }},
		"no profile":             {trust.Invalid, func(i *participant.Issuer) { i.Bundle.Profile = "" }},
		"an unknown profile":     {trust.Invalid, func(i *participant.Issuer) { i.Bundle.Profile = "http" }},
		"an ID over the web":     {trust.Invalid, func(i *participant.Issuer) { i.Bundle.EndpointID = "spiffe://prod.r0a.example/spire" }},
		"no endpoint ID":         {trust.Invalid, spire("")},
		"an ID that is none":     {trust.Invalid, spire("https://spire.r0a.example")},
		"an ID without a path":   {trust.Invalid, spire("spiffe://prod.r0a.example")},
		"an ID of another":       {trust.Invalid, spire("spiffe://prod.rje.example/spire")},
		"a jwks_uri":             {trust.Invalid, func(i *participant.Issuer) { i.JWKSURI = "https://spire.r0a.example/jwks" }},
		"a discriminator":        {trust.Invalid, func(i *participant.Issuer) { i.Discriminator = &participant.Discriminator{Claim: "a", Value: "b"} }},
		"a path that is none":    {trust.Invalid, func(i *participant.Issuer) { i.Classes[0].Path = "ward" }},
		"a wildcard":             {trust.Invalid, func(i *participant.Issuer) { i.Classes[0].Path = "/ward/*" }},
		"a path and a claim":     {trust.Invalid, func(i *participant.Issuer) { i.Classes[1].Path = "/ward" }},
		"a rule never reached":   {trust.Invalid, func(i *participant.Issuer) { i.Classes[0].Path = "" }},
		"a bundle of an issuer":  {trust.Invalid, func(i *participant.Issuer) { i.Issuer = own(t, "r0a").Issuer }},
		"a path of an issuer":    {trust.Invalid, func(i *participant.Issuer) { *i = own(t, "r0a"); i.Classes[0].Path = "/ward" }},
		"a partner's domain":     {trust.Conflict, func(i *participant.Issuer) { *i = domain(t, "rje") }},
		"the same, another home": {trust.Conflict, func(i *participant.Issuer) { i.Issuer = domain(t, "rje").Issuer }},
	} {
		i := domain(t, "r0a")
		c.change(&i)
		events, err := s.Accept(facts(t), id(t, "r0a"), statement(t, "r0a", i), now)
		wants(t, what, c.kind, events, err)
	}
}

// spire lets an endpoint prove itself by an X509-SVID.
func spire(id string) func(*participant.Issuer) {
	return func(i *participant.Issuer) {
		i.Bundle = &participant.BundleEndpoint{URI: i.Bundle.URI, Profile: participant.HTTPSSPIFFE, EndpointID: id}
	}
}

// withAuthority is a bundle with an authority for X509-SVIDs.
func withAuthority(t testing.TB, sequence int) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Unix(now+3600, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := jose.NewKey(&key.PublicKey, jose.ES256, "")
	if err != nil {
		t.Fatal(err)
	}
	text, err := public.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := canonical.ParseObject(text)
	if err != nil {
		t.Fatal(err)
	}
	delete(jwk, "kid")
	jwk["use"], jwk["x5c"] = "x509-svid", []any{base64.StdEncoding.EncodeToString(der)}
	text, err = canonical.Marshal(canonical.Object{"keys": []any{jwk}, "spiffe_sequence": int64(sequence)})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// An endpoint that proves itself by its own trust domain is believed by the last
// bundle that is known, and the first is an operator's affair.
func TestGiveBundle(t *testing.T) {
	s := met(t, "rje", "r0a")
	mine, web := domain(t, "rje"), domain(t, "r0a")
	spire("spiffe://prod.rje.example/spire/server")(&mine)
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje", mine), now))
	s = apply(t, s)(s.Accept(facts(t), id(t, "r0a"), statement(t, "r0a", web), now))
	last := func() string {
		e, err := s.Endpoint(mine.Issuer)
		if err != nil || e.BundleEndpoint != *mine.Bundle {
			t.Fatalf("the endpoint is %+v, %v", e, err)
		}
		if e.Last == nil {
			return "none"
		}
		return string(e.Last.Document())
	}
	if last() != "none" {
		t.Errorf("before anything was given: %s", last())
	}
	first := withAuthority(t, 5)
	refused := func(what string, kind trust.ErrorKind, d participant.Issuer, document []byte, by string) {
		t.Helper()
		events, err := s.GiveBundle(d.Issuer, document, by)
		wants(t, what, kind, events, err)
	}
	refused("by nobody", trust.Invalid, mine, first, "")
	refused("no document", trust.Invalid, mine, []byte("x"), by)
	refused("no authority", trust.Invalid, mine, bundleOf(t, 5, "one"), by)
	refused("an empty one", trust.Invalid, mine, bundleOf(t, 5, ""), by)
	refused("an endpoint of the web", trust.Conflict, web, first, by)
	refused("a domain that nobody states", trust.NotFound, domain(t, "rcb"), first, by)
	events, err := s.GiveBundle(mine.Issuer, first, by)
	if err != nil || len(events) != 1 || events[0].(participant.BundleSeen).By != by {
		t.Fatalf("gave %+v, %v", events, err)
	}
	s = apply(t, s)(events, err)
	if last() != string(first) {
		t.Errorf("after it was given: %s", last())
	}
	refused("an older one", trust.Conflict, mine, withAuthority(t, 4), by)
	// What was read at the endpoint counts from then on, and wherever that moves.
	next := withAuthority(t, 6)
	s = apply(t, s)(s.SeeBundle(mine.Issuer, mine.Bundle.URI, next))
	mine.Bundle = &participant.BundleEndpoint{URI: mine.Bundle.URI + "2", Profile: mine.Bundle.Profile, EndpointID: mine.Bundle.EndpointID}
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje", mine), now))
	if last() != string(next) || kidsOf(s, mine) != "none" {
		t.Errorf("after the endpoint moved: %s; for SVIDs %s", last(), kidsOf(s, mine))
	}
	// One that ended trust proves nothing; a new one is to be given.
	s = apply(t, s)(s.SeeBundle(mine.Issuer, mine.Bundle.URI, bundleOf(t, 0, "")))
	if last() != string(bundleOf(t, 0, "")) {
		t.Errorf("after an empty one: %s", last())
	}
	refused("an old one after an empty one", trust.Conflict, mine, first, by)
	s = apply(t, s)(s.GiveBundle(mine.Issuer, withAuthority(t, 7), by))
	if _, err := s.Endpoint(domain(t, "rcb").Issuer); trust.KindOf(err) != trust.NotFound {
		t.Errorf("the endpoint of nobody: %v", err)
	}
}

// What this node publishes of its own trust domains has a number that rises with
// every bundle, also where the domain's own is absent or falls.
func TestOwnBundle(t *testing.T) {
	s := met(t, "rje")
	mine, theirs := domain(t, "rxw"), domain(t, "rje")
	d := participant.Document{Kind: "Participant", ID: id(t, "rxw"), Issuers: []participant.Issuer{mine}}
	s = apply(t, s)(s.Declare(facts(t), d, by))
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje", theirs), now))
	s = apply(t, s)(s.SeeBundle(theirs.Issuer, theirs.Bundle.URI, bundleOf(t, 1, "x")))
	for what, c := range map[string]struct {
		domain participant.Issuer
		kind   trust.ErrorKind
	}{"not read yet": {mine, trust.Unavailable}, "a partner's": {theirs, trust.NotFound}, "nobody's": {domain(t, "rcb"), trust.NotFound}} {
		if _, err := s.OwnBundle(c.domain.Issuer); trust.KindOf(err) != c.kind {
			t.Errorf("%s: %v", what, err)
		}
	}
	var revisions []int64
	for _, seen := range [][]byte{bundleOf(t, 0, "a"), bundleOf(t, 0, "b"), bundleOf(t, 0, "b"), bundleOf(t, 9, "c"), bundleOf(t, 9, "d"), bundleOf(t, 0, ""), bundleOf(t, 10, "e"), bundleOf(t, 20, "f")} {
		s = apply(t, s)(s.SeeBundle(mine.Issuer, mine.Bundle.URI, seen))
		b, err := s.OwnBundle(mine.Issuer)
		if err != nil {
			t.Fatal(err)
		}
		revisions = append(revisions, b.Revision)
	}
	if want := []int64{1, 2, 2, 9, 10, 11, 12, 20}; !slices.Equal(revisions, want) {
		t.Errorf("published as %v, want %v", revisions, want)
	}
}

// A bundle replaces; an old one never comes back; an empty one ends trust at
// once, whatever its sequence (R44).
func TestSeeBundle(t *testing.T) {
	s := met(t, "rje", "r0a")
	mine, theirs := domain(t, "rje"), domain(t, "r0a")
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje", mine), now))
	s = apply(t, s)(s.Accept(facts(t), id(t, "r0a"), statement(t, "r0a", theirs), now))
	see := func(d participant.Issuer, sequence int, name string) {
		t.Helper()
		s = apply(t, s)(s.SeeBundle(d.Issuer, d.Bundle.URI, bundleOf(t, sequence, name)))
	}
	refused := func(what string, kind trust.ErrorKind, d participant.Issuer, address string, doc []byte) {
		t.Helper()
		events, err := s.SeeBundle(d.Issuer, address, doc)
		wants(t, what, kind, events, err)
	}
	kid := func(name string) string { return signer(t, jose.ES256, name).Key().KeyID() }
	if kidsOf(s, mine) != "none" {
		t.Error("a bundle before the first fetch")
	}
	see(mine, 5, "one")
	see(theirs, 3, "other")
	see(mine, 6, "two")
	if kidsOf(s, mine) != kid("two") || kidsOf(s, theirs) != kid("other") {
		t.Errorf("%s, %s: merged or lost", kidsOf(s, mine), kidsOf(s, theirs))
	}
	if events, err := s.SeeBundle(mine.Issuer, mine.Bundle.URI, bundleOf(t, 6, "two")); events != nil || err != nil {
		t.Errorf("the same again gave %v, %v", events, err)
	}
	refused("a lower sequence", trust.Conflict, mine, mine.Bundle.URI, bundleOf(t, 5, "one"))
	refused("no sequence after one", trust.Conflict, mine, mine.Bundle.URI, bundleOf(t, 0, "one"))
	refused("another address", trust.Conflict, mine, mine.Bundle.URI+"2", bundleOf(t, 7, "one"))
	refused("another domain's address", trust.Conflict, mine, theirs.Bundle.URI, bundleOf(t, 7, "one"))
	refused("no document", trust.Invalid, mine, mine.Bundle.URI, []byte("<html>"))
	refused("a domain that nobody states", trust.NotFound, domain(t, "rcb"), domain(t, "rcb").Bundle.URI, bundleOf(t, 1, "x"))
	refused("an issuer of tokens", trust.NotFound, own(t, "rje"), own(t, "rje").JWKSURI, bundleOf(t, 1, "x"))
	events, err := s.SeeKeys(facts(t), mine.Issuer, mine.Bundle.URI, jwks(t, "x"))
	wants(t, "a key set of a trust domain", trust.Invalid, events, err)

	see(mine, 0, "")
	if kidsOf(s, mine) != "" || kidsOf(s, theirs) != kid("other") {
		t.Errorf("after an empty one: %q, %q", kidsOf(s, mine), kidsOf(s, theirs))
	}
	refused("an old one after an empty one", trust.Conflict, mine, mine.Bundle.URI, bundleOf(t, 5, "one"))
	// Nor after the statement, or the address, changed and came back.
	moved := mine
	moved.Bundle = &participant.BundleEndpoint{URI: mine.Bundle.URI + "2", Profile: participant.HTTPSWeb}
	see(mine, 6, "two")
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje", moved), now))
	if kidsOf(s, mine) != "none" {
		t.Error("a bundle of another address counts")
	}
	refused("an old one at a new address", trust.Conflict, moved, moved.Bundle.URI, bundleOf(t, 5, "one"))
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje"), now))
	if _, ok := s.Speaker(mine.Issuer.String()); ok {
		t.Error("a trust domain that is stated no longer still speaks")
	}
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje", mine), now))
	if kidsOf(s, mine) != kid("two") {
		t.Errorf("stated again: %q", kidsOf(s, mine))
	}
	refused("an old one, stated again", trust.Conflict, mine, mine.Bundle.URI, bundleOf(t, 5, "one"))
}

// The fold does not depend on the commands: a trust domain of two participants
// is nobody's, and a bundle counts for the participant that stated its address.
func TestATrustDomainOfTwoHasNoBundle(t *testing.T) {
	s := met(t, "rje", "r0a")
	d := domain(t, "rje")
	state := func(s participant.State, name string, issuers ...participant.Issuer) participant.State {
		return s.Apply(participant.Stated{Participant: id(t, name), Issuers: issuers, Expires: now + 1}, trust.Stamp{})
	}
	see := func(s participant.State, name string) participant.State {
		return s.Apply(participant.BundleSeen{Participant: id(t, name), Issuer: d.Issuer, Bundle: bundleOf(t, 1, name)}, trust.Stamp{})
	}
	one := see(state(s, "rje", d), "rje")
	if kidsOf(one, d) == "none" || kidsOf(see(state(s, "rje", d), "r0a"), d) != "none" {
		t.Error("a bundle of the one, or of nobody")
	}
	two := state(one, "r0a", d)
	if kidsOf(two, d) != "none" || kidsOf(see(two, "rje"), d) != "none" {
		t.Error("a bundle of two")
	}
	if got := kidsOf(state(two, "rje"), d); got != "none" {
		t.Errorf("the other's after the first left: %q", got)
	}
}

func TestBundleReadsBack(t *testing.T) {
	s := met(t, "rje")
	d := domain(t, "rje")
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje", d), now))
	s = apply(t, s)(s.SeeBundle(d.Issuer, d.Bundle.URI, bundleOf(t, 4, "one")))
	text, err := canonical.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var read participant.State
	if err := canonical.Decode(text, &read); err != nil {
		t.Fatal(err)
	}
	again, err := canonical.Marshal(read)
	if err != nil || string(again) != string(text) || kidsOf(read, d) != kidsOf(s, d) {
		t.Errorf("%v: %s is not %s", err, again, text)
	}
	if _, err := read.SeeBundle(d.Issuer, d.Bundle.URI, bundleOf(t, 3, "one")); trust.KindOf(err) != trust.Conflict {
		t.Errorf("a lower sequence after a restart: %v", err)
	}
}
