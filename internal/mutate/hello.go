package main

const (
	helloGo  = "edge/hello.go"
	speechGo = "node/hello.go"
)

// helloMutants are the checks of what a partner states that it understands.
var helloMutants = noticedBy("^TestHellos(BetweenNodes)?$",
	lost(helloGo, "a hello names a version", "«n == 0» ||", "false"),
	lost(helloGo, "versions begin at 1", "|| «h.Versions[0] == 0» ||", "false"),
	lost(helloGo, "kinds are a sorted set", "len(h.Kinds) > maxKinds || «!rising(h.Kinds)» {", "false"),
	lost(helloGo, "a kind is a word", "v == 0 || «!word(name, \"abcdefghijklmnopqrstuvwxyz0123456789-\")» {", "false"),
	lost(helloGo, "a kind's version has one form", "if «strconv.FormatUint(v, 10) != version» ||", "false"),
	lost(helloGo, "a kind's versions begin at 1", "|| «v == 0» ||", "false"),
	lost(helloGo, "an algorithm is a word", "if «!word(a, \"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-\")» {", "false"),
	lost(helloGo, "an edge has a version in common", "case «t.Version == 0»:", "false"),
	lost(helloGo, "a partner accepts what this node signs by", "case «!slices.Contains(t.Algorithms, own.Signs)»:", "false"),
	lost(helloGo, "a partner hears of every end", "case «deaf»:", "false"),
	lost(helloGo, "the version does not fall", "return «t.Version < agreed.Version» ||", "false"),
	lost(helloGo, "no kind is lost", "return t.Version < agreed.Version || «slices.ContainsFunc(t.Lacks, func(k string) bool { return !slices.Contains(agreed.Lacks, k) })»", "false"),
	lost(helloGo, "a fall is refused", "if rule == \"\" && «t.below(s.agreed(own, e.From))» {", "false"),
	lost(helloGo, "what is not understood is withheld", "!gives || «slices.Contains(heard.Kinds, kind)»", "true"),
	lost(helloGo, "what gives is withheld", "lane == Safety && «!gives» ||", "true"),
	lost(epochGo, "an edge with nothing in common is not resumed", "if rule := s.greeting(partner).Rule; «rule != \"\" && rule != RuleDowngrade» {", "false"),
	lost(foldGo, "resuming takes a fall and nothing else", "if «s.greeting(e.From).Rule == RuleDowngrade» {", "true"),
	lost(speechGo, "a refused hello breaks the edge", "if rule := c.Edge.Greeting(id).Rule; «refusal != nil && len(events) > 0» {", "false"),
	lost(speechGo, "who learns of hellos is told again", "if «unheard» {", "false"),
)
