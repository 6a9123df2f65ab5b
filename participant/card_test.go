package participant_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

func TestParseCard(t *testing.T) {
	c, err := participant.ParseCard(signedCard(t, "rxw"))
	if err != nil || c.ID != id(t, "rxw") || len(c.Keys) != 5 {
		t.Errorf("got %+v, %v", c, err)
	}
	data, err := participant.DraftCard(card(t, "rxw"))
	if err != nil || !bytes.Equal(data, signedCard(t, "rxw").Bytes) {
		t.Errorf("drafted %s, %v", data, err)
	}
}

func TestUnsoundCardIsRefused(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := jose.NewKey(&rsaKey.PublicKey, jose.RS256, "r")
	if err != nil {
		t.Fatal(err)
	}
	key := func(i int, change func(*participant.KeyRecord)) func(*participant.Card) {
		return func(c *participant.Card) { change(&c.Keys[i]) }
	}
	for want, change := range map[string]func(*participant.Card){
		"of kind":                                          func(c *participant.Card) { c.Kind = "card" },
		"must name the participant":                        func(c *participant.Card) { c.Name = "" },
		"must name the participant\x00":                    func(c *participant.Card) { c.ID = trust.ParticipantID{} },
		"two log origins":                                  func(c *participant.Card) { c.TrustOrigin = "" },
		"two log origins\x00":                              func(c *participant.Card) { c.DecisionOrigin = c.TrustOrigin },
		"two log origins\x01":                              func(c *participant.Card) { c.DecisionOrigin = "a b" },
		"when it was issued":                               func(c *participant.Card) { c.Issued = 0 },
		"not https://host:port":                            func(c *participant.Card) { c.Endpoint = "http://node.rxw.example:1" },
		"not https://host:port\x00":                        func(c *participant.Card) { c.Endpoint = "https://node.rxw.example:1/" },
		"not https://host:port\x01":                        func(c *participant.Card) { c.Endpoint = "https://u@node.rxw.example:1" },
		"no port":                                          func(c *participant.Card) { c.Endpoint = "https://node.rxw.example" },
		"no port\x00":                                      func(c *participant.Card) { c.Endpoint = "https://node.rxw.example:65536" },
		"governance key":                                   func(c *participant.Card) { c.GovernanceKey = "ed25519:" },
		"no key for [stream]":                              func(c *participant.Card) { c.Keys = append(c.Keys[:1:1], c.Keys[2:]...) },
		"has no key for":                                   func(c *participant.Card) { c.Keys = nil },
		"without a known use":                              key(4, func(k *participant.KeyRecord) { k.Use = "pet" }),
		"without a known use\x00":                          key(4, func(k *participant.KeyRecord) { k.Key = jose.Key{} }),
		"nodes take [EdDSA ML-DSA-44] for a checkpoint":    key(0, func(k *participant.KeyRecord) { k.Key = signer(t, jose.ES256, "x").Key() }),
		"nodes take [ES256 EdDSA ML-DSA-44] for a message": key(1, func(k *participant.KeyRecord) { k.Key = foreign }),
		"ends before it begins":                            key(1, func(k *participant.KeyRecord) { k.Window.NotAfter = k.Window.NotBefore }),
		"ends before it begins\x00":                        key(1, func(k *participant.KeyRecord) { k.Window.NotBefore = -1 }),
		"same key for two records":                         func(c *participant.Card) { c.Keys[1].Key = c.Keys[2].Key },
		"same key for two records\x00":                     func(c *participant.Card) { c.Keys = append(c.Keys, c.Keys[2]) },
		"same key for two records\x01":                     key(0, func(k *participant.KeyRecord) { k.Key = governance(t, "rxw").Key() }),
	} {
		c := card(t, "rxw")
		change(&c)
		want, _, _ = strings.Cut(want, "\x00")
		want, _, _ = strings.Cut(want, "\x01")
		if _, err := participant.DraftCard(c); trust.KindOf(err) != trust.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("drafting: got %v, want %q", err, want)
		}
		if c.ID.IsZero() {
			continue
		}
		if _, err := participant.ParseCard(signed(t, c, governance(t, "rxw"))); trust.KindOf(err) != trust.Invalid {
			t.Errorf("parsing: got %v, want %q", err, want)
		}
	}
}

func TestCardNeedsItsOwnGovernanceSignature(t *testing.T) {
	if _, err := participant.ParseCard(signed(t, card(t, "rxw"), governance(t, "rje"))); trust.KindOf(err) != trust.Invalid {
		t.Errorf("signed by another: %v", err)
	}
	good := signedCard(t, "rxw")
	other, err := jose.SignBytes(governance(t, "rxw"), "entente agreement v1", good.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := participant.ParseCard(participant.SignedCard{Bytes: good.Bytes, Signature: other}); trust.KindOf(err) != trust.Invalid {
		t.Errorf("signed for another purpose: %v", err)
	}
	for i := 0; i < len(good.Bytes); i += 11 { // fuzzing does the rest
		changed := participant.SignedCard{Bytes: bytes.Clone(good.Bytes), Signature: good.Signature}
		changed.Bytes[i] ^= 1
		if _, err := participant.ParseCard(changed); trust.KindOf(err) != trust.Invalid {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

func TestFingerprintCoversWhatIdentifies(t *testing.T) {
	base := invitation(t, "rxw")
	print, err := participant.Fingerprint(base)
	if err != nil || len(print) != 39 || strings.Count(print, "-") != 7 {
		t.Fatalf("got %q, %v", print, err)
	}
	seen := map[string]string{print: "the invitation itself"}
	for what, change := range map[string]func(*participant.Invitation){
		"the framework": func(i *participant.Invitation) { i.Framework = "" },
		"the key": func(i *participant.Invitation) {
			c := card(t, "rxw")
			c.GovernanceKey = governance(t, "rje").Key().GovernanceText()
			i.Card = signed(t, c, governance(t, "rje"))
		},
		"the trust log": func(i *participant.Invitation) {
			c := card(t, "rxw")
			c.TrustOrigin += "x"
			i.Card = signed(t, c, governance(t, "rxw"))
		},
		"the decision log": func(i *participant.Invitation) {
			c := card(t, "rxw")
			c.DecisionOrigin += "x"
			i.Card = signed(t, c, governance(t, "rxw"))
		},
	} {
		inv := base
		change(&inv)
		got, err := participant.Fingerprint(inv)
		if other, taken := seen[got]; err != nil || taken {
			t.Errorf("%s changed: %q is that of %s, %v", what, got, other, err)
		}
		seen[got] = what
	}
	moved := card(t, "rxw")
	moved.Endpoint = "https://other.rxw.example:1"
	if got, err := participant.Fingerprint(participant.Invitation{Card: signed(t, moved, governance(t, "rxw")), Framework: base.Framework}); err != nil || got != print {
		t.Errorf("a moved endpoint gave %q, %v", got, err)
	}
}

func TestParseInvitation(t *testing.T) {
	data, err := canonical.Marshal(invitation(t, "rje"))
	if err != nil {
		t.Fatal(err)
	}
	inv, c, err := participant.ParseInvitation(data)
	if err != nil || c.ID != id(t, "rje") || inv.Framework != invitation(t, "rje").Framework {
		t.Errorf("got %+v, %v", inv, err)
	}
	for _, text := range []string{"", "null", "{}", strings.Replace(string(data), `"framework":"`, `"framework":"Z`, 1), strings.Replace(string(data), `{`, `{"x":1,`, 1), string(data) + " " + string(data), strings.Repeat(" ", 1<<18)} {
		if _, _, err := participant.ParseInvitation([]byte(text)); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%.40s: got %v", text, err)
		}
	}
}
