package participant_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Only the bytes that were signed are a card, alone and within an invitation.
func FuzzCard(f *testing.F) {
	good := signedCard(f, "rxw")
	data, err := canonical.Marshal(participant.Invitation{Card: good})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes)
	f.Add(data)
	f.Add([]byte(`{"kind":"Card","keys":[{"use":"log","key":null,"window":{}}]}`))
	f.Add([]byte(`{"card":{"bytes":"e30=","signature":""},"framework":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := participant.SignedCard{Bytes: data, Signature: good.Signature}
		if _, err := participant.ParseCard(s); (err == nil) != bytes.Equal(data, good.Bytes) {
			t.Errorf("got %v for %s", err, data)
		}
		participant.State{}.Apply(participant.Born{Card: s}, trust.Stamp{})
		inv, _, err := participant.ParseInvitation(data)
		if err != nil && trust.KindOf(err) != trust.Invalid {
			t.Fatal(err)
		}
		if err == nil && !bytes.Equal(inv.Card.Bytes, good.Bytes) {
			t.Errorf("an invitation holds a card that nobody signed: %s", data)
		}
	})
}

// A namespace reads back as it was, and holds nothing that lies outside it.
func FuzzNamespace(f *testing.F) {
	f.Add([]byte(`"RXW"`), "RXW")
	f.Add([]byte(`{"domain":"rxw.example"}`), "a@rxw.example")
	f.Add([]byte(`{"domain":".rxw.example"}`), "a@x.rxw.example")
	f.Add([]byte(`{"prefix":"repo:rxw/"}`), "repo:rxw/site")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		var n, again participant.Namespace
		if canonical.Decode(data, &n) != nil {
			return
		}
		written, err := canonical.Marshal(n)
		if err != nil {
			return // not UTF-8
		}
		if err := canonical.Decode(written, &again); err != nil || again != n {
			t.Fatalf("%s is %+v and then %+v (%v)", data, n, again, err)
		}
		holds := n.Holds(text)
		if holds != participant.HoldsAny([]participant.Namespace{{}, n}, text) {
			t.Errorf("%+v among others holds something else", n)
		}
		switch {
		case !holds || strings.Contains(n.Domain, "@"):
		case text == "" || n == participant.Namespace{}:
			t.Errorf("%+v holds %q; empty never matches", n, text)
		case n.Equals != "" && text != n.Equals, n.Equals == "" && n.Domain == "" && (!strings.HasPrefix(text, n.Prefix) || text == n.Prefix):
			t.Errorf("%+v holds %q", n, text)
		case n.Equals == "" && n.Domain != "" && (strings.Count(text, "@") != 1 || !strings.HasSuffix(strings.ToLower(text), n.Domain)):
			t.Errorf("%+v holds %q", n, text)
		}
		if n.Equals != "" && text == n.Equals && !holds {
			t.Errorf("%+v does not hold itself", n)
		}
	})
}
