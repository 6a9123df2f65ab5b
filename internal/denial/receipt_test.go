package denial_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

// account is a good statement of what the partner, as a home, has recorded.
func (p *partner) account() *draft {
	s := p.signers[participant.StreamKey][0]
	return &draft{
		header: object{"alg": string(s.key.Alg()), "kid": s.key.KeyID(), "typ": receipt.StatementType}, signer: s,
		claims: object{
			"iss": p.id.String(), "aud": p.host.ID.String(), "iat": p.host.Now(), "side": "home",
			"first": 1, "last": receipt.MaxStatement, "closed": 0, "leaves": "",
		},
	}
}

func (p *partner) state(token string) (status int, body string) {
	r := httptest.NewRequest(http.MethodPost, "/edge/v1/reconciliations", strings.NewReader(token))
	r.Header.Set("Content-Type", "application/jwt")
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (p *partner) accountCases() []spoil {
	c := cases{rule: "accounts"}
	spoiled := func(name string, claims object) {
		c.add(name, trust.EvidenceMalformed, func(d *draft) {
			for member, value := range claims {
				put(d.claims, member, value)
			}
		})
	}
	for _, name := range []string{"iss", "aud", "iat", "side", "first", "last"} {
		for shape, value := range map[string]any{"absent": absent, "null": nil, "empty": "", "a list": []any{}, "true": true} {
			spoiled(name+" is "+shape, object{name: value})
		}
	}
	now := p.host.Now()
	for name, claims := range map[string]object{
		"from another partner": {"iss": p.home.ID.String()}, "from the receiver": {"iss": p.host.ID.String()}, "for another partner": {"aud": p.home.ID.String()},
		"for the sender": {"aud": p.id.String()}, "of an hour ago": {"iat": now - 3600}, "of an hour from now": {"iat": now + 3600},
		"of a third side": {"side": "witness"}, "of the first series by its number": {"series": 1}, "of half a series": {"series": 2.5}, "from number 0": {"first": 0, "last": 5}, "backwards": {"first": 9, "last": 8}, "of too many": {"last": receipt.MaxStatement + 1},
		"with half a leaf": {"leaves": "AAAA"}, "with more leaves than numbers": {"last": 1, "leaves": strings.Repeat("A", 86) + "=="},
		"an answer": {"answers": strings.Repeat("0", 64)}, "with a member more": {"extra": 1}, "with a name in capitals": {"Side": "home"},
	} {
		spoiled(name, claims)
	}
	for name, s := range map[string]*signer{
		"the statement key": p.signers[participant.StatementKey][0], "the token key": p.signers[participant.TokenKey][0], "the governance key": p.signers["governance"][0],
		"a retired key": p.signers["dated"][0], "a key not yet in use": p.signers["dated"][1],
	} {
		c.add("signed with "+name, trust.BadSignature, func(d *draft) {
			d.header["alg"], d.header["kid"], d.signer = string(s.key.Alg()), s.key.KeyID(), s
		})
	}
	return c.all
}

// An account that is not the partner's own, signed for this node and now, is
// answered with nothing.
func TestReconciliations(t *testing.T) {
	p := newPartner(t)
	var asked tally
	for _, s := range slices.Concat(joseCases(p.form(participant.StreamKey, receipt.StatementType)), p.accountCases()) {
		if testing.Short() && t.Failed() {
			return
		}
		d := p.account()
		s.do(d)
		token := d.token()
		asked.one("account")
		var status int
		var body string
		for status = http.StatusServiceUnavailable; status == http.StatusServiceUnavailable; {
			status, body = p.state(token) // its share of a second may be used up
		}
		switch {
		case s.want == "" && status != http.StatusOK:
			t.Errorf("%s: %s: answers %d %s, want 200", s.rule, s.name, status, body)
		case s.want != "" && (status < 400 || status >= 500 || strings.Contains(body, receipt.StatementType)):
			t.Errorf("%s: %s: answers %d %s, want a refusal", s.rule, s.name, status, body)
		}
	}
	token := p.account().token()
	status, body := p.state(token)
	for status == http.StatusServiceUnavailable {
		status, body = p.state(token)
	}
	sum := sha256.Sum256([]byte(token))
	parts := strings.Split(body, ".")
	if status != http.StatusOK || len(parts) != 3 || !strings.Contains(string(must(base64.RawURLEncoding.DecodeString(parts[1]))), hex.EncodeToString(sum[:])) {
		t.Errorf("the good account is answered %d %s", status, body)
	}
	asked.report(t)
}
