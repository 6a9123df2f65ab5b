package node

import (
	"context"
	"fmt"
	"sync"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// watches count the permits of who is monitored, within an hour from the first.
// They live as long as the process.
type watches struct {
	mu    sync.Mutex
	hours map[table.Key]hour
}

type hour struct{ since, permits int64 }

const seconds = 3600 // of an hour

// count counts a permit.
func (w *watches) count(of table.Key, now int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hours == nil {
		w.hours = map[table.Key]hour{}
	}
	h := w.hours[of]
	if now >= h.since+seconds {
		h = hour{since: now}
	}
	h.permits++
	w.hours[of] = h
}

// spent reports whether there were as many as limit.
func (w *watches) spent(of table.Key, limit, now int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hours[of]
	return now < h.since+seconds && h.permits >= limit
}

// monitor notes that a subject is monitored, and whether its permits are spent.
func (n *Node) monitor(s *state.Snapshot, o *decision.Observed) {
	if w, on := s.Dispute.Monitored(o.Subject, o.Now); on {
		o.Monitored, o.Spent = true, n.watches.spent(w.Case, w.Limit, o.Now)
	}
}

// permitted counts a permit for everybody in it who is monitored.
func (n *Node) permitted(s *state.Snapshot, o *decision.Observed) {
	if o.Monitored {
		if w, on := s.Dispute.Monitored(o.Subject, o.Now); on {
			n.watches.count(w.Case, o.Now)
		}
	}
	for i := range o.Chain {
		n.permitted(s, &o.Chain[i])
	}
}

// overspent stops whoever asked for more than the monitoring lets, again, by rule.
func (n *Node) overspent(ctx context.Context, o *decision.Observed) {
	for i := range o.Chain {
		n.overspent(ctx, &o.Chain[i])
	}
	if !o.Spent {
		return
	}
	if _, err := n.change(ctx, func(c *change) error { return c.stopAgain(o.Subject) }); err != nil {
		n.Log.Error("who is monitored and asked for too much was not suspended; it is denied for as long", "error", err)
	}
}

// stopAgain suspends a monitored subject, and tells its home.
func (c *change) stopAgain(subject trust.SubjectKey) error {
	w, on := c.Dispute.Monitored(subject, c.now)
	held, ok := c.Dispute.Cases.Get(w.Case)
	if !on || !ok {
		return nil
	}
	t := held.Target
	events, err := c.Suspension.Suspend(suspension.Facts{Self: c.n.self}, suspension.Suspended{Target: t, Alias: w.Also, By: suspension.ByRule("monitoring")}, c.now)
	if err != nil || len(events) == 0 {
		return err
	}
	told := NoticeText{Kind: t.Kind, Participant: t.Participant}
	first, err := c.disputeText(&held, held.At)
	if err != nil {
		return err
	}
	if first != nil && first.About != nil {
		told = *first.About
	}
	told.Why = Why{Reason: fmt.Sprintf("more than %d permits within an hour, while monitored", w.Limit), Incident: "dispute " + held.ID, TLP: suspension.Amber}
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: t.Subject, text: told}); err != nil {
			return err
		}
	}
	return c.sendNotice(held.Opener, t, told)
}

// whom gives somebody whom a remedy stops under every identifier, as a claim of
// the evidence names them; unnamed, where a person's evidence lacks the claim. What
// this node issued itself was judged by what it was issued on.
func (n *Node) whom(s *state.Snapshot, ev *evidence.Evidence) (barred trust.SubjectKey, unnamed bool) {
	for i := range s.Dispute.Claims {
		claim := &s.Dispute.Claims[i]
		if claim.Participant != ev.Participant {
			continue
		}
		value, ok := ev.Claims.Text(claim.Name)
		if !ok || value == "" {
			own := ev.Grant != nil && ev.Peer == ""
			unnamed = unnamed || ev.Class == trust.Human && ev.Kind != evidence.Canary && !own
			continue
		}
		if key := n.Keys.Subject(ev.Participant.String(), personSpace(claim.Name), value); s.Dispute.PersonBarred(key) {
			return key, false
		}
	}
	return trust.SubjectKey{}, unnamed
}
