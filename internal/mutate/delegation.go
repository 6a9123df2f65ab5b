package main

const (
	linkReadGo = "delegation/read.go"
	walkGo     = "delegation/verify.go"
	scopeGo    = "delegation/scope.go"
	chainsGo   = "evidence/chain.go"
	delegateGo = "decision/delegate.go"
)

// delegations are the tests that have chains.
const delegations = "^TestDelegation$"

var delegationMutants = noticedBy(delegations,
	lost(linkReadGo, "a link's texts are there", "v, ok := o.Text(name)\n\tif «!ok || v == \"\"» {", "false"),
	lost(linkReadGo, "a link says how many may follow", "if «!ok || depth < 0 || depth >= MaxLinks» {", "false"),
	lost(linkReadGo, "a link says what may be done", "if l.Scope, ok = readScope(claims[\"authorization_details\"]); «!ok» {", "false"),
	lost(linkReadGo, "a link expires after it is issued", "if «l.ExpiresAt <= l.IssuedAt» {", "false"),
	lost(linkReadGo, "a link has no claim that nobody judges", "if _, present := claims[name]; «present» {", "false"),
	lost(linkReadGo, "a link's dates are dates", "if «!ok || t <= 0 || t > maxTime» {", "false"),
	lost(linkReadGo, "a hash is nothing but base64url", "if «len(text) != strict.EncodedLen(len(sum))» {", "len(text) < strict.EncodedLen(len(sum))"),
	lost(linkReadGo, "may_act says who and nothing else", "if «len(o) != 2» {", "false"),
	lost(linkReadGo, "may_act is held to a thumbprint", "if _, ok := hashOf(thumbprint); «!ok» ||", "false"),
	lost(linkReadGo, "may_act is held to a thumbprint alone", "|| «len(key) != 1» ||", "false"),
	lost(linkReadGo, "may_act has a key and nothing else", "|| «len(o) != 3» {", "false"),
	lost(walkGo, "the first link is to whom may_act names", "if «!r.MayAct.IsZero() && first.To != r.MayAct» {", "false"),
	lost(walkGo, "a chain begins with the token's principal", "case «l.From != e.next && e.first»:", "false"),
	both(lost(walkGo, "a link is of whom the one before lets act", "case «l.From != e.next && e.first»:", "false"),
		lost(walkGo, "", "case «l.From != e.next»:", "false")),
	lost(walkGo, "a link commits to what stands before it", "case «l.Parent != e.hash»:", "false"),
	lost(walkGo, "a link is signed with the key that its hop is held to", "case «e.key != \"\" && e.key != signedBy»:", "false"),
	lost(walkGo, "a link is for the same audience", "case «l.Audience != e.audience»:", "false"),
	lost(walkGo, "a link expires no later", "case «l.ExpiresAt > e.expires»:", "false"),
	lost(walkGo, "a link goes no deeper", "case «l.Depth >= e.depth»:", "false"),
	lost(walkGo, "a link lets no more be done", "case «e.scope != nil && !l.Scope.Within(e.scope)»:", "false"),
	lost(walkGo, "an expired link counts no more", "case «now >= l.ExpiresAt»:", "false"),
	lost(walkGo, "a link from the future does not count yet", "case «l.IssuedAt > now+Leeway»:", "false"),
	lost(walkGo, "nobody stands in a chain twice", "case «slices.Contains(e.parties, l.To)»:", "false"),
	lost(scopeGo, "a grant is for its type", "return «g.Type == t» &&", "true"),
	lost(scopeGo, "a grant is for its resource", "&& «(g.ID == \"\" || g.ID == id)» &&", "true"),
	lost(scopeGo, "a grant is for its actions", "&& «slices.Contains(g.Actions, action)»", "true"),
	lost(scopeGo, "an authorization detail has a type", "if «t == \"\"» || len(detail)", "false"),
	lost(scopeGo, "an authorization detail has no other member", "|| «len(detail) != members» ||", "false"),
	lost(scopeGo, "an identifier is a text", "|| «present && (!named || id == \"\")» ||", "false"),
	lost(scopeGo, "an authorization detail has actions", "|| «len(actions) == 0» ||", "false"),
	lost(scopeGo, "an action is no empty text", "action, _ := v.(string)\n\t\tif «action == \"\"» {", "false"),
	lost(chainsGo, "nobody acts for themselves", "if «c.Fault == nil && c.Actor.party() == ev.party()» {", "false"),
	lost(chainsGo, "links begin at a principal's own token", "\tcase «stated != nil»:", "false"),
	lost(chainsGo, "act names somebody", "if «!ok || line.Broker != nil» {", "false"),
	lost(chainsGo, "another issuer's subject has a proof of its own", "if «by.Issuer != ev.Issuer» {", "false"),
	lost(chainsGo, "the caller's proof holds", "case «f != nil»:\n\t\treturn fault(trust.ActorProof", "false"),
	lost(chainsGo, "the caller's proof is its own", "case «actor.Chain != nil»:", "false"),
	lost(chainsGo, "the caller is whom the chain names", "case «actor.party() != want»:", "false"),
	lost(chainsGo, "the caller shows the key that it is held to", "if n := len(c.Links); «n > 0 && c.Links[n-1].Key != \"\" && (actor.Binding.Key != c.Links[n-1].Key || !actor.Binding.Shown)» {", "false"),
	lost(chainsGo, "between the two stand links alone", "if «links[i].Kind != Delegation» {", "false"),
	lost(chainsGo, "may_act names somebody", "«root.MayAct.IsZero()» {", "false"),
	lost(delegateGo, "an agent has a principal", "case «h.class.Principal == framework.Required && !h.canary()»:", "false"),
	lost(delegateGo, "a chain that does not hold is refused", "case «c.Fault != nil»:\n\t\treturn c.Fault.Reason", "false"),
	lost(delegateGo, "a chain is no deeper than the class lets", "case «h.classed && h.chained() > h.class.DelegationDepth»:", "false"),
	lost(delegateGo, "the caller's proof is for the principal's audience", "case «c.Actor.Audience != h.ev.Audience»:", "false"),
	lost(delegateGo, "the participant of a hop is in good standing", "if «!h.standing(link.Participant, &h.o.Chain[i])» {", "false"),
	lost(delegateGo, "the request is within every link", "if «!h.within(link.Scope)» {", "false"),
	lost(delegateGo, "the lowest assurance on the path counts", "if «i > 0» {", "false"),
	lost(delegateGo, "the actor has the same rights of its own", "if failed := h.actor.d.Decided; «!h.actor.d.Permit && max(failed, Delegate) == check» {", "false"),
	lost(delegateGo, "what stands behind an ended hop has ended", "case «check == Revocation && h.endedAt(i)»:", "false"),
	lost(linkGo, "a chain is no deeper than the agreement lets", "if «h.chained() > line.Depth» {", "false"),
)
