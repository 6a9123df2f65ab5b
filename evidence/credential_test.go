package evidence_test

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

const rje = "https://trust.rje.example"

// home is a registry of a node that issues credentials. Its sealing is a map.
type home struct {
	registry
	key    signer
	valid  bool
	sealed map[string]string // by id
}

func (h home) Issues(iss string) bool { return iss == rje }

func (h home) TokenKey(kid string, _ int64) (jose.Key, bool) {
	return h.key.key, h.valid && kid == h.key.key.KeyID()
}

func (h home) OpenGround(id string, sealed []byte) ([]byte, error) {
	if plain, ok := h.sealed[id]; ok && string(sealed) == "sealed" {
		return []byte(plain), nil
	}
	return nil, errors.New("it does not open")
}

// newHome knows the issuer of rxw and one credential issued on a token of it.
func newHome() (home, signer, object) {
	idp := newSigner(jose.ES256, "k-1")
	h := home{registry{rxwIDP: own(rxwIDP, "rxw", idp.key)}, newSigner(jose.ES256, "own-1"), true, map[string]string{}}
	o := evidence.Ground{
		Agreement: "0123", Claims: canonical.Object{"iss": rxwIDP, "sub": "910000000001", "auth_time": now - 3600, "id_assurance_level": "3"},
		IssuedAt: now - 100, KeyID: "k-1", Thumbprint: idp.key.Thumbprint(),
	}
	h.sealed["c-1"] = string(o.Append(nil))
	return h, idp, object{
		"iss": rje, "sub": "pairwise", "aud": records, "iat": now - 10, "exp": now + 100, "client_id": "app", "jti": "c-1",
		evidence.GroundClaim: b64([]byte("sealed")),
		evidence.DetailsClaim: []any{object{
			"type": evidence.AccessType, "resource_type": "WardRecord", "resource_ids": []any{"42"}, "actions": []any{"read"}, "purpose": "TREAT",
		}},
	}
}

// What comes back is the evidence that the credential was issued on, with the
// credential's own hash, client, audience and end.
func TestACredentialGivesItsGround(t *testing.T) {
	h, idp, claims := newHome()
	token := mint(h.key, header(evidence.AccessToken, h.key.key), claims)
	for range 2 {
		ev, once, f := evidence.Verify(proof(evidence.AccessToken, token), h, now, newMemory())
		if f != nil || once != nil {
			t.Fatal(f, once)
		}
		want := evidence.Grant{ID: "c-1", Agreement: "0123", Access: []evidence.Access{
			{Type: "WardRecord", IDs: []string{"42"}, Actions: []trust.Action{"read"}, Purpose: "TREAT"},
		}}
		if ev.Grant == nil || !reflect.DeepEqual(*ev.Grant, want) {
			t.Errorf("granted %+v", ev.Grant)
		}
		if ev.Participant != org("rxw") || ev.Issuer.String() != rxwIDP || ev.Subject != "910000000001" || ev.Namespace != evidence.DefaultNamespace ||
			ev.Class != trust.Human || ev.Assurance[0] != 3 || ev.ClientID != "app" || ev.Audience != records || ev.Kind != evidence.AccessToken ||
			ev.IssuedAt != now-100 || ev.ExpiresAt != now+100 || ev.AuthTime != now-3600 || ev.Thumbprint != idp.key.Thumbprint() ||
			ev.KeyID != "k-1" || ev.Hash == [32]byte{} || ev.Claims["sub"] != "910000000001" || ev.Delegated || ev.Binding.Bound() {
			t.Errorf("evidence is %+v", ev)
		}
	}
}

// What would be refused if it came today is refused though it came before.
func TestACredentialIsRefused(t *testing.T) {
	ground := func(h home, change func(object)) {
		var o object
		if err := json.Unmarshal([]byte(h.sealed["c-1"]), &o); err != nil {
			panic(err)
		}
		change(o)
		h.sealed["c-1"] = string(must(json.Marshal(o)))
	}
	for name, c := range map[string]struct {
		change func(h *home, claims object)
		want   trust.Reason
	}{
		"in order":                   {func(*home, object) {}, ""},
		"own key is no longer valid": {func(h *home, _ object) { h.valid = false }, trust.UnknownKey},
		"another key":                {func(h *home, _ object) { h.key.key = newSigner(jose.ES256, "own-1").key }, trust.BadSignature},
		"expired":                    {func(_ *home, c object) { c["exp"] = now }, trust.TokenExpired},
		"no client":                  {func(_ *home, c object) { delete(c, "client_id") }, trust.ClaimMissing},
		"no jti":                     {func(_ *home, c object) { delete(c, "jti") }, trust.ClaimMissing},
		"another jti":                {func(_ *home, c object) { c["jti"] = "c-2" }, trust.ClaimMissing},
		"no ground":                  {func(_ *home, c object) { delete(c, evidence.GroundClaim) }, trust.ClaimMissing},
		"ground of another type":     {func(_ *home, c object) { c[evidence.GroundClaim] = 7 }, trust.ClaimMissing},
		"ground with padding":        {func(_ *home, c object) { c[evidence.GroundClaim] = "c2VhbGVk==" }, trust.ClaimMissing},
		"no access":                  {func(_ *home, c object) { delete(c, evidence.DetailsClaim) }, trust.ClaimMissing},
		"ground is no JSON":          {func(h *home, _ object) { h.sealed["c-1"] = "{" }, trust.ClaimMissing},
		"ground without agreement":   {func(h *home, _ object) { ground(*h, func(o object) { delete(o, "agreement") }) }, trust.ClaimMissing},
		"ground without iat":         {func(h *home, _ object) { ground(*h, func(o object) { delete(o, "iat") }) }, trust.ClaimMissing},
		"ground without key":         {func(h *home, _ object) { ground(*h, func(o object) { delete(o, "key") }) }, trust.ClaimMissing},
		"ground without kid":         {func(h *home, _ object) { ground(*h, func(o object) { delete(o, "kid") }) }, trust.ClaimMissing},
		"ground without claims":      {func(h *home, _ object) { ground(*h, func(o object) { delete(o, "claims") }) }, trust.EvidenceMalformed},
		"ground without subject":     {func(h *home, _ object) { ground(*h, func(o object) { delete(o["claims"].(object), "sub") }) }, trust.ClaimMissing},
		"issuer gone":                {func(h *home, _ object) { h.registry = registry{} }, trust.UnknownIssuer},
		"issuer's key gone":          {func(h *home, _ object) { h.registry[rxwIDP] = own(rxwIDP, "rxw", newSigner(jose.ES256, "k-2").key) }, trust.UnknownKey},
		"kid used again": {func(h *home, _ object) {
			h.registry[rxwIDP] = own(rxwIDP, "rxw", newSigner(jose.ES256, "k-1").key)
		}, trust.UnknownKey},
		"foreign namespace": {func(h *home, _ object) {
			s := own(rxwIDP, "rxw", h.registry[rxwIDP].Keys.Keys()...)
			s.Candidates[0].Issuer.Namespaces = map[string][]participant.Namespace{"org": participant.Exactly("RXW")}
			h.registry[rxwIDP] = s
		}, trust.ForeignNamespace},
	} {
		h, _, claims := newHome()
		signing := h.key
		c.change(&h, claims)
		token := mint(signing, header(evidence.AccessToken, signing.key), claims)
		if got := reasonOf(t, proof(evidence.AccessToken, token), h, now); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	h, _, claims := newHome()
	if got := reasonOf(t, proof(evidence.IDToken, mint(h.key, header(evidence.IDToken, h.key.key), claims)), h, now); got != trust.UnknownIssuer {
		t.Errorf("as an ID token: %q", got)
	}
	if got := reasonOf(t, proof(evidence.AccessToken, mint(h.key, header(evidence.AccessToken, h.key.key), claims)), h.registry, now); got != trust.UnknownIssuer {
		t.Errorf("at a node that issues nothing: %q", got)
	}
}

func TestCovers(t *testing.T) {
	g := evidence.Grant{Access: []evidence.Access{
		{Type: "A", IDs: []string{"1", "2"}, Actions: []trust.Action{"read", "list"}, Purpose: "P"},
		{Type: "B", Actions: []trust.Action{"read"}, Purpose: "P"},
	}}
	for _, c := range []struct {
		action trust.Action
		t      trust.ResourceType
		id     string
		p      trust.Purpose
		want   bool
	}{
		{"read", "A", "1", "P", true}, {"list", "A", "2", "P", true}, {"read", "B", "7", "P", true}, {"read", "B", "", "P", true},
		{"read", "A", "", "P", false}, {"read", "A", "3", "P", false}, {"list", "B", "7", "P", false}, {"read", "A", "1", "Q", false},
		{"", "B", "7", "P", false}, {"read", "", "7", "P", false}, {"read", "B", "7", "", false}, {"read", "b", "7", "P", false},
	} {
		if got := g.Covers(c.action, c.t, c.id, c.p); got != c.want {
			t.Errorf("%s %s/%s for %s: %v", c.action, c.t, c.id, c.p, got)
		}
	}
	if (&evidence.Grant{Access: []evidence.Access{{Actions: []trust.Action{""}}}}).Covers("", "", "", "") {
		t.Error("empty words match")
	}
}

func TestParseAccess(t *testing.T) {
	good := object{"type": "entente_access", "resource_type": "A", "resource_ids": []any{"1"}, "actions": []any{"read"}, "purpose": "P"}
	read := func(o object) bool {
		list := must(canonical.ParseObject(must(json.Marshal(object{"d": []any{o}}))))
		_, ok := evidence.ParseAccess(list["d"])
		return ok
	}
	if !read(good) || !read(with(good, object{"resource_ids": absent})) {
		t.Error("good details are refused")
	}
	many := make([]any, 65)
	for i := range many {
		many[i] = "x"
	}
	for name, values := range map[string][]any{
		"type":          {absent, "", "other", 7, nil},
		"resource_type": {absent, "", 7, nil, string(make([]byte, 257))},
		"resource_ids":  {"1", 7, nil, []any{}, []any{""}, []any{7}, many},
		"actions":       {absent, "read", nil, []any{}, []any{""}, []any{"read", nil}, many},
		"purpose":       {absent, "", 7, nil},
		"more":          {"x", nil},
	} {
		for _, v := range values {
			if read(with(good, object{name: v})) {
				t.Errorf("%s %.20v is taken", name, v)
			}
		}
	}
	for _, v := range []any{nil, "x", []any{}, []any{"x"}, []any{nil}, canonical.Object{}, many} {
		if _, ok := evidence.ParseAccess(v); ok {
			t.Errorf("%v is taken", v)
		}
	}
	wide := maps.Clone(good)
	wide["resource_ids"], wide["actions"] = many[:33], []any{"a", "b"}
	if read(wide) {
		t.Error("66 accesses are taken")
	}
}

// What is written reads back.
func TestAccessReadsBack(t *testing.T) {
	word := rapid.StringMatching(`[a-z"\\é]{1,4}`)
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) evidence.Access {
			a := evidence.Access{Type: trust.ResourceType(word.Draw(t, "type")), Purpose: trust.Purpose(word.Draw(t, "purpose"))}
			a.IDs = rapid.SliceOfN(word, 0, 3).Draw(t, "ids")
			for _, s := range rapid.SliceOfN(word, 1, 3).Draw(t, "actions") {
				a.Actions = append(a.Actions, trust.Action(s))
			}
			if len(a.IDs) == 0 {
				a.IDs = nil
			}
			return a
		}), 1, 4).Draw(t, "all")
		o, err := canonical.ParseObject(append(evidence.AppendAccess([]byte(`{"d":`), all), '}'))
		if err != nil {
			t.Fatal(err)
		}
		if back, ok := evidence.ParseAccess(o["d"]); !ok || !reflect.DeepEqual(back, all) {
			t.Fatalf("%+v reads back as %+v", all, back)
		}
	})
}
