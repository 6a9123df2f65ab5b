package main

import "slices"

const authorityGo = "agreement/authority.go"

// agreementMutants are the checks of who may do what under an agreement.
var agreementMutants = slices.Concat(noticedIn("agreement", "^TestAuthority$",
	lost(authorityGo, "a command takes a role of its row", "if «!slices.Contains(right.commands, command)» {", "false"),
	lost(authorityGo, "a role is of the own side", "if «r.Participant == self» && !slices", "true"),
), noticedIn("agreement", "^TestAuthorityOfAnOffer$",
	lost(authorityGo, "a counter is judged by what it answers", "if current, ok := s.ByID(id); «ok» {", "ok && false"),
), noticedIn("agreement", "^TestAuthorityNobodyHolds$",
	lost(authorityGo, "an admin reduces only where nobody else can", "command) && «!staffed» && slices", "true"),
	lost(authorityGo, "an admin is given nothing but reducing", "if «slices.Contains(reducing, command)» && !staffed", "true"),
), noticedIn("node", "^TestUnwindingRefuses$",
	lost("node/root.go", "unwinding a client takes an admin", "case revocation.RootClient:\n\t\treturn «slices.Contains(a.Roles, operator.Admin)»", "true"),
), noticedIn("node", "^TestWritesNeedAnAdmin$",
	skipped("node/authority.go", "what is asked for under an agreement is judged by its matrix", "return «c.take(c.Agreement.May(c.facts(current.Revision.Document), id, nil, command, by))»"),
	lost("node/authority.go", "an unknown agreement is an admin's to ask for", "if «slices.Contains(a.Roles, operator.Admin)» {\n\t\treturn trust.Errorf(trust.NotFound", "true"),
	skipped("node/agreement.go", "an offer is judged by its matrix", "if err := «c.take(c.Agreement.May(facts, rev.ID, &rev.Document, agreement.Offer, a.ID))»; err"),
))
