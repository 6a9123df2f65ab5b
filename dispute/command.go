package dispute

import (
	"slices"

	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// The rules by which a move is refused, as Refused names them.
const (
	RuleStage    = "stage"    // not in this stage, or not by this role
	RuleTime     = "time"     // too late, or too early
	RuleTurn     = "turn"     // the other party's turn, or done before
	RuleThird    = "third"    // that participant cannot mediate or rule
	RuleTerms    = "terms"    // no such terms are on the table
	RuleEvidence = "evidence" // the proof does not hold
)

// Facts is what other rooms know. Stopped says that the respondent stopped the
// target, as far as this ledger knows; Also is the subject's other name here.
type Facts struct {
	Self    trust.ParticipantID
	Stopped bool
	Known   func(trust.ParticipantID) bool // a partner, or this node
	Also    trust.SubjectKey
}

// refuse gives the record of a refused move and its error.
func refuse(a Act, v Verb, rule string, kind trust.ErrorKind, format string, args ...any) ([]trust.Event, error) {
	return []trust.Event{Refused{Act: a, Verb: v, Rule: rule}}, trust.Errorf(kind, format, args...)
}

// Open begins a dispute about what is stopped: one at a time for each target. now
// is Unix seconds. It fails with Invalid, Conflict or Denied.
func (s State) Open(f Facts, e Opened, now int64) ([]trust.Event, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	if e.From != e.Opener || f.Self != e.Opener && f.Self != e.Respondent {
		return refuse(e.Act, Open, RuleStage, trust.Denied, "dispute %s is between %s and %s; %s cannot open it here", e.ID, e.Opener, e.Respondent, e.From)
	}
	if now < e.Since-Leeway || now > e.Since+e.Rules.Stage/2 {
		return refuse(e.Act, Open, RuleTime, trust.Conflict, "dispute %s was opened at %s; half of its first stage is over, or it is still to come", e.ID, trust.Instant(e.Since))
	}
	if !f.Stopped {
		return refuse(e.Act, Open, RuleStage, trust.Conflict, "%s has not suspended that %s; only what is suspended is disputed", e.Respondent, e.Target.Kind)
	}
	if _, taken := s.Get(e.ID); taken {
		return refuse(e.Act, Open, RuleTurn, trust.Conflict, "dispute %s is there already", e.ID)
	}
	for _, c := range s.Cases.All() {
		if c.Target == e.Target && c.Opener == e.Opener && c.Respondent == e.Respondent && c.Stage != Closed && !c.Lapsed(now) {
			return refuse(e.Act, Open, RuleTurn, trust.Conflict, "dispute %s about the same %s stands at %s; there is one at a time", c.ID, e.Target.Kind, c.Stage)
		}
	}
	e.Ours = f.Self == e.Respondent
	return []trust.Event{e}, nil
}

// check reports what is wrong with the shape of a dispute. It fails with Invalid.
func (e *Opened) check() error {
	if len(e.ID) != 32 || e.Opener.IsZero() || e.Respondent.IsZero() || e.Opener == e.Respondent {
		return trust.Errorf(trust.Invalid, "a dispute has an identifier of 32 digits and two parties; this is %q of %s and %s", e.ID, e.Opener, e.Respondent)
	}
	if err := e.Target.Check(); err != nil {
		return err
	}
	switch e.Target.Kind {
	case suspension.Subject, suspension.Agreement, suspension.Participant:
	case suspension.Coverage, suspension.Client, suspension.Edge:
		if e.Target.Agreement == "" {
			return trust.Errorf(trust.Invalid, "a %s outside an agreement is the host's own affair; it is not disputed", e.Target.Kind)
		}
	}
	return e.Rules.Check(e.Opener, e.Respondent)
}

// Check reports what is wrong with rules for the disputes of two parties. It fails
// with Invalid.
func (r Rules) Check(parties ...trust.ParticipantID) error {
	if r.Stage < LeastStage || r.Stage > LongestStage {
		return trust.Errorf(trust.Invalid, "a stage of a dispute lasts %d to %d seconds; this one lasts %d", LeastStage, LongestStage, r.Stage)
	}
	if slices.Contains(parties, r.Mediator) {
		return trust.Errorf(trust.Invalid, "%s is a party; a mediator is none", r.Mediator)
	}
	if len(r.Panel) > 0 {
		return checkPanel(r.Panel, parties)
	}
	return nil
}

// checkPanel: an odd number, none twice, in order, and no party among them.
func checkPanel(panel, parties []trust.ParticipantID) error {
	for i, p := range panel {
		if p.IsZero() || slices.Contains(parties, p) || i > 0 && panel[i-1].String() >= p.String() {
			return trust.Errorf(trust.Invalid, "a panel is of participants that are no parties, each once and in order; %s is not", p)
		}
	}
	if len(panel)%2 == 0 || len(panel) > maxPanel {
		return trust.Errorf(trust.Invalid, "a panel has an odd number of members, at most %d; this one has %d", maxPanel, len(panel))
	}
	return nil
}

// move finds the dispute and checks that a's role may do v in its stage. A
// partner's acceptance that was sent before the panel sat still counts.
func (s State) move(a Act, v Verb, now int64) (Case, []trust.Event, error) {
	c, ok := s.Get(a.ID)
	if !ok {
		return c, nil, trust.Errorf(trust.NotFound, "dispute %s is not known here", a.ID)
	}
	role := c.Role(a.From)
	crossed := v == Accept && c.Stage == Panel && a.By == "" && !c.Third() && (role == Opener || role == Respondent)
	if !slices.Contains(legal[c.Stage][v], role) && !crossed {
		events, err := refuse(a, v, RuleStage, trust.Conflict, "dispute %s is %s; %s, the %s, cannot %s there", c.ID, c.Stage, a.From, role, v)
		return c, events, err
	}
	if a.By != "" && c.Lapsed(now) {
		events, err := refuse(a, v, RuleTime, trust.Conflict, "dispute %s lapsed: its stage %s ended at %s; open a new one", c.ID, c.Stage, trust.Instant(c.Due))
		return c, events, err
	}
	return c, nil, nil
}

// Answer records that the respondent said why, once.
func (s State) Answer(a Act, now int64) ([]trust.Event, error) {
	c, events, err := s.move(a, Answer, now)
	switch {
	case err != nil:
		return events, err
	case c.Answered:
		return refuse(a, Answer, RuleTurn, trust.Conflict, "dispute %s was answered; it is answered once", c.ID)
	default:
		return []trust.Event{Answered{a}}, nil
	}
}

// maxExhibits is how many pieces of evidence a dispute may have.
const maxExhibits = 200

// Exhibit records an entry of a party's ledger as evidence. Proven says that the
// proof of it held; what is not proven is refused with Denied.
func (s State) Exhibit(e Exhibited, proven error, now int64) ([]trust.Event, error) {
	c, events, err := s.move(e.Act, Exhibit, now)
	switch {
	case err != nil:
		return events, err
	case e.Of != c.Opener && e.Of != c.Respondent:
		return refuse(e.Act, Exhibit, RuleEvidence, trust.Denied, "dispute %s is between %s and %s; an entry of %s is no evidence in it", c.ID, c.Opener, c.Respondent, e.Of)
	case proven != nil:
		return refuse(e.Act, Exhibit, RuleEvidence, trust.Denied, "dispute %s: %w", c.ID, proven)
	case len(c.Exhibits) >= maxExhibits:
		return refuse(e.Act, Exhibit, RuleTurn, trust.Conflict, "dispute %s has %d pieces of evidence, which is the limit", c.ID, maxExhibits)
	}
	for _, had := range c.Exhibits {
		if had.Of == e.Of && had.Log == e.Log && had.N == e.N {
			return nil, nil
		}
	}
	return []trust.Event{e}, nil
}

// Meet records that a condition of the plan is met.
func (s State) Meet(a Act, condition int, now int64) ([]trust.Event, error) {
	c, events, err := s.move(a, Meet, now)
	switch {
	case err != nil:
		return events, err
	case condition < 1 || condition > c.Remedy.Conditions:
		return refuse(a, Meet, RuleTerms, trust.NotFound, "the plan of dispute %s has %d conditions; there is no condition %d", c.ID, c.Remedy.Conditions, condition)
	case slices.Contains(c.Met, condition):
		return nil, nil
	default:
		return []trust.Event{Met{a, condition}}, nil
	}
}

// Seat takes a dispute of others that a party brings before this node. Before both
// have, this node neither proposes nor rules.
func (s State) Seat(f Facts, e Seated) ([]trust.Event, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	party := e.From == e.Opener || e.From == e.Respondent
	if !party || f.Self == e.Opener || f.Self == e.Respondent || !slices.Contains(e.Thirds, f.Self) {
		return refuse(e.Act, Seat, RuleStage, trust.Denied, "dispute %s of %s and %s is not brought before this node by %s", e.ID, e.Opener, e.Respondent, e.From)
	}
	if e.Stage != Panel && (e.Stage != Mediated || len(e.Thirds) != 1) {
		return nil, trust.Errorf(trust.Invalid, "a dispute at %s is before no third participant", e.Stage)
	}
	if c, ok := s.Get(e.ID); ok {
		same := c.Third() && c.Opener == e.Opener && c.Respondent == e.Respondent && c.Target == e.Target && c.Stage != Closed
		if !same || c.Stage == Panel && e.Stage != Panel || c.Stage == e.Stage && !slices.Equal(c.Thirds(), e.Thirds) {
			return refuse(e.Act, Seat, RuleTurn, trust.Conflict, "dispute %s stands otherwise here than %s says", e.ID, e.From)
		}
	}
	return []trust.Event{e}, nil
}

// End records that a dispute before this node, a third one, is decided.
func (s State) End(a Act, now int64) ([]trust.Event, error) {
	c, events, err := s.move(a, End, now)
	switch {
	case err != nil:
		return events, err
	case !c.Third():
		return refuse(a, End, RuleStage, trust.Denied, "dispute %s is this node's own; nobody else ends it", c.ID)
	default:
		return []trust.Event{Ended{a}}, nil
	}
}
