package approval

import "github.com/entente-id/entente/trust"

// Asked: a decision was denied until people approve. They may until Until (Unix
// seconds). Who asks, for what and why is in the sealed part.
type Asked struct {
	Need
	ID    string `json:"id"`
	Until int64  `json:"until"`
}

// Said: somebody said yes, and more have to. Why is in the sealed part, as of all
// that people say here.
type Said struct {
	ID string `json:"id"`
	By string `json:"by"`
}

// Granted: the last one said yes. It is approved until Ends (Unix seconds).
type Granted struct {
	ID   string `json:"id"`
	By   string `json:"by"`
	Ends int64  `json:"ends"`
}

// Declination: somebody said no, which is enough.
type Declination struct {
	ID string `json:"id"`
	By string `json:"by"`
}

// Withdrawn: what was approved is so no longer, before its end.
type Withdrawn struct {
	ID string `json:"id"`
	By string `json:"by"`
}

// Spent: an approval that is good for one decision was used for it.
type Spent struct {
	ID string `json:"id"`
}

// Refused: somebody said yes who may not, by one of the Rule words.
type Refused struct {
	ID   string `json:"id"`
	By   string `json:"by"`
	Rule string `json:"rule"`
}

// EventKind is approval.asked.
func (Asked) EventKind() trust.Kind { return kind("asked") }

// EventKind is approval.said.
func (Said) EventKind() trust.Kind { return kind("said") }

// EventKind is approval.granted.
func (Granted) EventKind() trust.Kind { return kind("granted") }

// EventKind is approval.declined.
func (Declination) EventKind() trust.Kind { return kind("declined") }

// EventKind is approval.withdrawn.
func (Withdrawn) EventKind() trust.Kind { return kind("withdrawn") }

// EventKind is approval.spent.
func (Spent) EventKind() trust.Kind { return kind("spent") }

// EventKind is approval.refused.
func (Refused) EventKind() trust.Kind { return kind("refused") }

func kind(verb string) trust.Kind { return trust.Kind{Name: "approval." + verb, Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{Asked{}, Said{}, Granted{}, Declination{}, Withdrawn{}, Spent{}, Refused{}}
}
