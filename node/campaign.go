package node

import (
	"cmp"
	"context"
	"slices"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// CampaignOrder says what a review asks about and until when; what is empty stands
// for all. Agreement is a name. The date is Due, or For from now on.
type CampaignOrder struct {
	Kind      review.Kind         `json:"kind,omitempty"`
	Partner   trust.ParticipantID `json:"partner,omitzero"`
	Agreement string              `json:"agreement,omitempty"`
	Due       trust.Instant       `json:"due,omitzero"`
	For       trust.Span          `json:"for,omitzero"`
}

// CampaignWord is an answer for one item of a review: of an agreement by its name.
// What less of it stays is said by Mapping, a narrower one that awaits its approver
// in place of a mapping; or by any of Class, Service and Action, which are taken out
// of an agreement. Without them an agreement or a client is suspended. With a TLP
// marking the partner whom a suspension concerns is told the reason.
type CampaignWord struct {
	Kind    review.Kind       `json:"kind"`
	Name    string            `json:"name"`
	Said    review.Said       `json:"said"`
	Reason  string            `json:"reason"`
	Ticket  string            `json:"ticket,omitempty"`
	Mapping *mapping.Document `json:"mapping,omitempty"`
	Class   trust.Class       `json:"class,omitempty"`
	Service string            `json:"service,omitempty"`
	Action  trust.Action      `json:"action,omitempty"`
	TLP     suspension.TLP    `json:"tlp,omitempty"`
}

// check: what is said fits what it is said of.
func (w *CampaignWord) check() error {
	part := w.Class != "" || w.Service != "" || w.Action != ""
	narrows := w.Said == review.Reduce && w.Kind == review.Mapping
	switch {
	case w.Reason == "":
		return trust.Errorf(trust.Invalid, "a review is answered with a reason; this has none")
	case w.TLP != "" && !w.TLP.Valid():
		return trust.Errorf(trust.Invalid, "TLP %q is no marking of TLP 2.0", w.TLP)
	case narrows != (w.Mapping != nil):
		return trust.Errorf(trust.Invalid, "a mapping is reduced to a narrower one, and nothing else is; that one is missing, or too much")
	case part && (w.Said != review.Reduce || w.Kind != review.Agreement):
		return trust.Errorf(trust.Invalid, "a class, a service or an action is taken out of an agreement that is reduced, and of nothing else")
	}
	return nil
}

// OpenCampaign asks for an answer to everything of a scope that is granted now.
func (n *Node) OpenCampaign(ctx context.Context, a Actor, r CampaignOrder) (review.Campaign, error) {
	var id string
	_, err := n.write(ctx, a, func(c *change) error {
		scope, due := review.Scope{Kind: r.Kind, Partner: r.Partner}, int64(r.Due)
		if r.Agreement != "" {
			g, ok := c.Agreement.ByName(r.Agreement)
			if !ok {
				return trust.Errorf(trust.NotFound, "agreement %q is not known here", r.Agreement)
			}
			scope.Agreement = g.ID
		}
		if r.For > 0 {
			due = c.now + int64(r.For)
		}
		events, err := c.Review.Open(scope, due, c.reviewable(scope), a.ID, c.now)
		if err != nil {
			return err
		}
		id = events[0].(review.Opened).ID
		return c.add(events...)
	})
	if err != nil {
		return review.Campaign{}, err
	}
	opened, _ := n.State().Review.Get(id)
	return opened, nil
}

// reviewable lists what of a scope is granted now: mappings, clients, agreements,
// each by name.
func (c *change) reviewable(scope review.Scope) []review.Item {
	within := func(kind review.Kind, partner trust.ParticipantID, agreement string) bool {
		return (scope.Kind == "" || scope.Kind == kind) && (scope.Partner.IsZero() || scope.Partner == partner) &&
			(scope.Agreement == "" || scope.Agreement == agreement)
	}
	var mappings, clients, agreements []review.Item
	for m := range c.Mapping.All() {
		if a, ok := c.Agreement.ByID(m.Agreement); ok && m.Alive(c.now) && within(review.Mapping, a.Home(), a.ID) {
			mappings = append(mappings, review.Item{Kind: review.Mapping, Name: m.Document.Name, Since: m.Since})
		}
	}
	for one := range c.Client.All() {
		if !one.Ended && within(review.Client, one.Document.Participant, "") {
			clients = append(clients, review.Item{Kind: review.Client, Name: one.Document.ID})
		}
	}
	for a := range c.Agreement.All() {
		if _, alive := a.Alive(c.now); alive && within(review.Agreement, a.Other(c.n.self), a.ID) {
			agreements = append(agreements, review.Item{Kind: review.Agreement, Name: a.ID})
		}
	}
	byName := func(a, b review.Item) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortFunc(mappings, byName)
	slices.SortFunc(agreements, byName)
	return slices.Concat(mappings, clients, agreements)
}

func (c *change) reviewFacts() review.Facts {
	return review.Facts{Find: c.holding, Holds: c.approvalFacts().Holds, Same: c.Operator.SamePerson}
}

// holding finds who answers for an item: of a mapping and of an agreement whoever
// owns the agreement on this side, of a client an admin.
func (c *change) holding(i review.Item) (review.Holding, bool) {
	switch i.Kind {
	case review.Mapping:
		m, ok := c.Mapping.ByName(i.Name)
		if !ok || !m.Alive(c.now) || m.Since != i.Since {
			return review.Holding{}, false
		}
		a, ok := c.Agreement.ByID(m.Agreement)
		if !ok {
			return review.Holding{}, false
		}
		return review.Holding{Role: a.Revision.Document.Owners.Host.Role, Sought: []string{m.OfferedBy}}, true
	case review.Client:
		one, ok := c.Client.Get(i.Name)
		return review.Holding{Role: string(operator.Admin), Sought: c.Review.SoughtBy(review.Client, i.Name)}, ok && !one.Ended
	case review.Agreement:
		a, ok := c.Agreement.ByID(i.Name)
		if !ok {
			return review.Holding{}, false
		}
		_, alive := a.Alive(c.now)
		return review.Holding{Role: c.ownerOf(a), Sought: c.Review.SoughtBy(review.Agreement, i.Name)}, alive
	default:
		return review.Holding{}, false
	}
}

// ownerOf is the role that owns an agreement on this side.
func (c *change) ownerOf(a *agreement.Agreement) string {
	if a.Host() == c.n.self {
		return a.Revision.Document.Owners.Host.Role
	}
	return a.Revision.Document.Owners.Home.Role
}

// AnswerCampaign says what becomes of an item. Less of it, or nothing, takes effect
// in the same commit and as by hand; an answer that is not the operator's is refused
// with Denied, and recorded. It gives the campaign as it stands after that.
func (n *Node) AnswerCampaign(ctx context.Context, a Actor, id string, w CampaignWord) (review.Campaign, error) {
	_, err := n.change(ctx, func(c *change) error {
		if err := w.check(); err != nil {
			return err
		}
		name := w.Name
		if w.Kind == review.Agreement {
			g, ok := c.Agreement.ByName(w.Name)
			if !ok {
				return trust.Errorf(trust.NotFound, "agreement %q is not known here", w.Name)
			}
			name = g.ID
		}
		events, err := c.Review.Answer(c.reviewFacts(), id, w.Kind, name, w.Said, a.ID, c.now)
		if err != nil {
			return c.take(events, err)
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{text: Word{w.Reason, w.Ticket}}); err != nil {
				return err
			}
			if err := c.carryOut(e.(review.Answered), &w); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return review.Campaign{}, err
	}
	one, _ := n.State().Review.Get(id)
	return one, nil
}

// carryOut does what an answer says.
func (c *change) carryOut(e review.Answered, w *CampaignWord) error {
	if e.Said == review.Keep {
		return nil
	}
	switch e.Kind {
	case review.Mapping:
		return c.reduceMapping(e, w.Mapping)
	case review.Client:
		if e.Said == review.Remove {
			return c.take(c.Client.End(e.Name, e.By))
		}
	case review.Agreement:
		if a, ok := c.Agreement.ByID(e.Name); ok && e.Said == review.Remove {
			return c.moveAgreement(a, agreement.Ended, e.By, w.Reason, edge.Safety)
		}
	}
	return c.stop(e.Item, SuspendRequest{
		Stoppable: Stoppable{Class: w.Class, Service: w.Service, Action: w.Action}, Why: Why{Reason: w.Reason, TLP: w.TLP},
	}, e.By)
}

// reduceMapping ends a mapping and, if less of it stays, proposes that.
func (c *change) reduceMapping(e review.Answered, less *mapping.Document) error {
	old, ok := c.Mapping.ByName(e.Name)
	if ok && less != nil && (!less.Within(old.Document) || old.Document.Within(*less)) {
		return trust.Errorf(trust.Invalid, "mapping %s is reduced to one of its name that gives the same role to fewer callers, or for a shorter time; this one does not", e.Name)
	}
	if err := c.take(c.Mapping.Close(e.Name, e.By)); err != nil || less == nil {
		return err
	}
	return c.take(c.Mapping.Offer(c.mappingFacts(), *less, e.By, c.now))
}

// stop suspends a client, an agreement or what r names of one.
func (c *change) stop(i review.Item, r SuspendRequest, by string) error {
	switch i.Kind {
	case review.Client:
		r.Kind, r.Client = suspension.Client, i.Name
	case review.Agreement:
		r.Kind = suspension.Agreement
		if r.Class != "" || r.Service != "" || r.Action != "" {
			r.Kind = suspension.Coverage
		}
		r.Agreement = c.n.agreementName(i.Name)
	case review.Mapping: // is not suspended
		return c.take(c.Mapping.Close(i.Name, by))
	}
	_, err := c.suspend(r, by)
	return err
}
