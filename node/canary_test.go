package node_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/entente-id/entente/api/authzen"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/internal/serve"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// canaries are what must stay inside: each stands for a person, a patient, free
// text or a secret, by what it is.
type canaries map[string][]byte

// in names the canaries that can be read in text, plain or simply written.
func (c canaries) in(text []byte) (found []string) {
	for what, canary := range c {
		for _, form := range []string{
			string(canary), hex.EncodeToString(canary), base64.RawURLEncoding.EncodeToString(canary), base64.RawStdEncoding.EncodeToString(canary),
		} {
			if bytes.Contains(text, []byte(form)) {
				found = append(found, what)
				break
			}
		}
	}
	return found
}

// buffer keeps what many goroutines write.
type buffer struct {
	mu   sync.Mutex
	text []byte
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	return len(p), nil
}

func (b *buffer) all() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.text)
}

// files gives every file below a directory.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	done(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	}))
	return all
}

// What is personal, free text or secret stands in no file of a node but sealed,
// and in no log, metric or error (R33).
func TestNoCanaryIsReadable(t *testing.T) {
	logs, metrics := &buffer{}, serve.NewMetrics("test", nil)
	w := nodetest.NewWorld(t)
	w.Configure = func(_ *nodetest.Node, c *node.Config) {
		c.Log, c.Meter = slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})), metrics
	}
	home, host := founded(t, w, nil)
	ward := w.NewWard(home, host, nil)
	c := canaries{
		"subject": []byte("canary-nurse-4711"), "another subject": []byte("canary-nurse-4712"), "resource": []byte("canary-record-9434765919"),
		"property": []byte("canary-ward-w7"), "request id": []byte("canary-request-1"), "operator name": []byte("Canary Operator"),
		"reason": []byte("canary: left after an incident"), "incident": []byte("CANARY-INC-1"), "joiner check": []byte("canary-check-1"),
		"suspension reason": []byte("canary: odd queries"), "passphrase": []byte("canary passphrase of governance"),
	}
	errs := act(t, ward, c)

	_, err := keyring.CreateGovernance(filepath.Join(host.Dir, "governance.key"), string(c["passphrase"]))
	done(t, err)
	scrape := httptest.NewRecorder()
	metrics.Telemetry(host.Ready).ServeHTTP(scrape, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	if !strings.Contains(scrape.Body.String(), "entente_decisions_total") || len(logs.all()) == 0 || len(errs) == 0 {
		t.Fatal("there is nothing to search")
	}
	places := map[string][]byte{"metrics": scrape.Body.Bytes(), "logs": logs.all()}
	for _, err := range errs {
		if err == nil {
			t.Error("what should fail did not")
			continue
		}
		places["error: "+err.Error()] = []byte(err.Error())
	}
	for _, n := range []*nodetest.Node{home, host} {
		for name, text := range files(t, n.Dir) {
			places["running "+filepath.Base(name)] = append(places["running "+filepath.Base(name)], text...)
		}
		for _, log := range []string{"trust", "decisions"} {
			for _, e := range entries(t, n, log, "") {
				if found := c.in(e.Body); len(found) > 0 {
					t.Errorf("the leaf %s of %s has the %v", e.Position, n.ID, found)
				}
			}
		}
		n.Stop()
		for name, text := range files(t, n.Dir) {
			places["stopped "+filepath.Base(name)] = append(places["stopped "+filepath.Base(name)], text...)
		}
	}
	for name, text := range places {
		if found := c.in(text); len(found) > 0 {
			t.Errorf("%s has the %v", name, found)
		}
	}
}

// act lets every canary through a node, adds those that come into being, and
// gives the errors that were made on the way.
func act(t *testing.T, ward *nodetest.Ward, c canaries) (errs []error) {
	t.Helper()
	home, host, ctx := ward.Home, ward.Host, t.Context()
	w := home.World
	fail := func(_ any, err error) { errs = append(errs, err) }
	token := w.Token(ward.Issuer, string(c["subject"]), ward.Audience, map[string]any{"ward_ids": []string{string(c["property"])}})
	other := w.Token(ward.Issuer, string(c["another subject"]), ward.Audience, nil)
	c["token"], c["another token"] = token, other
	c["signature"] = token[bytes.LastIndexByte(token, '.')+1:]
	ask := ward.Ask(token)
	ask.ResourceID, ask.RequestID, ask.Properties = string(c["resource"]), string(c["request id"]), map[string]any{"ward": string(c["property"])}
	a := answer(t, host, ask)
	e, err := host.Explain(ctx, host.Admin, a.Reference)
	if err != nil || !a.Permit || e.Resource != string(c["resource"]) || !strings.Contains(e.Who, string(c["subject"])) {
		t.Fatalf("the canary's answer is %+v, explained as %+v, %v", a, e, err)
	}
	ask.Evidence[0].Token = append(bytes.Clone(token), 'x')
	answer(t, host, ask)
	ask.Evidence[0].Token, ask.SubjectID = other, string(c["subject"])
	answer(t, host, ask)

	_, credential, err := host.AddOperator(ctx, host.Admin, string(c["operator name"]), []trust.Role{"records"})
	done(t, err)
	c["operator credential"] = secret(t, credential)
	credential, err = host.AddEnforcementPoint(ctx, host.Admin, "another-pep")
	done(t, err)
	c["enforcement point credential"] = secret(t, credential)
	for _, subject := range []string{"subject", "another subject"} {
		revokeAt(t, home, node.RevokeRequest{
			Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: string(c[subject]), Reason: string(c["reason"]), Incident: string(c["incident"]),
		})
	}
	_, err = home.OpenEngagement(ctx, home.Admin, ward.Issuer.URL, string(c["subject"]), string(c["joiner check"]))
	done(t, err)
	quiet(t, home, host)
	answer(t, host, ward.Ask(token))

	fail(host.OpenEngagement(ctx, host.Admin, ward.Issuer.URL, string(c["subject"]), string(c["joiner check"])))
	fail(host.Revoke(ctx, host.Admin, node.RevokeRequest{Kind: "person", Issuer: ward.Issuer.URL, Subject: string(c["subject"]), Reason: string(c["reason"])}))
	fail(authzen.Parse([]byte(`{"subject":{"type":"evidence","id":"` + string(c["subject"]) + `"},"resource":{"id":"` + string(c["resource"]) + `","id":1}}`)))
	fail(authzen.Parse([]byte(`{"context":{"evidence":["` + string(token) + `"]}}`)))
	done(t, host.SuspendAgreement(ctx, host.Admin, ward.Agreement, string(c["suspension reason"])))
	fail(nil, host.SuspendAgreement(ctx, host.Admin, ward.Agreement, string(c["suspension reason"])))
	done(t, host.SuspendParticipant(ctx, host.Admin, home.ID, string(c["suspension reason"])))
	quiet(t, home, host)

	// What a partner sends may have anything anywhere.
	for _, content := range []map[string]any{
		{"kind": "subject", "namespace": "default", "subject": string(c["subject"]), "engagement": string(c["reason"])},
		{"kind": "subject", "namespace": "default", "subject": string(c["subject"]), "engagement": 0},
		{"kind": string(c["reason"]), "subject": string(c["subject"])},
		{"kind": "subject", string(c["subject"]): string(c["reason"])},
	} {
		message := forge(t, home, host, edge.Safety, next(home, host, edge.Safety), "revocation", content)
		done(t, host.ReceiveMessage(ctx, home.ID, message))
	}
	return errs
}

// secret gives the random bytes of a credential.
func secret(t *testing.T, credential string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(credential[strings.LastIndex(credential, "_")+1:])
	if len(b) != 32 {
		b, err = base64.RawURLEncoding.DecodeString(credential[len(credential)-43:])
	}
	done(t, err)
	return b
}
