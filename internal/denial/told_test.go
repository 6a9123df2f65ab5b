package denial_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// newsroom is a node that tells two receivers of its people.
type newsroom struct {
	t *testing.T
	*nodetest.Node
	issuer trust.IssuerID
	second node.Actor
	of     map[string]string // streams by receiver
}

func newNewsroom(t *testing.T) *newsroom {
	w := nodetest.NewWorld(t)
	r := &newsroom{t: t, Node: w.New("rxw.example"), issuer: must(trust.ParseIssuerID(w.NewIssuer("https://idp.rxw.example").URL)), of: map[string]string{}}
	check(t, r.Declare(t.Context(), r.Admin, participant.Document{Kind: "Participant", ID: r.ID, Issuers: []participant.Issuer{{
		Issuer: r.issuer, JWKSURI: r.issuer.String() + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}},
	}}}))
	id, _, err := r.AddOperator(t.Context(), r.Admin, "L. Marsh", []trust.Role{operator.Admin})
	check(t, err)
	r.second = node.Actor{ID: id, Roles: []trust.Role{operator.Admin}}
	key := newOffice(t).other.key
	for name, all := range map[string]bool{"everybody": true, "narrow": false} {
		check(t, r.AddClient(t.Context(), r.Admin, client.Document{
			Kind: "Client", ID: name, Participant: r.ID, Signals: &client.Signals{All: all}, Means: client.Means{Keys: must(jose.NewKeySet(key))},
		}))
		s, err := r.receiver(name).CreateStream(t.Context(), node.StreamSettings{Delivery: stream.Delivery{Method: stream.Poll}, Requested: []string{string(signal.AccountDisabled), string(signal.AccountEnabled)}})
		check(t, err)
		r.of[name] = s.ID
	}
	return r
}

func (r *newsroom) receiver(name string) *node.Receiver {
	secret, _, ok := r.ReceiverToken(name, true)
	if !ok {
		r.t.Fatalf("%s gets no token", name)
	}
	receiver, ok := r.Receiver(secret)
	if !ok {
		r.t.Fatalf("%s is no receiver", name)
	}
	return receiver
}

// hears takes what a receiver is owed and compares: one word of type and subject
// each.
func (r *newsroom) hears(when, name, want string) {
	r.t.Helper()
	got, ack := map[string]bool{}, node.PollRequest{Immediately: true}
	answer, err := r.receiver(name).Poll(r.t.Context(), r.of[name], ack)
	check(r.t, err)
	for jti, token := range answer.Sets {
		body := must(base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1]))
		o := must(canonical.ParseObject(body))
		about, _ := o["sub_id"].(canonical.Object)
		sub, _ := about.Text("sub")
		for kind := range o["events"].(canonical.Object) {
			got[strings.TrimPrefix(kind[strings.LastIndex(kind, "/")+1:], "account-")+":"+sub] = true
		}
		ack.Acked = append(ack.Acked, jti)
	}
	wanted := strings.Fields(want)
	for _, word := range wanted {
		if !got[word] {
			r.t.Errorf("%s: %s does not hear %s", when, name, word)
		}
	}
	if len(got) != len(wanted) {
		r.t.Errorf("%s: %s hears %v, want %q", when, name, got, want)
	}
	_, err = r.receiver(name).Poll(r.t.Context(), r.of[name], ack)
	check(r.t, err)
}

func (r *newsroom) suspend(subject string, span trust.Span) {
	r.t.Helper()
	_, err := r.Suspend(r.t.Context(), r.Admin, node.SuspendRequest{Stoppable: r.who(subject), Why: node.Why{Reason: "odd"}, For: span})
	check(r.t, err)
}

func (r *newsroom) who(subject string) node.Stoppable {
	return node.Stoppable{Kind: suspension.Subject, Issuer: r.issuer.String(), Subject: subject}
}

func (r *newsroom) resume(subject string) {
	r.t.Helper()
	for _, a := range []node.Actor{r.Admin, r.second} {
		_, err := r.Resume(r.t.Context(), a, r.who(subject), "looked into")
		check(r.t, err)
	}
}

// R34, R36: nobody is told that somebody may go on who may not, or before they
// may; nor hears of whom they did not ask about, or not yet.
func TestTold(t *testing.T) {
	r := newNewsroom(t)
	r.suspend("1", 0)
	check(t, r.receiver("narrow").AddSubject(t.Context(), r.of["narrow"], signal.SubjectOf(r.issuer.String(), "1")))
	r.suspend("2", 0)
	r.suspend("3", 600)
	r.suspend("4", 600)
	r.suspend("4", 900)
	r.hears("suspended", "everybody", "disabled:1 disabled:2 disabled:3 disabled:4")
	r.hears("suspended before she was added", "narrow", "")

	_, err := r.Revoke(t.Context(), r.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: r.issuer.String(), Subject: "1", Reason: "left"})
	check(t, err)
	r.resume("1")
	r.resume("2")
	r.hears("one left", "everybody", "disabled:1 enabled:2")
	r.hears("she left", "narrow", "disabled:1")
	r.suspend("1", 0)
	_, err = r.OpenEngagement(t.Context(), r.Admin, r.issuer.String(), "1", "check-1")
	check(t, err)
	r.hears("back, and suspended", "everybody", "disabled:1")
	r.hears("back, and suspended", "narrow", "disabled:1")

	lapsed := func(after time.Duration) {
		t.Helper()
		r.Clock.Shift(after)
		nodetest.Eventually(t, "the end to be on record", func() bool { return len(r.State().Suspension.Over(r.Now(), 1)) == 0 })
	}
	r.hears("before the end", "everybody", "")
	lapsed(601 * time.Second)
	r.hears("the shorter ones have ended", "everybody", "enabled:3")
	lapsed(901 * time.Second)
	r.hears("both have ended", "everybody", "enabled:4")
	r.hears("others", "narrow", "")
}
