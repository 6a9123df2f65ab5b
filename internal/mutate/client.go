package main

const (
	assertionGo = "evidence/client.go"
	oauthGo     = "api/oauth/client.go"
	proofGo     = "node/client.go"

	introducedGo = "decision/client.go"

	clients       = "^TestClients$"
	spiffeClients = "^TestSPIFFEClients$"
)

// clientMutants are the checks of who calls the token endpoint, which TestClients
// has to notice.
var clientMutants = noticedBy(clients,
	lost(assertionGo, "an assertion is of a registered client", "case «!registered»:\n\t\treturn client.Client{}, nil", "false"),
	lost(assertionGo, "a client is registered for the way it uses", "case «c.Document.Method() != client.PrivateKeyJWT»:", "false"),
	lost(assertionGo, "an assertion is signed", "case «f != nil»:\n\t\treturn client.Client{}, nil, f\n\tcase p.ID", "f != nil && f.Reason != trust.BadSignature"),
	lost(assertionGo, "client_id is the assertion's", "case «p.ID != \"\" && p.ID != sub»:", "false"),
	lost(assertionGo, "iss is the client", "case «iss != c.Document.ID»:", "false"),
	lost(assertionGo, "aud is one text", "case «!single»:", "!single && func() bool { aud = \"https://trust.rje.example\"; return false }()"),
	lost(assertionGo, "aud is our issuer identifier", "case «!r.Issues(aud) && (aud == \"\" || aud != c.Document.Audience)»:", "false"),
	lost(assertionGo, "aud is the whole of our issuer identifier", "case «!r.Issues(aud) && (aud == \"\" || aud != c.Document.Audience)»:", "!r.Issues(aud[:min(len(aud), len(\"https://trust.rje.example\"))])"),
	lost(assertionGo, "jti is required", "case «jti == \"\"» || len(jti)", "false"),
	lost(assertionGo, "jti is bounded", "|| «len(jti) > maxText»:", "false"),
	lost(assertionGo, "exp is required", "case «!hasExp» || exp <= 0", "!hasExp && func() bool { exp = now + 60; return false }()"),
	lost(assertionGo, "exp is a date", "|| «exp <= 0 || exp > maxTime» ||", "false"),
	lost(assertionGo, "iat is a date", "|| «!okIssued» ||", "false"),
	lost(assertionGo, "nbf is a date", "|| «!okFrom»:", "false"),
	lost(assertionGo, "an expired assertion counts no more", "case «now >= exp»:", "false"),
	lost(assertionGo, "an assertion is for five minutes", "case «exp > now+MaxAssertion»:", "false"),
	other(assertionGo, "iat of an assertion is looked at", "case max(«iat», nbf) > now+Leeway:", "0"),
	other(assertionGo, "nbf of an assertion is looked at", "case max(iat, «nbf») > now+Leeway:", "0"),
	other(assertionGo, "an assertion is of its own type", "types: «[]string{\"client-authentication+jwt\", \"jwt\", \"\"}», form: &clientForm", "[]string{\"client-authentication+jwt\"}"),
	lost(assertionGo, "a certificate is one that is registered", "case «!slices.Contains(c.Document.Certificates, shown.Thumbprint)»:", "false"),
	lost(assertionGo, "an expired certificate counts no more", "case «now >= shown.Window.NotAfter»:", "false"),
	lost(oauthGo, "no way is a secret", "case «secret», assertion != kind", "false"),
	lost(oauthGo, "an assertion has a type", "case secret, «assertion != kind», header", "false"),
	lost(oauthGo, "one way at a time", "assertion != kind, «header && assertion»:", "false"),
	lost(oauthGo, "who is not authenticated is refused", "if «!ok» {\n\t\treturn \"\", refused(f, header)", "!ok && func() bool { name = \"pep\"; return false }()"),
	lost(proofGo, "something is shown", "case «len(p.Assertion) == 0 && len(p.Certificates) == 0»:", "len(p.Assertion) == 0 && len(p.Certificates) == 0 && p.ID == \"\""),
	lost(proofGo, "an assertion is of a type that is known", "case «len(p.Assertion) > 0 && p.Type != evidence.JWTAssertion»:", "false"),
	other(proofGo, "an assertion is used once", "case trust.Conflict:\n\t\treturn c, «trust.Replayed»", "\"\""),
	both(lost(proofGo, "a client that has ended is none", "if !ok || «c.Ended» {\n\t\treturn client.Client{}, false", "false"),
		other("client/fold.go", "", "c.Document.Means, c.Ended = «Means{}», true", "c.Document.Means")),
)

// introducedMutants are the checks of clients that show an SVID, which
// TestSPIFFEClients has to notice.
var introducedMutants = noticedBy(spiffeClients,
	lost(introducedGo, "an SVID is of a registered client, of its own participant's domain", "case «!registered || c.Document.Participant != ev.Participant»:", "!registered"),
	lost(introducedGo, "an SVID is shown to us", "case «ev.Audience != audience»:", "false"),
	lost(introducedGo, "an SVID lives no longer than its class may", "case «ev.ExpiresAt-ev.IssuedAt > int64(class.MaxTokenLifetime)»:", "false"),
	lost(proofGo, "client_id is the SVID's", "if reason == \"\" && «p.ID != \"\" && p.ID != c.Document.ID» {", "false"),
)
