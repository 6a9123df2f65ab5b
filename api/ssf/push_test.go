package ssf_test

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/internal/fetch"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/stream"
)

const pushedBoth = `{"events_requested":["` + revoked + `","` + off + `"],"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"` + hook + `","authorization_header":"Bearer receiver"}}`

// pushing is a desk whose receiver hears by push.
func pushing(t *testing.T) (*desk, *receiver, string) {
	t.Helper()
	r := newReceiver()
	d := open(t, direct{r})
	d.register("gateway", &client.Signals{All: true, Push: []string{hook}})
	return d, r, d.stream("gateway", pushedBoth)
}

func (d *desk) status(id string) (stream.Status, stream.Rule) {
	s, _ := d.State().Stream.Get(id)
	return s.Status, s.Rule
}

// RFC 8935, section 2: one request for each token, in order, each until it is
// taken.
func TestPush(t *testing.T) {
	d, r, _ := pushing(t)
	d.revoke("nurse-1")
	first, second := r.next(t), r.next(t)
	if first.authorization != "Bearer receiver" || first.media != "application/secevent+jwt" {
		t.Errorf("pushed with %+v", first)
	}
	if a, b := d.read(first.token), d.read(second.token); a.kind != off || b.kind != revoked || a.aud != "gateway" {
		t.Errorf("pushed %v, then %v", a, b)
	}
	r.answers <- answer{status: http.StatusServiceUnavailable}
	r.answers <- answer{status: http.StatusTooManyRequests}
	d.revoke("nurse-2")
	a, b, c, last := d.read(r.next(t).token), d.read(r.next(t).token), d.read(r.next(t).token), d.read(r.next(t).token)
	if a.jti != b.jti || b.jti != c.jti || last.kind != revoked || a.kind != off {
		t.Errorf("after 503 and 429 came %v, %v, %v and %v", a, b, c, last)
	}
}

// What the receiver refuses is on record and pauses its stream, which it is told;
// when it runs again, the same token comes again, and nothing was lost.
func TestARefusedEventPausesTheStream(t *testing.T) {
	for name, refusal := range map[string]answer{
		"RFC 8935": {http.StatusBadRequest, `{"err":"invalid_key","description":"no such key"}`}, "no authorization": {http.StatusUnauthorized, ""}, "redirect": {http.StatusFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, r, id := pushing(t)
			r.answers <- refusal
			d.revoke("nurse-1")
			refused := d.read(r.next(t).token)
			told := d.read(r.next(t).token)
			if status, _ := told.body.Text("status"); told.kind != updated || status != "paused" {
				t.Errorf("told %v", told)
			}
			if status, rule := d.status(id); status != stream.Paused || rule != stream.Refused {
				t.Errorf("the stream is %s, %s", status, rule)
			}
			d.revoke("nurse-2")
			if code, _ := d.as("gateway", "POST", "/ssf/v1/status", `{"stream_id":"`+id+`","status":"enabled"}`); code != http.StatusOK {
				t.Errorf("%d", code)
			}
			if again := d.read(r.next(t).token); again.jti != refused.jti {
				t.Errorf("%v comes after %v", again, refused)
			}
			for range 3 {
				r.next(t)
			}
			rejected := 0
			entries, _, err := d.Entries(t.Context(), d.Admin, "trust", 0, 512)
			d.no(err)
			for _, e := range entries {
				if e.Kind == "stream.rejected/v1" {
					rejected++
				}
			}
			if rejected != 1 {
				t.Errorf("%d refusals are on record", rejected)
			}
		})
	}
}

// A node that stops between delivery and answer delivers again, under the same
// jti, and nothing twice that was answered.
func TestARestartLosesNothing(t *testing.T) {
	r, hold := newReceiver(), make(chan struct{})
	var held atomic.Bool
	slow := http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.ServeHTTP(w, q)
		if held.CompareAndSwap(false, true) {
			<-hold
		}
	})
	d := open(t, cancelled{direct{slow}})
	d.register("gateway", &client.Signals{All: true, Push: []string{hook}})
	d.stream("gateway", pushedBoth)
	d.revoke("nurse-1")
	first := d.read(r.next(t).token)
	d.Stop() // while the receiver has it and has not answered
	close(hold)
	d.Start()
	if again := d.read(r.next(t).token); again.jti != first.jti {
		t.Errorf("%v comes after %v", again, first)
	}
	second := d.read(r.next(t).token)
	d.Stop()
	d.Start()
	d.revoke("nurse-2")
	third := d.read(r.next(t).token)
	if who, _ := third.about.Text("sub"); third.jti == second.jti || who != "nurse-2" {
		// The register may not have been written when the node stopped; then the
		// last comes once more.
		if third.jti != second.jti {
			t.Errorf("%v comes after %v", third, second)
		}
	}
}

// cancelled gives up when the node stops, as a connection does.
type cancelled struct{ node.Poster }

func (c cancelled) Post(ctx context.Context, address, contentType, authorization string, body []byte) (node.Posted, error) {
	type result struct {
		node.Posted
		error
	}
	done := make(chan result, 1)
	go func() {
		p, err := c.Poster.Post(context.WithoutCancel(ctx), address, contentType, authorization, body)
		done <- result{p, err}
	}()
	select {
	case <-ctx.Done():
		return node.Posted{}, ctx.Err()
	case r := <-done:
		return r.Posted, r.error
	}
}

// web is the real way out, which may dial this machine.
type web struct{ *fetch.Client }

func (w web) Delete(ctx context.Context, address, authorization string) (node.Posted, error) {
	a, err := w.Client.Delete(ctx, address, authorization)
	return node.Posted{Status: a.Status, Body: a.Body, Wait: a.Wait}, err
}

func (w web) Post(ctx context.Context, address, contentType, authorization string, body []byte) (node.Posted, error) {
	a, err := w.Client.Post(ctx, address, contentType, authorization, body)
	return node.Posted{Status: a.Status, Body: a.Body, Wait: a.Wait}, err
}

// Over the wire: TLS, an address that is allowed, and one that is not.
func TestPushOverTheWire(t *testing.T) {
	r := newReceiver()
	server := httptest.NewTLSServer(r)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c := must(fetch.New(fetch.Config{RootCAs: roots, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}))
	d := open(t, web{c})
	private := "https://10.1.2.3/events"
	d.register("gateway", &client.Signals{All: true, Push: []string{server.URL + "/events", private}})
	to := func(url string) string {
		return d.stream("gateway", `{"events_requested":["`+revoked+`"],"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"`+url+`"}}`)
	}
	good, bad := to(server.URL+"/events"), to(private)
	d.revoke("nurse-1")
	if e := d.read(r.next(t).token); e.kind != revoked {
		t.Errorf("pushed %v", e)
	}
	nodetest.Eventually(t, "the other stream to be paused", func() bool { status, _ := d.status(bad); return status == stream.Paused })
	if status, _ := d.status(good); status != stream.Enabled {
		t.Errorf("the stream is %s", status)
	}
}
