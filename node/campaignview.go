package node

import (
	"context"
	"slices"
	"strings"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/trust"
)

// Reviewed is an item of a review, with what it is used for beside it. Role is who
// answers for it, empty where it does not hold any more. Agreed, Granted and Used
// count the roles of callers: that are agreed, that have a mapping here, and that
// somebody used it by; of a mapping there is one, of a client none is agreed. At the
// home of an agreement nothing but Agreed is known.
type Reviewed struct {
	review.Point
	Title     string              `json:"title"` // its name; of an agreement not the random one
	Partner   trust.ParticipantID `json:"partner,omitzero"`
	Agreement string              `json:"agreement,omitempty"` // its name
	Gives     string              `json:"gives,omitempty"`     // of a mapping: the local role; of a client: the services
	Role      string              `json:"role,omitempty"`
	Agreed    int                 `json:"agreed"`
	Granted   int                 `json:"granted"`
	Used      int                 `json:"used"`
	Uses      uint64              `json:"uses"`
	Last      int64               `json:"last,omitzero"` // Unix seconds
	Reason    string              `json:"reason,omitempty"`
	Ticket    string              `json:"ticket,omitempty"`
}

// CampaignPage is a page of a review, and how far the uses were counted.
type CampaignPage struct {
	Campaign review.Campaign `json:"campaign"`
	Counted  Progress        `json:"counted"`
	Items    []Reviewed      `json:"items"`
	Next     int             `json:"next,omitzero"` // the number of the next item, 0 at the end
}

// Campaigns lists the reviews in the order in which they were opened.
func (n *Node) Campaigns(_ context.Context, a Actor) ([]review.Campaign, error) {
	s := n.State()
	if n.read(a) != nil && !slices.ContainsFunc(a.Roles, (&change{Snapshot: s, n: n}).owns) {
		return nil, n.read(a)
	}
	return slices.Collect(s.Review.All()), nil
}

// owns reports whether whoever holds a role owns an agreement here.
func (c *change) owns(role trust.Role) bool {
	for a := range c.Agreement.All() {
		if c.ownerOf(a) == string(role) {
			return true
		}
	}
	return false
}

// Campaign gives items of a review from a number on, at most limit, as far as an
// operator may see them: admins and auditors all, others what their roles answer
// for. It counts uses for a while; asking again counts on.
func (n *Node) Campaign(ctx context.Context, a Actor, id string, from, limit int) (CampaignPage, error) {
	out := CampaignPage{Items: []Reviewed{}}
	if limit < 1 || limit > readAtOnce {
		return out, trust.Errorf(trust.Invalid, "a page holds 1 to %d items; %d were asked for", readAtOnce, limit)
	}
	s := n.State()
	var ok bool
	if out.Campaign, ok = s.Review.Get(id); !ok {
		return out, trust.Errorf(trust.NotFound, "review %q is not known here", id)
	}
	points := s.Review.Of(id)
	if !out.Campaign.Open() {
		var err error
		if points, err = n.pointsOf(ctx, &out.Campaign); err != nil {
			return out, err
		}
	}
	var err error
	if out.Counted, err = n.countUses(ctx); err != nil {
		return out, err
	}
	c, all := &change{Snapshot: s, now: n.Now(), n: n, ctx: ctx}, n.read(a) == nil
	for _, p := range points {
		if p.N < from {
			continue
		}
		if len(out.Items) == limit {
			out.Next = p.N
			break
		}
		one := c.reviewed(p)
		if !all && !slices.Contains(a.Roles, trust.Role(one.Role)) {
			continue
		}
		if err := c.said(&one); err != nil {
			return out, err
		}
		out.Items = append(out.Items, one)
	}
	if !all && len(out.Items) == 0 && out.Next == 0 && from <= 1 {
		return out, n.read(a)
	}
	return out, nil
}

// reviewKinds are the kinds of entry that say what became of items.
var reviewKinds = map[string]bool{
	mapping.Closed{}.EventKind().Name:  true,
	client.Ended{}.EventKind().Name:    true,
	agreement.Moved{}.EventKind().Name: true,
}

// pointsOf reads back where the items of a review stood when it closed.
func (n *Node) pointsOf(ctx context.Context, c *review.Campaign) ([]review.Point, error) {
	var s review.State
	for from := c.At.N; from < c.Closing.N; {
		records, err := n.trust.Read(ctx, from, readAtOnce)
		if err != nil || len(records) == 0 {
			return nil, err
		}
		for _, r := range records {
			if r.Position.N >= c.Closing.N || !reviewKinds[r.Kind] && !strings.HasPrefix(r.Kind, "review.") {
				continue
			}
			e, err := n.codec.Decode(trust.Kind{Name: r.Kind, Version: r.Version}, r.Body)
			if err != nil {
				return nil, err
			}
			s = s.Apply(e, trust.Stamp{Position: r.Position, At: r.At})
		}
		from += uint64(len(records))
	}
	points := s.Of(c.ID)
	for i := range points {
		if points[i].Stage == review.Waiting {
			points[i].Stage = review.Ended
		}
	}
	return points, nil
}

// said opens what was said of an item.
func (c *change) said(one *Reviewed) error {
	if one.By == "" {
		return nil
	}
	var w Word
	r, err := c.n.trust.Entry(c.ctx, one.At.N)
	if err != nil {
		return err
	}
	plain, err := c.n.Keys.Unseal(c.ctx, trust.SubjectKey{}, r.Sealed)
	if err != nil {
		return err
	}
	err = canonical.Decode(plain, &w)
	one.Reason, one.Ticket = w.Reason, w.Ticket
	return err
}

// reviewed puts beside an item what is known of it.
func (c *change) reviewed(p review.Point) Reviewed {
	out := Reviewed{Point: p, Title: p.Name}
	if holding, ok := c.holding(p.Item); ok {
		out.Role = holding.Role
	}
	var used uses
	switch p.Kind {
	case review.Mapping:
		used = c.mappingUse(&out)
	case review.Client:
		one, _ := c.Client.Get(p.Name)
		out.Partner, out.Gives = one.Document.Participant, strings.Join(one.Document.Services, " ")
		if out.Role != "" {
			out.Granted = 1
		}
		if used = c.n.usage.used(useKey{kind: review.Client, name: p.Name}); used.count > 0 {
			out.Used = 1
		}
	case review.Agreement:
		if a, ok := c.Agreement.ByID(p.Name); ok {
			out.Title, out.Partner = a.Revision.Document.Name, a.Other(c.n.self)
			out.Agreement = out.Title
			for _, part := range c.partsOf(a) {
				out.Agreed++
				out.Granted += part.granted
				out.Used += part.used
			}
			used = c.n.usage.used(useKey{kind: review.Agreement, name: a.ID})
		}
	}
	out.Uses, out.Last = used.count, used.last
	return out
}

func (c *change) mappingUse(out *Reviewed) uses {
	m, ok := c.Mapping.ByName(out.Name)
	if !ok {
		return uses{}
	}
	out.Gives = string(m.Document.To)
	if out.Role != "" {
		out.Granted = 1
	}
	if a, ok := c.Agreement.ByID(m.Agreement); ok {
		out.Partner, out.Agreement = a.Home(), a.Revision.Document.Name
		if len(m.Document.Check(a.Revision.Document, 0)) == 0 {
			out.Agreed = 1
		}
	}
	used := c.n.usage.used(useOf(m))
	if used.count > 0 {
		out.Used = 1
	}
	return used
}

// useOf is what a mapping is used by. Another of the same agreement, class and role
// is used by the same.
func useOf(m *mapping.Mapping) useKey {
	return useKey{review.Mapping, m.Agreement, m.Document.From.Class, m.Document.To}
}

// agreedPart is a role of a partner's callers that an agreement accepts, or with no
// role all of a class; granted and used are 0 or 1.
type agreedPart struct {
	class         trust.Class
	role          string
	granted, used int
}

// partsOf lists what an agreement accepts, and what became of that at its host.
func (c *change) partsOf(a *agreement.Agreement) (parts []agreedPart) {
	for _, line := range a.Revision.Document.Accepts {
		roles := line.Roles
		if len(roles) == 0 {
			roles = []string{""}
		}
		for _, role := range roles {
			part := agreedPart{class: line.Class, role: role}
			if slices.ContainsFunc(parts, func(p agreedPart) bool { return p.class == part.class && p.role == role }) {
				continue
			}
			for _, m := range c.Mapping.For(a.ID) {
				if from := m.Document.From; !m.Alive(c.now) || from.Class != line.Class || role != "" && from.Equals != role {
					continue
				}
				part.granted = 1
				if c.n.usage.used(useOf(m)).count > 0 {
					part.used = 1
				}
			}
			parts = append(parts, part)
		}
	}
	return parts
}
