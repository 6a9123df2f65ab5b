package node

import (
	"context"
	"slices"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// AuthorityLine is one role of an agreement's authority matrix: what it does, by
// which commands, and, of a role of this organisation, which operators hold it.
type AuthorityLine struct {
	Act         agreement.Act       `json:"act"`
	Participant trust.ParticipantID `json:"participant"`
	Role        string              `json:"role"`
	Held        []string            `json:"held"` // operators here
	Commands    []agreement.Command `json:"commands"`
}

// Authority gives an agreement's authority matrix, a line for each role.
func (n *Node) Authority(a Actor, name string) ([]AuthorityLine, error) {
	s := n.State()
	current, ok := s.Agreement.ByName(name)
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "agreement %q is not known here", name)
	}
	d := &current.Revision.Document
	party := func(r trust.Role) bool {
		return slices.ContainsFunc(d.Matrix(), func(row agreement.Row) bool {
			return slices.Contains(row.Roles, trust.RoleRef{Participant: n.self, Role: string(r)})
		})
	}
	if err := n.read(a); err != nil && !slices.ContainsFunc(a.Roles, party) {
		return nil, err
	}
	var lines []AuthorityLine
	for _, row := range d.Matrix() {
		for _, r := range row.Roles {
			line := AuthorityLine{row.Act, r.Participant, r.Role, []string{}, append([]agreement.Command{}, row.Commands...)}
			if r.Participant == n.self {
				line.Held = append(line.Held, s.Operator.Holders(r.Role)...)
			}
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// under is change for what an operator asks for under an agreement: its matrix
// decides who may, and a no is recorded.
func (n *Node) under(ctx context.Context, a Actor, name string, command agreement.Command, act func(*change) error) (trust.Position, error) {
	return n.change(ctx, func(c *change) error {
		current, ok := c.Agreement.ByName(name)
		if !ok {
			return c.noAgreement(a, name)
		}
		if err := c.mayUnder(current.ID, command, a.ID); err != nil || c.refusal != nil {
			return err
		}
		return act(c)
	})
}

// underOf is under for a target that is an agreement or, by part, a piece of one;
// of any other it is write.
func (n *Node) underOf(ctx context.Context, a Actor, w Stoppable, whole, part agreement.Command, act func(*change) error) (trust.Position, error) {
	switch {
	case w.Kind == suspension.Agreement:
		return n.under(ctx, a, w.Agreement, whole, act)
	case w.Kind == suspension.Coverage && w.Agreement != "":
		return n.under(ctx, a, w.Agreement, part, act)
	default:
		return n.write(ctx, a, act)
	}
}

// noAgreement answers an admin who names an agreement that is not here. Of
// anybody else it is recorded that they asked.
func (c *change) noAgreement(a Actor, name string) error {
	if slices.Contains(a.Roles, operator.Admin) {
		return trust.Errorf(trust.NotFound, "agreement %q is not known here", name)
	}
	return c.refuse(trust.Errorf(trust.Denied, "operator %s holds no role under an agreement %q here; asking for something under it needs one", a.ID, name), operator.Refused{ID: a.ID})
}

// mayUnder records the refusal of a command that an agreement's matrix does not
// give to by.
func (c *change) mayUnder(id string, command agreement.Command, by string) error {
	current, ok := c.Agreement.ByID(id)
	if !ok {
		return trust.Errorf(trust.NotFound, "agreement %s is not known here", id)
	}
	return c.take(c.Agreement.May(c.facts(current.Revision.Document), id, nil, command, by))
}

// mayMap is mayUnder for a mapping under its agreement.
func (c *change) mayMap(name string, command agreement.Command, by string) error {
	m, ok := c.Mapping.ByName(name)
	if !ok {
		return trust.Errorf(trust.NotFound, "mapping %s does not exist", name)
	}
	return c.mayUnder(m.Agreement, command, by)
}

// mayReadmit: who comes back is let in by whoever approves under an agreement by
// which people come here, since a leaf does not say whose somebody is; while there
// is none, by an admin. A no is recorded.
func (c *change) mayReadmit(a Actor) error {
	permitted := slices.Contains(a.Roles, operator.Admin)
	for g := range c.Agreement.All() {
		d := &g.Revision.Document
		if d.Host != c.n.self || g.Ended(c.now) {
			continue
		}
		if permitted = d.Permits(c.facts(*d), agreement.ApproveEngagement, a.ID); permitted {
			return nil
		}
	}
	if permitted {
		return nil
	}
	denied := trust.Errorf(trust.Denied, "operator %s holds no role that approves under an agreement here; a new engagement needs one", a.ID)
	return c.refuse(denied, operator.Refused{ID: a.ID})
}
