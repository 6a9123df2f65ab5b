package denial_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	apiedge "github.com/entente-id/entente/api/edge"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// canary is a good one of the home.
func (w *world) canary(home *signer) *draft {
	now, id := w.host.Now(), fmt.Sprintf("%032x", serial.Add(1))
	return &draft{
		header: object{"alg": string(home.key.Alg()), "kid": home.key.KeyID(), "typ": evidence.CanaryType}, signer: home,
		claims: object{
			"iss": w.home.ID.String(), "sub": id, "jti": id, "aud": agreement.CanaryAudience(w.host.ID),
			"iat": now - 20, "auth_time": now - 20, "exp": now + 300, evidence.CanaryClassClaim: "human",
		},
	}
}

// drilled is the id of the agreement that is drilled.
func (w *world) drilled() string {
	a, _ := w.host.State().Agreement.ByName(w.ward.Agreement)
	return a.ID
}

// atCanary is the request that the canary resource makes of a call.
func (w *world) atCanary(token string) node.Ask {
	return node.Ask{
		Request: decision.Request{
			EnforcementPoint: agreement.CanaryPoint(w.home.ID), SubjectID: "0", Action: agreement.CanaryAction,
			ResourceType: agreement.CanaryResource, ResourceID: w.drilled(), Purpose: agreement.CanaryPurpose,
		},
		Evidence: []evidence.Proof{{Kind: evidence.Canary, Token: []byte(token)}},
	}
}

// canaryCases are what can be wrong with a canary's token beside its form.
func (w *world) canaryCases(f form) []spoil {
	c := cases{rule: "a canary is its own node's, for one resource"}
	third, own := signerOf(w.third, participant.TokenKey), signerOf(w.host, participant.TokenKey)
	by := func(iss trust.ParticipantID, s *signer) func(*draft) {
		return func(d *draft) {
			d.claims["iss"], d.signer, d.header["kid"], d.header["alg"] = iss.String(), s, s.key.KeyID(), string(s.key.Alg())
		}
	}
	c.add("signed by ourselves", trust.UnknownIssuer, by(w.host.ID, own))
	c.add("another partner's", trust.CanaryAstray, by(w.third.ID, third))
	c.add("by another partner's key", trust.UnknownKey, by(w.home.ID, third))
	c.add("by its issuer", trust.UnknownIssuer, from(w.idp))
	for _, use := range []participant.KeyUse{participant.StreamKey, participant.StatementKey, participant.LogKey} {
		c.add("by the partner's "+string(use)+" key", trust.UnknownKey, by(w.home.ID, signerOf(w.home, use)))
	}
	for name, class := range map[string]any{"absent": absent, "unknown": "king", "a list": []any{"human"}, "empty": ""} {
		c.add("class "+name, trust.ClaimMissing, func(d *draft) { put(d.claims, evidence.CanaryClassClaim, class) })
	}
	c.add("of a class that the framework lacks", trust.UnknownClass, func(d *draft) { d.claims[evidence.CanaryClassClaim] = "workload" })
	c.add("control: of a class that acts for others", "", func(d *draft) { d.claims[evidence.CanaryClassClaim] = "agent" })
	c.add("bound to a key that is not shown", trust.ProofMissing, func(d *draft) { d.claims["cnf"] = object{"jkt": strings.Repeat("A", 43)} })
	c.add("naming an actor", trust.ChainUnsupported, func(d *draft) { d.claims["act"] = object{"sub": "x"} })
	c.add("control: claims that would raise anybody else count for nothing", "", func(d *draft) { d.claims["id_assurance_level"] = "3" })
	return slices.Concat(c.all, joseCases(f), claimCases([]string{"iss", "sub", "aud", "jti"}, []string{"iat", "exp"}, []string{"nbf"}),
		issuerCases(w.home.ID.String()), audienceCases(agreement.CanaryAudience(w.host.ID), trust.AudienceForeign), without(timeCases(w.host.Now), "signed in too", "signed in nobody"))
}

var references = regexp.MustCompile(`"reference":"[^"]*"`)

// What is wrong with a canary stands in our records; its node gets one text.
func TestCanaries(t *testing.T) {
	w := newWorld(t)
	home := signerOf(w.home, participant.TokenKey)
	h := apiedge.New(w.host.Node, func(context.Context) trust.ParticipantID { return w.home.ID })
	call := func(token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/edge/v1/canary", strings.NewReader(render(object{"agreement": w.drilled(), "token": token})))
		r.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		return answer
	}
	told := func(answer *httptest.ResponseRecorder) string {
		return references.ReplaceAllString(answer.Body.String(), `"reference":""`)
	}
	uniform := told(call("rubbish"))
	if !strings.Contains(uniform, `"decision":false`) {
		t.Fatalf("rubbish is answered %s", uniform)
	}
	var asked tally
	f := form{types: []string{evidence.CanaryType, "application/" + evidence.CanaryType}, signers: []*signer{home}, maxBytes: jose.MaxToken}
	each(t, w.canaryCases(f), func(s spoil) {
		asked.one("canary")
		d := w.canary(home)
		s.do(d)
		token, name := d.token(), s.rule+": "+s.name
		want := s.want
		if want == "" {
			want = trust.Permit
		}
		if got := w.host.Decide(t.Context(), w.atCanary(token)); got.Reason != want || got.Permit != (s.want == "") {
			t.Errorf("%s: %+v, want %s", name, got, want)
		}
		if !validText(token) {
			return // it cannot stand in a call
		}
		if answer := call(token); answer.Code != http.StatusOK || (told(answer) == uniform) == (s.want == "") {
			t.Errorf("%s: answered %d %s, rubbish gets %s", name, answer.Code, answer.Body, uniform)
		}
	})
	asked.report(t)
}

// R4: a canary reaches nothing but the canary resource of the agreement it is
// drilled under, and nobody but a canary reaches that.
func TestCanariesReachNothingElse(t *testing.T) {
	w := newWorld(t)
	home := signerOf(w.home, participant.TokenKey)
	ward := func(token string) node.Ask {
		ask := w.ward.Ask([]byte(token))
		ask.Evidence[0].Kind = evidence.Canary
		return ask
	}
	at := func(change func(*node.Ask)) func(string) node.Ask {
		return func(token string) node.Ask {
			ask := w.atCanary(token)
			change(&ask)
			return ask
		}
	}
	for name, c := range map[string]struct {
		ask  func(token string) node.Ask
		want trust.Reason
	}{
		"control":                       {w.atCanary, trust.Permit},
		"a record":                      {ward, trust.AudienceOtherService},
		"through an enforcement point":  {at(func(a *node.Ask) { a.EnforcementPoint = "pep" }), trust.CanaryAstray},
		"brought by another partner":    {at(func(a *node.Ask) { a.EnforcementPoint = agreement.CanaryPoint(w.third.ID) }), trust.CanaryAstray},
		"another type of resource":      {at(func(a *node.Ask) { a.ResourceType = "WardRecord" }), trust.CanaryAstray},
		"for a session":                 {at(func(a *node.Ask) { a.Session = true }), trust.CanaryAstray},
		"another action":                {at(func(a *node.Ask) { a.Action = "write" }), trust.ActionNotCovered},
		"another purpose":               {at(func(a *node.Ask) { a.Purpose = "TREAT" }), trust.PurposeNotCovered},
		"another agreement":             {at(func(a *node.Ask) { a.ResourceID = "00000000000000000000000000000000" }), trust.NoAgreement},
		"no agreement":                  {at(func(a *node.Ask) { a.ResourceID = "" }), trust.NoAgreement},
		"as an access token":            {at(func(a *node.Ask) { a.Evidence[0].Kind = evidence.AccessToken }), trust.TokenType},
		"as a grant":                    {at(func(a *node.Ask) { a.Evidence[0].Kind = evidence.IDJAG }), trust.TokenType},
		"with somebody acting for it":   {at(func(a *node.Ask) { a.Evidence = append(a.Evidence, evidence.Proof{Kind: evidence.AccessToken}) }), ""},
		"a nurse at the canary's place": {func(string) node.Ask { a := w.atCanary(""); a.Evidence = w.nurse(); return a }, trust.AudienceOtherService},
	} {
		d := w.canary(home)
		if name == "a record" {
			d.claims["aud"] = w.ward.Audience
		}
		got := w.host.Decide(t.Context(), c.ask(d.token()))
		if got.Permit != (c.want == trust.Permit) || c.want != "" && got.Reason != c.want {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
	}
	for kind, x := range map[string]node.Exchange{
		"exchanged":            {Client: "pep", Subject: evidence.Proof{Kind: evidence.Canary, Token: []byte(w.canary(home).token())}, Target: w.ward.Audience, Access: access()},
		"redeemed":             {Client: "pep", Subject: evidence.Proof{Kind: evidence.Canary, Token: []byte(w.canary(home).token())}, Redeems: true},
		"exchanged for itself": {Client: "pep", Subject: evidence.Proof{Kind: evidence.Canary, Token: []byte(w.canary(home).token())}, Target: agreement.CanaryAudience(w.host.ID), Access: []evidence.Access{{Type: agreement.CanaryResource, Actions: []trust.Action{agreement.CanaryAction}, Purpose: agreement.CanaryPurpose}}},
	} {
		if got := w.host.Exchange(t.Context(), x); got.Token != "" {
			t.Errorf("a canary is %s: %+v", kind, got)
		}
	}
}

// nurse is the proof of a person who may read records.
func (w *world) nurse() []evidence.Proof {
	return []evidence.Proof{{Kind: evidence.AccessToken, Token: []byte(w.good(profiles(w)[evidence.AccessToken]).token())}}
}

// TestDrillResults: of a drill's result the host signs only what its home measured
// of a canary that it let in, once.
func TestDrillResults(t *testing.T) {
	w := newWorld(t)
	token, stream := signerOf(w.home, participant.TokenKey), signerOf(w.home, participant.StreamKey)
	h := apiedge.New(w.host.Node, func(context.Context) trust.ParticipantID { return w.home.ID })
	show := func(word string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/edge/v1/drills", strings.NewReader(render(object{"result": word})))
		r.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		return answer
	}
	bird := w.canary(token)
	if a, err := w.host.Canary(t.Context(), w.home.ID, node.CanaryCall{Agreement: w.drilled(), Token: bird.token()}); err != nil || !a.Decision {
		t.Fatalf("the canary is answered %+v, %v", a, err)
	}
	good := func() *draft {
		return &draft{
			header: object{"alg": string(stream.key.Alg()), "kid": stream.key.KeyID(), "typ": "entente-drill+jwt"}, signer: stream,
			claims: object{"iss": w.home.ID.String(), "aud": w.host.ID.String(), "iat": w.host.Now(), "drill": object{
				"id": bird.claims["sub"], "home": w.home.ID.String(), "host": w.host.ID.String(), "agreement": w.drilled(), "class": "human",
				"limit": 5_000_000, "begun": w.host.Now(), "sent": 100, "accepted": 900, "denied": 2000, "waited": 2000, "paused": 10, "calls": 2,
			}},
		}
	}
	c := cases{rule: "a drill is of one canary, between two"}
	claim := func(name string, value any) {
		c.add(fmt.Sprintf("%s is %v", name, value), trust.ClaimMissing, func(d *draft) { put(d.claims, name, value) })
	}
	measured := func(name string, value any) {
		c.add(fmt.Sprintf("drill.%s is %v", name, value), trust.ClaimMissing, func(d *draft) { put(d.claims["drill"].(object), name, value) })
	}
	third := w.third.ID.String()
	for _, value := range []any{third, "", absent, nil} {
		for _, name := range []string{"iss", "aud"} {
			claim(name, value)
		}
		for _, name := range []string{"home", "host", "id", "agreement", "class"} {
			measured(name, value)
		}
	}
	for _, name := range []string{"sent", "accepted", "denied", "paused", "waited", "limit"} {
		for _, value := range []any{-2, int64(86_400_000_001), "100", 1.5, nil} {
			measured(name, value)
		}
	}
	measured("limit", 5_000_001)
	measured("limit", 0)
	measured("denied", 2001)
	measured("id", fmt.Sprintf("%032x", 1<<40))
	measured("unheard", true)
	measured("sent", absent)
	claim("drill", []any{})
	for _, s := range slices.Concat(joseCases(form{types: []string{"entente-drill+jwt", "application/entente-drill+jwt"}, signers: []*signer{stream}, maxBytes: 64 << 10}), c.all) {
		if s.want == "" {
			continue // a second good one would be another word
		}
		d := good()
		s.do(d)
		word := d.token()
		if !validText(word) {
			continue // it cannot stand in a request
		}
		if answer := show(word); answer.Code < 400 || answer.Code >= 500 {
			t.Errorf("%s: %s: answered %d %s", s.rule, s.name, answer.Code, answer.Body)
		}
	}
	if link, ok := w.host.State().Drill.Link(w.drilled()); ok {
		t.Fatalf("a refused result is recorded: %+v", link)
	}
	word := good().token()
	first := show(word)
	again := show(word)
	if first.Code != http.StatusOK || again.Body.String() != first.Body.String() {
		t.Errorf("the good one is answered %d %s, then %s", first.Code, first.Body, again.Body)
	}
	other := good()
	other.claims["drill"].(object)["denied"] = 1500
	if answer := show(other.token()); answer.Code != http.StatusForbidden {
		t.Errorf("another word of the same drill is answered %d %s", answer.Code, answer.Body)
	}
	if link, _ := w.host.State().Drill.Link(w.drilled()); len(link.Samples) != 1 || link.Samples[0].Verdict != drill.Void {
		t.Errorf("recorded is %+v", link)
	}
}
