package denial_test

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/trust"
)

func jsonInto(text string, v any) error { return json.Unmarshal([]byte(text), v) }

var partNames = [3]string{"header", "payload", "signature"}

// Base64url has one spelling (RFC 7515, appendix C).
func base64Cases() []spoil {
	c := cases{rule: "lax base64"}
	for i, name := range partNames {
		add := func(what string, change func(string) string) {
			c.add(name+" "+what, trust.EvidenceMalformed, part(i, change))
			if i < 2 { // the issuer itself is lax: what it signed reads so
				c.add(name+" "+what+", and signed so", trust.EvidenceMalformed, func(d *draft) { d.lax[i] = change })
			}
		}
		add("padded", func(s string) string { return s + "=" })
		add("padded twice", func(s string) string { return s + "==" })
		add("padded fully", func(s string) string { return s + strings.Repeat("=", 3-(len(s)+3)%4) + "=" })
		add("with a space behind", func(s string) string { return s + " " })
		add("with a space before", func(s string) string { return " " + s })
		add("with a space inside", func(s string) string { return s[:4] + " " + s[4:] })
		add("with a line feed", func(s string) string { return s[:4] + "\n" + s[4:] })
		add("with a line feed behind", func(s string) string { return s + "\n" })
		add("with a carriage return", func(s string) string { return s[:4] + "\r" + s[4:] })
		add("with a carriage return behind", func(s string) string { return s + "\r" })
		add("with CR LF", func(s string) string { return s[:4] + "\r\n" + s[4:] })
		add("with a tab", func(s string) string { return s[:4] + "\t" + s[4:] })
		add("with NUL behind", func(s string) string { return s + "\x00" })
		add("with a plus", func(s string) string { return "+" + s[1:] })
		add("with a slash", func(s string) string { return "/" + s[1:] })
		add("with a percent", func(s string) string { return fmt.Sprintf("%%%02x", s[0]) + s[1:] })
		add("with a quote", func(s string) string { return `"` + s + `"` })
		add("with a comma", func(s string) string { return s[:4] + "," + s[4:] })
		add("of one character more than whole bytes", func(s string) string { return s[:len(s)/4*4] + "A" })
		add("with stray bits", func(s string) string { return s[:len(s)/4*4] + "AB" })
		add("with stray bits in three", func(s string) string { return s[:len(s)/4*4] + "AAB" })
		add("in full width", func(s string) string { return string(rune(s[0])+0xfee0) + s[1:] })
		add("not UTF-8", func(s string) string { return s[:4] + "\xff" + s[4:] })
		add("in hexadecimal with a prefix", func(s string) string { return "0x:" + s })
		add("with a byte order mark", func(s string) string { return "\ufeff" + s })
		add("with a soft hyphen", func(s string) string { return s[:4] + "\u00ad" + s[4:] })
	}
	standard := base64.StdEncoding
	c.add("payload in standard base64", trust.EvidenceMalformed, part(1, func(s string) string {
		text := must(base64.RawURLEncoding.DecodeString(s))
		return standard.EncodeToString(append(text[:len(text)-1], []byte(`,"x":"ÿÿÿ??>>"}`)...))
	}))
	return c.all
}

// A token is three parts, compact, and no longer than it may be.
func formCases(f form) []spoil {
	c := cases{rule: "other serialisations, encryption, size"}
	parts := func(change func(h, p, s string) string) func(*draft) {
		return text(func(token string) string {
			split := strings.Split(token, ".")
			return change(split[0], split[1], split[2])
		})
	}
	bad := func(name string, change func(h, p, s string) string) {
		c.add(name, trust.EvidenceMalformed, parts(change))
	}
	bad("empty", func(string, string, string) string { return "" })
	bad("a dot", func(string, string, string) string { return "." })
	bad("two dots", func(string, string, string) string { return ".." })
	bad("three dots", func(string, string, string) string { return "..." })
	bad("four dots: an empty JWE", func(string, string, string) string { return "...." })
	bad("header alone", func(h, _, _ string) string { return h })
	bad("header and payload", func(h, p, _ string) string { return h + "." + p })
	bad("payload and signature", func(_, p, s string) string { return p + "." + s })
	bad("four parts", func(h, p, s string) string { return h + "." + p + "." + s + "." })
	bad("four parts, doubled signature", func(h, p, s string) string { return h + "." + p + "." + s + "." + s })
	bad("a JWE", func(h, p, s string) string { return h + "." + p + "." + s + "." + p + "." + s })
	bad("six parts", func(h, p, s string) string { return h + "." + p + "." + s + "." + h + "." + p + "." + s })
	bad("no header", func(_, p, s string) string { return "." + p + "." + s })
	bad("no payload", func(h, _, s string) string { return h + ".." + s })
	bad("flattened JSON", func(h, p, s string) string {
		return `{"protected":"` + h + `","payload":"` + p + `","signature":"` + s + `"}`
	})
	bad("general JSON", func(h, p, s string) string {
		return `{"payload":"` + p + `","signatures":[{"protected":"` + h + `","signature":"` + s + `"}]}`
	})
	bad("in quotes", func(h, p, s string) string { return `"` + h + "." + p + "." + s + `"` })
	bad("with a scheme", func(h, p, s string) string { return "Bearer " + h + "." + p + "." + s })
	bad("with a space behind", func(h, p, s string) string { return h + "." + p + "." + s + " " })
	bad("with a line feed behind", func(h, p, s string) string { return h + "." + p + "." + s + "\n" })
	bad("two with a comma", func(h, p, s string) string {
		return h + "." + p + "." + s + "," + h + "." + p + "." + s
	})
	bad("an SD-JWT", func(h, p, s string) string { return h + "." + p + "." + s + "~" })
	bad("a full stop of another script", func(h, p, s string) string { return h + "。" + p + "。" + s })
	bad("with a percent for the dot", func(h, p, s string) string { return h + "%2e" + p + "%2e" + s })
	c.add("nested: the payload is a token", trust.EvidenceMalformed, func(d *draft) { d.rawPayload = d.copy().token() })
	c.add("nested and quoted", trust.EvidenceMalformed, func(d *draft) { d.rawPayload = `"` + d.copy().token() + `"` })
	c.add("longer than may be", trust.EvidenceMalformed, func(d *draft) { d.claims["padding"] = strings.Repeat("x", f.maxBytes) })
	c.add("longer by its header", trust.EvidenceMalformed, func(d *draft) { d.header["kid"] = strings.Repeat("k", f.maxBytes) })
	c.add("longer by its signature", trust.EvidenceMalformed, func(d *draft) {
		d.sign = func([]byte) []byte { return make([]byte, f.maxBytes) }
	})
	c.add("many dots", trust.EvidenceMalformed, text(func(string) string { return strings.Repeat(".", f.maxBytes) }))
	c.add("dense with values", trust.EvidenceMalformed, func(d *draft) {
		d.rawPayload = strings.TrimSuffix(render(d.claims), "}") + `,"x":[` + strings.Repeat("[],", 3500) + "0]}"
	})
	return c.all
}

// nest gives a text with n containers around a zero.
func nest(open, close string, n int) string {
	return strings.Repeat(open, n) + "0" + strings.Repeat(close, n)
}

// JSON is strict, in the header as in the payload (RFC 8259, RFC 7493).
func jsonCases() []spoil {
	c := cases{rule: "parser differentials"}
	variants := map[string]func(o string) string{
		"empty":                        func(string) string { return " " },
		"null":                         func(string) string { return "null" },
		"a text":                       func(string) string { return `"x"` },
		"a number":                     func(string) string { return "1" },
		"true":                         func(string) string { return "true" },
		"a list of it":                 func(o string) string { return "[" + o + "]" },
		"an empty list":                func(string) string { return "[]" },
		"cut off":                      func(o string) string { return o[:len(o)-1] },
		"twice":                        func(o string) string { return o + o },
		"a brace more":                 func(o string) string { return o + "}" },
		"something behind it":          func(o string) string { return o + " x" },
		"NUL behind it":                func(o string) string { return o + "\x00" },
		"a byte order mark before it":  func(o string) string { return "\ufeff" + o },
		"a comma at the end":           func(o string) string { return o[:len(o)-1] + ",}" },
		"a comma at the beginning":     func(o string) string { return "{," + o[1:] },
		"no comma":                     func(o string) string { return o[:len(o)-1] + ` "x":1}` },
		"no comma in a list":           func(o string) string { return o[:len(o)-1] + `,"x":[1 2]}` },
		"no colon":                     func(o string) string { return o[:len(o)-1] + `,"x" 1}` },
		"a comment":                    func(o string) string { return "{/* */" + o[1:] },
		"a line comment":               func(o string) string { return "//\n" + o },
		"single quotes":                func(o string) string { return o[:len(o)-1] + `,'x':1}` },
		"a name without quotes":        func(o string) string { return o[:len(o)-1] + `,x:1}` },
		"a name that is a number":      func(o string) string { return o[:len(o)-1] + `,1:1}` },
		"NaN":                          func(o string) string { return o[:len(o)-1] + `,"x":NaN}` },
		"Infinity":                     func(o string) string { return o[:len(o)-1] + `,"x":Infinity}` },
		"a plus":                       func(o string) string { return o[:len(o)-1] + `,"x":+1}` },
		"a leading zero":               func(o string) string { return o[:len(o)-1] + `,"x":01}` },
		"hexadecimal":                  func(o string) string { return o[:len(o)-1] + `,"x":0x1}` },
		"a bare point":                 func(o string) string { return o[:len(o)-1] + `,"x":.5}` },
		"a point at the end":           func(o string) string { return o[:len(o)-1] + `,"x":5.}` },
		"an exponent without digits":   func(o string) string { return o[:len(o)-1] + `,"x":1e}` },
		"a number out of range":        func(o string) string { return o[:len(o)-1] + `,"x":1e999}` },
		"True":                         func(o string) string { return o[:len(o)-1] + `,"x":True}` },
		"undefined":                    func(o string) string { return o[:len(o)-1] + `,"x":undefined}` },
		"a control character":          func(o string) string { return o[:len(o)-1] + ",\"x\":\"a\nb\"}" },
		"NUL in a text":                func(o string) string { return o[:len(o)-1] + ",\"x\":\"a\x00b\"}" },
		"a wrong escape":               func(o string) string { return o[:len(o)-1] + `,"x":"\x41"}` },
		"half an escape":               func(o string) string { return o[:len(o)-1] + `,"x":"\u00"}` },
		"half a surrogate pair":        func(o string) string { return o[:len(o)-1] + `,"x":"\ud800"}` },
		"the other half":               func(o string) string { return o[:len(o)-1] + `,"x":"\udc00"}` },
		"halves exchanged":             func(o string) string { return o[:len(o)-1] + `,"x":"\udc00\ud800"}` },
		"half a pair in a name":        func(o string) string { return o[:len(o)-1] + `,"\ud800":1}` },
		"not UTF-8":                    func(o string) string { return o[:len(o)-1] + ",\"x\":\"\xff\"}" },
		"an overlong encoding":         func(o string) string { return o[:len(o)-1] + ",\"x\":\"\xc0\xaf\"}" },
		"a surrogate in UTF-8":         func(o string) string { return o[:len(o)-1] + ",\"x\":\"\xed\xa0\x80\"}" },
		"UTF-16":                       func(o string) string { return "\xff\xfe{\x00}\x00" },
		"a text without an end":        func(o string) string { return o[:len(o)-1] + `,"x":"` },
		"depth 33":                     func(o string) string { return o[:len(o)-1] + `,"x":` + nest("[", "]", 32) + "}" },
		"depth 1,000":                  func(o string) string { return o[:len(o)-1] + `,"x":` + nest("[", "]", 999) + "}" },
		"depth 1,000 in objects":       func(o string) string { return o[:len(o)-1] + `,"x":` + nest(`{"a":`, "}", 999) + "}" },
		"a name twice":                 func(o string) string { return o[:len(o)-1] + `,"x":1,"x":1}` },
		"a name twice, escaped":        func(o string) string { return o[:len(o)-1] + `,"x":1,"\u0078":1}` },
		"a case variant":               func(o string) string { return o[:len(o)-1] + `,"x":1,"X":1}` },
		"a long s":                     func(o string) string { return o[:len(o)-1] + `,"s":1,"ſ":1}` },
		"a Kelvin sign":                func(o string) string { return o[:len(o)-1] + `,"k":1,"K":1}` },
		"twice inside":                 func(o string) string { return o[:len(o)-1] + `,"x":{"a":1,"a":2}}` },
		"a case variant inside":        func(o string) string { return o[:len(o)-1] + `,"x":[{"a":1,"A":2}]}` },
		"twice, other value, at front": func(o string) string { return `{"x":2,` + o[1:len(o)-1] + `,"x":1}` },
	}
	for name, change := range variants {
		c.add("payload: "+name, trust.EvidenceMalformed, func(d *draft) { d.rawPayload = change(render(d.claims)) })
		if strings.HasPrefix(name, "depth") || strings.Contains(name, "inside") {
			continue // a header holds texts alone, and that is said first or last
		}
		c.add("header: "+name, trust.EvidenceMalformed, func(d *draft) { d.rawHeader = change(render(d.header)) })
	}
	for _, name := range []string{"alg", "kid", "typ"} {
		for how, spelled := range spellings(name) {
			c.add("header: "+name+" "+how, trust.EvidenceMalformed, func(d *draft) {
				if d.header[name] == nil {
					d.header[name] = "JWT" // a typ that may be absent
				}
				o := render(d.header)
				d.rawHeader = o[:len(o)-1] + `,"` + spelled + `":"ES256"}`
			})
		}
	}
	for _, name := range []string{"iss", "aud", "iat", "jti"} {
		for how, spelled := range spellings(name) {
			c.add("payload: "+name+" "+how, trust.EvidenceMalformed, func(d *draft) {
				o := render(d.claims)
				if d.claims[name] == nil { // a kind of proof without this claim
					spelled = "iss"
				}
				d.rawPayload = `{"` + spelled + `":"https://evil.example",` + o[1:]
			})
		}
	}
	return c.all
}

// spellings are names that some reader takes for name.
func spellings(name string) map[string]string {
	return map[string]string{
		"twice": name, "in capitals": strings.ToUpper(name), "with one capital": strings.ToUpper(name[:1]) + name[1:],
		"escaped": fmt.Sprintf(`\u%04x`, name[0]) + name[1:],
	}
}
