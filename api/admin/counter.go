package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

// Counters are the use cases about what hosts told us of our own people.
type Counters interface {
	Counters(ctx context.Context, a node.Actor, q node.CounterQuery) ([]node.Counter, receipt.Place, error)
	CountersOf(ctx context.Context, a node.Actor, id string) ([]node.Counter, error)
}

var counterRoutes = map[string]route{
	"GET /v1/counters": lists[node.Counter](handler.listCounters, "Lists a host's counter-records by number.", nil).with(
		needs[trust.ParticipantID]("host", "whose account it is"),
		asks[uint64]("from", "the number of the first one"),
		asks[uint]("limit", "how many at most; 100 unless told"),
		asks[string]("issuer", "only of a subject at this issuer"),
		asks[string]("subject", "only of this subject")),
	"GET /v1/counters/{id}": lists[node.Counter](handler.showCounter, "Gives the counter-records of a txn, or of a reference that a host quoted.", nil),
}

func (h handler) listCounters(ctx context.Context, r request) (any, error) {
	query := r.URL.Query()
	host, err := trust.ParseParticipantID(query.Get("host"))
	if err != nil {
		return nil, err
	}
	from, limit := receipt.Place{N: 1}, 100
	if text := query.Get("from"); text != "" {
		if from, err = receipt.ParsePlace(text); err != nil {
			return nil, err
		}
	}
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil {
			return nil, trust.Errorf(trust.Invalid, "limit %q is no number", text)
		}
	}
	items, next, err := h.node.Counters(ctx, r.actor, node.CounterQuery{
		Host: host, From: from, Limit: limit, Issuer: query.Get("issuer"), Subject: query.Get("subject"),
	})
	list := listOf("Counter", items)
	if next != (receipt.Place{}) {
		list.Next = next.String()
	}
	return list, err
}

func (h handler) showCounter(ctx context.Context, r request) (any, error) {
	items, err := h.node.CountersOf(ctx, r.actor, r.PathValue("id"))
	return listOf("Counter", items), err
}

// Counters lists counter-records of one host by number. Next is the number of
// the next page.
func (c *Client) Counters(ctx context.Context, q node.CounterQuery) (List[node.Counter], error) {
	query := url.Values{"host": {q.Host.String()}, "from": {q.From.String()}, "limit": {strconv.Itoa(q.Limit)}}
	if q.Issuer != "" || q.Subject != "" {
		query.Set("issuer", q.Issuer)
		query.Set("subject", q.Subject)
	}
	return call[List[node.Counter]](ctx, c, http.MethodGet, "/v1/counters?"+query.Encode(), nil)
}

// CountersOf gives the counter-records of a txn, or of a reference that a host
// quoted.
func (c *Client) CountersOf(ctx context.Context, id string) (List[node.Counter], error) {
	return call[List[node.Counter]](ctx, c, http.MethodGet, "/v1/counters/"+url.PathEscape(id), nil)
}
