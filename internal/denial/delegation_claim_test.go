package denial_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"strings"

	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// layerCases: what holds of every signed token holds of a link, and of the proof
// of whoever calls.
func (w *world) layerCases() (all []crooked) {
	first := form{types: []string{delegation.Type, "application/" + delegation.Type}, signers: w.idp.signers, maxBytes: delegation.MaxBytes}
	second := form{types: first.types, signers: w.agents.signers, maxBytes: first.maxBytes}
	own := form{types: []string{"at+jwt", "application/at+jwt"}, signers: w.agents.signers, maxBytes: jose.MaxToken, thumbprints: profiles(w)[evidence.AccessToken].form.thumbprints}
	for where, f := range map[int]form{0: first, 1: second, 2: own} {
		for _, s := range joseCases(f) {
			c := crooked{rule: s.rule, name: fmt.Sprintf("piece %d: %s", where+1, s.name)}
			switch {
			case where == 2:
				c.do = func(c *chain) { s.do(c.actor) }
				c.want = []trust.Reason{trust.ActorProof}
			default:
				c.do = onLink(where, s.do)
				c.want = []trust.Reason{trust.LinkMalformed, trust.LinkSignature}
			}
			if s.want == "" {
				c.want = nil
			}
			all = append(all, c)
		}
	}
	return all
}

// claimCases: in a link every claim is required, in its type.
func (w *world) linkClaimCases() (all []crooked) {
	malformed := []trust.Reason{trust.LinkMalformed, trust.LinkSignature, trust.LinkPrincipal, trust.LinkHop}
	add := func(name string, value any) {
		for i := range 2 {
			all = append(all, crooked{"missing claim means unchecked", fmt.Sprintf("link %d: %s", i+1, name), onLink(i, claim(strings.Fields(name)[0], value)), malformed})
		}
	}
	for _, name := range []string{"iss", "sub", "may_act", "parent", "authorization_details", "aud", "depth", "iat", "exp", "jti"} {
		for shape, value := range shapes {
			if name == "parent" {
				value = func(string) any { return shapes[shape] } // or it would be filled in
			}
			add(name+" is "+shape, value)
		}
	}
	for _, name := range []string{"iss", "sub", "may_act", "parent", "authorization_details", "aud", "jti"} {
		for shape, value := range textShapes {
			add(name+" is "+shape, value)
		}
	}
	for _, name := range []string{"iat", "exp"} {
		for shape, value := range dates {
			add(name+" is "+shape, value)
		}
	}
	for shape, value := range map[string]any{"a text": "1", "a fraction": 0.5, "negative": -1, "eight": 8, "large": int64(1) << 40} {
		add("depth is "+shape, value)
	}
	for _, name := range []string{"act", "cnf", "nbf"} {
		for shape, value := range map[string]any{"there": object{"sub": "x"}, "null": nil, "a date": int64(1790000000)} {
			add(name+" is "+shape, value)
		}
	}
	agent := object{"iss": w.agents.URL, "sub": "agent-1"}
	for name, value := range map[string]object{
		"without iss": {"iss": absent}, "without sub": {"sub": absent}, "of no issuer": {"iss": "agents"}, "of an empty subject": {"sub": ""}, "of a number": {"sub": 1},
		"with another member": {"aud": "x"}, "held to nothing": {"cnf": object{}}, "held to no thumbprint": {"cnf": object{"jkt": "x"}}, "held to a thumbprint with a line feed": {"cnf": object{"jkt": w.agents.signers[0].key.Thumbprint() + "\n"}}, "held to null": {"cnf": nil},
		"held to more": {"cnf": object{"jkt": w.idp.signers[0].key.Thumbprint(), "x": 1}}, "held to a certificate": {"cnf": object{"x5t#S256": commit("x")}},
		"held to its key and more": {"cnf": object{"jkt": w.agents.signers[0].key.Thumbprint()}, "aud": "x"},
	} {
		o := maps.Clone(agent)
		for member, v := range value {
			put(o, member, v)
		}
		add("may_act "+name, o)
	}
	for name, change := range map[string]func(right string) any{
		"in hexadecimal":      func(r string) any { return fmt.Sprintf("%x", must(base64.RawURLEncoding.DecodeString(r))) },
		"in standard base64":  func(r string) any { return strings.NewReplacer("-", "+", "_", "/").Replace("_" + r[1:]) },
		"padded":              func(r string) any { return r + "=" },
		"cut short":           func(r string) any { return r[:42] },
		"too long":            func(r string) any { return r + "A" },
		"with a line feed":    func(r string) any { return r + "\n" },
		"with one inside":     func(r string) any { return r[:7] + "\n" + r[7:] },
		"with a line end":     func(r string) any { return r + "\r\n" },
		"with stray bits":     func(r string) any { return r[:42] + nextLetter(r[42:]) },
		"with a space before": func(r string) any { return " " + r },
	} {
		add("parent "+name, change)
	}
	for name, value := range map[string]any{
		"without a type": object{"actions": []any{"read"}}, "of an empty type": object{"type": "", "actions": []any{"read"}}, "without actions": object{"type": "WardRecord"},
		"of no action": object{"type": "WardRecord", "actions": []any{}}, "of an empty action": object{"type": "WardRecord", "actions": []any{""}}, "of an action that is no text": object{"type": "WardRecord", "actions": []any{1}},
		"of one action as text": object{"type": "WardRecord", "actions": "read"}, "of an empty identifier": object{"type": "WardRecord", "actions": []any{"read"}, "identifier": ""},
		"of an identifier that is null": object{"type": "WardRecord", "actions": []any{"read"}, "identifier": nil}, "with another member": object{"type": "WardRecord", "actions": []any{"read"}, "locations": []any{w.ward.Audience}},
		"that is a text": "read",
	} {
		add("authorization_details "+name, []any{value})
	}
	return all
}

// nextLetter gives base64url's letter behind one that ends 32 bytes, whose last
// two bits are nothing.
func nextLetter(s string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(letters[strings.Index(letters, s)|1])
}
