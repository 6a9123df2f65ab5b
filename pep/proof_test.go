package pep_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/pep"
)

// A token that is bound to a key goes on with its proof, and with the service's
// own URL, whatever host the caller asked for.
func TestProof(t *testing.T) {
	seen, node := fakeNode(t, 200, permit)
	h := service(t, pep.Config{Node: node.URL, Credential: "c", Client: node.Client()}, at("https://records.rje.example"))
	w := call(h, "Authorization: DPoP ey.J.x", "DPoP: p.r.f", "Host: evil.example")
	const want = `"proof":{"dpop":"p.r.f","htm":"GET","htu":"https://records.rje.example/wards/w7/records/42"}`
	if w.Code != 200 || !strings.Contains(seen.body, want) {
		t.Errorf("answered %d, asked %s", w.Code, seen.body)
	}
	if call(h, "Authorization: Bearer ey.J.x", "DPoP: p.r.f"); strings.Contains(seen.body, "proof") {
		t.Errorf("a bearer's token went on with a proof: %s", seen.body)
	}
	for name, headers := range map[string][]string{
		"no proof":    {"Authorization: DPoP ey.J.x"},
		"two proofs":  {"Authorization: DPoP ey.J.x", "DPoP: a", "DPoP: b"},
		"empty proof": {"Authorization: DPoP ey.J.x", "DPoP: "},
	} {
		if w := call(h, headers...); w.Code != 401 {
			t.Errorf("%s: answered %d", name, w.Code)
		}
	}
	plain := service(t, pep.Config{Node: node.URL, Credential: "c", Client: node.Client()})
	if w := call(plain, "Authorization: DPoP ey.J.x", "DPoP: p.r.f"); w.Code != 401 || seen.count != 2 {
		t.Errorf("a service that does not know its URL answered %d; the node was asked %d times", w.Code, seen.count)
	}
}

// Who acts for somebody else sends whom: the principal's token goes to the node
// first, then the links, last the caller's own token.
func TestActsFor(t *testing.T) {
	seen, node := fakeNode(t, 200, permit)
	h := service(t, pep.Config{Node: node.URL, Credential: "c", Client: node.Client()})
	w := call(h, "Authorization: Bearer own", pep.ChainHeader+": root, one,two")
	const want = `"evidence":[{"type":"` + pep.AccessToken + `","value":"root"},{"type":"` + pep.Link + `","value":"one"},{"type":"` + pep.Link +
		`","value":"two"},{"type":"` + pep.AccessToken + `","value":"own"}]`
	if w.Code != 200 || !strings.Contains(seen.body, want) {
		t.Errorf("answered %d, asked %s", w.Code, seen.body)
	}
	for name, headers := range map[string][]string{
		"empty":       {pep.ChainHeader + ": "},
		"a gap":       {pep.ChainHeader + ": root,,two"},
		"two headers": {pep.ChainHeader + ": root", pep.ChainHeader + ": one"},
	} {
		if w := call(h, append(headers, "Authorization: Bearer own")...); w.Code != 401 || seen.count != 1 {
			t.Errorf("%s: answered %d", name, w.Code)
		}
	}
}

// RFC 9449, 9: a nonce goes back, with a denial as the call to try again.
func TestNonce(t *testing.T) {
	for body, status := range map[string]int{
		strings.Replace(permit, `"context":{`, `"context":{"dpop_nonce":"n-1",`, 1): 200,
		strings.Replace(deny, `"context":{`, `"context":{"dpop_nonce":"n-1",`, 1):   401,
	} {
		_, node := fakeNode(t, 200, body)
		h := service(t, pep.Config{Node: node.URL, Credential: "c", Client: node.Client()}, at("https://records.rje.example"))
		w := call(h, "Authorization: DPoP ey.J.x", "DPoP: p.r.f")
		challenged := w.Header().Get("WWW-Authenticate") == `DPoP error="use_dpop_nonce"`
		if w.Code != status || w.Header().Get("DPoP-Nonce") != "n-1" || challenged != (status == 401) {
			t.Errorf("answered %d %v", w.Code, w.Header())
		}
	}
}
