package credential_test

import (
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
}
