package main

const (
	leakGo     = "node/leak.go"
	traceGo    = "node/leaktrace.go"
	reportedGo = "revocation/leak.go"
	lapseGo    = "incident/posture.go"
	postureGo  = "node/posture.go"
	sessionGo  = "node/sessionlist.go"
	endGo      = "node/credentialend.go"
	reachGo    = "node/reach.go"
)

// leakMutants are the checks of reports of leaks.
var leakMutants = noticedBy("^TestLeaks$",
	lost(leakGo, "a leak is reported by who may revoke", "if «!mayRevoke(a)» {\n\t\treturn Leak{}", "false"),
	lost(leakGo, "a report of a leak has a reason", "if «r.Reason == \"\"» {", "false"),
	lost(leakGo, "what leaked was presented", "if «report.Home.IsZero()» {", "false"),
	both(lost(leakGo, "a leak counts once", "if «known» {\n\t\t\treturn nil", "false"),
		lost(reportedGo, "", "if «s.Leaked(&l)» {", "false")),
	lost(reportedGo, "a leak is of a token or of a credential", "|| «(l.Credential == \"\") == (l.Token == \"\")» ||", "false"),
	lost(traceGo, "a denial is no permit of what leaked", "if «!leaf.Permit()» {", "false"),
	lost(traceGo, "a receipt is of what leaked", "|| «one.Token != l.hash» {", "false"),
	lost(incidentGo, "leaks of our own people's count for no rule", "if «l.Home == c.n.self» {", "false"),
	lost(incidentGo, "leaks of one are not another's", "same := «x.Home == l.Home && (r.Per != incident.PerSubject || x.Subject == l.Subject)»", "x.Home == l.Home"),
	lost(incidentGo, "leaks lie within the rule's time", "if same && «x.At > c.now-r.Within» &&", "true"),
	both(lost(incidentGo, "leaks are in the rule's scope", "|| «!ofLeaks(&r, l.Agreements, l.Classes)» ||", "false"),
		lost(incidentGo, "", "&& «ofLeaks(&r, x.Agreements, x.Classes)» {", "true")),
)

// lapseMutants are the checks of what has lapsed.
var lapseMutants = noticedBy("^TestLapses$",
	lost(lapseGo, "a lapse is said once", "ok && «known.Ended >= l.Ended» {", "false"),
	lost(lapseGo, "a lapse names what it is of", ", «agreed != (l.Agreement != \"\")»:", "false"),
	lost(postureGo, "nothing lapses before its date", "|| «c.now < l.Ended» {", "false"),
	lost(postureGo, "lapses lie within the rule's time", "&& «x.At > c.now-r.Within» &&", "true"),
)

// endMutants are the checks of ends by hand, and of looks at what would end.
var endMutants = noticedBy("^TestEnds$",
	lost(sessionGo, "a session is ended by who may revoke", "if «!mayRevoke(a)» {\n\t\treturn trust.Position{}", "false"),
	lost(sessionGo, "the end of a session has a reason", "if «reason == \"\"» {", "false"),
	lost("revocation/session.go", "somebody ends a session", "if «e.By == \"\"» ||", "false"),
	lost(endGo, "a credential is ended by who may revoke", "if «!mayRevoke(a)» {\n\t\treturn EndedCredential{}", "false"),
	lost(endGo, "the end of a credential has a reason", "if «why.Reason == \"\"» {", "false"),
	lost(endGo, "a credential is the one that is named", "ok && «found.Credential == id» {", "true"),
	lost(endGo, "what has expired is not ended", "if «int64(e.Expires) <= n.Now()» {", "false"),
	lost(reachGo, "a look at what hangs from something is an operator's", "if err := n.read(a); «err != nil && !mayRevoke(a)» {", "err != nil && false"),
	lost(reachGo, "reach counts what the root stands in", "if «!bytes.Contains(r.Body, mark)» {", "false"),
	lost(reachGo, "reach counts permits", "err != nil || «!leaf.Permit()» ||", "false"),
	lost(reachGo, "reach counts people once", "if «!seen[*leaf.Subject]» {", "true"),
	lost(reachGo, "reach looks back a day", "if «r.At < since» {", "false"),
)
