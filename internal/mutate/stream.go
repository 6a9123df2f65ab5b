package main

const (
	receiverGo = "node/receiver.go"
	streamGo   = "node/stream.go"
	grantGo    = "api/oauth/receiver.go"

	noticeGo = "node/notice.go"

	receivers = "^Test(Receivers|ReceiverTokens)$"
)

// receiverMutants are the checks of who has streams of signals, which
// TestReceivers and TestReceiverTokens have to notice.
var receiverMutants = noticedBy(receivers,
	lost(receiverGo, "a token is one that was given", "if «t.hash == hash» && now", "true"),
	lost(receiverGo, "a token ends", "t.hash == hash && «now < t.expires» {", "true"),
	lost(receiverGo, "a token ends with its client", "return &Receiver{n, id, t.manages}, «may»", "true"),
	lost(receiverGo, "who may look changes nothing", "if «!r.manages» {", "false"),
	lost(receiverGo, "a token is for who is registered for signals", "if _, may := c.MayReceive(); «!known || !may» {", "false"),
	lost(streamGo, "a stream is its receiver's", "if !ok || «t.Client != r.id» {", "false"),
	lost(grantGo, "a client without the right gets no token", "secret, ttl, ok := h.node.ReceiverToken(client, manage)\n\tif «!ok» {", "false"),
)

// toldMutants are the checks of what receivers are told of people, which TestTold
// has to notice.
var toldMutants = noticedBy("^TestTold$",
	lost(noticeGo, "who has left is not enabled", "if _, alive := (&change{Snapshot: s, n: n}).engagement(key); «!alive» ||", "false"),
	lost(noticeGo, "who is suspended is not enabled", "|| «s.Suspension.Stands(key)» {", "false"),
	lost(noticeGo, "what was before a subject was added is not told of it", "|| «added > at» {", "false"),
	lost(noticeGo, "a receiver hears of those it added", "«rights.All» {\n\t\tfor", "true"),
	lost("suspension/verdict.go", "a suspension ends at its end", "s.Until != 0 && «s.Until <= now» }", "true"),
)
