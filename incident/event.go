package incident

import (
	"strconv"

	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// RuleSet: an operator set a rule, in place of one of that name.
type RuleSet struct {
	Rule Rule   `json:"rule"`
	By   string `json:"by"`
}

// RuleRemoved: an operator took a rule away.
type RuleRemoved struct {
	Name string `json:"name"`
	By   string `json:"by"`
}

// Raised: a rule counted as much as it says, and did what it does. Target is what
// it stopped, none for an alert. Who the subject is stands in the sealed part.
type Raised struct {
	N uint64 `json:"n"` // from 1
	Figure
	Rule   Rule              `json:"rule"` // as it was
	Target suspension.Target `json:"target,omitzero"`
}

// Lapsed: by what a partner shows its posture has ended, and nothing followed it.
// Of a review Agreement is whose (its random identifier).
type Lapsed struct {
	Of          Evidence            `json:"of"`
	Participant trust.ParticipantID `json:"participant"`
	Agreement   string              `json:"agreement,omitempty"`
	Ended       int64               `json:"ended"` // Unix seconds
}

// ID is how people and partners call an incident.
func (r *Raised) ID() string { return ID(r.N) }

// Reason says what was counted, and says nothing of who it was.
func (r *Raised) Reason() string {
	what := map[Trigger]string{
		Volume: "decisions", Reissue: "attempts with tokens for somebody whose engagement ended", Breach: "drills beyond the removal target",
		Delay: "ends told later than the removal target", Leak: "leaked tokens or credentials", Posture: "lapses of what shows the posture",
	}[r.Rule.When]
	return "rule " + r.Rule.Name + ": " + strconv.FormatUint(r.Count, 10) + " " + what + " within " + strconv.FormatInt(r.Rule.Within, 10) + " s"
}

// ID is how people and partners call incident n.
func ID(n uint64) string { return "incident-" + strconv.FormatUint(n, 10) }

// EventKind is incident.rule_set.
func (RuleSet) EventKind() trust.Kind { return trust.Kind{Name: "incident.rule_set", Version: 1} }

// EventKind is incident.rule_removed.
func (RuleRemoved) EventKind() trust.Kind {
	return trust.Kind{Name: "incident.rule_removed", Version: 1}
}

// EventKind is incident.raised.
func (Raised) EventKind() trust.Kind { return trust.Kind{Name: "incident.raised", Version: 1} }

// EventKind is incident.lapsed.
func (Lapsed) EventKind() trust.Kind { return trust.Kind{Name: "incident.lapsed", Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event { return []trust.Event{RuleSet{}, RuleRemoved{}, Raised{}, Lapsed{}} }
