package node

import (
	"context"
	"slices"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// served is of whom a decision was and by what, as rules count it. It is zero
// where nobody vouches for whose the proof is: a stranger gets nobody stopped.
type served struct {
	participant trust.ParticipantID
	subject     trust.SubjectKey
	class       trust.Class
	agreement   string
	service     string // its audience, where that is known already
}

func servedBy(ev *decision.Evidence, o *decision.Observed, d *decision.Decision) served {
	if ev.Fault != nil || ev.Kind == evidence.Canary {
		return served{}
	}
	return served{participant: ev.Participant, subject: o.Subject, class: ev.Class, agreement: d.Agreement}
}

// hit is a rule whose count was reached.
type hit struct {
	rule   incident.Rule
	figure incident.Figure
}

// count counts so many more decisions of a partner's somebody, at an enforcement
// point and of a type of resource, at now (Unix seconds). It gives the rules that
// are to act, hardly ever one.
func (n *Node) count(of *served, reason trust.Reason, point string, resource trust.ResourceType, more int, now int64) (hits []hit) {
	if of.subject == (trust.SubjectKey{}) || of.participant == n.self || already(reason) {
		return nil
	}
	s := n.State()
	armed := n.tally.armedBy(s)
	hits = n.countBy(s, armed.volume, of, point, resource, more, now, hits)
	if reason == trust.SubjectRevoked || reason == trust.EngagementEnded {
		hits = n.countBy(s, armed.reissue, of, point, resource, more, now, hits)
	}
	return hits
}

// already are the reasons by which something is stopped for a time: what is so
// counts for nothing, else going on would be stopped at once.
func already(reason trust.Reason) bool {
	switch reason {
	case trust.SubjectSuspended, trust.ClassSuspended, trust.ServiceSuspended, trust.Reduced, trust.AgreementSuspended,
		trust.ParticipantSuspended, trust.ClientSuspended:
		return true
	default:
		return false
	}
}

func (n *Node) countBy(s *state.Snapshot, rules []armedRule, of *served, point string, resource trust.ResourceType, more int, now int64, hits []hit) []hit {
	for i := range rules {
		r := &rules[i]
		f := incident.Figure{Participant: of.participant, Agreement: of.agreement, Class: of.class, Service: of.service}
		if r.Service != "" && f.Service == "" {
			behind, _ := s.Service.For(point, resource)
			f.Service = behind.Audience
		}
		if !r.Covers(&f) {
			continue
		}
		if sum := n.tally.add(r, n.tally.whom(r, of.subject, of.participant), uint32(more), now); sum > 0 { //nolint:gosec // a thousand at most
			hits = append(hits, hit{r.Rule, r.figure(of, sum)})
		}
	}
	return hits
}

// figure says of a count what all that was counted has in common.
func (r *armedRule) figure(of *served, sum uint64) incident.Figure {
	f := incident.Figure{Participant: of.participant, Agreement: r.Agreement, Class: r.Class, Service: r.Service, Count: sum}
	if r.Per == incident.PerSubject {
		f.Subject = of.subject
	}
	return f
}

// countReused counts the uses of a permit that were made without asking.
func (n *Node) countReused(ctx context.Context, leaf *decision.Leaf, r ledger.Record, uses int) {
	if leaf.Subject == nil || leaf.Evidence == evidence.Canary {
		return
	}
	of := served{participant: leaf.Participant, subject: *leaf.Subject, class: leaf.Class, agreement: leaf.Agreement}
	hits := n.count(&of, leaf.Reason, leaf.EnforcementPoint, leaf.ResourceType, uses, n.Now())
	if hits == nil {
		return
	}
	text := NoticeText{Kind: suspension.Subject, Participant: leaf.Participant}
	if _, details, _, err := n.recorded(ctx, r); err == nil {
		text.Namespace, text.Subject = details.Namespace, details.Subject
	}
	n.trip(ctx, hits, text)
}

// calledBy names who asked, as a partner is told of them.
func (n *Node) calledBy(ctx context.Context, a *Ask) NoticeText {
	ev, _ := n.gather(ctx, n.State(), a, n.Clock.Mark())
	return NoticeText{Kind: suspension.Subject, Participant: ev.Participant, Namespace: ev.Namespace, Subject: ev.Subject}
}

// tripBy is trip for whoever a request is of.
func (n *Node) tripBy(ctx context.Context, hits []hit, a *Ask) {
	n.trip(ctx, hits, n.calledBy(ctx, a))
}

// trip lets rules act before the decision that reached their count is answered,
// whoever asked for it is gone or not.
func (n *Node) trip(ctx context.Context, hits []hit, who NoticeText) {
	for i := range hits {
		h := &hits[i]
		_, err := n.change(context.WithoutCancel(ctx), func(c *change) error { return c.raise(&h.rule, h.figure, who) })
		if err != nil {
			n.Log.Error("a rule reached its count and could not act", "rule", h.rule.Name, "error", err)
		}
	}
}

// breached counts the drills of a link that broke its limit. What was this node's
// own doing is no reason to stop anybody.
func (c *change) breached(b drill.Breach, class trust.Class) error {
	own, partner := drill.Host, b.Home
	if b.Home == c.n.self {
		own, partner = drill.Home, b.Host
	}
	link, _ := c.Drill.Link(b.Agreement)
	for _, r := range c.Incident.Rules() {
		if r.When != incident.Breach || b.Side == own && r.Do != incident.Alert {
			continue
		}
		f := incident.Figure{Participant: partner, Agreement: b.Agreement, Class: class}
		for _, x := range link.Samples {
			if x.Verdict == drill.Breached && x.Class == class && x.At > c.now-r.Within && (x.Side != own || r.Do == incident.Alert) {
				f.Count++
			}
		}
		if err := c.raise(&r, f, NoticeText{}); err != nil {
			return err
		}
	}
	return nil
}

// leaked counts the leaks of a partner's, of which this one is new. Our own people
// are stopped by our own.
func (c *change) leaked(l *revocation.LeakReported, named Stoppable) error {
	if l.Home == c.n.self {
		return nil
	}
	for _, r := range c.Incident.Rules() {
		f := incident.Figure{Participant: l.Home, Agreement: r.Agreement, Class: r.Class}
		if r.Per == incident.PerSubject {
			f.Subject = l.Subject
		}
		if r.When != incident.Leak || !ofLeaks(&r, l.Agreements, l.Classes) || r.Per == incident.PerSubject && l.Subject == (trust.SubjectKey{}) {
			continue
		}
		for _, x := range c.Revocation.Leaks {
			same := x.Home == l.Home && (r.Per != incident.PerSubject || x.Subject == l.Subject)
			if same && x.At > c.now-r.Within && ofLeaks(&r, x.Agreements, x.Classes) {
				f.Count++
			}
		}
		who := c.notice(suspension.Target{Kind: suspension.Subject, Participant: l.Home}, named)
		if err := c.raise(&r, f, who); err != nil {
			return err
		}
	}
	return nil
}

// ofLeaks reports whether what leaked was accepted in the scope of a rule.
func ofLeaks(r *incident.Rule, agreements []string, classes []trust.Class) bool {
	return (r.Agreement == "" || slices.Contains(agreements, r.Agreement)) && (r.Class == "" || slices.Contains(classes, r.Class))
}

// incidentText is the sealed part of incident.Raised.
type incidentText struct {
	Namespace string `json:"namespace,omitempty"`
	Subject   string `json:"subject,omitempty"`
}

// raise records that a rule counted what it says, and does what it does: always a
// finding, and where the rule stops something, that too, of which the partner is
// told as of a person's act.
func (c *change) raise(r *incident.Rule, f incident.Figure, who NoticeText) error {
	for _, e := range c.Incident.Raise(*r, f, c.stopped, c.now) {
		found, err := c.found(&e.Figure, e.N)
		if err != nil || len(found) == 0 && r.Do == incident.Alert {
			return err // nobody has looked at as many as may be open
		}
		part := sealed{}
		if f.Subject != (trust.SubjectKey{}) {
			part = sealed{owner: f.Subject, text: incidentText{who.Namespace, who.Subject}}
		}
		if err := c.addSealed(e, part); err != nil {
			return err
		}
		if err := c.add(found...); err != nil {
			return err
		}
		if r.Do != incident.Alert {
			return c.act(&e, who)
		}
	}
	return nil
}

// found is the finding by which a person gets to see an incident.
func (c *change) found(f *incident.Figure, number uint64) ([]trust.Event, error) {
	side := finding.Host
	a, ok := c.Agreement.ByID(f.Agreement)
	if ok && a.Home() == c.n.self || !ok && len(c.Agreement.Between(f.Participant, c.n.self)) == 0 {
		side = finding.Home
	}
	what := finding.Subject{Partner: f.Participant, Side: side, Kind: finding.Incident, From: number, To: number}
	return c.Finding.Raise(what, c.findingOwner(f.Participant, side), c.now)
}

// act stops what a rule stops.
func (c *change) act(e *incident.Raised, who NoticeText) error {
	by, why := suspension.ByRule(e.Rule.Name), Why{Reason: e.Reason(), Incident: e.ID(), TLP: e.Rule.TLP}
	t := e.Target
	switch t.Kind {
	case suspension.Subject:
		who.Why = why
		_, err := c.suspendHere(t, who, by)
		return err
	case suspension.Coverage:
		m := c.notice(t, Stoppable{})
		m.Why = why
		_, err := c.suspendHere(t, m, by)
		return err
	case suspension.Participant, suspension.Agreement:
		_, err := c.suspendWhole(t, SuspendRequest{Why: why}, by)
		return err
	case suspension.Client, suspension.Edge:
	}
	return trust.Errorf(trust.Internal, "rule %s stops a %s", e.Rule.Name, t.Kind)
}

// stopped reports whether a target is stopped by this node already, or is there no
// longer.
func (c *change) stopped(t suspension.Target) bool {
	switch t.Kind {
	case suspension.Participant:
		p, ok := c.Participant.Partner(t.Participant)
		return !ok || p.Suspended
	case suspension.Agreement:
		a, ok := c.Agreement.ByID(t.Agreement)
		if !ok {
			return true
		}
		_, err := c.Agreement.Move(c.facts(a.Revision.Document), agreement.Moved{ID: a.ID, To: agreement.Suspended, By: suspension.ByRule("")}, c.now)
		return err != nil
	case suspension.Subject, suspension.Client, suspension.Coverage, suspension.Edge:
	}
	_, stopped := c.Suspension.Stopped(t, c.now)
	return stopped
}
