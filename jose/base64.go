package jose

import (
	"bytes"
	"encoding/base64"
)

// strict refuses padding, other alphabets and stray trailing bits (RFC 7515,
// appendix C); line breaks, which it would skip, are refused in decode.
var strict = base64.RawURLEncoding.Strict()

func encode(b []byte) string { return strict.EncodeToString(b) }

func decode(text []byte) ([]byte, bool) {
	if bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(text, '\r') >= 0 {
		return nil, false
	}
	b := make([]byte, strict.DecodedLen(len(text)))
	n, err := strict.Decode(b, text)
	return b[:n], err == nil
}
