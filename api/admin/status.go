package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Clock is the injected offset of a demo node's time.
type Clock struct {
	OffsetSeconds int64 `json:"offset_seconds"`
}

// MachineClock is how far the machine's own clock of a demo node is set ahead of
// the true time.
type MachineClock struct {
	AheadSeconds int64 `json:"ahead_seconds"`
}

// ClockAcceptance takes the machine's time for the right one.
type ClockAcceptance struct {
	Reason string `json:"reason"`
}

// EpochAcceptance lets a partner speak in the epoch that it opened.
type EpochAcceptance struct {
	Participant trust.ParticipantID `json:"participant"`
	Epoch       uint32              `json:"epoch"`
	Reason      string              `json:"reason"`
}

// Forgoing lets decisions go on without a partner's word about what was lost.
type Forgoing struct {
	Participant trust.ParticipantID `json:"participant"`
	Reason      string              `json:"reason"`
}

// AcceptedEpoch is where that stands.
type AcceptedEpoch struct {
	Position trust.Position `json:"position"`
}

var statusRoutes = map[string]route{
	"GET /v1/status":        gives[node.Status](handler.status, "Tells how the node is."),
	"PUT /v1/clock":         takes[Clock](handler.setClock, "Moves the time of a demo node, in whole seconds; others refuse it."),
	"PUT /v1/clock/machine": takes[MachineClock](handler.setMachineClock, "Sets the machine's own clock of a demo node, in whole seconds ahead of the true time; others refuse it."),
	"POST /v1/clock/accept": answers[ClockAcceptance, node.ClockStatus](handler.acceptClock, "Takes the machine's time for the right one, and gives how the clock stands then."),
	"GET /v1/recovery":      gives[node.Recovery](handler.recovery, "Tells how far a recovery of the node has come, and which partners wait with an epoch of theirs."),
	"POST /v1/epochs":       answers[EpochAcceptance, AcceptedEpoch](handler.acceptEpoch, "Lets a partner that recovered speak in its epoch."),

	"POST /v1/recovery/without": answers[Forgoing, node.Resumption](handler.goOnWithout, "Lets a recovered node decide without a partner's word about what was lost; two people say so."),
}

func (h handler) status(ctx context.Context, _ request) (any, error) {
	return h.node.Status(ctx), nil
}

func (h handler) setClock(ctx context.Context, r request) (any, error) {
	c, err := body[Clock](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.SetClock(ctx, r.actor, time.Duration(c.OffsetSeconds)*time.Second)
}

func (h handler) setMachineClock(ctx context.Context, r request) (any, error) {
	c, err := body[MachineClock](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.SetMachineClock(ctx, r.actor, time.Duration(c.AheadSeconds)*time.Second)
}

func (h handler) acceptClock(ctx context.Context, r request) (any, error) {
	c, err := body[ClockAcceptance](r)
	if err != nil {
		return nil, err
	}
	return h.node.AcceptClock(ctx, r.actor, c.Reason)
}

func (h handler) recovery(ctx context.Context, r request) (any, error) {
	return h.node.Recovery(ctx, r.actor)
}

func (h handler) goOnWithout(ctx context.Context, r request) (any, error) {
	f, err := body[Forgoing](r)
	if err != nil {
		return nil, err
	}
	return h.node.GoOnWithout(ctx, r.actor, f.Participant, f.Reason)
}

func (h handler) acceptEpoch(ctx context.Context, r request) (any, error) {
	e, err := body[EpochAcceptance](r)
	if err != nil {
		return nil, err
	}
	at, err := h.node.AcceptEpoch(ctx, r.actor, e.Participant, e.Epoch, e.Reason)
	return AcceptedEpoch{at}, err
}

// Status tells how the node is.
func (c *Client) Status(ctx context.Context) (node.Status, error) {
	return call[node.Status](ctx, c, http.MethodGet, "/v1/status", nil)
}

// SetClock moves the time of a demo node, in whole seconds; others refuse it.
func (c *Client) SetClock(ctx context.Context, offset time.Duration) error {
	return c.do(ctx, http.MethodPut, "/v1/clock", Clock{int64(offset / time.Second)})
}

// SetMachineClock sets the machine's own clock of a demo node, in whole seconds
// ahead of the true time; others refuse it.
func (c *Client) SetMachineClock(ctx context.Context, ahead time.Duration) error {
	return c.do(ctx, http.MethodPut, "/v1/clock/machine", MachineClock{int64(ahead / time.Second)})
}

// AcceptClock takes the machine's time for the right one, and gives how the clock
// stands then.
func (c *Client) AcceptClock(ctx context.Context, reason string) (node.ClockStatus, error) {
	return call[node.ClockStatus](ctx, c, http.MethodPost, "/v1/clock/accept", ClockAcceptance{reason})
}

// Recovery tells how far a recovery of the node has come, and which partners wait
// with an epoch of theirs.
func (c *Client) Recovery(ctx context.Context) (node.Recovery, error) {
	return call[node.Recovery](ctx, c, http.MethodGet, "/v1/recovery", nil)
}

// GoOnWithout lets a recovered node decide without a partner's word about what was
// lost; two people say so.
func (c *Client) GoOnWithout(ctx context.Context, f Forgoing) (node.Resumption, error) {
	return call[node.Resumption](ctx, c, http.MethodPost, "/v1/recovery/without", f)
}

// AcceptEpoch lets a partner that recovered speak in its epoch.
func (c *Client) AcceptEpoch(ctx context.Context, e EpochAcceptance) (AcceptedEpoch, error) {
	return call[AcceptedEpoch](ctx, c, http.MethodPost, "/v1/epochs", e)
}
