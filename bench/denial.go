package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/entente-id/entente/api/authzen"
	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// denials is how many of each kind are timed on each path, after as many tenths
// of that to warm up.
const denials = 1000

// refusals make a token of each kind that must not be told apart from outside: of
// an issuer that nobody stated, of somebody whose engagement has ended, and of a
// participant without an agreement.
type refusals []func() string

// denialTimes are the medians of one path, by kind, in microseconds of wall time.
type denialTimes struct {
	Path    string
	Medians []float64
}

// spread is how far the medians lie apart, over the least.
func (d denialTimes) spread() float64 {
	least := slices.Min(d.Medians)
	return (slices.Max(d.Medians) - least) / least
}

// measureDenials times denials over HTTP, one after another on one connection and
// the kinds in turn, each with a token that was not seen before.
func measureDenials(ctx context.Context, dir string, _ size, r *report) (err error) {
	w := &world{tb: &program{ctx: ctx, dir: filepath.Join(dir, "denials")}}
	defer w.tb.rescue(&err)
	kinds, err := w.refuse()
	if err != nil {
		return err
	}
	defer func() { err = first(err, w.close()) }()
	mux := http.NewServeMux()
	mux.Handle("/access/", authzen.New(w.host, "https://pdp.host.example"))
	mux.Handle("/oauth/", oauth.New(w.host))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	for _, path := range []struct {
		name string
		ask  func(token string) []byte
	}{
		{"evaluation", func(token string) []byte { return post("/access/v1/evaluation", w.credential, question(token)) }},
		{"exchange", func(token string) []byte {
			return w.form("/oauth/token", url.Values{
				"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {token},
				"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "audience": {audienceOfDenials},
				"scope": {"WardRecord.read"}, "purpose_of_use": {"TREAT"},
			})
		}},
		{"introspection", func(token string) []byte { return w.form("/oauth/introspect", url.Values{"token": {token}}) }},
	} {
		medians, err := timeDenials(l.Addr().String(), kinds, path.ask)
		if err != nil {
			return fmt.Errorf("timing denials of %s: %w", path.name, err)
		}
		r.Denials = append(r.Denials, denialTimes{path.name, medians})
	}
	return nil
}

const audienceOfDenials = "https://records.host.example"

// refuse founds a host with one partner that it has an agreement with and one
// that it has none with.
func (w *world) refuse() (refusals, error) {
	t := nodetest.NewWorld(w.tb)
	t.Heartbeat = 2 * time.Second
	t.Configure = func(_ *nodetest.Node, c *node.Config) { c.Receipts = 24 * time.Hour } // as in the other worlds
	w.host = t.New("host.example", nodetest.HostRoles()...)
	home, third := t.New("home.example", nodetest.HomeRoles()...), t.New("third.example")
	signed := t.Framework(home, w.host, third)
	for _, n := range []*nodetest.Node{home, w.host, third} {
		n.Adopt(signed)
	}
	t.Introduce(home, w.host)
	t.Introduce(third, w.host)
	ward := t.NewWard(home, w.host, nil)
	foreign, stranger := t.NewIssuer("https://idp.third.example"), t.NewIssuer("https://idp.nobody.example")
	id, err := trust.ParseIssuerID(foreign.URL)
	if err != nil {
		return nil, err
	}
	err = third.Declare(w.tb.ctx, third.Admin, participant.Document{Kind: "Participant", ID: third.ID, Issuers: []participant.Issuer{
		{Issuer: id, JWKSURI: foreign.URL + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}}},
	}})
	if err != nil {
		return nil, err
	}
	nodetest.Eventually(w.tb, "the third's issuer", func() bool {
		s, ok := w.host.State().Speaker(foreign.URL)
		return ok && len(s.Keys.Keys()) == 1 && w.heard()
	})
	if _, err := w.host.Revoke(w.tb.ctx, w.host.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "staff", Reason: "left"}); err != nil {
		return nil, err
	}
	if w.credential, err = w.host.AddEnforcementPoint(w.tb.ctx, w.host.Admin, "pep"); err != nil {
		return nil, err
	}
	var kinds refusals
	for _, issuer := range []*nodetest.Issuer{stranger, ward.Issuer, foreign} {
		kinds = append(kinds, func() string { return string(t.Token(issuer, "staff", ward.Audience, nil)) })
	}
	return kinds, nil
}

// form is a request of a client.
func (w *world) form(path string, values url.Values) []byte {
	body := values.Encode()
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n", path)
	return fmt.Appendf(request, "Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", w.credential, len(body), body)
}

// timeDenials gives the median of each kind, in microseconds.
func timeDenials(address string, kinds refusals, ask func(token string) []byte) ([]float64, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	taken := make([][]float64, len(kinds))
	for i := -denials / 10; i < denials; i++ {
		for k, token := range kinds {
			request := ask(token())
			began := time.Now()
			if _, err := conn.Write(request); err != nil {
				return nil, err
			}
			answer, err := http.ReadResponse(in, nil)
			if err != nil {
				return nil, err
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				return nil, err
			}
			if answer.StatusCode == http.StatusUnauthorized || answer.StatusCode >= 500 {
				return nil, errors.New("answered " + answer.Status + " " + string(body))
			}
			if i >= 0 {
				taken[k] = append(taken[k], float64(time.Since(began).Nanoseconds())/1e3)
			}
		}
	}
	medians := make([]float64, len(kinds))
	for k := range taken {
		slices.Sort(taken[k])
		medians[k] = taken[k][len(taken[k])/2]
	}
	return medians, nil
}
