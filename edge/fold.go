package edge

import (
	"slices"
	"strconv"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// State is where every edge stands. It is a value that never changes; in the
// zero value no message was ever sent.
type State struct {
	Edges   table.Table[Edge]           `json:"edges"`   // by partner
	Queued  table.Table[trust.Position] `json:"queued"`  // by partner, lane and number: the entry that holds the message
	Applied table.Table[table.Key]      `json:"applied"` // by partner, lane and number: the content's hash, hashed
	Clock   Clock                       `json:"clock,omitzero"`
	// Recovery is that of this node's own ledger.
	Recovery Recovery `json:"recovery,omitzero"`
	// Greetings are by partner, as Edges.
	Greetings table.Table[Greeting] `json:"greetings"`
}

// Edge is where the streams with one partner stand. The numbers are by lane, in
// the order of Lanes; 0 is before the first. Epoch is that of the partner's
// stream, 0 before its first message. Broken is the rule that broke the edge,
// empty while it is whole.
type Edge struct {
	Out   [2]uint64 `json:"out"` // the last number given
	In    [2]uint64 `json:"in"`  // the last number applied
	Epoch uint32    `json:"epoch"`
	// Spoken is the epoch of the last message applied; below Epoch while a new one
	// is accepted, and the partner has said nothing in it.
	Spoken uint32 `json:"spoken,omitzero"`
	Broken string `json:"broken,omitempty"`
	// BrokenAt is the entry that broke it, 0/0 while it is whole.
	BrokenAt trust.Position `json:"broken_at,omitzero"`
	// Stage is how far a recovery of this node has come on the edge; while it is
	// Opened, Base is the last number given before.
	Stage Stage     `json:"stage,omitempty"`
	Base  [2]uint64 `json:"base,omitzero"`
	// Without is who asked that decisions go on without the partner's word.
	Without Without `json:"without,omitzero"`
	// Proven are the last messages of ours that the partner proved in a recovery,
	// by the entry at RestoredAt.
	Proven     [2]uint64      `json:"proven,omitzero"`
	RestoredAt trust.Position `json:"restored_at,omitzero"`
	// Held is a higher epoch of the partner's that nobody accepted yet, 0 for none.
	Held uint32 `json:"held,omitzero"`
}

// Apply gives the state after e. It never fails; an event of another package
// changes nothing, nor does one of a lane that does not exist.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Queued:
		if lane := slices.Index(Lanes(), e.Lane); lane >= 0 {
			edge := s.edge(e.To)
			edge.Out[lane] = max(edge.Out[lane], e.N)
			s.Queued = s.Queued.With(messageKey(e.To, e.Lane, e.N), at.Position)
			if e.Kind == HelloKind {
				s = s.greet(e.To, func(g *Greeting) { g.Said, g.Unheard = e.Hash, false })
			}
			return s.with(e.To, edge)
		}
	case Applied:
		if lane := slices.Index(Lanes(), e.Lane); lane >= 0 {
			edge := s.edge(e.From)
			edge.In[lane], edge.Epoch, edge.Spoken = max(edge.In[lane], e.N), max(edge.Epoch, e.Epoch), max(edge.Spoken, e.Epoch)
			s.Applied = s.Applied.With(messageKey(e.From, e.Lane, e.N), contentKey(e.Hash))
			return s.with(e.From, edge)
		}
	case Broken:
		edge := s.edge(e.From)
		edge.Broken, edge.BrokenAt = e.Rule, at.Position
		return s.with(e.From, edge)
	case Resumed:
		edge := s.edge(e.From)
		edge.Broken, edge.BrokenAt, edge.Stage = "", trust.Position{}, ""
		if s.greeting(e.From).Rule == RuleDowngrade {
			s = s.greet(e.From, func(g *Greeting) { g.Heard, g.Refused, g.Rule = g.Refused, Hello{}, "" })
		}
		return s.with(e.From, edge)
	case Unsupported:
		if e.Kind == HelloKind {
			return s.greet(e.From, func(g *Greeting) { g.Unheard = true })
		}
	case Greeted, GreetingRefused, Withheld:
		return s.applyHello(e)
	case ClockAhead, ClockAccepted, ClockAgreed:
		s.Clock = s.Clock.apply(e, at)
	case LossProven, Reopened, Restored, EpochTaken, EpochHeld, EpochAccepted, WithoutAsked, WentOnWithout:
		return s.recover(e, at)
	}
	return s
}

func (s State) edge(partner trust.ParticipantID) Edge {
	edge, _ := s.Edges.Get(edgeKey(partner))
	return edge
}

func (s State) with(partner trust.ParticipantID, edge Edge) State {
	s.Edges = s.Edges.With(edgeKey(partner), edge)
	return s
}

func edgeKey(partner trust.ParticipantID) table.Key { return table.KeyOf("edge", partner.String()) }

func messageKey(partner trust.ParticipantID, lane Lane, n uint64) table.Key {
	return table.KeyOf("message", partner.String(), string(lane), strconv.FormatUint(n, 10))
}

func contentKey(hash string) table.Key { return table.KeyOf("content", hash) }

// Next gives the number that the next message to a partner gets on a lane.
func (s State) Next(to trust.ParticipantID, lane Lane) uint64 {
	if i := slices.Index(Lanes(), lane); i >= 0 {
		return s.edge(to).Out[i] + 1
	}
	return 0
}

// Locate gives the entry that holds a message which was queued for a partner.
func (s State) Locate(to trust.ParticipantID, lane Lane, n uint64) (trust.Position, bool) {
	return s.Queued.Get(messageKey(to, lane, n))
}

// Position gives the epoch of a partner's stream and the number of its last
// message that was applied on a lane; 0 before the first.
func (s State) Position(from trust.ParticipantID, lane Lane) (epoch uint32, n uint64) {
	edge := s.edge(from)
	if i := slices.Index(Lanes(), lane); i >= 0 {
		n = edge.In[i]
	}
	return edge.Epoch, n
}

// Epochs gives the one in which a partner last told something that was applied, and
// the highest that is known of it: accepted, or held until somebody accepts it.
func (s State) Epochs(from trust.ParticipantID) (spoken, known uint32) {
	edge := s.edge(from)
	return edge.Spoken, max(edge.Epoch, edge.Held)
}

// Broken gives the rule that broke the edge with a partner, if one did.
func (s State) Broken(partner trust.ParticipantID) (rule string, broken bool) {
	rule = s.edge(partner).Broken
	return rule, rule != ""
}

// BrokenAt gives the entry that broke the edge with a partner; the zero position
// while it is whole.
func (s State) BrokenAt(partner trust.ParticipantID) trust.Position { return s.edge(partner).BrokenAt }

// Judge says what to do with a partner's message: epoch, lane and number, and
// the hex SHA-256 of its content. A broken edge is judged like a whole one:
// suspension stops decisions, never delivery. The first message sets the epoch
// of the stream. A lower one contradicts it; a higher one, which a recovery opens,
// is held until an operator accepts it, and nothing of an epoch before that one is
// taken either: the partner said that it speaks in it no more.
func (s State) Judge(from trust.ParticipantID, epoch uint32, lane Lane, n uint64, hash string) Verdict {
	known, last := s.Position(from, lane)
	switch {
	case !lane.Valid() || n == 0 || epoch < known || epoch == 0:
		return Break
	case epoch < s.Held(from):
		return Past
	case known != 0 && epoch > known:
		return Hold
	case n > last+1:
		return Gap
	case n == last+1:
		return Apply
	case !s.applied(from, lane, n, hash):
		return Break
	default:
		return Duplicate
	}
}

func (s State) applied(from trust.ParticipantID, lane Lane, n uint64, hash string) bool {
	content, ok := s.Applied.Get(messageKey(from, lane, n))
	return ok && content == contentKey(hash)
}
