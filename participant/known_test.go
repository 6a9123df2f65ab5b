package participant_test

import (
	"fmt"
	"testing"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// keySet publishes the keys of these names, each under the kid behind the colon.
func keySet(t *testing.T, names ...string) []byte {
	t.Helper()
	var keys []jose.Key
	for _, name := range names {
		var seed, kid string
		fmt.Sscanf(name, "%s %s", &seed, &kid)
		key, err := jose.NewKey(private(t, jose.ES256, seed).Public(), jose.ES256, kid)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	set, err := jose.NewKeySet(keys...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := set.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Of an issuer's keys the state knows since when each was seen and until when,
// so that one that is gone can be asked about, and revoked (R72).
func TestKeysThatAreGoneAreKnown(t *testing.T) {
	line := own(t, "rje")
	s := met(t, "rje").Apply(participant.Stated{Participant: id(t, "rje"), Issuers: []participant.Issuer{line}, Expires: now + 1}, trust.Stamp{})
	at := int64(now)
	see := func(names ...string) {
		at++
		s = s.Apply(participant.KeysSeen{Issuer: line.Issuer, Address: line.JWKSURI, Keys: keySet(t, names...)}, trust.Stamp{At: at})
	}
	find := func(name string) (participant.KnownKey, error) { return s.FindKey(line.Issuer.String(), name) }
	see("a one")
	see("a one", "b two")
	see("b two")
	for kid, want := range map[string][2]int64{"one": {now + 1, now + 3}, "two": {now + 2, 0}} {
		k, err := find(kid)
		if err != nil || k.From != want[0] || k.Until != want[1] || k.KeyID != kid {
			t.Errorf("%s is %+v, %v", kid, k, err)
		}
		if by, err := find(k.Thumbprint); err != nil || by != k {
			t.Errorf("by its thumbprint, %s is %+v, %v", kid, by, err)
		}
	}
	// One name, three keys: the one that is published counts, else nobody guesses.
	see("c one")
	published, err := find("one")
	if err != nil || published.Until != 0 {
		t.Errorf("the published one is %+v, %v", published, err)
	}
	see("b two")
	_, err = find("one")
	wants(t, "a name of two keys that are gone", trust.Conflict, nil, err)
	if k, err := find(published.Thumbprint); err != nil || k.Until != at {
		t.Errorf("by its thumbprint it is %+v, %v", k, err)
	}
	for _, name := range []string{"", "three"} {
		_, err = find(name)
		wants(t, "the name "+name, trust.NotFound, nil, err)
	}
	_, err = s.FindKey("https://idp.r0a.example", "one")
	wants(t, "another issuer", trust.NotFound, nil, err)

	// However often an issuer changes its keys, the state stays small.
	for i := range 100 {
		see(fmt.Sprintf("k%d kid-%d", i, i))
	}
	all := s.AllKeySets()
	if len(all) != 1 || len(all[0].Known) != 65 || all[0].Known[0].KeyID != "kid-99" || all[0].Known[1].KeyID != "kid-98" {
		t.Errorf("the state knows %d keys", len(all[0].Known))
	}
}
