package breakglass

import "github.com/entente-id/entente/trust"

// Opened: somebody broke the glass, until Ends, and it is reviewed until Due (Unix
// seconds). Who it was, to what and why is in the sealed part.
type Opened struct {
	Need
	ID   string `json:"id"`
	N    uint64 `json:"n"` // from 1
	Ends int64  `json:"ends"`
	Due  int64  `json:"due"`
}

// Used: it was used for one more decision, of as many as it may be.
type Used struct {
	ID string `json:"id"`
}

// Closed: a person ended it before its time. Why is in the sealed part, as of all
// that people say here.
type Closed struct {
	ID string `json:"id"`
	By string `json:"by"`
}

// Reviewed: a person said what it was, Justified or Unjustified.
type Reviewed struct {
	ID   string `json:"id"`
	By   string `json:"by"`
	Came Stage  `json:"came"`
}

// Lapsed: nobody reviewed it in time. Until somebody does, nobody breaks the glass
// under its agreement.
type Lapsed struct {
	ID string `json:"id"`
}

// Refused: somebody answered for it who may not, by one of the Rule words.
type Refused struct {
	ID   string `json:"id"`
	By   string `json:"by"`
	Rule string `json:"rule"`
}

// Told: a host said how emergency access of one of our own people there stands. N
// and ID are the host's.
type Told struct {
	From      trust.ParticipantID `json:"from"`
	Agreement string              `json:"agreement"`
	Subject   trust.SubjectKey    `json:"subject"`
	ID        string              `json:"id"`
	N         uint64              `json:"n"`
	Stage     Stage               `json:"stage"`
	Ends      int64               `json:"ends"`
	Due       int64               `json:"due"`
}

// EventKind is breakglass.opened.
func (Opened) EventKind() trust.Kind { return kind("opened") }

// EventKind is breakglass.used.
func (Used) EventKind() trust.Kind { return kind("used") }

// EventKind is breakglass.closed.
func (Closed) EventKind() trust.Kind { return kind("closed") }

// EventKind is breakglass.reviewed.
func (Reviewed) EventKind() trust.Kind { return kind("reviewed") }

// EventKind is breakglass.lapsed.
func (Lapsed) EventKind() trust.Kind { return kind("lapsed") }

// EventKind is breakglass.refused.
func (Refused) EventKind() trust.Kind { return kind("refused") }

// EventKind is breakglass.told.
func (Told) EventKind() trust.Kind { return kind("told") }

func kind(verb string) trust.Kind { return trust.Kind{Name: "breakglass." + verb, Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{Opened{}, Used{}, Closed{}, Reviewed{}, Lapsed{}, Refused{}, Told{}}
}
