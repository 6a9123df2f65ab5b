package main

const (
	repeatGo = "api/admin/repeat.go"
	serverGo = "api/admin/server.go"
	pageGo   = "api/admin/page.go"
	namedGo  = "node/once.go"
)

// apiMutants are the checks of what is sent again, replaced or read by pages.
var apiMutants = noticedIn("api/admin", "^Test(IdempotencyKeys|IfMatch|Pages|PagesRefuse)$",
	lost(repeatGo, "a key names one request", "if «one.request != request» {", "false"),
	lost(repeatGo, "a key is a word", "if «!ok» {", "false"),
	lost(repeatGo, "an answer is kept", "if kind := trust.KindOf(one.err); «kind == trust.Unavailable || kind == trust.Internal» {", "true"),
	other(namedGo, "a name is used up with what it did", "value, name.value = «name.value», nil", "[]trust.Once(nil)"),
	lost(serverGo, "what is replaced is as it was seen", "tag == \"*\" || «tag == tagOf(is.body)» {", "true"),
	lost(pageGo, "a page has its limit", "if limit > 0 && «len(list.Items) > limit» {", "false"),
	lost(pageGo, "a list without order is begun again", "if «!sorted» {", "false"),
)
