package framework_test

import (
	"testing"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

// life is where a framework may stand at a node, as each begins from version 1.
type life string

const (
	none     life = "none"     // nothing is in force here
	ruling   life = "ruling"   // version 1 is in force
	waiting  life = "waiting"  // and version 2 waits for people
	accepted life = "accepted" // version 2 was adopted and waits for its date
	replaced life = "replaced" // version 2 is in force
)

const date = now + 100 // from when on version 2 holds

func lives(t *testing.T) (all map[life]framework.State, second, rival, third framework.Signed) {
	first := adopted(t, framework.State{}, document(t), "rxw", "rje", "r0a")
	dated := func(d *framework.Document) { d.Activates = date }
	second = sign(t, next(first, dated), "rxw", "rje")
	rival = sign(t, next(first, func(d *framework.Document) { d.Summary = "a rival" }), "rje", "r0a")
	waits := apply(t, first)(first.Receive(framework.Facts{}, second, participant(t, "rje"), now))
	taken := apply(t, waits)(waits.Adopt(framework.Facts{}, framework.Hash(second.Bytes), by, now))
	over := taken.On(date)
	third = sign(t, next(over, nil), "rxw", "rje")
	return map[life]framework.State{none: {}, ruling: first, waiting: waits, accepted: taken, replaced: over}, second, rival, third
}

// Every command in every stage: empty is done, "same" changes nothing, else it is
// refused, by that rule or as that kind of error.
func TestEveryCommandInEveryStage(t *testing.T) {
	all, second, rival, third := lives(t)
	first := all[ruling].Current.Signed
	type row map[life]string
	for what, c := range map[string]struct {
		signed framework.Signed
		adopt  bool
		want   row
	}{
		"receive version 1": {first, false, row{none: "", ruling: "same", waiting: "same", accepted: "same", replaced: "not_newer"}},
		"receive version 2": {second, false, row{none: "unconfirmed", ruling: "", waiting: "same", accepted: "same", replaced: "same"}},
		"receive a rival":   {rival, false, row{none: "unconfirmed", ruling: "", waiting: "", accepted: "not_newer", replaced: "not_newer"}},
		"receive version 3": {third, false, row{none: "unconfirmed", ruling: "version_gap", waiting: "version_gap", accepted: "version_gap", replaced: ""}},
		"adopt version 1":   {first, true, row{none: "not_found", ruling: "same", waiting: "same", accepted: "same", replaced: "not_found"}},
		"adopt version 2":   {second, true, row{none: "not_found", ruling: "not_found", waiting: "", accepted: "same", replaced: "same"}},
		"adopt a rival":     {rival, true, row{none: "not_found", ruling: "not_found", waiting: "not_found", accepted: "not_found", replaced: "not_found"}},
		"adopt version 3":   {third, true, row{none: "not_found", ruling: "not_found", waiting: "not_found", accepted: "not_found", replaced: "not_found"}},
	} {
		for stage, want := range c.want {
			at := int64(now)
			if stage == replaced {
				at = date
			}
			var events []trust.Event
			var err error
			if c.adopt {
				events, err = all[stage].Adopt(framework.Facts{}, framework.Hash(c.signed.Bytes), by, at)
			} else {
				events, err = all[stage].Receive(framework.Facts{}, c.signed, participant(t, "rje"), at)
			}
			switch want {
			case "", "same":
				if err != nil || (len(events) == 0) != (want == "same") {
					t.Errorf("%s when %s: got %v, %v; want %q", what, stage, events, err, want)
				}
			case "not_found":
				if trust.KindOf(err) != trust.NotFound {
					t.Errorf("%s when %s: got %v, %v", what, stage, events, err)
				}
			default:
				refused(t, what+" when "+string(stage), framework.Rule(want), events, err)
			}
		}
	}
}

// Before its date the old rules hold, from it on the new ones; the date that has
// passed is no later than the adoption.
func TestAVersionHoldsFromItsDateOn(t *testing.T) {
	all, _, _, third := lives(t)
	s := all[accepted]
	for at, want := range map[int64]int{now: 1, date - 1: 1, date: 2, date + 1: 2} {
		if got := s.On(at).Current; got.Version != want || s.Due(at) != (want == 2) {
			t.Errorf("at %d version %d holds, due %t; want %d", at, got.Version, s.Due(at), want)
		}
	}
	over := s.On(date)
	if over.Next != nil || over.Current.Since != date {
		t.Errorf("got %+v", over)
	}
	// A command that comes at the date is judged by the new rules, and what it
	// brings about folds to the same from the state before.
	events, err := s.Receive(framework.Facts{}, third, participant(t, "rje"), date)
	if err != nil || len(events) != 1 {
		t.Fatalf("version 3 at the date: got %v, %v", events, err)
	}
	late := all[waiting].Apply(framework.Adopted{Signed: s.Next.Signed}, trust.Stamp{At: date + 7})
	if late.Next != nil || late.Current.Version != 2 || late.Current.Since != date+7 {
		t.Errorf("adopted after its date: got %+v", late)
	}
	if first := (framework.State{}).Apply(framework.Adopted{Signed: s.Next.Signed}, trust.Stamp{At: now}); first.Current != nil || first.On(date).Current == nil {
		t.Errorf("the first here, before its date: got %+v", first)
	}
}

func TestADateLiesBeforeTheEnd(t *testing.T) {
	for activates, sound := range map[trust.Instant]bool{0: true, now - 10: true, now + 999: true, now + 1000: false, now + 1001: false} {
		d := document(t)
		d.Activates = activates
		if faults := d.Check(now); (len(faults) == 0) != sound {
			t.Errorf("it holds from %s on: got %v", activates, faults)
		}
	}
}

// A participant is behind from when it had to have adopted, reckoned from when the
// version holds here or it became known, whichever is later.
func TestAdoptBy(t *testing.T) {
	d := document(t)
	d.Governance.AdoptWithin = 50
	limited := adopted(t, framework.State{}, d, "rxw", "rje", "r0a").Current
	open := adopted(t, framework.State{}, document(t), "rxw", "rje", "r0a").Current
	for what, c := range map[string]struct {
		f       *framework.InForce
		adopted int
		since   int64
		want    int64
	}{
		"nothing adopted":      {limited, 0, now - 9, now + 50},
		"adopted":              {limited, 1, 0, 0},
		"a later one":          {limited, 2, 0, 0},
		"known since a moment": {limited, 0, now + 40, now + 90},
		"no limit":             {open, 0, 0, 0},
	} {
		if got := c.f.AdoptBy(c.adopted, c.since); got != c.want {
			t.Errorf("%s: got %d", what, got)
		}
	}
}
