// Package incident holds the rules by which a node acts before a person does:
// what is counted, how much of it within what time is too much, and what then
// happens; and each time that it did. It decides what a rule may say, what its
// target is, and when the same is not said again. It refuses to know who counts,
// who a subject is, and how anything goes on: that takes two people, always.
package incident

import (
	"slices"

	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// Trigger is what a rule counts.
type Trigger string

const (
	Volume  Trigger = "volume"  // decisions that were asked for (R70)
	Reissue Trigger = "reissue" // denials of tokens for somebody whose engagement ended
	Breach  Trigger = "breach"  // drills that broke the removal target (R54); what was this node's own doing counts for alerts alone
	Leak    Trigger = "leak"    // tokens and credentials that an operator reported as leaked (R74), each once
	Posture Trigger = "posture" // lapses of what a partner shows its posture by: its statement, the reviews of its agreements
	Delay   Trigger = "delay"   // ends that the home told later than the removal target, on a link that was up
)

// Per is whose counts are taken together.
type Per string

const (
	PerSubject     Per = "subject"
	PerParticipant Per = "participant"
)

// Act is what a rule does.
type Act string

const (
	Alert   Act = "alert"   // a finding, and nothing else
	Suspend Act = "suspend" // and What is stopped
	Reduce  Act = "reduce"  // and What is taken out of the agreement
)

// What is what a rule stops.
type What string

const (
	Subject     What = "subject"
	Class       What = "class"
	Service     What = "service"
	Agreement   What = "agreement"
	Participant What = "participant"
)

// Bounds of a rule.
const (
	MaxRules  = 64
	MaxWithin = 86400         // seconds
	MaxCount  = 1_000_000_000 // of anything within that
)

// Rule says: when Count is reached within Within seconds, Do. What is empty in its
// scope, which is Participant, Agreement (its random identifier), Class and Service
// (its audience), stands for all. With a marking the partner is told the reason.
type Rule struct {
	Name        string              `json:"name"`
	When        Trigger             `json:"when"`
	Per         Per                 `json:"per,omitempty"` // of a volume, of re-issues and of leaks
	Count       uint64              `json:"count"`
	Within      int64               `json:"within"`
	Do          Act                 `json:"do"`
	What        What                `json:"what,omitempty"` // none: an alert
	Participant trust.ParticipantID `json:"participant,omitzero"`
	Agreement   string              `json:"agreement,omitempty"`
	Class       trust.Class         `json:"class,omitempty"`
	Service     string              `json:"service,omitempty"`
	TLP         suspension.TLP      `json:"tlp,omitempty"`
}

// Figure is what was counted: of whom, and how much. Of a count per participant
// Subject is zero.
type Figure struct {
	Participant trust.ParticipantID `json:"participant"`
	Subject     trust.SubjectKey    `json:"subject,omitzero"`
	Agreement   string              `json:"agreement,omitempty"`
	Class       trust.Class         `json:"class,omitempty"`
	Service     string              `json:"service,omitempty"`
	Count       uint64              `json:"count"`
}

// Covers reports whether what is counted is in the scope of r.
func (r *Rule) Covers(f *Figure) bool {
	return (r.Participant.IsZero() || r.Participant == f.Participant) &&
		(r.Agreement == "" || r.Agreement == f.Agreement) &&
		(r.Class == "" || r.Class == f.Class) &&
		(r.Service == "" || r.Service == f.Service)
}

// Target is what r stops because of f. An alert stops nothing. What a rule does
// not take from f, it takes from its scope: of many decisions the last one does
// not say in what agreement they were.
func (r *Rule) Target(f *Figure) suspension.Target {
	within, class := r.Agreement, r.Class
	if r.When == Breach { // a drill is of one agreement and one class
		within, class = f.Agreement, f.Class
	}
	t := suspension.Target{Kind: suspension.Coverage}
	if r.Do == Reduce {
		t.Agreement = within
	} else {
		t.Participant = f.Participant
	}
	switch r.What {
	case Subject:
		return suspension.Target{Kind: suspension.Subject, Participant: f.Participant, Subject: f.Subject}
	case Agreement:
		return suspension.Target{Kind: suspension.Agreement, Agreement: within}
	case Participant:
		return suspension.Target{Kind: suspension.Participant, Participant: f.Participant}
	case Class:
		t.Class = class
	case Service:
		t.Service = r.Service
	}
	return t
}

// Check reports what is wrong with a rule. It fails with Invalid.
func (r *Rule) Check() error {
	if err := trust.CheckName("rule", r.Name); err != nil {
		return err
	}
	counted := r.When == Volume || r.When == Reissue || r.When == Leak
	switch {
	case !slices.Contains([]Trigger{Volume, Reissue, Breach, Leak, Posture, Delay}, r.When):
		return r.wrong("counts %q; it counts volume, reissue, breach, leak, posture or delay", r.When)
	case counted && r.Per != PerSubject && r.Per != PerParticipant:
		return r.wrong("counts per subject or per participant; it says %q", r.Per)
	case !counted && r.Per != "":
		return r.wrong("counts %s, which are no subject's; it says per %s", r.When, r.Per)
	case r.Count == 0 || r.Count > MaxCount:
		return r.wrong("acts on a count of 1 to %d; it says %d", MaxCount, r.Count)
	case r.Within <= 0 || r.Within > MaxWithin:
		return r.wrong("counts within 1 s to %d s; it says %d s", MaxWithin, r.Within)
	case r.Class != "" && !r.Class.Valid():
		return r.wrong("is about the class %q, which does not exist", r.Class)
	case r.TLP != "" && !r.TLP.Valid():
		return r.wrong("is marked TLP %q, which TLP 2.0 does not have", r.TLP)
	case r.When == Delay && (r.Agreement != "" || r.Class != "" || r.Service != ""):
		return r.wrong("counts what a home tells late, which is of no single agreement, class or service")
	case r.When == Breach && r.Service != "":
		return r.wrong("counts drills, which are of no service of ours")
	case r.When == Leak && r.Service != "":
		return r.wrong("counts leaks, which are of no single service")
	case r.When == Posture && (r.Class != "" && r.What != Class || r.Service != "" && r.What != Service):
		return r.wrong("counts what a partner has to show, which is of no single class or service")
	}
	return r.checkTarget()
}

// checkTarget: what is stopped must follow from the rule, and not from whichever
// decision happened to be the last one.
func (r *Rule) checkTarget() error {
	if r.Do == Alert {
		if r.What != "" {
			return r.wrong("alerts, which stops nothing; it says what to stop: %s", r.What)
		}
		return nil
	}
	agreed, classed := r.Agreement != "" || r.When == Breach, r.Class != "" || r.When == Breach
	switch {
	case r.Do != Suspend && r.Do != Reduce:
		return r.wrong("does %q; it does alert, suspend or reduce", r.Do)
	case r.Do == Reduce && r.What != Class && r.What != Service:
		return r.wrong("reduces an agreement by a class or a service; it says %q", r.What)
	case r.Do == Reduce && !agreed:
		return r.wrong("reduces an agreement; it must name which")
	}
	switch r.What {
	case Subject:
		if r.Per != PerSubject {
			return r.wrong("stops a subject; then it counts volume, reissue or leak per subject")
		}
	case Class:
		if !classed {
			return r.wrong("stops a class; it must name which")
		}
	case Service:
		if r.Service == "" {
			return r.wrong("stops a service; it must name which")
		}
	case Agreement:
		if !agreed {
			return r.wrong("stops an agreement; it must name which")
		}
	case Participant:
	default:
		return r.wrong("stops %q; it stops a subject, class, service, agreement or participant", r.What)
	}
	return nil
}

func (r *Rule) wrong(format string, args ...any) error {
	return trust.Errorf(trust.Invalid, "rule %s "+format, append([]any{r.Name}, args...)...)
}

// Standing are the rules that a node begins with. They alert and stop nothing.
func Standing() []Rule {
	return []Rule{
		{Name: "breached-drill", When: Breach, Count: 1, Within: 3600, Do: Alert},
		{Name: "busy-participant", When: Volume, Per: PerParticipant, Count: 1_000_000, Within: 3600, Do: Alert},
		{Name: "busy-person", When: Volume, Per: PerSubject, Class: trust.Human, Count: 5000, Within: 3600, Do: Alert},
		{Name: "lapsed-posture", When: Posture, Count: 1, Within: 3600, Do: Alert},
		{Name: "late-removal", When: Delay, Count: 1, Within: 3600, Do: Alert},
		{Name: "leaked-credential", When: Leak, Per: PerParticipant, Count: 1, Within: 3600, Do: Alert},
		{Name: "reissued-subject", When: Reissue, Per: PerSubject, Count: 10, Within: 3600, Do: Alert},
	}
}
