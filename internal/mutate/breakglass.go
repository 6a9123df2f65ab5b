package main

const (
	reviewGo     = "breakglass/command.go"
	glassFoldGo  = "breakglass/fold.go"
	glassStateGo = "breakglass/breakglass.go"
	glassGo      = "decision/glass.go"
)

// breakGlassMutants are the checks of who breaks the glass, for how long, and who
// reviews that.
var breakGlassMutants = noticedBy("^TestBreakGlass$",
	lost(reviewGo, "who reviews holds the role", "came)\n\tcase «!f.Holds(by, o.Role)»:", "false"),
	lost(reviewGo, "who broke the glass does not review", "case «f.IsCaller(by, o.Subject)»:", "false"),
	lost(reviewGo, "who reviews is local", "case «!f.Local(by, o.Participant)»:", "false"),
	lost(glassFoldGo, "an overdue review takes the right away", "w.Agreement == agreement && «now >= w.Due»", "false"),
	lost(glassStateGo, "what was ended is ended", "now < o.Ends && «o.Closed == 0» &&", "true"),
	lost(glassStateGo, "emergency access is counted", "return o.Uses > 0 && «o.Used >= o.Uses»", "false"),
	lost(glassGo, "emergency access has a reason", "case «strings.TrimSpace(h.r.Reason) == \"\"»:", "false"),
	lost(glassGo, "emergency access is put into no credential", "case h.ev.Class != trust.Human || «h.r.Order != nil» ||", "false"),
	lost(glassGo, "what was ended is not open", "case «!o.Live(h.o.Now)»:", "false"),
)
