package participant_test

import (
	"testing"

	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// made gives records of new keys for the settled rotation.
func made(t *testing.T, r participant.Rotation) []participant.KeyRecord {
	t.Helper()
	c := card(t, "next")
	var out []participant.KeyRecord
	for _, k := range c.Keys {
		k.Window = r.Window()
		out = append(out, k)
	}
	return out
}

// What a rotation makes of a card: old keys until the end of the overlap, new
// ones from their beginning on; an emergency leaves the old ones out, but lets
// the log finish what it is writing.
func TestNextCard(t *testing.T) {
	before := card(t, "rxw")
	for name, c := range map[string]struct {
		r    participant.Rotation
		keys int
		old  int64 // when the old keys end
		log  int64
	}{
		"planned":      {participant.Rotation{Begins: now + 100, Overlap: 400, Life: 86400}, 10, now + 500, now + 500},
		"at once":      {participant.Rotation{Overlap: 300, Life: 86400}, 10, now + 300, now + 300},
		"an emergency": {participant.Rotation{Drop: true, Begins: now + 900}, 6, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := c.r.Settle(now)
			if err != nil {
				t.Fatal(err)
			}
			next, err := before.Next(r, made(t, r), now)
			if err != nil || len(next.Keys) != c.keys || next.Issued <= before.Issued {
				t.Fatalf("the card is %+v, %v", next, err)
			}
			for _, k := range next.Keys[:c.keys-5] {
				if want := c.old; want != 0 && k.Window.NotAfter != want || c.r.Drop && k.Use != participant.LogKey {
					t.Errorf("the old %s key ends at %d", k.Use, k.Window.NotAfter)
				}
			}
			for _, k := range next.Keys[c.keys-5:] {
				if k.Window != r.Window() || c.r.Drop && k.Window.NotBefore != now {
					t.Errorf("the new %s key is good in %+v", k.Use, k.Window)
				}
			}
		})
	}
	// Keys that have ended are in the next card no longer; one that would end before
	// the next begins is a gap.
	late := participant.Rotation{Begins: now + 5000}
	r, err := late.Settle(now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = before.Next(r, made(t, r), now)
	wants(t, "a gap", trust.Invalid, nil, err)
	for name, r := range map[string]participant.Rotation{
		"in the past": {Begins: now - 1}, "an unknown use": {Uses: []participant.KeyUse{"ssh"}}, "a use twice": {Uses: []participant.KeyUse{"tls", "tls"}},
		"no overlap": {Overlap: 299}, "a short life": {Overlap: 600, Life: 600},
	} {
		_, err := r.Settle(now)
		wants(t, name, trust.Invalid, nil, err)
	}
}

// A partner's newer card is believed by the governance key that was confirmed,
// and changes nothing but the card.
func TestFollow(t *testing.T) {
	s := met(t, "rje").Apply(participant.Suspended{Participant: id(t, "rje"), By: by}, trust.Stamp{})
	known, _ := s.Partner(id(t, "rje"))
	next := known.Card
	next.Issued++
	next.Endpoint = "https://other.rje.example:8443"
	good := signed(t, next, governance(t, "rje"))
	s = apply(t, s)(s.Follow(id(t, "rje"), good, now))
	if p, _ := s.Partner(id(t, "rje")); p.Card.Endpoint != next.Endpoint || !p.Suspended || p.Fingerprint != known.Fingerprint || p.Confirmed != known.Confirmed {
		t.Errorf("the partner is %+v", p)
	}
	if events, err := s.Follow(id(t, "rje"), good, now); events != nil || err != nil {
		t.Errorf("the same again gave %v, %v", events, err)
	}
	if s.Self().Card.ID != id(t, "rxw") {
		t.Errorf("this node became %s", s.Self().Card.ID)
	}
	change := func(f func(*participant.Card)) participant.SignedCard {
		c := next
		c.Issued++
		f(&c)
		return signed(t, c, governance(t, "rje"))
	}
	broken := change(func(*participant.Card) {})
	broken.Signature[0]++
	for name, c := range map[string]struct {
		kind trust.ErrorKind
		from string
		card participant.SignedCard
	}{
		"from somebody unknown":      {trust.Denied, "r0a", good},
		"an older one":               {trust.Conflict, "rje", known.Signed},
		"a broken signature":         {trust.Invalid, "rje", broken},
		"another log":                {trust.Conflict, "rje", change(func(c *participant.Card) { c.TrustOrigin = "x.example/trust" })},
		"of another":                 {trust.Conflict, "rje", signedCard(t, "r0a")},
		"issued in the future":       {trust.Invalid, "rje", change(func(c *participant.Card) { c.Issued = now + 1000 })},
		"another governance key":     {trust.Conflict, "rje", reSigned(t, next)},
		"with a key of this node":    {trust.Conflict, "rje", change(func(c *participant.Card) { c.Keys = append(c.Keys[:4:4], card(t, "rxw").Keys[4]) })},
		"without a key that is good": {trust.Invalid, "rje", change(func(c *participant.Card) { c.Keys = made(t, participant.Rotation{Begins: now + 50, Life: 100}) })},
	} {
		events, err := s.Follow(id(t, c.from), c.card, now)
		wants(t, name, c.kind, events, err)
	}
}

// reSigned is a card under a governance key of its own.
func reSigned(t *testing.T, c participant.Card) participant.SignedCard {
	t.Helper()
	c.Issued++
	c.GovernanceKey = governance(t, "thief").Key().GovernanceText()
	return signed(t, c, governance(t, "thief"))
}
