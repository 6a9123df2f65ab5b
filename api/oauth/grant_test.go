package oauth_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

func grantForm() url.Values {
	return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {"a.b.c"}}
}

// RFC 7523, section 2.1: what is not asked for, the grant says.
func TestRedemption(t *testing.T) {
	given := []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"}}
	s := &shell{answer: node.Issued{Token: "x.y.z", TTL: 60, Access: given, Reference: "ref"}}
	w := post(t, s, grantForm().Encode(), nil)
	const want = `{"access_token":"x.y.z","token_type":"Bearer","expires_in":60,` +
		`"authorization_details":[{"type":"entente_access","resource_type":"WardRecord","actions":["read"],"purpose":"TREAT"}]}`
	if w.Code != http.StatusOK || w.Body.String() != want || w.Header().Get("Entente-Reference") != "ref" {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	asked := node.Exchange{Client: "records-1", Subject: evidence.Proof{Kind: evidence.IDJAG, Token: []byte("a.b.c")}, Redeems: true}
	if !reflect.DeepEqual(*s.asked, asked) {
		t.Errorf("asked %+v", *s.asked)
	}
	f := grantForm()
	f.Set("authorization_details", details)
	f.Set("resource", "https://records.example")
	s.answer.Bound = true
	if w = post(t, s, f.Encode(), nil); !strings.Contains(w.Body.String(), `"token_type":"DPoP"`) || s.asked.Target != "https://records.example" || len(s.asked.Access) != 1 {
		t.Errorf("answered %s, asked %+v", w.Body, *s.asked)
	}
}

// RFC 7521, section 4.1.1: one answer, whatever is wrong with a grant.
func TestRefusedGrants(t *testing.T) {
	for refusal, want := range map[node.Refusal]string{
		node.BadToken: "invalid_grant", node.BadTarget: "invalid_grant", node.BadAccess: "invalid_scope", node.Unavailable: "temporarily_unavailable",
	} {
		w := post(t, &shell{answer: node.Issued{Refusal: refusal, Reason: trust.Replayed}}, grantForm().Encode(), nil)
		if !strings.Contains(w.Body.String(), `{"error":"`+want+`"`) || strings.Contains(w.Body.String(), string(trust.Replayed)) {
			t.Errorf("%s is answered %d %s", refusal, w.Code, w.Body)
		}
	}
	for name, c := range map[string]struct {
		change func(url.Values)
		want   string
	}{
		"no assertion":                 {func(f url.Values) { f.Del("assertion") }, "invalid_request"},
		"two":                          {func(f url.Values) { f.Add("assertion", "d.e.f") }, "invalid_request"},
		"two targets":                  {func(f url.Values) { f.Set("audience", "https://a.example"); f.Set("resource", "https://b.example") }, "invalid_target"},
		"scope without purpose_of_use": {func(f url.Values) { f.Set("scope", "WardRecord.read") }, "invalid_scope"},
		"details that go on":           {func(f url.Values) { f.Set("authorization_details", details+`,"x":1`) }, "invalid_authorization_details"},
	} {
		f := grantForm()
		c.change(f)
		s := &shell{}
		if w := post(t, s, f.Encode(), nil); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `{"error":"`+c.want+`"`) || s.asked != nil {
			t.Errorf("%s: answered %d %s", name, w.Code, w.Body)
		}
	}
}

// draft-ietf-oauth-identity-assertion-authz-grant, section 4.3: a grant for a
// partner's authorization server and its one service.
func TestRequestedGrant(t *testing.T) {
	f := exchangeForm()
	f.Set("requested_token_type", string(evidence.IDJAG))
	f.Set("audience", "https://trust.rje.example")
	f.Set("resource", "https://records.rje.example")
	s := &shell{answer: node.Issued{Token: "x.y.z", TTL: 300}}
	w := post(t, s, f.Encode(), nil)
	const want = `{"access_token":"x.y.z","issued_token_type":"urn:ietf:params:oauth:token-type:id-jag","token_type":"N_A","expires_in":300,`
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), want) {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	if s.asked.Partner.String() != "https://trust.rje.example" || s.asked.Target != "https://records.rje.example" {
		t.Errorf("asked %+v", *s.asked)
	}
	for name, change := range map[string]func(url.Values){
		"no audience":                 func(f url.Values) { f.Del("audience") },
		"no resource":                 func(f url.Values) { f.Del("resource") },
		"an audience that is no node": func(f url.Values) { f.Set("audience", "urn:x") },
	} {
		f := exchangeForm()
		f.Set("requested_token_type", string(evidence.IDJAG))
		f.Set("audience", "https://trust.rje.example")
		f.Set("resource", "https://records.rje.example")
		change(f)
		s := &shell{}
		if w := post(t, s, f.Encode(), nil); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "invalid_target") || s.asked != nil {
			t.Errorf("%s: answered %d %s", name, w.Code, w.Body)
		}
	}
}

// RFC 8693, section 2.1: actor_token has its type; links of delegation stand
// between the two.
func TestActor(t *testing.T) {
	f := exchangeForm()
	f.Set("actor_token", "d.e.f")
	f.Set("actor_token_type", string(evidence.IDToken))
	f.Set("delegation", "l.i.1 l.i.2")
	s := &shell{answer: node.Issued{Token: "x.y.z", TTL: 60}}
	if w := post(t, s, f.Encode(), nil); w.Code != http.StatusOK {
		t.Fatalf("answered %d %s", w.Code, w.Body)
	}
	want := []evidence.Proof{
		{Kind: evidence.Delegation, Token: []byte("l.i.1")}, {Kind: evidence.Delegation, Token: []byte("l.i.2")}, {Kind: evidence.IDToken, Token: []byte("d.e.f")},
	}
	if !reflect.DeepEqual(s.asked.Via, want) {
		t.Errorf("asked %+v", s.asked.Via)
	}
}

// RFC 9449, section 5: the one proof beside a request is for this endpoint, and
// whoever calls shows it.
func TestProofBesideARequest(t *testing.T) {
	proof := func(fields ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header["Dpop"] = fields }
	}
	shown := &evidence.Shown{DPoP: []byte("p.p.p"), Method: "POST", URL: "https://auth.rje.example/oauth/token", ForToken: true}
	s := &shell{answer: node.Issued{Token: "x.y.z", TTL: 60, Bound: true}}
	w := post(t, s, exchangeForm().Encode(), proof("p.p.p"))
	if !strings.Contains(w.Body.String(), `"token_type":"DPoP"`) || !reflect.DeepEqual(s.asked.Subject.Shown, shown) {
		t.Errorf("answered %s, asked %+v", w.Body, s.asked.Subject.Shown)
	}
	f := exchangeForm()
	f.Set("actor_token", "d.e.f")
	f.Set("actor_token_type", string(evidence.AccessToken))
	post(t, s, f.Encode(), proof("p.p.p"))
	if s.asked.Subject.Shown != nil || !reflect.DeepEqual(s.asked.Via[0].Shown, shown) {
		t.Errorf("asked %+v", *s.asked)
	}
	post(t, s, grantForm().Encode(), proof("p.p.p"))
	if !reflect.DeepEqual(s.asked.Subject.Shown, shown) {
		t.Errorf("asked %+v", *s.asked)
	}
	for _, fields := range [][]string{{"a", "b"}, {""}} {
		s := &shell{}
		if w := post(t, s, exchangeForm().Encode(), proof(fields...)); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "invalid_dpop_proof") || s.asked != nil {
			t.Errorf("%q: answered %d %s", fields, w.Code, w.Body)
		}
	}
	for refusal, code := range map[node.Refusal]string{node.BadProof: "invalid_dpop_proof", node.WantsNonce: "use_dpop_nonce"} {
		w := post(t, &shell{answer: node.Issued{Refusal: refusal, Nonce: "n-1"}}, exchangeForm().Encode(), proof("p.p.p"))
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"error":"`+code+`"`) || w.Header().Get("DPoP-Nonce") != "n-1" {
			t.Errorf("%s: answered %d %s %v", refusal, w.Code, w.Body, w.Header())
		}
	}
}
