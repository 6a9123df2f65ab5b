package suspension

import "github.com/entente-id/entente/trust"

// Suspended: a target is stopped until Expires (Unix seconds), or, at 0, until
// two people let it go on. From is the participant that told us; zero means it was
// decided here, by an operator or, as ByRule says, a rule. Why is in the sealed
// part.
type Suspended struct {
	Target  Target              `json:"target"`
	Alias   trust.SubjectKey    `json:"alias,omitzero"` // the subject by its pairwise name, where that is known
	From    trust.ParticipantID `json:"from,omitzero"`
	By      string              `json:"by,omitempty"`
	Expires int64               `json:"expires,omitzero"`
}

// ByRule is how an act that a rule made says by whom it was: no operator has such
// a name, so it asks nothing back and confirms nothing.
func ByRule(rule string) string { return "rule:" + rule }

// RuleAlias stops a subject by the other name, too, that its home gives it: the
// same stop, of the same person.
const RuleAlias = "alias"

// ResumeAsked: an operator asked that a target goes on. Until Until (Unix seconds)
// another one may say so too.
type ResumeAsked struct {
	Target Target         `json:"target"`
	Of     trust.Position `json:"of"` // the stop that it is about
	By     string         `json:"by"`
	Until  int64          `json:"until"`
}

// Resumed: a target goes on. Two operators said so, Asked first; or the partner
// that had stopped it, From.
type Resumed struct {
	Target Target              `json:"target"`
	From   trust.ParticipantID `json:"from,omitzero"`
	Asked  string              `json:"asked,omitempty"`
	By     string              `json:"by,omitempty"`
}

// Lapsed: the stop of a subject by the entry at Of ended by itself, at Ended (Unix
// seconds). What holds at a time goes by the date of the stop; this is the account
// of it, for whoever is told of entries alone.
type Lapsed struct {
	Target Target         `json:"target"`
	Of     trust.Position `json:"of"`
	Ended  int64          `json:"ended"`
}

// Refused: somebody asked that a target goes on who may not say so.
type Refused struct {
	Target Target              `json:"target"`
	Rule   string              `json:"rule"` // one of the Rule words
	From   trust.ParticipantID `json:"from,omitzero"`
	By     string              `json:"by,omitempty"`
}

// EventKind is suspension.suspended.
func (Suspended) EventKind() trust.Kind { return kind("suspended") }

// EventKind is suspension.resume_asked.
func (ResumeAsked) EventKind() trust.Kind { return kind("resume_asked") }

// EventKind is suspension.resumed.
func (Resumed) EventKind() trust.Kind { return kind("resumed") }

// EventKind is suspension.lapsed.
func (Lapsed) EventKind() trust.Kind { return kind("lapsed") }

// EventKind is suspension.refused.
func (Refused) EventKind() trust.Kind { return kind("refused") }

func kind(verb string) trust.Kind { return trust.Kind{Name: "suspension." + verb, Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{Suspended{}, ResumeAsked{}, Resumed{}, Lapsed{}, Refused{}}
}
