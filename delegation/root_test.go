package delegation_test

import (
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/trust"
)

// A principal's token says what a first link is held to; what it does not say
// whole is refused.
func TestReadRoot(t *testing.T) {
	good := func() canonical.Object {
		return canonical.Object{"iss": party(0).Issuer.String(), "sub": "s0", "aud": records, "exp": now + 300}
	}
	hash := [32]byte{1}
	root, err := delegation.ReadRoot(good(), hash)
	if want := (delegation.Root{Principal: party(0), Hash: hash, Audience: records, ExpiresAt: now + 300}); err != nil || root != want {
		t.Errorf("root is %+v (%v)", root, err)
	}
	for name, c := range map[string]struct {
		claim string
		value any
		ok    bool
	}{
		"one audience in a list":      {"aud", []any{records}, true},
		"may_act":                     {"may_act", canonical.Object{"iss": party(1).Issuer.String(), "sub": "s1"}, true},
		"may_act at its own issuer":   {"may_act", canonical.Object{"sub": "s1"}, true},
		"no issuer":                   {"iss", nil, false},
		"no subject":                  {"sub", "", false},
		"no audience":                 {"aud", nil, false},
		"two audiences":               {"aud", []any{records, records}, false},
		"no end":                      {"exp", "soon", false},
		"may_act that names nobody":   {"may_act", canonical.Object{}, false},
		"may_act of no issuer":        {"may_act", canonical.Object{"iss": 7, "sub": "s1"}, false},
		"used by another already":     {"act", canonical.Object{"sub": "s1"}, false},
		"may_act that is no object":   {"may_act", "s1", false},
		"may_act of an unfit subject": {"may_act", canonical.Object{"sub": 1}, false},
	} {
		claims := good()
		claims[c.claim] = c.value
		root, err := delegation.ReadRoot(claims, hash)
		if (err == nil) != c.ok || err != nil && trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s: %+v, %v", name, root, err)
		}
		if c.claim == "may_act" && c.ok && root.MayAct.Subject != "s1" {
			t.Errorf("%s: lets %+v act", name, root.MayAct)
		}
	}
}

// Who may act, and that nobody lets themselves act, is seen before a link is
// signed.
func TestAllowsWhomTheTokenNames(t *testing.T) {
	st := newStory(1)
	l := st.links[0]
	l.Parent = st.root.Hash
	for name, c := range map[string]struct {
		change func(*delegation.Root, *delegation.Link)
		want   trust.Reason
	}{
		"as named":      {func(r *delegation.Root, _ *delegation.Link) { r.MayAct = party(1) }, ""},
		"another":       {func(r *delegation.Root, _ *delegation.Link) { r.MayAct = party(2) }, trust.NotTheActor},
		"itself":        {func(_ *delegation.Root, l *delegation.Link) { l.To = l.From }, trust.ChainCycle},
		"of another":    {func(_ *delegation.Root, l *delegation.Link) { l.From = party(2) }, trust.LinkPrincipal},
		"lasts longer":  {func(_ *delegation.Root, l *delegation.Link) { l.ExpiresAt++ }, trust.LinkExpiry},
		"another place": {func(_ *delegation.Root, l *delegation.Link) { l.Audience = "x" }, trust.LinkAudience},
	} {
		root, link := st.root, l
		c.change(&root, &link)
		var got trust.Reason
		if f := root.Allows(link); f != nil {
			got = f.Reason
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestGrantText(t *testing.T) {
	for _, text := range []string{"read WardRecord", "read,write WardRecord/42", "read WardRecord/a/b"} {
		if g, err := delegation.ParseGrant(text); err != nil || g.String() != text {
			t.Errorf("%q is %+v (%v), written %q", text, g, err, g)
		}
	}
	for _, text := range []string{"", "read", "WardRecord/42", "read ", " WardRecord", "read,, WardRecord", "read WardRecord/", "read /42", "read Ward Record"} {
		if g, err := delegation.ParseGrant(text); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%q is %+v (%v)", text, g, err)
		}
	}
}
