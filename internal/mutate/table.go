package main

import "slices"

// table is every check that is taken out, by file.
var table = slices.Concat(
	joseMutants,
	headerMutants,
	canonicalMutants,
	evidenceMutants,
	grantMutants,
	decisionMutants,
	nounMutants,
	delegationMutants,
	svidMutants,
	clientMutants,
	introducedMutants,
	secretMutants,
	possessionMutants,
	drillMutants,
	frameworkMutants,
	signalMutants,
	discoveryMutants,
	receiptMutants,
	bulkMutants,
	receiverMutants,
	toldMutants,
	unwindMutants,
	incidentMutants,
	leakMutants,
	lapseMutants,
	endMutants,
	approvalMutants,
	breakGlassMutants,
	agreementMutants,
	recoveryMutants,
	erasureMutants,
	campaignMutants,
	identityMutants,
	helloMutants,
	apiMutants,
)

const (
	tokenGo    = "jose/token.go"
	verifyGo   = "jose/verify.go"
	parseGo    = "canonical/parse.go"
	claimGo    = "evidence/claim.go"
	evidenceGo = "evidence/verify.go"
	identifyGo = "evidence/identify.go"
	jagGo      = "evidence/idjag.go"
	ownGo      = "evidence/credential.go"
	svidGo     = "evidence/svid.go"
	callerGo   = "decision/caller.go"
	linkGo     = "decision/link.go"
	rightGo    = "decision/right.go"
	verdictGo  = "revocation/verdict.go"
	coverGo    = "agreement/cover.go"
	clockGo    = "edge/clock.go"
)

var joseMutants = []mutant{
	lost(tokenGo, "each part is strict base64url", "if «!okHead || !okPayload || !okSignature» {", "false"),
	lost(tokenGo, "the header is strict base64url", "if «!okHead || !okPayload || !okSignature» {", "!okPayload || !okSignature"),
	lost(tokenGo, "the payload is strict base64url", "if «!okHead || !okPayload || !okSignature» {", "!okHead || !okSignature"),
	lost(tokenGo, "the signature is strict base64url", "if «!okHead || !okPayload || !okSignature» {", "!okHead || !okPayload"),
	lost(tokenGo, "typ is one that was asked for", "if «!slices.ContainsFunc(form.Types, func(t string) bool { return strings.ToLower(t) == u.header.Type })» {", "false"),
	lost(tokenGo, "the header is one a token may have", "if u.header, err = header(head, form); «err != nil» {", "false"),
	lost(tokenGo, "the header holds nothing but alg, kid and typ", "if known := «name == \"alg\" || name == \"kid\" || name == \"typ\" || thumbprint»;", "true"),
	lost(tokenGo, "a thumbprint stands only where issuers put it", "thumbprint := «form.Thumbprints» && (", "true"),
	lost(tokenGo, "header members are not empty", "!known || !ok || «s == \"\"» {", "false"),
	lost(tokenGo, "alg is one of ours", "if «!slices.Contains(form.algs(), Alg(alg))» {", "false"),
	lost(tokenGo, "application/ alone is no absent typ", "ok && «short != \"\"» &&", "true"),
	lost(verifyGo, "alg is the key's", "case key.IsZero() || «u.header.Alg != key.k.alg»:", "false"),
	lost(verifyGo, "the signature holds", "if «!key.holds(input, u.signature, tables)» {", "false"),
	lost(verifyGo, "an ES256 signature has its length", "if «len(signature) != 2*size256» ||", "len(signature) < 2*size256"),
	lost(verifyGo, "r and s are in range", "«!inRange(signature[:size256]) || !inRange(signature[size256:])» {", "false"),
	lost(verifyGo, "an Ed25519 signature holds", "return «ed25519.Verify(k.k.public.(ed25519.PublicKey), input, signature)»", "len(signature) == 64"),
	lost(verifyGo, "an ML-DSA-44 signature holds", "return «mldsa.Verify(k.k.public.(*mldsa.PublicKey), input, signature, nil) == nil»", "len(signature) == 2420"),
	both(lost("jose/keyset.go", "a kid is the whole of it", "if «k.KeyID() == kid» {", "strings.HasPrefix(k.KeyID(), kid)"),
		lost(verifyGo, "", "case «u.header.KeyID != \"\" && key.k.kid != \"\" && u.header.KeyID != key.k.kid»:", "false")),
	both(lost("jose/keyset.go", "a kid is in its own case", "if «k.KeyID() == kid» {", "strings.EqualFold(k.KeyID(), kid)"),
		lost(verifyGo, "", "case «u.header.KeyID != \"\" && key.k.kid != \"\" && u.header.KeyID != key.k.kid»:", "false")),
	both(lost("jose/keyset.go", "any kid does for the only key", "if «len(s.keys) == 1» {", "true"),
		lost("jose/keyset.go", "", "if «kid == \"\"» {", "kid == \"\" || len(s.keys) == 1")),
	lost("jose/base64.go", "no line feed in base64", "if «bytes.IndexByte(text, '\\n') >= 0» ||", "false"),
	lost("jose/base64.go", "no carriage return in base64", "|| «bytes.IndexByte(text, '\\r') >= 0» {", "false"),
	other("jose/base64.go", "no stray bits in base64", "var strict = «base64.RawURLEncoding.Strict()»", "base64.RawURLEncoding"),
}

// headerMutants each let one header member through unread.
var headerMutants = func() (all []mutant) {
	for _, name := range []string{"crit", "b64", "jku", "jwk", "x5u", "x5c", "zip", "enc", "cty", "x5t#S512", "nonce", "trust_chain", "extra"} {
		all = append(all, lost(tokenGo, "no "+name+" in a header",
			"o, err := canonical.ParseObject(text)\n\tif «err != nil» {\n\t\treturn Header{}, refuse(HeaderJSON)",
			`func() bool { delete(o, "`+name+`"); return err != nil }()`))
	}
	return all
}()

var canonicalMutants = []mutant{
	lost(parseGo, "JSON is UTF-8", "if «!utf8.Valid(data)» {", "false"),
	lost(parseGo, "nothing stands behind the value", "if p.space(); «p.i < len(p.s)» {\n\t\treturn nil, invalid(\"\", \"has something behind", "false"),
	lost(parseGo, "depth is bounded", "if p.depth++; «p.depth > MaxDepth» {", "p.depth > 5000"),
	lost(parseGo, "an object is not dense beyond its size", "«p.build && p.budget < 0» {", "false"),
	lost(parseGo, "members have commas between them", "if len(p.members) > base && «!p.take(',')» {", "!p.take(',') && false"),
	lost(parseGo, "members have a colon", "if «!p.take(':')» {", "!p.take(':') && false"),
	lost(parseGo, "elements have commas between them", "if n > 0 && «!p.take(',')» {", "!p.take(',') && false"),
	lost(parseGo, "names are unique", "if «len(o) < len(members)» {", "false"),
	lost(parseGo, "names are unique when case is ignored", "folds = folds || «!isFolded(m.name)»", "false"),
	lost(parseGo, "a text has no control characters", "case «c < ' '»:", "false"),
	lost(parseGo, "a text has no wrong escapes", "if «err != nil» {\n\t\treturn \"\", refuse(\"has a wrong escape", "false"),
	lost("canonical/number.go", "a number does not begin with a zero", "if «!p.accept('0')» && p.digits() == 0 {", "p.digits() == 0"),
	lost("canonical/number.go", "a point has digits behind it", "integer = false\n\t\tif «p.digits() == 0» {\n\t\t\treturn nil, refuse(\"has a number without digits behind", "p.digits() < 0"),
	lost("canonical/number.go", "a number is in range", "x, err := strconv.ParseFloat(literal, 64)\n\tif «err != nil» {", "false"),
	lost("canonical/object.go", "a payload is an object", "o, ok := v.(Object)\n\tif «!ok» {", "false"),
}

var evidenceMutants = []mutant{
	lost(evidenceGo, "a kind is one that is known", "rule, known := rules[p.Kind]\n\tif «!known» {", "!known && func() bool { rule = rules[AccessToken]; return false }()"),
	lost(evidenceGo, "typ is the kind's", "if «!slices.Contains(rule.types, t.header.Type)» {", "false"),
	lost(evidenceGo, "a key is chosen by kid", "if «t.header.KeyID == \"\"» {", "false"),
	lost(evidenceGo, "the signature is checked", "t.verified, err = cache.Verify(t.hash, t.fresh, key)\n\t\t}\n\t\tif «err != nil» {", "err != nil && jose.FaultOf(err) != jose.Signature"),
	other(evidenceGo, "client_id is required of an access token", "form: &form, required: «[]string{\"client_id\", \"jti\"}»", "[]string{\"jti\"}"),
	other(evidenceGo, "jti is required of an access token", "form: &form, required: «[]string{\"client_id\", \"jti\"}»", "[]string{\"client_id\"}"),
	other(evidenceGo, "an access token is at+jwt alone", "types: «[]string{\"at+jwt\"}», form", "[]string{\"at+jwt\", \"jwt\", \"\"}"),
	other(evidenceGo, "an ID token is no at+jwt", "types: «[]string{\"\", \"jwt\"}», form: &form, singleUse", "[]string{\"\", \"jwt\", \"at+jwt\"}"),
	lost(evidenceGo, "the first class rule has to match", "rule := &rules[i]; «matches(rule, claims, path)» && holds(", "rule != nil"),
	lost(svidGo, "iss is a text", "iss, ok := ev.Claims.Text(\"iss\")\n\t\tif «!ok || iss == \"\"» {", "false"),
	lost(identifyGo, "iss is registered", "if «!ok || len(speaker.Candidates) == 0» || speaker.Issuer.TrustDomain()", "func() bool { if !ok { speaker, _ = r.Speaker(\"https://idp.rxw.example\") }; return false }()"),
	lost(identifyGo, "a national issuer's token says for whom", "if s.Discriminator != \"\" && («!stated || value == \"\" || c.Value != value») {", "i > 0"),
	lost(identifyGo, "a discriminator is the whole of it", "if s.Discriminator != \"\" && («!stated || value == \"\" || c.Value != value») {", "!stated || len(value) < 2 || c.Value[:2] != value[:2]"),
	lost(identifyGo, "an issuer speaks of its own namespace", "if claim, foreign := foreignTo(&claimant.Issuer, ev.Claims); «foreign» {", "foreign && claim == \"\""),
	lost("evidence/namespace.go", "a namespace claim is one of those listed", "return v != \"\" && «allowed(v)»", "true"),
	lost("evidence/namespace.go", "every member of a namespace list is listed", "&& «!slices.ContainsFunc(v, foreign)»", "slices.ContainsFunc(v, func(e any) bool { return !foreign(e) })"),
	lost("evidence/namespace.go", "a namespace list is not empty", "return «len(v) > 0» &&", "true"),
	lost("evidence/namespace.go", "an address is in the issuer's domains", "|| «line.InDomains(text)» }", "true"),
	lost(claimGo, "required claims are there", "if «missing != \"\"» {", "false"),
	lost(claimGo, "sub is required", "if «missing != \"\"» {", "missing != \"\" && missing != \"sub\""),
	lost(claimGo, "required claims are not empty", "if !ok || «v == \"\"» {", "false"),
	lost(claimGo, "one audience", "if «len(list) > 1» {", "false"),
	lost(claimGo, "azp is the audience", "if !ok || «azp != ev.Audience && !names(line, azp)» {", "false"),
	other(claimGo, "iat is required", "ev.IssuedAt, ev.ExpiresAt = date(\"iat\", «true»)", "false"),
	lost(claimGo, "dates are behind 1970", "|| «t <= 0» ||", "false"),
	lost(claimGo, "dates are before the year 10000", "|| «t > maxTime») &&", "false"),
	other(claimGo, "nbf is looked at", "latest := max(ev.IssuedAt, ev.AuthTime, «notBefore»)", "0"),
	other(claimGo, "auth_time is looked at", "latest := max(ev.IssuedAt, «ev.AuthTime», ", "0"),
	lost(claimGo, "exp lies behind iat", "case «ev.ExpiresAt <= ev.IssuedAt»:", "false"),
	lost(claimGo, "an expired token counts no more", "case «now >= ev.ExpiresAt»:", "false"),
	lost(claimGo, "an expiry has no leeway", "case «now >= ev.ExpiresAt»:", "now >= ev.ExpiresAt+Leeway"),
	lost(claimGo, "a token from the future does not count yet", "case «latest > now+Leeway»:", "false"),
	lost(claimGo, "the leeway is 30 seconds", "case «latest > now+Leeway»:", "latest > now+10*Leeway"),
}

// grantMutants are of grants of partners, and of credentials of our own.
var grantMutants = []mutant{
	lost(jagGo, "nobody brings us our own word", "if !ok || «peers.Issues(iss)» {", "func() bool { if peers.Issues(iss) { iss = \"https://trust.rxw.example\" }; return false }()"),
	lost(jagGo, "a grant says what is asserted", "if !ok || «!stated || target == \"\"» {", "target == \"\""),
	lost(jagGo, "a grant says for which resource", "if !ok || «!stated || target == \"\"» {", "!stated"),
	lost(jagGo, "a partner vouches for its own issuers", "case «first.Participant != ev.Participant»:", "false"),
	lost(jagGo, "nobody signed in after the grant", "if !ok || «at <= 0 || at > ev.IssuedAt+Leeway» {", "at <= 0"),
	other(jagGo, "a grant is used once", "return «[]trust.Once{{Key: table.KeyOf(\"id-jag\", who.String(), id), Expires: ev.ExpiresAt, Edge: who}}», nil", "[]trust.Once(nil)"),
	other(evidenceGo, "client_id is required of a grant", "form: &jagForm, required: «[]string{\"client_id\", \"jti\"}»", "[]string{\"jti\"}"),
	other(evidenceGo, "jti is required of a grant", "form: &jagForm, required: «[]string{\"client_id\", \"jti\"}»", "[]string{\"client_id\"}"),
	other(evidenceGo, "a grant has its own typ", "types: «[]string{IDJAGType}», form", "[]string{IDJAGType, \"at+jwt\", \"\", \"jwt\"}"),
	lost(callerGo, "a grant is its client's", "|| «ev.ClientID != h.r.Order.Client») {", "false"),
	lost(callerGo, "a grant is always of single use", "if «h.ev.Kind == evidence.IDJAG» {\n\t\treturn true", "false"),
	lost(ownGo, "a ground is this credential's", "if «!ok || !known» {", "!ok"),
	lost(linkGo, "a credential is good for what was granted", "if g := h.ev.Grant; g != nil && («!g.Covers(h.r.Action, h.r.ResourceType, h.r.ResourceID, h.r.Purpose)» ||", "false"),
}

var decisionMutants = []mutant{
	lost(callerGo, "far ahead of its partners a node denies everything", "case «h.s.Edge.Clock.Denies»:", "false"),
	lost(callerGo, "a time that nobody confirmed is none to decide by", "case «o.Unsure»:", "false"),
	lost(clockGo, "far ahead is far above what was accepted", "case «ahead <= c.Accepted+FarAhead»:", "true"),
	lost(callerGo, "the request is about the caller", "case «ev.Fault == nil && h.r.SubjectID != \"0\" && h.r.SubjectID != ev.Subject»,", "false"),
	lost(callerGo, "the audience is the service's", "if «h.ev.Audience == owner.Audience» || h.shownHere() {", "true"),
	lost(callerGo, "a caller has a class", "if «ev.Class == \"\"» {", "false"),
	lost(callerGo, "the framework has the class", "if h.class, h.classed = f.Class(ev.Class); «!h.classed» {", "false"),
	lost(callerGo, "assurance is what the class needs", "if ladder, short := f.Short(ev.Assurance, needs); «short» {", "false"),
	lost(callerGo, "a token lives no longer than its class may", "if «ev.Exception == \"\" && ev.ExpiresAt-ev.IssuedAt > int64(h.class.MaxTokenLifetime)» {", "false"),
	lost(callerGo, "a person signed in recently", "|| «h.o.Now-ev.AuthTime > limit» {", "false"),
	lost(linkGo, "a suspended participant is nobody", "case «partner.Suspended»:", "false"),
	lost(linkGo, "somebody here owns the resource", "case «h.service == nil && !h.owned()»:", "h.service == nil && !h.owned() && func() bool { o, _ := h.s.Service.For(h.r.EnforcementPoint, \"WardRecord\"); h.service = &o; return false }()"),
	lost(linkGo, "an agreement is alive", "if reason, alive := a.Alive(h.o.Now); «!alive» {", "!alive && reason == \"\""),
	lost(linkGo, "a partner's word is fresh", "case «h.o.PartnerAge > int64(h.tier.MaxStaleness)»:", "false"),
	lost(linkGo, "what is revoked has ended", "if reason, ended := ground.Ended(h.s, h.o); «ended» {", "ended && reason == \"\""),
	lost(rightGo, "a mapping gives a role", "if roles := rolesUnder(line, granted); «len(roles) > 0» {", "true"),
	lost(rightGo, "local policy permits", "if «!h.outcome.Permit» {", "false"),
}

var nounMutants = []mutant{
	lost(verdictGo, "an ended issuer is no voice", "if «s.IssuerRevoked(participant, issuer)» {", "false"),
	lost(verdictGo, "an ended key signs nothing", "if «s.KeyRevoked(issuer, thumbprint)» {\n\t\treturn trust.KeyRevoked, true", "false"),
	lost(verdictGo, "an ended subject stays ended", "case «ended >= current»:", "false"),
	lost("decision/ground.go", "a suspended subject is nobody", "if !ended && «s.Suspension.SubjectSuspended(o.Subject, o.Now)» {", "false"),
	lost(linkGo, "what was taken out of an agreement is not covered", "if reason, reduced := h.reduced(a, q); «reduced» {", "false"),
	lost("suspension/command.go", "resuming takes two people", "case «f.Same(asked.By, by)»:", "false"),
	lost("suspension/command.go", "a remedy keeps what it holds", "case «f.Held != \"\"»:", "false"),
	lost("dispute/verdict.go", "a plan holds until it is met", "if met := len(c.Met); «met < c.Remedy.Conditions» {", "false"),
	lost("dispute/command.go", "evidence is proven", "case «proven != nil»:", "false"),
	lost("dispute/command.go", "a move is of a role in a stage", "if «!slices.Contains(legal[c.Stage][v], role)» && !crossed {", "false"),
	lost(linkGo, "a barred person is nobody under any identifier", "if «h.s.Dispute.PersonBarred(h.o.Person)» {", "false"),
	lost(linkGo, "evidence names the person where a remedy wants that", "if «h.o.Unnamed» {", "false"),
	lost("suspension/command.go", "only the party that suspended resumes", "case «!f.Stopped && !f.Partner.IsZero()»:", "false"),
	lost(coverGo, "an agreement's line is for an action", "|| «!slices.Contains(l.Actions, q.Action)»:", "false"),
	lost(coverGo, "an agreement's line is for a purpose", "|| «!slices.Contains(l.Purposes, q.Purpose)»:", "false"),
	lost("agreement/state.go", "a suspended agreement is not alive", "case «a.Stage == Suspended»:", "false"),
	lost("policy/decide.go", "a forbid has a reason of its own", "case «len(d.Reasons) > 0»:", "false"),
	lost("api/wire/credential.go", "a credential has its prefix and length", "if «!ok || len(encoded) != base64.RawURLEncoding.EncodedLen(SecretSize) || strings.ContainsAny(encoded, \"\\r\\n\")» {", "len(encoded) < 43"),
	lost("api/authzen/handler.go", "an enforcement point shows its credential", "name, ok := h.authenticate(r)\n\tif «!ok» {", "false"),
	lost("api/authzen/evaluation.go", "a question has its members", "if «m.value == \"\"» {", "false"),
}
