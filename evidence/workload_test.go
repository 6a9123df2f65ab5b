package evidence_test

import (
	"testing"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// A CI or cloud token counts by the conditions that its participant registered,
// all of them, each exactly (R24, R50).
func TestConditionsOfWorkloads(t *testing.T) {
	s := newSigner(jose.RS256, "k")
	speaker := own(rxwIDP, "rxw", s.key)
	line := &speaker.Candidates[0].Issuer
	line.Namespaces = map[string][]participant.Namespace{"repository_owner_id": participant.Exactly("65")}
	line.Classes = []participant.ClassRule{
		{Class: trust.Workload, When: map[string]string{"repository": "rxw/deploy", "environment": "production", "repository_owner_id": "65"}},
		{Class: trust.Agent, When: map[string]string{"azp": "113774264463038321964"}},
	}
	base := object{"repository": "rxw/deploy", "repository_owner_id": "65", "environment": "production", "ref": "refs/heads/main"}
	for name, c := range map[string]struct {
		claims object
		class  trust.Class
		want   trust.Reason
	}{
		"all hold":                  {nil, trust.Workload, ""},
		"number where text is":      {object{"repository_owner_id": 65}, "", trust.ForeignNamespace},
		"another owner":             {object{"repository_owner_id": "66"}, "", trust.ForeignNamespace},
		"owner absent":              {object{"repository_owner_id": absent}, "", trust.ForeignNamespace},
		"another environment":       {object{"environment": "production2"}, "", ""},
		"environment absent":        {object{"environment": absent}, "", ""},
		"environment in a list":     {object{"environment": []any{"production"}}, "", ""},
		"environment of other case": {object{"environment": "Production"}, "", ""},
		"another repository":        {object{"repository": "rxw/deploy-evil"}, "", ""},
		"its own party, registered": {object{"repository": "x", "azp": "113774264463038321964"}, trust.Agent, ""},
		"its own party, another":    {object{"azp": "113774264463038321965"}, "", trust.ClaimMissing},
		"its own party, empty":      {object{"azp": ""}, "", trust.ClaimMissing},
	} {
		token := mint(s, header(evidence.IDToken, s.key), with(with(claims(rxwIDP), base), c.claims))
		ev, _, f := evidence.Verify(proof(evidence.IDToken, token), registry{rxwIDP: speaker}, now, nil)
		if f == nil && (c.want != "" || ev.Class != c.class) || f != nil && f.Reason != c.want {
			t.Errorf("%s: %v, class %q, want %q and %q", name, f, ev.Class, c.want, c.class)
		}
	}
}
