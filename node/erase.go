package node

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/erasure"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// ErasureRequest names who is to be erased: of this organisation, or a partner's
// subject. Participant is whose it is, where the issuer speaks for several. Word is
// kept after the erasure, and so names nobody.
type ErasureRequest struct {
	Issuer      string              `json:"issuer"`
	Subject     string              `json:"subject"`
	Participant trust.ParticipantID `json:"participant,omitzero"`
	Word
}

func (r *ErasureRequest) what() Stoppable {
	return Stoppable{Kind: suspension.Subject, Issuer: r.Issuer, Subject: r.Subject, Participant: r.Participant}
}

// Erasure is how far an erasure has come. Asked is who asked first. Until then, in
// Until, another person must say so too; 0 once that happened, and Keys data keys
// were destroyed.
type Erasure struct {
	Position trust.Position `json:"position"`
	Asked    string         `json:"asked"`
	Until    trust.Instant  `json:"until,omitzero"`
	Keys     int            `json:"keys,omitzero"`
}

// Erase destroys the data keys of somebody whose engagement has ended: the first
// operator asks, and a second one, another person, says so too. The entry that
// says so is durable before a key is destroyed; where that fails, with Unavailable,
// it is done at the next start. What is refused by a rule is refused with Conflict
// or Denied, and recorded.
func (n *Node) Erase(ctx context.Context, a Actor, r ErasureRequest) (Erasure, error) {
	if !slices.Contains(a.Roles, operator.Admin) {
		return Erasure{}, n.denyOperator(ctx, a)
	}
	if r.Reason == "" {
		return Erasure{}, trust.Errorf(trust.Invalid, "an erasure has a reason; this one has none")
	}
	for range attempts {
		if out, err := n.erase(ctx, a, &r); !errors.Is(err, errTraces) {
			return out, err
		}
	}
	return Erasure{}, trust.Errorf(trust.Unavailable, "what names the subject kept changing while it was looked for; nobody is erased")
}

var errTraces = trust.Errorf(trust.Conflict, "what an erasure was prepared on has changed")

func (n *Node) erase(ctx context.Context, a Actor, r *ErasureRequest) (out Erasure, err error) {
	outside := &change{Snapshot: n.State(), n: n, ctx: ctx}
	target, err := outside.stoppable(r.what())
	if err != nil {
		return out, err
	}
	found, err := outside.trace(target.Subject)
	if err != nil {
		return out, err
	}
	remembered, err := n.rememberedErasures(ctx)
	if err != nil {
		return out, err
	}
	var done erasure.Erased
	out.Position, err = n.change(ctx, func(c *change) error {
		if err := c.unmoved(target, r, found); err != nil {
			return err
		}
		facts, err := c.erasureFacts(target.Subject, found)
		if err != nil {
			return err
		}
		events, refusal := c.Erasure.Erase(facts, erasure.Erased{
			Participant: target.Participant, Subject: target.Subject, Also: found.names, Lists: found.keys(), By: a.ID,
		}, c.now)
		if refusal != nil {
			return c.take(events, refusal)
		}
		for _, e := range events {
			switch e := e.(type) {
			case erasure.Asked:
				out.Asked, out.Until = a.ID, trust.Instant(e.Until)
				err = c.addSealed(e, sealed{owner: target.Subject, text: r.Word})
			case erasure.Erased:
				out.Asked, out.Keys, done = e.Asked, 1+len(e.Also)+len(e.Lists), e
				err = c.erased(e, found, remembered, r.Word)
			}
		}
		return err
	})
	if err != nil || out.Keys == 0 {
		return out, err
	}
	return out, n.Keys.EraseUpTo(ctx, n.State().Erasure.Of(done))
}

// erased records an erasure, and first what is left of the lists that it destroys,
// and what was destroyed before by a ledger that is lost.
func (c *change) erased(e erasure.Erased, found *traces, remembered []erasure.Count, why Word) error {
	if !found.sealed {
		return errTraces
	}
	if err := c.add(c.Erasure.Find(remembered)...); err != nil {
		return err
	}
	for _, l := range found.lists {
		c.append(l.event, l.entry)
	}
	return c.addSealed(e, sealed{text: why})
}

// erasureFacts are what an erasure rests on besides its own state.
func (c *change) erasureFacts(subject trust.SubjectKey, found *traces) (erasure.Facts, error) {
	_, engaged := c.engagement(subject)
	needed, err := c.needed(subject, found)
	return erasure.Facts{
		Engaged: engaged, Needed: needed,
		Reason: func(h erasure.Hold) string { return c.n.holdReason(c.ctx, h) },
		Self: func(by string) bool {
			return slices.ContainsFunc(found.all(subject), func(key trust.SubjectKey) bool { return c.Operator.IsSubject(by, key) })
		},
		Same: c.Operator.SamePerson, Serves: c.Operator.Serves,
	}, err
}

// needed says what has to come before a subject is erased: a dispute to be settled,
// emergency access to be reviewed, a message to be taken by a host.
func (c *change) needed(subject trust.SubjectKey, found *traces) (string, error) {
	names := found.all(subject)
	for d := range c.Dispute.All() {
		open := d.Stage == dispute.Direct || d.Stage == dispute.Mediated || d.Stage == dispute.Panel
		if open && slices.Contains(names, d.Target.Subject) {
			return "dispute " + d.ID + " is not settled", nil
		}
	}
	for _, w := range c.BreakGlass.Waiting {
		if slices.Contains(names, w.Subject) {
			return "emergency access " + w.ID + " is not reviewed", nil
		}
	}
	return c.undelivered(names, len(found.lists) > 0)
}

// undelivered finds a message about one of the names, or where lists change one
// that announces a list, that a host of ours has not taken yet. Whoever has no
// agreement with this home is not waited for.
func (c *change) undelivered(names []trust.SubjectKey, lists bool) (string, error) {
	for _, host := range c.hosts() {
		for _, lane := range edge.Lanes() {
			acked, err := c.n.cursor(c.ctx, host, lane)
			if err != nil {
				return "", err
			}
			for number := max(acked, c.Edge.Proven(host).Of(lane)) + 1; number < c.Edge.Next(host, lane); number++ {
				q, _, err := c.n.queuedEntry(c.ctx, host, lane, number)
				if err != nil {
					return "", err
				}
				if slices.Contains(names, q.Owner) || lists && q.Kind == kindBulk {
					return host.String() + " has not taken a message yet that needs it", nil
				}
			}
		}
	}
	return "", nil
}

// destroyErased destroys every data key that the ledger says is destroyed: one that
// a crash left, or that an older copy of the keys has brought back.
func (n *Node) destroyErased(ctx context.Context) error {
	s := n.State()
	if s.Erasure.Destroyed.Len() == 0 {
		return nil
	}
	return n.Keys.EraseUpTo(ctx, s.Erasure.Keys())
}

// rememberedErasures are those that the node's keys know of, sorted.
func (n *Node) rememberedErasures(ctx context.Context) ([]erasure.Count, error) {
	known, err := n.Keys.Erasures(ctx)
	if err != nil {
		return nil, err
	}
	var all []erasure.Count
	for _, key := range sorted(slices.Collect(maps.Keys(known))) {
		all = append(all, erasure.Count{Key: key, Times: known[key]})
	}
	return all, nil
}
