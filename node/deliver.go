package node

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Paths of the partner plane.
const (
	MessagesPath  = "/edge/v1/messages"
	HeartbeatPath = "/edge/v1/heartbeat"
	CanaryPath    = "/edge/v1/canary"
	DrillsPath    = "/edge/v1/drills"
	setMediaType  = "application/secevent+jwt"
	jsonMediaType = "application/json"
)

const (
	cursorBucket = "edge.cursor" // partner and lane to the last number it acknowledged
	firstRetry   = 50 * time.Millisecond
	lastRetry    = 5 * time.Second
)

// keepDelivering sends one lane's messages to one partner, in order, each until
// it is acknowledged. A partner that is down costs nobody else anything.
func (n *Node) keepDelivering(ctx context.Context, to trust.ParticipantID, lane edge.Lane) {
	acked, err := n.cursor(ctx, to, lane)
	if err != nil {
		n.Log.Error("reading a delivery cursor; starting from the first message", "partner", to.String(), "error", err)
	}
	retry, former := firstRetry, false
	for ctx.Err() == nil {
		signal := n.deliverySignal(to)
		if n.State().Edge.Stage(to).Awaits() { // the numbers are not known yet
			wait(ctx, signal, time.Hour)
			continue
		}
		acked = max(acked, n.State().Edge.Proven(to).Of(lane))
		if acked+1 >= n.State().Edge.Next(to, lane) {
			wait(ctx, signal, time.Hour)
			continue
		}
		next, err := n.deliver(ctx, to, lane, acked+1, former)
		n.Meter.Delivered(string(lane), err == nil)
		if err != nil {
			former = !former // the partner may not have our newest card yet
			n.Log.Debug("message not accepted yet", "partner", to.String(), "lane", string(lane), "n", acked+1, "error", err)
			wait(ctx, signal, retry)
			retry = min(2*retry, lastRetry)
			continue
		}
		retry, acked = firstRetry, next-1
		if err := n.saveCursor(ctx, to, lane, acked); err != nil {
			n.Log.Warn("delivery cursor not saved; a message may be sent twice", "partner", to.String(), "error", err)
		}
	}
}

// deliver sends message number to a partner and gives the number to send next.
// With former it is sent under the keys from before the current ones, where
// there are such.
func (n *Node) deliver(ctx context.Context, to trust.ParticipantID, lane edge.Lane, number uint64, former bool) (uint64, error) {
	partner, ok := n.State().Participant.Partner(to)
	if !ok {
		return 0, trust.Errorf(trust.NotFound, "participant %s is not known", to)
	}
	by := n.Keys.Signer(participant.StreamKey)
	if old, ok := n.Keys.Former(participant.StreamKey); ok && former {
		by = old
	}
	jws, err := n.queued(ctx, by, to, lane, number)
	if err != nil {
		return 0, err
	}
	n.drills.sending(to, lane, number, n.Clock)
	next, need, err := n.post(ctx, *partner, jws, number, former)
	if err == nil && next > number {
		n.drills.accepted(to, lane, number, n.Clock)
	}
	if err != nil || len(need) == 0 {
		return next, err
	}
	if err := n.deliverList(ctx, *partner, lane, number, need, former); err != nil {
		return 0, err
	}
	next, need, err = n.post(ctx, *partner, jws, number, former)
	if len(need) > 0 {
		return 0, trust.Errorf(trust.Unavailable, "%s still lacks %d chunks of the list of message %d", to, len(need), number)
	}
	return next, err
}

// post sends a message and gives the number to send next, which is the same again
// where the partner first needs the chunks with these hashes.
func (n *Node) post(ctx context.Context, to participant.Partner, jws string, number uint64, former bool) (next uint64, need []string, err error) {
	answer, err := n.Send.Send(ctx, to, Outgoing{
		Method: http.MethodPost, Path: MessagesPath, ContentType: setMediaType, Body: []byte(jws), Former: former,
	})
	switch {
	case err != nil:
		return 0, nil, err
	case answer.Status == http.StatusAccepted:
		return number + 1, nil, nil
	case answer.Status == http.StatusConflict:
		var gap struct {
			Expected uint64   `json:"expected"`
			Need     []string `json:"need"`
		}
		if err := canonical.DecodeLoose(answer.Body, &gap); err != nil || gap.Expected == 0 || gap.Expected > number {
			return 0, nil, trust.Errorf(trust.Unavailable, "%s sees a gap before message %d and does not say where", to.Card.ID, number)
		}
		return gap.Expected, gap.Need, nil
	default:
		return 0, nil, trust.Errorf(trust.Unavailable, "%s answered %d to message %d", to.Card.ID, answer.Status, number)
	}
}

// queued renders a queued message from the log.
func (n *Node) queued(ctx context.Context, by jose.Signer, to trust.ParticipantID, lane edge.Lane, number uint64) (string, error) {
	q, record, err := n.queuedEntry(ctx, to, lane, number)
	if err != nil {
		return "", err
	}
	content, err := n.Keys.Unseal(ctx, q.Owner, record.Sealed)
	gone := trust.KindOf(err) == trust.NotFound
	if err != nil && !gone {
		return "", err
	}
	if q, content, err = n.asItIsNow(ctx, to, q, content, gone); err != nil {
		return "", err
	}
	return n.render(by, to, q, record.Stamp(), content)
}

// queuedEntry reads the entry of a queued message.
func (n *Node) queuedEntry(ctx context.Context, to trust.ParticipantID, lane edge.Lane, number uint64) (q edge.Queued, record ledger.Record, err error) {
	at, ok := n.State().Edge.Locate(to, lane, number)
	if !ok {
		return q, record, trust.Errorf(trust.NotFound, "%s message %d to %s was never queued", lane, number, to)
	}
	record, err = n.trust.Entry(ctx, at.N)
	if err != nil {
		return q, record, err
	}
	event, err := n.codec.Decode(trust.Kind{Name: record.Kind, Version: record.Version}, record.Body)
	if err != nil {
		return q, record, err
	}
	if q, ok = event.(edge.Queued); !ok {
		return q, record, trust.Errorf(trust.Internal, "entry %s is %s, where a queued message should stand", record.Position, record.Kind)
	}
	return q, record, nil
}

// Messages gives a partner its own messages of a lane after a number, for a
// partner that lost some.
func (n *Node) Messages(ctx context.Context, from trust.ParticipantID, lane edge.Lane, after uint64, limit int) ([]string, error) {
	var out []string
	for number := after + 1; number < n.State().Edge.Next(from, lane) && len(out) < limit; number++ {
		jws, err := n.queued(ctx, n.Keys.Signer(participant.StreamKey), from, lane, number)
		if err != nil {
			return nil, err
		}
		out = append(out, jws)
	}
	return out, nil
}

func cursorKey(to trust.ParticipantID, lane edge.Lane) string {
	return to.String() + " " + string(lane)
}

func (n *Node) cursor(ctx context.Context, to trust.ParticipantID, lane edge.Lane) (uint64, error) {
	value, err := n.Store.Get(ctx, cursorBucket, cursorKey(to, lane))
	if trust.KindOf(err) == trust.NotFound {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(string(value), 10, 64)
}

func (n *Node) saveCursor(ctx context.Context, to trust.ParticipantID, lane edge.Lane, acked uint64) error {
	return n.Store.Put(ctx, store.Pair{
		Bucket: cursorBucket, Key: cursorKey(to, lane), Value: strconv.AppendUint(nil, acked, 10),
	})
}

// wait returns when the signal comes, the time is up or ctx ends.
func wait(ctx context.Context, signal <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-signal:
	case <-t.C:
	}
}
