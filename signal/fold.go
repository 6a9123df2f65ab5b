package signal

import (
	"iter"
	"slices"
	"strings"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is the transmitters that are heard here and the marks that signals left.
// It is a value that never changes; the zero value has none.
type State struct {
	Transmitters table.Table[Transmitter] `json:"transmitters"` // by name
	Feeds        table.Table[string]      `json:"feeds"`        // their names, by issuer
	Subjects     table.Table[Mark]        `json:"subjects"`
	Sessions     table.Table[Mark]        `json:"sessions"`
	Devices      table.Table[Mark]        `json:"devices"`
	Issuers      table.Table[Mark]        `json:"issuers"` // of everybody of an issuer
}

// Transmitter is one that is heard here.
type Transmitter struct {
	Document
	Secret []byte         `json:"secret"`
	At     trust.Position `json:"at"` // of the entry that added it
}

// Apply gives the state after e. It never fails; an event of another package
// changes nothing.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case TransmitterAdded:
		s.Transmitters = s.Transmitters.With(nameKey(e.Document.Name), Transmitter{e.Document, e.Secret, at.Position})
		s.Feeds = s.Feeds.With(feedKey(e.Document.Issuer.String()), e.Document.Name)
	case TransmitterRemoved:
		if t, ok := s.Transmitter(e.Name); ok {
			s.Transmitters = s.Transmitters.Without(nameKey(e.Name))
			s.Feeds = s.Feeds.Without(feedKey(t.Issuer.String()))
		}
	case Received:
		for i := range e.Marks {
			s = s.join(&e.Marks[i])
		}
	}
	return s
}

func (s State) join(p *Placed) State {
	var marks *table.Table[Mark]
	switch p.Kind {
	case AtSubject:
		marks = &s.Subjects
	case AtSession:
		marks = &s.Sessions
	case AtDevice:
		marks = &s.Devices
	case AtIssuer:
		marks = &s.Issuers
	default:
		return s
	}
	before, _ := marks.Get(table.Key(p.Key))
	if after := before.Join(p.Mark); after != before {
		*marks = marks.With(table.Key(p.Key), after)
	}
	return s
}

// Transmitter finds one by name.
func (s State) Transmitter(name string) (Transmitter, bool) {
	return s.Transmitters.Get(nameKey(name))
}

// Feed finds the transmitter that speaks of an issuer's subjects.
func (s State) Feed(issuer string) (Transmitter, bool) {
	if s.Feeds.Len() == 0 {
		return Transmitter{}, false
	}
	name, ok := s.Feeds.Get(feedKey(issuer))
	if !ok {
		return Transmitter{}, false
	}
	return s.Transmitter(name)
}

// All yields the transmitters by name.
func (s State) All() iter.Seq[Transmitter] {
	var all []Transmitter
	for _, t := range s.Transmitters.All() {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Transmitter) int { return strings.Compare(a.Name, b.Name) })
	return slices.Values(all)
}

func nameKey(name string) table.Key   { return table.KeyOf("transmitter", name) }
func feedKey(issuer string) table.Key { return table.KeyOf("feed", issuer) }

// IssuerKey is where the marks of everybody of an issuer of a participant stand.
func IssuerKey(participant, issuer string) trust.SubjectKey {
	return trust.SubjectKey(table.KeyOf("everybody", participant, issuer))
}
