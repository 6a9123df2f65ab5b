package idp_test

import (
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/entente-id/entente/demo/idp"
)

// R71
func TestSignLink(t *testing.T) {
	tr := start(t, nil)
	end := time.Now().Add(time.Minute)
	link, err := tr.SignLink(idp.Link{
		Subject: "910000000001", ActorIssuer: "https://agents.example", Actor: "agent-a", Before: "before", Audience: records,
		Type: "WardRecord", ID: "42", Actions: []string{"read"}, Depth: 1, Expires: end, Claims: map[string]any{"org_code": "RXW"},
	})
	if err != nil {
		t.Fatal(err)
	}
	typ, claims := tr.open(t, link, jose.ES256)
	sum := sha256.Sum256([]byte("before"))
	for name, value := range map[string]any{
		"iss": tr.issuer, "sub": "910000000001", "aud": records, "org_code": "RXW", "depth": 1.0, "exp": float64(end.Unix()),
		"parent": base64.RawURLEncoding.EncodeToString(sum[:]),
	} {
		if claims[name] != value {
			t.Errorf("claim %s is %v, want %v", name, claims[name], value)
		}
	}
	if act, _ := claims["may_act"].(map[string]any); typ != "entente-delegation+jwt" || act["iss"] != "https://agents.example" || act["sub"] != "agent-a" {
		t.Errorf("link is %s, lets %v act", typ, claims["may_act"])
	}
}
