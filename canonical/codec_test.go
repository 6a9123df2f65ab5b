package canonical_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

type document struct {
	Issuer  trust.ParticipantID `json:"iss"`
	Count   int                 `json:"count"`
	Classes []trust.Class       `json:"classes"`
	Inner   struct {
		Name string `json:"name"`
	} `json:"inner"`
}

func TestDecode(t *testing.T) {
	var d document
	err := canonical.Decode([]byte(`{"iss":"https://rxw.example","count":3,"classes":["human"],"inner":{"name":"x"}}`), &d)
	if err != nil || d.Issuer.String() != "https://rxw.example" || d.Count != 3 || d.Classes[0] != trust.Human || d.Inner.Name != "x" {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`null`:                          "is null",
		` null `:                        "is null",
		`[]`:                            "is an array where none belongs",
		`{"other":1}`:                   `member "/other" is not known here`,
		`{"ISS":"https://rxw.example"}`: `member "/ISS" is not known here`,
		`{"inner":{"Name":"x"}}`:        `member "/inner/Name" is not known here`,
		`{"iss":"http://rxw.example"}`:  `member "/iss" is refused: participant "http://rxw.example"`,
		`{"iss":1}`:                     `member "/iss"`,
		`{"count":"1"}`:                 `member "/count" is a string that does not fit`,
		`{"count":1.5}`:                 `member "/count" is a number that does not fit`,
		`{"count":1e30}`:                `member "/count" is a number that does not fit`,
		`{"classes":{}}`:                `member "/classes" is an object where none belongs`,
		`{"classes":["human",2]}`:       `member "/classes/1" is a number that does not fit`,
		`{"inner":[]}`:                  `member "/inner" is an array where none belongs`,
		`{"count":true}`:                `member "/count" has the wrong type`,
	} {
		var d document
		check(t, "Decode", text, want, canonical.Decode([]byte(text), &d))
	}
}

func TestDecodeLooseIgnoresOnlyUnknownMembers(t *testing.T) {
	var d document
	if err := canonical.DecodeLoose([]byte(`{"other":{"x":[1]},"COUNT":7}`), &d); err != nil || d.Count != 0 {
		t.Errorf("got %+v, %v; want the unknown members ignored", d, err)
	}
	check(t, "DecodeLoose", "variant", `"/COUNT" appears twice`, canonical.DecodeLoose([]byte(`{"count":1,"COUNT":7}`), &d))
	check(t, "DecodeLoose", "unknown twice", `"/o/x" appears twice`, canonical.DecodeLoose([]byte(`{"o":{"x":1,"x":1}}`), &d))
}

func TestErrorsBoundTheirPath(t *testing.T) {
	var d document
	err := canonical.Decode([]byte(`{"`+strings.Repeat("n", 5000)+`":1}`), &d)
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("error is %d bytes long", len(err.Error()))
	}
}

// The examples of RFC 8785, sections 3.2.2 and 3.2.3 (the sorted result is that
// of appendix B's key order), as published by the IETF.
func TestMarshalRFC8785Examples(t *testing.T) {
	for in, want := range map[string]string{
		`{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
		  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`: `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
			"\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}",
		`{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
		  "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}`: "{\"\\r\":\"Carriage Return\",\"1\":\"One\"," +
			"\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}",
	} {
		o, err := canonical.ParseObject([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		got, err := canonical.Marshal(o)
		if err != nil || string(got) != want {
			t.Errorf("got  %s\nwant %s (%v)", got, want, err)
		}
	}
}

// RFC 8785, appendix B: number serialization samples (IEEE 754 bits, JSON).
func TestMarshalRFC8785Numbers(t *testing.T) {
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0", 0x8000000000000000: "0",
		0x0000000000000001: "5e-324", 0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308", 0xffefffffffffffff: "-1.7976931348623157e+308",
		0x44b52d02c7e14af5: "9.999999999999997e+22", 0x44b52d02c7e14af6: "1e+23", 0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000", 0x444b1ae4d6e2ef4f: "999999999999999900000", 0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7", 0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332", 0x41b3de4355555557: "333333333.33333343",
		0xbecbf647612f3696: "-0.0000033333333333333333", 0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		got, err := canonical.Marshal(math.Float64frombits(bits))
		if err != nil || string(got) != want {
			t.Errorf("%016x = %s, want %s (%v)", bits, got, want, err)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	for name, v := range map[string]any{
		"NaN": math.NaN(), "infinity": math.Inf(1), "not UTF-8": "\xff", "channel": make(chan int),
		"beyond": int64(1<<53 + 1), "below": []int64{0, -1<<53 - 1}, "unsigned": map[string]uint64{"\"9": math.MaxUint64},
	} {
		if got, err := canonical.Marshal(v); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s: got %s, %v; want Invalid", name, got, err)
		}
	}
	for _, v := range []any{int64(1<<53 - 1), int64(-1<<53 + 1), "9007199254740993", `"9007199254740993`, 1e300} {
		if _, err := canonical.Marshal(v); err != nil {
			t.Errorf("%v: %v", v, err)
		}
	}
}

func TestAppendAgreesWithMarshal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		n := rapid.Int64Range(-1<<53+1, 1<<53-1).Draw(t, "n")
		want, err := canonical.Marshal([]any{s, n})
		if err != nil {
			t.Fatal(err)
		}
		got := canonical.AppendInt(append(canonical.AppendString([]byte("["), s), ','), n)
		if got = append(got, ']'); !bytes.Equal(got, want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	text := []byte(`{"iss":"https://rxw.example","count":3,"classes":["human","agent"],"inner":{"name":"x"}}`)
	b.ReportAllocs()
	for b.Loop() {
		var d document
		if err := canonical.Decode(text, &d); err != nil {
			b.Fatal(err)
		}
	}
}
