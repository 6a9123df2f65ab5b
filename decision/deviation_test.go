package decision_test

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/policy"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// deviation is the nurse's scene with one thing changed, and what comes of it.
type deviation struct {
	name   string
	change func(*scene)
	want   trust.Reason
}

func dropped[E trust.Event](sc *scene) {
	sc.drop = func(e trust.Event) bool { _, is := e.(E); return is }
}

func happened(e trust.Event) func(*scene) {
	return func(sc *scene) { sc.more = append(sc.more, e) }
}

func revoked(t revocation.Target) func(*scene) {
	t.Participant = rxw
	return happened(revocation.Revoked{Target: t, From: rxw})
}

// marked is the nurse's mark by a signal.
func marked(m signal.Mark) func(*scene) {
	return happened(signal.Received{Transmitter: "idp", Participant: rxw, Marks: []signal.Placed{{Kind: signal.AtSubject, Key: trust.SubjectKey{7, 15, 3}, Mark: m}}})
}

func needs(l framework.Ladder, level framework.Level) map[framework.Ladder]framework.Level {
	return map[framework.Ladder]framework.Level{l: level}
}

var identifying = []deviation{
	{"no evidence", func(sc *scene) { sc.token = []byte{} }, trust.NoEvidence},
	{"R12 no evidence, trusted network", func(sc *scene) {
		sc.token, sc.request.Properties = []byte{}, object{"ward": "w7", "remote_addr": "10.0.0.1", "x_forwarded_for": "127.0.0.1"}
	}, trust.NoEvidence},
	{"subject of another", func(sc *scene) { sc.request.SubjectID = "910000000002" }, trust.SubjectMismatch},
	{"subject absent", func(sc *scene) { sc.request.SubjectID = "" }, trust.SubjectMismatch},
	{"subject of the evidence", func(sc *scene) { sc.request.SubjectID = "910000000001" }, trust.Permit},
	{"subject is another index", func(sc *scene) { sc.request.SubjectID = "1" }, trust.SubjectMismatch},
	{"subject without a key in the ledger", func(sc *scene) { sc.observed.Subject = trust.SubjectKey{} }, trust.SubjectMismatch},
	{"unknown kind", func(sc *scene) { sc.kind = "urn:x" }, trust.EvidenceKind},
	{"not a token", func(sc *scene) { sc.token = []byte("x") }, trust.EvidenceMalformed},
	{"unknown issuer", func(sc *scene) { sc.claim(object{"iss": "https://idp.evil.example"}) }, trust.UnknownIssuer},
	{"issuer with a slash", func(sc *scene) { sc.claim(object{"iss": idp.String() + "/"}) }, trust.UnknownIssuer},
	{"R4 participant states nothing", dropped[participant.Stated], trust.UnknownIssuer},
	{"participant was never confirmed", dropped[participant.Confirmed], trust.UnknownIssuer},
	{"national issuer", func(sc *scene) { sc.claim(object{"iss": cis2.String()}) }, trust.Permit},
	{"national issuer for another trust", func(sc *scene) { sc.claim(object{"iss": cis2.String(), "org_code": "R0A"}) }, trust.UnknownParticipant},
	{"national issuer for no trust", func(sc *scene) { sc.claim(object{"iss": cis2.String(), "org_code": nil}) }, trust.UnknownParticipant},
	{"national issuer stated by two", func(sc *scene) {
		sc.more = append(sc.more, participant.Stated{Participant: r0a, Issuers: sc.issuers[2:], Expires: now + 3600})
		sc.claim(object{"iss": cis2.String()})
	}, trust.AmbiguousIssuer},
	{"foreign namespace", func(sc *scene) {
		sc.issuers[0].Namespaces = map[string][]participant.Namespace{"org_code": participant.Exactly("RXX")}
	}, trust.ForeignNamespace},
	{"own namespace", func(sc *scene) {
		sc.issuers[0].Namespaces = map[string][]participant.Namespace{"org_code": participant.Exactly("RXW")}
	}, trust.Permit},
	{"statement expired this second", func(sc *scene) { sc.observed.StatementEnd = now }, trust.StatementExpired},
	{"statement ends in a second", func(sc *scene) { sc.observed.StatementEnd = now + 1 }, trust.Permit},
	{"no statement", func(sc *scene) { sc.observed.StatementEnd = 0 }, trust.StatementExpired},
}

var authenticating = []deviation{
	{"R21 API key", func(sc *scene) { sc.kind, sc.token = evidence.APIKey, []byte("secret") }, trust.SharedSecret},
	{"R21 basic credentials", func(sc *scene) { sc.kind, sc.token = evidence.Basic, []byte("bGFiOnNlY3JldA==") }, trust.SharedSecret},
	{"R21 token shown as an API key", func(sc *scene) { sc.kind = evidence.APIKey }, trust.SharedSecret},
	{"ID token as access token", func(sc *scene) { sc.header = "JWT" }, trust.TokenType},
	{"SET as access token", func(sc *scene) { sc.header = "secevent+jwt" }, trust.TokenType},
	{"access token as ID token", func(sc *scene) { sc.idToken(); sc.header = "at+jwt" }, trust.TokenType},
	{"header brings a key", func(sc *scene) { sc.token = []byte("eyJhbGciOiJFUzI1NiIsImtpZCI6ImsiLCJqa3UiOiJ4In0.e30.AA") }, trust.TokenHeader},
	{"alg none", func(sc *scene) { sc.token = []byte("eyJhbGciOiJub25lIn0.e30.AA") }, trust.TokenAlgorithm},
	{"key removed", func(sc *scene) {
		sc.more = append(sc.more, participant.KeysSeen{Issuer: idp, Keys: []byte(`{"keys":[]}`)})
	}, trust.UnknownKey},
	{"issuer's keys never seen", dropped[participant.KeysSeen], trust.UnknownKey},
	{"claim missing", func(sc *scene) { sc.claim(object{"jti": nil}) }, trust.ClaimMissing},
	{"token expired this second", func(sc *scene) { sc.claim(object{"exp": now}) }, trust.TokenExpired},
	{"issued in the future", func(sc *scene) { sc.claim(object{"iat": now + 31}) }, trust.TokenNotYetValid},
	{"two audiences", func(sc *scene) { sc.claim(object{"aud": []any{records, letters}}) }, trust.AudienceMultiple},
	{"foreign audience", func(sc *scene) { sc.claim(object{"aud": "https://other.example"}) }, trust.AudienceForeign},
	{"audience with a slash", func(sc *scene) { sc.claim(object{"aud": records + "/"}) }, trust.AudienceForeign},
	{"audience of another service of ours", func(sc *scene) { sc.claim(object{"aud": letters}) }, trust.AudienceOtherService},
	{"foreign audience and unknown resource", func(sc *scene) {
		sc.request.ResourceType = "Other"
		sc.claim(object{"aud": "https://other.example"})
	}, trust.AudienceForeign},
	{"another service's audience and unknown resource", func(sc *scene) { sc.request.ResourceType = "Other"; sc.claim(object{"aud": letters}) }, trust.AudienceOtherService},
	{"bound in a way that cannot be checked", func(sc *scene) { sc.claim(object{"cnf": object{"kid": "x"}}) }, trust.BindingUnsupported},
	{"R15 bound token as bearer", func(sc *scene) { bind(sc, "certificate"); sc.shown = nil }, trust.ProofMissing},
	{"R15 bound token with another's certificate", func(sc *scene) { bind(sc, "certificate"); sc.shown.Certificate = []byte("other") }, trust.ProofKey},
	{"bound token with its certificate", func(sc *scene) { bind(sc, "certificate") }, trust.Permit},
	{"certificate beside a bearer token", func(sc *scene) { sc.shown = &evidence.Shown{Certificate: []byte("certificate")} }, trust.Permit},
	{"ID token", func(sc *scene) { sc.idToken() }, trust.Permit},
	{"ID token used before", func(sc *scene) { sc.idToken(); sc.observed.Replayed = true }, trust.Permit},
	{"ID token used once", func(sc *scene) { sc.idToken(); sc.line().SingleUse = true }, trust.Permit},
	{"ID token used twice", func(sc *scene) { sc.idToken(); sc.line().SingleUse = true; sc.observed.Replayed = true }, trust.Replayed},
	{"access token used before", func(sc *scene) { sc.observed.Replayed = true }, trust.Permit},
}

var classifying = []deviation{
	{"R32 unclassified", func(sc *scene) { sc.claim(object{"org_code": "R0A"}) }, trust.Unclassified},
	{"class that the framework does not have", func(sc *scene) { delete(sc.framework.Classes, trust.Human) }, trust.UnknownClass},
	{"identity lowered by a signal", marked(signal.Mark{Caps: [4]signal.Cap{{At: now}}}), trust.Lowered},
	{"identity too low", func(sc *scene) { sc.claim(object{"id_assurance_level": "1"}) }, trust.LowAssurance},
	{"R14 one claim changed", func(sc *scene) { sc.claim(object{"authentication_assurance_level": "1"}) }, trust.LowAssurance},
	{"level as an integer", func(sc *scene) { sc.claim(object{"authentication_assurance_level": 3}) }, trust.Permit},
	{"level absent", func(sc *scene) { sc.claim(object{"id_assurance_level": nil}) }, trust.LowAssurance},
	{"class needs a level there is not", func(sc *scene) { sc.framework.Classes[trust.Human].Needs[framework.Identity] = "huge" }, trust.LowAssurance},
	{"R16 token lives a second too long", func(sc *scene) { sc.claim(object{"iat": now - 60, "exp": now - 60 + 901}) }, trust.TokenLifetime},
	{"R16 token lives as long as it may", func(sc *scene) { sc.claim(object{"iat": now - 60, "exp": now - 60 + 900}) }, trust.Permit},
	{"signed in at the limit", func(sc *scene) { sc.claim(object{"auth_time": now - 12*3600}) }, trust.Permit},
	{"signed in behind the limit", func(sc *scene) { sc.claim(object{"auth_time": now - 12*3600 - 1}) }, trust.AuthAge},
	{"sign-in not stated", func(sc *scene) { sc.claim(object{"auth_time": nil}) }, trust.AuthAge},
	{"acts for somebody", func(sc *scene) { sc.claim(object{"act": object{"sub": "x"}}) }, trust.ActorProof},
	{"R32 agent without a principal", func(sc *scene) { sc.claim(object{"kind": "agent", "attested": "yes", "exp": now + 200}) }, trust.NoPrincipal},
}

var linking = []deviation{
	{"R40 no framework", dropped[framework.Adopted], trust.NoFramework},
	{"framework expired this second", func(sc *scene) { sc.framework.Expires = trust.Instant(now) }, trust.FrameworkExpired},
	{"framework expires in a second", func(sc *scene) { sc.framework.Expires = trust.Instant(now + 1) }, trust.Permit},
	{"unknown resource type", func(sc *scene) { sc.request.ResourceType = "Other" }, trust.UnknownResource},
	{"resource type of another service", func(sc *scene) { sc.request.ResourceType = "Letter" }, trust.UnknownResource},
	{"resource at another enforcement point", func(sc *scene) { sc.request.EnforcementPoint = "nginx-2" }, trust.AudienceOtherService},
	{"no service", dropped[service.Registered], trust.AudienceForeign},
	{"participant suspended", happened(participant.Suspended{Participant: rxw, By: "admin"}), trust.ParticipantSuspended},
	{"another participant suspended", happened(participant.Suspended{Participant: r0a, By: "admin"}), trust.Permit}, // R44
	{"no agreement", dropped[agreement.Offered], trust.NoAgreement},
	{"agreement with another home", func(sc *scene) { sc.agreements[0].Home = r0a }, trust.NoAgreement},
	{"agreement with another host", func(sc *scene) { sc.agreements[0].Host = r0a }, trust.NoAgreement},
	{"own people at the own service", func(sc *scene) {
		sc.own, sc.issuers = []participant.Issuer{{Issuer: idp, JWKSURI: idp.String() + "/jwks", Classes: classes()}}, nil
		sc.observed.StatementEnd = 0
	}, trust.NoAgreement},
	{"agreement only proposed", func(sc *scene) { sc.stage = agreement.Proposed }, trust.AgreementNotActive},
	{"agreement only agreed", func(sc *scene) { sc.stage = agreement.Agreed }, trust.AgreementNotActive},
	{"agreement suspended", func(sc *scene) { sc.stage = agreement.Suspended }, trust.AgreementSuspended},
	{"agreement ended", func(sc *scene) { sc.stage = agreement.Ended }, trust.AgreementEnded},
	{"agreement starts in a second", func(sc *scene) { sc.agreements[0].Starts = trust.Instant(now + 1) }, trust.AgreementNotActive},
	{"agreement starts this second", func(sc *scene) { sc.agreements[0].Starts = trust.Instant(now) }, trust.Permit},
	{"agreement ends this second", func(sc *scene) { sc.agreements[0].Ends = trust.Instant(now) }, trust.AgreementEnded}, // scenario 9
	{"class not covered", func(sc *scene) { sc.line().Class = trust.ServiceAccount }, trust.ClassNotCovered},
	{"issuer not covered", func(sc *scene) { sc.claim(object{"iss": idp2.String()}) }, trust.IssuerNotCovered},
	{"subject not covered", func(sc *scene) { sc.line().Subjects = []string{"910000000002"} }, trust.SubjectNotCovered},
	{"line for another service", func(sc *scene) { sc.line().Audience = letters }, trust.ResourceNotCovered},
	{"resource type not covered", func(sc *scene) { sc.line().Resources[0].Type = "Letter" }, trust.ResourceNotCovered},
	{"resource not covered", func(sc *scene) { sc.line().Resources[0].IDs = []string{"41"} }, trust.ResourceNotCovered}, // R68
	{"no resource id", func(sc *scene) { sc.request.ResourceID = "" }, trust.ResourceNotCovered},
	{"action not covered", func(sc *scene) { sc.request.Action = "write" }, trust.ActionNotCovered},
	{"action of another case", func(sc *scene) { sc.request.Action = "Read" }, trust.ActionNotCovered},
	{"no action", func(sc *scene) { sc.request.Action = "" }, trust.ActionNotCovered},
	{"purpose not covered", func(sc *scene) { sc.request.Purpose = "HRESCH" }, trust.PurposeNotCovered},
	{"no purpose", func(sc *scene) { sc.request.Purpose = "" }, trust.PurposeNotCovered},
	{"assurance below the agreement's", func(sc *scene) { sc.claim(object{"authentication_assurance_level": "2"}) }, trust.LinkAssurance},
	{"signed in at the agreement's limit", func(sc *scene) { sc.line().MaxAuthAge = 6 * 3600 }, trust.Permit},
	{"signed in behind the agreement's limit", func(sc *scene) { sc.line().MaxAuthAge = 6*3600 - 1 }, trust.LinkAuthAge},
	{"agreement keeps longer sessions than the class", func(sc *scene) {
		sc.line().MaxAuthAge = 13 * 3600
		sc.claim(object{"auth_time": now - 12*3600 - 1})
	}, trust.AuthAge},
	{"agreement needs an unknown ladder", func(sc *scene) { sc.line().Needs = needs("luck", "high") }, trust.LinkAssurance},
	{"access token where it counts once", func(sc *scene) { sc.line().SingleUse = true }, trust.SingleUseKind},
	{"R30 class's tier unknown", func(sc *scene) { retier(sc, trust.Human, "gold") }, trust.UnknownTier},
	{"R30 agreement's tier unknown", func(sc *scene) { sc.agreements[0].Tier = "gold" }, trust.UnknownTier},
	{"R30 tier needs a sender constraint", func(sc *scene) { sc.agreements[0].Tier = trust.High }, trust.SenderConstraint},
	{"R30 tier needs a sender constraint, and has it", func(sc *scene) { constrain(sc); bind(sc, "certificate") }, trust.Permit},
	{"tier needs a sender constraint, a certificate that is not the token's", func(sc *scene) {
		constrain(sc)
		sc.shown = &evidence.Shown{Certificate: []byte("certificate")}
	}, trust.SenderConstraint},
	{"class's tier needs a sender constraint", func(sc *scene) { retier(sc, trust.Human, trust.High) }, trust.SenderConstraint},
	{"tier has a constraint of an unknown word", func(sc *scene) { tier(sc, func(t *framework.TierRule) { t.SenderConstraint = "sometimes" }) }, trust.SenderConstraint},
	{"tier needs attestation", func(sc *scene) { tier(sc, func(t *framework.TierRule) { t.Attestation = "workload" }) }, trust.TierAttestation},
	{"tier needs attestation, and has it", func(sc *scene) {
		tier(sc, func(t *framework.TierRule) { t.Attestation = "workload" })
		sc.claim(object{"attested": "yes"})
	}, trust.Permit},
	{"workload of a named subject", func(sc *scene) { robot(sc, "robot-1") }, trust.Permit},
	{"workload of another subject", func(sc *scene) { robot(sc, "robot-2") }, trust.SubjectNotCovered},
}

// possessing is the deviations of a token that is bound to a key.
var possessing = []deviation{
	{"R15 bound to a key, with its proof", func(sc *scene) { prove(sc, nil) }, trust.Permit},
	{"R15 bound to a key, as bearer", func(sc *scene) { prove(sc, nil); sc.prove = nil }, trust.ProofMissing},
	{"R15 with another's key", func(sc *scene) { prove(sc, nil); sc.claim(object{"cnf": object{"jkt": hash("another")}}) }, trust.ProofKey},
	{"proof beside a bearer's token", func(sc *scene) { prove(sc, nil); sc.claim(object{"cnf": nil}) }, trust.ProofUnbound},
	{"proof without jti", func(sc *scene) { prove(sc, object{"jti": nil}) }, trust.ProofBroken},
	{"proof for another token", func(sc *scene) { prove(sc, object{"ath": hash("another")}) }, trust.ProofToken},
	{"proof for another method", func(sc *scene) { prove(sc, object{"htm": "PUT"}) }, trust.ProofRequest},
	{"proof for another URL", func(sc *scene) { prove(sc, object{"htu": letters}) }, trust.ProofRequest},
	{"proof a minute old", func(sc *scene) { prove(sc, object{"iat": now - 60}) }, trust.ProofTime},
	{"proof used before", func(sc *scene) { prove(sc, nil); sc.observed.ProofReplayed = true }, trust.ProofReplayed},
	{"proof beyond the quota", func(sc *scene) { prove(sc, nil); sc.observed.QuotaFull = true }, trust.QuotaFull},
	{"single use beyond the quota", func(sc *scene) { sc.idToken(); sc.line().SingleUse = true; sc.observed.QuotaFull = true }, trust.QuotaFull},
	{"quota full, nothing to use up", func(sc *scene) { sc.observed.QuotaFull = true }, trust.Permit},
	{"ID token and proof used up together", func(sc *scene) { sc.idToken(); sc.line().SingleUse = true; prove(sc, nil) }, trust.Permit},
	{"ID token used before, proof not", func(sc *scene) {
		sc.idToken()
		sc.line().SingleUse = true
		prove(sc, nil)
		sc.observed.Replayed = true
	}, trust.Replayed},
	{"R81 session that is watched", func(sc *scene) { sc.request.Session, sc.observed.Watched = true, true }, trust.Permit},
	{"R81 session that nobody watches", func(sc *scene) { sc.request.Session = true }, trust.Unwatched},
	{"stale nonce", func(sc *scene) { prove(sc, object{"nonce": "n"}); sc.observed.Nonce = decision.StaleNonce }, trust.NonceStale},
	{"fresh nonce", func(sc *scene) { prove(sc, object{"nonce": "n"}); sc.observed.Nonce = decision.FreshNonce }, trust.Permit},
	{"tier needs a nonce", func(sc *scene) { constrain(sc); prove(sc, nil) }, trust.NonceMissing},
	{"R30 tier needs a nonce, and has it", func(sc *scene) {
		constrain(sc)
		prove(sc, object{"nonce": "n"})
		sc.observed.Nonce = decision.FreshNonce
	}, trust.Permit},
	{"bound to both, and both shown", func(sc *scene) { prove(sc, nil); boundTwice(sc); certify(sc) }, trust.Permit},
	{"bound to both, certificate not shown", func(sc *scene) { prove(sc, nil); boundTwice(sc) }, trust.ProofMissing},
}

// prove binds the token to the one key, and shows a proof for it whose claims
// are changed.
func prove(sc *scene, change object) {
	sc.claim(object{"cnf": object{"jkt": key().Key().Thumbprint()}})
	sc.prove = func(token []byte) {
		claims := object{"jti": "3f9a", "htm": "GET", "htu": records + "/42", "iat": now, "ath": hash(string(token))}
		maps.Copy(claims, change)
		maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
		header := object{"typ": "dpop+jwt", "alg": "ES256", "jwk": key().Key()}
		input := base64.RawURLEncoding.EncodeToString(must(canonical.Marshal(header))) + "." + base64.RawURLEncoding.EncodeToString(must(canonical.Marshal(claims)))
		proof := input + "." + base64.RawURLEncoding.EncodeToString(must(key().Sign([]byte(input))))
		sc.shown = &evidence.Shown{DPoP: []byte(proof), Method: "GET", URL: records + "/42"}
	}
}

func boundTwice(sc *scene) {
	sc.claim(object{"cnf": object{"jkt": key().Key().Thumbprint(), "x5t#S256": hash("certificate")}})
}

func certify(sc *scene) {
	proves := sc.prove
	sc.prove = func(token []byte) {
		proves(token)
		sc.shown.Certificate = []byte("certificate")
	}
}

func hash(data string) string {
	sum := sha256.Sum256([]byte(data))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// bind binds the token to a certificate, which is shown.
func bind(sc *scene, certificate string) {
	sc.claim(object{"cnf": object{"x5t#S256": hash(certificate)}})
	sc.shown = &evidence.Shown{Certificate: []byte(certificate)}
}

func constrain(sc *scene) {
	tier(sc, func(t *framework.TierRule) { t.SenderConstraint = framework.SenderConstraintRequired })
}

func retier(sc *scene, c trust.Class, t trust.Tier) {
	rule := sc.framework.Classes[c]
	rule.Tier = t
	sc.framework.Classes[c] = rule
}

func tier(sc *scene, change func(*framework.TierRule)) {
	rule := sc.framework.Tiers[trust.Standard]
	change(&rule)
	sc.framework.Tiers[trust.Standard] = rule
}

// robot makes the caller a workload, which local policy lets read.
func robot(sc *scene, subject string) {
	sc.claim(object{"kind": "workload", "attested": "yes", "sub": subject, "auth_time": nil})
	sc.mappings = append(sc.mappings, mapping.Document{Kind: "Mapping", Name: "robots", Agreement: "rxw-staff-at-rje",
		From: mapping.From{Class: trust.Workload}, To: "robot", Expires: ends})
	sc.policy += `@id("robots") permit (principal is Workload in Role::"robot", action, resource);`
}

var weighing = []deviation{
	{"partner at the bound", func(sc *scene) { sc.observed.PartnerAge = 60 }, trust.Permit},
	{"R78 partner behind the bound", func(sc *scene) { sc.observed.PartnerAge = 61 }, trust.Stale},
	{"transmitter silent", func(sc *scene) { sc.observed.FeedAge = decision.FeedBound(sc.snapshot()) + 1 }, trust.FeedSilent},
	{"transmitter never heard", func(sc *scene) { sc.observed.FeedAge = -1 }, trust.FeedSilent},
	{"transmitter heard", func(sc *scene) { sc.observed.FeedAge = 1 }, trust.Permit},
	{"agreement of the basic tier keeps the class's bound", func(sc *scene) { sc.agreements[0].Tier = trust.Basic; sc.observed.PartnerAge = 61 }, trust.Stale},
	{"partner never proven", func(sc *scene) { sc.observed.PartnerAge = -1 }, trust.NeverProven},
	{"far ahead of the partners", happened(edge.ClockAhead{Seconds: 31}), trust.ClockAhead},
	{"far ahead, and an operator accepted it", both(happened(edge.ClockAhead{Seconds: 31}), happened(edge.ClockAccepted{Seconds: 31, By: "op"})), trust.Permit},
	{"a partner proved that entries are lost", happened(edge.LossProven{By: r0a, Lane: edge.Safety, N: 7}), trust.LedgerLost},
	{"lost entries are not fetched back from somebody else", happened(edge.Reopened{Epoch: 2, Partners: []trust.ParticipantID{r0a}}), trust.Recovering},
	{"they are", both(happened(edge.Reopened{Epoch: 2, Partners: []trust.ParticipantID{r0a}}), happened(edge.Restored{From: r0a})), trust.Permit},
	{"they are, and the edge is not resumed", both(happened(edge.Reopened{Epoch: 2, Partners: []trust.ParticipantID{rxw}}), happened(edge.Restored{From: rxw})), trust.EdgeBroken},
	{"a partner speaks in another epoch", happened(edge.EpochHeld{From: rxw, Epoch: 2}), trust.EdgeBroken},
	{"nobody has confirmed the time", func(sc *scene) { sc.observed.Unsure = true }, trust.ClockUnsure},
	{"edge broken", happened(edge.Broken{From: rxw, Lane: edge.Safety, Rule: "content"}), trust.EdgeBroken},
	{"R44 another edge broken", happened(edge.Broken{From: r0a, Lane: edge.Safety, Rule: "content"}), trust.Permit},
	{"session revoked by a signal", marked(signal.Mark{SignedIn: now}), trust.SessionOver},
	{"claims changed by a signal", marked(signal.Mark{Issued: now}), trust.ClaimsChanged},
	{"disabled by a signal", marked(signal.Mark{Account: signal.Switch{At: now, Off: true}}), trust.SubjectDisabled},
	{"enabled by a signal", marked(signal.Mark{Account: signal.Switch{At: now}}), trust.Permit},
	{"device not compliant by a signal", marked(signal.Mark{Device: signal.Switch{At: now, Off: true}}), trust.DeviceUnfit},
	{"risk high by a signal", marked(signal.Mark{Risk: signal.Switch{At: now, Off: true}}), trust.RiskTooHigh},
	{"subject revoked", revoked(revocation.Target{Kind: revocation.Subject, Subject: trust.SubjectKey{7, 15, 3}, Engagement: 1}), trust.SubjectRevoked},
	{"another subject revoked", revoked(revocation.Target{Kind: revocation.Subject, Subject: trust.SubjectKey{7, 15, 4}, Engagement: 1}), trust.Permit},
	{"token of an earlier engagement", func(sc *scene) { rehired(sc, now-59) }, trust.EngagementEnded},
	{"token of the new engagement", func(sc *scene) { rehired(sc, now-60) }, trust.Permit},
	{"key revoked", func(sc *scene) {
		revoked(revocation.Target{Kind: revocation.Key, Issuer: idp, Thumbprint: key().Key().Thumbprint()})(sc)
	}, trust.KeyRevoked},
	{"issuer revoked", revoked(revocation.Target{Kind: revocation.Issuer, Issuer: idp}), trust.IssuerRevoked},
	{"another issuer revoked", revoked(revocation.Target{Kind: revocation.Issuer, Issuer: idp2}), trust.Permit},

	{"no mapping", func(sc *scene) { sc.mappings = nil }, trust.NoMapping},
	{"mapping not approved", dropped[mapping.Approved], trust.NoMapping},
	{"mapping closed", happened(mapping.Closed{Name: "rxw-nurse", By: "admin"}), trust.NoMapping},
	{"mapping expired this second", func(sc *scene) { sc.mappings[0].Expires = trust.Instant(now) }, trust.NoMapping},
	{"mapping expires in a second", func(sc *scene) { sc.mappings[0].Expires = trust.Instant(now + 1) }, trust.Permit},
	{"R45 role that no mapping knows", func(sc *scene) { sc.claim(object{"selected_roleid": "444"}) }, trust.NoMapping},
	{"R45 no selected role", func(sc *scene) { sc.claim(object{"selected_roleid": nil}) }, trust.NoMapping},
	{"role attribute not released", func(sc *scene) { sc.agreements[0].Attributes = nil }, trust.NoMapping},
	{"attribute path that does not parse", func(sc *scene) { sc.agreements[0].Attributes[0].From = "nhsid_nrbac_roles[" }, trust.NoMapping},
	{"role that the line does not accept", func(sc *scene) { sc.line().Roles = []string{"R0002"} }, trust.RoleNotCovered},
	{"action that needs an approval", privileged(nil), trust.ApprovalPending},
	{"another action needs an approval", func(sc *scene) { sc.line().Approval = &agreement.Approval{Actions: []trust.Action{"write"}, People: 2} }, trust.Permit},

	{"no local policy", dropped[policy.Applied], trust.NoPolicy},
	{"empty local policy", func(sc *scene) { sc.policy = "" }, trust.NoPolicy},
	{"R17 policy replaced", happened(policy.Applied{Source: `permit (principal is Agent, action, resource);`, Hash: "1"}), trust.PolicyDenies},
	{"ward of another", func(sc *scene) { sc.request.Properties = object{"ward": "w9"} }, trust.PolicyDenies},
	{"ward not stated", func(sc *scene) { sc.request.Properties = nil }, trust.PolicyDenies},
	{"ward stated by a point that may not", func(sc *scene) { sc.service.Resources["WardRecord"] = nil }, trust.PolicyDenies},
	{"wards not released", func(sc *scene) { sc.agreements[0].Attributes = sc.agreements[0].Attributes[:1] }, trust.PolicyDenies},
	{"R14 one attribute changed", func(sc *scene) { sc.claim(object{"ward_ids": []any{"w8"}}) }, trust.PolicyDenies},
	{"break-glass purpose", func(sc *scene) { sc.request.Purpose = "BTG" }, trust.BreakGlassNotAgreed},
	{"R41 local forbid beats the agreement", func(sc *scene) { sc.request.ResourceID = "vip" }, trust.PolicyForbid},
	{"R22 workload of the image that policy names", built("sha256:11", true), trust.Permit},
	{"R14 R22 the digest changed", built("sha256:12", true), trust.PolicyForbid},
	{"R22 no digest", built(nil, true), trust.PolicyForbid},
	{"R22 digest in a list", built([]any{"sha256:11"}, true), trust.PolicyForbid},
	{"R22 digest not released as context", built("sha256:11", false), trust.PolicyForbid},
	{"forbid that fails", func(sc *scene) { sc.request.ResourceID = "careless" }, trust.PolicyError},
}

// built makes the caller a workload that may read from one image alone.
func built(image any, context bool) func(*scene) {
	return func(sc *scene) {
		robot(sc, "robot-1")
		sc.agreements[0].Attributes = append(sc.agreements[0].Attributes,
			agreement.Attribute{Name: "image_digest", From: "build.image", Purpose: "supply chain", Context: context})
		sc.policy += `@id("image") forbid (principal is Workload, action, resource) unless { context has image_digest && context.image_digest == "sha256:11" };`
		sc.claim(object{"build": object{"image": image}})
	}
}

func rehired(sc *scene, since int64) {
	who := trust.SubjectKey{7, 15, 3}
	sc.more = append(sc.more,
		revocation.Revoked{Target: revocation.Target{Kind: revocation.Subject, Participant: rxw, Subject: who, Engagement: 1}, From: rxw},
		revocation.EngagementOpened{Participant: rxw, Subject: who, Engagement: 2, Since: since, From: rxw},
		revocation.EngagementApproved{Subject: who, Engagement: 2, By: "admin"})
}

func deviations() []deviation {
	return slices.Concat(identifying, authenticating, excepting, witnessing, brokering, possessing, classifying, linking, weighing, suspending, disputing, ordering, delegating, approving, glassBreaking, adopting)
}

func TestEveryDeviationHasItsReason(t *testing.T) {
	for _, c := range deviations() {
		t.Run(c.name, func(t *testing.T) {
			sc := newScene()
			c.change(sc)
			s := sc.snapshot()
			ev := sc.verify(s)
			d := decision.Decide(s, sc.observed, ev, sc.request)
			if d.Reason != c.want || d.Permit != (c.want == trust.Permit) {
				t.Fatalf("decision is %s (permit %t), want %s", d.Reason, d.Permit, c.want)
			}
			checkShape(t, d)
			checkExplained(t, d, decision.Explain(s, sc.observed, ev, sc.request))
			checkRecorded(t, sc, s, ev, d)
		})
	}
}

// checkShape: one check decided, by the reason's own name; those before it did
// not fail, those behind it were not reached.
func checkShape(t *testing.T, d decision.Decision) {
	t.Helper()
	for i, c := range d.Checks {
		switch {
		case i < d.Decided && c.Result == decision.Failed, i > d.Decided && c.Result != decision.NotReached, c.Text != "",
			i == d.Decided && c.Result == decision.NotReached:
			t.Errorf("check %s is %+v, decided was check %d", c.Name, c, d.Decided)
		}
	}
	if d.Permit {
		return
	}
	prefix, _, _ := strings.Cut(string(d.Reason), ".")
	if name := decision.Names[d.Decided]; !strings.HasSuffix(name, prefix) {
		t.Errorf("reason %s was given by the check %s", d.Reason, name)
	}
	if d.TTL != 0 {
		t.Errorf("a denial may be relied on for %d s", d.TTL)
	}
}

// checkExplained: explaining decides the same, and has a text for every line.
func checkExplained(t *testing.T, d, explained decision.Decision) {
	t.Helper()
	if explained.Reason != d.Reason || explained.Decided != d.Decided || explained.Permit != d.Permit || explained.TTL != d.TTL {
		t.Errorf("explained as %s at %d, decided as %s at %d", explained.Reason, explained.Decided, d.Reason, d.Decided)
	}
	for i, c := range explained.Checks {
		if c.Text == "" || strings.Contains(c.Text, "%!") || strings.Contains(c.Text, "910000000001") || strings.Contains(c.Text, "Amara") {
			t.Errorf("line %s reads %q", c.Name, c.Text)
		}
		if i <= d.Decided && (c.Result != d.Checks[i].Result || c.Reason != d.Checks[i].Reason) {
			t.Errorf("line %s is %s %s, was %s %s", c.Name, c.Result, c.Reason, d.Checks[i].Result, d.Checks[i].Reason)
		}
	}
}
