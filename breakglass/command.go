package breakglass

import (
	"strconv"

	"github.com/entente-id/entente/trust"
)

// Facts is what other rooms know of people. Holds reports whether an operator
// holds a local role now; Local whether one is a person of this organisation, and
// none of the given participant; IsCaller whether a subject is that person, under
// any account.
type Facts struct {
	Holds    func(by, role string) bool
	Local    func(by string, not trust.ParticipantID) bool
	IsCaller func(by string, subject trust.SubjectKey) bool
}

// The rules by which a review is refused, as Refused names them.
const (
	RuleRole   = "role"   // the operator does not hold the role that reviews
	RuleCaller = "caller" // the operator is who broke the glass
	RuleLocal  = "local"  // the operator is no person of this organisation, or nobody knows
)

// Open breaks the glass. now is Unix seconds. It fails with Invalid for a need
// that lacks something, and with Conflict where somebody was first, an overdue
// review took the right away, or too much waits for its review.
func (s State) Open(n Need, now int64) ([]trust.Event, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	if o, ok := s.For(&n); ok && now < o.Ends {
		return nil, trust.Errorf(trust.Conflict, "emergency access %s to this is %s until its own end; there is no second one before", o.ID, o.Stage(now))
	}
	if id, due, waits := s.NextReview(n.Agreement); waits && now >= due {
		return nil, trust.Errorf(trust.Conflict, "review of emergency access %s is overdue; nobody breaks the glass under agreement %s before it is done", id, n.Agreement)
	}
	if s.Full(n.Subject) {
		return nil, trust.Errorf(trust.Conflict, "as much emergency access waits for its review as may: %d of a person, %d in all", MaxOfSubject, MaxWaiting)
	}
	number := uint64(s.Openings.Len()) + 1
	return []trust.Event{Opened{Need: n, ID: "breakglass-" + strconv.FormatUint(number, 10), N: number, Ends: now + n.TTL, Due: now + n.ReviewWithin}}, nil
}

// Use counts one more decision where there is a bound on them. It fails with
// NotFound or Conflict.
func (s State) Use(id string, now int64) ([]trust.Event, error) {
	o, ok := s.Get(id)
	switch {
	case !ok:
		return nil, unknown(id)
	case !o.Live(now) || o.Spent():
		return nil, trust.Errorf(trust.Conflict, "emergency access %s is %s; it is used no longer", id, o.Stage(now))
	default:
		return []trust.Event{Used{ID: id}}, nil
	}
}

// Close ends it before its time, by one person: who holds the role that reviews,
// or may reduce trust at large. It fails with Invalid, NotFound, Conflict, or with
// Denied, which is recorded.
func (s State) Close(f Facts, id, by string, reduces bool, now int64) ([]trust.Event, error) {
	o, err := s.at(id, by)
	switch {
	case err != nil:
		return nil, err
	case !reduces && !f.Holds(by, o.Role):
		return o.refuse(by, RuleRole, "it takes the role "+o.Role+", an admin or a revoker")
	case !o.Live(now):
		return nil, trust.Errorf(trust.Conflict, "emergency access %s is %s; only one that may be used is ended", id, o.Stage(now))
	default:
		return []trust.Event{Closed{ID: id, By: by}}, nil
	}
}

// Review says what it was, late or not, once. Nobody reviews their own, under any
// account, and the home reviews nothing here. It fails as Close does.
func (s State) Review(f Facts, id, by string, came Stage, now int64) ([]trust.Event, error) {
	o, err := s.at(id, by)
	switch {
	case err != nil:
		return nil, err
	case !came.Verdict():
		return nil, trust.Errorf(trust.Invalid, "review of emergency access %s comes to %.20q; it was justified or unjustified", id, came)
	case !f.Holds(by, o.Role):
		return o.refuse(by, RuleRole, "it takes the role "+o.Role)
	case f.IsCaller(by, o.Subject):
		return o.refuse(by, RuleCaller, "whoever broke the glass does not review that, under any account")
	case !f.Local(by, o.Participant):
		return o.refuse(by, RuleLocal, "only a known person of this organisation reviews (`entente operator link`)")
	case o.Came != "":
		return nil, trust.Errorf(trust.Conflict, "emergency access %s is %s by the review of %s; it is reviewed once", id, o.Stage(now), o.By)
	default:
		return []trust.Event{Reviewed{ID: id, By: by, Came: came}}, nil
	}
}

// Lapse records of each review that it is overdue, once.
func (s State) Lapse(now int64) (events []trust.Event) {
	for i := range s.Waiting {
		if w := &s.Waiting[i]; !w.Late && now >= w.Due {
			events = append(events, Lapsed{ID: w.ID})
		}
	}
	return events
}

// Tell records what a host says of one of our own people. What it said before
// changes nothing. It fails with Invalid for what says nothing, and with Conflict
// for other words about the same access, or what a review has closed.
func (s State) Tell(t Told) ([]trust.Event, error) {
	switch t.Stage {
	case Open, Ended, Overdue, Justified, Unjustified:
	default:
		return nil, trust.Errorf(trust.Invalid, "emergency access at %s is told to be %.20q, which is no stage", t.From, t.Stage)
	}
	if t.N == 0 || t.ID != "breakglass-"+strconv.FormatUint(t.N, 10) || t.Agreement == "" || t.Subject == (trust.SubjectKey{}) || t.Ends < 1 || t.Due < 1 {
		return nil, trust.Errorf(trust.Invalid, "emergency access at %s is told without its number, agreement, subject, end or date of review", t.From)
	}
	known, ok := s.Abroad(t.From, t.N)
	switch {
	case !ok:
		return []trust.Event{t}, nil
	case known.Agreement != t.Agreement || known.Subject != t.Subject:
		return nil, trust.Errorf(trust.Conflict, "emergency access %s at %s was told of somebody else before", t.ID, t.From)
	case known.Told == t:
		return nil, nil
	case known.Stage.Verdict():
		return nil, trust.Errorf(trust.Conflict, "emergency access %s at %s was told to be %s; it is reviewed once", t.ID, t.From, known.Stage)
	default:
		return []trust.Event{t}, nil
	}
}

func (o *Opening) refuse(by, rule, why string) ([]trust.Event, error) {
	return []trust.Event{Refused{ID: o.ID, By: by, Rule: rule}}, trust.Errorf(trust.Denied, "emergency access %s is not operator %s's to answer for: %s", o.ID, by, why)
}

// at finds what somebody answers for.
func (s State) at(id, by string) (Opening, error) {
	if by == "" {
		return Opening{}, trust.Errorf(trust.Invalid, "emergency access %s is answered for by nobody; an operator must be named", id)
	}
	o, ok := s.Get(id)
	if !ok {
		return o, unknown(id)
	}
	return o, nil
}

func unknown(id string) error {
	return trust.Errorf(trust.NotFound, "emergency access %q is not known here; it is reviewed where the resource is", id)
}
