package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// protocolVersions are those that this node speaks on an edge.
var protocolVersions = []uint32{1}

// vital are the kinds of message without which a partner is not told of an end, or
// there is no edge: whoever speaks version 1 understands them.
var vital = []string{
	kindFramework, kindStatement, kindCard, kindMove, kindSuspension, kindRevocation, kindBulk, kindSignal, kindNotice, kindAlias,
	kindUnsupported, kindEpoch, kindEpochTaken, kindHello,
}

// optional are the others.
var optional = []string{
	kindOffer, kindCountersign, kindCaughtUp, kindEngagement, kindResumption, kindDispute, kindBreakGlass, kindErased,
}

// gives are the kinds of the safety lane that take nothing away.
var gives = []string{kindCaughtUp, kindEngagement, kindResumption}

// Speech is what this node understands on its edges.
func (n *Node) Speech() edge.Speech {
	own := edge.Speech{Hello: edge.Hello{Versions: protocolVersions}, Signs: string(n.Keys.Signer(participant.StreamKey).Key().Alg())}
	for _, kind := range vital {
		own.Vital = append(own.Vital, kind+eventVersion)
	}
	own.Kinds = slices.Clone(own.Vital)
	for _, kind := range optional {
		own.Kinds = append(own.Kinds, kind+eventVersion)
	}
	for _, alg := range jose.ForMessage.Algs() {
		own.Algorithms = append(own.Algorithms, string(alg))
	}
	for _, set := range [][]string{own.Vital, own.Kinds, own.Algorithms} {
		slices.Sort(set)
	}
	return own
}

func (c *change) sendHello(to trust.ParticipantID) error {
	return c.send(to, edge.Governance, kindHello, trust.SubjectKey{}, c.n.Speech().Hello)
}

// greetAgain tells each partner what this node understands, where that is not what
// it was told last, and takes what partners stated where that has come to be in
// common: after an update, and on edges from before there were hellos.
func (n *Node) greetAgain(ctx context.Context) {
	own := n.Speech()
	content, err := canonical.Marshal(own.Hello)
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:])
	var stale []trust.ParticipantID
	for p := range n.State().Participant.Partners() {
		_, agreeable := n.State().Edge.Agreeable(own, p.Card.ID)
		if agreeable || n.State().Edge.Greeting(p.Card.ID).Said != hash {
			stale = append(stale, p.Card.ID)
		}
	}
	if err == nil && len(stale) > 0 {
		_, err = n.change(ctx, func(c *change) error {
			for _, id := range stale {
				if err := c.greetAgain(id, own, hash); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		n.Log.Error("partners could not be told what this node understands; the next start tries again", "error", err)
	}
}

func (c *change) greetAgain(id trust.ParticipantID, own edge.Speech, hash string) error {
	if hello, agreeable := c.Edge.Agreeable(own, id); agreeable {
		if err := c.add(edge.Greeted{From: id, Hello: hello}); err != nil {
			return err
		}
	}
	if c.Edge.Greeting(id).Said == hash {
		return nil
	}
	return c.sendHello(id)
}

// receiveHello takes what a partner understands. One that did not understand our own
// hello, and says one now, is told again.
func receiveHello(c *change, from *participant.Partner, content []byte) error {
	id := from.Card.ID
	var m edge.Hello
	if err := canonical.DecodeLoose(content, &m); err != nil {
		return err
	}
	unheard := c.Edge.Greeting(id).Unheard
	events, refusal := c.Edge.Greet(c.n.Speech(), edge.Greeted{From: id, Hello: m})
	if err := c.add(events...); err != nil {
		return err
	}
	if rule := c.Edge.Greeting(id).Rule; refusal != nil && len(events) > 0 {
		if err := c.add(edge.Broken{From: id, Lane: edge.Governance, Rule: rule}); err != nil {
			return err
		}
	}
	if unheard {
		if err := c.sendHello(id); err != nil {
			return err
		}
	}
	return refusal
}
