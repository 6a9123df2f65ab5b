package review

import "github.com/entente-id/entente/trust"

// Opened: a campaign asks until Due (Unix seconds) for an answer to each of the
// items that the entries behind it list.
type Opened struct {
	ID string `json:"id"`
	N  uint64 `json:"n"` // from 1
	Scope
	Due int64  `json:"due"`
	By  string `json:"by"`
}

// Listed: these are items of a campaign.
type Listed struct {
	ID    string `json:"id"`
	Items []Item `json:"items"`
}

// Answered: a person said what becomes of an item. Why is in the sealed part; what
// takes effect is in the entries behind.
type Answered struct {
	ID string `json:"id"`
	Item
	Said Said   `json:"said"`
	By   string `json:"by"`
}

// Unanswered: nobody answered for an item in time. It lapses by the entries behind.
type Unanswered struct {
	ID string `json:"id"`
	Item
}

// Closed: nothing waits any more, or the campaign's date has come and what waited
// has lapsed.
type Closed struct {
	ID string `json:"id"`
}

// Refused: somebody answered who may not, by one of the Rule words.
type Refused struct {
	ID string `json:"id"`
	Item
	By   string `json:"by"`
	Rule string `json:"rule"`
}

// EventKind is review.opened.
func (Opened) EventKind() trust.Kind { return kind("opened") }

// EventKind is review.listed.
func (Listed) EventKind() trust.Kind { return kind("listed") }

// EventKind is review.answered.
func (Answered) EventKind() trust.Kind { return kind("answered") }

// EventKind is review.unanswered.
func (Unanswered) EventKind() trust.Kind { return kind("unanswered") }

// EventKind is review.closed.
func (Closed) EventKind() trust.Kind { return kind("closed") }

// EventKind is review.refused.
func (Refused) EventKind() trust.Kind { return kind("refused") }

func kind(verb string) trust.Kind { return trust.Kind{Name: "review." + verb, Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{Opened{}, Listed{}, Answered{}, Unanswered{}, Closed{}, Refused{}}
}
