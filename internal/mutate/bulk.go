package main

const gatherGo = "node/gather.go"

// bulkMutants are the checks of lists that come in chunks.
var bulkMutants = noticedBy("^Test(Chunks|ListsThatContradictThemselves)$",
	both(lost(gatherGo, "a chunk is one that was announced", "if «!n.lists.awaits(from, hash)» {", "false"),
		lost(gatherGo, "", "if «l == nil || l.awaited[hash] == 0» {", "l == nil")),
	lost(gatherGo, "a chunk holds as many as announced", "if «fault == nil && l.awaited[hash] != subjects» {", "false"),
	lost(gatherGo, "a list holds as many as announced", "if err == nil && («l.subjects != m.Subjects» ||", "false"),
	lost(gatherGo, "a list names each person", "if «p.Subject == \"\"» || p.Engagement == 0 {", "false"),
	lost(gatherGo, "a list that cannot be read breaks the edge", "if «fault == nil» {\n\t\treturn nil\n", "true"),
)
