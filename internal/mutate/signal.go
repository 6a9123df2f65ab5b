package main

const (
	setGo     = "signal/token.go"
	aboutGo   = "signal/about.go"
	hearGo    = "node/signal.go"
	pushGo    = "api/signal/handler.go"
	subjectGo = "signal/subject.go"

	discoveryGo = "signal/discovery.go"
	setUpGo     = "node/discovery.go"

	signals  = "^Test(Signals|Pushes|Logouts)$"
	logoutGo = "signal/logout.go"
)

// signalMutants are the checks of what foreign transmitters push, which
// TestSignals and TestPushes have to notice.
var signalMutants = noticedBy(signals,
	lost(setGo, "a signal has neither sub nor exp", "if _, there := claims[name]; «there» {", "false"),
	lost(setGo, "a signal has iss, jti and one aud", "if «text == \"\"» ||", "false"),
	lost(setGo, "a signal has one event", "if !ok || «len(events) != 1» {", "len(events) == 0"),
	lost(setGo, "a signal is for one audience", "ok && «len(list) == 1» {", "len(list) > 0"),
	lost(setGo, "a signal is not of what is to come", "|| «at > now+Leeway»", "false"),
	lost(setGo, "a signal has times", "bad || «!ok || at <= 0» ||", "false"),
	lost(hearGo, "a signal is of the transmitter's issuer", "if iss, _ := u.UnverifiedClaims().Text(\"iss\"); «iss != t.Signer()» {", "false"),
	lost(hearGo, "a signal is for this receiver", "case «token.Audience != t.Audience»:", "false"),
	lost(hearGo, "a signal is about a subject of the issuer", "if «user.Issuer != t.Issuer.String()» {", "false"),
	lost(hearGo, "a signal is about our tenant", "if «about.Tenant != \"\" && about.Tenant != t.Tenant» {", "false"),
	lost("node/feed.go", "a verification is of the stream", "if «!token.Subject.Equal(signal.OpaqueOf(t.StreamID))» {", "false"),
	lost(aboutGo, "a user is linked by issuer and subject", "ok = «len(a.Users) > 0»", "true"),
	lost(aboutGo, "a critical member is understood", "ok = «!slices.Contains(critical, string(member))»", "true"),
	lost(subjectGo, "an identifier has the members of its format", "case «s.ID == \"\" || members[0] != \"\" && s.Issuer == \"\" || len(o) != want»:", "false"),
	lost(logoutGo, "a logout token has no nonce", "claims[\"nonce\"]; «there» {", "false"),
	lost(logoutGo, "a logout token has iss, jti and one aud", "case «t.Issuer == \"\" || t.ID == \"\" || t.Audience == \"\" || len(t.ID) > maxName»:", "false"),
	lost(logoutGo, "a logout token has the event of a logout", "case «!isObject || len(events) != 1 || len(event) != 0»:", "false"),
	lost(logoutGo, "a logout token says who as a text", "|| «sidThere && (!hasSid || sid == \"\")» ||", "false"),
	lost(logoutGo, "a logout token expires", "if «!ok || exp <= now» ||", "false"),
	lost(logoutGo, "a logout token is of now", "|| «t.IssuedAt < now-logoutMaxAge» {", "false"),
	lost(pushGo, "a logout form has one parameter", "|| «len(values) != 1» ||", "false"),
	lost(pushGo, "a logout is not in the query", "|| «r.URL.RawQuery != \"\"» {", "false"),
	lost(pushGo, "a push is of somebody known", "case «!ok»:\n\t\treturn errStranger", "func() bool { name = \"idp\"; return false }()"),
	lost(pushGo, "a push is to the own stream", "case «name != r.PathValue(\"name\")»:", "false"),
)

// discoveryMutants are the checks of what a transmitter says of itself, which
// TestDiscovery has to notice.
var discoveryMutants = noticedBy("^TestDiscovery$",
	lost(setUpGo, "a stream is opened by an admin", "if «!slices.Contains(a.Roles, operator.Admin)» {", "false"),
	lost(setUpGo, "no stream is opened that would not be heard", "if err := n.wouldAdd(d, random, a); «err != nil» {", "false"),
	lost(setUpGo, "a stream was opened", "case «answer.Status != http.StatusCreated»:", "false"),
	lost(discoveryGo, "a configuration is the issuer's", "if «c.Issuer != issuer» {", "false"),
	lost(discoveryGo, "a configuration is of this version", "if «c.Version != \"1_0\"» {", "false"),
	lost(discoveryGo, "a delivery is offered", "!ok || «!slices.Contains(c.Methods, method)» {", "false"),
	lost(discoveryGo, "what is found is not said", "if «said != \"\"» {", "false"),
	lost(discoveryGo, "a stream is the transmitter's", "case «s.Issuer != d.Signer()»:", "false"),
	lost(discoveryGo, "a stream is for the audience", "d.Audience != \"\" && «audience != d.Audience»:", "false"),
	lost(discoveryGo, "a stream is delivered as asked", "case «s.Delivery.Method != o.Delivery.Method»:", "false"),
	lost(discoveryGo, "a stream has events that are known", "s.Delivered != nil && «!slices.ContainsFunc(s.Delivered, asked)»:", "false"),
)
