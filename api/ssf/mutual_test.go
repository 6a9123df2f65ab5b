package ssf_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	signalapi "github.com/entente-id/entente/api/signal"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// sites are the servers that nodes post to, by host.
type sites struct{ byHost sync.Map }

func (s *sites) Post(ctx context.Context, address, contentType, authorization string, body []byte) (node.Posted, error) {
	there, err := s.at(address)
	if err != nil {
		return node.Posted{}, err
	}
	return there.Post(ctx, address, contentType, authorization, body)
}

func (s *sites) Delete(ctx context.Context, address, authorization string) (node.Posted, error) {
	there, err := s.at(address)
	if err != nil {
		return node.Posted{}, err
	}
	return there.Delete(ctx, address, authorization)
}

func (s *sites) at(address string) (direct, error) {
	u, err := url.Parse(address)
	if err != nil {
		return direct{}, err
	}
	there, ok := s.byHost.Load(u.Host)
	if !ok {
		return direct{}, trust.Errorf(trust.Unavailable, "nobody answers at %s", u.Host)
	}
	return direct{there.(http.Handler)}, nil
}

// Our transmitter and our receiver, to whom the other is foreign, know of each
// other what a standard stream tells: what one ends, the other denies.
func TestAReceiverOfOurOwnHearsUs(t *testing.T) { // R34, R66
	for _, c := range []struct {
		by    signal.Delivery
		found bool // by the transmitter's configuration
	}{{signal.Push, false}, {signal.Poll, false}, {signal.Push, true}, {signal.Poll, true}} {
		by := c.by
		t.Run(fmt.Sprintf("%s %t", by, c.found), func(t *testing.T) {
			var web sites
			w := nodetest.NewWorld(t)
			w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Post = &web }
			home, host := w.Found(nil)
			ward := w.NewWard(home, host, nil)
			d := newDesk(t, w.New("trust.transmitter.example"))
			d.no(d.Declare(t.Context(), d.Admin, participant.Document{Kind: "Participant", ID: d.ID, Issuers: []participant.Issuer{{
				Issuer: must(trust.ParseIssuerID(ward.Issuer.URL)), JWKSURI: ward.Issuer.URL + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}},
			}}}))
			web.byHost.Store("trust.transmitter.example", d.server.Config.Handler)
			web.byHost.Store("receiver.example", signalapi.New(host.Node))
			web.byHost.Store(strings.TrimPrefix(host.ID.String(), "https://"), signalapi.New(host.Node))
			_, keys, _ := d.send("GET", "/ssf/jwks", "", "")
			w.Publish(d.ID.String()+"/ssf/jwks", keys)

			if c.found {
				finds(t, w, d, host, ward.Issuer.URL, by)
			} else {
				hears(t, d, host, ward.Issuer.URL, by)
			}
			token := w.Token(ward.Issuer, "nurse-1", ward.Audience, nil)
			other := w.Token(ward.Issuer, "nurse-2", ward.Audience, nil)
			ask := func(token []byte) trust.Reason { return host.Decide(t.Context(), ward.Ask(token)).Reason }
			if reason := ask(token); reason != trust.Permit {
				t.Fatalf("before anything was said the answer is %s", reason)
			}
			_, err := d.Revoke(t.Context(), d.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "nurse-1", Reason: "left"})
			d.no(err)
			nodetest.Eventually(t, "what the transmitter ended to be denied", func() bool { return ask(token) == trust.SubjectDisabled })
			if reason := ask(other); reason != trust.Permit {
				t.Errorf("for somebody else the answer is %s", reason)
			}
		})
	}
}

// hears opens a stream as an operator of a receiver does: paused, until the
// receiver expects it.
func hears(t *testing.T, d *desk, at *nodetest.Node, issuer string, by signal.Delivery) {
	t.Helper()
	const push = "https://receiver.example/signals/foreign"
	d.register("receiver", &client.Signals{All: true, Push: []string{push}})
	doc := signal.Document{
		Kind: "Transmitter", Name: "foreign", Issuer: must(trust.ParseIssuerID(issuer)), Delivery: by, SignedBy: d.ID.String(),
		JWKSURI: d.ID.String() + "/ssf/jwks", Audience: "receiver", VerifyURI: d.ID.String() + "/ssf/v1/verify",
	}
	body := both
	if by == signal.Push {
		body = strings.ReplaceAll(pushedBoth, hook, push)
	}
	doc.StreamID = d.stream("receiver", body)
	if by == signal.Poll {
		doc.PollURI = d.ID.String() + "/ssf/v1/poll/" + doc.StreamID
	}
	turn := func(to string) {
		if code, o := d.as("receiver", "POST", "/ssf/v1/status", `{"stream_id":"`+doc.StreamID+`","status":"`+to+`"}`); code != http.StatusOK {
			t.Fatalf("the stream is not %s: %d %v", to, code, o)
		}
	}
	turn("paused")
	secret, err := at.AddTransmitter(t.Context(), at.Admin, doc, d.token("receiver", ""))
	d.no(err)
	if by == signal.Push {
		body = `{"stream_id":"` + doc.StreamID + `","delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"` + push + `","authorization_header":"Bearer ` + secret + `"}}`
		if code, o := d.as("receiver", "PATCH", "/ssf/v1/stream", body); code != http.StatusOK {
			t.Fatalf("the stream is not changed: %d %v", code, o)
		}
	}
	turn("enabled")
	heard(t, at)
}

func heard(t *testing.T, at *nodetest.Node) {
	t.Helper()
	nodetest.Eventually(t, "the transmitter to be heard", func() bool { listed, err := at.Transmitters(t.Context()); return err == nil && listed[0].Age > 0 })
}

// finds lets the receiver open the stream by itself, from what the transmitter
// says of itself. A token that may open none opens none.
func finds(t *testing.T, w *nodetest.World, d *desk, at *nodetest.Node, issuer string, by signal.Delivery) {
	t.Helper()
	d.register("receiver", &client.Signals{All: true, Push: []string{at.Address() + "/signals/foreign"}})
	_, text, _ := d.send("GET", "/.well-known/ssf-configuration", "", "")
	w.Publish(d.ID.String()+"/.well-known/ssf-configuration", text)
	doc := signal.Document{Kind: "Transmitter", Name: "foreign", Issuer: must(trust.ParseIssuerID(issuer))}
	if by == signal.Poll {
		doc.Delivery = by
	}
	if _, err := at.SetUpTransmitter(t.Context(), at.Admin, doc, "stranger", d.ID.String()); trust.KindOf(err) != trust.Denied {
		t.Errorf("with the token of nobody: %v", err)
	}
	other := doc
	other.Audience = "somebody-else"
	if _, err := at.SetUpTransmitter(t.Context(), at.Admin, other, d.token("receiver", ""), d.ID.String()); trust.KindOf(err) != trust.Invalid {
		t.Errorf("for another audience: %v", err)
	}
	for range at.State().Signal.All() {
		t.Error("a stream that is for somebody else is heard")
	}
	if left := slices.Collect(d.State().Stream.All()); len(left) != 0 {
		t.Errorf("of a stream that is not heard the transmitter keeps %+v", left)
	}
	added, err := at.SetUpTransmitter(t.Context(), at.Admin, doc, d.token("receiver", ""), d.ID.String())
	d.no(err)
	if added.Delivery != by || added.StreamID == "" || added.Audience != "receiver" || added.SignedBy != d.ID.String() || (added.PollURI != "") != (by == signal.Poll) {
		t.Errorf("added is %+v", added)
	}
	heard(t, at)
}
