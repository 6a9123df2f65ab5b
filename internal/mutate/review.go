package main

import "slices"

const (
	campaignGo = "review/command.go"
	boardGo    = "node/campaign.go"
)

// campaignMutants are the checks of who reviews, until when, and what less is.
var campaignMutants = slices.Concat(noticedIn("review", "^TestEveryCommandInEveryState$",
	lost(campaignGo, "a review is answered before its date", "case «now >= c.Due»:", "false"),
	lost(campaignGo, "an item is answered for once", "case «p.Stage != Waiting»:", "false"),
	lost(campaignGo, "what holds no more is not answered for", "case «!holds»:", "false"),
	lost(campaignGo, "who reviews holds the role", "case «!f.Holds(by, holding.Role)»:", "false"),
	lost(campaignGo, "who asked does not review", "if «f.Same(by, who)» {", "false"),
	lost(campaignGo, "nothing lapses before its date", "!ok || «now < c.Due» ||", "false"),
	lost(campaignGo, "what was answered for does not lapse", "!waits || «p.Stage != Waiting» {\n\t\treturn nil", "false"),
	lost(campaignGo, "what waits keeps a review open", "p.Stage == Waiting && «holds» {", "false"),
), noticedIn("review", "^TestWhatIsAsked$",
	lost(campaignGo, "a review has a date", "case «due <= now» ||", "false"),
	lost(campaignGo, "a review does not run for ever", "|| «due-now > MaxRun»:", "false"),
	lost(campaignGo, "so many reviews are open", "case «len(s.Running) >= MaxOpen»:", "false"),
), noticedIn("mapping", "^TestWithin$",
	lost("mapping/check.go", "a narrower mapping lasts no longer", "!same || «d.Expires > wider.Expires» {", "false"),
	lost("mapping/check.go", "a narrower mapping asks for the same role", "«d.From.Attribute != wider.From.Attribute || d.From.Equals != wider.From.Equals»", "false"),
	lost("mapping/check.go", "a narrower mapping asks to be seen as much", "if «d.From.Workload[name] != value» {", "false"),
), noticedIn("node", "^TestAReview$",
	lost("node/drift.go", "what was granted lately need not be used yet", "&& «m.Since <= since» &&", "true"),
	lost("node/drift.go", "what was used lately is used", "&& «last <= since» {", "true"),
	lost(boardGo, "a mapping is reduced to less", "less != nil && «(!less.Within(old.Document) || old.Document.Within(*less))» {", "false"),
))
