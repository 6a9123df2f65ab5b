package canonical_test

import (
	"bytes"
	stdjson "encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// What we read encoding/json reads, as the same; its canonical form is the one
// that RFC 8785 describes, word by word, and reads back to itself.
func FuzzObject(f *testing.F) {
	for text := range refused {
		f.Add([]byte(text))
	}
	f.Add([]byte(claims))
	f.Add([]byte(`{"a":"\ud83d\ude00\/\b","b":[-1.5e-3,123456789012345678901234567890]}`))
	f.Add([]byte(`{"😀":1,"דּ":[1.5,-0,1e21,1e-7,"\u2028<&>\u007f"],"":{"b":{},"a":null}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := canonical.ParseObject(data)
		if err != nil {
			if trust.KindOf(err) != trust.Invalid {
				t.Fatalf("%v is not Invalid", err)
			}
			return
		}
		var want map[string]any
		if err := stdjson.Unmarshal(data, &want); err != nil {
			t.Fatalf("encoding/json refuses what we accept: %v", err)
		}
		if !reflect.DeepEqual(plain(got), any(want)) {
			t.Fatalf("got %#v, encoding/json has %#v", got, want)
		}
		var typed map[string]any
		if err := canonical.Decode(data, &typed); err != nil {
			t.Fatalf("Decode refuses what ParseObject accepts: %v", err)
		}
		once, err := canonical.Marshal(got)
		if err != nil {
			return // a number that would change
		}
		if reference := string(appendReference(nil, want)); string(once) != reference {
			t.Fatalf("wrote %s; RFC 8785 has %s", once, reference)
		}
		again, err := canonical.ParseObject(once)
		if err != nil {
			t.Fatalf("reading %s: %v", once, err)
		}
		twice, err := canonical.Marshal(again)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s became %s (%v)", once, twice, err)
		}
	})
}

// appendReference writes as RFC 8785, section 3.2, says, with nothing of the code
// under test.
func appendReference(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case float64:
		return append(b, ecmaNumber(v)...)
	case string:
		return appendText(b, v)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendReference(b, e)
		}
		return append(b, ']')
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.SortFunc(names, func(x, y string) int { return slices.Compare(utf16.Encode([]rune(x)), utf16.Encode([]rune(y))) })
		b = append(b, '{')
		for i, name := range names {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendReference(append(appendText(b, name), ':'), v[name])
		}
		return append(b, '}')
	default:
		panic("no such value in JSON")
	}
}

// appendText is section 3.2.2.2.
func appendText(b []byte, s string) []byte {
	short := map[rune]string{'\b': `\b`, '\t': `\t`, '\n': `\n`, '\f': `\f`, '\r': `\r`, '"': `\"`, '\\': `\\`}
	b = append(b, '"')
	for _, r := range s {
		if text, ok := short[r]; ok {
			b = append(b, text...)
		} else if r < ' ' {
			b = append(b, `\u00`...)
			b = append(b, "0123456789abcdef"[r>>4], "0123456789abcdef"[r&15])
		} else {
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}

// ecmaNumber is Number::toString of ECMA-262, to which section 3.2.2.3 refers: k
// digits of which the decimal point stands behind the n-th.
func ecmaNumber(x float64) string {
	if x == 0 {
		return "0"
	}
	if x < 0 {
		return "-" + ecmaNumber(-x)
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	e, _ := strconv.Atoi(exponent)
	k, n := len(digits), e+1
	switch {
	case k <= n && n <= 21:
		return digits + strings.Repeat("0", n-k)
	case 0 < n && n <= 21:
		return digits[:n] + "." + digits[n:]
	case -6 < n && n <= 0:
		return "0." + strings.Repeat("0", -n) + digits
	}
	sign := "+"
	if n < 1 {
		sign = "-"
	}
	power := sign + strconv.Itoa(max(n-1, 1-n))
	if k == 1 {
		return digits + "e" + power
	}
	return digits[:1] + "." + digits[1:] + "e" + power
}
