package decision_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

var (
	hub       = must(trust.ParseIssuerID("https://hub.rxw.example"))
	originKey = trust.SubjectKey{9, 1}
)

// brokered has the nurse come through a broker of her trust, which restates what
// her own provider signed; change is of that assertion.
func brokered(change object) func(*scene) {
	return func(sc *scene) {
		origin := nurseClaims()
		maps.Copy(origin, object{"aud": "hub", "exp": now + 100})
		maps.Copy(origin, change)
		maps.DeleteFunc(origin, func(_ string, v any) bool { return v == nil })
		told(object{"first": must(jose.Sign(key(), "JWT", origin))})(sc)
	}
}

// told has her come through the broker with claims of its own.
func told(claims object) func(*scene) {
	return func(sc *scene) {
		sc.issuers = append(sc.issuers, participant.Issuer{Issuer: hub, JWKSURI: hub.String() + "/jwks", Subjects: "hub", Classes: classes(),
			Broker: &participant.Broker{Assertion: "first", Audience: "hub", Origin: "from", Subject: "first_sub"}})
		line := sc.line()
		line.Issuers = append(line.Issuers, hub)
		sc.claim(object{"iss": hub.String(), "sub": "b-77", "first_sub": "910000000001"})
		sc.claim(claims)
		sc.observed.Origin = originKey
	}
}

func both(changes ...func(*scene)) func(*scene) {
	return func(sc *scene) {
		for _, change := range changes {
			change(sc)
		}
	}
}

// most lets a broker say as much as the staff agreement needs.
func most(sc *scene) {
	sc.framework.Assurance.Brokered = map[framework.Ladder]framework.Level{framework.Identity: "high", framework.Authentication: "high"}
}

var brokering = []deviation{
	{"R63 through a broker, with the origin's word", brokered(nil), trust.Permit},
	{"R26 broker restates a password as more", brokered(object{"authentication_assurance_level": "1"}), trust.LowAssurance},
	{"R26 origin high, broker lower", both(brokered(nil), func(sc *scene) { sc.claim(object{"authentication_assurance_level": "2"}) }), trust.LinkAssurance},
	{"R26 origin says nothing of identity", brokered(object{"id_assurance_level": nil}), trust.LowAssurance},
	{"origin not told", told(nil), trust.NoOrigin},
	{"origin told by the broker alone", told(object{"from": idp.String()}), trust.LowAssurance},
	{"origin told by the broker alone, where the framework lets it", both(most, told(object{"from": idp.String()})), trust.Permit},
	{"broker tells that the origin said less", both(most, told(object{"from": object{"iss": idp.String(), "authentication_assurance_level": "1", "id_assurance_level": "3"}})), trust.LowAssurance},
	{"broker tells all the origin said", both(most, told(object{"from": object{"iss": idp.String(), "authentication_assurance_level": "3", "id_assurance_level": "3"}})), trust.Permit},
	{"broken assertion beside the broker's word", both(most, brokered(object{"exp": now}), func(sc *scene) { sc.claim(object{"from": idp.String()}) }), trust.TokenExpired},
	{"origin of nobody", both(most, told(object{"from": "https://idp.evil.example"})), trust.ForeignOrigin},
	{"origin of another participant", both(most, told(object{"from": "https://idp.r0a.example"}), another), trust.ForeignOrigin},
	{"origin's assertion of another participant", both(brokered(object{"iss": "https://idp.r0a.example"}), another), trust.ForeignOrigin},
	{"broker as origin", both(most, told(object{"from": hub.String()})), trust.ForeignOrigin},
	{"broker's assertion as origin's", brokered(object{"iss": hub.String(), "first_sub": "910000000001", "from": idp.String()}), trust.ForeignOrigin},
	{"assertion for another party", brokered(object{"aud": "ward-app"}), trust.AudienceForeign},
	{"assertion about another subject", brokered(object{"sub": "910000000002"}), trust.ClaimMissing},
	{"assertion of an unknown issuer", brokered(object{"iss": "https://idp.evil.example"}), trust.UnknownIssuer},
	{"assertion that is an access token", func(sc *scene) {
		told(object{"first": must(jose.Sign(key(), "at+jwt", nurseClaims()))})(sc)
	}, trust.TokenType},
	{"assertion that is no token", told(object{"first": "x"}), trust.EvidenceMalformed},
	{"assertion that is no text", told(object{"first": 7}), trust.NoOrigin},
	{"origin signed in too long ago", brokered(object{"auth_time": now - 12*3600 - 1}), trust.AuthAge},
	{"origin does not say when", brokered(object{"auth_time": nil}), trust.AuthAge},
	{"broker signed in too long ago", both(brokered(nil), func(sc *scene) { sc.claim(object{"auth_time": now - 12*3600 - 1}) }), trust.AuthAge},
	{"origin's assertion acts for somebody", brokered(object{"act": object{"sub": "x"}}), trust.ChainUnsupported},
	{"no key of the origin's subject in the ledger", both(brokered(nil), func(sc *scene) { sc.observed.Origin = trust.SubjectKey{} }), trust.SubjectMismatch},
	{"agreement accepts the origin but not the broker", both(brokered(nil), func(sc *scene) { sc.line().Issuers = []trust.IssuerID{idp} }), trust.IssuerNotCovered},
	{"agreement accepts the broker but not the origin", both(brokered(nil), func(sc *scene) { sc.line().Issuers = []trust.IssuerID{hub} }), trust.IssuerNotCovered},
	{"origin's issuer revoked", both(brokered(nil), revoked(revocation.Target{Kind: revocation.Issuer, Issuer: idp})), trust.IssuerRevoked},
	{"origin told, its issuer revoked", both(most, told(object{"from": idp.String()}), revoked(revocation.Target{Kind: revocation.Issuer, Issuer: idp})), trust.IssuerRevoked},
	{"origin's subject revoked", both(brokered(nil), revoked(revocation.Target{Kind: revocation.Subject, Subject: originKey, Engagement: 1})), trust.SubjectRevoked},
	{"origin's identity registered, not activated", both(brokered(nil), happened(identity.Registered{N: 1, Class: trust.Human, Account: originKey})), trust.IdentityIdle},
	{"origin told, its subject revoked", both(most, told(object{"from": idp.String()}), revoked(revocation.Target{Kind: revocation.Subject, Subject: originKey, Engagement: 1})), trust.SubjectRevoked},
	{"origin's key revoked", func(sc *scene) {
		both(brokered(nil), revoked(revocation.Target{Kind: revocation.Key, Issuer: idp, Thumbprint: key().Key().Thumbprint()}))(sc)
	}, trust.KeyRevoked},
	{"broker's subject revoked", both(brokered(nil), revoked(revocation.Target{Kind: revocation.Subject, Subject: trust.SubjectKey{7, 15, 3}, Engagement: 1})), trust.SubjectRevoked},
	{"broker's issuer revoked", both(brokered(nil), revoked(revocation.Target{Kind: revocation.Issuer, Issuer: hub})), trust.IssuerRevoked},
	{"origin's key removed", both(brokered(nil), happened(participant.KeysSeen{Issuer: idp, Keys: []byte(`{"keys":[]}`)})), trust.UnknownKey},
}

// another has r0a state an issuer of its own, with the key of all.
func another(sc *scene) {
	id := must(trust.ParseIssuerID("https://idp.r0a.example"))
	line := participant.Issuer{Issuer: id, JWKSURI: id.String() + "/jwks", Classes: classes()}
	sc.more = append(sc.more, participant.Stated{Participant: r0a, Issuers: []participant.Issuer{line}, Expires: now + 3600},
		participant.KeysSeen{Issuer: id, Keys: keys()})
}

// Both issuers stand in the record and in the explanation (R63), and the answer
// is relied on no longer than the origin's word is good.
func TestBrokerAndOriginAreBothRecorded(t *testing.T) {
	sc := newScene()
	brokered(object{"exp": now + 4})(sc)
	s := sc.snapshot()
	ev := sc.verify(s)
	d := decision.Explain(s, sc.observed, ev, sc.request)
	if !d.Permit || d.TTL != 4 || ev.Issuer != hub || ev.Origin == nil || ev.Origin.Issuer != idp || ev.Origin.Subject != "910000000001" || ev.Subject != "b-77" {
		t.Fatalf("decision is %+v of %+v", d, ev)
	}
	for _, word := range []string{"hub.rxw.example", "idp.rxw.example", nurseKey} {
		if text := d.Checks[decision.Identify].Text; !strings.Contains(text, word) {
			t.Errorf("the first line does not name %s: %s", word, text)
		}
	}
	leaf := must(decision.ParseLeaf(decision.AppendLeaf(nil, &d, &sc.observed, &ev, &sc.request, commit)))
	if leaf.Issuer != hub || leaf.Origin != idp || leaf.OriginKey != key().Key().Thumbprint() || leaf.OriginSubject == nil || *leaf.OriginSubject != originKey {
		t.Errorf("leaf is %+v", leaf)
	}
}
