package jose_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/jose"
)

func TestGovernanceKeyReadsBack(t *testing.T) {
	const text = "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" // the key of RFC 8037, appendix A.2
	key, err := jose.ParseGovernanceKey(text)
	if err != nil || key.GovernanceText() != text || key.Alg() != jose.EdDSA || key.KeyID() != key.Thumbprint() {
		t.Errorf("got %q, kid %q, %v", key.GovernanceText(), key.KeyID(), err)
	}
	s := must(jose.NewSigner(edKey, ""))
	if back := must(jose.ParseGovernanceKey(s.Key().GovernanceText())); !back.Equal(s.Key()) {
		t.Error("a signer's key does not read back to itself")
	}
	if got := publicKey(jose.ES256, "").GovernanceText() + (jose.Key{}).GovernanceText(); got != "" {
		t.Errorf("other keys are written %q", got)
	}
}

func TestParseGovernanceKeyRefuses(t *testing.T) {
	const body = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
	for _, text := range []string{
		"", body, "ed25519:", "Ed25519:" + body, "ed25519: " + body, "ed25519:" + body + "=", "ed25519:" + body + "\n", "ed25519:" + body[1:],
		"ed25519:" + body[:len(body)-1] + "p", "ed25519:" + strings.Repeat("A", 43), "x25519:" + body,
	} {
		_, err := jose.ParseGovernanceKey(text)
		wantRefused(t, text, err, "")
	}
}
