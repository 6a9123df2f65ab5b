package edge_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/edge"
	noun "github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

// partner is a node that answers every message alike.
type partner struct {
	err     error
	message string
	chunk   string
	nonce   string
	after   uint64
	stored  []string
	given   *receipt.Delivery
	strayed []trust.ParticipantID
}

func (p *partner) Trespass(_ context.Context, from trust.ParticipantID) {
	p.strayed = append(p.strayed, from)
}

func (p *partner) ReceiptsFor(_ context.Context, _ trust.ParticipantID, after node.After) (*receipt.Delivery, error) {
	p.after = after.After
	return p.given, p.err
}

func (p *partner) ReceiveMessage(_ context.Context, from trust.ParticipantID, jws []byte) error {
	p.message = from.String() + " " + string(jws)
	return p.err
}

func (p *partner) ReceiveChunk(_ context.Context, from trust.ParticipantID, chunk []byte) error {
	p.chunk = from.String() + " " + string(chunk)
	return p.err
}

func (p *partner) Heartbeat(_ context.Context, _ trust.ParticipantID, nonce string) (string, error) {
	p.nonce = nonce
	return "word", p.err
}

func (p *partner) Messages(_ context.Context, _ trust.ParticipantID, _ noun.Lane, after uint64, _ int) ([]string, error) {
	p.after = after
	return p.stored, p.err
}

func (p *partner) Received(_ context.Context, _ trust.ParticipantID, q node.ReceivedQuestion) (node.ReceivedAnswer, error) {
	p.nonce, p.after = q.Nonce, q.Since.Safety
	return node.ReceivedAnswer{Word: "word", Messages: []node.ReceivedMessage{}}, p.err
}

func (p *partner) Canary(_ context.Context, _ trust.ParticipantID, c node.CanaryCall) (node.CanaryAnswer, error) {
	p.message = c.Agreement + " " + c.Token
	return node.CanaryAnswer{Decision: true, Reference: "r"}, p.err
}

func (p *partner) SettleDrill(_ context.Context, from trust.ParticipantID, r node.DrillResult) (node.DrillResult, error) {
	p.message = from.String() + " " + r.Result
	return node.DrillResult{Result: "signed"}, p.err
}

func (p *partner) Reconciled(_ context.Context, _ trust.ParticipantID, jws []byte) (string, error) {
	p.message = string(jws)
	return "ours", p.err
}

func send(t *testing.T, p *partner, method, target, media, body string) *httptest.ResponseRecorder {
	t.Helper()
	id, err := trust.ParseParticipantID("https://trust.rxw.example")
	if err != nil {
		t.Fatal(err)
	}
	if media == "stranger" {
		id = trust.ParticipantID{}
	}
	h := edge.New(p, func(context.Context) trust.ParticipantID { return id })
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// RFC 8935: 202 only once the node has it, 400 with a fixed word otherwise.
// Errors are no oracles: nothing of the node's own text gets out.
func TestReceive(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		status int
		body   string
	}{
		{"durable", nil, 202, ""},
		{"gap", &node.Gap{Expected: 7}, 409, `{"expected":7}`},
		{"list", &node.Gap{Expected: 7, Need: []string{"ab", "cd"}}, 409, `{"expected":7,"need":["ab","cd"]}`},
		{"shape", trust.Errorf(trust.Invalid, "canary"), 400, `{"err":"invalid_request","description":"The message cannot be read."}`},
		{"unknown thing", trust.Errorf(trust.NotFound, "canary"), 400, `{"err":"invalid_request","description":"The message cannot be read."}`},
		{"signature", trust.Errorf(trust.Denied, "canary"), 400, `{"err":"access_denied","description":"The message is not accepted from this sender."}`},
		{"contradiction", trust.Errorf(trust.Conflict, "canary"), 400, `{"err":"access_denied","description":"The message is not accepted from this sender."}`},
		{"disk full", trust.Errorf(trust.Unavailable, "canary"), 503, ""},
		{"our fault", errors.New("canary"), 500, ""},
	} {
		p := &partner{err: tt.err}
		w := send(t, p, http.MethodPost, "/edge/v1/messages", "application/secevent+jwt", "a.b.c")
		if w.Code != tt.status || tt.body != "" && w.Body.String() != tt.body || strings.Contains(w.Body.String(), "canary") {
			t.Errorf("%s: answered %d %s, want %d %s", tt.name, w.Code, w.Body, tt.status, tt.body)
		}
		if p.message != "https://trust.rxw.example a.b.c" {
			t.Errorf("%s: the node got %q", tt.name, p.message)
		}
	}
}

func TestChunk(t *testing.T) {
	p := &partner{}
	w := send(t, p, http.MethodPost, "/edge/v1/chunks", "application/json", `{"people":[]}`)
	if w.Code != 202 || p.chunk != `https://trust.rxw.example {"people":[]}` {
		t.Errorf("answered %d %s to chunk %q", w.Code, w.Body, p.chunk)
	}
}

func TestHeartbeat(t *testing.T) {
	p := &partner{}
	w := send(t, p, http.MethodPost, "/edge/v1/heartbeat", "application/json", `{"nonce":"n1"}`)
	if w.Code != 200 || w.Body.String() != "word" || p.nonce != "n1" || w.Header().Get("Content-Type") != "application/secevent+jwt" {
		t.Errorf("answered %d %s %v to nonce %q", w.Code, w.Body, w.Header(), p.nonce)
	}
}

func TestReceived(t *testing.T) {
	p := &partner{}
	w := send(t, p, http.MethodPost, "/edge/v1/received", "application/json", `{"nonce":"n1","since":{"safety":7,"governance":4}}`)
	if w.Code != 200 || w.Body.String() != `{"word":"word","messages":[]}` || p.nonce != "n1" || p.after != 7 {
		t.Errorf("answered %d %s to nonce %q from %d on", w.Code, w.Body, p.nonce, p.after)
	}
}

func TestDrills(t *testing.T) {
	p := &partner{}
	w := send(t, p, http.MethodPost, "/edge/v1/canary", "application/json", `{"agreement":"a","token":"t"}`)
	if w.Code != 200 || w.Body.String() != `{"decision":true,"reference":"r"}` || p.message != "a t" {
		t.Errorf("answered %d %s to %q", w.Code, w.Body, p.message)
	}
	w = send(t, p, http.MethodPost, "/edge/v1/drills", "application/json", `{"result":"word"}`)
	if w.Code != 200 || w.Body.String() != `{"result":"signed"}` || p.message != "https://trust.rxw.example word" {
		t.Errorf("answered %d %s to %q", w.Code, w.Body, p.message)
	}
}

func TestResend(t *testing.T) {
	p := &partner{stored: []string{"m4", "m5"}}
	w := send(t, p, http.MethodGet, "/edge/v1/messages?lane=safety&after=3", "", "")
	if w.Code != 200 || w.Body.String() != `{"messages":["m4","m5"]}` || p.after != 3 {
		t.Errorf("answered %d %s after %d", w.Code, w.Body, p.after)
	}
	if w := send(t, &partner{}, http.MethodGet, "/edge/v1/messages?lane=governance&after=0", "", ""); w.Body.String() != `{"messages":[]}` {
		t.Errorf("the end is %s, want an empty page", w.Body)
	}
}

func TestRefused(t *testing.T) {
	const messages, chunks, heartbeat = "/edge/v1/messages", "/edge/v1/chunks", "/edge/v1/heartbeat"
	for _, tt := range []struct {
		name, method, target, media, body string
		status                            int
	}{
		{"stranger's message", "POST", messages, "stranger", "a.b.c", 401},
		{"stranger's heartbeat", "POST", heartbeat, "stranger", `{"nonce":"n"}`, 401},
		{"stranger's question", "GET", messages + "?lane=safety&after=0", "stranger", "", 401},
		{"message of another type", "POST", messages, "application/json", "a.b.c", 415},
		{"message too large", "POST", messages, "application/secevent+jwt", strings.Repeat("a", 1<<20+1), 413},
		{"stranger's chunk", "POST", chunks, "stranger", "{}", 401},
		{"chunk of another type", "POST", chunks, "text/plain", "{}", 415},
		{"chunk too large", "POST", chunks, "application/json", strings.Repeat("a", 512<<10+1), 413},
		{"heartbeat of another type", "POST", heartbeat, "text/plain", `{"nonce":"n"}`, 415},
		{"heartbeat too large", "POST", heartbeat, "application/json", `{"nonce":"` + strings.Repeat("a", 5000) + `"}`, 413},
		{"heartbeat malformed", "POST", heartbeat, "application/json", `{"nonce":"n","nonce":"m"}`, 400},
		{"stranger's loss", "POST", "/edge/v1/received", "stranger", `{"nonce":"n"}`, 401},
		{"loss of another type", "POST", "/edge/v1/received", "text/plain", `{"nonce":"n"}`, 415},
		{"loss malformed", "POST", "/edge/v1/received", "application/json", `{"nonce":"n","nonce":"m"}`, 400},
		{"stranger's canary", "POST", "/edge/v1/canary", "stranger", `{"agreement":"a","token":"t"}`, 401},
		{"stranger's drill", "POST", "/edge/v1/drills", "stranger", `{"result":"word"}`, 401},
		{"canary of another type", "POST", "/edge/v1/canary", "text/plain", `{"agreement":"a","token":"t"}`, 415},
		{"canary too large", "POST", "/edge/v1/canary", "application/json", `{"token":"` + strings.Repeat("a", 1<<16) + `"}`, 413},
		{"drill malformed", "POST", "/edge/v1/drills", "application/json", `{"result":"a","result":"b"}`, 400},
		{"no lane", "GET", messages + "?after=0", "", "", 400},
		{"unknown lane", "GET", messages + "?lane=fast&after=0", "", "", 400},
		{"no number", "GET", messages + "?lane=safety", "", "", 400},
		{"negative number", "GET", messages + "?lane=safety&after=-1", "", "", 400},
		{"number near the end", "GET", messages + "?lane=safety&after=18446744073709551615", "", "", 400},
		{"other method", "PUT", messages, "", "", 405},
		{"other path", "GET", "/v1/status", "", "", 404},
	} {
		p := &partner{}
		if w := send(t, p, tt.method, tt.target, tt.media, tt.body); w.Code != tt.status || p.message+p.chunk != "" || p.nonce != "" {
			t.Errorf("%s: answered %d %s, want %d", tt.name, w.Code, w.Body, tt.status)
		}
		if strayed := strings.HasPrefix(tt.target, "/v1/"); strayed != (len(p.strayed) == 1) {
			t.Errorf("%s: %v strayed to the admin interface", tt.name, p.strayed)
		}
	}
}

// What the node says to a partner's question is uniform too.
func TestErrorsAreNoOracles(t *testing.T) {
	for _, kind := range []trust.ErrorKind{trust.Denied, trust.NotFound, trust.Conflict, trust.Unavailable, trust.Internal} {
		p := &partner{err: trust.Errorf(kind, "canary")}
		for _, w := range []*httptest.ResponseRecorder{
			send(t, p, "POST", "/edge/v1/heartbeat", "application/json", `{"nonce":"n"}`),
			send(t, p, "POST", "/edge/v1/chunks", "application/json", `{}`),
			send(t, p, "GET", "/edge/v1/messages?lane=safety&after=0", "", ""),
			send(t, p, "POST", "/edge/v1/canary", "application/json", `{"agreement":"a","token":"t"}`),
			send(t, p, "POST", "/edge/v1/drills", "application/json", `{"result":"word"}`),
		} {
			if strings.Contains(w.Body.String(), "canary") || w.Code == 200 {
				t.Errorf("%s: answered %d %s", kind, w.Code, w.Body)
			}
		}
	}
}

func TestReceipts(t *testing.T) {
	for _, c := range []struct {
		name  string
		p     partner
		media string
		body  string
		want  int
	}{
		{"none", partner{}, "application/json", `{"after":7}`, http.StatusNoContent},
		{"some", partner{given: &receipt.Delivery{Batch: "x.y.z"}}, "application/json", `{"after":7}`, http.StatusOK},
		{"too often", partner{err: trust.Errorf(trust.Unavailable, "its share")}, "application/json", `{"after":7}`, http.StatusServiceUnavailable},
		{"a negative number", partner{}, "application/json", `{"after":-1}`, http.StatusBadRequest},
		{"a member more", partner{}, "application/json", `{"after":7,"partner":"https://trust.r0a.example"}`, http.StatusBadRequest},
		{"another type", partner{}, "text/plain", `{"after":7}`, http.StatusUnsupportedMediaType},
		{"a stranger", partner{}, "stranger", `{"after":7}`, http.StatusUnauthorized},
	} {
		w := send(t, &c.p, http.MethodPost, "/edge/v1/receipts", c.media, c.body)
		if w.Code != c.want || c.want < 300 && c.p.after != 7 {
			t.Errorf("%s: answered %d %s", c.name, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "share") {
			t.Errorf("%s: says %s", c.name, w.Body)
		}
	}
}

func TestReconciliations(t *testing.T) {
	for _, c := range []struct {
		name  string
		p     partner
		media string
		want  int
	}{
		{"an account", partner{}, "application/jwt", http.StatusOK},
		{"a refused one", partner{err: trust.Errorf(trust.Denied, "the signature")}, "application/jwt", http.StatusForbidden},
		{"too often", partner{err: trust.Errorf(trust.Unavailable, "its share")}, "application/jwt", http.StatusServiceUnavailable},
		{"another type", partner{}, "application/json", http.StatusUnsupportedMediaType},
		{"a stranger", partner{}, "stranger", http.StatusUnauthorized},
	} {
		w := send(t, &c.p, http.MethodPost, "/edge/v1/reconciliations", c.media, "theirs")
		if w.Code != c.want || c.want == http.StatusOK && (w.Body.String() != "ours" || c.p.message != "theirs") {
			t.Errorf("%s: answered %d %s", c.name, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "signature") || strings.Contains(w.Body.String(), "share") {
			t.Errorf("%s: says %s", c.name, w.Body)
		}
	}
}
