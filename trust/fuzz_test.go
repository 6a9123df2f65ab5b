package trust_test

import (
	"strings"
	"testing"

	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/entente-id/entente/trust"
)

// Whatever is taken is written back as it was, or in the one shortest form, and
// a trust domain is one for go-spiffe too, and the other way round.
func FuzzIdentifiers(f *testing.F) {
	for _, seed := range []string{
		"https://trust.rxw.example", "https://idp.rxw.example/realms/x/", "spiffe://prod.rxw.example", "https://trust.rxw.example#iam-lead", "2026-11-22T12:00:00+01:00", "90m", "https://A.example", "spiffe://a/b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := trust.ParseParticipantID(text); err == nil {
			issuer, bad := trust.ParseIssuerID(text)
			if id.String() != text || bad != nil || issuer.String() != text || issuer.TrustDomain() {
				t.Errorf("participant %q reads back as %q, as an issuer as %q (%v)", text, id, issuer, bad)
			}
			ref, bad := trust.ParseRoleRef(text + "#lead")
			if bad != nil || ref.Participant != id || ref.String() != text+"#lead" {
				t.Errorf("a role of %q is %q (%v)", text, ref, bad)
			}
		}
		if id, err := trust.ParseIssuerID(text); err == nil && id.String() != text {
			t.Errorf("issuer %q reads back as %q", text, id)
		} else if name, ok := strings.CutPrefix(text, "spiffe://"); ok && len(name) <= 255 {
			theirs, bad := spiffeid.FromString(text)
			if takes := bad == nil && theirs.Path() == ""; takes != (err == nil) {
				t.Errorf("trust domain %q: %v, go-spiffe says %v", text, err, bad)
			}
		}
		if ref, err := trust.ParseRoleRef(text); err == nil && ref.String() != text {
			t.Errorf("role %q reads back as %q", text, ref)
		}
		if i, err := trust.ParseInstant(text); err == nil {
			if again, bad := trust.ParseInstant(i.String()); bad != nil || again != i {
				t.Errorf("instant %q is %s and then %s (%v)", text, i, again, bad)
			}
		}
		if s, err := trust.ParseSpan(text); err == nil {
			if again, bad := trust.ParseSpan(s.String()); bad != nil || again != s || s <= 0 || len(s.String()) > len(text) {
				t.Errorf("duration %q is %s and then %s (%v)", text, s, again, bad)
			}
		}
	})
}
