package canonical

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/trust"
)

// Marshal gives the canonical JSON of v (RFC 8785): no space, members sorted by
// their UTF-16 code units, shortest strings and numbers. Equal values give
// equal bytes. Numbers are IEEE 754 doubles there, so an integer
// that would change, as many beyond ±(2^53-1) do, is refused. It fails with
// Invalid.
func Marshal(v any) ([]byte, error) {
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "value has no canonical JSON: %w", err)
	}
	if err := checkIntegers(data); err != nil {
		return nil, err
	}
	text := jsontext.Value(data)
	if err := text.Canonicalize(); err != nil {
		return nil, trust.Errorf(trust.Invalid, "value has no canonical JSON: %w", err)
	}
	return text, nil
}

// checkIntegers refuses integers that canonical form would round. The text is
// valid already, so whatever stands outside strings and begins with a digit is
// a number.
func checkIntegers(data []byte) error {
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			i = endOfString(data, i)
		case '0' <= c && c <= '9':
			end := i + 1
			for end < len(data) && bytes.IndexByte([]byte("0123456789.eE+-"), data[end]) >= 0 {
				end++
			}
			if !exact(data[i:end]) {
				return trust.Errorf(trust.Invalid, "integer %s is beyond what canonical JSON keeps exact", data[i:end])
			}
			i = end
		}
	}
	return nil
}

// endOfString gives the place of the quote that closes the string begun at i.
func endOfString(data []byte, i int) int {
	for i++; data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return i
}

func exact(number []byte) bool {
	if len(number) < len("9007199254740991") || bytes.ContainsAny(number, ".eE") {
		return true
	}
	x, err := strconv.ParseFloat(string(number), 64)
	return err == nil && string(strconv.AppendFloat(nil, x, 'f', -1, 64)) == string(number)
}

// AppendString appends s as Marshal writes it. What is not UTF-8 in s becomes
// U+FFFD, so s should be an identifier or other parsed text.
func AppendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			dst, _ = jsontext.AppendQuote(dst, s)
			return dst
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// AppendInt appends n as Marshal writes it; n must lie within ±(2^53-1).
func AppendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
