package main

const (
	epochGo    = "edge/recovery.go"
	foldGo     = "edge/fold.go"
	receivedGo = "node/received.go"
	restoreGo  = "node/restore.go"
	beatGo     = "node/heartbeat.go"
)

// recoveryMutants are the checks of a ledger that goes on behind a loss, and of a
// partner's.
var recoveryMutants = noticedBy("^Test(FalseAnswersToARecovery|WhoIsToldOfMessages|Epochs|RecoveryCommands|ALossIsProven|CredentialsOfALostLedger|GoingOnWithoutAPartner)$",
	lost(epochGo, "an epoch follows the ledger's", "if «epoch <= current» {", "false"),
	lost(epochGo, "messages are given back once", "if «!edge.Stage.Awaits()» {", "false"),
	lost(epochGo, "what is in common was sent", "if common := e.Common.Of(lane); «common > edge.Base[i]» ||", "false"),
	lost(epochGo, "what is in common the partner holds", "|| «common > e.Heads.Of(lane)» {", "false"),
	lost(epochGo, "an epoch is accepted after the messages are back", "«edge.Stage != Fetched» ||", "false"),
	lost(epochGo, "an epoch that is accepted is the open one", "|| «e.Epoch != s.Recovery.Epoch» {", "false"),
	lost(epochGo, "an operator accepts the epoch that is held", "held == 0 || «held != e.Epoch» {", "false"),
	lost(epochGo, "an edge with a held epoch is not resumed", "if «edge.Held != 0» {", "false"),
	other(epochGo, "an edge in a recovery is not resumed", "switch «edge.Stage» {", "Accepted"),
	lost("edge/without.go", "only a partner that is waited for is gone on without", "case «edge.Stage != Opened»:", "false"),
	lost("edge/without.go", "going on without a partner is asked for a day", "|| «now >= asked.Until» ||", "false"),
	lost("edge/without.go", "who asked is an operator still", "|| «!p.Serves(asked.By)»:", "false"),
	lost("edge/without.go", "going on without a partner takes two people", "case «p.Same(asked.By, by)»:", "false"),
	lost("decision/ground.go", "a credential ends with the ledger that held it", "if «g.Own && g.Epoch != s.Edge.Recovery.Epoch» {", "false"),
	lost(foldGo, "an epoch that is over is over", "|| «epoch < known» ||", "false"),
	lost(foldGo, "an epoch before the one that is held is over", "case «epoch < s.Held(from)»:", "false"),
	lost(beatGo, "who speaks in an epoch before the one that is held is on record", "broken && («known != edge.RuleNewEpoch || rule != edge.RulePastEpoch») {", "true"),
	lost(foldGo, "a higher epoch waits for an operator", "case known != 0 && «epoch > known»:", "false"),
	lost("node/resume.go", "a recovering edge is not resumed", "if err := c.Edge.MayResume(t.Participant); «err != nil» {", "false"),
	lost("node/epoch.go", "accepting an epoch has a reason", "if «reason == \"\"» {", "false"),
	lost(beatGo, "a partner's heads never fall", "if h.Edge.Epoch < epoch || «head < applied» {", "false"),
	lost(receivedGo, "a question has a nonce", "if «q.Nonce == \"\"» ||", "false"),
	lost(receivedGo, "a nonce is short", "|| «len(q.Nonce) > 128» {", "false"),
	lost(receivedGo, "strangers are told of no messages", "if _, ok := s.Participant.Partner(from); «!ok» {", "false"),
	lost(receivedGo, "messages are told while the edge is broken", "if _, broken := s.Edge.Broken(from); «!broken» ||", "false"),
	lost(receivedGo, "a partner is told of its own messages", "if !ok || «e.From != from» ||", "false"),
	lost(receivedGo, "nobody has messages behind their head", "|| «m.N > h.word.Heads.Of(m.Lane)» {", "false"),
	lost(receivedGo, "an answer goes forward", "if «answer.Next <= q.From» {", "false"),
	lost(receivedGo, "a word is the partner's", "if «w.Iss != from.Card.ID» ||", "false"),
	lost(receivedGo, "a word is to us", "|| «w.Aud != n.self» ||", "false"),
	lost(receivedGo, "a word answers our question", "|| «w.Jti != nonce» {", "false"),
	lost(restoreGo, "a lost message was signed as ours", "if «told.Iss != n.self» ||", "false"),
	lost(restoreGo, "a lost message was to who shows it", "|| «told.Aud != partner» ||", "false"),
	lost(restoreGo, "a lost message was on its lane", "|| «told.Edge.Lane != m.Lane» ||", "false"),
	lost(restoreGo, "a lost message had its number", "|| «told.Edge.N != m.N» ||", "false"),
	lost(restoreGo, "a lost message has its content", "|| «hex.EncodeToString(sum[:]) != m.Hash» {", "false"),
	lost(restoreGo, "a recovery is not into an epoch that was", "«h.word.Epoch >= own» ||", "false"),
	lost(restoreGo, "a recovery is not into an epoch before one that is known", "|| «h.word.Known > own» {", "false"),
	lost(epochGo, "an edge is resumed once something is said in its epoch", "if «edge.Spoken < edge.Epoch» {", "false"),
	lost(restoreGo, "a partner tells of all that it has", "number++ {\n\t\t\tm, told := h.messages[lane][number]\n\t\t\tif «!told» {", "false"),
	lost(restoreGo, "a loss is proven by our own signature", "h.messages[lane][number]); «err == nil» && number >=", "true"),
	lost(callerGo, "nothing is decided behind a loss", "case «h.s.Edge.Recovery.Lost»:", "false"),
	lost(callerGo, "nothing is decided before every partner has answered", "case «h.s.Edge.Recovery.Waiting > 0»:", "false"),
)
