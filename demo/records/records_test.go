package records_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/demo/records"
	"github.com/entente-id/entente/pep"
)

// A record is given on a permit alone; what is asked says what it is.
func TestRecord(t *testing.T) {
	asked, answer := "", `{"decision":true,"context":{"id":"k7"}}`
	node := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = string(body)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(node.Close)
	s, err := records.New(records.Config{
		Config: pep.Config{Node: node.URL, Credential: "c", Client: node.Client()}, Type: "BedPlan", Token: pep.IDToken, Purpose: "HOPERAT",
	})
	if err != nil {
		t.Fatal(err)
	}
	call := func(purpose string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/wards/w7/records/42", nil)
		r.Header.Set("Authorization", "Bearer ey.J.x")
		r.Header.Set("X-Purpose", purpose)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w
	}
	w := call("")
	var record records.Record
	if err := json.Unmarshal(w.Body.Bytes(), &record); err != nil || record.ID != "42" || record.Ward != "w7" {
		t.Errorf("record %+v, %v", record, err)
	}
	for _, part := range []string{`"type":"BedPlan"`, `"id":"42"`, `"ward":"w7"`, pep.IDToken, `"purpose":"HOPERAT"`, `"name":"read"`} {
		if !strings.Contains(asked, part) {
			t.Errorf("asked %s, want %s", asked, part)
		}
	}
	answer = `{"decision":false,"context":{"id":"k8"}}`
	if w := call("BTG"); w.Code != http.StatusForbidden || !strings.Contains(asked, `"purpose":"BTG"`) || strings.Contains(w.Body.String(), "Patient") {
		t.Errorf("answered %d %s, asked %s", w.Code, w.Body, asked)
	}
}
