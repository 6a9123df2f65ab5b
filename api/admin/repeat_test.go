package admin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/internal/spectest"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

// console asks an admin interface with headers of the test's choice.
type console struct {
	t          *testing.T
	h          http.Handler
	credential string
}

func (c console) ask(method, path, body string, header ...string) *httptest.ResponseRecorder {
	c.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+c.credential)
	if body != "" {
		r.Header.Set("Content-Type", wire.JSON)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	return w
}

// like checks an answer's status and gives its body.
func (c console) like(w *httptest.ResponseRecorder, status int, text string) string {
	c.t.Helper()
	if w.Code != status || !strings.Contains(w.Body.String(), text) {
		c.t.Errorf("answered %d %s, want %d and %q", w.Code, w.Body, status, text)
	}
	return w.Body.String()
}

func (c console) anew(n *nodetest.Node) console {
	c.h = spectest.Watch(c.t, admin.New(n))
	return c
}

func newConsole(t *testing.T, n *nodetest.Node, roles ...trust.Role) console {
	t.Helper()
	_, credential, err := n.AddOperator(t.Context(), n.Admin, "l.marsh", roles)
	ok(t, err)
	return console{t: t, credential: credential}.anew(n)
}

// A request with a key is carried out once: sent again it is answered as before,
// also by a node that was started anew, which knows only that it was.
func TestIdempotencyKeys(t *testing.T) {
	n := nodetest.NewWorld(t).New("trust.rje.example")
	c := newConsole(t, n, operator.Admin)
	other := newConsole(t, n, operator.Auditor)
	const path, person = "/v1/operators", `{"name":"a.khan","roles":["auditor"]}`
	size := func() uint64 { return n.State().At.Position.N }

	first := c.like(c.ask("POST", path, person, admin.KeyHeader, "k-1"), 200, "ent_op_")
	before := size()
	if again := c.like(c.ask("POST", path, person, admin.KeyHeader, "k-1"), 200, ""); again != first {
		t.Errorf("sent again it is answered %s, not %s", again, first)
	}
	c.like(c.ask("POST", path, strings.Replace(person, "a.khan", "b.khan", 1), admin.KeyHeader, "k-1"), 409, "was used for another request")
	c.like(c.ask("POST", "/v1/enforcement-points", person, admin.KeyHeader, "k-1"), 409, "was used for another request")
	if size() != before {
		t.Errorf("%d entries were made by what was sent again", size()-before)
	}

	// At the same time: one is carried out.
	answers := make([]string, 6)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = c.ask("POST", path, person, admin.KeyHeader, "k-2").Body.String() })
	}
	all.Wait()
	for _, a := range answers {
		if a != answers[0] || !strings.Contains(a, "ent_op_") {
			t.Errorf("of those sent at the same time one is answered %s, another %s", answers[0], a)
		}
	}
	if size() != before+1 {
		t.Errorf("those sent at the same time made %d entries, want 1", size()-before)
	}

	// A key is its operator's; a refusal is an answer too, and recorded once.
	for range 2 {
		other.like(other.ask("POST", path, person, admin.KeyHeader, "k-1"), 403, "")
	}
	if size() != before+2 {
		t.Errorf("the refusals made %d entries, want 1", size()-before-1)
	}

	for name, key := range map[string]string{"two words": "a b", "none": "", "too long": strings.Repeat("x", 513), "not ASCII": "ü"} {
		if w := c.ask("POST", path, person, admin.KeyHeader, key); w.Code != 400 {
			t.Errorf("a key that is %s: answered %d %s", name, w.Code, w.Body)
		}
	}
	if w := c.ask("POST", path, person, admin.KeyHeader, "a", admin.KeyHeader, "b"); w.Code != 400 {
		t.Errorf("two keys: answered %d %s", w.Code, w.Body)
	}

	// What was invalid made no entry, and used no key up.
	c.like(c.ask("POST", path, `{`, admin.KeyHeader, "k-3"), 400, "")
	before = size()
	n.Stop()
	n.Start()
	c = c.anew(n)
	c.like(c.ask("POST", path, person, admin.KeyHeader, "k-1"), 409, "was carried out before")
	if size() != before {
		t.Error("a start forgot that a request was carried out")
	}
	c.like(c.ask("POST", path, person, admin.KeyHeader, "k-3"), 200, "ent_op_")

	// After its time a key names nothing any more.
	n.Clock.Shift(24 * time.Hour)
	c.like(c.ask("POST", path, person, admin.KeyHeader, "k-3"), 200, "ent_op_")
}

// What is replaced is replaced as it was seen, or not.
func TestIfMatch(t *testing.T) {
	n := nodetest.NewWorld(t).New("trust.rje.example")
	c := newConsole(t, n, operator.Admin)
	const path, source = "/v1/policy", `{"source":"@id(\"none\") forbid (principal, action, resource);"}`
	seen := c.ask("GET", path, "").Header().Get("ETag")
	if seen == "" || c.ask("GET", path, "").Header().Get("ETag") != seen {
		t.Fatalf("the tag is %q, and then another", seen)
	}
	c.like(c.ask("PUT", path, source, "If-Match", `"another"`), 412, `"kind":"changed"`)
	c.like(c.ask("PUT", path, source, "If-Match", `"another", `+seen), 200, "")
	if c.ask("GET", path, "").Header().Get("ETag") == seen {
		t.Error("another policy has the same tag")
	}
	c.like(c.ask("PUT", path, source, "If-Match", seen), 412, "")
	c.like(c.ask("PUT", path, strings.Replace(source, "none", "nobody", 1), "If-Match", "*"), 200, "")
	c.like(c.ask("PUT", path, strings.Replace(source, "none", "never", 1)), 200, "")

	const rule, service = "/v1/rules/many", "/v1/services/letters"
	c.like(c.ask("PUT", service, `{"kind":"Service","name":"letters","audience":"https://letters.rje.example","enforcement_point":"pep","resources":{}}`, "If-Match", seen), 412, "")
	c.like(c.ask("GET", service, ""), 404, "is not registered")
	c.like(c.ask("GET", rule, ""), 404, "is not in force")
	c.like(c.ask("GET", "/v1/declaration", ""), 200, `"kind":"Participant"`)
}
