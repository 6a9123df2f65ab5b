package node

import (
	"cmp"
	"context"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// Suspended is something that is stopped now. What it is says no more than the
// state does once the person it is about was erased. From is the partner that
// stopped it, By who did here. Asked is who asked that it goes on, and until
// AskedUntil another person may say so too.
type Suspended struct {
	What       NoticeText          `json:"what"`
	Name       string              `json:"name,omitempty"` // of the agreement
	From       trust.ParticipantID `json:"from,omitzero"`
	By         string              `json:"by,omitempty"`
	At         trust.Instant       `json:"at,omitzero"`
	Position   trust.Position      `json:"position,omitzero"`
	Asked      string              `json:"asked,omitempty"`
	AskedUntil trust.Instant       `json:"asked_until,omitzero"`

	target suspension.Target
}

// Suspensions lists what this node has stopped, the newest last.
func (n *Node) Suspensions(ctx context.Context, a Actor) ([]Suspended, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	s, now := n.State(), n.Now()
	out := []Suspended{}
	for _, at := range s.Suspension.Here(now) {
		one, err := n.suspended(ctx, at)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	for p := range s.Participant.Partners() {
		if p.Suspended {
			out = append(out, Suspended{What: NoticeText{Kind: suspension.Participant, Participant: p.Card.ID}})
		}
		if _, broken := s.Edge.Broken(p.Card.ID); broken {
			out = append(out, Suspended{What: NoticeText{Kind: suspension.Edge, Participant: p.Card.ID}})
		}
	}
	for g := range s.Agreement.All() {
		if slices.Contains(g.SuspendedBy, trust.ParticipantID{}) && !g.Ended(now) {
			out = append(out, Suspended{What: NoticeText{Kind: suspension.Agreement, Agreement: g.ID}})
		}
	}
	return n.named(s, out), nil
}

// Notices lists what partners told us that they stopped, the newest last.
func (n *Node) Notices(ctx context.Context, a Actor) ([]Suspended, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	s, now := n.State(), n.Now()
	out := []Suspended{}
	for _, notice := range s.Suspension.Notices.All() {
		if now >= notice.Until {
			continue
		}
		one, err := n.suspended(ctx, notice.At)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return n.named(s, out), nil
}

// named puts them in order, with the names of agreements and who asked that they
// go on.
func (n *Node) named(s *state.Snapshot, all []Suspended) []Suspended {
	for i := range all {
		one := &all[i]
		if a, ok := s.Agreement.ByID(one.What.Agreement); ok {
			one.Name = a.Revision.Document.Name
		}
		if one.target.Kind == "" {
			one.target = one.What.target(n)
		}
		if r, ok := s.Suspension.Request(one.target, n.Now()); ok && one.From.IsZero() {
			one.Asked, one.AskedUntil = r.By, trust.Instant(r.Until)
		}
	}
	slices.SortStableFunc(all, func(a, b Suspended) int {
		return cmp.Or(a.Position.Compare(b.Position), cmp.Compare(a.What.Kind, b.What.Kind))
	})
	return all
}

// suspended reads the entry of a suspension.
func (n *Node) suspended(ctx context.Context, at trust.Position) (Suspended, error) {
	e, r, err := n.stopAt(ctx, at)
	if err != nil {
		return Suspended{}, err
	}
	out := Suspended{From: e.From, By: e.By, At: trust.Instant(r.At), Position: r.Position, target: e.Target}
	out.What, err = n.noticed(ctx, e, r)
	return out, err
}

// stopAt reads the entry by which something was stopped.
func (n *Node) stopAt(ctx context.Context, at trust.Position) (suspension.Suspended, ledger.Record, error) {
	r, err := n.trust.Entry(ctx, at.N)
	if err != nil {
		return suspension.Suspended{}, r, err
	}
	event, err := n.codec.Decode(trust.Kind{Name: r.Kind, Version: r.Version}, r.Body)
	if err != nil {
		return suspension.Suspended{}, r, err
	}
	e, ok := event.(suspension.Suspended)
	if !ok {
		return e, r, trust.Errorf(trust.Internal, "entry %s is %s and no suspension", at, r.Kind)
	}
	return e, r, nil
}

// noticed gives what was written of a suspension, or what the leaf says.
func (n *Node) noticed(ctx context.Context, e suspension.Suspended, r ledger.Record) (NoticeText, error) {
	t := e.Target
	text := NoticeText{
		Kind: t.Kind, Participant: t.Participant, Agreement: t.Agreement, Class: t.Class, Service: t.Service, Action: t.Action,
		Client: t.Client, Expires: trust.Instant(e.Expires),
	}
	if len(r.Sealed) == 0 {
		return text, nil
	}
	plain, err := n.Keys.Unseal(ctx, t.Subject, r.Sealed)
	if trust.KindOf(err) == trust.NotFound {
		return text, nil // erased
	}
	if err != nil {
		return text, err
	}
	return text, canonical.Decode(plain, &text)
}
