package node

import (
	"context"
	"slices"
	"strings"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/trust"
)

// Drift is where agreed, granted and used differ at this host, an agreement at a
// time: a role of its home's callers that is agreed and that no mapping gives
// anything, or a mapping that nobody used for as long as the agreement may go
// without a review. With no role it is all callers of the class.
type Drift struct {
	Kind      finding.Kind        `json:"kind"` // agreed_not_granted or granted_not_used
	Partner   trust.ParticipantID `json:"partner"`
	Agreement string              `json:"agreement"` // its name
	Class     trust.Class         `json:"class"`
	Role      string              `json:"role,omitempty"`
	Mapping   string              `json:"mapping,omitempty"` // its name
	Granted   trust.Instant       `json:"granted,omitzero"`  // the mapping, since when
	LastUsed  trust.Instant       `json:"last_used,omitzero"`
}

// drift lists it in a scope, as far as uses were counted, by the names of the
// agreements.
func (c *change) drift(scope review.Scope) (all []Drift) {
	if scope.Kind == review.Client {
		return nil
	}
	for a := range c.Agreement.All() {
		_, alive := a.Alive(c.now)
		if !alive || a.Host() != c.n.self || !scope.Partner.IsZero() && scope.Partner != a.Home() || scope.Agreement != "" && scope.Agreement != a.ID {
			continue
		}
		all = append(all, c.driftOf(a)...)
	}
	slices.SortStableFunc(all, func(a, b Drift) int { return strings.Compare(a.Agreement, b.Agreement) })
	return all
}

func (c *change) driftOf(a *agreement.Agreement) (all []Drift) {
	d := &a.Revision.Document
	for _, part := range c.partsOf(a) {
		if part.granted == 0 {
			all = append(all, Drift{Kind: finding.NotGranted, Partner: a.Home(), Agreement: d.Name, Class: part.class, Role: part.role})
		}
	}
	since := c.now - int64(d.ReviewEvery)
	for _, m := range c.Mapping.For(a.ID) {
		last := c.n.usage.used(useOf(m)).last
		if m.Alive(c.now) && m.Since <= since && last <= since {
			all = append(all, Drift{
				Kind: finding.NotUsed, Partner: a.Home(), Agreement: d.Name, Class: m.Document.From.Class, Role: m.Document.From.Equals,
				Mapping: m.Document.Name, Granted: trust.Instant(m.Since), LastUsed: trust.Instant(last),
			})
		}
	}
	return all
}

// raiseDrift makes a finding of what a review leaves behind, one of each partner
// and kind.
func (c *change) raiseDrift(r *review.Campaign) error {
	for _, d := range c.drift(r.Scope) {
		about := finding.Subject{Partner: d.Partner, Side: finding.Host, Kind: d.Kind, From: r.N, To: r.N}
		if err := c.take(c.Finding.Raise(about, c.findingOwner(d.Partner, finding.Host), c.now)); err != nil {
			return err
		}
	}
	return nil
}

// Drift tells where agreed, granted and used differ in the scope of a review, as
// of now, once all uses have been counted. Admins and auditors may look.
func (n *Node) Drift(ctx context.Context, a Actor, id string) ([]Drift, Progress, error) {
	if err := n.read(a); err != nil {
		return nil, Progress{}, err
	}
	s := n.State()
	r, ok := s.Review.Get(id)
	if !ok {
		return nil, Progress{}, trust.Errorf(trust.NotFound, "review %q is not known here", id)
	}
	counted, err := n.countUses(ctx)
	if err != nil {
		return nil, counted, err
	}
	return (&change{Snapshot: s, now: n.Now(), n: n, ctx: ctx}).drift(r.Scope), counted, nil
}
