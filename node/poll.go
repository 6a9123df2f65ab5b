package node

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/trust"
)

const (
	pollWait  = 20 * time.Second // for an event to come
	pollItems = 100              // in one answer
)

// PollRequest is what a receiver says when it asks for events (RFC 8936, section
// 2.4). Max nil is as many as fit.
type PollRequest struct {
	Max         *int
	Immediately bool
	Acked       []string            // by jti: it has them
	Refused     map[string]Rejected // by jti: it will not take them
}

// Rejected is why a receiver will not take an event: a code of RFC 8935, section
// 2.4, and its own words.
type Rejected struct {
	Code  string
	Words string
}

// PollAnswer is what it gets: tokens by jti, and whether there are more.
type PollAnswer struct {
	Sets map[string]string
	More bool
}

// Poll takes a receiver's acknowledgements, durably, and gives what the stream
// owes it; where that is nothing, and the receiver wants to wait, it waits a
// while. What is not acknowledged is given again. It fails with NotFound, Denied
// or Invalid.
func (r *Receiver) Poll(ctx context.Context, id string, p PollRequest) (PollAnswer, error) {
	if err := r.manage(); err != nil {
		return PollAnswer{}, err
	}
	if p.Max != nil && *p.Max < 0 || len(p.Acked)+len(p.Refused) > maxOutstanding {
		return PollAnswer{}, trust.Errorf(trust.Invalid, "a poll wants 0 or more events and answers for at most %d", maxOutstanding)
	}
	if err := r.settle(ctx, id, p); err != nil {
		return PollAnswer{}, err
	}
	limit := pollItems
	if p.Max != nil {
		limit = min(*p.Max, pollItems)
	}
	ctx, cancel := context.WithTimeout(ctx, pollWait)
	defer cancel()
	for {
		changed, verified := r.n.trust.Watch(), r.n.outlets.signal()
		answer, err := r.owes(context.WithoutCancel(ctx), id, limit)
		if err != nil || p.Immediately || limit == 0 || len(answer.Sets) > 0 {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, nil
		case <-changed:
		case <-verified:
		case <-r.n.sessions.lasts.Done():
			return answer, nil
		}
	}
}

func (r *Receiver) polled(id string) (*stream.Stream, error) {
	s, err := r.owned(r.n.State(), id)
	if err == nil && s.Delivery.Method != stream.Poll {
		return nil, trust.Errorf(trust.NotFound, "there is no such stream")
	}
	return s, err
}

// settle takes what the receiver says of earlier events.
func (r *Receiver) settle(ctx context.Context, id string, p PollRequest) error {
	s, err := r.polled(id)
	if err != nil || len(p.Acked)+len(p.Refused) == 0 {
		return err
	}
	o, err := r.n.outlet(ctx, id)
	if err != nil {
		return err
	}
	defer o.Unlock()
	items, err := r.n.owed(ctx, s, o, maxOutstanding)
	if err != nil {
		return err
	}
	var done []item
	for _, i := range items {
		why, refused := p.Refused[i.claims.Jti]
		if refused {
			if err := r.n.rejected(ctx, id, i, why); err != nil {
				return err
			}
		}
		if refused || slices.Contains(p.Acked, i.claims.Jti) {
			done = append(done, i)
		}
	}
	if len(done) == 0 {
		return nil
	}
	r.n.Meter.Signalled(string(stream.Poll), len(done))
	return r.n.take(ctx, s, o, done...)
}

func (r *Receiver) owes(ctx context.Context, id string, limit int) (PollAnswer, error) {
	answer := PollAnswer{Sets: map[string]string{}}
	s, err := r.polled(id)
	if err != nil {
		return answer, err
	}
	o, err := r.n.outlet(ctx, id)
	if err != nil {
		return answer, err
	}
	defer o.Unlock()
	items, err := r.n.owed(ctx, s, o, limit+1)
	if err != nil {
		return answer, err
	}
	for _, i := range items[:min(limit, len(items))] {
		if answer.Sets[i.claims.Jti], err = r.n.signed(i); err != nil {
			return answer, err
		}
	}
	answer.More = len(items) > limit
	return answer, nil
}

// codes are those by which a receiver refuses an event (RFC 8935, section 2.4).
var codes = []string{"invalid_request", "invalid_key", "invalid_issuer", "invalid_audience", "authentication_failed", "access_denied"}

// rejected records that a receiver will not take an event, and moves the stream
// with it where more is given.
func (n *Node) rejected(ctx context.Context, id string, i item, why Rejected, moves ...stream.Moved) error {
	if !slices.Contains(codes, why.Code) {
		why.Code = "other"
	}
	words := strings.ToValidUTF8(why.Words[:min(len(why.Words), maxWords)], "")
	_, err := n.change(ctx, func(c *change) error {
		if _, there := c.Stream.Get(id); !there {
			return nil
		}
		if err := c.addSealed(stream.Rejected{ID: id, JTI: i.claims.Jti, Code: why.Code}, sealed{text: moveText{words}}); err != nil {
			return err
		}
		for _, m := range moves {
			if err := c.take(c.Stream.Move(m)); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}
