package node

import (
	"context"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

type (
	// epochMessage opens an epoch on an edge: the first message in it. Heads are
	// what the receiver proved of the epochs before.
	epochMessage struct {
		Epoch uint32       `json:"epoch"`
		Heads edge.Numbers `json:"heads"`
	}
	// epochTakenMessage answers it, once an operator accepted the epoch.
	epochTakenMessage struct {
		Epoch uint32 `json:"epoch"`
	}
)

// AcceptEpoch lets a partner that recovered its ledger speak in its new epoch: what
// it lost of ours is sent to it again, and its own messages are taken again. The
// edge stays suspended until two operators resume it.
func (n *Node) AcceptEpoch(ctx context.Context, a Actor, partner trust.ParticipantID, epoch uint32, reason string) (trust.Position, error) {
	return n.write(ctx, a, func(c *change) error {
		if reason == "" {
			return trust.Errorf(trust.Invalid, "accepting an epoch has a reason; this has none")
		}
		if _, ok := c.Participant.Partner(partner); !ok {
			return trust.Errorf(trust.NotFound, "participant %s is not a partner here", partner)
		}
		events, err := c.Edge.AcceptEpoch(edge.EpochAccepted{From: partner, Epoch: epoch, By: a.ID})
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{text: reasonText{reason}}); err != nil {
				return err
			}
		}
		// On the lane of the answer to the epoch nothing is missed. On this one the
		// partner, which may have lost messages, finds by it that it has.
		return c.sendStatement(partner)
	})
}

// hold refuses what a partner says in a higher epoch, and records once that it
// does.
func (c *change) hold(from trust.ParticipantID, epoch uint32) error {
	refused := trust.Errorf(trust.Conflict, "%s speaks in epoch %d, which nobody has accepted here; the edge is suspended", from, epoch)
	return c.refuse(refused, c.Edge.HoldEpoch(edge.EpochHeld{From: from, Epoch: epoch})...)
}

func (n *Node) holdEpoch(ctx context.Context, from trust.ParticipantID, epoch uint32) error {
	_, err := n.change(ctx, func(c *change) error { return c.hold(from, epoch) })
	return err
}

// receiveEpoch: it came in an epoch that is accepted here, behind all that the
// partner has been shown to have told before.
func receiveEpoch(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[epochMessage](content)
	if err != nil {
		return err
	}
	return c.send(from.Card.ID, edge.Safety, kindEpochTaken, trust.SubjectKey{}, epochTakenMessage{m.Epoch})
}

// receiveEpochTaken: a partner's operator accepted the epoch of this ledger.
func receiveEpochTaken(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[epochTakenMessage](content)
	if err != nil {
		return err
	}
	return c.record(c.Edge.TakeEpoch(edge.EpochTaken{From: from.Card.ID, Epoch: m.Epoch}))
}
