package demo

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/trust"
)

// actor is a program of a trust that acts for people, or in its own name.
type actor struct {
	home   *hospital
	name   string // its subject, too
	secret string
}

// The programs of every trust: agents, which never act but for somebody, and a
// service account with rights of its own.
const (
	agentA  = "agent-a"
	agentB  = "agent-b"
	agentC  = "agent-c"
	sibling = "agent-s"
	deputy  = "deputy"
)

var programs = map[string]trust.Class{
	agentA: trust.Agent, agentB: trust.Agent, agentC: trust.Agent, sibling: trust.Agent, deputy: trust.ServiceAccount,
}

// classClaim says in a program's token what it is.
const classClaim = "entity"

// program prepares a program for the trust's provider.
func (h *hospital) program(name string, class trust.Class) idp.Registration {
	a := actor{h, name, rand.Text()}
	h.actors[name] = a
	claims := h.vouched()
	claims[classClaim] = string(class)
	return idp.Registration{ID: name, Secret: a.secret, Claims: claims}
}

// vouched is what a trust's provider says of every program, and of whoever lets
// one act: whose they are, and how well they are known.
func (h *hospital) vouched() map[string]any {
	return map[string]any{"org_code": h.code, "id_assurance_level": "3", "authentication_assurance_level": "3"}
}

// presents is the act of calling in the program's own name.
func (a actor) presents(d *desk) func(context.Context) (outcome, error) {
	return func(ctx context.Context) (outcome, error) {
		tokens, err := a.home.ward.ClientCredentials(ctx, a.name, a.secret, d.audience)
		if err != nil {
			return outcome{}, err
		}
		return d.ask(ctx, tokens.Access)
	}
}

// errand is a chain in the making: a principal's token, the links behind it, and
// whom they have led to.
type errand struct {
	desk    *desk
	chain   []string
	home    *hospital // of whom it has led to
	subject string
	depth   int // how many more may follow
	expires time.Time
}

// send begins an errand of a nurse, who lets read record 42.
func (p *play) send(ctx context.Context, home *hospital, n nurse, d *desk) (errand, error) {
	tokens, err := home.signIn(ctx, n, d.audience)
	if err != nil {
		return errand{}, err
	}
	return errand{d, []string{tokens.Access}, home, n.subject, 2, time.Unix(expiry(tokens.Access), 0)}, nil
}

// to lets a program go on with the errand. Change, which may be nil, makes the
// link another than an honest one.
func (e errand) to(a actor, change func(*idp.Link)) (errand, error) {
	l := idp.Link{
		Subject: e.subject, ActorIssuer: a.home.issuer.String(), Actor: a.name, Before: e.chain[len(e.chain)-1], Audience: e.desk.audience,
		Type: string(e.desk.resource), ID: "42", Actions: []string{"read"}, Depth: max(e.depth-1, 0), Expires: e.expires, Claims: e.home.vouched(),
	}
	if change != nil {
		change(&l)
	}
	link, err := e.home.provider.SignLink(l)
	e.chain = append(e.chain[:len(e.chain):len(e.chain)], link)
	e.home, e.subject, e.depth, e.expires = a.home, a.name, l.Depth, l.Expires
	return e, err
}

// through passes the errand on from program to program.
func (e errand) through(actors ...actor) (errand, error) {
	for _, a := range actors {
		var err error
		if e, err = e.to(a, nil); err != nil {
			return e, err
		}
	}
	return e, nil
}

// calledBy shows the chain to the service, with a program's own token.
func (e errand) calledBy(ctx context.Context, a actor) (showing, error) {
	tokens, err := a.home.ward.ClientCredentials(ctx, a.name, a.secret, e.desk.audience)
	return showing{token: tokens.Access, chain: e.chain}, err
}

// run has the last program of the errand call.
func (e errand) run(ctx context.Context) (outcome, error) {
	s, err := e.calledBy(ctx, e.home.actors[e.subject])
	if err != nil {
		return outcome{}, err
	}
	return e.desk.askWith(ctx, s)
}
