package node

import (
	"cmp"
	"context"
	"slices"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/trust"
)

// watchPosture records what of a partner's has lapsed since the last look. By a
// time that is in doubt nothing lapses.
func (n *Node) watchPosture(ctx context.Context, id trust.ParticipantID) error {
	mark := n.Clock.Mark()
	if mark.Doubted {
		return nil
	}
	news, err := (&change{Snapshot: n.State(), now: mark.Wall.Unix(), n: n}).lapses(id)
	if err != nil || len(news) == 0 {
		return err
	}
	_, err = n.change(ctx, func(c *change) error {
		news, err := c.lapses(id)
		if err != nil {
			return err
		}
		for _, l := range news {
			if err := c.lapse(l); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// lapses gives what of a partner's has lapsed and is not on record: its statement,
// its adoption of the framework, and the reviews of what is in force with it.
func (c *change) lapses(id trust.ParticipantID) (news []incident.Lapsed, err error) {
	all := []incident.Lapsed{{Of: incident.Statement, Participant: id, Ended: c.n.views.dates(id).statementEnds}}
	if p, known := c.Participant.Partner(id); known && c.Framework.Current != nil {
		all = append(all, incident.Lapsed{Of: incident.Adoption, Participant: id, Ended: c.Framework.Current.AdoptBy(p.Adopted, p.Confirmed)})
	}
	for _, a := range slices.Concat(c.Agreement.Between(id, c.n.self), c.Agreement.Between(c.n.self, id)) {
		if a.Stage == agreement.Active {
			due := max(a.Since, c.Review.ConfirmedAt(a.ID)) + int64(a.Revision.Document.ReviewEvery)
			all = append(all, incident.Lapsed{Of: incident.Review, Participant: id, Agreement: a.ID, Ended: due})
		}
	}
	for _, l := range all {
		if l.Ended == 0 || c.now < l.Ended {
			continue
		}
		events, err := c.Incident.Lapse(l)
		if err != nil {
			return nil, err
		}
		if len(events) > 0 {
			news = append(news, l)
		}
	}
	return news, nil
}

// lapse records a lapse, and lets rules act on it.
func (c *change) lapse(l incident.Lapsed) error {
	if err := c.take(c.Incident.Lapse(l)); err != nil {
		return err
	}
	for _, r := range c.Incident.Rules() {
		if r.When != incident.Posture || !c.ofLapse(&r, &l) {
			continue
		}
		f := incident.Figure{Participant: l.Participant, Agreement: cmp.Or(r.Agreement, l.Agreement), Class: r.Class, Service: r.Service}
		for _, x := range c.Incident.Lapses.All() {
			if x.Participant == l.Participant && x.At > c.now-r.Within && c.ofLapse(&r, &x.Lapsed) {
				f.Count++
			}
		}
		if err := c.raise(&r, f, NoticeText{}); err != nil {
			return err
		}
	}
	return nil
}

// ofLapse reports whether a lapse is in the scope of a rule: what is a partner's
// is of all its agreements.
func (c *change) ofLapse(r *incident.Rule, l *incident.Lapsed) bool {
	if r.Agreement == "" || r.Agreement == l.Agreement {
		return true
	}
	a, ok := c.Agreement.ByID(r.Agreement)
	return ok && l.Agreement == "" && a.Other(c.n.self) == l.Participant
}
