package main

// frameworkMutants take out checks of what may become the framework, from when on,
// and of who follows.
var frameworkMutants = noticedBy("^TestFrameworks$",
	lost("framework/fold.go", "a version holds from its date on", "«s.Next.Since <= now»", "true"),
	lost("framework/fold.go", "a version that was adopted comes in force", "if «s.Due(now)» {", "false"),
	lost("framework/command.go", "nothing takes the place of what was adopted", "if «d.Version <= s.Next.Version» {", "false"),
	lost("framework/signature.go", "the version in force has its threshold", "case «s.Current != nil»:", "false"),
	lost("framework/signature.go", "a signer counts once", "if «counted[signature.Participant]» {", "false"),
	lost("framework/command.go", "a version names its predecessor's hash", "case «d.Previous != current.Hash»:", "false"),
	lost("framework/inforce.go", "a later version is no adoption owed", "|| «adopted >= f.Version»", "false"),
	lost(linkGo, "who has not adopted the framework in time is held to the basic tier", "if «h.behind && h.d.Tier != trust.Basic» {", "false"),
	lost("participant/adopt.go", "nobody goes back to an older version", "case «version <= p.Adopted»:", "false"),
	lost("state/state.go", "other rules make a permit that is remembered another", "if «!s.Framework.Due(now)» {", "true"),
)
