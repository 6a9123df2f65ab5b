package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

const (
	defaultPage = 100
	maxPage     = 500
)

// Checkpoint is a log's newest signed checkpoint, a C2SP signed note; empty
// before the first entry.
type Checkpoint struct {
	Log  string `json:"log"`
	Note string `json:"note"`
}

// Past is the trust state after the last entry that is not later than a moment.
// Position and At are that entry's; Framework is nil where none was in force.
type Past struct {
	Position       trust.Position     `json:"position"`
	At             trust.Instant      `json:"at"`
	Framework      *Framework         `json:"framework,omitempty"`
	Policy         string             `json:"policy,omitempty"` // hash
	Participants   []Participant      `json:"participants"`
	Agreements     []Agreement        `json:"agreements"`
	Mappings       []Mapping          `json:"mappings"`
	Services       []service.Document `json:"services"`
	Ended          int                `json:"engagements_ended"`   // subjects with an ended engagement
	Opened         int                `json:"engagements_waiting"` // for approval
	KeysRevoked    int                `json:"keys_revoked"`
	IssuersRevoked int                `json:"issuers_revoked"`
}

var ledgerRoutes = map[string]route{
	"GET /v1/ledger/{log}/entries": lists[node.EntryView](handler.listEntries, "Lists a log's entries by number.", nil).with(
		asks[uint64]("from", "the number of the first one"),
		asks[uint]("limit", "how many at most; 100 unless told, and never more than 500")),
	"GET /v1/ledger/{log}/checkpoint": gives[Checkpoint](handler.checkpoint, "Gives a log's newest signed checkpoint."),
	"GET /v1/state":                   gives[Past](handler.stateAt, "Gives the trust state as it was at a moment.").with(needs[trust.Instant]("at", "the moment")),
}

// number reads an optional query parameter.
func number(r request, name string, otherwise uint64) (uint64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, trust.Errorf(trust.Invalid, "%s is not a number", name)
	}
	return n, nil
}

func (h handler) listEntries(ctx context.Context, r request) (any, error) {
	from, err := number(r, "from", 0)
	if err != nil {
		return nil, err
	}
	limit, err := number(r, "limit", defaultPage)
	if err != nil {
		return nil, err
	}
	items, next, err := h.node.Entries(ctx, r.actor, r.PathValue("log"), from, int(min(limit, maxPage)))
	if err != nil {
		return nil, err
	}
	list := listOf("Entry", items)
	if next != 0 {
		list.Next = strconv.FormatUint(next, 10)
	}
	return list, nil
}

func (h handler) checkpoint(_ context.Context, r request) (any, error) {
	log := r.PathValue("log")
	if log != store.TrustLog && log != store.DecisionLog {
		return nil, trust.Errorf(trust.NotFound, "log %q is neither %s nor %s", log, store.TrustLog, store.DecisionLog)
	}
	return Checkpoint{log, string(h.node.Checkpoint(log))}, nil
}

func (h handler) stateAt(ctx context.Context, r request) (any, error) {
	at, err := trust.ParseInstant(r.URL.Query().Get("at"))
	if err != nil {
		return nil, err
	}
	s, err := h.node.StateAt(ctx, r.actor, time.Unix(int64(at), 0))
	if err != nil {
		return nil, err
	}
	return handler{node: moment{h.node, s}}.past(), nil
}

// moment is a node whose state and time stand still.
type moment struct {
	Node
	snapshot *state.Snapshot
}

func (m moment) State() *state.Snapshot { return m.snapshot }
func (m moment) Now() int64             { return m.snapshot.At.At }

func (h handler) past() Past {
	s := h.node.State()
	p := Past{
		Position: s.At.Position, At: trust.Instant(s.At.At), Policy: s.Policy.Hash,
		Participants: h.participants(), Agreements: h.agreements(), Mappings: h.mappings(),
		Services: services(s),
		Ended:    s.Revocation.Tombstones.Len(), Opened: s.Revocation.Openings.Len(),
		KeysRevoked: s.Revocation.Keys.Len(), IssuersRevoked: s.Revocation.Issuers.Len(),
	}
	if f := s.Framework.Current; f != nil {
		v := viewFramework(InForce, f.Hash, f.Document, f.Signed)
		p.Framework = &v
	}
	return p
}

// Entries gives a page of a log's entries; limit 0 leaves its size to the node.
func (c *Client) Entries(ctx context.Context, log string, from uint64, limit int) (List[node.EntryView], error) {
	query := url.Values{"from": {strconv.FormatUint(from, 10)}}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return call[List[node.EntryView]](ctx, c, http.MethodGet, "/v1/ledger/"+url.PathEscape(log)+"/entries?"+query.Encode(), nil)
}

// Checkpoint gives a log's newest signed checkpoint.
func (c *Client) Checkpoint(ctx context.Context, log string) (Checkpoint, error) {
	return call[Checkpoint](ctx, c, http.MethodGet, "/v1/ledger/"+url.PathEscape(log)+"/checkpoint", nil)
}

// StateAt gives the trust state as it was at a moment.
func (c *Client) StateAt(ctx context.Context, at trust.Instant) (Past, error) {
	return call[Past](ctx, c, http.MethodGet, "/v1/state?at="+url.QueryEscape(at.String()), nil)
}
