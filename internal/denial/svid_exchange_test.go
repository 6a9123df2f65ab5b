package denial_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/trust"
)

// An SVID is exchanged by the rules by which it is decided on; every bad one gets
// the bytes that rubbish gets.
func TestExchangeOfSVIDs(t *testing.T) {
	w := newDomains(t)
	h := oauth.New(w.host)
	var asked tally
	uniform := w.exchanged(h, evidence.JWTSVID, "rubbish").Body.String()
	each(t, slices.Concat(joseCases(w.form()), w.subjectCases(), w.timesOfSVIDs(), claimCases([]string{"aud"}, []string{"iat", "exp"}, []string{"nbf"}),
		audienceCases(w.ward.Audience, trust.AudienceForeign), w.domainCases()), func(s spoil) {
		asked.one("exchange")
		answer := w.exchanged(h, evidence.JWTSVID, w.spoiled(s.do).token())
		var told struct {
			Token string `json:"access_token"`
		}
		err := json.Unmarshal(answer.Body.Bytes(), &told)
		switch {
		case s.want != "":
			if answer.Code != http.StatusBadRequest || answer.Body.String() != uniform {
				t.Errorf("%s: %s: answered %d %s, rubbish gets %s", s.rule, s.name, answer.Code, answer.Body, uniform)
			}
		case err != nil || answer.Code != http.StatusOK || told.Token == "":
			t.Errorf("%s: %s: answered %d %s", s.rule, s.name, answer.Code, answer.Body)
		default:
			if reason, err := w.decided(evidence.AccessToken, told.Token); reason != trust.Permit {
				t.Errorf("%s: %s: the credential gives %s (%v)", s.rule, s.name, reason, err)
			}
		}
	})
	leaf := w.prod.authorities[0].leaf(w.prod.id.String()+"/ward/sync", nil)
	if answer := w.exchanged(h, evidence.X509SVID, pemOf(leaf)); answer.Code != http.StatusBadRequest || answer.Body.String() != uniform {
		t.Errorf("certificates that nobody shows are answered %d %s", answer.Code, answer.Body)
	}
	asked.report(t)
}
