package nodetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
)

// Holder is a client with a key of its own, which its tokens are bound to.
type Holder struct {
	World *World
	Key   jose.Signer
}

// NewHolder makes a client with a fresh ES256 key.
func (w *World) NewHolder() *Holder {
	w.T.Helper()
	private := Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(w.T)
	return &Holder{w, Must(jose.NewSigner(private, ""))(w.T)}
}

// Confirmation is the cnf claim of the holder's tokens (RFC 9449, section 6.1).
func (h *Holder) Confirmation() map[string]any {
	return map[string]any{"jkt": h.Key.Key().Thumbprint()}
}

// Shown is a request with a fresh DPoP proof for a token; with changes the
// proof's claims, a nil value removes one.
func (h *Holder) Shown(token []byte, method, url string, with map[string]any) *evidence.Shown {
	h.World.T.Helper()
	sum := sha256.Sum256(token)
	text := base64.RawURLEncoding
	claims := map[string]any{
		"jti": rand.Text(), "htm": method, "htu": url, "iat": time.Now().Unix(), "ath": text.EncodeToString(sum[:]),
	}
	maps.Copy(claims, with)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	header := map[string]any{"typ": "dpop+jwt", "alg": h.Key.Key().Alg(), "jwk": h.Key.Key()}
	input := text.EncodeToString(Must(canonical.Marshal(header))(h.World.T)) + "." + text.EncodeToString(Must(canonical.Marshal(claims))(h.World.T))
	proof := input + "." + text.EncodeToString(Must(h.Key.Sign([]byte(input)))(h.World.T))
	return &evidence.Shown{DPoP: []byte(proof), Method: method, URL: url}
}
