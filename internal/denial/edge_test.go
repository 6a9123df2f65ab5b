package denial_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	apiedge "github.com/entente-id/entente/api/edge"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// partner is a confirmed participant without a node: its keys are ours, so that
// it can say anything.
type partner struct {
	id      trust.ParticipantID
	host    *nodetest.Node
	home    *nodetest.Node
	signers map[participant.KeyUse][]*signer
	handler http.Handler
}

func newPartner(t *testing.T) *partner {
	t.Helper()
	w := nodetest.NewWorld(t)
	p := &partner{
		id: must(trust.ParseParticipantID("https://trust.rgh.example")), signers: map[participant.KeyUse][]*signer{},
		home: w.New("trust.rxw.example", nodetest.HomeRoles()...), host: w.New("trust.rje.example", nodetest.HostRoles()...),
	}
	signed := w.Sign(w.Rules(p.home, p.host), p.home, p.host)
	p.host.Adopt(signed)
	p.home.Adopt(signed)
	w.Introduce(p.home, p.host)
	now := p.host.Now()
	window := trust.Window{NotBefore: now - 60, NotAfter: now + 86400}
	var records []participant.KeyRecord
	for _, use := range participant.KeyUses() {
		algs := []jose.Alg{jose.EdDSA}
		if use == participant.StreamKey || use == participant.StatementKey {
			algs = []jose.Alg{jose.ES256, jose.EdDSA, jose.MLDSA44}
		}
		for _, alg := range algs {
			s := newSigner(alg, string(use)+"-"+string(alg), false)
			p.signers[use] = append(p.signers[use], s)
			records = append(records, participant.KeyRecord{Use: use, Key: s.key, Window: window})
		}
	}
	// A key that has retired, and one that is not yet in use.
	for i, window := range []trust.Window{{NotBefore: now - 600, NotAfter: now - 300}, {NotBefore: now + 3600, NotAfter: now + 7200}} {
		s := newSigner(jose.ES256, fmt.Sprintf("dated-%d", i), false)
		p.signers["dated"] = append(p.signers["dated"], s)
		records = append(records, participant.KeyRecord{Use: participant.StreamKey, Key: s.key, Window: window})
	}
	governance := newSigner(jose.EdDSA, "governance", false)
	p.signers["governance"] = []*signer{governance}
	card := must(participant.DraftCard(participant.Card{
		Kind: "Card", ID: p.id, Name: "rgh", GovernanceKey: governance.key.GovernanceText(), Endpoint: "https://trust.rgh.example:8443",
		TrustOrigin: "rgh/trust", DecisionOrigin: "rgh/decisions", Keys: records, Issued: trust.Instant(now), Demo: true,
	}))
	invitation := participant.Invitation{Card: must(participant.SignCard(governance, card)), Framework: framework.Hash(signed.Bytes)}
	_, err := p.host.Confirm(t.Context(), p.host.Admin, invitation, must(participant.Fingerprint(invitation)))
	check(t, err)
	p.handler = apiedge.New(p.host.Node, func(context.Context) trust.ParticipantID { return p.id })
	return p
}

// message is a good one with this content, the next of its lane.
func (p *partner) message(lane edge.Lane, kind string, content any) *draft {
	s := p.signers[participant.StreamKey][0]
	_, last := p.host.State().Edge.Position(p.id, lane)
	return &draft{
		header: object{"alg": string(s.key.Alg()), "kid": s.key.KeyID(), "typ": "secevent+jwt"}, signer: s,
		claims: object{
			"iss": p.id.String(), "aud": p.host.ID.String(), "iat": p.host.Now(), "jti": fmt.Sprint(serial.Add(1)),
			"edge":   object{"epoch": 1, "lane": string(lane), "n": last + 1},
			"events": object{"urn:entente:edge:" + kind + ":1": content},
		},
	}
}

// deliver pushes a message as the partner that mutual TLS proved.
func (p *partner) deliver(token string) (status int, body string) {
	r := httptest.NewRequest(http.MethodPost, "/edge/v1/messages", strings.NewReader(token))
	r.Header.Set("Content-Type", "application/secevent+jwt")
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// What a partner sees of any refusal: it cannot be read, or it is not accepted.
const (
	unreadable  = `{"err":"invalid_request","description":"The message cannot be read."}`
	notAccepted = `{"err":"access_denied","description":"The message is not accepted from this sender."}`
)

// seenOutside is what the edge says to a fault of the JOSE layer.
func seenOutside(s spoil) string {
	switch s.want {
	case trust.UnknownKey, trust.BadSignature:
		return notAccepted
	case trust.TokenAlgorithm:
		for _, alg := range jose.ForMessage.Algs() {
			if strings.HasPrefix(s.name, string(alg)+" under") {
				return notAccepted // an algorithm of ours, and not the key's
			}
		}
	}
	return unreadable
}

// messageCases are what is wrong with a message that is signed well.
func (p *partner) messageCases() []spoil {
	c := cases{rule: "signal abuse"}
	denied := func(name string, do func(*draft)) { c.add(name, trust.UnknownKey, do) }
	bad := func(name string, do func(*draft)) { c.add(name, trust.EvidenceMalformed, do) }
	claim := func(name string, value any) func(*draft) { return func(d *draft) { put(d.claims, name, value) } }
	for how, miss := range map[string]string{"another partner": p.home.ID.String(), "the receiver": p.host.ID.String(), "a stranger": "https://trust.rcb.example"} {
		denied("iss is "+how, claim("iss", miss))
	}
	for how, miss := range map[string]string{"another partner": p.home.ID.String(), "the sender": p.id.String(), "as a host below": "https://x.trust.rje.example"} {
		denied("aud is "+how, claim("aud", miss))
	}
	for _, name := range []string{"iss", "aud"} {
		for shape, value := range map[string]any{"null": nil, "absent": absent, "empty": ""} {
			denied(name+" is "+shape, claim(name, value))
		}
		for shape, value := range map[string]any{"in capitals": "https://TRUST.rje.example", "a number": 1, "a list": []any{p.host.ID.String()}, "an object": object{}, "no URL": "x", "by http": "http://trust.rje.example", "with a slash": "https://trust.rje.example/"} {
			bad(name+" is "+shape, claim(name, value))
		}
	}
	for _, name := range []string{"iat", "jti", "edge", "events"} {
		for shape, value := range map[string]any{"absent": absent, "a list": []any{}, "true": true} {
			bad(name+" is "+shape, claim(name, value))
		}
	}
	for shape, place := range map[string]object{
		"empty": {}, "without an epoch": {"lane": "safety", "n": 1}, "without a lane": {"epoch": 1, "n": 1}, "without a number": {"epoch": 1, "lane": "safety"},
		"on a lane nobody knows": {"epoch": 1, "lane": "express", "n": 1}, "on number zero": {"epoch": 1, "lane": "safety", "n": 0}, "in epoch zero": {"epoch": 0, "lane": "safety", "n": 1},
	} {
		bad("edge is "+shape, claim("edge", place))
	}
	bad("jti is empty", claim("jti", ""))
	bad("iat is zero", claim("iat", 0))
	bad("iat is a text", claim("iat", "1790000000"))
	bad("no event", claim("events", object{}))
	bad("two events", func(d *draft) {
		d.claims["events"] = object{"urn:entente:edge:suspension:1": object{"participant": p.host.ID}, "urn:entente:edge:suspension:2": object{}}
	})
	for _, name := range []string{"exp", "sub", "nbf", "sub_id", "txn", "toe", "cnf", "act", "Iss", "extra"} {
		bad("has "+name, claim(name, 1))
	}
	for name, s := range map[string]*signer{
		"the statement key": p.signers[participant.StatementKey][0], "the token key": p.signers[participant.TokenKey][0], "the TLS key": p.signers[participant.TLSKey][0],
		"the log key": p.signers[participant.LogKey][0], "the governance key": p.signers["governance"][0], "a retired key": p.signers["dated"][0], "a key not yet in use": p.signers["dated"][1],
	} {
		denied("signed with "+name, func(d *draft) {
			d.header["alg"], d.header["kid"], d.signer = string(s.key.Alg()), s.key.KeyID(), s
		})
	}
	stream := p.home.Config.Keys.Signer(participant.StreamKey)
	denied("signed with another partner's key", func(d *draft) {
		d.header["alg"], d.header["kid"] = string(stream.Key().Alg()), stream.Key().KeyID()
		d.sign = func(in []byte) []byte { return must(stream.Sign(in)) }
	})
	return c.all
}

func (p *partner) form(use participant.KeyUse, typ string) form {
	return form{types: []string{typ, "application/" + typ}, signers: p.signers[use], maxBytes: 512 << 10}
}

func TestMessages(t *testing.T) {
	p := newPartner(t)
	content := object{"participant": p.host.ID}
	var asked tally
	for _, s := range slices.Concat(joseCases(p.form(participant.StreamKey, "secevent+jwt")), p.messageCases()) {
		if testing.Short() && t.Failed() {
			return
		}
		d := p.message(edge.Safety, "suspension", content)
		s.do(d)
		asked.one("message")
		status, body := p.deliver(d.token())
		switch want := seenOutside(s); {
		case s.want == "" && status != http.StatusAccepted:
			t.Errorf("%s: %s: answers %d %s, want 202", s.rule, s.name, status, body)
		case s.want != "" && (status != http.StatusBadRequest || strings.TrimSpace(body) != want):
			t.Errorf("%s: %s: answers %d %s, want 400 %s", s.rule, s.name, status, body, want)
		}
	}
	if status, body := p.deliver(p.message(edge.Safety, "suspension", content).token()); status != http.StatusAccepted {
		t.Errorf("the good message is refused afterwards: %d %s", status, body)
	}
	asked.report(t)
}

// A statement travels in a message. The message counts as received whatever it
// carries; the statement changes what is known of issuers, or nothing.
func TestStatements(t *testing.T) {
	p := newPartner(t)
	var asked tally
	for _, s := range slices.Concat(joseCases(p.form(participant.StatementKey, "entity-statement+jwt")), p.statementCases()) {
		if testing.Short() && t.Failed() {
			return
		}
		d := p.statement()
		iss := issuerOf(d)
		s.do(d)
		token := d.token()
		if !validText(token) {
			continue // it cannot stand in a message
		}
		asked.one("statement")
		status, body := p.deliver(p.message(edge.Governance, "statement", object{"statement": token}).token())
		if tooLong := len(token) > 300<<10; status != http.StatusAccepted && !tooLong {
			t.Errorf("%s: %s: the message is answered %d %s", s.rule, s.name, status, body)
		}
		if _, known := p.host.State().Speaker(iss); known != (s.want == "") {
			t.Errorf("%s: %s: issuer known %t", s.rule, s.name, known)
		}
	}
	asked.report(t)
}

// statement states an issuer that nobody stated before.
func (p *partner) statement() *draft {
	s := p.signers[participant.StatementKey][0]
	iss := fmt.Sprintf("https://idp-%d.rgh.example", serial.Add(1))
	now := p.host.Now()
	return &draft{
		header: object{"alg": string(s.key.Alg()), "kid": s.key.KeyID(), "typ": "entity-statement+jwt"}, signer: s,
		claims: object{
			"iss": p.id.String(), "sub": p.id.String(), "iat": now, "exp": now + 3600,
			"metadata": object{"entente_node": object{"issuers": []any{object{"issuer": iss, "jwks_uri": iss + "/jwks", "classes": []any{object{"class": "human"}}}}}},
		},
	}
}

func issuerOf(d *draft) string {
	issuers := d.claims["metadata"].(object)["entente_node"].(object)["issuers"].([]any)
	return issuers[0].(object)["issuer"].(string)
}

func (p *partner) statementCases() []spoil {
	c := cases{rule: "statements"}
	bad := func(name string, do func(*draft)) { c.add(name, trust.EvidenceMalformed, do) }
	for _, name := range []string{"iss", "sub"} {
		for how, value := range map[string]any{
			"absent": absent, "null": nil, "empty": "", "a number": 1, "a list": []any{p.id.String()}, "another partner": p.home.ID.String(), "the receiver": p.host.ID.String(),
			"with a slash": p.id.String() + "/", "in capitals": "https://TRUST.rgh.example", "by http": "http://trust.rgh.example",
		} {
			bad(name+" is "+how, func(d *draft) { put(d.claims, name, value) })
		}
	}
	now := p.host.Now()
	for how, claims := range map[string]object{
		"expired": {"iat": now - 100, "exp": now - 10}, "expires before it is issued": {"iat": now, "exp": now - 1}, "from the future": {"iat": now + 3600, "exp": now + 7200},
		"without iat": {"iat": absent}, "without exp": {"exp": absent}, "iat null": {"iat": nil}, "exp a text": {"exp": "1"}, "without metadata": {"metadata": absent}, "metadata null": {"metadata": nil},
		"with a member nobody knows": {"extra": 1}, "metadata a list": {"metadata": []any{}},
	} {
		bad(how, func(d *draft) {
			for name, value := range claims {
				put(d.claims, name, value)
			}
		})
	}
	line := func(d *draft) object {
		return d.claims["metadata"].(object)["entente_node"].(object)["issuers"].([]any)[0].(object)
	}
	for how, change := range map[string]func(object){
		"keys by http": func(o object) { o["jwks_uri"] = "http://idp.rgh.example/jwks" }, "keys by file": func(o object) { o["jwks_uri"] = "file:///etc/passwd" },
		"keys with a user": func(o object) { o["jwks_uri"] = "https://u:p@idp.rgh.example/jwks" }, "no keys": func(o object) { delete(o, "jwks_uri") },
		"no classes": func(o object) { o["classes"] = []any{} }, "an unknown class": func(o object) { o["classes"] = []any{object{"class": "robot"}} },
		"rules behind one for all": func(o object) { o["classes"] = []any{object{"class": "human"}, object{"class": "agent"}} },
		"an empty namespace":       func(o object) { o["namespaces"] = object{"org_code": []any{}} }, "a namespace of nothing": func(o object) { o["namespaces"] = object{"org_code": []any{""}} },
		"a claim without a value":    func(o object) { o["classes"] = []any{object{"class": "human", "claim": "x"}} },
		"a discriminator of its own": func(o object) { o["discriminator"] = object{"claim": "org_code", "value": "RGH"} },
	} {
		bad("issuer with "+how, func(d *draft) { change(line(d)) })
	}
	return c.all
}

func validText(s string) bool { return strings.ToValidUTF8(s, "") == s }
