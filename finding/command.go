package finding

import (
	"strconv"

	"github.com/entente-id/entente/trust"
)

// Raise records that two accounts differ. What an earlier finding says already,
// open or closed, is not said again, since ledgers do not change; nor is more said
// about an edge that has MaxOpen findings. What is Own is said again once it was
// closed. It fails with Invalid for what is no difference.
func (s State) Raise(what Subject, owner string, now int64) ([]trust.Event, error) {
	if what.Partner.IsZero() || !what.Side.Valid() || !what.Kind.Valid() || what.From == 0 || what.To < what.From {
		return nil, trust.Errorf(trust.Invalid, "a finding names an edge, a kind and numbers from 1; this one says %s, %d to %d", what.Kind, what.From, what.To)
	}
	open := 0
	for _, f := range s.Findings.All() {
		if f.covers(what) && (f.Open() || !what.Kind.Own()) {
			return nil, nil
		}
		if f.Open() && f.Partner == what.Partner && f.Side == what.Side {
			open++
		}
	}
	if open >= MaxOpen && !what.Kind.Own() {
		return nil, nil
	}
	id := "finding-" + strconv.Itoa(s.Findings.Len()+1)
	return []trust.Event{Raised{Subject: what, ID: id, Owner: owner, Due: now + Due}}, nil
}

// Close ends a finding by an operator's word. It fails with Conflict for one that
// was closed before.
func (s State) Close(id, by string) ([]trust.Event, error) {
	if by == "" {
		return nil, trust.Errorf(trust.Invalid, "finding %s is closed by nobody; an operator must be named", id)
	}
	f, ok := s.Get(id)
	switch {
	case !ok:
		return nil, trust.Errorf(trust.NotFound, "finding %s is not known", id)
	case !f.Open():
		return nil, trust.Errorf(trust.Conflict, "finding %s was closed by %s; it is closed once", id, f.ClosedBy)
	default:
		return []trust.Event{Closed{ID: id, By: by}}, nil
	}
}
