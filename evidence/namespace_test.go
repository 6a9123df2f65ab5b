package evidence_test

import (
	"testing"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

func TestNamespaces(t *testing.T) { // an issuer speaks only for its own namespace (R50)
	s := newSigner(jose.ES256, "k")
	speaker := own(rxwIDP, "rxw", s.key)
	speaker.Candidates[0].Issuer.Namespaces = map[string][]participant.Namespace{"org_code": participant.Exactly("RXW", "RXX")}
	speaker.Candidates[0].Issuer.Subjects = "staff"
	for name, c := range map[string]struct {
		code any
		want trust.Reason
	}{
		"own": {"RXW", ""}, "own list": {[]any{"RXX", "RXW"}, ""}, "absent": {absent, trust.ForeignNamespace},
		"foreign": {"RJE", trust.ForeignNamespace}, "one foreign": {[]any{"RXW", "RJE"}, trust.ForeignNamespace},
		"empty list": {[]any{}, trust.ForeignNamespace}, "near": {"RXWX", trust.ForeignNamespace}, "number": {1, trust.ForeignNamespace},
		"null": {nil, trust.ForeignNamespace}, "list of numbers": {[]any{1}, trust.ForeignNamespace},
	} {
		token := mint(s, headerOf(evidence.AccessToken, s), with(claims(rxwIDP), object{"org_code": c.code}))
		ev, _, f := evidence.Verify(proof(evidence.AccessToken, token), registry{rxwIDP: speaker}, now, nil)
		if f == nil && (c.want != "" || ev.Namespace != "staff") || f != nil && f.Reason != c.want {
			t.Errorf("%s: %v in %q, want %q", name, f, ev.Namespace, c.want)
		}
	}
}

// What an issuer asserts lies in its namespaces, of whatever type they are (R50,
// scenario 4).
func TestTypedNamespaces(t *testing.T) {
	s := newSigner(jose.ES256, "k")
	for name, c := range map[string]struct {
		issuer participant.Issuer
		claims object
		want   trust.Reason
	}{
		"scope, each word":         {scoped("scope", "ward.read", "ward.write"), object{"scope": "ward.read ward.write"}, ""},
		"scope, one foreign word":  {scoped("scope", "ward.read"), object{"scope": "ward.read pharmacy.write"}, trust.ForeignNamespace},
		"scope, two spaces":        {scoped("scope", "ward.read"), object{"scope": "ward.read  ward.read"}, trust.ForeignNamespace},
		"scope, empty":             {scoped("scope", "ward.read"), object{"scope": ""}, trust.ForeignNamespace},
		"scope as a list":          {scoped("scp", "ward.read"), object{"scp": []any{"ward.read"}}, ""},
		"scope as a foreign list":  {scoped("scp", "ward.read"), object{"scp": []any{"ward.read", "x"}}, trust.ForeignNamespace},
		"words in another claim":   {scoped("org_code", "RXW"), object{"org_code": "RXW RXW"}, trust.ForeignNamespace},
		"own domain":               {domains("rxw.example"), object{"email": "a@rxw.example"}, ""},
		"no address at all":        {domains("rxw.example"), object{}, ""},
		"another's domain":         {domains("rxw.example"), object{"email": "a@rje.example"}, trust.ForeignNamespace},
		"suffix of a name":         {domains("rxw.example"), object{"email": "a@evilrxw.example"}, trust.ForeignNamespace},
		"own domain as a label":    {domains("rxw.example"), object{"email": "a@rxw.example.evil.example"}, trust.ForeignNamespace},
		"under the domain":         {domains("rxw.example"), object{"email": "a@x.rxw.example"}, trust.ForeignNamespace},
		"under, where registered":  {domains(".rxw.example"), object{"email": "a@x.rxw.example"}, ""},
		"itself under a dot":       {domains(".rxw.example"), object{"email": "a@rxw.example"}, trust.ForeignNamespace},
		"upn of another's":         {domains("rxw.example"), object{"email": "a@rxw.example", "upn": "a@rje.example"}, trust.ForeignNamespace},
		"unique_name of another's": {domains("rxw.example"), object{"unique_name": "a@rje.example"}, trust.ForeignNamespace},
		"user name, no address":    {domains("rxw.example"), object{"preferred_username": "amara"}, ""},
		"user name of another's":   {domains("rxw.example"), object{"preferred_username": "amara@rje.example"}, trust.ForeignNamespace},
		"e-mail that is none":      {domains("rxw.example"), object{"email": "amara"}, trust.ForeignNamespace},
		"empty e-mail":             {domains("rxw.example"), object{"email": ""}, trust.ForeignNamespace},
		"null e-mail":              {domains("rxw.example"), object{"email": nil}, trust.ForeignNamespace},
		"one foreign of two":       {domains("rxw.example"), object{"email": []any{"a@rxw.example", "a@rje.example"}}, trust.ForeignNamespace},
		"one of two domains":       {domains("rxw.example", "rxx.example"), object{"email": "a@rxx.example"}, ""},
		"required domain, absent":  {confined("mail", participant.Namespace{Domain: "rxw.example"}), object{}, trust.ForeignNamespace},
		"required domain, there":   {confined("mail", participant.Namespace{Domain: "rxw.example"}), object{"mail": "a@rxw.example"}, ""},
		"prefix":                   {confined("repository", participant.Namespace{Prefix: "rxw/"}), object{"repository": "rxw/app"}, ""},
		"near prefix":              {confined("repository", participant.Namespace{Prefix: "rxw/"}), object{"repository": "rxw-evil/app"}, trust.ForeignNamespace},
	} {
		speaker := own(rxwIDP, "rxw", s.key)
		line := &speaker.Candidates[0].Issuer
		line.Namespaces, line.Domains = c.issuer.Namespaces, c.issuer.Domains
		token := mint(s, headerOf(evidence.AccessToken, s), with(claims(rxwIDP), c.claims))
		if got := reasonOf(t, proof(evidence.AccessToken, token), registry{rxwIDP: speaker}, now); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func confined(claim string, allowed ...participant.Namespace) participant.Issuer {
	return participant.Issuer{Namespaces: map[string][]participant.Namespace{claim: allowed}}
}

func scoped(claim string, words ...string) participant.Issuer {
	return confined(claim, participant.Exactly(words...)...)
}

func domains(names ...string) participant.Issuer { return participant.Issuer{Domains: names} }
