package canonical_test

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

func TestParseObjectKeepsValuesExact(t *testing.T) {
	got, err := canonical.ParseObject([]byte(` {"s":"a\u00e9\n","e":"","i":9007199254740993,"min":-9223372036854775808,
		"big":9223372036854775808,"f":1.0,"x":1e3,"z":-0,"t":true,"n":null,"a":[1,"b",[],{}],"o":{"k":{"v":false}}} `))
	if err != nil {
		t.Fatal(err)
	}
	want := canonical.Object{
		"s": "aé\n", "e": "", "i": int64(9007199254740993), "min": int64(-9223372036854775808),
		"big": 9223372036854775808.0, "f": 1.0, "x": 1000.0, "z": int64(0), "t": true, "n": nil,
		"a": []any{int64(1), "b", []any{}, canonical.Object{}},
		"o": canonical.Object{"k": canonical.Object{"v": false}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %#v\nwant %#v", got, want)
	}
}

func TestObjectAccessorsRequireTheType(t *testing.T) {
	o := canonical.Object{"s": "x", "i": int64(3), "f": 3.0, "n": nil}
	for name, want := range map[string][2]bool{"s": {true, false}, "i": {false, true}, "f": {}, "n": {}, "absent": {}} {
		_, text := o.Text(name)
		_, integer := o.Int(name)
		if text != want[0] || integer != want[1] {
			t.Errorf("%s: is text %t, is integer %t; want %v", name, text, integer, want)
		}
	}
}

// refused are texts that no reader here accepts, with what the error says.
var refused = map[string]string{
	``:                              "ends too early",
	`{`:                             "without a name",
	`{"a"`:                          `member "/a" has no colon`,
	`{"a":`:                         `member "/a" ends too early`,
	`{"a":1`:                        "no comma",
	`{"a":1,}`:                      "without a name",
	`{,"a":1}`:                      "without a name",
	`{"a" 1}`:                       `member "/a" has no colon`,
	`{"a":1 "b":2}`:                 "no comma",
	`{a:1}`:                         "without a name",
	`{'a':1}`:                       "without a name",
	`{"a":[1,]}`:                    `member "/a/1" has something that is no JSON value`,
	`{"a":[1 2]}`:                   `member "/a" has no comma`,
	`{"a":[,1]}`:                    `member "/a/0"`,
	`{"a":tru}`:                     `member "/a" has something that is no JSON value`,
	`{"a":truE}`:                    `member "/a" has something that is no JSON value`,
	`{"a":NaN}`:                     `member "/a" has something that is no JSON value`,
	`{"a":01}`:                      `member "" has no comma`,
	`{"a":+1}`:                      `member "/a" has something that is no JSON value`,
	`{"a":-}`:                       `member "/a" has a number without digits`,
	`{"a":.5}`:                      `member "/a" has something that is no JSON value`,
	`{"a":1.}`:                      `member "/a" has a number without digits`,
	`{"a":1e}`:                      `member "/a" has a number without an exponent`,
	`{"a":1e+}`:                     `member "/a" has a number without an exponent`,
	`{"a":"x`:                       `member "/a" ends inside a string`,
	`{"a":"x\`:                      `member "/a" ends inside a string`,
	`{"a":"\x41"}`:                  `member "/a" has a wrong escape`,
	`{"a":"\ud800"}`:                `member "/a" has a wrong escape or half a surrogate`,
	`{"a":"\udc00\ud800"}`:          `member "/a" has a wrong escape or half a surrogate`,
	"{\"a\":\"\t\"}":                `member "/a" has a control character`,
	"{\"a\":\"\x00\"}":              `member "/a" has a control character`,
	"{\"a\":\"\xff\"}":              "is not UTF-8",
	"{\"a\":\"\xed\xa0\x80\"}":      "is not UTF-8",
	"{\"a\xc0\x80\":1}":             "is not UTF-8",
	"\ufeff{}":                      "no JSON value",
	`{}{}`:                          "behind its value",
	`{} x`:                          "behind its value",
	"{}\x00":                        "behind its value",
	`{"a":1,"a":2}`:                 `member "/a" appears twice`,
	`{"a":1,"\u0061":2}`:            `member "/a" appears twice`,
	`{"iss":1,"ISS":2}`:             `member "/ISS" appears twice`,
	`{"kid":1,"\u212aid":2}`:        `appears twice`, // KELVIN SIGN folds to k
	`{"iss":1,"i\u017fs":2}`:        `appears twice`, // LATIN SMALL LETTER LONG S folds to s
	`{"É":1,"é":2}`:                 `appears twice`,
	`{"o":[0,{"x":1,"X":2}]}`:       `member "/o/1/X" appears twice`,
	`{"a/b":{"c~d":{"e":1,"e":2}}}`: `member "/a~1b/c~0d/e" appears twice`,
}

func TestRefusedTexts(t *testing.T) {
	for text, want := range refused {
		_, err := canonical.ParseObject([]byte(text))
		check(t, "ParseObject", text, want, err)
		var v map[string]any
		check(t, "Decode", text, want, canonical.Decode([]byte(text), &v))
		check(t, "DecodeLoose", text, want, canonical.DecodeLoose([]byte(text), &v))
	}
}

func check(t *testing.T, who, text, want string, err error) {
	t.Helper()
	want = strings.ReplaceAll(want, `member "" `, "")
	if err == nil || trust.KindOf(err) != trust.Invalid || !strings.Contains(err.Error(), want) {
		t.Errorf("%s(%q) = %v, want Invalid with %q", who, text, err, want)
	}
}

func TestParseObjectRefusesOtherValues(t *testing.T) {
	for _, text := range []string{`null`, `[]`, `"x"`, `1`, `true`} {
		_, err := canonical.ParseObject([]byte(text))
		check(t, "ParseObject", text, "is not an object", err)
	}
	_, err := canonical.ParseObject([]byte(`{"a":1e400}`))
	check(t, "ParseObject", "1e400", `member "/a" has a number out of range`, err)
}

func TestDepthIsBounded(t *testing.T) {
	nest := func(n int) []byte {
		return []byte(strings.Repeat(`{"a":`, n-1) + `[]` + strings.Repeat(`}`, n-1))
	}
	if _, err := canonical.ParseObject(nest(canonical.MaxDepth)); err != nil {
		t.Errorf("depth %d: %v", canonical.MaxDepth, err)
	}
	_, err := canonical.ParseObject(nest(canonical.MaxDepth + 1))
	check(t, "ParseObject", "deep", "is nested deeper than 32", err)
	var v any
	check(t, "Decode", "deep", "is nested deeper than 32", canonical.Decode(nest(canonical.MaxDepth+1), &v))
	check(t, "Decode", "very deep", "is nested deeper than 32", canonical.Decode([]byte(strings.Repeat("[", 1<<20)), &v))
}

// A text may not buy much more memory than it has bytes.
func TestAllocationIsBounded(t *testing.T) {
	var members strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&members, `,"%x":[]`, i)
	}
	elements := strings.Repeat(",0", 8000)
	texts := map[string]string{
		"members":  `{"":0` + members.String() + `}`,
		"upper":    `{"":0` + strings.ToUpper(members.String()) + `}`,
		"elements": `{"a":[0` + elements + `]}`,
		"empties":  `{"a":[{}` + strings.Repeat(",{}", 5000) + `]}`,
		"arrays":   `{"a":[[]` + strings.Repeat(",[]", 5000) + `]}`,
		"strings":  `{"a":["ab"` + strings.Repeat(`,"ab"`, 4000) + `]}`,
		"escapes":  `{"a":"` + strings.Repeat(`\n`, 8000) + `"}`,
		"groups":   `{"a":["ab"` + strings.Repeat(`,"group-0123456789"`, 800) + `]}`,
		"claims":   claims,
	}
	for name, text := range texts {
		if got, bound := allocated([]byte(text)), 4*len(text)+16<<10; got > bound {
			t.Errorf("%s: %d bytes of text made %d bytes of memory, want at most %d", name, len(text), got, bound)
		}
	}
}

// allocated gives the bytes that one reading takes, garbage included.
func allocated(text []byte) int {
	const runs = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		_, _ = canonical.ParseObject(text)
	}
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc-before.TotalAlloc) / runs
}

const claims = `{"iss":"https://login.rxw.example","sub":"f3b1c9de-4b57-4f08-a2b4-3d1f0e6e7a11","aud":["https://records.host.example","https://node.host.example"],
"exp":1790000300,"nbf":1790000000,"iat":1790000000,"auth_time":1789999000,"jti":"b0d5a8f7c6e54c1e9a7d2f3b","client_id":"ward-portal","scope":"openid read write",
"acr":"https://refeds.org/profile/mfa","amr":["pwd","hwk","user"],"azp":"ward-portal","nonce":"n-0S6_WzA2Mj","sid":"08a5019c-17e1-4977-8f42-65a12843ea02",
"entitlements":["urn:nhs:role:R8000","urn:nhs:role:R8001","urn:nhs:activity:B0264"],"roles":["consultant","on-call"],"groups":["cardiology","ward-7","mdt"],
"ver":"2.0","org":{"id":"RXW","name":"Shrewsbury"},"purpose":"TREAT","cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}`

// plain turns our values into those encoding/json makes.
func plain(v any) any {
	switch v := v.(type) {
	case canonical.Object:
		m := make(map[string]any, len(v))
		for name, value := range v {
			m[name] = plain(value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, value := range v {
			list[i] = plain(value)
		}
		return list
	case int64:
		return float64(v)
	default:
		return v
	}
}

func BenchmarkParseObject(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(claims)))
	for b.Loop() {
		if _, err := canonical.ParseObject([]byte(claims)); err != nil {
			b.Fatal(err)
		}
	}
}
