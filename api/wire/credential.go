package wire

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// Prefix begins a credential and says what it is for, so that a leaked one can
// be found. 32 random bytes in base64url follow. Whose it is, a node knows.
type Prefix string

const (
	EnforcementPoint Prefix = "ent_pep_"
	Operator         Prefix = "ent_op_"
	Receiver         Prefix = "ent_ssf_"
)

// SecretSize is the number of random bytes of a credential.
const SecretSize = 32

// ParseCredential reads a credential in its one form: no padding, no other
// alphabet, no bits behind the last byte.
func ParseCredential(p Prefix, text string) (secret [SecretSize]byte, ok bool) {
	encoded, ok := strings.CutPrefix(text, string(p))
	if !ok || len(encoded) != base64.RawURLEncoding.EncodedLen(SecretSize) || strings.ContainsAny(encoded, "\r\n") {
		return secret, false
	}
	n, err := base64.RawURLEncoding.Strict().Decode(secret[:], []byte(encoded))
	return secret, err == nil && n == SecretSize
}

// FormatCredential writes a credential as ParseCredential reads it.
func FormatCredential(p Prefix, secret []byte) string {
	return string(p) + base64.RawURLEncoding.EncodeToString(secret)
}

// Bearer reads the credential of a request: one Authorization header with the
// scheme Bearer (RFC 6750, section 2.1). Two headers are none.
func Bearer(r *http.Request, p Prefix) (secret [SecretSize]byte, ok bool) {
	values := r.Header["Authorization"]
	if len(values) != 1 {
		return secret, false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return secret, false
	}
	return ParseCredential(p, token)
}
