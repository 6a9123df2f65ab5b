package node_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// order asks the host for a credential to read every ward record.
func order(ward *nodetest.Ward, token []byte) node.Exchange {
	return node.Exchange{
		Client: "pep", Subject: evidence.Proof{Kind: evidence.AccessToken, Token: token}, Target: ward.Audience,
		Access: []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"}},
	}
}

// exchange expects a credential.
func exchange(t *testing.T, ward *nodetest.Ward, r node.Exchange) node.Issued {
	t.Helper()
	issued := ward.Host.Exchange(t.Context(), r)
	if issued.Token == "" || issued.Reason != trust.Permit || issued.Refusal != "" || issued.ID == "" {
		t.Fatalf("no credential: %+v", issued)
	}
	return issued
}

// refusedExchange expects none, for this reason.
func refusedExchange(t *testing.T, ward *nodetest.Ward, r node.Exchange, refusal node.Refusal, reason trust.Reason) {
	t.Helper()
	issued := ward.Host.Exchange(t.Context(), r)
	if issued.Token != "" || issued.Refusal != refusal || issued.Reason != reason || issued.Reference == "" {
		t.Errorf("got %+v, want %s for %s", issued, refusal, reason)
	}
}

func claimsOf(t *testing.T, token string) canonical.Object {
	t.Helper()
	u, err := jose.Parse(token, jose.Form{Types: []string{"at+jwt"}})
	done(t, err)
	return u.UnverifiedClaims()
}

// A credential gives the evidence that it was issued on, narrowed to what was
// granted; deciding on it is deciding on the person (R67, R68).
func TestACredentialIsDecidedOnAgain(t *testing.T) {
	ward := wardOf(t, func(d *agreement.Document) { d.Accepts[0].Actions = []trust.Action{"read", "write"} })
	r := order(ward, nurse(ward, "n-1"))
	r.Access[0].IDs = []string{"42"}
	issued := exchange(t, ward, r)
	if issued.TTL <= 0 || issued.TTL > 600 {
		t.Errorf("lives %d s; the token it was issued on has 600 s", issued.TTL)
	}
	claims := claimsOf(t, issued.Token)
	for name, want := range map[string]any{"iss": ward.Host.ID.String(), "aud": ward.Audience, "client_id": "pep", "jti": issued.ID} {
		if claims[name] != want {
			t.Errorf("claim %s is %v, want %v", name, claims[name], want)
		}
	}
	if sub, _ := claims.Text("sub"); sub == "" || strings.Contains(sub, "n-1") {
		t.Errorf("sub is %q", sub)
	}
	want(t, ward, []byte(issued.Token), trust.Permit)
	ask := ward.Ask([]byte(issued.Token))
	ask.ResourceID = "43"
	if a := answer(t, ward.Host, ask); a.Reason != trust.NotGranted {
		t.Errorf("another record: %s", a.Reason)
	}
	ask = ward.Ask([]byte(issued.Token))
	ask.Action = "write"
	if a := answer(t, ward.Host, ask); a.Reason != trust.NotGranted {
		t.Errorf("another action: %s", a.Reason)
	}
	// The person's own token is good for both; local policy decides those.
	ask = ward.Ask(nurse(ward, "n-1"))
	ask.ResourceID = "43"
	if a := answer(t, ward.Host, ask); !a.Permit {
		t.Errorf("the nurse's own token: %s", a.Reason)
	}
	a := answer(t, ward.Host, ward.Ask([]byte(issued.Token)))
	e, err := ward.Host.Explain(t.Context(), ward.Host.Admin, a.Reference)
	done(t, err)
	if e.Who != ward.Issuer.URL+" n-1" || e.Home != ward.Home.ID.String() || !e.Permit {
		t.Errorf("explained as %+v", e)
	}
}

// What ends the person's own token ends the credential too.
func TestACredentialEndsWithItsGround(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(t *testing.T, ward *nodetest.Ward)
		want trust.Reason
	}{
		{"R34 subject at home", func(t *testing.T, ward *nodetest.Ward) { revoke(t, ward, "n-1") }, trust.SubjectRevoked},
		{"key", func(t *testing.T, ward *nodetest.Ward) {
			revokeAt(t, ward.Host, node.RevokeRequest{Kind: revocation.Key, Issuer: ward.Issuer.URL, KeyID: ward.Issuer.Key.Key().KeyID(), Reason: "leaked"})
		}, trust.KeyRevoked},
		{"issuer", func(t *testing.T, ward *nodetest.Ward) {
			revokeAt(t, ward.Host, node.RevokeRequest{Kind: revocation.Issuer, Issuer: ward.Issuer.URL, Reason: "closed"})
		}, trust.IssuerRevoked},
		{"agreement", func(t *testing.T, ward *nodetest.Ward) {
			done(t, ward.Host.EndAgreement(t.Context(), ward.Host.Admin, ward.Agreement, "over"))
		}, trust.AgreementEnded},
		{"mapping", func(t *testing.T, ward *nodetest.Ward) {
			done(t, ward.Host.CloseMapping(t.Context(), ward.Host.Admin, "nurse"))
		}, trust.NoMapping},
		{"R17 local policy", func(t *testing.T, ward *nodetest.Ward) {
			_, err := ward.Host.ApplyPolicy(t.Context(), ward.Host.Admin, `@id("closed") forbid (principal, action, resource);`)
			done(t, err)
		}, trust.PolicyForbid},
		{"issuer that is stated no longer", func(t *testing.T, ward *nodetest.Ward) {
			done(t, ward.Home.Declare(t.Context(), ward.Home.Admin, participant.Document{Kind: "Participant", ID: ward.Home.ID}))
		}, trust.UnknownIssuer},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ward := wardOf(t, nil)
			token := []byte(exchange(t, ward, order(ward, nurse(ward, "n-1"))).Token)
			other := []byte(exchange(t, ward, order(ward, nurse(ward, "n-2"))).Token)
			want(t, ward, token, trust.Permit)
			want(t, ward, other, trust.Permit)
			c.end(t, ward)
			await(t, ward, token, c.want)
			if c.want == trust.SubjectRevoked {
				want(t, ward, other, trust.Permit)
			}
			refusal := node.BadToken
			if c.want == trust.NoMapping {
				refusal = node.BadAccess
			}
			if c.want != trust.PolicyForbid {
				refusedExchange(t, ward, order(ward, token), refusal, c.want)
			}
		})
	}
}

// Nothing of an exchange goes beyond agreement, request and mapping.
func TestExchangeRefuses(t *testing.T) {
	ward := wardOf(t, func(d *agreement.Document) { d.Accepts[0].Resources[0].IDs = []string{"42"} })
	for _, c := range []struct {
		name    string
		change  func(r *node.Exchange)
		refusal node.Refusal
		reason  trust.Reason
	}{
		{"every record, where one is agreed", func(r *node.Exchange) { r.Access[0].IDs = nil }, node.BadAccess, trust.ResourceNotCovered},
		{"another record", func(r *node.Exchange) { r.Access[0].IDs = []string{"42", "43"} }, node.BadAccess, trust.ResourceNotCovered},
		{"another action", func(r *node.Exchange) { r.Access[0].Actions = []trust.Action{"read", "write"} }, node.BadAccess, trust.ActionNotCovered},
		{"another purpose", func(r *node.Exchange) { r.Access[0].Purpose = "HPAYMT" }, node.BadAccess, trust.PurposeNotCovered},
		{"no role here", func(r *node.Exchange) {
			r.Subject.Token = ward.Home.World.Token(ward.Issuer, "n-1", ward.Audience, map[string]any{"role_code": "cleaner"})
		}, node.BadAccess, trust.NoMapping},
		{"unknown target", func(r *node.Exchange) { r.Target = "https://nobody.example" }, node.BadTarget, trust.UnknownResource},
		{"another's target", func(r *node.Exchange) { r.Client = "other" }, node.BadTarget, trust.AudienceOtherService},
		{"type that is not the target's", func(r *node.Exchange) { r.Access[0].Type = "Letter" }, node.BadTarget, trust.UnknownResource},
		{"forged", func(r *node.Exchange) {
			r.Subject.Token = append(r.Subject.Token[:len(r.Subject.Token)-6:len(r.Subject.Token)-6], "AAAAAA"...)
		}, node.BadToken, trust.BadSignature},
		{"for somebody else", func(r *node.Exchange) {
			r.Subject.Token = ward.Home.World.Token(ward.Issuer, "n-1", "https://x.example", nil)
		}, node.BadToken, trust.AudienceForeign},
		{"expired", func(r *node.Exchange) {
			now := time.Now().Unix()
			r.Subject.Token = ward.Home.World.Token(ward.Issuer, "n-1", ward.Audience, map[string]any{"iat": now - 60, "exp": now - 1})
		}, node.BadToken, trust.TokenExpired},
		{"unknown kind", func(r *node.Exchange) { r.Subject.Kind = "urn:x" }, node.BadToken, trust.EvidenceKind},
		{"too weak", func(r *node.Exchange) {
			r.Subject.Token = ward.Home.World.Token(ward.Issuer, "n-1", ward.Audience, map[string]any{"authentication_assurance_level": nil})
		}, node.BadToken, trust.LowAssurance},
	} {
		r := order(ward, nurse(ward, "n-1"))
		r.Access[0].IDs = []string{"42"}
		c.change(&r)
		t.Run(c.name, func(t *testing.T) { refusedExchange(t, ward, r, c.refusal, c.reason) })
	}
}

// A revoked person's order for too much looks like a forged one's.
func TestARefusalDoesNotTellWhoIsRevoked(t *testing.T) {
	ward := wardOf(t, nil)
	r := order(ward, nurse(ward, "n-1"))
	r.Access[0].Actions = []trust.Action{"write"}
	refusedExchange(t, ward, r, node.BadAccess, trust.ActionNotCovered)
	revokeAt(t, ward.Host, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "n-1", Reason: "left"})
	refusedExchange(t, ward, r, node.BadToken, trust.ActionNotCovered)
}

// A token for this node itself is good for credentials and for nothing else.
func TestATokenForTheNodeIsGoodForCredentials(t *testing.T) {
	ward := wardOf(t, nil)
	token := ward.Home.World.Token(ward.Issuer, "n-1", ward.Host.ID.String(), nil)
	want(t, ward, token, trust.AudienceForeign)
	want(t, ward, []byte(exchange(t, ward, order(ward, token)).Token), trust.Permit)
}

// A credential can be exchanged for less, and never for more or for longer.
func TestACredentialOnlyNarrows(t *testing.T) {
	ward := wardOf(t, func(d *agreement.Document) { d.Accepts[0].Actions = []trust.Action{"read", "write"} })
	first := order(ward, nurse(ward, "n-1"))
	first.Access[0].Actions = []trust.Action{"read", "write"}
	first.Access[0].IDs = []string{"42", "43"}
	parent := exchange(t, ward, first)
	second := order(ward, []byte(parent.Token))
	second.Access[0].IDs = []string{"42"}
	child := exchange(t, ward, second)
	if a, b := claimsOf(t, parent.Token)["exp"].(int64), claimsOf(t, child.Token)["exp"].(int64); b > a {
		t.Errorf("the child ends at %d, its parent at %d", b, a)
	}
	want(t, ward, []byte(child.Token), trust.Permit)
	refusedExchange(t, ward, order(ward, []byte(parent.Token)), node.BadAccess, trust.NotGranted)
	wider := order(ward, []byte(child.Token))
	wider.Access[0].IDs = []string{"43"}
	refusedExchange(t, ward, wider, node.BadAccess, trust.NotGranted)
}

// The life of a credential ends with whatever ends first.
func TestLifeOfACredential(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*agreement.Document)
		most   int64
	}{
		{"the token's", nil, 600},
		{"the line's", func(d *agreement.Document) { d.Accepts[0].MaxTTL = 40 }, 40},
		{"the agreement's", func(d *agreement.Document) { d.Ends = trust.Instant(time.Now().Unix() + 100) }, 100},
	} {
		ward := wardOf(t, c.change)
		issued := exchange(t, ward, order(ward, nurse(ward, "n-1")))
		if issued.TTL > c.most || issued.TTL < c.most-30 {
			t.Errorf("%s: lives %d s, at most %d", c.name, issued.TTL, c.most)
		}
	}
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, func(d *framework.Document) {
		tier := d.Tiers[trust.Standard]
		tier.MaxCredentialTTL, tier.Caps = 30, &framework.Caps{ScopesPerCredential: 1}
		d.Tiers[trust.Standard] = tier
	})
	ward := w.NewWard(home, host, nil)
	r := order(ward, nurse(ward, "n-1"))
	if issued := exchange(t, ward, r); issued.TTL != 30 {
		t.Errorf("the tier's: lives %d s", issued.TTL)
	}
	r = order(ward, r.Subject.Token)
	r.Access[0].IDs = []string{"42", "43"}
	refusedExchange(t, ward, r, node.BadAccess, trust.TooMuchAccess) // R31
}

// Every order is one record, made before the answer; what was issued stands in
// it, and no person does.
func TestEveryExchangeIsRecorded(t *testing.T) {
	ward := wardOf(t, nil)
	r := order(ward, nurse(ward, "amara-n"))
	r.Access[0].IDs = []string{"42", "43"}
	issued := exchange(t, ward, r)
	all := entries(t, ward.Host, "decisions", "")
	if len(all) != 1 || all[0].Kind != "credential.issued/v1" || !all[0].Sealed {
		t.Fatalf("recorded %+v", all)
	}
	leaf, err := decision.ParseCredentialLeaf(all[0].Body)
	done(t, err)
	if leaf.ID != issued.ID || leaf.Client != "pep" || len(leaf.Access) != 1 || len(leaf.Access[0].Resources) != 2 ||
		!leaf.Decision.Permit() || leaf.Decision.Participant != ward.Home.ID || leaf.Decision.TTL != issued.TTL {
		t.Errorf("leaf is %+v", leaf)
	}
	again, err := canonical.Marshal(leaf)
	done(t, err)
	if string(again) != string(all[0].Body) {
		t.Errorf("leaf is not canonical:\n%s\n%s", all[0].Body, again)
	}
	for _, secret := range []string{"amara-n", `"42"`, `"w7"`} {
		if strings.Contains(string(all[0].Body), secret) {
			t.Errorf("leaf holds %s: %s", secret, all[0].Body)
		}
	}
	r = order(ward, r.Subject.Token)
	r.Access[0].IDs, r.Access[0].Purpose = []string{"42", "43"}, "HPAYMT"
	refusedExchange(t, ward, r, node.BadAccess, trust.PurposeNotCovered)
	all = entries(t, ward.Host, "decisions", "")
	if len(all) != 2 || all[1].Kind != "credential.refused/v1" {
		t.Fatalf("recorded %+v", all)
	}
	want(t, ward, []byte(issued.Token), trust.Permit)
	used, err := decision.ParseLeaf(slices.Clone(entries(t, ward.Host, "decisions", "decision.made/v1")[0].Body))
	done(t, err)
	if used.Credential != issued.ID || used.Key != ward.Issuer.Key.Key().Thumbprint() {
		t.Errorf("its use is recorded as %+v", used)
	}
	for _, reference := range []string{issued.Reference} {
		e, err := ward.Host.Explain(t.Context(), ward.Host.Admin, reference)
		done(t, err)
		if !e.Permit || len(e.Checks) != 10 || e.Checks[decision.LocalPolicy].Result != decision.NotNeeded {
			t.Errorf("explained as %+v", e)
		}
	}
}

// An order that was granted before is granted by memory: another credential,
// recorded by what it repeats, and for exactly that order (R69).
func TestAnExchangeIsRepeated(t *testing.T) {
	ward := wardOf(t, nil)
	r := order(ward, nurse(ward, "n-1"))
	r.RequestID = "first"
	one := exchange(t, ward, r)
	r.RequestID = "second"
	two := exchange(t, ward, r)
	if one.ID == two.ID || one.Token == two.Token || one.Reference == two.Reference || two.TTL > one.TTL {
		t.Errorf("the same twice: %+v, %+v", one, two)
	}
	a, b := claimsOf(t, one.Token), claimsOf(t, two.Token)
	for _, name := range []string{"iss", "sub", "aud", "client_id", "scope"} {
		if a[name] != b[name] {
			t.Errorf("claim %s is %v, then %v", name, a[name], b[name])
		}
	}
	all := entries(t, ward.Host, "decisions", "")
	if len(all) != 2 || all[1].Kind != "credential.repeated/v1" {
		t.Fatalf("recorded %+v", all)
	}
	own, err := decision.ParseAgain(decision.ReissuedKind, all[1].Body)
	if done(t, err); own.ID != two.ID || own.Of != all[0].Position || own.Expires == 0 || own.TTL != two.TTL {
		t.Errorf("recorded as %+v", own)
	}
	e, err := ward.Host.Explain(t.Context(), ward.Host.Admin, two.Reference)
	if done(t, err); !e.Permit || e.RequestID != "second" || e.Who != ward.Issuer.URL+" n-1" || e.TTL != two.TTL {
		t.Errorf("explained as %+v", e)
	}
	want(t, ward, []byte(two.Token), trust.Permit)
	known, err := ward.Host.Accepted(t.Context(), ward.Host.Admin, ward.Issuer.URL, ward.Issuer.Key.Key().KeyID(), 0)
	if done(t, err); known.Permits != 3 {
		t.Errorf("the key was accepted for %+v", known)
	}

	others := map[string]func(*node.Exchange){
		"a resource":     func(r *node.Exchange) { r.Access[0].IDs = []string{"42"} },
		"another scope":  func(r *node.Exchange) { r.Scope = "ward" },
		"another caller": func(r *node.Exchange) { r.Subject.Token = nurse(ward, "n-2") },
	}
	for name, change := range others {
		other := order(ward, r.Subject.Token)
		change(&other)
		exchange(t, ward, other)
		if all := entries(t, ward.Host, "decisions", "credential.repeated/v1"); len(all) != 1 {
			t.Errorf("%s was given by memory: %+v", name, all)
		}
	}
	other := order(ward, r.Subject.Token)
	other.Access[0].Actions = []trust.Action{"write"}
	refusedExchange(t, ward, other, node.BadAccess, trust.ActionNotCovered)
	other = order(ward, r.Subject.Token)
	other.Client = "another"
	refusedExchange(t, ward, other, node.BadTarget, trust.AudienceOtherService)

	_, err = ward.Host.Revoke(t.Context(), ward.Host.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "n-1", Reason: "left"})
	done(t, err)
	refusedExchange(t, ward, r, node.BadToken, trust.SubjectRevoked)
}

// A service learns another identifier of the same person than any other, and
// always the same one.
func TestPairwiseSubjects(t *testing.T) {
	ward := wardOf(t, nil)
	sub := func(subject string) string {
		s, _ := claimsOf(t, exchange(t, ward, order(ward, nurse(ward, subject))).Token).Text("sub")
		return s
	}
	if a, b, other := sub("n-1"), sub("n-1"), sub("n-2"); a != b || a == other {
		t.Errorf("n-1 is %s and %s, n-2 is %s", a, b, other)
	}
}

// A credential that was tampered with, that another node made, or whose sealed
// part is another's, is none.
func TestForgedCredentials(t *testing.T) {
	ward := wardOf(t, nil)
	a := exchange(t, ward, order(ward, nurse(ward, "n-1")))
	b := exchange(t, ward, order(ward, nurse(ward, "n-2")))
	own := ward.Host.Config.Keys.Signer(participant.TokenKey)
	foreign := ward.Home.Config.Keys.Signer(participant.TokenKey)
	resign := func(s jose.Signer, typ string, change func(canonical.Object)) []byte {
		claims := claimsOf(t, a.Token)
		change(claims)
		return []byte(nodetest.Must(jose.Sign(s, typ, claims))(t))
	}
	same := func(canonical.Object) {}
	want(t, ward, resign(own, "at+jwt", same), trust.Permit)
	for _, c := range []struct {
		name  string
		token []byte
		want  trust.Reason
	}{
		{"another node's key", resign(foreign, "at+jwt", same), trust.UnknownKey},
		{"the node's other key", resign(ward.Host.Config.Keys.Signer(participant.StreamKey), "at+jwt", same), trust.UnknownKey},
		{"another typ", resign(own, "JWT", same), trust.TokenType},
		{"another's ground", resign(own, "at+jwt", func(o canonical.Object) { o["entente_ground"] = claimsOf(t, b.Token)["entente_ground"] }), trust.ClaimMissing},
		{"no ground", resign(own, "at+jwt", func(o canonical.Object) { delete(o, "entente_ground") }), trust.ClaimMissing},
		{"no access", resign(own, "at+jwt", func(o canonical.Object) { delete(o, "authorization_details") }), trust.ClaimMissing},
		{"empty access", resign(own, "at+jwt", func(o canonical.Object) { o["authorization_details"] = []any{} }), trust.ClaimMissing},
		{"another jti", resign(own, "at+jwt", func(o canonical.Object) { o["jti"] = "x" }), trust.ClaimMissing},
		{"expired", resign(own, "at+jwt", func(o canonical.Object) {
			o["exp"] = o["iat"].(int64) + 1
			o["iat"] = o["iat"].(int64) - 10
			o["exp"] = o["iat"].(int64) + 1
		}), trust.TokenExpired},
		{"another service", resign(own, "at+jwt", func(o canonical.Object) { o["aud"] = "https://letters.example" }), trust.AudienceForeign},
	} {
		if got := read(t, ward, c.token); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if a := answer(t, ward.Home, ward.Ask([]byte(a.Token))); a.Permit {
		t.Error("another node takes it")
	}
}
