package main

const (
	raiseGo    = "incident/command.go"
	incidentGo = "node/incident.go"
)

// incidentMutants are the checks of what counts against somebody.
var incidentMutants = noticedBy("^TestRulesOnProofs$",
	lost(raiseGo, "an alert is said once", "said && «now < last+r.Within» {", "false"),
	both(lost(incidentGo, "what nobody vouches for counts for nobody", "if «ev.Fault != nil» || ev.Kind", "false"),
		lost(incidentGo, "", "if «of.subject == (trust.SubjectKey{})» ||", "false")),
	lost(incidentGo, "what is stopped counts for nothing", "|| «already(reason)» {", "false"),
	lost(incidentGo, "only tokens of who ended are re-issues", "if «reason == trust.SubjectRevoked || reason == trust.EngagementEnded» {", "true"),
	lost(incidentGo, "a rule counts within its scope", "if «!r.Covers(&f)» {", "false"),
)
