package decision_test

import (
	"encoding/base64"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// exempting knows one exception, for one secret.
type exempting struct {
	*state.Snapshot
	one evidence.Exemption
}

func (e exempting) Exempt(secret string) (evidence.Exemption, bool) {
	return e.one, secret == sharedSecret
}

const sharedSecret = "ent_key_c2VjcmV0"

// exception lets the lab's feed in by an API key.
func (sc *scene) exception(change func(*evidence.Exemption)) {
	sc.kind, sc.token = evidence.APIKey, []byte(sharedSecret)
	sc.exempt = &evidence.Exemption{
		Name: "lab-feed-2026", Kind: evidence.APIKey, Participant: rxw, Issuer: idp, Account: "lab-feed", Audience: records,
		Since: now - 86400, Expires: now + 86400,
	}
	if change != nil {
		change(sc.exempt)
	}
	feed := sc.agreements[0].Accepts[0]
	feed.Class, feed.Roles, feed.Needs = trust.ServiceAccount, nil, nil
	sc.agreements[0].Accepts = append(sc.agreements[0].Accepts, feed)
	sc.mappings = append(sc.mappings, mapping.Document{
		Kind: "Mapping", Name: "lab", Agreement: "rxw-staff-at-rje", To: "lab-reader", Expires: ends, From: mapping.From{Class: trust.ServiceAccount},
	})
	sc.policy += `@id("lab") permit (principal is ServiceAccount in Role::"lab-reader", action == Action::"read", resource is WardRecord);`
	class := sc.framework.Classes[trust.ServiceAccount]
	class.Needs = map[framework.Ladder]framework.Level{framework.Authentication: "none"}
	sc.framework.Classes[trust.ServiceAccount] = class
	sc.allow(2 * 86400)
}

// allow lets every tier have exceptions that live so many seconds.
func (sc *scene) allow(limit trust.Span) {
	for name, tier := range sc.framework.Tiers {
		tier.MaxException = limit
		sc.framework.Tiers[name] = tier
	}
}

func basic(text string) []byte { return []byte(base64.StdEncoding.EncodeToString([]byte(text))) }

// R21: what an exception lets in, and what it does not.
var excepting = []deviation{
	{"R21 API key under an exception", func(sc *scene) { sc.exception(nil) }, trust.Permit},
	{"R21 basic credentials under an exception", func(sc *scene) {
		sc.exception(func(x *evidence.Exemption) { x.Kind = evidence.Basic })
		sc.kind, sc.token = evidence.Basic, basic("lab-feed:"+sharedSecret)
	}, trust.Permit},
	{"R21 basic credentials of another account", func(sc *scene) {
		sc.exception(func(x *evidence.Exemption) { x.Kind = evidence.Basic })
		sc.kind, sc.token = evidence.Basic, basic("lab:"+sharedSecret)
	}, trust.SharedSecret},
	{"R21 basic credentials without an account", func(sc *scene) {
		sc.exception(func(x *evidence.Exemption) { x.Kind, x.Account = evidence.Basic, "" })
		sc.kind, sc.token = evidence.Basic, basic(":"+sharedSecret)
	}, trust.SharedSecret},
	{"R21 basic credentials with a line end", func(sc *scene) {
		sc.exception(func(x *evidence.Exemption) { x.Kind = evidence.Basic })
		sc.kind, sc.token = evidence.Basic, append(basic("lab-feed:"+sharedSecret), '\n')
	}, trust.SharedSecret},
	{"R21 API key as basic credentials", func(sc *scene) { sc.exception(nil); sc.kind = evidence.Basic }, trust.SharedSecret},
	{"R21 basic credentials' secret as an API key", func(sc *scene) {
		sc.exception(func(x *evidence.Exemption) { x.Kind = evidence.Basic })
	}, trust.SharedSecret},
	{"R21 another secret", func(sc *scene) { sc.exception(nil); sc.token = append(sc.token, 'x') }, trust.SharedSecret},
	{"R21 an endless secret", func(sc *scene) { sc.exception(nil); sc.token = make([]byte, 2000) }, trust.SharedSecret},
	{"R21 exception ends this second", func(sc *scene) { sc.exception(func(x *evidence.Exemption) { x.Expires = now }) }, trust.ExceptionEnded},
	{"R21 exception ends in a second", func(sc *scene) { sc.exception(func(x *evidence.Exemption) { x.Expires = now + 1 }) }, trust.Permit},
	{"R21 exception was ended", func(sc *scene) { sc.exception(func(x *evidence.Exemption) { x.Ended = true }) }, trust.ExceptionEnded},
	{"R21 exception of an issuer that nobody states", func(sc *scene) { sc.exception(nil); dropped[participant.Stated](sc) }, trust.UnknownIssuer},
	{"R21 exception for another participant's account", func(sc *scene) { sc.exception(func(x *evidence.Exemption) { x.Participant = r0a }) }, trust.UnknownIssuer},
	{"R21 exception for another service", func(sc *scene) { sc.exception(func(x *evidence.Exemption) { x.Audience = letters }) }, trust.AudienceOtherService},
	{"R21 exception for a service that is gone", func(sc *scene) { sc.exception(func(x *evidence.Exemption) { x.Audience = "" }) }, trust.AudienceForeign},
	{"R21 exception where the framework allows none", func(sc *scene) { sc.exception(nil); sc.allow(0) }, trust.ExceptionTooLong},
	{"R21 exception a second longer than the tier allows", func(sc *scene) { sc.exception(nil); sc.allow(2*86400 - 1) }, trust.ExceptionTooLong},
	{"R21 class that needs more than a secret shows", func(sc *scene) {
		sc.exception(nil)
		sc.framework.Classes[trust.ServiceAccount].Needs[framework.Authentication] = "low"
	}, trust.LowAssurance},
	{"R21 agreement that needs more than a secret shows", func(sc *scene) {
		sc.exception(nil)
		sc.agreements[0].Accepts[2].Needs = map[framework.Ladder]framework.Level{framework.Authentication: "low"}
	}, trust.LinkAssurance},
	{"R21 tier that takes bound tokens alone", func(sc *scene) {
		sc.exception(nil)
		tier := sc.framework.Tiers[trust.Standard]
		tier.SenderConstraint = framework.SenderConstraintRequired
		sc.framework.Tiers[trust.Standard] = tier
	}, trust.SenderConstraint},
	{"R21 account that its home ended", func(sc *scene) {
		sc.exception(nil)
		sc.more = append(sc.more, revocation.Revoked{Target: revocation.Target{Kind: revocation.Subject, Participant: rxw, Subject: sc.observed.Subject, Engagement: 1}, From: rxw})
	}, trust.SubjectRevoked},
	{"R21 exception of an agreement that covers no accounts", func(sc *scene) {
		sc.exception(nil)
		sc.agreements[0].Accepts = sc.agreements[0].Accepts[:2]
	}, trust.ClassNotCovered},
}
