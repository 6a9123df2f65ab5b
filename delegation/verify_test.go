package delegation_test

import (
	"crypto/sha256"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// A chain verifies, narrows at each hop and names the principal (R71).
func TestDeviations(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*story)
		want   trust.Reason
	}{
		{"in order", func(*story) {}, ""},
		{"one link", func(st *story) { *st = *newStory(1) }, ""},
		{"as many as there may be", func(st *story) { *st = *newStory(delegation.MaxLinks) }, ""},
		{"narrower in everything", func(st *story) {
			l := &st.links[2]
			l.Scope, l.ExpiresAt, l.IssuedAt = delegation.Scope{{Type: "WardRecord", Actions: []trust.Action{"read"}, ID: "42"}}, now+1, now
		}, ""},
		{"no links", func(st *story) { *st = *newStory(0) }, trust.ChainDepth},
		{"one more than there may be", func(st *story) {
			*st = *newStory(delegation.MaxLinks)
			st.raw = func(b [][]byte) [][]byte { return append(b, b[0]) }
		}, trust.ChainDepth},

		{"swapped principal", func(st *story) { st.root.Principal = party(9) }, trust.LinkPrincipal},
		{"swapped principal of the same issuer", func(st *story) { st.root.Principal.Subject = "s9" }, trust.LinkPrincipal},
		{"another token of the principal", func(st *story) { st.links[0].Parent = sha256.Sum256([]byte("other")) }, trust.LinkParent},
		{"removed middle hop", func(st *story) { st.raw = func(b [][]byte) [][]byte { return slices.Delete(b, 1, 2) } }, trust.LinkHop},
		{"removed first hop", func(st *story) { st.raw = func(b [][]byte) [][]byte { return b[1:] } }, trust.LinkPrincipal},
		{"reordered hops", func(st *story) { st.raw = func(b [][]byte) [][]byte { b[1], b[2] = b[2], b[1]; return b } }, trust.LinkHop},
		{"link twice", func(st *story) { st.raw = func(b [][]byte) [][]byte { return [][]byte{b[0], b[0]} } }, trust.LinkHop},
		{"spliced parent", func(st *story) {
			wide := newStory(1)
			wide.links[0].Scope[0].Actions, wide.links[0].Depth, wide.links[0].ID = []trust.Action{"read", "write", "delete"}, 5, "other"
			st.raw = func(b [][]byte) [][]byte { return slices.Concat(wide.signed(), b[1:]) }
		}, trust.LinkParent},
		{"hop of another subject", func(st *story) { st.links[1].From.Subject = "s9" }, trust.LinkHop},
		{"hop of another issuer", func(st *story) { st.links[1].From.Issuer = party(9).Issuer }, trust.LinkSignature},

		{"signed by the next hop", func(st *story) { st.by[1] = signer(2, false) }, trust.LinkSignature},
		{"signed by the principal's issuer for another", func(st *story) { st.by[1] = signer(0, false) }, trust.LinkSignature},
		{"one bit of the signature", func(st *story) {
			st.raw = func(b [][]byte) [][]byte { b[1] = flip(b[1]); return b }
		}, trust.LinkSignature},
		{"another type of token", func(st *story) {
			st.raw = func(b [][]byte) [][]byte {
				b[0] = []byte(must(jose.Sign(signer(0, false), "at+jwt", map[string]any{"iss": party(0).Issuer})))
				return b
			}
		}, trust.LinkMalformed},
		{"held to a key, and shown", func(st *story) { st.links[0].Key = signer(1, false).Key().Thumbprint() }, ""},
		{"held to a key, another shown", func(st *story) { st.links[0].Key = signer(1, true).Key().Thumbprint() }, trust.LinkKey},
		{"signed with another key of the issuer", func(st *story) {
			st.links[0].Key, st.by[1] = signer(1, false).Key().Thumbprint(), signer(1, true)
		}, trust.LinkKey},

		{"another audience", func(st *story) { st.links[0].Audience = "https://letters.rje.example" }, trust.LinkAudience},
		{"another audience later", func(st *story) { st.links[2].Audience += "/" }, trust.LinkAudience},
		{"later than the token", func(st *story) { st.links[0].ExpiresAt = now + 301 }, trust.LinkExpiry},
		{"later than its parent", func(st *story) { st.links[1].ExpiresAt = now + 200; st.links[2].ExpiresAt = now + 201 }, trust.LinkExpiry},
		{"expired now", func(st *story) { st.now = now + 300 }, trust.LinkExpired},
		{"the last one expired", func(st *story) { st.links[2].ExpiresAt = now }, trust.LinkExpired},
		{"from the future", func(st *story) { st.links[1].IssuedAt = now + 31 }, trust.LinkNotYetValid},
		{"at the leeway", func(st *story) { st.links[1].IssuedAt = now + 30 }, ""},
		{"depth that does not fall", func(st *story) { st.links[1].Depth = 2 }, trust.ChainDepth},
		{"depth that rises", func(st *story) { st.links[2].Depth = 2 }, trust.ChainDepth},
		{"link behind the last", func(st *story) { st.links[0].Depth, st.links[1].Depth = 1, 0 }, trust.ChainDepth},

		{"wider by an action", func(st *story) { st.links[1].Scope[1].Actions = []trust.Action{"read", "write"} }, trust.LinkScope},
		{"wider by a type", func(st *story) { st.links[1].Scope[1].Type = "Order" }, trust.LinkScope},
		{"wider by an identifier", func(st *story) { st.links[1].Scope[1].ID = "8" }, trust.LinkScope},
		{"wider by no identifier", func(st *story) { st.links[1].Scope[1].ID = "" }, trust.LinkScope},
		{"wider than a link before the last", func(st *story) {
			st.links[1].Scope = st.links[1].Scope[:1]
		}, trust.LinkScope},

		{"back to the principal", func(st *story) { st.links[2].To = party(0) }, trust.ChainCycle},
		{"back to a hop", func(st *story) { st.links[2].To = party(1) }, trust.ChainCycle},
		{"to oneself", func(st *story) { st.links[2].To = party(2) }, trust.ChainCycle},

		{"whom the token lets act", func(st *story) { st.root.MayAct = party(1) }, ""},
		{"another than the token lets act", func(st *story) { st.root.MayAct = party(2) }, trust.NotTheActor},
		{"longer than a link may be", func(st *story) { st.more[1] = map[string]any{"x": strings.Repeat("x", delegation.MaxBytes)} }, trust.LinkMalformed},
		{"claims of its own", func(st *story) { st.more[1] = map[string]any{"org_code": "RXW"} }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := newStory(3)
			c.change(st)
			links, f := st.verify()
			switch {
			case f != nil && f.Reason != c.want, f == nil && c.want != "":
				t.Fatalf("chain of %d: %v, want %q", len(links), f, c.want)
			case f == nil && (len(links) != len(st.links) || links[0].From != st.root.Principal):
				t.Errorf("verified links are %+v", links)
			case f != nil && (f.Error() == "" || strings.Contains(f.Text, "s9")):
				t.Errorf("text is %q", f.Text)
			}
		})
	}
}

// flip changes the last character of a signature that counts.
func flip(token []byte) []byte {
	b := slices.Clone(token)
	i := len(b) - 10
	if b[i]++; b[i] > 'z' || b[i] == '_'+1 || b[i] == '9'+1 || b[i] == 'Z'+1 || b[i] == '-'+1 {
		b[i] = 'A'
	}
	return b
}

// What is signed reads back, and what cannot be read is not signed.
func TestSignAndRead(t *testing.T) {
	l := newStory(1).links[0]
	l.Parent, l.Key = [32]byte{1}, signer(1, false).Key().Thumbprint()
	token := must(delegation.Sign(signer(0, false), l, map[string]any{"org_code": "RXW"}))
	v, f := vouch([]byte(token))
	if f != nil {
		t.Fatal(f)
	}
	if back, err := delegation.Read(v.Claims()); err != nil || !reflect.DeepEqual(back, l) {
		t.Errorf("read back is %+v (%v)", back, err)
	}
	if code, _ := v.Claims().Text("org_code"); code != "RXW" {
		t.Error("the issuer's own claim is lost")
	}
	for name, change := range map[string]func(*delegation.Link){
		"no subject": func(l *delegation.Link) { l.From.Subject = "" }, "no delegate": func(l *delegation.Link) { l.To = delegation.Party{} },
		"no scope": func(l *delegation.Link) { l.Scope = nil }, "no action": func(l *delegation.Link) { l.Scope = delegation.Scope{{Type: "X"}} },
		"no audience": func(l *delegation.Link) { l.Audience = "" }, "no id": func(l *delegation.Link) { l.ID = "" },
		"negative depth": func(l *delegation.Link) { l.Depth = -1 }, "ends before it begins": func(l *delegation.Link) { l.ExpiresAt = l.IssuedAt },
		"key that is none": func(l *delegation.Link) { l.Key = "x" }, "too deep": func(l *delegation.Link) { l.Depth = delegation.MaxLinks },
	} {
		bad := l
		change(&bad)
		if token, err := delegation.Sign(signer(0, false), bad, nil); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s is signed: %s", name, token)
		}
	}
	for _, name := range []string{"iss", "may_act", "parent", "depth", "aud", "authorization_details", "act", "cnf", "nbf"} {
		if _, err := delegation.Sign(signer(0, false), l, map[string]any{name: "x"}); trust.KindOf(err) != trust.Invalid {
			t.Errorf("claim %s is stated beside the link's own", name)
		}
	}
}

// Every claim of a link is required, in its type.
func TestReadRefuses(t *testing.T) {
	token := must(delegation.Sign(signer(0, false), newStory(1).links[0], nil))
	u := must(jose.ParseBytes([]byte(token), delegation.Form))
	whole := must(canonical.Marshal(u.UnverifiedClaims()))
	values := []any{nil, "", "x", 1.5, int64(-1), true, []any{}, []any{"a", "b"}, canonical.Object{}, canonical.Object{"iss": "x"}}
	for name := range u.UnverifiedClaims() {
		for _, value := range append(values, absent{}) {
			o := must(canonical.ParseObject(whole))
			if _, gone := value.(absent); gone {
				delete(o, name)
			} else {
				o[name] = value
			}
			text, isText := value.(string)
			if fits := isText && text == "x" && (name == "sub" || name == "aud" || name == "jti"); fits {
				continue
			}
			if l, err := delegation.Read(o); trust.KindOf(err) != trust.Invalid {
				t.Errorf("%s as %v reads as %+v", name, value, l)
			}
		}
	}
	for name, value := range map[string]canonical.Object{
		"may_act with more":       {"may_act": canonical.Object{"iss": "https://a.example", "sub": "x", "email": "y"}},
		"key with more":           {"may_act": canonical.Object{"iss": "https://a.example", "sub": "x", "cnf": canonical.Object{"jkt": signer(1, false).Key().Thumbprint(), "jku": "y"}}},
		"key of another kind":     {"may_act": canonical.Object{"iss": "https://a.example", "sub": "x", "cnf": canonical.Object{"x5t#S256": "y"}}},
		"grant with more":         {"authorization_details": []any{canonical.Object{"type": "X", "actions": []any{"read"}, "locations": []any{"y"}}}},
		"grant with no actions":   {"authorization_details": []any{canonical.Object{"type": "X", "actions": []any{}}}},
		"grant with empty action": {"authorization_details": []any{canonical.Object{"type": "X", "actions": []any{""}}}},
		"grant with empty id":     {"authorization_details": []any{canonical.Object{"type": "X", "actions": []any{"read"}, "identifier": ""}}},
		"too many grants":         {"authorization_details": slices.Repeat([]any{canonical.Object{"type": "X", "actions": []any{"read"}}}, 33)},
	} {
		o := must(canonical.ParseObject(whole))
		for k, v := range value {
			o[k] = v
		}
		if l, err := delegation.Read(o); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s reads as %+v", name, l)
		}
	}
}

type absent struct{}

func TestScopeCovers(t *testing.T) {
	s := delegation.Scope{{Type: "WardRecord", Actions: []trust.Action{"read"}}, {Type: "Letter", Actions: []trust.Action{"read", "write"}, ID: "7"}}
	for _, c := range []struct {
		t      trust.ResourceType
		id     string
		action trust.Action
		want   bool
	}{
		{"WardRecord", "42", "read", true}, {"WardRecord", "42", "write", false}, {"Letter", "7", "write", true}, {"Letter", "8", "write", false},
		{"WardRecord", "", "read", false}, {"", "42", "read", false}, {"WardRecord", "42", "", false}, {"wardrecord", "42", "read", false}, {"Letter", "70", "read", false},
	} {
		if got := s.Covers(c.t, c.id, c.action); got != c.want {
			t.Errorf("%s %s/%s: %t", c.action, c.t, c.id, got)
		}
	}
	if (delegation.Scope)(nil).Covers("WardRecord", "42", "read") {
		t.Error("an empty scope covers something")
	}
}

// What may be signed under a parent is what verifies behind it.
func TestAllows(t *testing.T) {
	st := newStory(2)
	links, f := st.verify()
	if f != nil {
		t.Fatal(f)
	}
	tokens := st.signed()
	if f := st.root.Allows(links[0]); f != nil {
		t.Error(f)
	}
	if f := links[0].Allows(sha256.Sum256(tokens[0]), links[1]); f != nil {
		t.Error(f)
	}
	if f := links[0].Allows([32]byte{}, links[1]); f == nil || f.Reason != trust.LinkParent {
		t.Error(f)
	}
	links[1].ExpiresAt++
	if f := links[0].Allows(sha256.Sum256(tokens[0]), links[1]); f == nil || f.Reason != trust.LinkExpiry {
		t.Error(f)
	}
}
