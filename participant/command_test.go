package participant_test

import (
	"crypto/sha256"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

func TestBegin(t *testing.T) {
	s := born(t)
	if s.Self() == nil || s.Self().Card.ID != id(t, "rxw") {
		t.Fatalf("got %+v", s.Self())
	}
	if (participant.State{}).Self() != nil {
		t.Error("a node that is not born has a card")
	}
	events, err := s.Begin(signedCard(t, "rje"), now)
	wants(t, "a second birth", trust.Conflict, events, err)
	events, err = participant.State{}.Begin(signedCard(t, "rxw"), now+1000)
	wants(t, "keys that have ended", trust.Invalid, events, err)
	c := card(t, "rxw")
	c.Demo = true
	events, err = participant.State{}.Begin(signed(t, c, governance(t, "rxw")), now)
	if err != nil || len(events) != 1 || !events[0].(participant.Born).Demo {
		t.Errorf("a demo is born as %v, %v", events, err)
	}
}

func TestRenew(t *testing.T) {
	s := met(t, "rje")
	s = apply(t, s)(s.Declare(facts(t), participant.Document{Kind: "Participant", ID: id(t, "rxw"), Issuers: []participant.Issuer{own(t, "rxw")}}, by))
	c := card(t, "rxw")
	c.Issued, c.Endpoint = now, "https://new.rxw.example:8443"
	s = apply(t, s)(s.Renew(signed(t, c, governance(t, "rxw")), now))
	if s.Self().Card.Endpoint != c.Endpoint || len(s.Declared()) != 1 {
		t.Errorf("got %+v", s.Self())
	}
	events, err := s.Renew(signedCard(t, "rxw"), now)
	wants(t, "an older card", trust.Conflict, events, err)
	events, err = s.Renew(signedCard(t, "rje"), now)
	wants(t, "another's card", trust.Conflict, events, err)
	c.Issued++
	c.Keys[1].Key = signer(t, jose.ES256, "rje stream").Key()
	events, err = s.Renew(signed(t, c, governance(t, "rxw")), now)
	wants(t, "a partner's key", trust.Conflict, events, err)
}

func TestConfirm(t *testing.T) {
	s := born(t)
	inv := invitation(t, "rje")
	print, err := participant.Fingerprint(inv)
	if err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{print, strings.ToLower(print), strings.ReplaceAll(print, "-", " "), strings.ReplaceAll(print, "-", "")} {
		if events, err := s.Confirm(inv, given, by, now); err != nil || len(events) != 1 {
			t.Errorf("%s: got %v, %v", given, events, err)
		}
	}
	for _, given := range []string{"", print[:38], print + "A", print[1:], strings.Repeat("A", 32), strings.ReplaceAll(print, "-", "_")} {
		events, err := s.Confirm(inv, given, by, now)
		wants(t, "fingerprint "+given, trust.Denied, events, err)
	}
	s = apply(t, s)(s.Confirm(inv, print, by, now))
	p, ok := s.Partner(id(t, "rje"))
	if !ok || p.Framework != inv.Framework || p.Fingerprint != print || p.Confirmed != now || len(p.Keys(participant.StreamKey, now)) != 1 {
		t.Errorf("got %+v", p)
	}
	if hash, ok := s.ConfirmedFramework(); !ok || hash != inv.Framework {
		t.Errorf("confirmed framework is %q", hash)
	}
	if events, err := s.Confirm(inv, print, by, now); events != nil || err != nil {
		t.Errorf("confirming again gave %v, %v", events, err)
	}
	if _, self := s.Partner(id(t, "rxw")); self {
		t.Error("this node is its own partner")
	}
}

func TestConfirmRefuses(t *testing.T) {
	s := met(t, "rje")
	newer := func(name string, change func(*participant.Card)) participant.Invitation {
		c := card(t, name)
		c.Issued = now
		change(&c)
		for _, g := range []string{"rxw", "rje", "r0a", "mallory"} {
			if c.GovernanceKey == governance(t, g).Key().GovernanceText() {
				return participant.Invitation{Card: signed(t, c, governance(t, g))}
			}
		}
		t.Fatal("nobody's governance key")
		return participant.Invitation{}
	}
	govern := func(c *participant.Card, name string) { c.GovernanceKey = governance(t, name).Key().GovernanceText() }
	for what, c := range map[string]struct {
		kind trust.ErrorKind
		inv  participant.Invitation
	}{
		"the own card":             {trust.Denied, invitation(t, "rxw")},
		"the own identifier":       {trust.Denied, newer("rxw", func(c *participant.Card) { govern(c, "mallory") })},
		"the own governance key":   {trust.Denied, newer("r0a", func(c *participant.Card) { govern(c, "rxw") })},
		"another governance key":   {trust.Conflict, newer("rje", func(c *participant.Card) { govern(c, "mallory") })},
		"another log":              {trust.Conflict, newer("rje", func(c *participant.Card) { c.TrustOrigin += "2" })},
		"an older card":            {trust.Conflict, newer("rje", func(c *participant.Card) { c.Issued = now - 200 })},
		"a partner's governance":   {trust.Conflict, newer("r0a", func(c *participant.Card) { govern(c, "rje") })},
		"a partner's key":          {trust.Conflict, newer("r0a", func(c *participant.Card) { c.Keys[4].Key = signer(t, jose.ES256, "rje tls").Key() })},
		"our key":                  {trust.Conflict, newer("r0a", func(c *participant.Card) { c.Keys[4].Key = signer(t, jose.ES256, "rxw token").Key() })},
		"a partner's log":          {trust.Conflict, newer("r0a", func(c *participant.Card) { c.DecisionOrigin = "rje.example/trust" })},
		"a demo":                   {trust.Denied, newer("r0a", func(c *participant.Card) { c.Demo = true })},
		"a card of the future":     {trust.Invalid, newer("r0a", func(c *participant.Card) { c.Issued = now + 61 })},
		"a key that has ended":     {trust.Invalid, newer("r0a", func(c *participant.Card) { c.Keys[2].Window.NotAfter = now })},
		"a key that has not begun": {trust.Invalid, newer("r0a", func(c *participant.Card) { c.Keys[2].Window.NotBefore = now + 1 })},
	} {
		events, err := confirm(t, s, c.inv)
		wants(t, what, c.kind, events, err)
	}
	events, err := s.Confirm(invitation(t, "r0a"), "", "", now)
	wants(t, "nobody", trust.Invalid, events, err)
	events, err = participant.State{}.Confirm(invitation(t, "r0a"), "", by, now)
	wants(t, "a node without a card", trust.Invalid, events, err)
	if events, err := confirm(t, s, newer("rje", func(c *participant.Card) { c.Endpoint = "https://new.rje.example:1" })); err != nil || len(events) != 1 {
		t.Errorf("a newer card gave %v, %v", events, err)
	}
	ahead := newer("r0a", func(c *participant.Card) { // made just now, by a clock that is a little ahead
		c.Issued = now + 60
		for i := range c.Keys {
			c.Keys[i].Window.NotBefore = now + 60
		}
	})
	if events, err := confirm(t, s, ahead); err != nil || len(events) != 1 {
		t.Errorf("a card made by a clock a minute ahead gave %v, %v", events, err)
	}
}

// A demo's ledger may hold injected time: a real node refuses it, and the other
// way round.
func TestDemoMeetsOnlyDemos(t *testing.T) {
	demo := func(name string) participant.SignedCard {
		c := card(t, name)
		c.Demo = true
		return signed(t, c, governance(t, name))
	}
	s := apply(t, participant.State{})(participant.State{}.Begin(demo("rxw"), now))
	events, err := confirm(t, s, invitation(t, "rje"))
	wants(t, "a real node at a demo", trust.Denied, events, err)
	if events, err := confirm(t, s, participant.Invitation{Card: demo("rje")}); err != nil || len(events) != 1 {
		t.Errorf("a demo at a demo gave %v, %v", events, err)
	}
}

func TestTLSOwner(t *testing.T) {
	s := met(t, "rje", "r0a")
	spki := func(name string) [32]byte {
		der, err := x509.MarshalPKIXPublicKey(private(t, jose.ES256, name).Public())
		if err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(der)
	}
	if owner, ok := s.TLSOwner(spki("rje tls"), now); !ok || owner != id(t, "rje") {
		t.Errorf("got %s, %t", owner, ok)
	}
	for what, c := range map[string]struct {
		name string
		at   int64
	}{
		"another use": {"rje stream", now}, "our own": {"rxw tls", now}, "nobody's": {"mallory tls", now},
		"before it begins": {"rje tls", now - 101}, "at its end": {"rje tls", now + 1000},
	} {
		if owner, ok := s.TLSOwner(spki(c.name), c.at); ok {
			t.Errorf("%s: is %s's", what, owner)
		}
	}
	c := card(t, "rje")
	c.Issued, c.Keys[4].Key = now, signer(t, jose.EdDSA, "rje tls 2").Key()
	s = apply(t, s)(confirm(t, s, participant.Invitation{Card: signed(t, c, governance(t, "rje"))}))
	if owner, ok := s.TLSOwner(spki("rje tls"), now); ok {
		t.Errorf("a key that was replaced is still %s's", owner)
	}
	der, err := x509.MarshalPKIXPublicKey(private(t, jose.EdDSA, "rje tls 2").Public())
	if err != nil {
		t.Fatal(err)
	}
	if owner, ok := s.TLSOwner(sha256.Sum256(der), now); !ok || owner != id(t, "rje") {
		t.Errorf("the new key is %s's, %t", owner, ok)
	}
}

func TestSuspend(t *testing.T) {
	s := met(t, "rje")
	events, err := s.Suspend(id(t, "r0a"), by)
	wants(t, "a stranger", trust.NotFound, events, err)
	events, err = s.Suspend(id(t, "rje"), "")
	wants(t, "nobody", trust.Invalid, events, err)
	told := s.Apply(participant.Suspended{Participant: id(t, "rxw"), From: id(t, "rje")}, trust.Stamp{})
	if p, _ := told.Partner(id(t, "rje")); p.Suspended || !p.SuspendsUs {
		t.Errorf("told by the partner: %+v", p)
	}
	s = apply(t, s)(s.Suspend(id(t, "rje"), by))
	if p, _ := s.Partner(id(t, "rje")); !p.Suspended {
		t.Error("not suspended")
	}
	if events, err := s.Suspend(id(t, "rje"), by); events != nil || err != nil {
		t.Errorf("suspending again gave %v, %v", events, err)
	}
	// Giving trust back is another act than taking a newer card in.
	c := card(t, "rje")
	c.Issued = now
	s = apply(t, s)(confirm(t, s, participant.Invitation{Card: signed(t, c, governance(t, "rje")), Framework: framework.Hash(nil)}))
	if p, _ := s.Partner(id(t, "rje")); !p.Suspended || p.Card.Issued != now {
		t.Errorf("after a newer card: %+v", p)
	}
}
