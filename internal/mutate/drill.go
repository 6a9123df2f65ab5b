package main

const (
	birdGo     = "evidence/canary.go"
	astrayGo   = "decision/canary.go"
	birdLineGo = "agreement/canary.go"
	settleGo   = "node/drillsign.go"
)

// drillMutants are the checks of canaries and of drills' results, which their own
// tests have to notice.
var drillMutants = noticedBy("^Test(Canaries|CanariesReachNothingElse|DrillResults)$",
	lost(birdGo, "a canary plays a class", "if «!ev.Class.Valid()» {", "false"),
	lost(astrayGo, "a canary is at the canary resource", "|| «h.r.ResourceType != agreement.CanaryResource» ||", "false"),
	lost(astrayGo, "a canary holds no session", "|| «h.r.Session» ||", "false"),
	lost(astrayGo, "a canary comes from its own node", "«h.r.EnforcementPoint != agreement.CanaryPoint(h.ev.Participant)»)", "false"),
	lost(birdLineGo, "a canary does what canaries do", "if reason, ok := line.Covers(q); «!ok» {", "!ok && reason == \"\""),
	lost(settleGo, "a result says all it must", "err != nil || «!bytes.Equal(again, payload)» {", "false"),
	lost(settleGo, "a result is its sender's and ours", "case «home.Iss != from || home.Aud != n.self || m.Home != from || m.Host != n.self»:", "false"),
	lost(settleGo, "a result is held to our limit", "!ok || «micros(limit) != m.Limit» {", "false"),
	lost(settleGo, "a drill has one result", "case «known.answer != \"\" && known.settled != shown»:", "false"),
)
