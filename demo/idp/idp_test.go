package idp_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"golang.org/x/oauth2"

	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/trust"
)

const records = "https://records.rje.example"

var (
	app   = idp.Registration{ID: "ward-app", Secret: "app secret", RedirectURI: "https://127.0.0.1/callback"}
	robot = idp.Registration{ID: "bed-robot", Secret: "robot secret", Claims: map[string]any{"org_code": "RXW"}}
	nurse = idp.Staff{Role: "S8000:G8000:R8001", RoleID: "555021935107", Org: "RXW", Wards: []string{"w7"}, Level: 3}
)

func amara() idp.Person {
	return idp.Person{Subject: "910000000001", Login: "amara", Password: "correct horse", Claims: nurse.Claims()}
}

// trial is a provider behind TLS, and the application that uses it.
type trial struct {
	*idp.Provider
	*idp.Client
	issuer string
	http   *http.Client
}

func start(t *testing.T, change func(*idp.Config)) trial {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	config := idp.Config{
		Issuer:  "https://" + server.Listener.Addr().String(),
		People:  []idp.Person{amara()},
		Clients: []idp.Registration{app, robot},
	}
	if change != nil {
		change(&config)
	}
	provider, err := idp.New(config)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = provider.Handler()
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // one test's client hangs up on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	client, err := idp.NewClient(t.Context(), server.Client(), config.Issuer, app)
	if err != nil {
		t.Fatal(err)
	}
	return trial{provider, client, config.Issuer, server.Client()}
}

func (tr trial) login(t *testing.T) idp.Tokens {
	t.Helper()
	tokens, err := tr.Login(t.Context(), "amara", "correct horse", records)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// open verifies a token against the published keys, as a node would, and gives
// its header type and claims.
func (tr trial) open(t *testing.T, token string, alg jose.SignatureAlgorithm) (string, map[string]any) {
	t.Helper()
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{alg})
	if err != nil {
		t.Fatal(err)
	}
	header := signed.Signatures[0].Protected
	set := tr.keys(t)
	keys := set.Key(header.KeyID)
	if len(keys) != 1 || keys[0].Use != "sig" || keys[0].Algorithm != string(alg) || !keys[0].IsPublic() {
		t.Fatalf("kid %q names %+v in /jwks", header.KeyID, keys)
	}
	payload, err := signed.Verify(keys[0])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return header.ExtraHeaders[jose.HeaderType].(string), claims
}

func (tr trial) keys(t *testing.T) jose.JSONWebKeySet {
	t.Helper()
	r, err := tr.http.Get(tr.issuer + "/jwks")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.UnmarshalRead(r.Body, &set); err != nil {
		t.Fatal(err)
	}
	return set
}

func want(t *testing.T, claims map[string]any, name string, value any) {
	t.Helper()
	if claims[name] != value {
		t.Errorf("claim %s is %v (%T), want %v", name, claims[name], claims[name], value)
	}
}

// denied fails unless err is Denied and, where code is set, carries that code
// of the token endpoint.
func denied(t *testing.T, err error, code string) {
	t.Helper()
	if trust.KindOf(err) != trust.Denied {
		t.Fatalf("got %v, want a denial", err)
	}
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); code != "" && (!ok || e.ErrorCode != code) {
		t.Errorf("got %v, want %s", err, code)
	}
}

// R24
func TestLogin(t *testing.T) {
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.EdDSA} {
		t.Run(string(alg), func(t *testing.T) {
			tr := start(t, func(c *idp.Config) { c.Alg, c.TokenLife = string(alg), 5*time.Minute })
			tokens := tr.login(t)

			typ, access := tr.open(t, tokens.Access, alg)
			if typ != "at+jwt" {
				t.Errorf("an access token has typ %q", typ)
			}
			want(t, access, "iss", tr.issuer)
			want(t, access, "sub", "910000000001")
			want(t, access, "aud", records)
			want(t, access, "client_id", "ward-app")
			want(t, access, "acr", "AAL3_ANY")
			want(t, access, "scope", "openid offline_access")
			want(t, access, "id_assurance_level", "3")
			want(t, access, "org_code", "RXW")
			if access["exp"].(float64)-access["iat"].(float64) != 300 {
				t.Errorf("lives from %v to %v", access["iat"], access["exp"])
			}
			if access["auth_time"].(float64) > access["iat"].(float64) || access["jti"] == nil {
				t.Errorf("auth_time %v, iat %v, jti %v", access["auth_time"], access["iat"], access["jti"])
			}
			role := access["nhsid_nrbac_roles"].([]any)[0].(map[string]any)
			want(t, role, "role_code", "S8000:G8000:R8001")

			typ, id := tr.open(t, tokens.ID, alg)
			if typ != "JWT" {
				t.Errorf("an ID token has typ %q", typ)
			}
			want(t, id, "aud", "ward-app")
			want(t, id, "azp", "ward-app")
			want(t, id, "sub", "910000000001")
			want(t, id, "auth_time", access["auth_time"])
			want(t, id, "exp", access["exp"])
			want(t, id, "acr", "AAL3_ANY")
			want(t, id, "org_code", "RXW")
			if nonce, _ := id["nonce"].(string); nonce == "" {
				t.Error("an ID token of a login has no nonce")
			}
		})
	}
}

func TestLevelsArriveAsIntegersToo(t *testing.T) {
	staff := nurse
	staff.Integer = true
	tr := start(t, func(c *idp.Config) { c.People[0].Claims = staff.Claims() })
	_, claims := tr.open(t, tr.login(t).Access, jose.ES256)
	want(t, claims, "id_assurance_level", float64(3))
	want(t, claims, "authentication_assurance_level", float64(3))
}

func TestClaimsCannotSpeakForTheProvider(t *testing.T) {
	tr := start(t, func(c *idp.Config) {
		c.People[0].Claims = map[string]any{"iss": "https://elsewhere.example", "sub": "x", "aud": "y", "client_id": "z", "azp": "z", "auth_time": 1}
	})
	tokens := tr.login(t)
	_, access := tr.open(t, tokens.Access, jose.ES256)
	_, id := tr.open(t, tokens.ID, jose.ES256)
	want(t, access, "aud", records)
	want(t, access, "client_id", "ward-app")
	want(t, id, "aud", "ward-app")
	want(t, id, "azp", "ward-app")
	for _, claims := range []map[string]any{access, id} {
		want(t, claims, "iss", tr.issuer)
		want(t, claims, "sub", "910000000001")
		if claims["auth_time"] == float64(1) {
			t.Error("a person's claims replaced auth_time")
		}
	}
}

func TestLoginRefused(t *testing.T) {
	tr := start(t, nil)
	for name, c := range map[string][3]string{
		"wrong password":  {"amara", "battery staple", records},
		"nobody":          {"nobody", "", records},
		"no resource":     {"amara", "correct horse", ""},
		"not a resource":  {"amara", "correct horse", "records"},
		"two resources":   {"amara", "correct horse", records + " https://records.r0a.example"},
		"with a fragment": {"amara", "correct horse", records + "#x"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tr.Login(t.Context(), c[0], c[1], c[2])
			denied(t, err, "")
		})
	}
}

func TestRefresh(t *testing.T) {
	tr := start(t, nil)
	first := tr.login(t)
	moved := amara()
	moved.Claims["ward_ids"] = []string{"w8"}
	tr.SetPerson(moved)
	second, err := tr.Refresh(t.Context(), first.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	_, before := tr.open(t, first.Access, jose.ES256)
	_, after := tr.open(t, second.Access, jose.ES256)
	want(t, after, "aud", records)
	want(t, after, "auth_time", before["auth_time"])
	if after["exp"].(float64)-after["iat"].(float64) != 900 {
		t.Errorf("refreshed to live from %v to %v", after["iat"], after["exp"])
	}
	if before["jti"] == after["jti"] || after["ward_ids"].([]any)[0] != "w8" {
		t.Errorf("refreshed %v into %v", before, after)
	}
	if _, id := tr.open(t, second.ID, jose.ES256); id["ward_ids"].([]any)[0] != "w8" {
		t.Errorf("the refreshed ID token shows wards %v", id["ward_ids"])
	}
	_, err = tr.Refresh(t.Context(), first.Refresh)
	denied(t, err, "invalid_grant")
}

func TestDisabledPerson(t *testing.T) {
	tr := start(t, nil)
	tokens := tr.login(t)
	if err := tr.DisablePerson("amara"); err != nil {
		t.Fatal(err)
	}
	_, err := tr.Login(t.Context(), "amara", "correct horse", records)
	denied(t, err, "")
	if !strings.Contains(err.Error(), "refused the login of amara") {
		t.Errorf("the login form let a closed account in: %v", err)
	}
	_, err = tr.Refresh(t.Context(), tokens.Refresh)
	denied(t, err, "invalid_grant")

	tr.SetPerson(amara())
	tr.login(t)
	_, err = tr.Refresh(t.Context(), tokens.Refresh)
	denied(t, err, "invalid_grant")

	if err := tr.DisablePerson("nobody"); trust.KindOf(err) != trust.NotFound {
		t.Errorf("disabling nobody: %v", err)
	}
}

func TestLoginGivenToSomebodyElseEndsSessions(t *testing.T) {
	tr := start(t, nil)
	tokens := tr.login(t)
	other := amara()
	other.Subject = "910000000002"
	tr.SetPerson(other)
	_, err := tr.Refresh(t.Context(), tokens.Refresh)
	denied(t, err, "invalid_grant")
}

func TestClientCredentials(t *testing.T) {
	tr := start(t, nil)
	tokens, err := tr.ClientCredentials(t.Context(), robot.ID, robot.Secret, records)
	if err != nil {
		t.Fatal(err)
	}
	typ, claims := tr.open(t, tokens.Access, jose.ES256)
	if typ != "at+jwt" || tokens.ID != "" || tokens.Refresh != "" {
		t.Errorf("got %s and %+v", typ, tokens)
	}
	want(t, claims, "sub", "bed-robot")
	want(t, claims, "client_id", "bed-robot")
	want(t, claims, "aud", records)
	want(t, claims, "org_code", "RXW")
	if _, ok := claims["auth_time"]; ok {
		t.Error("a service account has an auth_time")
	}
	_, err = tr.ClientCredentials(t.Context(), robot.ID, "wrong", records)
	denied(t, err, "invalid_client")
	_, err = tr.ClientCredentials(t.Context(), robot.ID, robot.Secret, "")
	denied(t, err, "invalid_target")
	_, err = tr.ClientCredentials(t.Context(), app.ID, app.Secret, records)
	denied(t, err, "unauthorized_client")
}

// R72
func TestRotateKey(t *testing.T) {
	tr := start(t, nil)
	old := tr.login(t)
	if err := tr.RotateKey(); err != nil {
		t.Fatal(err)
	}
	if tr.Revision() != 2 || len(tr.keys(t).Keys) != 2 {
		t.Errorf("revision %d with %d keys", tr.Revision(), len(tr.keys(t).Keys))
	}
	tr.open(t, old.Access, jose.ES256)
	tr.open(t, tr.login(t).Access, jose.ES256)
	first := tr.keys(t).Keys[1].KeyID
	if err := tr.RotateKey(); err != nil {
		t.Fatal(err)
	}
	if set := tr.keys(t); len(set.Keys) != 2 || len(set.Key(first)) != 0 {
		t.Errorf("after two rotations the first key is still among %d", len(set.Keys))
	}
}

// R72
func TestAKeyIsAnnouncedUsedAndRetired(t *testing.T) {
	tr := start(t, nil)
	old := tr.keys(t).Keys[0].KeyID
	if err := tr.AnnounceKey(); err != nil {
		t.Fatal(err)
	}
	set := tr.keys(t)
	if len(set.Keys) != 2 || set.Keys[0].KeyID != old {
		t.Fatalf("announced, %d keys are published", len(set.Keys))
	}
	next := set.Keys[1].KeyID
	tr.open(t, tr.login(t).Access, jose.ES256)
	if err := tr.RotateKey(); err != nil {
		t.Fatal(err)
	}
	if set := tr.keys(t); len(set.Keys) != 2 || set.Keys[0].KeyID != next {
		t.Errorf("it signs with %s, not with what was announced", set.Keys[0].KeyID)
	}
	tr.open(t, tr.login(t).Access, jose.ES256)
	tr.RetireKeys()
	if set := tr.keys(t); len(set.Keys) != 1 || set.Keys[0].KeyID != next {
		t.Errorf("retired, %d keys are published", len(set.Keys))
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]idp.Config{
		"http issuer":      {Issuer: "http://127.0.0.1:1"},
		"issuer with path": {Issuer: "https://127.0.0.1:1/"},
		"unknown alg":      {Issuer: "https://127.0.0.1:1", Alg: "HS256"},
		"login twice":      {Issuer: "https://127.0.0.1:1", People: []idp.Person{amara(), amara()}},
	} {
		if _, err := idp.New(c); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
