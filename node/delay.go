package node

import (
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/trust"
)

const (
	linkGap  = 3 // heartbeats without an answer, after which a link was down
	delayLee = 2 // seconds by which two clocks of whole seconds may be wrong
)

// takesAway are the kinds by which a home tells of an end.
var takesAway = map[string]bool{kindRevocation: true, kindBulk: true, kindSignal: true, kindNotice: true}

// told counts an end that the home told later than the removal target, on a link
// that was up all that time: not what waited for us or for the network. It is
// measured by the home's own clock, as its last heartbeat showed it.
func (c *change) told(m message, kind string) error {
	rules := c.n.tally.armedBy(c.Snapshot).delay
	if len(rules) == 0 || !takesAway[kind] {
		return nil
	}
	late, up, ok := c.n.views.late(m.Iss, m.Iat, c.received)
	limit, agreed := c.strictest(m.Iss)
	if !ok || !agreed || up <= late || late <= int64(limit/time.Second)+delayLee {
		return nil
	}
	for i := range rules {
		r := &rules[i]
		f := incident.Figure{Participant: m.Iss}
		if !r.Covers(&f) {
			continue
		}
		if f.Count = c.n.tally.add(r, c.n.tally.whom(r, trust.SubjectKey{}, m.Iss), 1, c.now); f.Count == 0 {
			continue
		}
		if err := c.raise(&r.Rule, f, NoticeText{}); err != nil {
			return err
		}
	}
	return nil
}

// strictest is the shortest removal target that a home has agreed with us.
func (c *change) strictest(home trust.ParticipantID) (limit time.Duration, agreed bool) {
	for _, a := range c.Agreement.Between(home, c.n.self) {
		if a.Stage != agreement.Active {
			continue
		}
		for i := range a.Revision.Document.Accepts {
			target, _, ok := removal(c.Snapshot, a, a.Revision.Document.Accepts[i].Class)
			if ok && (!agreed || target < limit) {
				limit, agreed = target, true
			}
		}
	}
	return limit, agreed
}
