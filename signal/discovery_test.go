package signal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// SSF 1.0, section 7.2: the well-known part stands before the path of the issuer.
func TestConfigurationURL(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://tr.example":           "https://tr.example/.well-known/ssf-configuration",
		"https://tr.example/":          "https://tr.example/.well-known/ssf-configuration",
		"https://tr.example/a/b":       "https://tr.example/.well-known/ssf-configuration/a/b",
		"https://tr.example:8443/a/":   "https://tr.example:8443/.well-known/ssf-configuration/a",
		"https://tr.example/a%2Fb":     "https://tr.example/.well-known/ssf-configuration/a%2Fb",
		"http://tr.example":            "",
		"https://tr.example?a=b":       "",
		"https://tr.example/?":         "",
		"https://tr.example#a":         "",
		"https://user@tr.example":      "",
		"https:///a":                   "",
		"tr.example":                   "",
		"https://tr.example/\x00":      "",
		"https://" + long + ".example": "",
	} {
		got, err := signal.ConfigurationURL(issuer)
		if got != want || (err == nil) != (want != "") || err != nil && trust.KindOf(err) != trust.Invalid {
			t.Errorf("%q: %q, %v; want %q", issuer, got, err, want)
		}
	}
}

var long = strings.Repeat("a", 3000)

const transmitterText = `{"spec_version":"1_0","issuer":"https://tr.example","jwks_uri":"https://tr.example/jwks",
"delivery_methods_supported":["urn:ietf:rfc:8935","urn:ietf:rfc:8936"],"configuration_endpoint":"https://tr.example/stream",
"status_endpoint":"https://tr.example/status","verification_endpoint":"https://tr.example/verify","critical_subject_members":["tenant"],
"authorization_schemes":[{"spec_urn":"urn:ietf:rfc:8705"},{"spec_urn":"urn:ietf:rfc:6749"}],"default_subjects":"ALL","another":{}}`

// instead replaces a part of a text that is there once.
func instead(t *testing.T, text, old, with string) []byte {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("%q stands there %d times", old, strings.Count(text, old))
	}
	return []byte(strings.Replace(text, old, with, 1))
}

// A fault is named by its member.
func TestConfigurationsRefused(t *testing.T) {
	const issuer = "https://tr.example"
	if c, err := signal.ReadConfiguration([]byte(transmitterText), issuer); err != nil || c.Streams != "https://tr.example/stream" {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, c := range []struct{ member, old, with string }{
		{"spec_version", `"1_0"`, `"1_0-ID2"`},
		{"spec_version", `"spec_version":"1_0",`, ``},
		{"issuer", `"issuer":"https://tr.example"`, `"issuer":"https://tr.example/"`},
		{"issuer", `"issuer":"https://tr.example"`, `"issuer":"https://other.example"`},
		{"jwks_uri", `"https://tr.example/jwks"`, `"http://tr.example/jwks"`},
		{"jwks_uri", `"jwks_uri":"https://tr.example/jwks",`, ``},
		{"configuration_endpoint", `"https://tr.example/stream"`, `"file:///stream"`},
		{"status_endpoint", `"https://tr.example/status"`, `"http://tr.example/status"`},
		{"verification_endpoint", `"verification_endpoint":"https://tr.example/verify",`, ``},
		{"critical_subject_members", `["tenant"]`, `["tenant","ward"]`},
		{"authorization_schemes", `"urn:ietf:rfc:6749"`, `"urn:ietf:rfc:8705"`},
		{"cannot be read", `"issuer":`, `"issuer":"https://tr.example","issuer":`},
		{"cannot be read", `"issuer":"https://tr.example"`, `"issuer":["https://tr.example"]`},
	} {
		_, err := signal.ReadConfiguration(instead(t, transmitterText, c.old, c.with), issuer)
		if trust.KindOf(err) != trust.Invalid || !strings.Contains(err.Error(), c.member) {
			t.Errorf("%s for %s: %v", c.with, c.old, err)
		}
	}
}

func found(t *testing.T, d signal.Document, methods string) (signal.Document, error) {
	t.Helper()
	text := instead(t, transmitterText, `"delivery_methods_supported":["urn:ietf:rfc:8935","urn:ietf:rfc:8936"],`, methods)
	c, err := signal.ReadConfiguration(text, "https://tr.example")
	if err != nil {
		t.Fatal(err)
	}
	return c.Begin(d)
}

func TestADeliveryIsChosen(t *testing.T) {
	const push, poll = `"urn:ietf:rfc:8935"`, `"urn:ietf:rfc:8936"`
	for _, c := range []struct {
		want    signal.Delivery
		methods string
		got     signal.Delivery // "": refused
	}{
		{"", push + "," + poll, signal.Push},
		{"", poll + "," + push, signal.Push},
		{"", poll, signal.Poll},
		{"", "", ""},
		{"", `"urn:ietf:rfc:9999"`, ""},
		{signal.Poll, push + "," + poll, signal.Poll},
		{signal.Poll, push, ""},
		{signal.Push, poll, ""},
		{signal.Logout, push + "," + poll, ""},
		{"carrier pigeon", push, ""},
	} {
		d, err := found(t, signal.Document{Delivery: c.want}, `"delivery_methods_supported":[`+c.methods+`],`)
		if err == nil && d.Delivery != c.got || (err == nil) != (c.got != "") || err != nil && !strings.Contains(err.Error(), "delivery_methods_supported") {
			t.Errorf("%q of %s: %q, %v", c.want, c.methods, d.Delivery, err)
		}
	}
	if _, err := found(t, signal.Document{}, ""); err == nil {
		t.Error("without the member a delivery is chosen")
	}
	for path, d := range map[string]signal.Document{
		"signed_by": {SignedBy: "https://tr.example"}, "jwks_uri": {JWKSURI: "https://tr.example/jwks"}, "stream_id": {StreamID: "s"},
		"verify_uri": {VerifyURI: "https://tr.example/verify"}, "poll_uri": {PollURI: "https://tr.example/poll"},
	} {
		if _, err := found(t, d, `"delivery_methods_supported":[`+push+`],`); trust.KindOf(err) != trust.Invalid || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A stream is the one that was asked for, or is not heard.
func TestOpenings(t *testing.T) {
	const answer = `{"stream_id":"s-1","iss":"https://tr.example","aud":["https://rje.example"],"events_delivered":["` + string(signal.AccountDisabled) + `"],
"delivery":{"method":"urn:ietf:rfc:8936","endpoint_url":"https://tr.example/poll/s-1"},"min_verification_interval":15}`
	issuer, err := trust.ParseIssuerID("https://idp.example")
	if err != nil {
		t.Fatal(err)
	}
	d, err := found(t, signal.Document{Kind: "Transmitter", Name: "tr", Issuer: issuer, Delivery: signal.Poll}, `"delivery_methods_supported":["urn:ietf:rfc:8936"],`)
	if err != nil {
		t.Fatal(err)
	}
	for streams, want := range map[string]string{
		"https://tr.example/stream": "https://tr.example/stream?stream_id=s-1", "https://tr.example/stream?tenant=a": "https://tr.example/stream?stream_id=s-1&tenant=a",
	} {
		c := signal.Configuration{Streams: streams}
		if id, at := c.Deleting([]byte(answer)); id != "s-1" || at != want {
			t.Errorf("stream %q of %s is deleted at %s", id, streams, at)
		}
		if id, at := c.Deleting([]byte(`{"iss":"https://tr.example"}`)); id+at != "" {
			t.Errorf("stream %q without a name is deleted at %s", id, at)
		}
	}
	o := d.Opening("https://rje.example/signals/tr", "Bearer secret")
	if o.Delivery.Endpoint+o.Delivery.Authorization != "" || slices.Contains(o.Events, signal.Verification) || !slices.Contains(o.Events, signal.SessionRevoked) || !slices.IsSorted(o.Events) {
		t.Errorf("asked for is %+v", o)
	}
	got, err := d.Opened(o, []byte(answer))
	if err != nil || got.Check() != nil || got.StreamID != "s-1" || got.Audience != "https://rje.example" || got.PollURI != "https://tr.example/poll/s-1" ||
		got.SignedBy != "https://tr.example" || got.JWKSURI != "https://tr.example/jwks" || !slices.Equal(got.Critical, []string{"tenant"}) {
		t.Errorf("%+v, %v, %v", got, err, got.Check())
	}
	d.Audience = "https://rje.example"
	for _, c := range []struct{ member, old, with string }{
		{"stream_id", `"s-1"`, `""`},
		{"stream_id", `"s-1"`, `"` + long + `"`},
		{"iss", `"iss":"https://tr.example"`, `"iss":"https://other.example"`},
		{"aud", `["https://rje.example"]`, `"https://other.example"`},
		{"aud", `["https://rje.example"]`, `["https://rje.example","https://other.example"]`},
		{"aud", `["https://rje.example"]`, `7`},
		{"delivery.method", `8936`, `8935`},
		{"delivery.endpoint_url", `"https://tr.example/poll/s-1"`, `"http://tr.example/poll/s-1"`},
		{"events_delivered", `["` + string(signal.AccountDisabled) + `"]`, `["https://tr.example/own"]`},
		{"events_delivered", `["` + string(signal.AccountDisabled) + `"]`, `[]`},
		{"cannot be read", `"stream_id":`, `stream_id:`},
	} {
		_, err := d.Opened(o, instead(t, answer, c.old, c.with))
		if trust.KindOf(err) != trust.Invalid || !strings.Contains(err.Error(), c.member) {
			t.Errorf("%s for %s: %v", c.with, c.old, err)
		}
	}
	d.Delivery, d.SignedBy = signal.Push, "https://tr.example"
	o = d.Opening("https://rje.example/signals/tr", "Bearer secret")
	if o.Delivery != (signal.OpeningDelivery{Method: "urn:ietf:rfc:8935", Endpoint: "https://rje.example/signals/tr", Authorization: "Bearer secret"}) {
		t.Errorf("asked for is %+v", o.Delivery)
	}
	pushed := strings.ReplaceAll(strings.ReplaceAll(answer, "8936", "8935"), "https://tr.example/poll/s-1", "https://rje.example/signals/tr")
	if got, err := d.Opened(o, []byte(pushed)); err != nil || got.PollURI != "" || got.Check() != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := d.Opened(o, instead(t, pushed, "/signals/tr", "/signals/other")); err == nil || !strings.Contains(err.Error(), "delivery.endpoint_url") {
		t.Errorf("pushed elsewhere: %v", err)
	}
}
