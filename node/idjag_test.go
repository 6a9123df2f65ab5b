package node_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// abroad asks the home for a grant by which one of its nurses reads records at
// the host.
func abroad(ward *nodetest.Ward, subject string) node.Exchange {
	r := order(ward, ward.Home.World.Token(ward.Issuer, subject, ward.Home.ID.String(), nil))
	r.Partner = ward.Host.ID
	return r
}

// granted expects a grant of the home.
func granted(t *testing.T, ward *nodetest.Ward, subject string) []byte {
	t.Helper()
	issued := ward.Home.Exchange(t.Context(), abroad(ward, subject))
	if issued.Token == "" || issued.Reason != trust.Permit || issued.TTL <= 0 || issued.TTL > 300 {
		t.Fatalf("no grant: %+v", issued)
	}
	return []byte(issued.Token)
}

// redemption brings a grant to the host.
func redemption(grant []byte) node.Exchange {
	return node.Exchange{Client: "pep", Subject: evidence.Proof{Kind: evidence.IDJAG, Token: grant}, Redeems: true}
}

// vouching is a ward whose home knows its own issuer's keys.
func vouching(t *testing.T) *nodetest.Ward {
	t.Helper()
	ward := wardOf(t, nil)
	nodetest.Eventually(t, "the home to know its own issuer's keys", func() bool {
		speaker, ok := ward.Home.State().Speaker(ward.Issuer.URL)
		return ok && len(speaker.Keys.Keys()) > 0
	})
	return ward
}

func grantClaims(t *testing.T, grant []byte) canonical.Object {
	t.Helper()
	u, err := jose.Parse(string(grant), jose.Form{Types: []string{evidence.IDJAGType}})
	done(t, err)
	return u.UnverifiedClaims()
}

// draft-ietf-oauth-identity-assertion-authz-grant: the home vouches for its
// nurse, the host issues by its own rules, and what it issues is decided on again.
func TestIdentityChaining(t *testing.T) {
	ward := vouching(t)
	made := ward.Home.Exchange(t.Context(), abroad(ward, "amara-n"))
	grant := []byte(made.Token)
	claims := grantClaims(t, grant)
	for name, want := range map[string]any{"iss": ward.Home.ID.String(), "aud": ward.Host.ID.String(), "client_id": "pep", "resource": ward.Audience} {
		if claims[name] != want {
			t.Errorf("claim %s is %v, want %v", name, claims[name], want)
		}
	}
	if text := string(nodetest.Must(canonical.Marshal(claims))(t)); strings.Contains(text, "amara-n") {
		t.Errorf("the grant names the nurse: %s", text)
	}
	e, err := ward.Home.Explain(t.Context(), ward.Home.Admin, made.Reference)
	if err != nil || !e.Permit || e.Agreement != ward.Agreement || e.Checks[decision.Entitle].Result != decision.NotNeeded ||
		e.Checks[decision.LocalPolicy].Text == "" {
		t.Errorf("explained at home as %+v, %v", e, err)
	}
	issued := exchange(t, ward, redemption(grant))
	if issued.TTL > 300 || len(issued.Access) != 1 || issued.Bound {
		t.Errorf("issued %+v", issued)
	}
	want(t, ward, []byte(issued.Token), trust.Permit)
	ask := ward.Ask([]byte(issued.Token))
	ask.Action = "write"
	if a := answer(t, ward.Host, ask); a.Reason != trust.NotGranted {
		t.Errorf("another action: %s", a.Reason)
	}
	own := entries(t, ward.Home, "decisions", "credential.issued/v1")
	if len(own) != 1 {
		t.Fatalf("the home recorded %d grants", len(own))
	}
	leaf := nodetest.Must(decision.ParseCredentialLeaf(own[0].Body))(t)
	if leaf.Partner != ward.Host.ID || leaf.Target != ward.Audience || leaf.ID != claims["jti"] || !leaf.Decision.Permit() {
		t.Errorf("the home recorded %+v", leaf)
	}
	there := nodetest.Must(decision.ParseCredentialLeaf(entries(t, ward.Host, "decisions", "credential.issued/v1")[0].Body))(t)
	if there.Decision.Evidence != evidence.IDJAG || there.Decision.Participant != ward.Home.ID || there.Decision.Issuer.String() != ward.Issuer.URL {
		t.Errorf("the host recorded %+v", there.Decision)
	}
	e, err = ward.Host.Explain(t.Context(), ward.Host.Admin, issued.Reference)
	done(t, err)
	if !e.Permit || strings.Contains(e.Who, "amara-n") {
		t.Errorf("explained as %+v", e)
	}
	// The same person is the same to the host, and another to any other partner.
	if again := grantClaims(t, granted(t, ward, "amara-n")); again["sub"] != claims["sub"] || again["jti"] == claims["jti"] {
		t.Errorf("a second grant says %v", again)
	}
}

// A grant counts once, for the client and the service it was issued for, and
// for nothing but a credential of the host's.
func TestGrantsThatAreRefused(t *testing.T) {
	ward := vouching(t)
	used := granted(t, ward, "n-1")
	exchange(t, ward, redemption(used))
	refusedExchange(t, ward, redemption(used), node.BadToken, trust.Replayed)
	tampered := granted(t, ward, "n-1")
	if at := &tampered[len(tampered)-10]; *at == 'A' {
		*at = 'B'
	} else {
		*at = 'A'
	}
	refusedExchange(t, ward, redemption(tampered), node.BadToken, trust.BadSignature)

	other := redemption(granted(t, ward, "n-1"))
	other.Client = "another"
	refusedExchange(t, ward, other, node.BadTarget, trust.GrantClient)
	more := redemption(granted(t, ward, "n-1"))
	more.Access = []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"write"}, Purpose: "TREAT"}}
	refusedExchange(t, ward, more, node.BadAccess, trust.NotGranted)
	as := redemption(granted(t, ward, "n-1"))
	as.Redeems, as.Target, as.Access = false, ward.Audience, order(ward, nil).Access
	refusedExchange(t, ward, as, node.BadToken, trust.EvidenceKind)
	ask := ward.Ask(granted(t, ward, "n-1"))
	ask.Evidence[0].Kind = evidence.IDJAG
	if a := answer(t, ward.Host, ask); a.Permit {
		t.Error("a grant lets its bearer read")
	}
	plain := redemption(nurse(ward, "n-1"))
	refusedExchange(t, ward, plain, node.BadToken, trust.UnknownIssuer)
	// Nobody brings the home its own word.
	back := ward.Home.Exchange(t.Context(), redemption(granted(t, ward, "n-1")))
	if back.Token != "" || back.Reason != trust.UnknownIssuer || back.Refusal != node.BadToken {
		t.Errorf("its own grant at the home: %+v", back)
	}
}

// forgeGrant signs a grant of the home's with changed claims.
func forgeGrant(t *testing.T, ward *nodetest.Ward, use participant.KeyUse, typ string, change func(canonical.Object)) []byte {
	t.Helper()
	claims := grantClaims(t, granted(t, ward, "n-1"))
	claims["jti"] = claims["jti"].(string) + "x"
	change(claims)
	return []byte(nodetest.Must(jose.Sign(ward.Home.Config.Keys.Signer(use), typ, claims))(t))
}

func TestForgedGrants(t *testing.T) {
	ward := vouching(t)
	now := ward.Host.Now()
	set := func(name string, value any) func(canonical.Object) {
		return func(o canonical.Object) {
			if value == nil {
				delete(o, name)
			} else {
				o[name] = value
			}
		}
	}
	asserted := func(name string, value any) func(canonical.Object) {
		return func(o canonical.Object) { o[evidence.AssertedClaim].(canonical.Object)[name] = value }
	}
	for _, c := range []struct {
		name   string
		use    participant.KeyUse
		typ    string
		change func(canonical.Object)
		want   trust.Reason
	}{
		{"control", participant.TokenKey, evidence.IDJAGType, func(canonical.Object) {}, trust.Permit},
		{"by another key of the node", participant.StreamKey, evidence.IDJAGType, func(canonical.Object) {}, trust.UnknownKey},
		{"as an access token", participant.TokenKey, "at+jwt", func(canonical.Object) {}, trust.TokenType},
		{"as an ID token", participant.TokenKey, "JWT", func(canonical.Object) {}, trust.TokenType},
		{"for two", participant.TokenKey, evidence.IDJAGType, set("aud", []any{ward.Host.ID.String(), ward.Home.ID.String()}), trust.AudienceMultiple},
		{"for the service itself", participant.TokenKey, evidence.IDJAGType, set("aud", "https://elsewhere.example"), trust.AudienceForeign},
		{"of nobody", participant.TokenKey, evidence.IDJAGType, set("sub", nil), trust.ClaimMissing},
		{"for no client", participant.TokenKey, evidence.IDJAGType, set("client_id", nil), trust.ClaimMissing},
		{"for another client", participant.TokenKey, evidence.IDJAGType, set("client_id", "another"), trust.GrantClient},
		{"without a jti", participant.TokenKey, evidence.IDJAGType, set("jti", nil), trust.ClaimMissing},
		{"for no resource", participant.TokenKey, evidence.IDJAGType, set("resource", nil), trust.ClaimMissing},
		{"for no access", participant.TokenKey, evidence.IDJAGType, set("authorization_details", nil), trust.ClaimMissing},
		{"saying nothing", participant.TokenKey, evidence.IDJAGType, set(evidence.AssertedClaim, nil), trust.ClaimMissing},
		{"expired", participant.TokenKey, evidence.IDJAGType, func(o canonical.Object) { o["iat"], o["exp"] = now-60, now }, trust.TokenExpired},
		{"from the future", participant.TokenKey, evidence.IDJAGType, func(o canonical.Object) { o["iat"], o["exp"] = now+60, now+120 }, trust.TokenNotYetValid},
		{"for too long", participant.TokenKey, evidence.IDJAGType, set("exp", now+3600), trust.TokenLifetime},
		{"of an issuer that nobody stated", participant.TokenKey, evidence.IDJAGType, asserted("iss", "https://idp.nobody.example"), trust.UnknownIssuer},
		{"signed in tomorrow", participant.TokenKey, evidence.IDJAGType, asserted("auth_time", now+3600), trust.ClaimMissing},
		{"too weakly assured", participant.TokenKey, evidence.IDJAGType, asserted("id_assurance_level", "1"), trust.LowAssurance},
		{"of another role", participant.TokenKey, evidence.IDJAGType, asserted("role_code", "S0:G0:R0"), trust.NoMapping},
		{"acting", participant.TokenKey, evidence.IDJAGType, set("act", canonical.Object{"sub": "x"}), trust.ChainUnsupported},
		{"bound to a key that is not shown", participant.TokenKey, evidence.IDJAGType, set("cnf", canonical.Object{"jkt": strings.Repeat("A", 43)}), trust.ProofMissing},
	} {
		issued := ward.Host.Exchange(t.Context(), redemption(forgeGrant(t, ward, c.use, c.typ, c.change)))
		if issued.Reason != c.want || (issued.Token != "") != (c.want == trust.Permit) {
			t.Errorf("%s: %+v, want %s", c.name, issued, c.want)
		}
	}
}

// What the home ends, ends at the host too, though the host never learnt the
// identifier before; a new engagement waits for the host's approval.
func TestAGrantEndsWithItsSubject(t *testing.T) {
	ward := vouching(t)
	issued := exchange(t, ward, redemption(granted(t, ward, "n-1")))
	late := granted(t, ward, "n-1")
	bystander := exchange(t, ward, redemption(granted(t, ward, "n-2")))
	revoke(t, ward, "n-1")
	await(t, ward, []byte(issued.Token), trust.SubjectRevoked)
	refusedExchange(t, ward, redemption(late), node.BadToken, trust.SubjectRevoked)
	want(t, ward, []byte(bystander.Token), trust.Permit)
	if again := ward.Home.Exchange(t.Context(), abroad(ward, "n-1")); again.Token != "" || again.Reason != trust.SubjectRevoked {
		t.Errorf("the home vouches for whom it revoked: %+v", again)
	}
	_, err := ward.Home.OpenEngagement(t.Context(), ward.Home.Admin, ward.Issuer.URL, "n-1", "joiner-7")
	done(t, err)
	person := ward.Host.Config.Keys.Subject(ward.Home.ID.String(), evidence.DefaultNamespace, "n-1")
	nodetest.Eventually(t, "the engagement to await approval", func() bool {
		_, _, waits := ward.Host.State().Revocation.Opened(person)
		return waits
	})
	back := func() node.Exchange {
		r := abroad(ward, "n-1")
		r.Subject.Token = ward.Home.World.Token(ward.Issuer, "n-1", ward.Home.ID.String(), map[string]any{"iat": ward.Home.Now() + 1, "auth_time": ward.Home.Now() - 60})
		return r
	}
	key := ward.Home.Config.Keys.Subject(ward.Home.ID.String(), evidence.DefaultNamespace, "n-1")
	done(t, ward.Home.ApproveEngagement(t.Context(), ward.Home.Admin, key))
	grant := func() []byte {
		made := ward.Home.Exchange(t.Context(), back())
		if made.Token == "" {
			t.Fatalf("the home does not vouch for whom it took back: %+v", made)
		}
		return []byte(made.Token)
	}
	refusedExchange(t, ward, redemption(grant()), node.BadToken, trust.SubjectRevoked)
	done(t, ward.Host.ApproveEngagement(t.Context(), ward.Host.Admin, person))
	exchange(t, ward, redemption(grant()))
}

// The host takes what a partner's node signed with a key that its card has.
func TestAGrantEndsWithItsKey(t *testing.T) {
	ward := vouching(t)
	issued := exchange(t, ward, redemption(granted(t, ward, "n-1")))
	late := granted(t, ward, "n-1")
	want(t, ward, []byte(issued.Token), trust.Permit)
	card := renew(t, ward.Home, participant.Rotation{Uses: []participant.KeyUse{participant.TokenKey}, Drop: true})
	knows(t, ward.Host, ward.Home, card)
	want(t, ward, []byte(issued.Token), trust.UnknownKey)
	refusedExchange(t, ward, redemption(late), node.BadToken, trust.UnknownKey)
}

// The home vouches for its own people alone, and only where there is an active
// agreement about what is asked for; each refusal is a record.
func TestGrantsThatTheHomeRefuses(t *testing.T) {
	ward := vouching(t)
	refused := func(name string, r node.Exchange, refusal node.Refusal, reason trust.Reason) {
		t.Helper()
		before := len(entries(t, ward.Home, "decisions", "credential.refused/v1"))
		issued := ward.Home.Exchange(t.Context(), r)
		if issued.Token != "" || issued.Refusal != refusal || issued.Reason != reason || issued.Reference == "" {
			t.Errorf("%s: %+v, want %s for %s", name, issued, refusal, reason)
		}
		e, err := ward.Home.Explain(t.Context(), ward.Home.Admin, issued.Reference)
		if err != nil || e.Permit || e.Reason != reason {
			t.Errorf("%s: explained as %+v, %v", name, e, err)
		}
		if after := len(entries(t, ward.Home, "decisions", "credential.refused/v1")); after != before+1 {
			t.Errorf("%s: left %d records", name, after-before)
		}
	}
	nobody := nodetest.Must(trust.ParseParticipantID("https://trust.nobody.example"))(t)
	r := abroad(ward, "n-1")
	r.Partner = nobody
	refused("to nobody we know", r, node.BadTarget, trust.ParticipantUnknown)
	r = abroad(ward, "n-1")
	r.Target = "https://elsewhere.example"
	refused("for another service", r, node.BadAccess, trust.ResourceNotCovered)
	r = abroad(ward, "n-1")
	r.Access[0].Actions = []trust.Action{"write"}
	refused("for more than is agreed", r, node.BadAccess, trust.ActionNotCovered)
	r = abroad(ward, "n-1")
	r.Subject.Token = ward.Home.World.Token(ward.Issuer, "n-1", "https://elsewhere.example", nil)
	refused("on a token for somebody else", r, node.BadToken, trust.AudienceForeign)
	r = abroad(ward, "n-1")
	r.Subject.Token = ward.Home.World.Token(ward.Issuer, "n-1", ward.Home.ID.String(), map[string]any{"id_assurance_level": "1"})
	refused("too weakly assured", r, node.BadToken, trust.LowAssurance)
	if issued := ward.Host.Exchange(t.Context(), func() node.Exchange { x := abroad(ward, "n-1"); x.Partner = ward.Home.ID; return x }()); issued.Reason == trust.Permit {
		t.Error("the host vouches for the home's nurse")
	}
	done(t, ward.Home.EndAgreement(t.Context(), ward.Home.Admin, ward.Agreement, "over"))
	refused("after the agreement", abroad(ward, "n-1"), node.BadTarget, trust.AgreementEnded)
}
