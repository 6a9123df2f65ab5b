package identity

import "github.com/entente-id/entente/trust"

// Registered: this organisation answers for a subject, which is not active yet.
// Purpose says that what it is for stands in the sealed part, with its name.
// Until is its end in Unix seconds, 0 for none.
type Registered struct {
	N       uint32           `json:"n"`
	Class   trust.Class      `json:"class"`
	Account trust.SubjectKey `json:"account"` // its first
	Owner   Owner            `json:"owner,omitzero"`
	Purpose bool             `json:"purpose,omitzero"`
	Until   int64            `json:"until,omitzero"`
	By      string           `json:"by"`
}

// Activated: it may be used.
type Activated struct {
	N  uint32 `json:"n"`
	By string `json:"by"`
}

// Moved: what it is for, or its end, is another one. Purpose says that the sealed
// part tells a new one.
type Moved struct {
	N       uint32 `json:"n"`
	Purpose bool   `json:"purpose,omitzero"`
	Until   int64  `json:"until,omitzero"`
	By      string `json:"by"`
}

// HandedOver: somebody else owns it.
type HandedOver struct {
	N     uint32 `json:"n"`
	Owner Owner  `json:"owner"`
	By    string `json:"by"`
}

// Flagged: its owner has left. Unless it is handed over before Due (Unix seconds)
// it is stopped.
type Flagged struct {
	N   uint32 `json:"n"`
	Due int64  `json:"due"`
}

// Owned: its owner is there again, since somebody holds the role.
type Owned struct {
	N uint32 `json:"n"`
}

// Stopped: a date has come, and its accounts are suspended by it.
type Stopped struct {
	N    uint32 `json:"n"`
	Rule string `json:"rule"` // RuleOwner or RuleEnd
}

// AccountLinked: it has another account.
type AccountLinked struct {
	N       uint32           `json:"n"`
	Account trust.SubjectKey `json:"account"`
	By      string           `json:"by"`
}

// KeyLinked: it has another key, in place of Replaces where that is set. A key is
// named by a keyed hash.
type KeyLinked struct {
	N        uint32           `json:"n"`
	Key      trust.SubjectKey `json:"key"`
	Replaces trust.SubjectKey `json:"replaces,omitzero"`
	By       string           `json:"by"`
}

// Offboarded: it has ended, with the engagement of each of its accounts.
type Offboarded struct {
	N  uint32 `json:"n"`
	By string `json:"by"`
}

// ReturnAsked: an operator asked, after a joiner check, that it comes back. Until
// Until (Unix seconds) another one may say so too.
type ReturnAsked struct {
	N     uint32 `json:"n"`
	By    string `json:"by"`
	Until int64  `json:"until"`
}

// Returned: it begins a new engagement, by the word of two, Asked first. It is not
// active yet.
type Returned struct {
	N          uint32           `json:"n"`
	Engagement trust.Engagement `json:"engagement"`
	Asked      string           `json:"asked"`
	By         string           `json:"by"`
}

// Refused: somebody tried what the rules do not let be done.
type Refused struct {
	N    uint32 `json:"n"`
	Verb string `json:"verb"`
	Rule string `json:"rule"` // one of the Rule words
	By   string `json:"by"`
}

// EventKind is identity.registered.
func (Registered) EventKind() trust.Kind { return kind("registered") }

// EventKind is identity.activated.
func (Activated) EventKind() trust.Kind { return kind("activated") }

// EventKind is identity.moved.
func (Moved) EventKind() trust.Kind { return kind("moved") }

// EventKind is identity.handed_over.
func (HandedOver) EventKind() trust.Kind { return kind("handed_over") }

// EventKind is identity.flagged.
func (Flagged) EventKind() trust.Kind { return kind("flagged") }

// EventKind is identity.owned.
func (Owned) EventKind() trust.Kind { return kind("owned") }

// EventKind is identity.stopped.
func (Stopped) EventKind() trust.Kind { return kind("stopped") }

// EventKind is identity.account_linked.
func (AccountLinked) EventKind() trust.Kind { return kind("account_linked") }

// EventKind is identity.key_linked.
func (KeyLinked) EventKind() trust.Kind { return kind("key_linked") }

// EventKind is identity.offboarded.
func (Offboarded) EventKind() trust.Kind { return kind("offboarded") }

// EventKind is identity.return_asked.
func (ReturnAsked) EventKind() trust.Kind { return kind("return_asked") }

// EventKind is identity.returned.
func (Returned) EventKind() trust.Kind { return kind("returned") }

// EventKind is identity.refused.
func (Refused) EventKind() trust.Kind { return kind("refused") }

func kind(verb string) trust.Kind { return trust.Kind{Name: "identity." + verb, Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{
		Registered{}, Activated{}, Moved{}, HandedOver{}, Flagged{}, Owned{}, Stopped{}, AccountLinked{}, KeyLinked{},
		Offboarded{}, ReturnAsked{}, Returned{}, Refused{},
	}
}
