package evidence_test

import (
	"crypto/sha256"
	"testing"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// hash is a SHA-256 as cnf has it.
func hash(data string) string {
	sum := sha256.Sum256([]byte(data))
	return b64(sum[:])
}

func TestBinding(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	r := registry{rxwIDP: own(rxwIDP, "rxw", s.key)}
	other := evidence.Binding{Other: true}
	for name, c := range map[string]struct {
		cnf  any
		want evidence.Binding
	}{
		"absent":             {absent, evidence.Binding{}},
		"key":                {object{"jkt": hash("k")}, evidence.Binding{Key: hash("k")}},
		"certificate":        {object{"x5t#S256": hash("c")}, evidence.Binding{Certificate: hash("c")}},
		"both":               {object{"jkt": hash("k"), "x5t#S256": hash("c")}, evidence.Binding{Key: hash("k"), Certificate: hash("c")}},
		"null":               {nil, other},
		"text":               {"x", other},
		"list":               {[]any{hash("k")}, other},
		"empty":              {object{}, other},
		"empty key":          {object{"jkt": ""}, other},
		"short key":          {object{"jkt": hash("k")[1:]}, other},
		"long key":           {object{"jkt": hash("k") + "A"}, other},
		"padded key":         {object{"jkt": hash("k")[:42] + "="}, other},
		"stray bits":         {object{"jkt": hash("k")[:42] + "B"}, other},
		"line end":           {object{"jkt": hash("k")[:42] + "\n"}, other},
		"key a number":       {object{"jkt": 7}, other},
		"key of another":     {object{"jwk": object{"kty": "EC"}}, other},
		"kid":                {object{"kid": "k"}, other},
		"SHA-1 certificate":  {object{"x5t": hash("c")}, other},
		"case of the member": {object{"X5T#S256": hash("c")}, other},
		"one more":           {object{"jkt": hash("k"), "kid": "k"}, other},
	} {
		token := mint(s, headerOf(evidence.AccessToken, s), with(claims(rxwIDP), object{"cnf": c.cnf}))
		ev, _, f := evidence.Verify(proof(evidence.AccessToken, token), r, now, nil)
		if f != nil || ev.Binding != c.want || ev.Binding.Bound() != (c.cnf != absent) {
			t.Errorf("%s: %+v, want %+v (%v)", name, ev.Binding, c.want, f)
		}
	}
}

// RFC 8705, section 3: the client's certificate is the one of the token.
func TestCertificate(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	r := registry{rxwIDP: own(rxwIDP, "rxw", s.key)}
	shown := func(der string) *evidence.Shown { return &evidence.Shown{Certificate: []byte(der)} }
	bound, twice := object{"x5t#S256": hash("cert")}, object{"x5t#S256": hash("cert"), "jkt": hash("k")}
	for name, c := range map[string]struct {
		cnf   any
		shown *evidence.Shown
		is    bool
		want  trust.Reason
	}{
		"the token's":                 {bound, shown("cert"), true, ""},
		"another":                     {bound, shown("other"), false, trust.ProofKey},
		"the token's and one byte":    {bound, shown("cert\x00"), false, trust.ProofKey},
		"none":                        {bound, nil, false, ""},
		"empty":                       {bound, shown(""), false, ""},
		"beside a bearer token":       {absent, shown("cert"), false, ""}, // TLS has more uses than this
		"beside what nobody can":      {object{"kid": "x"}, shown("cert"), false, ""},
		"half of what it is bound to": {twice, shown("cert"), false, ""},
	} {
		token := mint(s, headerOf(evidence.AccessToken, s), with(claims(rxwIDP), object{"cnf": c.cnf}))
		p := proof(evidence.AccessToken, token)
		p.Shown = c.shown
		ev, _, f := evidence.Verify(p, r, now, nil)
		var reason trust.Reason
		if f != nil {
			reason = f.Reason
		}
		if reason != c.want || ev.Binding.Shown != c.is {
			t.Errorf("%s: %q, shown %t; want %q, %t", name, reason, ev.Binding.Shown, c.want, c.is)
		}
	}
}
