package dispute_test

import (
	"slices"
	"testing"

	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

const (
	now = 1_780_000_000
	id  = "0123456789abcdef0123456789abcdef"
)

var (
	rxw = must(trust.ParseParticipantID("https://rxw.example")) // opens
	rje = must(trust.ParseParticipantID("https://rje.example")) // stopped somebody
	m1  = must(trust.ParseParticipantID("https://m1.example"))
	p1  = must(trust.ParseParticipantID("https://p1.example"))
	p2  = must(trust.ParseParticipantID("https://p2.example"))
	p3  = must(trust.ParseParticipantID("https://p3.example"))

	panel  = []trust.ParticipantID{p1, p2, p3}
	target = suspension.Target{Kind: suspension.Subject, Participant: rxw, Subject: trust.SubjectKey{1}}
	person = trust.SubjectKey{7}
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// world is one ledger's view: self's.
type world struct {
	t *testing.T
	f dispute.Facts
	s dispute.State
	n uint64
}

func (w *world) apply(at int64, events ...trust.Event) {
	for _, e := range events {
		w.n++
		w.s = w.s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: w.n}, At: at})
	}
}

// does folds what a move gave, and sees of what kind its error is.
func (w *world) does(what string, kind trust.ErrorKind) func([]trust.Event, error) {
	return func(events []trust.Event, err error) {
		w.t.Helper()
		if trust.KindOf(err) != kind {
			w.t.Fatalf("%s: %v, a %q; want %q", what, err, trust.KindOf(err), kind)
		}
		w.apply(now, events...)
	}
}

func (w *world) stage() dispute.Stage { c, _ := w.s.Get(id); return c.Stage }

func at(self trust.ParticipantID) *world {
	return &world{f: dispute.Facts{Self: self, Stopped: true, Known: func(trust.ParticipantID) bool { return true }}}
}

func opened(rules dispute.Rules) dispute.Opened {
	return dispute.Opened{Act: act(rxw), Opener: rxw, Respondent: rje, Target: target, Rules: rules, Since: now}
}

// act is a move of an operator of from.
func act(from trust.ParticipantID) dispute.Act { return dispute.Act{ID: id, From: from, By: "op"} }

// told is the same as a partner's message.
func told(from trust.ParticipantID) dispute.Act { return dispute.Act{ID: id, From: from} }

var usual = dispute.Rules{Stage: dispute.UsualStage}

// in is the host's view of a dispute at a stage.
func in(t *testing.T, stage dispute.Stage) *world {
	w := at(rje)
	w.t = t
	w.does("opening", "")(w.s.Open(w.f, opened(usual), now))
	if stage == dispute.Direct {
		return w
	}
	step := func(to dispute.Stage, thirds ...trust.ParticipantID) {
		w.does("asking", "")(w.s.Escalate(w.f, act(rxw), to, thirds, now, now))
		w.does("agreeing", "")(w.s.Escalate(w.f, act(rje), to, thirds, now, now))
	}
	step(dispute.Mediated, m1)
	if stage == dispute.Mediated {
		return w
	}
	step(dispute.Panel, panel...)
	if stage == dispute.Panel {
		return w
	}
	for _, p := range panel[:2] {
		w.does("ruling", "")(w.s.Rule(w.f, told(p), "h", dispute.Remedy{Conditions: 1}, now))
	}
	if stage == dispute.Decided {
		return w
	}
	w.apply(now, suspension.Resumed{Target: target, Asked: "a", By: "b"})
	return w
}

// Every move at every stage by every role: what is legal is done, everything else
// is refused and recorded.
func TestEveryMoveAtEveryStage(t *testing.T) {
	legal := map[dispute.Stage]map[dispute.Verb][]trust.ParticipantID{
		dispute.Direct: {
			dispute.Answer: {rje}, dispute.Exhibit: {rxw, rje}, dispute.Escalate: {rxw, rje}, dispute.Propose: {rxw, rje},
		},
		dispute.Mediated: {
			dispute.Answer: {rje}, dispute.Exhibit: {rxw, rje}, dispute.Escalate: {rxw, rje}, dispute.Propose: {rxw, rje, m1},
		},
		dispute.Panel:   {dispute.Exhibit: {rxw, rje}, dispute.Rule: {p1, p2, p3}},
		dispute.Decided: {dispute.Exhibit: {rxw, rje}, dispute.Meet: {rje}},
		dispute.Closed:  {},
	}
	for stage, moves := range legal {
		next, thirds := dispute.Mediated, []trust.ParticipantID{m1}
		if stage != dispute.Direct {
			next, thirds = dispute.Panel, panel
		}
		verbs := map[dispute.Verb]func(w *world, a dispute.Act) ([]trust.Event, error){
			dispute.Answer: func(w *world, a dispute.Act) ([]trust.Event, error) { return w.s.Answer(a, now) },
			dispute.Exhibit: func(w *world, a dispute.Act) ([]trust.Event, error) {
				return w.s.Exhibit(dispute.Exhibited{Act: a, Of: rxw, Log: "trust", N: 1}, nil, now)
			},
			dispute.Escalate: func(w *world, a dispute.Act) ([]trust.Event, error) {
				return w.s.Escalate(w.f, a, next, thirds, now, now)
			},
			dispute.Propose: func(w *world, a dispute.Act) ([]trust.Event, error) {
				return w.s.Propose(a, "h", dispute.Remedy{}, "", now)
			},
			dispute.Rule: func(w *world, a dispute.Act) ([]trust.Event, error) {
				return w.s.Rule(w.f, a, "h", dispute.Remedy{}, now)
			},
			dispute.Meet: func(w *world, a dispute.Act) ([]trust.Event, error) { return w.s.Meet(a, 1, now) },
			dispute.End:  func(w *world, a dispute.Act) ([]trust.Event, error) { return w.s.End(a, now) },
		}
		for verb, do := range verbs {
			for _, who := range []trust.ParticipantID{rxw, rje, m1, p1, p2, p3} {
				w := in(t, stage)
				events, err := do(w, act(who))
				may := slices.Contains(moves[verb], who)
				if (err == nil) != may {
					t.Errorf("%s at %s by %s: %v", verb, stage, who, err)
				}
				if may {
					continue
				}
				if r, ok := events[0].(dispute.Refused); !ok || len(events) != 1 || r.Verb != verb || r.From != who {
					t.Errorf("%s at %s by %s: recorded is %+v", verb, stage, who, events)
				}
				if w.apply(now, events...); w.stage() != stage {
					t.Errorf("%s at %s by %s moved it to %s", verb, stage, who, w.stage())
				}
			}
		}
	}
}

func TestOpening(t *testing.T) {
	for what, c := range map[string]struct {
		want   trust.ErrorKind
		change func(*dispute.Opened, *dispute.Facts)
	}{
		"in order":           {"", func(*dispute.Opened, *dispute.Facts) {}},
		"at the opener":      {"", func(_ *dispute.Opened, f *dispute.Facts) { f.Self = rxw }},
		"by the respondent":  {trust.Denied, func(e *dispute.Opened, _ *dispute.Facts) { e.From = rje }},
		"between others":     {trust.Denied, func(_ *dispute.Opened, f *dispute.Facts) { f.Self = m1 }},
		"about what goes on": {trust.Conflict, func(_ *dispute.Opened, f *dispute.Facts) { f.Stopped = false }},
		"told too late":      {trust.Conflict, func(e *dispute.Opened, _ *dispute.Facts) { e.Since = now - 8*86400 }},
		"still to come":      {trust.Conflict, func(e *dispute.Opened, _ *dispute.Facts) { e.Since = now + dispute.Leeway + 1 }},
		"of one party":       {trust.Invalid, func(e *dispute.Opened, _ *dispute.Facts) { e.Respondent = rxw }},
		"without identifier": {trust.Invalid, func(e *dispute.Opened, _ *dispute.Facts) { e.ID = "1" }},
		"about nothing":      {trust.Invalid, func(e *dispute.Opened, _ *dispute.Facts) { e.Target = suspension.Target{} }},
		"about a client": {trust.Invalid, func(e *dispute.Opened, _ *dispute.Facts) {
			e.Target = suspension.Target{Kind: suspension.Client, Client: "c"}
		}},
		"a stage of no time":      {trust.Invalid, func(e *dispute.Opened, _ *dispute.Facts) { e.Rules.Stage = 59 }},
		"a party mediates":        {trust.Invalid, func(e *dispute.Opened, _ *dispute.Facts) { e.Rules.Mediator = rje }},
		"a panel of two":          {trust.Invalid, func(e *dispute.Opened, _ *dispute.Facts) { e.Rules.Panel = panel[:2] }},
		"a panel with a party":    {trust.Invalid, func(e *dispute.Opened, _ *dispute.Facts) { e.Rules.Panel = []trust.ParticipantID{rje} }},
		"a panel out of order":    {trust.Invalid, func(e *dispute.Opened, _ *dispute.Facts) { e.Rules.Panel = []trust.ParticipantID{p2, p1, p3} }},
		"a member of panel twice": {trust.Invalid, func(e *dispute.Opened, _ *dispute.Facts) { e.Rules.Panel = []trust.ParticipantID{p1, p1, p2} }},
	} {
		w, e := at(rje), opened(usual)
		c.change(&e, &w.f)
		events, err := w.s.Open(w.f, e, now)
		if trust.KindOf(err) != c.want {
			t.Errorf("%s: %v, %v", what, events, err)
			continue
		}
		if c.want != "" {
			continue
		}
		if e, ok := events[0].(dispute.Opened); !ok || e.Ours != (w.f.Self == rje) {
			t.Errorf("%s: recorded is %+v", what, events)
		}
	}
	w := in(t, dispute.Direct)
	again := opened(usual)
	again.ID = "1123456789abcdef0123456789abcdef"
	w.does("about the same", trust.Conflict)(w.s.Open(w.f, again, now))
	again.Since = now + 2*dispute.UsualStage
	if _, err := w.s.Open(w.f, again, again.Since); err != nil {
		t.Errorf("the earlier one lapsed: %v", err)
	}
	w.does("the same again", trust.Conflict)(w.s.Open(w.f, opened(usual), now))
}

// Before its time a stage ends by both alone; then by either, where the rules name
// who sits in the next. Both ledgers come to the same end of it.
func TestStages(t *testing.T) {
	named := dispute.Rules{Stage: 3600, Mediator: m1, Panel: panel}
	for _, self := range []trust.ParticipantID{rxw, rje} {
		w := at(self)
		w.t = t
		w.does("opening", "")(w.s.Open(w.f, opened(named), now))
		w.does("another mediator", trust.Invalid)(w.s.Escalate(w.f, act(self), dispute.Mediated, []trust.ParticipantID{p1}, now, now))
		w.does("the panel at once", trust.Conflict)(w.s.Escalate(w.f, act(self), dispute.Panel, panel, now, now))
		ask := func(by dispute.Act, since, at int64) {
			t.Helper()
			w.does("asking", "")(w.s.Escalate(w.f, by, dispute.Mediated, []trust.ParticipantID{m1}, since, at))
		}
		ask(act(rxw), now+3599, now+3599)
		if w.stage() != dispute.Direct {
			t.Fatal("one alone ended it early")
		}
		ask(act(rxw), now+3600, now+3600)
		if c, _ := w.s.Get(id); c.Stage != dispute.Mediated || c.Due != now+7200 || c.Mediator != m1 {
			t.Fatalf("after its time it is %+v", c)
		}
		ask(told(rje), now+3610, now+3611) // crossed
		if c, _ := w.s.Get(id); c.Due != now+7210 {
			t.Errorf("the later of two that cross counts; it ends at %d", c.Due-now)
		}
		w.does("a stage that is long over", trust.Conflict)(w.s.Answer(act(rje), now+7210+3600))
	}
	// Whom nobody named, both name; of two that cross the respondent's stands.
	for _, self := range []trust.ParticipantID{rxw, rje} {
		w := at(self)
		w.t = t
		w.does("opening", "")(w.s.Open(w.f, opened(usual), now))
		opener := func(a dispute.Act, kind trust.ErrorKind) {
			w.does("the opener's", kind)(w.s.Escalate(w.f, a, dispute.Mediated, []trust.ParticipantID{p1}, now, now))
		}
		respondent := func(a dispute.Act) {
			w.does("the respondent's", "")(w.s.Escalate(w.f, a, dispute.Mediated, []trust.ParticipantID{p2}, now, now))
		}
		if self == rxw {
			opener(act(rxw), "")
			respondent(told(rje))
		} else {
			respondent(act(rje))
			opener(told(rxw), trust.Conflict)
		}
		w.does("taking the respondent's", "")(w.s.Escalate(w.f, act(rxw), dispute.Mediated, []trust.ParticipantID{p2}, now, now))
		if c, _ := w.s.Get(id); c.Stage != dispute.Mediated || c.Mediator != p2 {
			t.Errorf("at %s it is %s before %s", self, c.Stage, c.Mediator)
		}
	}
	w := in(t, dispute.Direct)
	w.f.Known = func(trust.ParticipantID) bool { return false }
	w.does("a stranger", trust.NotFound)(w.s.Escalate(w.f, act(rje), dispute.Mediated, []trust.ParticipantID{m1}, now, now))
	w.does("from another time", trust.Conflict)(w.s.Escalate(w.f, told(rxw), dispute.Mediated, []trust.ParticipantID{m1}, now+dispute.Leeway+1, now))
	w.does("the panel that nobody named", trust.Conflict)(w.s.Escalate(w.f, told(rxw), dispute.Panel, panel, now, now))
}

// Whatever crosses on the way, both ledgers come to the same decision.
func TestOffersThatCross(t *testing.T) {
	propose := func(w *world, a dispute.Act, hash, answers string, kind trust.ErrorKind) {
		w.t.Helper()
		w.does("proposing "+hash, kind)(w.s.Propose(a, hash, dispute.Remedy{}, answers, now))
	}
	accept := func(w *world, a dispute.Act, hash string, kind trust.ErrorKind) {
		w.t.Helper()
		w.does("accepting "+hash, kind)(w.s.Accept(w.f, a, hash, now))
	}
	settled := func(w *world, hash string) {
		w.t.Helper()
		if c, _ := w.s.Get(id); c.Stage != dispute.Decided || c.Hash != hash {
			w.t.Errorf("at %s it is %s by %q, want %q", w.f.Self, c.Stage, c.Hash, hash)
		}
	}
	// Both offer at once: the respondent's stands.
	w := in(t, dispute.Direct)
	w.f.Self = rxw
	propose(w, act(rxw), "p1", "", "")
	propose(w, told(rje), "p2", "", "")
	accept(w, act(rxw), "p2", "")
	settled(w, "p2")
	w = in(t, dispute.Direct)
	propose(w, act(rje), "p2", "", "")
	propose(w, told(rxw), "p1", "", trust.Conflict)
	accept(w, act(rje), "p1", trust.NotFound)
	accept(w, told(rxw), "p2", "")
	settled(w, "p2")

	// An offer that was countered is gone, and one has to answer the last.
	w = in(t, dispute.Direct)
	propose(w, told(rxw), "p1", "", "")
	propose(w, told(rxw), "p3", "p1", trust.Conflict)
	propose(w, act(rje), "p2", "p0", trust.Conflict)
	propose(w, act(rje), "p2", "p1", "")
	accept(w, act(rje), "p1", trust.NotFound)
	accept(w, act(rje), "p2", trust.NotFound)

	// The mediator's word: both have to take it, and it may come later than the
	// other's yes to it.
	w = in(t, dispute.Mediated)
	accept(w, told(rxw), "m", "")
	accept(w, act(rje), "m", trust.NotFound)
	propose(w, told(m1), "m", "", "")
	propose(w, told(m1), "m2", "", trust.Conflict)
	propose(w, told(rxw), "p1", "", trust.Conflict) // it said its last word
	accept(w, told(rxw), "m2", trust.Conflict)
	if w.stage() != dispute.Mediated {
		t.Fatal("one yes settled it")
	}
	accept(w, act(rje), "m", "")
	settled(w, "m")

	// Each accepts another thing: nothing is settled.
	w = in(t, dispute.Mediated)
	propose(w, told(m1), "m", "", "")
	accept(w, told(rxw), "other", "")
	accept(w, act(rje), "m", "")
	if w.stage() != dispute.Mediated {
		t.Error("two different words settled it")
	}

	// A yes that was sent before the panel sat counts; one that is said now does not.
	w = in(t, dispute.Mediated)
	propose(w, act(rje), "p1", "", "")
	for _, a := range []dispute.Act{act(rje), told(rxw)} {
		w.does("to the panel", "")(w.s.Escalate(w.f, a, dispute.Panel, panel, now, now))
	}
	accept(w, act(rxw), "p1", trust.Conflict)
	accept(w, told(rxw), "p1", "")
	settled(w, "p1")
}

// A panel decides by its majority, each member once; what both parties did not
// bring before a third node, it does not judge.
func TestThePanel(t *testing.T) {
	w := in(t, dispute.Panel)
	w.does("one", "")(w.s.Rule(w.f, told(p1), "a", dispute.Remedy{}, now))
	w.does("twice", trust.Conflict)(w.s.Rule(w.f, told(p1), "b", dispute.Remedy{}, now))
	w.does("another", "")(w.s.Rule(w.f, told(p2), "b", dispute.Remedy{}, now))
	if w.stage() != dispute.Panel {
		t.Fatal("a minority decided")
	}
	w.does("the majority", "")(w.s.Rule(w.f, told(p3), "b", dispute.Remedy{Bar: now + 9}, now))
	if c, _ := w.s.Get(id); c.Stage != dispute.Decided || c.Hash != "b" || c.Remedy.Bar != now+9 || c.In != dispute.Panel {
		t.Errorf("ruled it is %+v", c)
	}

	late := in(t, dispute.Panel) // what was good when it was sent
	late.does("a bar that ended on its way", "")(late.s.Rule(late.f, told(p1), "a", dispute.Remedy{Bar: now}, now))

	third := at(p1)
	third.t = t
	brought := dispute.Seated{Opened: opened(usual), Stage: dispute.Panel, Thirds: panel, Due: now + 99}
	third.does("seated by one", "")(third.s.Seat(third.f, brought))
	third.does("ruling for one", trust.Conflict)(third.s.Rule(third.f, act(p1), "a", dispute.Remedy{}, now))
	other := brought
	other.From = rje
	for what, change := range map[string]func(*dispute.Seated){
		"by a stranger":    func(e *dispute.Seated) { e.From = m1 },
		"before others":    func(e *dispute.Seated) { e.Thirds = []trust.ParticipantID{p2, p3, m1} },
		"another opener":   func(e *dispute.Seated) { e.Opener = m1 },
		"another panel":    func(e *dispute.Seated) { e.Thirds = []trust.ParticipantID{p1} },
		"another target":   func(e *dispute.Seated) { e.Target.Subject = trust.SubjectKey{2} },
		"an earlier stage": func(e *dispute.Seated) { e.Stage, e.Thirds = dispute.Mediated, []trust.ParticipantID{p1} },
		"no stage":         func(e *dispute.Seated) { e.Stage = dispute.Direct },
	} {
		e := other
		change(&e)
		if _, err := third.s.Seat(third.f, e); err == nil {
			t.Errorf("seated %s", what)
		}
	}
	third.does("seated by both", "")(third.s.Seat(third.f, other))
	third.does("ruling", "")(third.s.Rule(third.f, act(p1), "a", dispute.Remedy{}, now))
	if c, _ := third.s.Get(id); c.Stage != dispute.Panel {
		t.Errorf("a third node holds its own vote for the end: %s", c.Stage)
	}
	third.does("ended", "")(third.s.End(told(rxw), now))
	if third.stage() != dispute.Closed {
		t.Error("told that it ended, it goes on")
	}
}
