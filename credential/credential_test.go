package credential_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"io"
	"reflect"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/credential"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/trust"
)

// RFC 9068, section 2.2: every required claim, and nothing of the person but the
// pairwise identifier.
func TestClaims(t *testing.T) {
	c := credential.Claims{
		Issuer: "https://trust.rje.example", Subject: "pair", Audience: "https://records.rje.example", Client: "app", ID: "c-1",
		Access: []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"}},
		Ground: []byte{0xff, 0xfe}, IssuedAt: 100, ExpiresAt: 200,
	}
	want := canonical.Object{
		"iss": c.Issuer, "sub": "pair", "aud": c.Audience, "client_id": "app", "jti": "c-1", "iat": int64(100), "exp": int64(200),
		"entente_ground": "__4", "authorization_details": []any{canonical.Object{
			"type": "entente_access", "resource_type": "WardRecord", "actions": []any{"read"}, "purpose": "TREAT",
		}},
	}
	check := func() {
		t.Helper()
		text := c.Append(nil)
		got, err := canonical.ParseObject(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("claims are %s, %v", text, err)
		}
		if again, err := canonical.Marshal(got); err != nil || string(again) != string(text) {
			t.Errorf("claims are not canonical: %s, %v", text, err)
		}
	}
	check()
	c.Scope, want["scope"] = "WardRecord.read", "WardRecord.read"
	check()
	c.Status = credential.Place{URI: "https://trust.rje.example/lists/1", Index: 7}
	want["status"] = canonical.Object{"status_list": canonical.Object{"idx": int64(7), "uri": "https://trust.rje.example/lists/1"}}
	check()
	c.Actors = []string{"caller", "before", "first"}
	want["act"] = canonical.Object{"sub": "caller", "act": canonical.Object{"sub": "before", "act": canonical.Object{"sub": "first"}}}
	check()
	c.Key, want["cnf"] = "thumbprint", canonical.Object{"jkt": "thumbprint"}
	check()
}

// draft-ietf-oauth-identity-assertion-authz-grant, section 3: every required
// claim, one audience, and the pairwise identifier alone.
func TestGrant(t *testing.T) {
	g := credential.Grant{
		Issuer: "https://trust.rxw.example", Subject: "pair", Audience: "https://trust.rje.example", Client: "app", ID: "g-1", Target: "https://records.rje.example",
		Access:   []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"}},
		Asserted: canonical.Object{"iss": "https://idp.rxw.example"}, IssuedAt: 100, ExpiresAt: 200,
	}
	want := canonical.Object{
		"iss": g.Issuer, "sub": "pair", "aud": g.Audience, "client_id": "app", "jti": "g-1", "iat": int64(100), "exp": int64(200), "resource": g.Target,
		"entente_asserted": canonical.Object{"iss": "https://idp.rxw.example"}, "authorization_details": []any{canonical.Object{
			"type": "entente_access", "resource_type": "WardRecord", "actions": []any{"read"}, "purpose": "TREAT",
		}},
	}
	for range 2 {
		text := g.Append(nil)
		got, err := canonical.ParseObject(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("claims are %s, %v", text, err)
		}
		if again, err := canonical.Marshal(got); err != nil || string(again) != string(text) {
			t.Errorf("claims are not canonical: %s, %v", text, err)
		}
		g.Scope, want["scope"] = "WardRecord.read", "WardRecord.read"
		g.Key, want["cnf"] = "thumbprint", canonical.Object{"jkt": "thumbprint"}
	}
}

// draft-ietf-oauth-status-list, section 4.1, example of two bits: the lowest bits
// of a byte come first.
func TestStatusListEncoding(t *testing.T) {
	l := credential.StatusList{Issuer: "i", URI: "u", IssuedAt: 1, ExpiresAt: 2, TTL: 3}
	l.Size(12)
	for index, s := range []credential.Status{1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3} {
		l.Set(uint32(index), s)
	}
	o, err := canonical.ParseObject(l.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	list, _ := o["status_list"].(canonical.Object)
	text, _ := list.Text("lst")
	packed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(raw, []byte{0xc9, 0x44, 0xf9}) {
		t.Errorf("packs %x, %v", raw, err)
	}
	delete(o, "status_list")
	want := canonical.Object{"iss": "i", "sub": "u", "iat": int64(1), "exp": int64(2), "ttl": int64(3)}
	if bits, _ := list.Int("bits"); bits != 2 || !reflect.DeepEqual(o, want) {
		t.Errorf("says %d bits, %v", bits, o)
	}
}
