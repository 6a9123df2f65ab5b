package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// lookForLoss asks a partner, once after a start, for the newest of our messages
// that it holds, and gives whether it has said. One above the last that this ledger
// has sent means that entries are gone: the edge is broken, and once the partner
// shows what we signed, everything is denied.
func (n *Node) lookForLoss(ctx context.Context, id trust.ParticipantID) (bool, error) {
	s := n.State()
	if s.Edge.Stage(id) != "" || s.Edge.Recovery.Lost {
		return true, nil
	}
	partner, ok := s.Participant.Partner(id)
	if !ok {
		return false, trust.Errorf(trust.NotFound, "participant %s is not known", id)
	}
	since := edge.Numbers{Safety: s.Edge.Next(id, edge.Safety), Governance: s.Edge.Next(id, edge.Governance)}
	h, err := n.askReceived(ctx, *partner, since)
	if err != nil {
		return false, err
	}
	now := n.State()
	for _, lane := range edge.Lanes() {
		if h.word.Heads.Of(lane) < now.Edge.Next(id, lane) {
			continue
		}
		for _, number := range slices.Sorted(maps.Keys(h.messages[lane])) {
			if _, err := n.own(id, h.messages[lane][number]); err == nil && number >= now.Edge.Next(id, lane) {
				return true, n.loseTail(ctx, edge.LossProven{By: id, Lane: lane, N: number})
			}
		}
		return false, n.breakEdge(ctx, id, lane, edge.RuleLost)
	}
	return true, nil
}

func (n *Node) loseTail(ctx context.Context, e edge.LossProven) error {
	n.Log.Error("a partner holds what this node signed and its ledger does not have; everything is denied until the ledger is recovered", "partner", e.By.String())
	_, err := n.change(ctx, func(c *change) error {
		if c.Edge.Recovery.Lost {
			return nil
		}
		return c.add(e)
	})
	return err
}

// own verifies that this node signed a message which a partner shows, as the one it
// says it is, and gives its content. Empty where the partner has kept none.
func (n *Node) own(partner trust.ParticipantID, m ReceivedMessage) (jsontext.Value, error) {
	if m.JWS == "" {
		return nil, trust.Errorf(trust.NotFound, "%s keeps no content of message %d on the %s lane", partner, m.N, m.Lane)
	}
	payload, err := verifyBy(n.ownKeys, []byte(m.JWS), jose.Form{Types: []string{setType}, Use: jose.ForMessage, MaxBytes: maxMessage})
	if err != nil {
		return nil, err
	}
	var told message
	if err := canonical.Decode(payload, &told); err != nil {
		return nil, err
	}
	content := told.Events[eventPrefix+m.Kind+eventVersion]
	sum := sha256.Sum256(content)
	if told.Iss != n.self || told.Aud != partner || told.Edge.Lane != m.Lane || told.Edge.N != m.N || hex.EncodeToString(sum[:]) != m.Hash {
		return nil, trust.Errorf(trust.Denied, "%s shows as message %d on the %s lane another one than this node sent it", partner, m.N, m.Lane)
	}
	return content, nil
}

// ownKeys are those that this node may have signed its messages with.
func (n *Node) ownKeys(int64) []jose.Key {
	keys := []jose.Key{n.Keys.Signer(participant.StreamKey).Key()}
	if former, ok := n.Keys.Former(participant.StreamKey); ok {
		keys = append(keys, former.Key())
	}
	for _, k := range n.State().Participant.Self().Card.Keys {
		if k.Use == participant.StreamKey {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

// keepRestoring fetches back what a partner holds of our messages, while the
// ledger is recovering on its edge.
func (n *Node) keepRestoring(ctx context.Context, id trust.ParticipantID) {
	for ctx.Err() == nil && n.State().Edge.Stage(id).Awaits() {
		err := n.restore(ctx, id)
		n.recovery.note(id, err)
		if err != nil && ctx.Err() == nil {
			level := slog.LevelWarn
			if trust.KindOf(err) == trust.Unavailable { // it tells once it has heard of the epoch
				level = slog.LevelDebug
			}
			n.Log.Log(ctx, level, "what a partner holds of this node's messages is not fetched back yet", "partner", id.String(), "error", err)
			wait(ctx, nil, n.Config.Heartbeat)
		}
	}
}

func (r *recovery) note(id trust.ParticipantID, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.faults == nil {
		r.faults = map[trust.ParticipantID]string{}
	}
	delete(r.faults, id)
	if err != nil {
		r.faults[id] = err.Error()
	}
}

// restore asks a partner what it holds of ours, finds where that parts from this
// ledger, and takes back what lies behind.
func (n *Node) restore(ctx context.Context, id trust.ParticipantID) error {
	s := n.State()
	partner, ok := s.Participant.Partner(id)
	if !ok {
		return trust.Errorf(trust.NotFound, "participant %s is not known", id)
	}
	since := s.Edge.Base(id)
	for step := uint64(1); ; step *= 2 {
		h, err := n.askReceived(ctx, *partner, since)
		if err != nil {
			return err
		}
		if own := n.trust.Epoch(); h.word.Epoch >= own || h.word.Known > own {
			return trust.Errorf(trust.Conflict, "%s knows this node in epoch %d already; recover into a later one than %d", id, max(h.word.Epoch, h.word.Known), own)
		}
		common, found, err := n.common(ctx, s.Edge.Base(id), id, &h, since)
		if err != nil {
			return err
		}
		if found {
			return n.takeBack(ctx, id, common, &h)
		}
		since = edge.Numbers{
			Safety:     back(min(since.Safety, h.word.Heads.Safety), step),
			Governance: back(min(since.Governance, h.word.Heads.Governance), step),
		}
	}
}

func back(n, step uint64) uint64 { return n - min(n, step) }

// common finds the last message of each lane that both sides hold alike; false
// where that is before those that were asked for.
func (n *Node) common(ctx context.Context, base edge.Numbers, id trust.ParticipantID, h *held, since edge.Numbers) (out edge.Numbers, found bool, err error) {
	for _, lane := range edge.Lanes() {
		at := min(base.Of(lane), h.word.Heads.Of(lane))
		for ; at > 0; at-- {
			m, told := h.messages[lane][at]
			if !told {
				if at >= since.Of(lane) {
					return out, false, trust.Errorf(trust.Unavailable, "%s has not told of message %d on the %s lane", id, at, lane)
				}
				return out, false, nil
			}
			q, _, err := n.queuedEntry(ctx, id, lane, at)
			if err != nil {
				return out, false, err
			}
			if q.Hash == m.Hash {
				break
			}
		}
		if lane == edge.Safety {
			out.Safety = at
		} else {
			out.Governance = at
		}
	}
	return out, true, nil
}

// restoredText is the sealed part of what was fetched back: what the partner
// signed, and each message that was lost here.
type restoredText struct {
	Word string        `json:"word"`
	Lost []LostMessage `json:"lost"`
}

// LostMessage is a message of ours that the ledger had lost. Again says that what
// it took away is taken away again.
type LostMessage struct {
	Lane  edge.Lane `json:"lane"`
	N     uint64    `json:"n"`
	Kind  string    `json:"kind"`
	Again bool      `json:"again,omitzero"`
}

// unsent is a message of this ledger that the partner does not hold under its
// number.
type unsent struct {
	queued  edge.Queued
	content []byte
}

// takeBack goes on behind what a partner proved, in one commit: what it holds and
// this ledger lost takes effect again, the epoch is opened on the edge, and what
// this ledger had sent under numbers that are taken follows.
func (n *Node) takeBack(ctx context.Context, id trust.ParticipantID, common edge.Numbers, h *held) error {
	lost := []LostMessage{}
	contents := map[uint64]jsontext.Value{}
	for _, lane := range edge.Lanes() {
		for number := common.Of(lane) + 1; number <= h.word.Heads.Of(lane); number++ {
			m, told := h.messages[lane][number]
			if !told {
				return trust.Errorf(trust.Unavailable, "%s has not told of message %d on the %s lane, which it says it has", id, number, lane)
			}
			one := LostMessage{Lane: lane, N: number, Kind: m.Kind}
			if lane == edge.Safety && again[m.Kind] != nil && m.JWS != "" {
				content, err := n.own(id, m)
				if err != nil {
					return err
				}
				contents[number], one.Again = content, true
			}
			lost = append(lost, one)
		}
	}
	_, err := n.change(ctx, func(c *change) error {
		c.given = true
		restored := edge.Restored{From: id, Common: common, Heads: h.word.Heads}
		behind, err := c.unsent(&restored)
		if err != nil {
			return err
		}
		events, err := c.Edge.Restore(restored)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{text: restoredText{h.signed, lost}}); err != nil {
				return err
			}
		}
		opening := epochMessage{Epoch: c.Edge.Recovery.Epoch, Heads: h.word.Heads}
		if err := c.send(id, edge.Safety, kindEpoch, trust.SubjectKey{}, opening); err != nil {
			return err
		}
		for _, number := range slices.Sorted(maps.Keys(contents)) {
			if err := again[h.messages[edge.Safety][number].Kind](c, id, contents[number]); err != nil {
				return err
			}
		}
		for _, u := range behind {
			if err := c.send(id, u.queued.Lane, u.queued.Kind, u.queued.Owner, jsontext.Value(u.content)); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// unsent gives the messages of this ledger whose numbers the partner has used for
// others, in their order. What was about an erased person is sent no more.
func (c *change) unsent(r *edge.Restored) ([]unsent, error) {
	var out []unsent
	for _, lane := range edge.Lanes() {
		if r.Heads.Of(lane) <= r.Common.Of(lane) {
			continue
		}
		for number := r.Common.Of(lane) + 1; number < c.Edge.Next(r.From, lane); number++ {
			q, record, err := c.n.queuedEntry(c.ctx, r.From, lane, number)
			if err != nil {
				return nil, trust.Errorf(trust.Unavailable, "reading message %d to %s again: %w", number, r.From, err)
			}
			content, err := c.n.Keys.Unseal(c.ctx, q.Owner, record.Sealed)
			if trust.KindOf(err) == trust.NotFound {
				continue
			}
			if err != nil {
				return nil, err
			}
			out = append(out, unsent{q, content})
		}
	}
	return out, nil
}
