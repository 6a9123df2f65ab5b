package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// change is a command in progress inside the trust log's writer: the state as
// it would be after what was added so far, and the entries that lead there.
type change struct {
	*state.Snapshot
	now      int64
	n        *Node
	ctx      context.Context
	next     trust.Stamp
	entries  []ledger.Entry
	to       map[trust.ParticipantID]bool // partners that got a message
	refusal  error
	list     *arrived         // of the message that is received, if it announces one
	ended    trust.SubjectKey // whose end a partner's message told
	received clock.Mark       // when that message arrived
	about    trust.SubjectKey // whom that message is about, if it is about somebody
	given    bool             // by a partner, perhaps of a time before somebody was erased
}

// sealed is what stands beside a leaf, encrypted under its owner's key.
type sealed struct {
	owner trust.SubjectKey // zero: the node itself
	text  any              // rendered as canonical JSON; []byte is taken as it is
}

// change runs a command on the head's own state and makes what it added durable.
// An error appends nothing. A refusal that the command recorded comes back as
// the error, after its record is durable.
func (n *Node) change(ctx context.Context, command func(*change) error) (trust.Position, error) {
	once, back := take(ctx)
	at, recorded, err := n.commit(ctx, command, once...)
	if !recorded {
		back()
	}
	return at, err
}

// changeOnce is change that burns single-use values with what it records: with
// Conflict where one was used before.
func (n *Node) changeOnce(ctx context.Context, command func(*change) error, once ...trust.Once) (trust.Position, error) {
	at, _, err := n.commit(ctx, command, once...)
	return at, err
}

// commit is changeOnce that tells whether there was anything to record.
func (n *Node) commit(ctx context.Context, command func(*change) error, once ...trust.Once) (trust.Position, bool, error) {
	var c *change
	_, at, err := n.trust.Do(ctx, func(head *state.Snapshot, next trust.Stamp) ([]ledger.Entry, error) {
		c = &change{Snapshot: head.On(next.At), now: next.At, n: n, ctx: ctx, next: next, to: map[trust.ParticipantID]bool{}}
		if err := command(c); err != nil {
			return nil, err
		}
		return c.entries, nil
	}, once...)
	if err != nil {
		return trust.Position{}, false, err
	}
	for partner := range c.to {
		n.wakeDelivery(partner)
	}
	n.nudge()
	if len(at) == 0 {
		return trust.Position{}, false, c.refusal
	}
	return at[0], true, c.refusal
}

// timeOfDay is by what a partner's card is judged, and never written. The stamps of
// a node whose time nobody has confirmed stand still, perhaps for as long as it was
// away, and a card made since, by which alone a partner could confirm the time,
// would lie in the future.
func (c *change) timeOfDay() int64 { return max(c.now, c.n.Now()) }

// mayRevoke: ending something takes one authorised person or program.
func mayRevoke(a Actor) bool {
	return slices.Contains(a.Roles, operator.Admin) || slices.Contains(a.Roles, operator.Revoker)
}

// write is change for an operator: it must hold the admin role.
func (n *Node) write(ctx context.Context, a Actor, command func(*change) error) (trust.Position, error) {
	if !slices.Contains(a.Roles, operator.Admin) {
		return trust.Position{}, n.denyOperator(ctx, a)
	}
	return n.change(ctx, command)
}

// read checks that an operator may look: admins and auditors.
func (n *Node) read(a Actor) error {
	if slices.Contains(a.Roles, operator.Admin) || slices.Contains(a.Roles, operator.Auditor) {
		return nil
	}
	return trust.Errorf(trust.Denied, "operator %s is neither admin nor auditor; reading needs one of them", a.ID)
}

// add records events, each with nothing sealed.
func (c *change) add(events ...trust.Event) error {
	for _, e := range events {
		if err := c.addSealed(e, sealed{}); err != nil {
			return err
		}
	}
	return nil
}

// addSealed records an event with a sealed part. What a partner gives of somebody
// who was erased has an effect, and its words are not kept.
func (c *change) addSealed(e trust.Event, s sealed) error {
	if c.given && c.Erasure.Forgotten(s.owner) {
		s = sealed{}
	}
	entry, err := c.n.entry(c.ctx, e, s)
	if err != nil {
		return err
	}
	c.append(e, entry)
	return nil
}

// entry renders an event and seals its sealed part.
func (n *Node) entry(ctx context.Context, e trust.Event, s sealed) (ledger.Entry, error) {
	kind, body, err := n.codec.Encode(e)
	if err != nil {
		return ledger.Entry{}, err
	}
	part, err := n.seal(ctx, s)
	return ledger.Entry{Kind: kind.Name, Version: kind.Version, Body: body, Sealed: part}, err
}

// append records an event as the entry that was made of it.
func (c *change) append(e trust.Event, entry ledger.Entry) {
	c.entries = append(c.entries, entry)
	c.Snapshot = c.Apply(e, c.next)
	c.next.Position.N++
}

func (n *Node) seal(ctx context.Context, s sealed) ([]byte, error) {
	switch text := s.text.(type) {
	case nil:
		return nil, nil
	case []byte:
		return n.Keys.Seal(ctx, s.owner, text)
	default:
		b, err := canonical.Marshal(text)
		if err != nil {
			return nil, trust.Errorf(trust.Internal, "rendering a sealed part: %w", err)
		}
		return n.Keys.Seal(ctx, s.owner, b)
	}
}

// refuse records the events of a refused command and keeps its error for the
// caller.
func (c *change) refuse(err error, events ...trust.Event) error {
	c.refusal = err
	return c.add(events...)
}

// take records a command's events, or its refusal.
func (c *change) take(events []trust.Event, err error) error {
	if err == nil {
		return c.add(events...)
	}
	if len(events) == 0 {
		return err
	}
	return c.refuse(err, events...)
}

// send queues a message for a partner in the same commit as its cause. The
// content stands in the sealed part, under the key of the subject it is about. What
// the partner does not understand is withheld.
func (c *change) send(to trust.ParticipantID, lane edge.Lane, kind string, owner trust.SubjectKey, body any) error {
	content, err := canonical.Marshal(body)
	if err != nil {
		return trust.Errorf(trust.Internal, "rendering message %s: %w", kind, err)
	}
	if !c.Edge.Sends(to, lane, kind+eventVersion, slices.Contains(gives, kind)) {
		c.n.Log.Warn("a message is withheld: the partner does not understand its kind", "partner", to.String(), "kind", kind)
		return c.addSealed(edge.Withheld{To: to, Lane: lane, Kind: kind, Owner: owner}, sealed{owner: owner, text: content})
	}
	hash := sha256.Sum256(content)
	c.to[to] = true
	return c.addSealed(edge.Queued{
		To: to, Lane: lane, N: c.Edge.Next(to, lane), Kind: kind, Hash: hex.EncodeToString(hash[:]), Owner: owner,
	}, sealed{owner: owner, text: content})
}

// denyOperator records that an operator without the role tried to change
// something.
func (n *Node) denyOperator(ctx context.Context, a Actor) error {
	denied := trust.Errorf(trust.Denied, "operator %s is not an admin; changing anything needs that role", a.ID)
	_, err := n.change(ctx, func(c *change) error { return c.refuse(denied, operator.Refused{ID: a.ID}) })
	return err
}
