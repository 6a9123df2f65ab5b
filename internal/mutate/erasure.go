package main

import "slices"

const (
	eraseGo   = "node/erase.go"
	erasureGo = "erasure/command.go"
	tracesGo  = "node/traces.go"
)

// erasureMutants are the checks of what is erased, and of what was.
var erasureMutants = slices.Concat(noticedIn("erasure", "^TestEveryCommandInEveryState$",
	lost(erasureGo, "what is held is not erased", "if h, held := s.Held(e.Subject, now); «held» {", "false"),
	lost(erasureGo, "who is engaged is not erased", "if «f.Engaged» {", "false"),
	lost(erasureGo, "what is needed is not erased", "if «f.Needed != \"\"» {", "false"),
	lost(erasureGo, "nobody erases what is kept about themselves", "if «f.Self(e.By)» {", "false"),
	lost(erasureGo, "an erasure takes two people", "case «f.Same(asked.By, e.By)»:", "false"),
	lost(erasureGo, "the first word runs out", "case !ok || «now >= asked.Until» ||", "false"),
	lost(erasureGo, "the first word is an operator's", "|| «!f.Serves(asked.By)»:", "false"),
	both(lost(erasureGo, "a hold that has ended is not ended", "case «h.EndedAt != 0»:", "false"),
		lost(erasureGo, "", "case «!h.Stands(now)»:", "false")),
	lost(erasureGo, "a hold that has run out is not ended", "case «!h.Stands(now)»:", "false"),
	lost("erasure/fold.go", "a hold is of its own subject", "if «h.Subject == subject» && h.Stands(now) {", "true"),
	lost("erasure/fold.go", "a hold stands for its time", "if h.Subject == subject && «h.Stands(now)» {", "true"),
), noticedIn("node", "^TestAPersonIsErased$",
	lost(eraseGo, "a host hears of an end before its words are gone", "if «slices.Contains(names, q.Owner)» || lists", "false"),
	lost(eraseGo, "what a crash left is destroyed at the start", "if «s.Erasure.Destroyed.Len() == 0» {", "true"),
	lost(erasureGo, "what the keys remember is taken over", "if «k.Times > s.Times(k.Key)» {", "false"),
	lost("node/record.go", "what is given back has no words", "if «c.given && c.Erasure.Forgotten(s.owner)» {", "false"),
	lost(tracesGo, "other names are looked for", "if other := otherName(e, t.all(subject)); «other != (trust.SubjectKey{})» {", "false"),
))
