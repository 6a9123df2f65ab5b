package drill

import (
	"cmp"
	"iter"
	"slices"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// window is how many of a link's drills the state keeps; the log has them all.
const window = 512

// State is what the drills of every link came to. It is a value that never
// changes; in the zero value none was held.
type State struct {
	Links table.Table[Link] `json:"links"` // by agreement
}

// Link is one agreement's drills.
type Link struct {
	Agreement string              `json:"agreement"` // its id
	Home      trust.ParticipantID `json:"home"`
	Host      trust.ParticipantID `json:"host"`
	Held      uint64              `json:"held"`    // as long as the log is
	Samples   []Sample            `json:"samples"` // the latest, oldest first
}

// Sample is one drill.
type Sample struct {
	ID      string         `json:"id"`
	At      int64          `json:"at"`       // Unix seconds, of the entry
	Entry   trust.Position `json:"position"` // likewise
	Class   trust.Class    `json:"class"`
	Took    int64          `json:"took"`  // microseconds
	Limit   int64          `json:"limit"` // microseconds
	Verdict Verdict        `json:"verdict"`
	Side    Side           `json:"side,omitempty"`
	Alone   bool           `json:"alone,omitzero"` // the host did not sign
}

// Apply gives the state after e. It never fails; an event of another package
// changes nothing.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	f, ok := e.(Finished)
	if !ok {
		return s
	}
	m := &f.Measured
	link, _ := s.Link(m.Agreement)
	link.Agreement, link.Home, link.Host = m.Agreement, m.Home, m.Host
	verdict, side := Judge(m, f.Seen)
	kept := link.Samples[max(len(link.Samples)-window+1, 0):]
	link.Samples = append(slices.Clone(kept), Sample{
		ID: m.ID, At: at.At, Entry: at.Position, Class: m.Class, Took: m.Took(), Limit: m.Limit,
		Verdict: verdict, Side: side, Alone: f.Seen == nil,
	})
	link.Held++
	s.Links = s.Links.With(linkKey(m.Agreement), link)
	return s
}

func linkKey(agreement string) table.Key { return table.KeyOf("drill", agreement) }

// Link finds an agreement's drills.
func (s State) Link(agreement string) (Link, bool) { return s.Links.Get(linkKey(agreement)) }

// All yields the links that were drilled, by home, host and agreement.
func (s State) All() iter.Seq[Link] {
	var all []Link
	for _, l := range s.Links.All() {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b Link) int {
		return cmp.Or(cmp.Compare(a.Home.String(), b.Home.String()), cmp.Compare(a.Host.String(), b.Host.String()), cmp.Compare(a.Agreement, b.Agreement))
	})
	return slices.Values(all)
}
