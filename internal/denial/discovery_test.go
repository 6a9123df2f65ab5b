package denial_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// What a transmitter says of itself sets nothing up that was not asked for, and
// what would not be heard is not opened there.
func TestDiscovery(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	idp := w.NewIssuer("https://idp.rxw.example")
	w.Agree(home, host, []*nodetest.Issuer{idp}, nil)
	const tr = "https://tr.example"
	const configuration = `{"spec_version":"1_0","issuer":"` + tr + `","jwks_uri":"` + tr + `/jwks","delivery_methods_supported":["urn:ietf:rfc:8936"],
"configuration_endpoint":"` + tr + `/stream","verification_endpoint":"` + tr + `/verify","critical_subject_members":["group"]}`
	const stream = `{"stream_id":"s-1","iss":"` + tr + `","aud":"https://rje.example","delivery":{"method":"urn:ietf:rfc:8936","endpoint_url":"` + tr + `/poll"}}`
	opened, deleted, status, answer := 0, 0, http.StatusCreated, stream
	w.Serve("DELETE "+tr+"/stream?stream_id=s-1", func(authorization string, _ []byte) (int, []byte) {
		if authorization == "Bearer token" {
			deleted++
		}
		return http.StatusNoContent, nil
	})
	w.Serve(tr+"/stream", func(string, []byte) (int, []byte) { opened++; return status, []byte(answer) })
	w.Publish(tr+"/jwks", []byte(`{"keys":[]}`))
	set := func(says string, a node.Actor, change func(*signal.Document)) error {
		w.Publish(tr+"/.well-known/ssf-configuration", []byte(says))
		d := signal.Document{Kind: "Transmitter", Name: "tr", Issuer: must(trust.ParseIssuerID(idp.URL)), Audience: "https://rje.example"}
		if change != nil {
			change(&d)
		}
		opened = 0
		_, err := host.SetUpTransmitter(t.Context(), a, d, "token", tr)
		return err
	}
	refused := func(what string, err error, kind trust.ErrorKind, asked int) {
		t.Helper()
		if refuses(t, what, err, kind); opened != asked {
			t.Errorf("%s: %d streams are asked for, not %d", what, opened, asked)
		}
		if all, _ := host.Transmitters(t.Context()); len(all) != 0 {
			t.Fatalf("%s: a transmitter is heard: %+v", what, all)
		}
	}
	refused("an auditor's", set(configuration, node.Actor{ID: "x", Roles: []trust.Role{"auditor"}}, nil), trust.Denied, 0)
	for what, c := range map[string][2]string{
		"another issuer":         {`"issuer":"` + tr, `"issuer":"https://other.example`},
		"another version":        {"1_0", "2_0"},
		"keys anybody may write": {tr + "/jwks", "http://tr.example/jwks"},
		"no delivery of ours":    {"8936", "9999"},
		"a member nobody knows":  {"group", "ward"},
	} {
		refused(what, set(strings.Replace(configuration, c[0], c[1], 1), host.Admin, nil), trust.Invalid, 0)
	}
	refused("of nobody", set(configuration, host.Admin, func(d *signal.Document) { d.Issuer = must(trust.ParseIssuerID("https://nobody.example")) }), trust.NotFound, 0)
	refused("keys of our own", set(configuration, host.Admin, func(d *signal.Document) { d.JWKSURI = "https://x.example/jwks" }), trust.Invalid, 0)
	for what, c := range map[string][2]string{
		"a stream of another issuer": {`"iss":"` + tr, `"iss":"https://other.example`},
		"for another audience":       {"https://rje.example", "https://other.example"},
		"by another method":          {"8936", "8935"},
		"polled in the open":         {tr + "/poll", "http://tr.example/poll"},
		"of nothing that is known":   {`"s-1",`, `"s-1","events_delivered":["https://tr.example/own"],`},
	} {
		answer, deleted = strings.Replace(stream, c[0], c[1], 1), 0
		refused(what, set(configuration, host.Admin, nil), trust.Invalid, 1)
		if deleted != 1 {
			t.Errorf("%s: %d streams are deleted at the transmitter", what, deleted)
		}
	}
	answer, status = stream, http.StatusForbidden
	refused("with the token of nobody", set(configuration, host.Admin, nil), trust.Denied, 1)
	status = http.StatusOK
	refused("not opened", set(configuration, host.Admin, nil), trust.Unavailable, 1)
	status = http.StatusFound
	refused("elsewhere", set(configuration, host.Admin, nil), trust.Unavailable, 1)
	status = http.StatusCreated
	check(t, set(configuration, host.Admin, nil))
	if err := set(configuration, host.Admin, nil); trust.KindOf(err) != trust.Conflict || opened != 0 {
		t.Errorf("a second one: %v, %d streams are asked for", err, opened)
	}
}
