package denial_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// held is a private key that a node keeps to itself: it signs.
type held struct {
	jose.Signer
	public crypto.PublicKey
}

func (h held) Public() crypto.PublicKey { return h.public }

func (h held) Sign(_ io.Reader, input []byte, _ crypto.SignerOpts) ([]byte, error) {
	return h.Signer.Sign(input)
}

// signerOf gives the signer of a node's own key.
func signerOf(n *nodetest.Node, use participant.KeyUse) *signer {
	s := n.Config.Keys.Signer(use)
	var jwk struct{ X, Y string }
	if err := jsonInto(strings.NewReplacer(`"x":`, `"X":`, `"y":`, `"Y":`).Replace(string(must(s.Key().MarshalJSON()))), &jwk); err != nil {
		panic(err)
	}
	x, y := must(base64.RawURLEncoding.DecodeString(jwk.X)), must(base64.RawURLEncoding.DecodeString(jwk.Y))
	var public crypto.PublicKey = ed25519.PublicKey(x)
	if s.Key().Alg() == jose.ES256 {
		public = must(ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y)))
	}
	return &signer{held{s, public}, s.Key()}
}

// draftOf reads a token that a node signed, to be spoiled and signed again.
func draftOf(s *signer, token string) *draft {
	parts := strings.Split(token, ".")
	d := &draft{header: object{}, claims: object{}, signer: s}
	for i, into := range []*object{&d.header, &d.claims} {
		if err := jsonInto(string(must(base64.RawURLEncoding.DecodeString(parts[i]))), into); err != nil {
			panic(err)
		}
	}
	return d
}

// sent posts a form to an OAuth endpoint as an enforcement point, and gives the
// answer but for the reference.
func (w *world) sent(h http.Handler, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+w.point)
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	answer.Header().Del("Entente-Reference")
	return answer
}

// access is what the corpus asks for.
func access() []evidence.Access {
	return []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"}}
}

// without leaves out the cases about when a person signed in, which a token that
// a node made does not say itself.
func without(all []spoil, prefixes ...string) []spoil {
	return slices.DeleteFunc(all, func(s spoil) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s.name, p) })
	})
}

// grantCases are all that can be wrong with a partner's grant (ID-JAG).
func (w *world) grantCases(f form) []spoil {
	c := cases{rule: "a grant is of one client, for one service, once"}
	claim := func(name string, value any) func(*draft) { return func(d *draft) { put(d.claims, name, value) } }
	asserted := func(name string, value any) func(*draft) {
		return func(d *draft) {
			o := object{}
			if err := jsonInto(render(d.claims[evidence.AssertedClaim].(object)), &o); err != nil {
				panic(err)
			}
			put(o, name, value)
			d.claims[evidence.AssertedClaim] = o
		}
	}
	for how, miss := range map[string]string{"another": "ward-app", "longer": "pep2", "shorter": "pe", "in capitals": "PEP", "with a space": "pep "} {
		c.add("client "+how, trust.GrantClient, claim("client_id", miss))
	}
	for how, miss := range nearMisses(w.ward.Audience) {
		c.add("resource "+how, trust.UnknownResource, claim("resource", miss))
	}
	c.add("resource is another service of ours", trust.UnknownResource, claim("resource", pharmacy))
	own := signerOf(w.host, participant.TokenKey)
	c.add("signed by ourselves", trust.UnknownIssuer, func(d *draft) {
		d.claims["iss"], d.signer, d.header["kid"], d.header["alg"] = w.host.ID.String(), own, own.key.KeyID(), string(own.key.Alg())
	})
	third := signerOf(w.third, participant.TokenKey)
	c.add("signed by another partner", trust.ForeignOrigin, func(d *draft) {
		d.claims["iss"], d.signer, d.header["kid"], d.header["alg"] = w.third.ID.String(), third, third.key.KeyID(), string(third.key.Alg())
	})
	c.add("by another partner's key", trust.UnknownKey, func(d *draft) {
		d.signer, d.header["kid"], d.header["alg"] = third, third.key.KeyID(), string(third.key.Alg())
	})
	for _, use := range []participant.KeyUse{participant.StreamKey, participant.StatementKey, participant.LogKey} {
		s := signerOf(w.home, use)
		c.add("by the partner's "+string(use)+" key", trust.UnknownKey, func(d *draft) { d.signer, d.header["kid"], d.header["alg"] = s, s.key.KeyID(), string(s.key.Alg()) })
	}
	c.add("by its issuer itself", trust.UnknownIssuer, from(w.idp))
	c.add("of an issuer that nobody stated", trust.UnknownIssuer, asserted("iss", w.stranger.URL))
	c.add("of another participant's issuer", trust.ForeignOrigin, asserted("iss", w.foreign.URL))
	for how, miss := range nearMisses(w.idp.URL) {
		c.add("asserted iss "+how, trust.UnknownIssuer, asserted("iss", miss))
	}
	c.add("asserting nothing", trust.ClaimMissing, claim(evidence.AssertedClaim, absent))
	c.add("asserting no issuer", trust.EvidenceMalformed, claim(evidence.AssertedClaim, object{}))
	c.add("asserting a text", trust.ClaimMissing, claim(evidence.AssertedClaim, "x"))
	c.add("signed in for the future", trust.ClaimMissing, asserted("auth_time", w.host.Now()+86400))
	c.add("signed in nobody knows when", trust.AuthAge, asserted("auth_time", absent))
	c.add("too weakly assured", trust.LowAssurance, asserted("id_assurance_level", "2"))
	c.add("of another role", trust.NoMapping, asserted("role_code", "S0:G0:R0"))
	c.add("asserted sub counts for nothing", "", asserted("sub", "another"))
	c.add("naming an actor", trust.ChainUnsupported, claim("act", object{"sub": "x"}))
	for name, cnf := range map[string]any{"a key": object{"jkt": strings.Repeat("A", 43)}, "a certificate": object{"x5t#S256": strings.Repeat("A", 43)}} {
		c.add("bound to "+name+" that is not shown", trust.ProofMissing, claim("cnf", cnf))
	}
	c.add("bound to what nobody can show", trust.BindingUnsupported, claim("cnf", object{"x": "y"}))
	for name, details := range map[string]any{"nothing": []any{}, "a text": "x", "another type": []any{object{"type": "payment"}}, "no action": []any{object{"type": "entente_access", "resource_type": "WardRecord", "purpose": "TREAT"}}} {
		c.add("for "+name, trust.ClaimMissing, claim("authorization_details", details))
	}
	all := slices.Concat(c.all, joseCases(f), claimCases([]string{"iss", "sub", "aud", "client_id", "jti", "resource"}, []string{"iat", "exp"}, []string{"nbf"}),
		issuerCases(w.home.ID.String()), audienceCases(w.host.ID.String(), trust.AudienceForeign), without(timeCases(w.host.Now), "signed in too", "signed in nobody", "lived too long"))
	return all
}

// Every bad grant gets the same bytes as rubbish (RFC 7521, section 4.1.1), and
// a good one counts once.
func TestGrants(t *testing.T) {
	w := newWorld(t)
	h := oauth.New(w.host)
	home := signerOf(w.home, participant.TokenKey)
	nodetest.Eventually(t, "the home to know its own issuer's keys", func() bool {
		s, ok := w.home.State().Speaker(w.idp.URL)
		return ok && len(s.Keys.Keys()) > 0
	})
	good := func() *draft {
		token := w.Token(&nodetest.Issuer{URL: w.idp.URL, Key: w.idp.signers[0]}, "nurse-1", w.home.ID.String(), nil)
		issued := w.home.Exchange(t.Context(), node.Exchange{
			Client: "pep", Subject: evidence.Proof{Kind: evidence.AccessToken, Token: token}, Partner: w.host.ID, Target: w.ward.Audience, Access: access(),
		})
		if issued.Token == "" {
			t.Fatalf("no grant: %+v", issued)
		}
		return draftOf(home, issued.Token)
	}
	base := good()
	base.claims["iat"] = w.host.Now() - 20
	redeem := func(token string) *httptest.ResponseRecorder {
		return w.sent(h, "/oauth/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {token}})
	}
	uniform := redeem("rubbish").Body.String()
	if !strings.Contains(uniform, `"error":"invalid_grant"`) {
		t.Fatalf("rubbish is answered %s", uniform)
	}
	var asked tally
	f := form{types: []string{evidence.IDJAGType, "application/" + evidence.IDJAGType}, signers: []*signer{home}, maxBytes: jose.MaxToken}
	each(t, w.grantCases(f), func(s spoil) {
		asked.one("jwt-bearer")
		d := base.copy()
		d.claims["jti"] = fmt.Sprint("grant-", serial.Add(1))
		s.do(d)
		token, name := d.token(), s.rule+": "+s.name
		reason := s.want
		if reason == "" {
			reason = trust.Permit
		}
		issued := w.host.Exchange(t.Context(), node.Exchange{Client: "pep", Subject: evidence.Proof{Kind: evidence.IDJAG, Token: []byte(token)}, Redeems: true})
		if issued.Reason != reason || (issued.Token != "") != (s.want == "") {
			t.Errorf("%s: %+v, want %s", name, issued, reason)
		}
		answer := redeem(token) // a good one was used by now
		if token != "" && (answer.Code != http.StatusBadRequest || answer.Body.String() != uniform && s.want != trust.NoMapping) {
			t.Errorf("%s: answered %d %s, rubbish gets %s", name, answer.Code, answer.Body, uniform)
		}
		if s.want == "" {
			if reason, err := w.decided(evidence.AccessToken, issued.Token); reason != trust.Permit {
				t.Errorf("%s: the credential gives %s (%v)", name, reason, err)
			}
			if again := w.host.Exchange(t.Context(), node.Exchange{Client: "pep", Subject: evidence.Proof{Kind: evidence.IDJAG, Token: []byte(token)}, Redeems: true}); again.Reason != trust.Replayed {
				t.Errorf("%s: a second time %s", name, again.Reason)
			}
		}
	})
	asked.report(t)
}

// ownCases are all that can be wrong with a credential of our own.
func (w *world) ownCases(f form) []spoil {
	c := cases{rule: "a credential of our own is one whole"}
	for shape, value := range map[string]any{"absent": absent, "empty": "", "null": nil, "a number": 1, "rubbish": "AAAA", "padded": "AAA="} {
		c.add("ground "+shape, trust.ClaimMissing, func(d *draft) { put(d.claims, evidence.GroundClaim, value) })
		c.add("details "+shape, trust.ClaimMissing, func(d *draft) { put(d.claims, evidence.DetailsClaim, value) })
	}
	c.add("another identifier", trust.ClaimMissing, func(d *draft) { d.claims["jti"] = "another" })
	c.add("for another resource", trust.NotGranted, func(d *draft) {
		d.claims[evidence.DetailsClaim] = []any{object{"type": evidence.AccessType, "resource_type": "WardRecord", "resource_ids": []any{"43"}, "actions": []any{"read"}, "purpose": "TREAT"}}
	})
	for _, by := range []string{"jkt", "x5t#S256"} {
		c.add("bound by "+by+" to what is not shown", trust.ProofMissing, func(d *draft) { d.claims["cnf"] = object{by: strings.Repeat("A", 43)} })
	}
	c.add("bound to what nobody can show", trust.BindingUnsupported, func(d *draft) { d.claims["cnf"] = object{"x": "y"} })
	for _, use := range []participant.KeyUse{participant.StreamKey, participant.StatementKey, participant.LogKey} {
		s := signerOf(w.host, use)
		c.add("by our "+string(use)+" key", trust.UnknownKey, func(d *draft) { d.signer, d.header["kid"], d.header["alg"] = s, s.key.KeyID(), string(s.key.Alg()) })
	}
	partner := signerOf(w.home, participant.TokenKey)
	c.add("by a partner's key", trust.UnknownKey, func(d *draft) {
		d.signer, d.header["kid"], d.header["alg"] = partner, partner.key.KeyID(), string(partner.key.Alg())
	})
	return slices.Concat(c.all, joseCases(f), claimCases([]string{"sub", "aud", "client_id", "jti"}, []string{"iat", "exp"}, []string{"nbf"}),
		audienceCases(w.ward.Audience, trust.AudienceForeign), without(timeCases(w.host.Now), "signed in", "lived too long"))
}

// Whatever is wrong with a credential, introspection says that it is inactive
// and no more (RFC 7662, section 2.2), and revocation says nothing (RFC 7009,
// section 2.2) and ends nothing.
func TestOwnCredentials(t *testing.T) {
	w := newWorld(t)
	h := oauth.New(w.host)
	own := signerOf(w.host, participant.TokenKey)
	nurse := w.good(profiles(w)[evidence.AccessToken]).token()
	issued := w.host.Exchange(t.Context(), node.Exchange{
		Client: "pep", Subject: evidence.Proof{Kind: evidence.AccessToken, Token: []byte(nurse)}, Target: w.ward.Audience, Access: access(),
	})
	if issued.Token == "" {
		t.Fatalf("no credential: %+v", issued)
	}
	base := draftOf(own, issued.Token)
	base.claims["iat"] = w.host.Now() - 20
	var asked tally
	f := form{types: []string{"at+jwt", "application/at+jwt"}, signers: []*signer{own}, maxBytes: jose.MaxToken, thumbprints: true}
	each(t, w.ownCases(f), func(s spoil) {
		d := base.copy()
		s.do(d)
		token, name, reason := d.token(), s.rule+": "+s.name, s.want
		if reason == "" {
			reason = trust.Permit
		}
		asked.one("introspection")
		if !utf8.ValidString(token) {
			return
		}
		if got, err := w.decided(evidence.AccessToken, token); got != reason {
			t.Errorf("%s: decided %s (%v), want %s", name, got, err, reason)
		}
		if token == "" {
			return
		}
		answer := w.sent(h, "/oauth/introspect", url.Values{"token": {token}})
		active := strings.HasPrefix(answer.Body.String(), `{"active":true,`)
		if answer.Code != http.StatusOK || active != (s.want == "" || s.want == trust.NotGranted || s.want == trust.ProofMissing) || !active && answer.Body.String() != `{"active":false}` {
			t.Errorf("%s: introspected as %d %s", name, answer.Code, answer.Body)
		}
		if bound := strings.Contains(answer.Body.String(), `,"cnf":{"`); bound != (s.want == trust.ProofMissing) {
			t.Errorf("%s: what it is bound to is told: %t", name, bound)
		}
		if s.want == "" || s.want == trust.NotGranted || s.want == trust.ProofMissing || s.want == trust.BindingUnsupported || s.want == trust.AudienceForeign || s.want == trust.TokenLifetime {
			return // it is one of ours, signed by ourselves: whoever gives it back ends it
		}
		asked.one("revocation")
		if answer := w.sent(h, "/oauth/revoke", url.Values{"token": {token}}); answer.Code != http.StatusOK || answer.Body.Len() != 0 {
			t.Errorf("%s: revoked with %d %s", name, answer.Code, answer.Body)
		}
	})
	if reason, err := w.decided(evidence.AccessToken, issued.Token); reason != trust.Permit {
		t.Errorf("the credential is ended by what is none: %s (%v)", reason, err)
	}
	asked.report(t)
}
