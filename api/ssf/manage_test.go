package ssf_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/stream"
)

const hook = "https://gateway.example/events"

// SSF 1.0, section 8.1.1: what is created is read, changed, replaced and ended;
// what the transmitter says must be right where a request repeats it.
func TestManagement(t *testing.T) {
	d := open(t, direct{newReceiver()})
	d.register("gateway", &client.Signals{All: true, Push: []string{hook}})
	d.register("other", all)
	id := d.stream("gateway", `{"description":"ours","unknown":1,"events_requested":["`+revoked+`","urn:example:other"]}`)
	const at = "/ssf/v1/stream"
	code, o := d.as("gateway", "GET", at+"?stream_id="+id, "")
	delivery, _ := o["delivery"].(canonical.Object)
	endpoint, _ := delivery.Text("endpoint_url")
	if text := string(must(canonical.Marshal(o))); code != http.StatusOK || endpoint != "https://trust.rxw.example/ssf/v1/poll/"+id ||
		!strings.Contains(text, `"events_delivered":["`+revoked+`"]`) || !strings.Contains(text, `"events_requested":["`+revoked+`","urn:example:other"]`) ||
		!strings.Contains(text, `"aud":"gateway"`) || !strings.Contains(text, `"iss":"https://trust.rxw.example"`) || !strings.Contains(text, `"description":"ours"`) ||
		!strings.Contains(text, `"min_verification_interval":60`) {
		t.Errorf("%d %s", code, text)
	}
	if code, again := d.as("gateway", "PUT", at, string(must(canonical.Marshal(o)))); code != http.StatusOK || string(must(canonical.Marshal(again))) != string(must(canonical.Marshal(o))) {
		t.Errorf("replaced by itself it is %d %v", code, again)
	}
	for name, body := range map[string]string{
		"another issuer": `"iss":"https://x.example"`, "another audience": `"aud":"other"`, "other events": `"events_delivered":["` + off + `"]`,
		"no interval": `"min_verification_interval":0`, "another address to poll": `"delivery":{"method":"urn:ietf:rfc:8936","endpoint_url":"https://x.example"}`,
		"another method": `"delivery":{"method":"urn:x"}`, "a word for a list": `"events_requested":"` + off + `"`, "a header of two lines": `"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"` + hook + `","authorization_header":"a\nb"}`,
		"a long text": `"description":"` + strings.Repeat("x", 3000) + `"`,
	} {
		if code, _ := d.as("gateway", "PATCH", at, `{"stream_id":"`+id+`",`+body+`}`); code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, code)
		}
	}
	if code, _ := d.as("gateway", "PATCH", at, `{"stream_id":"`+id+`","delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"https://gateway.example/other"}}`); code != http.StatusForbidden {
		t.Errorf("an address that no operator registered: %d", code)
	}
	code, o = d.as("gateway", "PATCH", at, `{"stream_id":"`+id+`","delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"`+hook+`","authorization_header":"Bearer x"}}`)
	if text := string(must(canonical.Marshal(o))); code != http.StatusOK || !strings.Contains(text, `"description":"ours"`) || strings.Contains(text, "Bearer x") || !strings.Contains(text, hook) {
		t.Errorf("%d %s", code, text)
	}
	if code, _ := d.as("gateway", "POST", "/ssf/v1/poll/"+id, now); code != http.StatusNotFound {
		t.Errorf("a pushed stream is polled: %d", code)
	}
	code, o = d.as("gateway", "PUT", at, `{"stream_id":"`+id+`"}`)
	if text := string(must(canonical.Marshal(o))); code != http.StatusOK || strings.Contains(text, "ours") || !strings.Contains(text, `"events_delivered":[]`) {
		t.Errorf("%d %s", code, text)
	}
	if code, o := d.as("gateway", "GET", at, ""); code != http.StatusOK || len(o["list"].([]any)) != 1 {
		t.Errorf("%d %v", code, o)
	}
	if code, o := d.as("other", "GET", at, ""); code != http.StatusOK || len(o["list"].([]any)) != 0 {
		t.Errorf("another has %d %v", code, o)
	}
	for _, query := range []string{"", "?stream_id=", "?stream_id=" + id + "&stream_id=" + id, "?other=" + id} {
		if code, _ := d.as("gateway", "DELETE", at+query, ""); code != http.StatusBadRequest {
			t.Errorf("DELETE %q: %d", query, code)
		}
	}
	if code, o := d.as("gateway", "DELETE", at+"?stream_id="+id, ""); code != http.StatusNoContent || o != nil {
		t.Errorf("%d %v", code, o)
	}
	if code, _ := d.as("gateway", "GET", at+"?stream_id="+id, ""); code != http.StatusNotFound {
		t.Errorf("after the end: %d", code)
	}
}

// A receiver hears of those whom it added, by the name it gave, from then on.
func TestSubjects(t *testing.T) {
	d := open(t, nil)
	d.register("gateway", &client.Signals{})
	id := d.stream("gateway", both)
	change := func(verb, subject string) int {
		code, _ := d.as("gateway", "POST", "/ssf/v1/subjects/"+verb, `{"stream_id":"`+id+`","verified":true,"subject":`+subject+`}`)
		return code
	}
	named := func(iss, sub string) string { return `{"format":"iss_sub","iss":"` + iss + `","sub":"` + sub + `"}` }
	for _, who := range []string{"nurse-1", "nurse-2", "nobody-at-all"} {
		if code := change("add", named(idp, who)); code != http.StatusOK {
			t.Errorf("adding %s: %d", who, code)
		}
	}
	if code := change("remove", named(idp, "nurse-2")); code != http.StatusNoContent {
		t.Errorf("removing: %d", code)
	}
	for name, c := range map[string]struct {
		subject string
		want    int
	}{
		"of another's issuer": {named("https://x.example", "nurse-1"), http.StatusNotFound}, "by mail": {`{"format":"email","email":"a@b.example"}`, http.StatusNotFound},
		"without format": {`{"iss":"` + idp + `","sub":"x"}`, http.StatusBadRequest}, "no object": {`"nurse-1"`, http.StatusBadRequest}, "null": {`null`, http.StatusBadRequest},
	} {
		if code := change("add", c.subject); code != c.want {
			t.Errorf("%s: %d", name, code)
		}
	}
	for _, who := range []string{"nurse-1", "nurse-2", "nurse-3"} {
		d.revoke(who)
	}
	change("add", named(idp, "nurse-3")) // what came before is not told
	got := d.poll("gateway", id, now)
	if len(got) != 2 || got[revoked+" nurse-1"].jti == "" || got[off+" nurse-1"].jti == "" {
		t.Errorf("heard %v", got)
	}
	if len(d.poll("gateway", id, acks(got))) != 0 {
		t.Error("there is more")
	}
}

// An issuer's own key or end is told to all; a credential of ours to those that
// hear of everybody.
func TestWhatIsTold(t *testing.T) {
	d := open(t, nil)
	d.register("gateway", all)
	d.register("narrow", &client.Signals{})
	every := `{"events_requested":["` + revoked + `","` + off + `","` + on + `","` + leaked + `"]}`
	wide, narrow := d.stream("gateway", every), d.stream("narrow", every)
	d.revoke("nurse-1")
	_, err := d.OpenEngagement(t.Context(), d.Admin, idp, "nurse-1", "check-1")
	d.no(err)
	speaker, _ := d.State().Speaker(idp)
	_, err = d.Revoke(t.Context(), d.Admin, node.RevokeRequest{Kind: revocation.Key, Issuer: idp, KeyID: speaker.Keys.Keys()[0].KeyID(), Reason: "copied"})
	d.no(err)
	got := d.poll("gateway", wide, now)
	for _, kind := range []string{off + " nurse-1", revoked + " nurse-1", on + " nurse-1", leaked + " ", revoked + " "} {
		if got[kind].jti == "" {
			t.Errorf("no %q in %v", kind, got)
		}
	}
	tenant, _ := got[leaked+" "].about["tenant"].(canonical.Object)
	if uri, _ := tenant.Text("uri"); uri != idp {
		t.Errorf("the key is of %v", got[leaked+" "].about)
	}
	if got := d.poll("narrow", narrow, now); len(got) != 2 || got[leaked+" "].jti == "" {
		t.Errorf("who hears of nobody hears %v", got)
	}
}

func TestStatus(t *testing.T) {
	d := open(t, nil)
	d.register("gateway", all)
	id := d.stream("gateway", `{"events_requested":["`+revoked+`"]}`)
	move := func(to string) int {
		code, o := d.as("gateway", "POST", "/ssf/v1/status", `{"stream_id":"`+id+`","status":"`+to+`","reason":"maintenance"}`)
		if status, _ := o.Text("status"); code == http.StatusOK && status != to {
			t.Errorf("moved to %s it is %v", to, o)
		}
		return code
	}
	if code, o := d.as("gateway", "GET", "/ssf/v1/status?stream_id="+id, ""); code != http.StatusOK || len(o) != 2 {
		t.Errorf("%d %v", code, o)
	}
	if code := move("paused"); code != http.StatusOK {
		t.Errorf("%d", code)
	}
	d.revoke("nurse-1")
	if got := d.poll("gateway", id, now); len(got) != 0 {
		t.Errorf("a paused stream gives %v", got)
	}
	move("enabled")
	got := d.poll("gateway", id, now)
	if len(got) != 1 {
		t.Errorf("what was held is %v", got)
	}
	move("disabled")
	d.revoke("nurse-2")
	move("enabled")
	if got := d.poll("gateway", id, now); len(got) != 0 {
		t.Errorf("what happened while it was disabled: %v", got)
	}
	if code := move("off"); code != http.StatusBadRequest {
		t.Errorf("%d", code)
	}
	d.no(d.MoveStream(t.Context(), d.Admin, id, stream.Paused, "audit"))
	if code := move("enabled"); code != http.StatusForbidden {
		t.Errorf("a receiver starts what an operator stopped: %d", code)
	}
	told := d.poll("gateway", id, now)[updated+" "]
	if status, _ := told.body.Text("status"); status != "paused" || told.about["id"] != any(id) || told.about["format"] != any("opaque") {
		t.Errorf("told %v of %v", told.body, told.about)
	}
	if left := d.poll("gateway", id, `{"returnImmediately":true,"ack":["`+told.jti+`"]}`); len(left) != 0 {
		t.Errorf("told again: %v", left)
	}
	d.no(d.MoveStream(t.Context(), d.Admin, id, stream.Enabled, ""))
	if back := d.poll("gateway", id, now)[updated+" "]; back.jti == "" || back.jti == told.jti {
		t.Errorf("told %v", back)
	}
}

func TestVerification(t *testing.T) {
	d := open(t, nil)
	d.register("gateway", all)
	id := d.stream("gateway", both)
	ask := func() (int, http.Header) {
		code, _, header := d.send("POST", "/ssf/v1/verify", `{"stream_id":"`+id+`","state":"s-1"}`, "Bearer "+d.tokens["gateway"])
		return code, header
	}
	if code, _ := ask(); code != http.StatusNoContent {
		t.Fatalf("%d", code)
	}
	if code, header := ask(); code != http.StatusTooManyRequests || header.Get("Retry-After") == "" {
		t.Errorf("a flood: %d %v", code, header)
	}
	d.Stop()
	d.Start()
	delete(d.tokens, "gateway")
	e := d.poll("gateway", id, now)[check+" "]
	if state, _ := e.body.Text("state"); state != "s-1" || e.about["id"] != any(id) || e.about["format"] != any("opaque") {
		t.Errorf("told %v of %v", e.body, e.about)
	}
	if again := d.poll("gateway", id, now)[check+" "]; again.jti != e.jti {
		t.Errorf("again it is %v", again)
	}
	if left := d.poll("gateway", id, `{"returnImmediately":true,"ack":["`+e.jti+`"]}`); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	d.Clock.Shift(time.Minute + time.Second)
	delete(d.tokens, "gateway")
	d.poll("gateway", id, now)
	if code, _ := ask(); code != http.StatusNoContent {
		t.Errorf("a minute later: %d", code)
	}
}
