package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// Gap is the error of a message that came before its predecessor, or before the
// list it announces: the sender goes back to Expected, and first sends the chunks
// whose hashes are in Need.
type Gap struct {
	Expected uint64
	Need     []string
}

func (g *Gap) Error() string { return "a message came before its predecessor, or before its list" }

// ReceiveMessage takes a partner's message. When it returns nil, the message
// and what it changed are durable, so the sender may forget it (RFC 8935,
// section 2.2). A repeated message changes nothing. A message that a rule
// refuses is recorded as refused and counts as received. Errors: Invalid for a
// shape, Denied for a signature or a foreign edge, *Gap for one out of order.
func (n *Node) ReceiveMessage(ctx context.Context, from trust.ParticipantID, jws []byte) error {
	received := n.Clock.Mark()
	partner, ok := n.State().Participant.Partner(from)
	if !ok {
		return trust.Errorf(trust.Denied, "participant %s is not a partner here", from)
	}
	m, kind, content, err := n.open(*partner, jws)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	hash, err := countedAs(kind, content, hex.EncodeToString(sum[:]))
	if err != nil {
		return err
	}
	var list *arrived
	if kind == kindBulk {
		if list, err = n.arrive(ctx, from, m.Edge, content, hash); err != nil {
			return err
		}
	}
	var gap error
	var ended trust.SubjectKey
	_, err = n.change(ctx, func(c *change) error {
		c.list, c.received, c.given = list, received, true
		switch c.Edge.Judge(from, m.Edge.Epoch, m.Edge.Lane, m.Edge.N, hash) {
		case edge.Duplicate:
			return nil
		case edge.Gap:
			_, last := c.Edge.Position(from, m.Edge.Lane)
			gap = &Gap{Expected: last + 1}
			return gap
		case edge.Break:
			return c.contradicted(from, m.Edge.Lane, "contradiction")
		case edge.Hold:
			return c.hold(from, m.Edge.Epoch)
		case edge.Past:
			return c.contradicted(from, m.Edge.Lane, edge.RulePastEpoch)
		case edge.Apply:
		}
		defer func() { ended = c.ended }()
		return c.apply(partner, m, kind, content, hash, jws)
	})
	if gap != nil {
		return gap
	}
	if err == nil {
		n.lists.done(from, hash)
		n.views.applied(from, n.State())
		n.canaries.ended(ended, n.Clock.Mark())
		if n.State().Edge.Stage(from) == edge.Fetched {
			n.wakeDelivery(from) // what was refused before may be accepted now
		}
	}
	return err
}

// apply gives a message its effect and records that it was applied, in one
// commit. The message is kept beside it where its sender would need it again.
func (c *change) apply(from *participant.Partner, m message, kind string, content []byte, hash string, jws []byte) error {
	applied := edge.Applied{From: m.Iss, Epoch: m.Edge.Epoch, Lane: m.Edge.Lane, N: m.Edge.N, Kind: kind, Hash: hash}
	effect, ok := effects[kind]
	if !ok {
		applied.Unsupported = true
		return c.notUnderstood(applied, content)
	}
	err := effect(c, from, content)
	if err == nil {
		err = c.told(m, kind)
	}
	if err != nil {
		if trust.KindOf(err) == trust.Internal || trust.KindOf(err) == trust.Unavailable {
			return err
		}
		if !c.n.Clock.Mark().Sure {
			return trust.Errorf(trust.Unavailable, "a message of %s is not refused while the time of this node is not confirmed; it may come again", m.Iss)
		}
		// The error may quote what the partner wrote, which may be about a person.
		c.n.Log.Warn("a partner's message was refused", "partner", m.Iss.String(), "kind", kind, "reason", string(trust.KindOf(err)))
		applied.Refused = true
	}
	if again[kind] == nil {
		return c.add(applied)
	}
	applied.Owner = c.about
	return c.addSealed(applied, sealed{owner: c.about, text: jws})
}

// effects are what each kind of message does here. An error is a refusal.
var effects = map[string]func(*change, *participant.Partner, []byte) error{
	kindFramework:   receiveFramework,
	kindStatement:   receiveStatement,
	kindOffer:       receiveOffer,
	kindCountersign: receiveCountersign,
	kindMove:        receiveMove,
	kindCaughtUp:    receiveCaughtUp,
	kindSuspension:  receiveSuspension,
	kindRevocation:  receiveRevocation,
	kindBulk:        receiveBulk,
	kindEngagement:  receiveEngagement,
	kindSignal:      receiveSignal,
	kindCard:        receiveCard,
	kindNotice:      receiveNotice,
	kindResumption:  receiveResumption,
	kindAlias:       receiveAlias,
	kindDispute:     receiveDispute,
	kindErased:      receiveErased,
	kindUnsupported: receiveUnsupported,
	kindEpoch:       receiveEpoch,
	kindEpochTaken:  receiveEpochTaken,
	kindBreakGlass:  receiveBreakGlass,
	kindHello:       receiveHello,
}

// parse reads a message's content.
func parse[T any](content []byte) (T, error) {
	var v T
	err := canonical.Decode(content, &v)
	return v, err
}

// record takes a command's events and passes its refusal on, since a refusal of
// a partner's message is a fact here and no error of ours.
func (c *change) record(events []trust.Event, refusal error) error {
	if err := c.add(events...); err != nil {
		return err
	}
	return refusal
}

func receiveFramework(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[frameworkMessage](content)
	if err != nil {
		return err
	}
	hash := framework.Hash(m.Signed.Bytes)
	events, refusal := refusalOf(c.Framework.Receive(c.frameworkFacts(), m.Signed, from.Card.ID, c.now))
	if err := c.record(events, refusal); err != nil {
		if r, ok := errors.AsType[*framework.Refusal](err); !ok || r.Rule != framework.NotNewer {
			return err
		}
		// The partner has adopted less than we have: it may have missed a version
		// that came before it could adopt it.
		return errors.Join(c.sendFramework(from.Card.ID, c.Framework.Current.Signed), err)
	}
	if err := c.adoptedBy(from.Card.ID, hash); err != nil {
		return err
	}
	if f := c.Framework.Current; f != nil && f.Hash == hash {
		// The partner has just adopted what is in force here. A statement that
		// came to it before may have named what only the framework registers.
		if next := c.Framework.Next; next != nil {
			if err := c.sendFramework(from.Card.ID, next.Signed); err != nil {
				return err
			}
		}
		return c.sendStatement(from.Card.ID)
	}
	return nil
}

func receiveOffer(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[offerMessage](content)
	if err != nil {
		return err
	}
	facts, _, err := c.factsOfOffer(m.Bytes)
	if err != nil {
		return err
	}
	return c.record(c.Agreement.Offer(facts, agreement.Offered{Bytes: m.Bytes, Signature: m.Signature, From: from.Card.ID}, c.now))
}

func receiveCountersign(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[countersignMessage](content)
	if err != nil {
		return err
	}
	facts, err := c.factsOfID(m.ID)
	if err != nil {
		return err
	}
	signed := agreement.Countersigned{ID: m.ID, Hash: m.Hash, Signature: m.Signature, From: from.Card.ID}
	if err := c.record(c.Agreement.Countersign(facts, signed, c.now)); err != nil {
		return err
	}
	return c.catchUp(m.ID)
}

func receiveMove(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[moveMessage](content)
	if err != nil {
		return err
	}
	facts, err := c.factsOfID(m.ID)
	if err != nil {
		return err
	}
	return c.record(c.Agreement.Move(facts, agreement.Moved{ID: m.ID, To: m.To, From: from.Card.ID}, c.now))
}

// receiveCaughtUp: it came behind all that the home ended before, on the same
// lane.
func receiveCaughtUp(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[caughtUpMessage](content)
	if err != nil {
		return err
	}
	facts, err := c.factsOfID(m.ID)
	if err != nil {
		return err
	}
	return c.record(c.Agreement.CatchUp(facts, agreement.CaughtUp{ID: m.ID, From: from.Card.ID}))
}

// receiveSuspension: a partner stopped trusting somebody. About ourselves it is
// news; about anybody else it is not the partner's to decide here.
func receiveSuspension(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[suspensionMessage](content)
	if err != nil {
		return err
	}
	if m.Participant != c.n.self {
		return trust.Errorf(trust.Denied, "%s suspends %s here; only this participant may", from.Card.ID, m.Participant)
	}
	return c.add(participant.Suspended{Participant: c.n.self, From: from.Card.ID})
}

// receiveRevocation: the home ended something of its own.
func receiveRevocation(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[revocationMessage](content)
	if err != nil {
		return err
	}
	target := revocation.Target{Kind: m.Kind, Participant: from.Card.ID, Issuer: m.Issuer, Thumbprint: m.Thumbprint}
	if m.Kind == revocation.Subject {
		target.Subject = c.n.Keys.Subject(from.Card.ID.String(), m.Namespace, m.Subject)
		target.Engagement = m.Engagement
		c.about = target.Subject
	}
	revoked := revocation.Revoked{Target: target, From: from.Card.ID}
	if m.Kind == revocation.Subject {
		revoked.Alias = c.n.alias(from.Card.ID, m.Pairwise)
		c.ended = target.Subject
		c.n.canaries.ending(target.Subject, c.received)
	}
	return c.record(c.Revocation.Revoke(c.revocationFacts(target), revoked))
}

// alias is what the ledger knows a partner's subject by in its grants; zero for
// one that has no name there.
func (n *Node) alias(from trust.ParticipantID, pairwise string) trust.SubjectKey {
	if pairwise == "" {
		return trust.SubjectKey{}
	}
	return n.Keys.Subject(from.String(), evidence.Pairwise, pairwise)
}

// receiveEngagement: the home vouches for a new engagement. It waits for a
// local person's approval.
func receiveEngagement(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[engagementMessage](content)
	if err != nil {
		return err
	}
	return c.record(c.Revocation.Open(c.revocationFacts(revocation.Target{}), revocation.EngagementOpened{
		Participant: from.Card.ID, Subject: c.n.Keys.Subject(from.Card.ID.String(), m.Namespace, m.Subject), Alias: c.n.alias(from.Card.ID, m.Pairwise),
		Engagement: m.Engagement, Since: m.Since, From: from.Card.ID,
	}, c.now))
}

// frameworkFacts are what accepting a framework rests on besides its own state.
func (c *change) frameworkFacts() framework.Facts {
	var facts framework.Facts
	for p := range c.Participant.Partners() {
		if p.Framework != "" {
			facts.ConfirmedHashes = append(facts.ConfirmedHashes, p.Framework)
		}
	}
	return facts
}
