package node

import (
	"context"

	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/trust"
)

// StreamReport is a stream as operators see it. Owes is how many events its
// receiver has not taken, counted up to 1000; Oldest is when the first of them
// was.
type StreamReport struct {
	ID       string          `json:"id"`
	Client   string          `json:"client"`
	Delivery stream.Delivery `json:"delivery"`
	Events   []signal.Type   `json:"events"`
	Status   stream.Status   `json:"status"`
	MovedBy  stream.Party    `json:"moved_by"`
	Rule     stream.Rule     `json:"rule,omitempty"`
	Since    trust.Instant   `json:"since"`
	Subjects int             `json:"subjects"` // that were added
	Owes     int             `json:"owes"`
	Oldest   trust.Instant   `json:"oldest,omitzero"`
}

// StreamReports gives every stream, or the one of an identifier, which fails with
// NotFound where there is none.
func (n *Node) StreamReports(ctx context.Context, a Actor, id string) ([]StreamReport, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	all := []StreamReport{}
	for s := range n.State().Stream.All() {
		if id != "" && id != s.ID {
			continue
		}
		r := StreamReport{
			ID: s.ID, Client: s.Client, Delivery: s.Delivery, Events: s.Events, Status: s.Status, MovedBy: s.MovedBy, Rule: s.Rule,
			Since: trust.Instant(s.Since), Subjects: s.Subjects.Len(),
		}
		if err := n.owesOf(ctx, s, &r); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	if id != "" && len(all) == 0 {
		return nil, trust.Errorf(trust.NotFound, "stream %s is not known", id)
	}
	return all, nil
}

// owesOf counts what a stream owes as if it ran.
func (n *Node) owesOf(ctx context.Context, s *stream.Stream, r *StreamReport) error {
	o, err := n.outlet(ctx, s.ID)
	if err != nil {
		return err
	}
	defer o.Unlock()
	as := *s
	if as.Status == stream.Paused {
		as.Status = stream.Enabled
	}
	items, err := n.owed(ctx, &as, o, maxOutstanding)
	if err != nil {
		return err
	}
	for _, i := range items {
		if i.n == 0 {
			continue // about the stream itself
		}
		if r.Owes++; r.Owes == 1 {
			r.Oldest = trust.Instant(i.claims.Iat)
		}
	}
	return nil
}
