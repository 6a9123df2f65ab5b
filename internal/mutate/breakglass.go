package main

import "slices"

const (
	reviewGo     = "breakglass/command.go"
	glassStateGo = "breakglass/breakglass.go"
	glassGo      = "decision/glass.go"
)

// breakGlassMutants are the checks of who breaks the glass, for how long, and who
// reviews that.
var breakGlassMutants = slices.Concat(noticedBy("^TestBreakGlass$",
	lost(reviewGo, "who reviews holds the role", "came)\n\tcase «!f.Holds(by, o.Role)»:", "false"),
	lost(reviewGo, "who broke the glass does not review", "case «f.IsCaller(by, o.Subject)»:", "false"),
	lost(reviewGo, "who reviews is local", "case «!f.Local(by, o.Participant)»:", "false"),
	lost(glassGo, "an overdue review takes the right away", "return id, «waits && h.o.Now >= due»", "false"),
	lost(glassStateGo, "what was ended is ended", "now < o.Ends && «o.Closed == 0» &&", "true"),
	lost(glassStateGo, "emergency access is counted", "return o.Uses > 0 && «o.Used >= o.Uses»", "false"),
	lost(glassGo, "emergency access has a reason", "case «strings.TrimSpace(h.r.Reason) == \"\"»:", "false"),
	lost(glassGo, "emergency access is put into no credential", "case h.ev.Class != trust.Human || «h.r.Order != nil» ||", "false"),
	lost(glassGo, "what was ended is not open", "case «!o.Live(h.o.Now)»:", "false"),
), noticedIn("breakglass", "^TestOverdue$",
	lost(reviewGo, "an overdue review takes the right away", "waits && «now >= due»", "false"),
), noticedIn("decision", "^TestADenialTurns",
	lost(glassGo, "a denial holds until a review is late", "if «waits» {\n\t\th.until(due)", "false"),
))
