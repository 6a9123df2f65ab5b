package admin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/stream"
)

// Streams are the use cases about the streams that receivers have opened.
type Streams interface {
	StreamReports(ctx context.Context, a node.Actor, id string) ([]node.StreamReport, error)
	MoveStream(ctx context.Context, a node.Actor, id string, to stream.Status, why string) error
	RemoveStream(ctx context.Context, a node.Actor, id string) error
}

// StreamStatus is what a stream is moved to, and why.
type StreamStatus struct {
	Status stream.Status `json:"status"`
	Reason string        `json:"reason"`
}

var streamRoutes = map[string]route{
	"GET /v1/streams":         lists[node.StreamReport](handler.listStreams, "Lists the streams by client.", func(s node.StreamReport) string { return s.ID }),
	"GET /v1/streams/{id}":    gives[node.StreamReport](handler.showStream, "Shows a stream."),
	"PUT /v1/streams/{id}":    takes[StreamStatus](handler.moveStream, "Pauses a stream, or lets it run again."),
	"DELETE /v1/streams/{id}": does(handler.removeStream, "Ends a stream."),
}

func (h handler) listStreams(ctx context.Context, r request) (any, error) {
	all, err := h.node.StreamReports(ctx, r.actor, "")
	return listOf("Stream", all), err
}

func (h handler) showStream(ctx context.Context, r request) (any, error) {
	all, err := h.node.StreamReports(ctx, r.actor, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

func (h handler) moveStream(ctx context.Context, r request) (any, error) {
	to, err := body[StreamStatus](r)
	if err != nil {
		return nil, err
	}
	return nil, h.node.MoveStream(ctx, r.actor, r.PathValue("id"), to.Status, to.Reason)
}

func (h handler) removeStream(ctx context.Context, r request) (any, error) {
	return nil, h.node.RemoveStream(ctx, r.actor, r.PathValue("id"))
}

// Streams lists the streams by client.
func (c *Client) Streams(ctx context.Context) (List[node.StreamReport], error) {
	return call[List[node.StreamReport]](ctx, c, http.MethodGet, "/v1/streams", nil)
}

// Stream shows one of them.
func (c *Client) Stream(ctx context.Context, id string) (node.StreamReport, error) {
	return call[node.StreamReport](ctx, c, http.MethodGet, "/v1/streams/"+url.PathEscape(id), nil)
}

// MoveStream pauses a stream, or lets it run again.
func (c *Client) MoveStream(ctx context.Context, id string, to StreamStatus) error {
	return c.do(ctx, http.MethodPut, "/v1/streams/"+url.PathEscape(id), to)
}

// RemoveStream ends a stream.
func (c *Client) RemoveStream(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/v1/streams/"+url.PathEscape(id), nil)
}
