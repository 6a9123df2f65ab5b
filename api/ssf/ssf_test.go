package ssf_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/node"
)

var all = &client.Signals{All: true}

const both = `{"events_requested":["` + revoked + `","` + off + `","urn:example:other"]}`

// SSF 1.0, section 7: the document stands before the path of the issuer, and the
// issuer in it is the one that was asked for.
func TestConfiguration(t *testing.T) {
	d := open(t, nil)
	code, text, header := d.send("GET", "/.well-known/ssf-configuration", "", "")
	if code != http.StatusOK || header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", code, text)
	}
	for _, want := range []string{
		`"spec_version":"1_0"`, `"issuer":"https://trust.rxw.example"`, `"jwks_uri":"https://trust.rxw.example/ssf/jwks"`,
		`"delivery_methods_supported":["urn:ietf:rfc:8935","urn:ietf:rfc:8936"]`, `"configuration_endpoint":"https://trust.rxw.example/ssf/v1/stream"`,
		`"status_endpoint":`, `"add_subject_endpoint":`, `"remove_subject_endpoint":`, `"verification_endpoint":`,
		`"critical_subject_members":["tenant"]`, `"authorization_schemes":[{"spec_urn":"urn:ietf:rfc:6749"}`, `"default_subjects":"NONE"`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	for _, path := range []string{"/.well-known/ssf-configuration/other", "/.well-known/ssf-configuration?x=1", "/.well-known/ssf-configuration/"} {
		if code, _, _ := d.send("GET", path, "", ""); code != http.StatusNotFound {
			t.Errorf("%s answers %d", path, code)
		}
	}
}

// Many ends in one entry come a page at a time, each once.
func TestManyLeaveAtOnce(t *testing.T) {
	d := open(t, nil)
	d.register("gateway", all)
	d.register("narrow", &client.Signals{})
	id, narrow := d.stream("gateway", both), d.stream("narrow", both)
	if code, _ := d.as("narrow", "POST", "/ssf/v1/subjects/add", `{"stream_id":"`+narrow+`","subject":{"format":"iss_sub","iss":"`+idp+`","sub":"nurse-7"}}`); code != http.StatusOK {
		t.Fatal(code)
	}
	var leavers []node.Leaver
	for i := range 130 {
		leavers = append(leavers, node.Leaver{Issuer: idp, Subject: fmt.Sprint("nurse-", i)})
	}
	_, err := d.RevokeMany(t.Context(), d.Admin, leavers, "closed", "", nil)
	d.no(err)
	if got := d.poll("narrow", narrow, now); len(got) != 2 || got[revoked+" nurse-7"].jti == "" {
		t.Errorf("who named one hears %v", got)
	}
	seen := map[string]event{}
	page := d.poll("gateway", id, now)
	for turn := 0; len(page) > 0 && turn < 5; turn++ {
		some, last := map[string]event{}, ""
		for kind, e := range page {
			if _, twice := seen[kind]; twice {
				t.Errorf("%s comes twice", kind)
			}
			some[kind], last = e, kind
		}
		if turn == 1 {
			delete(some, last) // not acknowledged: it comes again
		}
		for kind, e := range some {
			seen[kind] = e
		}
		if turn == 2 {
			d.Stop()
			d.Start()
			delete(d.tokens, "gateway")
		}
		page = d.poll("gateway", id, acks(some))
	}
	if len(seen) != 260 {
		t.Errorf("%d events of 130 who left", len(seen))
	}
}

// A receiver opens a stream, hears of what ends, and no more of what it took.
func TestPolledStream(t *testing.T) {
	d := open(t, nil)
	d.register("gateway", all)
	d.revoke("nurse-0") // before there is a stream
	id := d.stream("gateway", both)
	if got := d.poll("gateway", id, now); len(got) != 0 {
		t.Errorf("an empty stream has %v", got)
	}
	d.revoke("nurse-1")
	got := d.poll("gateway", id, now)
	e := got[revoked+" nurse-1"]
	if len(got) != 2 || got[off+" nurse-1"].jti == "" || e.jti == "" || e.aud != "gateway" {
		t.Fatalf("polled %v", got)
	}
	format, _ := e.about.Text("format")
	iss, _ := e.about.Text("iss")
	by, _ := e.body.Text("initiating_entity")
	if at, _ := e.body.Int("event_timestamp"); format != "iss_sub" || iss != idp || by != "admin" || at == 0 || e.body["reason_admin"] == nil {
		t.Errorf("it says %v of %v", e.body, e.about)
	}
	again := d.poll("gateway", id, now)
	if len(again) != 2 || again[revoked+" nurse-1"].jti != e.jti {
		t.Errorf("not the same again: %v", again)
	}
	if left := d.poll("gateway", id, acks(map[string]event{"": e})); len(left) != 1 || left[off+" nurse-1"].jti == "" {
		t.Errorf("after one was taken there are %v", left)
	}
	d.Stop()
	d.Start()
	d.tokens = map[string]string{}
	left := d.poll("gateway", id, now)
	if len(left) != 1 || left[off+" nurse-1"].jti != again[off+" nurse-1"].jti {
		t.Errorf("after a start there are %v", left)
	}
	if left = d.poll("gateway", id, acks(left)); len(left) != 0 {
		t.Errorf("all was taken, and there are %v", left)
	}
	_, err := d.OpenEngagement(t.Context(), d.Admin, idp, "nurse-1", "check-1")
	d.no(err)
	if got := d.poll("gateway", id, now); len(got) != 0 {
		t.Errorf("events that were not asked for: %v", got)
	}
}
