package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Drills are the use cases about rehearsed revocations.
type Drills interface {
	Drill(ctx context.Context, a node.Actor, r node.DrillRequest) (node.Drilled, error)
	Drills(a node.Actor, window time.Duration, class trust.Class) ([]node.LinkReport, error)
}

var drillRoutes = map[string]route{
	"GET /v1/drills": lists[node.LinkReport](handler.reportDrills, "Reports every link's drills.", func(l node.LinkReport) string { return l.Agreement + " " + l.Home.String() + " " + l.Host.String() }).with(
		asks[uint]("window", "only of the last so many seconds; 0: all"),
		asks[trust.Class]("class", "only of this class")),
	"POST /v1/drills": answers[node.DrillRequest, node.Drilled](handler.runDrill, "Holds one drill and gives what it came to."),
}

// runDrill holds one drill. It takes as long as a canary is let in, and that may
// be longer than any other answer takes.
func (h handler) runDrill(ctx context.Context, r request) (any, error) {
	what, err := body[node.DrillRequest](r)
	if err != nil {
		return nil, err
	}
	_ = http.NewResponseController(r.w).SetWriteDeadline(time.Time{}) // a writer without one needs none
	return h.node.Drill(ctx, r.actor, what)
}

// reportDrills reports the links over a window in seconds, and of one class.
func (h handler) reportDrills(_ context.Context, r request) (any, error) {
	query := r.URL.Query()
	var seconds int64
	if text := query.Get("window"); text != "" {
		var err error
		if seconds, err = strconv.ParseInt(text, 10, 32); err != nil || seconds < 0 {
			return nil, trust.Errorf(trust.Invalid, "window %q is not a number of seconds", text)
		}
	}
	class := trust.Class(query.Get("class"))
	if class != "" && !class.Valid() {
		return nil, trust.Errorf(trust.Invalid, "class %q does not exist", class)
	}
	items, err := h.node.Drills(r.actor, time.Duration(seconds)*time.Second, class)
	return listOf("LinkReport", items), err
}

// Drill holds one drill and gives what it came to.
func (c *Client) Drill(ctx context.Context, r node.DrillRequest) (node.Drilled, error) {
	return call[node.Drilled](ctx, c, http.MethodPost, "/v1/drills", r)
}

// Drills reports every link's drills over a window, 0 for all, and of one class or
// of all ("").
func (c *Client) Drills(ctx context.Context, window time.Duration, class trust.Class) (List[node.LinkReport], error) {
	query := url.Values{"window": {strconv.FormatInt(int64(window/time.Second), 10)}, "class": {string(class)}}
	return call[List[node.LinkReport]](ctx, c, http.MethodGet, "/v1/drills?"+query.Encode(), nil)
}
