package node

import (
	"context"
	"errors"
	"net/http"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// mostPolled is how many tokens are asked for at a time: an answer has to fit
// into what is read of one.
const mostPolled = 24

// pollQuestion is the body of a poll (RFC 8936, section 2.2); Ack are tokens that
// are durable here, SetErrs those that were refused.
type pollQuestion struct {
	MaxEvents         int                `json:"maxEvents"`
	ReturnImmediately bool               `json:"returnImmediately"`
	Ack               []string           `json:"ack,omitempty"`
	SetErrs           map[string]pollErr `json:"setErrs,omitempty"`
}

type pollErr struct {
	Err         signal.Code `json:"err"`
	Description string      `json:"description"`
}

type pollAnswer struct {
	Sets          map[string]string `json:"sets"`
	MoreAvailable bool              `json:"moreAvailable"`
}

// poll reads a transmitter's stream until nothing more is there (RFC 8936). A
// token is acknowledged once it and its effect are durable; one that cannot be
// recorded now comes again.
func (n *Node) poll(ctx context.Context, t *signal.Transmitter, token string) error {
	q := pollQuestion{MaxEvents: mostPolled, ReturnImmediately: true}
	for ctx.Err() == nil {
		answer, err := n.pollOnce(ctx, t, token, &q)
		if err != nil {
			return err
		}
		q.Ack, q.SetErrs = nil, nil
		for id, jws := range answer.Sets {
			n.takePolled(ctx, t, id, jws, &q)
		}
		if len(q.Ack) == 0 && len(q.SetErrs) == 0 {
			return nil
		}
	}
	return nil
}

// pollOnce asks once. Where the answer was too long to read, fewer tokens are
// asked for.
func (n *Node) pollOnce(ctx context.Context, t *signal.Transmitter, token string, q *pollQuestion) (pollAnswer, error) {
	var a pollAnswer
	for {
		body, err := canonical.Marshal(q)
		if err != nil {
			return a, err
		}
		answer, err := n.postTo(ctx, t.PollURI, token, body)
		switch {
		case err != nil:
			return a, err
		case answer.Status != http.StatusOK:
			return a, trust.Errorf(trust.Unavailable, "transmitter %s answers %d to a poll", t.Name, answer.Status)
		case answer.Body == nil && q.MaxEvents > 1:
			q.MaxEvents /= 2
		default:
			return a, canonical.DecodeLoose(answer.Body, &a)
		}
	}
}

// takePolled takes one token, and notes what to answer.
func (n *Node) takePolled(ctx context.Context, t *signal.Transmitter, id, jws string, q *pollQuestion) {
	err := n.takeSignal(ctx, t, []byte(jws), id)
	refusal, refused := errors.AsType[*signal.Refusal](err)
	switch {
	case err == nil:
		q.Ack = append(q.Ack, id)
	case refused:
		n.Log.Warn("a transmitter's token was refused", "transmitter", t.Name, "code", string(refusal.Code))
		if q.SetErrs == nil {
			q.SetErrs = map[string]pollErr{}
		}
		q.SetErrs[id] = pollErr{refusal.Code, "This receiver does not take the token."}
	default:
		n.Log.Warn("a transmitter's token could not be recorded; it comes again", "transmitter", t.Name, "error", err)
	}
}
