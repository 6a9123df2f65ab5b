package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/trust"
)

// play is the demo as it goes on.
type play struct {
	world  *world
	tell   *teller
	report Report

	// What the scenarios hand on to those behind them.
	records  map[string]*desk // the ward records, by code of the host
	letters  *desk            // of RJE
	handover *desk            // of RJE; takes ID tokens, each once
	amara    nurse            // the locum nurse of the first scenario
	bola     nurse            // a colleague who stays
	removals []time.Duration  // of nurses
	drilled  []time.Duration  // of canaries, at RJE
	removed  time.Time        // when the first removal was acknowledged
}

// scene is a scenario being played.
type scene struct {
	play *play
	*Scenario
}

// run plays the scenarios in order. A step that could not be done at all ends
// the play, because nothing behind it would say anything.
func (p *play) run(ctx context.Context) {
	for _, s := range []struct {
		id   int
		name string
		act  func(*scene, context.Context) error
	}{
		{1, "Locum nurse", (*scene).locumNurse},
		{2, "Break-glass", (*scene).breakGlass},
		{3, "Local approval", (*scene).localApproval},
		{4, "Broker upgrade and scope theft", (*scene).brokerUpgrade},
		{5, "Audience mix-up, replay, confused deputy", (*scene).mixUp},
		{6, "Delegation overflow", (*scene).overflow},
		{7, "Rollover", (*scene).rollover},
		{9, "Expiry and clocks", (*scene).clocks},
		{8, "Silent feed", (*scene).silentFeed},                 // it leaves RJE's ledger stamped a minute ahead, which would end what the ninth agrees on
		{10, "Suspension, dispute, resume", (*scene).suspended}, // likewise, by the time of a bar
		{11, "Rogue authority, rogue partner admin", (*scene).rogue},
	} {
		scenario := Scenario{ID: s.id, Name: s.name, Steps: []Step{}}
		p.tell.scenario(&scenario)
		err := s.act(&scene{p, &scenario}, ctx)
		p.report.Scenarios = append(p.report.Scenarios, scenario)
		if err != nil {
			return
		}
	}
}

// note files a step and tells it.
func (s *scene) note(step Step) {
	step.ID = fmt.Sprintf("%d.%d", s.ID, len(s.Steps)+1)
	s.Steps = append(s.Steps, step)
	s.play.tell.step(&step)
}

// do plays a step that is no request: it passes when act does without an error
// and gives what was expected.
func (s *scene) do(ctx context.Context, name, expected string, act func(context.Context) (got string, err error)) error {
	began := time.Now()
	got, err := act(ctx)
	step := Step{Name: name, Expected: expected, Got: got, MS: milliseconds(time.Since(began))}
	return s.settle(ctx, step, err)
}

// expect plays a request that must be permitted, or denied for a reason.
func (s *scene) expect(ctx context.Context, name string, want trust.Reason, act func(context.Context) (outcome, error)) error {
	o, err := act(ctx)
	return s.settle(ctx, Step{Name: name, Expected: word(want), Got: word(o.reason), Reason: o.reason, MS: milliseconds(o.took)}, err)
}

// settle files a step, which passed if it gave what was expected. An error is
// filed too, and goes on to end the play.
func (s *scene) settle(ctx context.Context, step Step, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	if interrupted(ctx) {
		return err
	}
	step.State = Passed
	if err != nil {
		step.Got = "error: " + err.Error()
	}
	if err != nil || step.Got != step.Expected {
		step.State = Failed
	}
	s.note(step)
	return err
}

// word is how an expectation is written.
func word(want trust.Reason) string {
	if want == trust.Permit {
		return "permit"
	}
	return "deny, " + string(want)
}

// presents is the act of showing a token to a service.
func (d *desk) presents(token string) func(context.Context) (outcome, error) {
	return func(ctx context.Context) (outcome, error) { return d.ask(ctx, token) }
}

// signsIn is the act of logging in and showing the fresh token.
func (d *desk) signsIn(home *hospital, n nurse) func(context.Context) (outcome, error) {
	return func(ctx context.Context) (outcome, error) {
		tokens, err := home.signIn(ctx, n, d.audience)
		if err != nil {
			return outcome{}, err
		}
		return d.ask(ctx, tokens.Access)
	}
}

// finish verifies the ledgers and tells how it all came out.
func (p *play) finish() error {
	for _, h := range p.world.hospitals() {
		l, err := h.verify()
		if err != nil {
			p.tell.say("the ledger of %s: %s", h.code, err)
		}
		p.report.Ledgers = append(p.report.Ledgers, l)
	}
	p.report.conclude(p.drilled, p.removals)
	return p.tell.end(&p.report)
}

// enter signs a nurse of RXW in for a service.
func (p *play) enter(ctx context.Context, n nurse, d *desk) (idp.Tokens, error) {
	return p.world.rxw.signIn(ctx, n, d.audience)
}

// newEngagement is what a rehired nurse's trust vouches with.
func newEngagement(h *hospital, n nurse) admin.NewEngagement {
	return admin.NewEngagement{Issuer: h.issuer.String(), Subject: n.subject, JoinerCheck: "HR-2291"}
}
