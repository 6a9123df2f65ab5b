package decision_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"sync"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/policy"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

var (
	rxw = org("rxw") // home
	rje = org("rje") // this node, host
	r0a = org("r0a") // somebody else

	idp  = must(trust.ParseIssuerID("https://idp.rxw.example"))
	idp2 = must(trust.ParseIssuerID("https://idp2.rxw.example"))
	cis2 = must(trust.ParseIssuerID("https://cis2.example"))

	ends = must(trust.ParseInstant("2027-03-31T12:00:00Z")) // of the agreement
	now  = int64(must(trust.ParseInstant("2026-11-22T09:41:07Z")))
)

const (
	records  = "https://records.rje.example"
	letters  = "https://letters.rje.example"
	nurse    = "S8000:G8000:R8001"
	nurseKey = "k-2026-11"
)

// key is the one key that every issuer of the test world signs with.
var key = sync.OnceValue(func() jose.Signer {
	return must(jose.NewSigner(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), nurseKey))
})

func org(name string) trust.ParticipantID {
	return must(trust.ParseParticipantID("https://trust." + name + ".example"))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type object = map[string]any

// scene is a world in which a nurse of rxw may read a ward record at rje, and
// her request. A test changes one thing in it.
type scene struct {
	framework  framework.Document
	issuers    []participant.Issuer // of rxw
	own        []participant.Issuer // of rje
	service    service.Document
	other      service.Document // a second service of rje
	agreements []agreement.Document
	stage      agreement.Stage
	mappings   []mapping.Document
	policy     string
	drop       func(trust.Event) bool // which events never happened
	more       []trust.Event          // what happened last

	claims   object
	header   string // typ
	kind     evidence.Kind
	token    []byte // instead of one made of claims
	chain    *chainOf
	shown    *evidence.Shown
	prove    func(token []byte) // sets shown for the token
	grant    *evidence.Grant    // as of a credential of our own
	exempt   *evidence.Exemption
	vouched  bool // by the partner's node, in a grant
	observed decision.Observed
	request  decision.Request
}

func newScene() *scene {
	return &scene{
		framework: rules(), service: wardRecords(), other: letterBox(), agreements: []agreement.Document{staffAgreement()},
		issuers: []participant.Issuer{
			{Issuer: idp, JWKSURI: idp.String() + "/jwks", Classes: classes()},
			{Issuer: idp2, JWKSURI: idp2.String() + "/jwks", Classes: classes()},
			{Issuer: cis2, Discriminator: &participant.Discriminator{Claim: "org_code", Value: "RXW"}, Classes: classes()},
		},
		stage: agreement.Active,
		mappings: []mapping.Document{{
			Kind: "Mapping", Name: "rxw-nurse", Agreement: "rxw-staff-at-rje", To: "ward-reader", Expires: ends,
			From: mapping.From{Class: trust.Human, Attribute: "role_code", Equals: nurse},
		}},
		policy: localPolicy,
		drop:   func(trust.Event) bool { return false },
		kind:   evidence.AccessToken, header: "at+jwt", claims: nurseClaims(),
		observed: decision.Observed{Now: now, Subject: trust.SubjectKey{7, 15, 3}, PartnerAge: 12, StatementAge: 720, StatementEnd: now + 3600},
		request: decision.Request{
			EnforcementPoint: "nginx-1", SubjectID: "0", Action: "read", ResourceType: "WardRecord", ResourceID: "42",
			Properties: object{"ward": "w7", "secret": "x"}, Purpose: "TREAT",
		},
	}
}

func classes() []participant.ClassRule {
	return []participant.ClassRule{
		{Class: trust.Agent, Claim: "kind", Equals: "agent"}, {Class: trust.Workload, Claim: "kind", Equals: "workload"},
		{Class: trust.ServiceAccount, Claim: "kind", Equals: "service"}, {Class: trust.Human, Claim: "org_code", Equals: "RXW"},
	}
}

func nurseClaims() object {
	return object{
		"iss": idp.String(), "sub": "910000000001", "aud": records, "client_id": "ward-app", "jti": "9f2c", "iat": now - 60, "exp": now + 214,
		"auth_time": now - 6*3600, "org_code": "RXW", "ward_ids": []any{"w7", "w8"}, "selected_roleid": "555", "name": "Amara N",
		"nhsid_nrbac_roles":  []any{object{"person_roleid": "444", "role_code": "R0001"}, object{"person_roleid": "555", "role_code": nurse}},
		"id_assurance_level": "3", "authentication_assurance_level": "3",
	}
}

func rules() framework.Document {
	medium := map[framework.Ladder]framework.Level{framework.Identity: "medium", framework.Authentication: "substantial"}
	attested := map[framework.Ladder]framework.Level{framework.Attestation: "workload"}
	return framework.Document{
		Kind: "Framework", Name: "northern-health", Version: 7, Previous: "00", Expires: must(trust.ParseInstant("2027-06-30T12:00:00Z")),
		Governance: framework.Governance{Authority: r0a, Threshold: 1},
		Assurance: framework.Assurance{
			Identity: []framework.Level{"none", "low", "medium", "high"}, Authentication: []framework.Level{"none", "low", "substantial", "high"},
			Attestation: []framework.Level{"none", "workload"},
			Mapping: []framework.LevelRule{
				{Claim: "id_assurance_level", Equals: "3", Gives: map[framework.Ladder]framework.Level{framework.Identity: "high"}},
				{Claim: "authentication_assurance_level", Equals: "3", Gives: map[framework.Ladder]framework.Level{framework.Authentication: "high"}},
				{Claim: "authentication_assurance_level", Equals: "2", Gives: map[framework.Ladder]framework.Level{framework.Authentication: "substantial"}},
				{Claim: "attested", Equals: "yes", Gives: attested},
			},
		},
		Tiers: map[trust.Tier]framework.TierRule{
			trust.High:     {MaxStaleness: 10, RemovalTarget: 1, MaxCredentialTTL: 300, SenderConstraint: framework.SenderConstraintRequired, Attestation: "workload"},
			trust.Standard: {MaxStaleness: 60, RemovalTarget: 5, MaxCredentialTTL: 900, SenderConstraint: framework.SenderConstraintWhenOffered},
			trust.Basic:    {MaxStaleness: 300, RemovalTarget: 30, MaxCredentialTTL: 1800},
		},
		Classes: map[trust.Class]framework.ClassRule{
			trust.Human:          {Needs: medium, MaxTokenLifetime: 900, MaxAuthAge: 12 * 3600, Tier: trust.Standard},
			trust.ServiceAccount: {Needs: map[framework.Ladder]framework.Level{framework.Authentication: "substantial"}, MaxTokenLifetime: 900, Tier: trust.Basic},
			trust.Workload:       {Needs: attested, MaxTokenLifetime: 600, Tier: trust.Basic},
			trust.Agent:          {Needs: attested, MaxTokenLifetime: 300, Principal: framework.Required, Tier: trust.High},
		},
		Issuers: []framework.NationalIssuer{{Issuer: cis2, JWKSURI: cis2.String() + "/jwks", Discriminator: "org_code"}},
	}
}

func wardRecords() service.Document {
	return service.Document{Kind: "Service", Name: "ward-records", Audience: records, EnforcementPoint: "nginx-1",
		Resources: map[trust.ResourceType][]string{"WardRecord": {"ward"}}}
}

func letterBox() service.Document {
	return service.Document{Kind: "Service", Name: "letters", Audience: letters, EnforcementPoint: "nginx-2",
		Resources: map[trust.ResourceType][]string{"Letter": {}}}
}

func staffAgreement() agreement.Document {
	line := func(class trust.Class, roles ...string) agreement.Accept {
		return agreement.Accept{Class: class, Issuers: []trust.IssuerID{idp, cis2}, Audience: records, Roles: roles,
			Purposes: []trust.Purpose{"BTG", "TREAT"}, Actions: []trust.Action{"read"}, Resources: []agreement.ResourceScope{{Type: "WardRecord"}}}
	}
	staff := line(trust.Human, nurse)
	staff.Needs = map[framework.Ladder]framework.Level{framework.Authentication: "high"}
	robot := line(trust.Workload)
	robot.Subjects = []string{"robot-1"}
	return agreement.Document{
		Kind: "Agreement", Name: "rxw-staff-at-rje", Home: rxw, Host: rje, Tier: trust.Standard, Ends: ends, ReviewEvery: 90 * 86400,
		Accepts: []agreement.Accept{staff, robot},
		Attributes: []agreement.Attribute{
			{Name: "role_code", From: "nhsid_nrbac_roles[person_roleid=$selected_roleid].role_code", Purpose: "role mapping"},
			{Name: "wards", From: "ward_ids", Purpose: "ward check"},
		},
	}
}

const localPolicy = `
@id("ward-read")
permit (principal is Human in Role::"ward-reader", action == Action::"read", resource is WardRecord)
when { context.purpose == "TREAT" && principal has wards && resource has ward && principal.wards.contains(resource.ward) };

@id("no-vip")
forbid (principal, action, resource == WardRecord::"vip");

@id("careless")
forbid (principal, action, resource == WardRecord::"careless") when { resource.secret == "x" };
`

// events is the whole trust log of the scene.
func (sc *scene) events() []trust.Event {
	signed := must(canonical.Marshal(sc.framework))
	hash := sha256.Sum256([]byte(sc.policy))
	log := []trust.Event{
		participant.Born{Card: card(rje)},
		framework.Adopted{Signed: framework.Signed{Bytes: signed}, Hash: framework.Hash(signed), Version: sc.framework.Version, By: "admin"},
		participant.Confirmed{Card: card(rxw), By: "admin"},
		participant.Confirmed{Card: card(r0a), By: "admin"},
		participant.Declared{Issuers: sc.own, By: "admin"},
		participant.Stated{Participant: rxw, Issuers: sc.issuers, Expires: now + 3600},
	}
	for _, issuer := range append(sc.issuers, sc.own...) {
		address := issuer.JWKSURI
		for _, national := range sc.framework.Issuers {
			if national.Issuer == issuer.Issuer {
				address = national.JWKSURI
			}
		}
		log = append(log, participant.KeysSeen{Issuer: issuer.Issuer, Address: address, Keys: keys()})
	}
	log = append(log,
		service.EnforcementPointAdded{Name: "nginx-1", Credential: make([]byte, 32), By: "admin"},
		service.EnforcementPointAdded{Name: "nginx-2", Credential: []byte("another credential, of 32 bytes "), By: "admin"},
		service.Registered{Document: sc.service, By: "admin"},
		service.Registered{Document: sc.other, By: "admin"},
		policy.Applied{Source: sc.policy, Hash: hex.EncodeToString(hash[:]), By: "admin"},
	)
	for i, d := range sc.agreements {
		log = append(log, sc.agree(agreementID(i), d)...)
	}
	for _, d := range sc.mappings {
		log = append(log, mapping.Offered{Document: d, Agreement: agreementID(0), By: "admin"}, mapping.Approved{Name: d.Name, By: "l.marsh"})
	}
	return append(log, sc.more...)
}

// keys is the key set that every issuer of the test world publishes.
func keys() []byte { return must(canonical.Marshal(object{"keys": []jose.Key{key().Key()}})) }

func agreementID(i int) string { return "0123456789abcdef0123456789abcde" + string(rune('0'+i)) }

// agree gives the events of an agreement up to the scene's stage.
func (sc *scene) agree(id string, d agreement.Document) []trust.Event {
	text, hash, err := agreement.Render(agreement.Revision{ID: id, Revision: 1, Framework: "00", Proposer: rxw, Document: d})
	all := []trust.Event{
		agreement.Offered{Bytes: must(text, err), Hash: hash, From: rxw},
		agreement.Countersigned{ID: id, Hash: hash, By: "admin"},
		agreement.Moved{ID: id, To: agreement.Active, By: "admin"},
		agreement.Moved{ID: id, To: sc.stage, By: "admin"},
	}
	switch sc.stage {
	case agreement.Proposed:
		return all[:1]
	case agreement.Agreed:
		return all[:2]
	case agreement.Active:
		return all[:3]
	default:
		return all
	}
}

func card(id trust.ParticipantID) participant.SignedCard {
	return participant.SignedCard{Bytes: must(canonical.Marshal(participant.Card{Kind: "Card", ID: id, Name: id.String(), Keys: []participant.KeyRecord{},
		TrustOrigin: id.String() + "/trust", DecisionOrigin: id.String() + "/decisions", Issued: trust.Instant(now)}))}
}

// snapshot folds the scene's log.
func (sc *scene) snapshot() *state.Snapshot {
	s := &state.Snapshot{}
	for _, e := range sc.events() {
		if !sc.drop(e) {
			s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: s.At.Position.N + 1}, At: now - 1000})
		}
	}
	return s
}

// verify gives what the caller brought, judged.
func (sc *scene) verify(s *state.Snapshot) decision.Evidence {
	token := sc.token
	if token == nil {
		token = []byte(must(jose.Sign(key(), sc.header, sc.claims)))
	}
	if len(token) == 0 {
		return decision.Evidence{}
	}
	if sc.prove != nil {
		sc.prove(token)
	}
	proofs := []evidence.Proof{{Kind: sc.kind, Token: token, Shown: sc.shown}}
	if sc.chain != nil {
		proofs = append(proofs, sc.chain.proofs(token)...)
	}
	var known evidence.Registry = s
	if sc.exempt != nil {
		known = exempting{s, *sc.exempt}
	}
	ev, once, fault := evidence.VerifyChain(proofs, known, sc.observed.Now, nil)
	if fault == nil {
		ev.Grant = sc.grant
		if sc.vouched {
			ev.Kind, ev.Peer, ev.Namespace = evidence.IDJAG, rxw.String(), evidence.Pairwise
			once = []trust.Once{{Expires: ev.ExpiresAt, Edge: ev.Participant}}
		}
	}
	return decision.Evidence{Evidence: ev, Once: once, Fault: fault}
}

func (sc *scene) decide() decision.Decision {
	s := sc.snapshot()
	return decision.Decide(s, sc.observed, sc.verify(s), sc.request)
}

// claim changes claims of the token; a nil value takes one away.
func (sc *scene) claim(change object) {
	maps.Copy(sc.claims, change)
	maps.DeleteFunc(sc.claims, func(_ string, v any) bool { return v == nil })
}

// idToken turns the proof into an ID token.
func (sc *scene) idToken() { sc.kind, sc.header = evidence.IDToken, "JWT" }

func (sc *scene) line() *agreement.Accept { return &sc.agreements[0].Accepts[0] }

func TestTheNurseMayRead(t *testing.T) {
	d := newScene().decide()
	if !d.Permit || d.Reason != trust.Permit || d.Decided != decision.Obligations || d.Tier != trust.Standard || d.MaxAge != 60 ||
		d.Agreement != agreementID(0) || d.AgreementName != "rxw-staff-at-rje" || d.Revision != 1 || d.FrameworkVersion != 7 ||
		len(d.Policies) != 1 || d.Policies[0] != "ward-read" || len(d.Roles) != 1 || d.Roles[0] != "ward-reader" || len(d.Burn) > 0 ||
		d.TTL != 5 || d.Bound != now+214 {
		t.Errorf("decision is %+v", d)
	}
}
