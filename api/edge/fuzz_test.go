package edge_test

import (
	stdjson "encoding/json"
	"net/http"
	"testing"
)

// A message reaches the node byte for byte; a question is read as encoding/json
// reads it, or is a bad request.
func FuzzBodies(f *testing.F) {
	f.Add([]byte(`{"nonce":"n"}`))
	f.Add([]byte(`{"nonce":"n","Nonce":"m"}`))
	f.Add([]byte("e30.e30.AA"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p := &partner{}
		w := send(t, p, http.MethodPost, "/edge/v1/messages", "application/secevent+jwt", string(body))
		if w.Code == http.StatusAccepted && p.message != "https://trust.rxw.example "+string(body) || w.Code >= 500 {
			t.Fatalf("%q is answered %d and reached the node as %q", body, w.Code, p.message)
		}
		p = &partner{}
		w = send(t, p, http.MethodPost, "/edge/v1/heartbeat", "application/json", string(body))
		var want map[string]any
		switch err := stdjson.Unmarshal(body, &want); {
		case w.Code >= 500:
			t.Fatalf("%q is answered %d", body, w.Code)
		case w.Code == http.StatusOK && (err != nil || p.nonce != text(want["nonce"])):
			t.Fatalf("%q asks with %q; encoding/json reads %q (%v)", body, p.nonce, want["nonce"], err)
		case w.Code != http.StatusOK && p.nonce != "":
			t.Fatalf("%q is answered %d, and the node was asked", body, w.Code)
		}
	})
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
