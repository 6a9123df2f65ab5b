package participant_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// now is the time of the tests, Unix seconds.
const now = 1_780_000_000

const by = "o1"

func id(t testing.TB, name string) trust.ParticipantID {
	t.Helper()
	p, err := trust.ParseParticipantID("https://trust." + name + ".example")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func issuerID(t testing.TB, s string) trust.IssuerID {
	t.Helper()
	i, err := trust.ParseIssuerID(s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// private gives a key that is the same in every run.
func private(t testing.TB, alg jose.Alg, name string) crypto.Signer {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	if alg == jose.EdDSA {
		return ed25519.NewKeyFromSeed(seed[:])
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signer(t testing.TB, alg jose.Alg, name string) jose.Signer {
	t.Helper()
	s, err := jose.NewSigner(private(t, alg, name), "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func governance(t testing.TB, name string) jose.Signer {
	return signer(t, jose.EdDSA, name+" governance")
}

// card is a sound card of a participant.
func card(t testing.TB, name string) participant.Card {
	t.Helper()
	c := participant.Card{
		Kind: "Card", ID: id(t, name), Name: name + " hospitals", GovernanceKey: governance(t, name).Key().GovernanceText(),
		Endpoint: "https://node." + name + ".example:8443", TrustOrigin: name + ".example/trust", DecisionOrigin: name + ".example/decision",
		Issued: now - 100,
	}
	for _, use := range participant.KeyUses() {
		alg := jose.ES256
		if use == participant.LogKey {
			alg = jose.EdDSA
		}
		c.Keys = append(c.Keys, participant.KeyRecord{
			Use: use, Key: signer(t, alg, name+" "+string(use)).Key(), Window: trust.Window{NotBefore: now - 100, NotAfter: now + 1000},
		})
	}
	return c
}

// signed signs a card as it is, sound or not.
func signed(t testing.TB, c participant.Card, s jose.Signer) participant.SignedCard {
	t.Helper()
	data, err := canonical.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	out, err := participant.SignCard(s, data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func signedCard(t testing.TB, name string) participant.SignedCard {
	t.Helper()
	return signed(t, card(t, name), governance(t, name))
}

func invitation(t testing.TB, name string) participant.Invitation {
	t.Helper()
	return participant.Invitation{Card: signedCard(t, name), Framework: framework.Hash([]byte("a framework"))}
}

// born is the state of a node of rxw that has not met anybody.
func born(t testing.TB) participant.State {
	t.Helper()
	return apply(t, participant.State{})(participant.State{}.Begin(signedCard(t, "rxw"), now))
}

// met is the state after partners were confirmed.
func met(t testing.TB, names ...string) participant.State {
	t.Helper()
	s := born(t)
	for _, name := range names {
		s = apply(t, s)(confirm(t, s, invitation(t, name)))
	}
	return s
}

// confirm gives the fingerprint that the invitation really has.
func confirm(t testing.TB, s participant.State, inv participant.Invitation) ([]trust.Event, error) {
	t.Helper()
	print, err := participant.Fingerprint(inv)
	if err != nil {
		t.Fatal(err)
	}
	return s.Confirm(inv, print, by, now)
}

func apply(t testing.TB, s participant.State) func([]trust.Event, error) participant.State {
	return func(events []trust.Event, err error) participant.State {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			s = s.Apply(e, trust.Stamp{At: now})
		}
		return s
	}
}

// own is an issuer with keys of its own.
func own(t testing.TB, name string) participant.Issuer {
	t.Helper()
	return participant.Issuer{
		Issuer: issuerID(t, "https://idp."+name+".example"), JWKSURI: "https://idp." + name + ".example/jwks",
		Namespaces: map[string][]participant.Namespace{"org_code": participant.Exactly(name)}, Classes: []participant.ClassRule{{Class: trust.Human}},
	}
}

// national is the national issuer under a participant's value.
func national(t testing.TB, value string) participant.Issuer {
	t.Helper()
	return participant.Issuer{
		Issuer:        issuerID(t, "https://cis2.example"),
		Discriminator: &participant.Discriminator{Claim: "org_code", Value: value},
		Classes:       []participant.ClassRule{{Class: trust.Workload, Claim: "kind", Equals: "w"}, {Class: trust.Human}},
	}
}

// facts are those of a framework that registers the national issuer.
func facts(t testing.TB) participant.Facts {
	t.Helper()
	d := framework.Document{Version: 1, Issuers: []framework.NationalIssuer{
		{Issuer: issuerID(t, "https://cis2.example"), JWKSURI: "https://cis2.example/jwks", Discriminator: "org_code"},
	}}
	d.Governance.AdoptWithin, d.Assurance.Identity = 1, []framework.Level{"none"}
	data, err := canonical.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	f := framework.State{}.Apply(framework.Adopted{Signed: framework.Signed{Bytes: data}}, trust.Stamp{At: now})
	if f.Current == nil {
		t.Fatalf("no framework from %s", data)
	}
	return participant.Facts{Framework: f.Current}
}

func statement(t testing.TB, name string, issuers ...participant.Issuer) participant.Statement {
	t.Helper()
	st := participant.Statement{Iss: id(t, name), Sub: id(t, name), Iat: now, Exp: now + 3600}
	st.Metadata.Entente.Issuers = issuers
	return st
}

// jwks is a set of one key, that name makes.
func jwks(t testing.TB, name string) []byte {
	t.Helper()
	set, err := jose.NewKeySet(signer(t, jose.ES256, name).Key())
	if err != nil {
		t.Fatal(err)
	}
	data, err := canonical.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func wants(t *testing.T, what string, kind trust.ErrorKind, events []trust.Event, err error) {
	t.Helper()
	if trust.KindOf(err) != kind || len(events) > 0 {
		t.Errorf("%s: got %v, %v; want %s", what, events, err, kind)
	}
}
