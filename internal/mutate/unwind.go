package main

const (
	rootGo = "node/root.go"
	limbGo = "node/limb.go"
)

// unwindMutants are the checks of what hangs from something that is ended.
var unwindMutants = noticedBy("^TestUnwound$",
	lost(rootGo, "an actor bears what it is given", "stands = stands || «bears(r, &g.Chain[i], &o.Chain[i], agreement)»", "false"),
	lost(rootGo, "what stands under an agreement hangs from it", "return «agreement == r.Agreement»", "false"),
	lost(rootGo, "what a client was issued hangs from it", "return «g.Client == r.Client»", "false"),
	skipped("node/unwind.go", "unwinding an agreement takes who may end it", "err := «c.mayUnder(f.root.Agreement, agreement.End, a.ID)»; err"),
	lost(limbGo, "mappings hang from their agreement", "if «m.Stage != mapping.Ended» {", "false"),
	lost(limbGo, "exceptions hang from their account", "if x.Alive(now) && «c.lets(x.Participant, x.Issuer, x.Account, r)» {", "false"),
	lost("node/statuslist.go", "what is suspended may have ended too", "if reason, ended := ground.Ended(&resumed, &seen); «ended» {", "false"),
	lost("node/unwind.go", "what is left is told", "if «rows[i].status(s, now) != credential.Invalid» {\n\t\t\tout.Left", "false"),
	lost("revocation/unwound.go", "a root is named as one", "if «!fits || r != want» {", "false"),
)
