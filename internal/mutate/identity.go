package main

import "slices"

const (
	identityGo     = "identity/command.go"
	identityFoldGo = "identity/fold.go"
)

// identityMutants are the checks of who of ours may be used, and whose they are.
var identityMutants = slices.Concat(noticedIn("identity", "^(TestEveryCommandInEveryState|TestWhatIsTaken)$",
	lost(identityGo, "what nobody owns is not activated", "case «i.NonHuman() && !f.Serves(s.OwnerOf(i))»:", "false"),
	lost(identityGo, "what is for nothing is not activated", "case «i.NonHuman() && i.Purpose == trust.Position{}»:", "false"),
	lost(identityGo, "what has ended is not activated", "case «i.Overdue(now) == RuleEnd»:", "false"),
	lost(identityGo, "who owns is there", "case «!f.Serves(to)»:", "false"),
	lost(identityGo, "an account is one identity's", "if other, taken := s.ByAccount(r.Account); «taken» {", "false"),
	lost(identityGo, "another's account is not linked", "return nil, nil\n\tcase «taken»:", "false"),
	lost(identityGo, "a key is one identity's", "return s.gone(i, \"link\", k.By)\n\tcase «taken»:", "false"),
	lost(identityGo, "a return takes two people", "case «f.Same(asked.By, by)»:", "false"),
	lost(identityGo, "the first word runs out", "case !ok || «now >= asked.Until» ||", "false"),
	lost(identityGo, "the first word is an admin's", "|| «!f.Admin(asked.By)»:", "false"),
	lost(identityGo, "whose owner leaves is flagged", "case «!owned && i.Due == 0»:", "false"),
	lost(identityGo, "a date stops", "case «rule != \"\" && i.Stopped == 0»:", "false"),
	lost(identityFoldGo, "an owner has until the date", "case «i.Due != 0 && now >= i.Due»:", "false"),
	lost(identityFoldGo, "an end comes", "case «i.Until != 0 && now >= i.Until»:", "false"),
	lost(identityFoldGo, "what has no account left has ended", "case «ended»:", "false"),
), noticedIn("node", "^(TestTheLifeOfAnIdentity|TestAnOwnerLeaves)$",
	lost("decision/ground.go", "what nobody activated is denied", "if !ended && «s.Identity.Idle(o.Subject)» {", "false"),
	lost("node/identity.go", "an account of who is gone comes back by two", "ok && «c.Identity.Stage(i, c.identityFacts()) == identity.Gone» {", "false"),
	lost("suspension/command.go", "what a date stops does not go on", "case «f.Dated != \"\"»:", "false"),
))
