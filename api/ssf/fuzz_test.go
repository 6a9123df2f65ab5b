package ssf_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/ssf"
	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/internal/nodetest"
)

// Whatever a receiver sends, the answer is one that SSF knows, and never a fault
// of ours.
func FuzzRequests(f *testing.F) {
	w := nodetest.NewWorld(f)
	n := w.New("trust.rxw.example")
	rights := client.Document{Kind: "Client", ID: "gateway", Participant: n.ID, Signals: &client.Signals{}, Means: client.Means{SPIFFEID: "spiffe://rxw.example/gateway"}}
	if err := n.AddClient(f.Context(), n.Admin, rights); err != nil {
		f.Fatal(err)
	}
	secret, _, _ := n.ReceiverToken("gateway", true)
	h, token := ssf.New(n.Node), "Bearer "+wire.FormatCredential(wire.Receiver, secret)
	routes := []string{
		"POST /ssf/v1/stream", "PATCH /ssf/v1/stream", "PUT /ssf/v1/stream", "POST /ssf/v1/status", "POST /ssf/v1/verify",
		"POST /ssf/v1/subjects/add", "POST /ssf/v1/subjects/remove", "POST /ssf/v1/poll/x",
	}
	for i, seed := range []string{
		both, `{"stream_id":"x","delivery":{"method":"urn:ietf:rfc:8936"}}`, `{"stream_id":"x","events_requested":null}`, `{"stream_id":"x","status":"paused","reason":"r"}`,
		`{"stream_id":"x","state":"s"}`, `{"stream_id":"x","subject":{"format":"iss_sub","iss":"https://a.example","sub":"b"}}`,
		`{"stream_id":"x","subject":{"format":"complex","user":{"format":"opaque","id":"1"}}}`, `{"maxEvents":1,"returnImmediately":true,"ack":["a"],"setErrs":{"b":{"err":"invalid_key"}}}`,
	} {
		f.Add(uint8(i), seed)
	}
	f.Fuzz(func(t *testing.T, at uint8, body string) {
		method, path, _ := strings.Cut(routes[int(at)%len(routes)], " ")
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", token)
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		switch answer.Code {
		case http.StatusCreated, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge:
		default:
			t.Errorf("%s answers %d %s to %q", path, answer.Code, answer.Body, body)
		}
	})
}
