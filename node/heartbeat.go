package node

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// heartbeat is the answer to a nonce: a security event token whose one event is
// SSF's verification with our nonce as its state, and the sender's heads.
type heartbeat struct {
	Iss    trust.ParticipantID         `json:"iss"`
	Aud    trust.ParticipantID         `json:"aud"`
	Iat    int64                       `json:"iat"`
	Jti    string                      `json:"jti"`
	Edge   word                        `json:"edge"`
	Events map[string]verificationBody `json:"events"`
}

type verificationBody struct {
	State string `json:"state"`
}

// word is what a heartbeat proves: the epoch, the head of each lane of this
// edge, and the head of the trust log.
type word struct {
	Epoch      uint32 `json:"epoch"`
	Heads      heads  `json:"heads"`
	Checkpoint []byte `json:"checkpoint"`
}

// Nonce is the body of a heartbeat request.
type Nonce struct {
	Nonce string `json:"nonce"`
}

const nonceBytes = 16

// Heartbeat answers a partner's nonce, 1 to 128 bytes of text.
func (n *Node) Heartbeat(_ context.Context, from trust.ParticipantID, nonce string) (string, error) {
	if nonce == "" || len(nonce) > 128 {
		return "", trust.Errorf(trust.Invalid, "a nonce is 1 to 128 bytes; this one has %d", len(nonce))
	}
	s := n.State()
	if _, ok := s.Participant.Partner(from); !ok {
		return "", trust.Errorf(trust.Denied, "participant %s is not a partner here", from)
	}
	h := heads{}
	for _, lane := range edge.Lanes() {
		h[lane] = s.Edge.Next(from, lane) - 1
	}
	return jose.Sign(n.Keys.Signer(participant.StreamKey), setType, heartbeat{
		Iss: n.self, Aud: from, Iat: n.Now(), Jti: nonce,
		Edge:   word{Epoch: s.At.Position.Epoch, Heads: h, Checkpoint: n.trust.Checkpoint()},
		Events: map[string]verificationBody{verificationEvent: {State: nonce}},
	})
}

// keepHeartbeat asks a partner for its word until ctx ends. A suspended partner
// is asked too: suspension stops decisions, never delivery.
func (n *Node) keepHeartbeat(ctx context.Context, partner trust.ParticipantID) {
	compared := false
	for ctx.Err() == nil {
		err := n.ask(ctx, partner)
		if err == nil && !compared {
			compared, err = n.lookForLoss(ctx, partner)
		}
		n.Meter.Heartbeat(err == nil)
		if err != nil && ctx.Err() == nil {
			n.Log.Debug("no word from a partner", "partner", partner.String(), "error", err)
		}
		if err := n.watchPosture(ctx, partner); err != nil && ctx.Err() == nil {
			n.Log.Error("something of a partner's lapsed, and that is not on record", "partner", partner.String(), "error", err)
		}
		wait(ctx, nil, n.Config.Heartbeat)
	}
}

// ask sends a fresh nonce and takes the answer.
func (n *Node) ask(ctx context.Context, id trust.ParticipantID) error {
	partner, ok := n.State().Participant.Partner(id)
	if !ok {
		return trust.Errorf(trust.NotFound, "participant %s is not known", id)
	}
	nonce, err := n.drawNonce()
	if err != nil {
		return err
	}
	body, err := canonical.Marshal(Nonce{Nonce: nonce})
	if err != nil {
		return err
	}
	before, sent := n.State(), n.Clock.Mark()
	ctx, cancel := context.WithTimeout(ctx, max(n.Config.Heartbeat, time.Second))
	defer cancel()
	answer, err := n.Send.Send(ctx, *partner, Outgoing{
		Method: http.MethodPost, Path: HeartbeatPath, ContentType: "application/json", Body: body,
	})
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return trust.Errorf(trust.Unavailable, "%s answered %d to a heartbeat", id, answer.Status)
	}
	w, signed, err := n.hear(ctx, before, *partner, nonce, answer.Body)
	if err == nil {
		err = n.compare(ctx, id, sent, signed) // before anything may rest on the word
	}
	// An age by a wrong time would look younger when that is put right, or when a
	// demo's is moved back.
	if err == nil && !sent.Doubted && sent.Shifted == n.Clock.Mark().Shifted {
		n.views.answered(id, sent, w.Heads, n.State())
	}
	return err
}

func (n *Node) drawNonce() (string, error) {
	random := make([]byte, nonceBytes)
	if _, err := io.ReadFull(n.Rand, random); err != nil {
		return "", trust.Errorf(trust.Internal, "drawing a nonce: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(random), nil
}

// hear checks a heartbeat answer and gives the word with the time it was signed
// at. A head below what was applied here before the
// nonce was sent, or an older epoch, is a break: the partner contradicts what it
// proved.
func (n *Node) hear(ctx context.Context, before *state.Snapshot, from participant.Partner, nonce string, jws []byte) (word, int64, error) {
	payload, err := n.verifyStream(from, jws)
	if err != nil {
		return word{}, 0, err
	}
	var h heartbeat
	if err := canonical.Decode(payload, &h); err != nil {
		return word{}, 0, err
	}
	id := from.Card.ID
	if h.Iss != id || h.Aud != n.self || len(h.Events) != 1 || h.Events[verificationEvent].State != nonce {
		return word{}, 0, trust.Errorf(trust.Denied, "the heartbeat of %s does not answer this node's nonce", id)
	}
	for _, lane := range edge.Lanes() {
		head, ok := h.Edge.Heads[lane]
		epoch, applied := before.Edge.Position(id, lane)
		if !ok || len(h.Edge.Heads) != len(edge.Lanes()) {
			return word{}, 0, trust.Errorf(trust.Invalid, "the heartbeat of %s does not name the head of each lane", id)
		}
		if epoch != 0 && h.Edge.Epoch > epoch {
			return word{}, 0, n.holdEpoch(ctx, id, h.Edge.Epoch)
		}
		if h.Edge.Epoch < before.Edge.Held(id) {
			return word{}, 0, n.breakEdge(ctx, id, lane, edge.RulePastEpoch)
		}
		if h.Edge.Epoch < epoch || head < applied {
			return word{}, 0, n.breakEdge(ctx, id, lane, "head_below_proven")
		}
	}
	return h.Edge, h.Iat, nil
}

// breakEdge records that a partner contradicts what it proved before.
func (n *Node) breakEdge(ctx context.Context, id trust.ParticipantID, lane edge.Lane, rule string) error {
	_, err := n.change(ctx, func(c *change) error { return c.contradicted(id, lane, rule) })
	return err
}

// contradicted records a break once, and refuses every time: a partner that
// repeats itself fills no log. Who is to accept an epoch has to see that somebody
// still speaks in one before it, so that is recorded of an edge that waits for it.
func (c *change) contradicted(id trust.ParticipantID, lane edge.Lane, rule string) error {
	refused := trust.Errorf(trust.Conflict, "%s contradicts what it proved before (%s, %s lane); the edge is suspended", id, rule, lane)
	if known, broken := c.Edge.Broken(id); broken && (known != edge.RuleNewEpoch || rule != edge.RulePastEpoch) {
		return refused
	}
	return c.refuse(refused, edge.Broken{From: id, Lane: lane, Rule: rule})
}
