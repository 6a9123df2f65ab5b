package serve_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/internal/serve"
	"github.com/entente-id/entente/trust"
)

func get(h http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestMetrics(t *testing.T) {
	m := serve.NewMetrics("1.2.3", func() serve.Reading {
		return serve.Reading{TrustEntries: 7, DecisionEntries: 9, Partners: 2, StalePartners: 1, OldestProof: 1500 * time.Millisecond, Undelivered: 4}
	})
	m.Decided(true, trust.Permit)
	m.Decided(false, trust.Stale)
	m.Decided(false, "https://canary.example")
	m.Heartbeat(true)
	m.Heartbeat(false)
	m.Delivered("safety", true)
	m.Delivered("canary", false)
	m.Signalled("urn:ietf:rfc:8935", 3)
	m.Signalled("canary", 1)
	get(m.Measure("admin", http.NotFoundHandler()), "/canary")
	code, text := get(m.Telemetry(func() error { return nil }), "/metrics")
	if code != http.StatusOK {
		t.Fatalf("%d", code)
	}
	for _, want := range []string{
		`entente_decisions_total{check="permit",outcome="permit"} 1`,
		`entente_decisions_total{check="freshness",outcome="deny"} 1`,
		`entente_decisions_total{check="other",outcome="deny"} 1`,
		`entente_heartbeats_total{outcome="answered"} 1`,
		`entente_heartbeats_total{outcome="unanswered"} 1`,
		`entente_deliveries_total{lane="safety",outcome="accepted"} 1`,
		`entente_deliveries_total{lane="other",outcome="refused"} 1`,
		`entente_signals_taken_total{method="push"} 3`,
		`entente_signals_taken_total{method="other"} 1`,
		`entente_request_seconds_count{code="4xx",plane="admin"} 1`,
		`entente_ledger_entries{log="trust"} 7`,
		`entente_ledger_entries{log="decisions"} 9`,
		`entente_partners 2`,
		`entente_partners_stale 1`,
		`entente_edge_oldest_proof_seconds 1.5`,
		`entente_edge_undelivered 4`,
		`entente_build_info{version="1.2.3"} 1`,
		`go_goroutines`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %s", want)
		}
	}
	if strings.Contains(text, "canary") { // R33
		t.Error("a word from outside became a label")
	}
}

// Two nodes in one process count apart.
func TestMetricsShareNothing(t *testing.T) {
	one, two := serve.NewMetrics("1", nil), serve.NewMetrics("1", nil)
	one.Heartbeat(true)
	if _, text := get(two.Telemetry(nil), "/metrics"); strings.Contains(text, "entente_heartbeats_total{") {
		t.Error("the other node's heartbeat was counted")
	}
}

func TestHealthAndReadiness(t *testing.T) {
	notReady := errors.New("no framework is in force")
	var why error = notReady
	h := serve.NewMetrics("1", nil).Telemetry(func() error { return why })
	if code, _ := get(h, "/healthz"); code != http.StatusOK {
		t.Errorf("healthz %d", code)
	}
	if code, text := get(h, "/readyz"); code != http.StatusServiceUnavailable || text != "no framework is in force\n" {
		t.Errorf("readyz %d %q", code, text)
	}
	why = nil
	if code, text := get(h, "/readyz"); code != http.StatusOK || text != "ready\n" {
		t.Errorf("readyz %d %q", code, text)
	}
	if code, _ := get(h, "/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("something else is served: %d", code)
	}
}

func TestTheLogWithholdsWhatIsNotListed(t *testing.T) { // R33
	for _, format := range []string{"json", "text", ""} {
		var out bytes.Buffer
		log := serve.NewLogger(&out, slog.LevelInfo, format)
		log.With("token", "canary-1").Info("message accepted", "partner", "https://rxw.example", "n", 7,
			"subject", "canary-2", "error", struct{ Secret string }{"canary-3"}, "took", time.Second,
			slog.Group("request", "partner", "canary-4"))
		log.WithGroup("g").Info("x", "partner", "canary-5")
		log.Error("failed", "error", trust.Errorf(trust.Conflict, "agreement a is ended"))
		log.Debug("canary-6")
		text := out.String()
		for _, want := range []string{"message accepted", "https://rxw.example", "7", "agreement a is ended", "[withheld]"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q: missing %q in %s", format, want, text)
			}
		}
		if strings.Contains(text, "canary") {
			t.Errorf("%q: %s", format, text)
		}
		if isJSON := strings.HasPrefix(text, "{"); isJSON != (format != "text") {
			t.Errorf("%q is written as %s", format, text)
		}
	}
}

func TestALogFileIsJSON(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	serve.NewLogger(f, slog.LevelInfo, "").Info("x")
	if content, err := os.ReadFile(f.Name()); err != nil || !bytes.HasPrefix(content, []byte(`{"time":`)) {
		t.Errorf("%s, %v", content, err)
	}
}
