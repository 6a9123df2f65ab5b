package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/api/authzen"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// homeCount is how many partners share the issuers between them.
const homeCount = 10

// world is the workload: one host, and ten homes that agreed with it by the
// product's own means.
type world struct {
	tb         *program
	host       *nodetest.Node
	asks       []node.Ask
	before     []node.Ask
	orders     []node.Exchange
	requests   [][]byte
	credential string
	revoked    atomic.Uint64
}

// openWorkload founds the partners, signs the agreements and lets the state
// grow; nothing of that is measured.
func openWorkload(ctx context.Context, dir string, p *population) (_ workload, err error) {
	w := &world{tb: &program{ctx: ctx, dir: dir}}
	defer w.tb.rescue(&err)
	t := nodetest.NewWorld(w.tb)
	t.Heartbeat = 2 * time.Second // as a node does that is not told otherwise
	// What a home does with its receipts is no cost of the host's decisions, though
	// it would be this process's.
	t.Configure = func(_ *nodetest.Node, c *node.Config) { c.Receipts = 24 * time.Hour }
	w.host = t.New("host.example", nodetest.HostRoles()...)
	homes := make([]*nodetest.Node, homeCount)
	for i := range homes {
		homes[i] = t.New(fmt.Sprintf("trust.p%02d.example", i), nodetest.HomeRoles()...)
	}
	signed := t.Framework(append(homes, w.host)...)
	w.host.Adopt(signed)
	for i, home := range homes {
		home.Adopt(signed)
		t.Introduce(home, w.host)
		var issuers []*nodetest.Issuer
		for _, one := range p.Issuers[i*issuerCount/homeCount : (i+1)*issuerCount/homeCount] {
			issuers = append(issuers, t.AddIssuer(one.URL, one.Key, one.Kid))
		}
		name := fmt.Sprintf("staff-%02d", i)
		ward := t.Agree(home, w.host, issuers, func(d *agreement.Document) { d.Name = name })
		if i == 0 {
			ward.Furnish()
		} else {
			ward.Map(name)
		}
	}
	if _, err := w.host.ApplyPolicy(ctx, w.host.Admin, policies()); err != nil {
		return nil, err
	}
	w.host.Bulk(stateEntries, w.revocation)
	w.credential, err = w.host.AddEnforcementPoint(ctx, w.host.Admin, "pep")
	for _, token := range p.Tokens {
		w.asks = append(w.asks, (&nodetest.Ward{}).Ask([]byte(token.Text)))
		w.before = append(w.before, (&nodetest.Ward{}).Ask([]byte(token.Before)))
		w.orders = append(w.orders, order(token.Other))
		w.requests = append(w.requests, post("/access/v1/evaluation", w.credential, question(token.Text)))
	}
	nodetest.Eventually(w.tb, "every home to be heard again", w.heard)
	return w, err
}

// revocation is the end of somebody who is not among the callers.
func (w *world) revocation(i int) trust.Event {
	var subject trust.SubjectKey
	binary.BigEndian.PutUint64(subject[:], uint64(i)*0x9e3779b97f4a7c15)
	return revocation.Revoked{Target: revocation.Target{
		Kind: revocation.Subject, Participant: w.host.ID, Subject: subject, Engagement: 1,
	}, By: "op-admin"}
}

// heard reports whether every home has proven a word since the host's start.
func (w *world) heard() bool {
	for _, home := range w.host.Status(w.tb.ctx).Partners {
		if home.Age < 0 {
			return false
		}
	}
	return true
}

func (w *world) meet(ctx context.Context, i int) error { return w.ask(ctx, w.before, i) }

func (w *world) decide(ctx context.Context, i int) error { return w.ask(ctx, w.asks, i) }

func (w *world) ask(ctx context.Context, asks []node.Ask, i int) error {
	answer := w.host.Decide(ctx, asks[i])
	if !answer.Permit {
		return fmt.Errorf("token %d is denied: %s", i, answer.Reason)
	}
	return nil
}

// order is what a client sends for a token: a credential to read every record.
func order(token string) node.Exchange {
	return node.Exchange{
		Client: "pep", Subject: evidence.Proof{Kind: evidence.AccessToken, Token: []byte(token)}, Target: audience,
		Access: []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"}},
	}
}

func (w *world) exchange(ctx context.Context, i int) error {
	if issued := w.host.Exchange(ctx, w.orders[i]); issued.Token == "" {
		return fmt.Errorf("token %d is not exchanged: %s", i, issued.Reason)
	}
	return nil
}

// append revokes somebody of the first home's at the host alone.
func (w *world) append(ctx context.Context) error {
	_, err := w.host.Revoke(ctx, w.host.Admin, node.RevokeRequest{
		Kind: revocation.Subject, Issuer: "https://idp.p00.example",
		Subject: fmt.Sprintf("leaver-%d", w.revoked.Add(1)), Reason: "left",
	})
	return err
}

func (w *world) serve() (http.Handler, [][]byte, error) {
	return authzen.New(w.host, "https://pdp.host.example"), w.requests, nil
}

func (w *world) close() (err error) {
	defer w.tb.rescue(&err)
	w.tb.end()
	return nil
}

// question is what an enforcement point sends for a token.
func question(token string) []byte {
	return fmt.Appendf(nil, `{"subject":{"type":"evidence","id":"0"},"action":{"name":"read"},`+
		`"resource":{"type":"WardRecord","id":"42","properties":{"ward":"w7"}},"context":{"purpose":"TREAT",`+
		`"evidence":[{"type":"urn:ietf:params:oauth:token-type:access_token","value":%q}]}}`, token)
}

// program lets nodetest run outside a test: what fails there ends the part that
// called it.
type program struct {
	ctx  context.Context
	dir  string
	last []func()
}

type failure struct{ error }

func (p *program) Helper()                    {}
func (p *program) Logf(f string, args ...any) { fmt.Fprintf(os.Stderr, f, args...) }
func (p *program) Fatal(args ...any)          { panic(failure{errors.New(fmt.Sprint(args...))}) }
func (p *program) Fatalf(f string, a ...any)  { panic(failure{fmt.Errorf(f, a...)}) }
func (p *program) Cleanup(f func())           { p.last = append(p.last, f) }
func (p *program) Context() context.Context   { return p.ctx }
func (p *program) TempDir() string {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		p.Fatal(err)
	}
	dir, err := os.MkdirTemp(p.dir, "node-")
	if err != nil {
		p.Fatal(err)
	}
	return dir
}

func (p *program) end() {
	for i := len(p.last) - 1; i >= 0; i-- {
		p.last[i]()
	}
}

// rescue turns what failed in nodetest into an error.
func (p *program) rescue(err *error) {
	switch f := recover().(type) {
	case nil:
	case failure:
		*err = f.error
	default:
		panic(f)
	}
}
