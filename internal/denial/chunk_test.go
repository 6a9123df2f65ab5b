package denial_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	apiedge "github.com/entente-id/entente/api/edge"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/trust"
)

// list is a list of leavers in one chunk, and what announces it.
func list(people ...string) (chunk string, announced object) {
	chunk = `{"people":[` + strings.Join(people, ",") + `]}`
	sum := sha256.Sum256([]byte(chunk))
	return chunk, object{
		"act": object{"epoch": 1, "n": 7}, "subjects": len(people),
		"chunks": []any{object{"subjects": len(people), "hash": hex.EncodeToString(sum[:])}},
	}
}

func person(subject string, engagement int) string {
	return fmt.Sprintf(`{"engagement":%d,"namespace":"default","subject":%q}`, engagement, subject)
}

// push pushes a chunk as a partner that mutual TLS proved.
func push(h http.Handler, chunk string) int {
	r := httptest.NewRequest(http.MethodPost, "/edge/v1/chunks", strings.NewReader(chunk))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// A chunk carries no signature of its own: it counts under the hash that a signed
// message announced, for the partner that announced it, once, and only with the
// whole list.
func TestChunks(t *testing.T) {
	p := newPartner(t)
	other := apiedge.New(p.host.Node, func(context.Context) trust.ParticipantID { return p.home.ID })
	ended := func() int { return p.host.State().Revocation.Tombstones.Len() }
	chunk, announced := list(person("a", 1), person("b", 2))
	refused := func(what string, status int) {
		t.Helper()
		if status != http.StatusForbidden || ended() != 0 {
			t.Errorf("%s: answers %d, and %d have ended", what, status, ended())
		}
	}
	refused("before anything is announced", push(p.handler, chunk))
	unsigned := p.message(edge.Safety, "revocation-bulk", announced)
	unsigned.sign = func([]byte) []byte { return make([]byte, 64) }
	if status, _ := p.deliver(unsigned.token()); status != http.StatusBadRequest {
		t.Errorf("an announcement that nobody signed: answers %d", status)
	}
	refused("announced by nobody", push(p.handler, chunk))
	good := p.message(edge.Safety, "revocation-bulk", announced).token()
	if status, body := p.deliver(good); status != http.StatusConflict || !strings.Contains(body, `"need":["`) {
		t.Errorf("an announcement without its list: answers %d %s", status, body)
	}
	for what, changed := range map[string]string{
		"another person": strings.Replace(chunk, `"a"`, `"c"`, 1), "another engagement": strings.Replace(chunk, `:2`, `:3`, 1),
		"a person less": `{"people":[` + person("a", 1) + `]}`, "a space more": chunk + " ", "nothing": `{"people":[]}`, "no JSON": "x",
	} {
		refused(what, push(p.handler, changed))
	}
	refused("from another partner", push(other, chunk))
	if status := push(p.handler, chunk); status != http.StatusAccepted || ended() != 0 {
		t.Errorf("the chunk itself: answers %d, and %d have ended before the message", status, ended())
	}
	refused("the chunk again", push(p.handler, chunk))
	if status, body := p.deliver(good); status != http.StatusAccepted || ended() != 2 {
		t.Errorf("the message with its list: answers %d %s, and %d have ended", status, body, ended())
	}
	if rule, broken := p.host.State().Edge.Broken(p.id); broken {
		t.Errorf("the edge is broken: %s", rule)
	}
}

// A list that was signed and says two things ends nobody, and breaks the edge.
func TestListsThatContradictThemselves(t *testing.T) {
	for what, c := range map[string]struct {
		people []string
		change func(announced, chunk object)
	}{
		"a person without a name":       {[]string{person("a", 1), person("", 1)}, nil},
		"a person without engagement":   {[]string{person("a", 1), person("b", 0)}, nil},
		"a person twice":                {[]string{person("a", 1), person("a", 1)}, nil},
		"a member more":                 {[]string{`{"engagement":1,"namespace":"default","subject":"a","mail":"a"}`}, nil},
		"more people than announced":    {[]string{person("a", 1), person("b", 1)}, func(a, c object) { a["subjects"], c["subjects"] = 1, 1 }},
		"fewer people than announced":   {[]string{person("a", 1)}, func(a, c object) { a["subjects"], c["subjects"] = 2, 2 }},
		"chunks that do not make it up": {[]string{person("a", 1)}, func(a, _ object) { a["subjects"] = 2 }},
		"a chunk of nobody":             {[]string{person("a", 1)}, func(a, c object) { a["subjects"], c["subjects"] = 0, 0 }},
	} {
		p := newPartner(t)
		chunk, announced := list(c.people...)
		if c.change != nil {
			c.change(announced, announced["chunks"].([]any)[0].(object))
		}
		message := p.message(edge.Safety, "revocation-bulk", announced).token()
		if status, _ := p.deliver(message); status == http.StatusConflict {
			push(p.handler, chunk)
			status, _ = p.deliver(message)
			if status != http.StatusAccepted {
				t.Errorf("%s: answers %d", what, status)
			}
		}
		if rule, broken := p.host.State().Edge.Broken(p.id); !broken || rule != "unreadable_list" || p.host.State().Revocation.Tombstones.Len() != 0 {
			t.Errorf("%s: the edge is broken %t (%s), %d have ended", what, broken, rule, p.host.State().Revocation.Tombstones.Len())
		}
	}
}
