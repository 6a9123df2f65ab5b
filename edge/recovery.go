package edge

import "github.com/entente-id/entente/trust"

// Recovery is whether this ledger has all that its partners prove it once held.
// In the zero value nothing speaks against it.
type Recovery struct {
	// Lost is set once a partner showed a message of ours that the ledger does
	// not have, until an epoch is opened behind the loss.
	Lost bool `json:"lost,omitzero"`
	// Epoch is the newest that was opened behind a loss, 0 for none. Waiting
	// counts the partners that have not said yet what they hold of us.
	Epoch   uint32 `json:"epoch,omitzero"`
	Waiting int    `json:"waiting,omitzero"`
}

// Stage is how far an edge has come since this node opened an epoch behind a
// loss; empty for one that need not, or has been resumed.
type Stage string

const (
	Opened   Stage = "opened"   // what the partner holds of us is not fetched back yet
	Forgone  Stage = "forgone"  // likewise, and two people here let decisions go on without it
	Fetched  Stage = "fetched"  // it is; the partner has not accepted the epoch
	Accepted Stage = "accepted" // the partner's operator has; two of ours may resume the edge
)

// The rules by which an edge is broken in a recovery, as Broken gives them.
const (
	RuleRecovery = "recovery"  // at the node that lost a part of its ledger
	RuleNewEpoch = "new_epoch" // at its partner
	RuleLost     = "own_messages_lost"
	// RulePastEpoch: while a higher epoch is held, somebody speaks in one before it
	// with the partner's key.
	RulePastEpoch = "past_epoch"
)

// Numbers are of a message on each lane, in the order of Lanes.
type Numbers struct {
	Safety     uint64 `json:"safety"`
	Governance uint64 `json:"governance"`
}

// Of gives the number on a lane, 0 for a lane that does not exist.
func (n Numbers) Of(lane Lane) uint64 {
	switch lane {
	case Safety:
		return n.Safety
	case Governance:
		return n.Governance
	default:
		return 0
	}
}

// LossProven: a partner showed a message that we signed and that this ledger does
// not have. Everything is denied until an epoch is opened behind the loss.
type LossProven struct {
	By   trust.ParticipantID `json:"by"`
	Lane Lane                `json:"lane"`
	N    uint64              `json:"n"`
}

// Reopened: the ledger goes on in a new epoch behind a loss. Every edge is
// suspended, and numbers no message before the partner has said what it holds.
type Reopened struct {
	Epoch    uint32                `json:"epoch"`
	Partners []trust.ParticipantID `json:"partners"` // a sorted set
}

// Restored: what a partner holds of us was fetched back. Up to Common the ledger
// holds it too; up to Heads the partner has proven it. What was sent behind Common
// and is not the partner's gets a number behind Heads.
type Restored struct {
	From   trust.ParticipantID `json:"from"`
	Common Numbers             `json:"common"`
	Heads  Numbers             `json:"heads"`
}

// EpochTaken: a partner's operator accepted the epoch that was opened here.
type EpochTaken struct {
	From  trust.ParticipantID `json:"from"`
	Epoch uint32              `json:"epoch"`
}

// EpochHeld: a partner speaks in a higher epoch than it did. Nothing of it is
// taken before an operator accepts the epoch, and the edge is suspended.
type EpochHeld struct {
	From  trust.ParticipantID `json:"from"`
	Epoch uint32              `json:"epoch"`
}

// EpochAccepted: an operator accepted a partner's higher epoch. The edge stays
// suspended until two resume it.
type EpochAccepted struct {
	From  trust.ParticipantID `json:"from"`
	Epoch uint32              `json:"epoch"`
	By    string              `json:"by"`
}

// EventKind is edge.loss_proven.
func (LossProven) EventKind() trust.Kind { return trust.Kind{Name: "edge.loss_proven", Version: 1} }

// EventKind is edge.reopened.
func (Reopened) EventKind() trust.Kind { return trust.Kind{Name: "edge.reopened", Version: 1} }

// EventKind is edge.restored.
func (Restored) EventKind() trust.Kind { return trust.Kind{Name: "edge.restored", Version: 1} }

// EventKind is edge.epoch_taken.
func (EpochTaken) EventKind() trust.Kind { return trust.Kind{Name: "edge.epoch_taken", Version: 1} }

// EventKind is edge.epoch_held.
func (EpochHeld) EventKind() trust.Kind { return trust.Kind{Name: "edge.epoch_held", Version: 1} }

// EventKind is edge.epoch_accepted.
func (EpochAccepted) EventKind() trust.Kind {
	return trust.Kind{Name: "edge.epoch_accepted", Version: 1}
}

// WithoutAsked: an operator asks that decisions go on though a partner has not said
// what it holds of us. The request counts until Until, in Unix seconds.
type WithoutAsked struct {
	From  trust.ParticipantID `json:"from"`
	Epoch uint32              `json:"epoch"`
	By    string              `json:"by"`
	Until int64               `json:"until"`
}

// WentOnWithout: a second person said so too. The partner's edge stays suspended
// until it has said what it holds, and two people resume it.
type WentOnWithout struct {
	From  trust.ParticipantID `json:"from"`
	Epoch uint32              `json:"epoch"`
	Asked string              `json:"asked"`
	By    string              `json:"by"`
}

// EventKind is edge.without_asked.
func (WithoutAsked) EventKind() trust.Kind { return trust.Kind{Name: "edge.without_asked", Version: 1} }

// EventKind is edge.went_on_without.
func (WentOnWithout) EventKind() trust.Kind {
	return trust.Kind{Name: "edge.went_on_without", Version: 1}
}

// recover is Apply for the events of this file.
func (s State) recover(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case LossProven:
		s.Recovery.Lost = true
	case Reopened:
		s.Recovery = Recovery{Epoch: e.Epoch, Waiting: len(e.Partners)}
		for _, partner := range e.Partners {
			edge := s.edge(partner)
			edge.Broken, edge.BrokenAt, edge.Stage, edge.Base = RuleRecovery, at.Position, Opened, edge.Out
			edge.Without = Without{}
			s = s.with(partner, edge)
		}
	case Restored:
		edge := s.edge(e.From)
		if edge.Stage == Opened {
			s.Recovery.Waiting--
		}
		for i, lane := range Lanes() {
			if e.Heads.Of(lane) > e.Common.Of(lane) {
				edge.Out[i] = e.Heads.Of(lane)
			}
		}
		edge.Stage, edge.Base, edge.RestoredAt, edge.Without = Fetched, [2]uint64{}, at.Position, Without{}
		edge.Proven = [2]uint64{e.Heads.Safety, e.Heads.Governance}
		return s.with(e.From, edge)
	case WithoutAsked:
		edge := s.edge(e.From)
		edge.Without = Without{By: e.By, Until: e.Until}
		return s.with(e.From, edge)
	case WentOnWithout:
		edge := s.edge(e.From)
		if edge.Stage == Opened {
			s.Recovery.Waiting--
			edge.Stage = Forgone
		}
		return s.with(e.From, edge)
	case EpochTaken:
		edge := s.edge(e.From)
		edge.Stage = Accepted
		return s.with(e.From, edge)
	case EpochHeld:
		edge := s.edge(e.From)
		edge.Held, edge.Broken, edge.BrokenAt = e.Epoch, RuleNewEpoch, at.Position
		return s.with(e.From, edge)
	case EpochAccepted:
		edge := s.edge(e.From)
		edge.Held, edge.Epoch = 0, max(edge.Epoch, e.Epoch)
		return s.with(e.From, edge)
	}
	return s
}

// Stage gives how far an edge has come in a recovery of this node.
func (s State) Stage(partner trust.ParticipantID) Stage { return s.edge(partner).Stage }

// Base gives the numbers of the last messages that were sent before the epoch was
// opened, while the edge is Opened.
func (s State) Base(partner trust.ParticipantID) Numbers {
	base := s.edge(partner).Base
	return Numbers{base[0], base[1]}
}

// Proven gives the numbers of the last messages that a partner proved in a
// recovery of this node: what came before is sent to it no more.
func (s State) Proven(partner trust.ParticipantID) Numbers {
	proven := s.edge(partner).Proven
	return Numbers{proven[0], proven[1]}
}

// RestoredAt gives the entry by which what a partner held was fetched back; the
// zero position for none.
func (s State) RestoredAt(partner trust.ParticipantID) trust.Position {
	return s.edge(partner).RestoredAt
}

// Held gives the higher epoch that a partner speaks in and that nobody has
// accepted, 0 for none.
func (s State) Held(partner trust.ParticipantID) uint32 { return s.edge(partner).Held }

// Reopen opens an epoch behind a loss, on all edges. It fails with Invalid for one
// that is not above the ledger's.
func (s State) Reopen(current, epoch uint32, partners []trust.ParticipantID) ([]trust.Event, error) {
	if epoch <= current {
		return nil, trust.Errorf(trust.Invalid, "epoch %d does not follow epoch %d of the ledger", epoch, current)
	}
	return []trust.Event{Reopened{Epoch: epoch, Partners: partners}}, nil
}

// Restore takes what a partner proves that it holds of us. It fails with Conflict
// on an edge of which that was not asked, and with Invalid for numbers that cannot
// be.
func (s State) Restore(e Restored) ([]trust.Event, error) {
	edge := s.edge(e.From)
	if !edge.Stage.Awaits() {
		return nil, trust.Errorf(trust.Conflict, "edge with %s is %q in a recovery; what the partner holds is fetched while it is %q or %q", e.From, edge.Stage, Opened, Forgone)
	}
	for i, lane := range Lanes() {
		if common := e.Common.Of(lane); common > edge.Base[i] || common > e.Heads.Of(lane) {
			return nil, trust.Errorf(trust.Invalid, "message %d of the %s lane is not one that both this ledger and %s hold", common, lane, e.From)
		}
	}
	return []trust.Event{e}, nil
}

// TakeEpoch notes that a partner accepted the epoch of this ledger. It fails with
// Conflict where that is not awaited.
func (s State) TakeEpoch(e EpochTaken) ([]trust.Event, error) {
	if edge := s.edge(e.From); edge.Stage != Fetched || e.Epoch != s.Recovery.Epoch {
		return nil, trust.Errorf(trust.Conflict, "%s accepts epoch %d; the edge is %q in the recovery of epoch %d", e.From, e.Epoch, edge.Stage, s.Recovery.Epoch)
	}
	return []trust.Event{e}, nil
}

// HoldEpoch notes a partner's higher epoch, once. What was said in it before, and
// is heard after it was accepted, changes nothing.
func (s State) HoldEpoch(e EpochHeld) []trust.Event {
	if edge := s.edge(e.From); e.Epoch <= max(edge.Held, edge.Epoch) {
		return nil
	}
	return []trust.Event{e}
}

// AcceptEpoch lets a partner speak in the higher epoch that is held. It fails with
// Conflict for any other.
func (s State) AcceptEpoch(e EpochAccepted) ([]trust.Event, error) {
	if held := s.edge(e.From).Held; held == 0 || held != e.Epoch {
		return nil, trust.Errorf(trust.Conflict, "%s does not wait with epoch %d to be accepted; held is %d, 0 for none", e.From, e.Epoch, held)
	}
	return []trust.Event{e}, nil
}

// MayResume says whether an operator's word is all that a broken edge still waits
// for. It fails with Conflict for one whose epoch is not accepted yet, on either
// side, or in whose epoch nothing was said yet, and for one that has nothing in
// common.
func (s State) MayResume(partner trust.ParticipantID) error {
	edge := s.edge(partner)
	if edge.Held != 0 {
		return trust.Errorf(trust.Conflict, "%s speaks in epoch %d, which nobody has accepted here; an operator accepts it before the edge is resumed", partner, edge.Held)
	}
	if edge.Spoken < edge.Epoch {
		return trust.Errorf(trust.Conflict, "%s has said nothing yet in epoch %d, which is accepted; the edge is resumed once it has", partner, edge.Epoch)
	}
	if rule := s.greeting(partner).Rule; rule != "" && rule != RuleDowngrade {
		return trust.Errorf(trust.Conflict, "what %s states that it understands is refused (%s); the edge is resumed once one of the two understands more", partner, rule)
	}
	switch edge.Stage {
	case Opened, Forgone:
		return trust.Errorf(trust.Conflict, "what %s holds of this node's messages is not fetched back yet; the edge is resumed after that", partner)
	case Fetched:
		return trust.Errorf(trust.Conflict, "%s has not accepted epoch %d yet; the edge is resumed after that", partner, s.Recovery.Epoch)
	case Accepted:
	}
	return nil
}
