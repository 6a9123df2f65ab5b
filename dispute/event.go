package dispute

import (
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// Act is whose move an event is: From's, and where that is this node, By's, an
// operator. ID is the dispute's, which both ledgers know it by: 32 hexadecimal
// digits.
type Act struct {
	ID   string              `json:"id"`
	From trust.ParticipantID `json:"from"`
	By   string              `json:"by,omitempty"`
}

// Opened: a participant disputes what another one stopped. Since is the opener's
// time, in Unix seconds. Ours says that this node stopped it, and so holds it to a
// remedy. What was said is in the sealed part, here as in the others.
type Opened struct {
	Act
	Opener     trust.ParticipantID `json:"opener"`
	Respondent trust.ParticipantID `json:"respondent"`
	Target     suspension.Target   `json:"target"`
	Agreement  string              `json:"agreement,omitempty"` // its random identifier
	Rules      Rules               `json:"rules"`
	Since      int64               `json:"since"`
	Ours       bool                `json:"ours,omitzero"`
}

// Seated: a party brought a dispute of others before this node, as its mediator or
// one of its panel.
type Seated struct {
	Opened
	Stage  Stage                 `json:"stage"`
	Thirds []trust.ParticipantID `json:"thirds"`
	Due    int64                 `json:"due"`
}

// Answered: the respondent said why.
type Answered struct{ Act }

// Exhibited: a party gave an entry of a party's ledger as evidence. The proof of
// it held, and is in the sealed part.
type Exhibited struct {
	Act
	Of   trust.ParticipantID `json:"of"`   // whose ledger
	Log  string              `json:"log"`  // trust or decisions
	N    uint64              `json:"n"`    // of the entry
	Leaf string              `json:"leaf"` // its hash, in base64
}

// Escalated: a party asked for the next stage, from its time Since on. Where that
// came about, Due is when the new stage ends; until then it is 0.
type Escalated struct {
	Act
	To     Stage                 `json:"to"`
	Thirds []trust.ParticipantID `json:"thirds"`
	Since  int64                 `json:"since"`
	Due    int64                 `json:"due,omitzero"`
}

// Proposed: a party or the mediator put a remedy on the table.
type Proposed struct {
	Act
	Hash   string `json:"hash"`
	Remedy Remedy `json:"remedy"`
}

// Accepted: a party accepted one.
type Accepted struct {
	Act
	Hash string `json:"hash"`
}

// Ruled: a member of the panel voted for one.
type Ruled struct {
	Act
	Hash   string `json:"hash"`
	Remedy Remedy `json:"remedy"`
}

// Settled: both parties agreed, or the panel's majority ruled. Also is the
// subject's other name here.
type Settled struct {
	ID     string           `json:"id"`
	In     Stage            `json:"in"`
	Hash   string           `json:"hash"`
	Remedy Remedy           `json:"remedy"`
	Also   trust.SubjectKey `json:"also,omitzero"`
}

// Met: the respondent said that a condition of the plan, counted from 1, is met.
type Met struct {
	Act
	Condition int `json:"condition"`
}

// Ended: a party told this node, a third one, that it is decided.
type Ended struct{ Act }

// Refused: somebody did what is not his to do, or not now.
type Refused struct {
	Act
	Verb Verb   `json:"verb"`
	Rule string `json:"rule"` // one of the Rule words
}

// EventKind is dispute.opened.
func (Opened) EventKind() trust.Kind { return kind("opened") }

// EventKind is dispute.seated.
func (Seated) EventKind() trust.Kind { return kind("seated") }

// EventKind is dispute.answered.
func (Answered) EventKind() trust.Kind { return kind("answered") }

// EventKind is dispute.exhibited.
func (Exhibited) EventKind() trust.Kind { return kind("exhibited") }

// EventKind is dispute.escalated.
func (Escalated) EventKind() trust.Kind { return kind("escalated") }

// EventKind is dispute.proposed.
func (Proposed) EventKind() trust.Kind { return kind("proposed") }

// EventKind is dispute.accepted.
func (Accepted) EventKind() trust.Kind { return kind("accepted") }

// EventKind is dispute.ruled.
func (Ruled) EventKind() trust.Kind { return kind("ruled") }

// EventKind is dispute.settled.
func (Settled) EventKind() trust.Kind { return kind("settled") }

// EventKind is dispute.met.
func (Met) EventKind() trust.Kind { return kind("met") }

// EventKind is dispute.ended.
func (Ended) EventKind() trust.Kind { return kind("ended") }

// EventKind is dispute.refused.
func (Refused) EventKind() trust.Kind { return kind("refused") }

func kind(verb string) trust.Kind { return trust.Kind{Name: "dispute." + verb, Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{
		Opened{}, Seated{}, Answered{}, Exhibited{}, Escalated{}, Proposed{}, Accepted{}, Ruled{}, Settled{}, Met{}, Ended{}, Refused{},
	}
}
