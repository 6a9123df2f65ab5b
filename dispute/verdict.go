package dispute

import (
	"fmt"

	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Holds says why a remedy does not let a target go on yet, empty where none
// forbids it, and by which entry the newest one was settled, since when two people
// have to say so anew. now is Unix seconds.
func (s State) Holds(t suspension.Target, now int64) (why string, since trust.Position) {
	for _, c := range s.Cases.All() {
		if !c.Ours || c.Stage != Decided || c.Target != t {
			continue
		}
		if c.Settling.Compare(since) > 0 {
			since = c.Settling
		}
		if now < c.Remedy.Bar {
			why = fmt.Sprintf("the remedy of dispute %s bars that until %s", c.ID, trust.Instant(c.Remedy.Bar))
		}
		if met := len(c.Met); met < c.Remedy.Conditions {
			why = fmt.Sprintf("the plan of dispute %s has %d conditions, of which %d are met", c.ID, c.Remedy.Conditions, met)
		}
	}
	return why, since
}

// Monitored gives the monitoring of a subject, if it is monitored at now (Unix
// seconds).
func (s State) Monitored(subject trust.SubjectKey, now int64) (Watch, bool) {
	if s.Watched.Len() == 0 {
		return Watch{}, false
	}
	w, ok := s.Watched.Get(table.Key(subject))
	return w, ok && now < w.Until
}

// PersonBarred reports whether somebody whom a claim names is stopped under every
// identifier. The zero key is nobody.
func (s State) PersonBarred(person trust.SubjectKey) bool {
	if s.Persons.Len() == 0 || person == (trust.SubjectKey{}) {
		return false
	}
	_, barred := s.Persons.Get(table.Key(person))
	return barred
}
