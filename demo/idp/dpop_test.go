package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/entente-id/entente/demo/idp"
)

func TestBoundToken(t *testing.T) {
	tr := start(t, nil)
	holder, err := idp.NewHolder()
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := tr.With(holder).Login(t.Context(), "amara", "correct horse", records)
	if err != nil {
		t.Fatal(err)
	}
	_, claims := tr.open(t, tokens.Access, jose.ES256)
	cnf, _ := claims["cnf"].(map[string]any)
	if jkt, _ := cnf["jkt"].(string); len(jkt) != 43 || len(cnf) != 1 {
		t.Errorf("cnf is %v", claims["cnf"])
	}
	if _, claims := tr.open(t, tr.login(t).Access, jose.ES256); claims["cnf"] != nil {
		t.Errorf("a bearer's token has cnf %v", claims["cnf"])
	}
}

func TestInvalidProof(t *testing.T) {
	tr := start(t, nil)
	holder, err := idp.NewHolder()
	if err != nil {
		t.Fatal(err)
	}
	proof := func(method, url string) string {
		p, err := holder.Proof(method, url, "")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	good := proof(http.MethodPost, tr.issuer+"/token")
	for name, c := range map[string]struct {
		proofs []string
		status int
	}{
		"good":           {[]string{good}, http.StatusOK},
		"two":            {[]string{good, good}, http.StatusBadRequest},
		"rubbish":        {[]string{"x"}, http.StatusBadRequest},
		"changed":        {[]string{strings.Replace(good, ".", ".AAAA", 1)}, http.StatusBadRequest},
		"another method": {[]string{proof(http.MethodGet, tr.issuer+"/token")}, http.StatusBadRequest},
		"another URL":    {[]string{proof(http.MethodPost, tr.issuer+"/other")}, http.StatusBadRequest},
	} {
		form := url.Values{"grant_type": {"client_credentials"}, "resource": {records}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tr.issuer+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(robot.ID, url.QueryEscape(robot.Secret))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header["Dpop"] = c.proofs
		answer, err := tr.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", name, answer.StatusCode, c.status)
		}
	}
}
