package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

const (
	jwk   = `{"kty":"EC","alg":"ES256","crv":"P-256","kid":"k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	other = `{"kty":"OKP","crv":"Ed25519","kid":"k2","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	sum   = "MpY8aOH_1dPFfZ9zWvhQgQEv1qtPRHW4XHYV2u3QjNY"
)

func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

func keys(jwks ...string) client.Means {
	return client.Means{Keys: must(jose.ParseKeySet([]byte(`{"keys":[` + strings.Join(jwks, ",") + `]}`)))}
}

func app() client.Document {
	return client.Document{
		Kind: "Client", ID: "ward-app", Participant: must(trust.ParseParticipantID("https://trust.rxw.example")),
		Services: []string{"ward-records", "letters"}, Means: keys(jwk),
	}
}

func facts() client.Facts {
	return client.Facts{
		Participant:      func(id trust.ParticipantID) bool { return id == app().Participant },
		Service:          func(name string) bool { return name == "ward-records" || name == "letters" },
		EnforcementPoint: func(name string) bool { return name == "nginx-1" },
	}
}

func apply(t *testing.T, s client.State) func([]trust.Event, error) client.State {
	return func(events []trust.Event, err error) client.State {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			s = s.Apply(e, trust.Stamp{})
		}
		return s
	}
}

func wants(t *testing.T, what string, kind trust.ErrorKind, events []trust.Event, err error) {
	t.Helper()
	if trust.KindOf(err) != kind || len(events) > 0 {
		t.Errorf("%s: got %v, %v; want %s", what, events, err, kind)
	}
}

func registered(t *testing.T) client.State {
	t.Helper()
	return apply(t, client.State{})(client.State{}.Add(facts(), app(), "o1"))
}

func TestAdd(t *testing.T) {
	c, ok := registered(t).Get("ward-app")
	if !ok || !c.MayName("letters") || !c.MayName("ward-records") || c.MayName("") || c.MayName("pharmacy") || c.Document.Method() != client.PrivateKeyJWT {
		t.Errorf("got %+v, %v", c, ok)
	}
	if c.Document.Services[0] != "letters" {
		t.Errorf("services are %v, want them sorted", c.Document.Services)
	}
}

func TestAddRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*client.Document)
		want   trust.ErrorKind
	}{
		"another kind":               {func(d *client.Document) { d.Kind = "Service" }, trust.Invalid},
		"no identifier":              {func(d *client.Document) { d.ID = "" }, trust.Invalid},
		"an identifier with capital": {func(d *client.Document) { d.ID = "Ward" }, trust.Invalid},
		"nobody's":                   {func(d *client.Document) { d.Participant = trust.ParticipantID{} }, trust.Invalid},
		"no service":                 {func(d *client.Document) { d.Services = nil }, trust.Invalid},
		"a service twice":            {func(d *client.Document) { d.Services = []string{"letters", "letters"} }, trust.Invalid},
		"too many services":          {func(d *client.Document) { d.Services = strings.Split(strings.Repeat("a ", 17), " ") }, trust.Invalid},
		"no means":                   {func(d *client.Document) { d.Means = client.Means{} }, trust.Invalid},
		"two ways":                   {func(d *client.Document) { d.SPIFFEID = "spiffe://rxw.example/app" }, trust.Invalid},
		"a key without kid":          {func(d *client.Document) { d.Means = keys(strings.Replace(jwk, `"kid":"k1",`, "", 1)) }, trust.Invalid},
		"an audience without keys": {func(d *client.Document) {
			d.Means = client.Means{Certificates: []string{sum}, Audience: "https://a.example/token"}
		}, trust.Invalid},
		"an audience of no scheme": {func(d *client.Document) { d.Audience = "a.example/token" }, trust.Invalid},
		"an audience with a query": {func(d *client.Document) { d.Audience = "https://a.example/token?x=1" }, trust.Invalid},
		"an unfit certificate":     {func(d *client.Document) { d.Means = client.Means{Certificates: []string{"abc"}} }, trust.Invalid},
		"a certificate twice":      {func(d *client.Document) { d.Means = client.Means{Certificates: []string{sum, sum}} }, trust.Invalid},
		"no SPIFFE ID":             {func(d *client.Document) { d.Means = client.Means{SPIFFEID: "https://rxw.example/app"} }, trust.Invalid},
		"a trust domain":           {func(d *client.Document) { d.Means = client.Means{SPIFFEID: "spiffe://rxw.example"} }, trust.Invalid},
		"a stranger's":             {func(d *client.Document) { d.Participant = must(trust.ParseParticipantID("https://nobody.example")) }, trust.NotFound},
		"an unknown service":       {func(d *client.Document) { d.Services = []string{"pharmacy"} }, trust.NotFound},
		"an enforcement point":     {func(d *client.Document) { d.ID = "nginx-1" }, trust.Conflict},
	} {
		d := app()
		tt.change(&d)
		events, err := client.State{}.Add(facts(), d, "o1")
		wants(t, name, tt.want, events, err)
	}
	events, err := client.State{}.Add(facts(), app(), "")
	wants(t, "by nobody", trust.Invalid, events, err)
	s := registered(t)
	events, err = s.Add(facts(), app(), "o1")
	wants(t, "known already", trust.Conflict, events, err)
}

func TestRenew(t *testing.T) {
	s := registered(t)
	if events, err := s.Renew("ward-app", keys(jwk), "o1"); events != nil || err != nil {
		t.Errorf("renewing with the same gave %v, %v", events, err)
	}
	s = apply(t, s)(s.Renew("ward-app", keys(other), "o1"))
	c, _ := s.Get("ward-app")
	if all := c.Document.Keys.Keys(); len(all) != 1 || all[0].KeyID() != "k2" {
		t.Errorf("the keys are %v; renewing replaces them", all)
	}
	s = apply(t, s)(s.Renew("ward-app", client.Means{Certificates: []string{sum}}, "o1"))
	if c, _ = s.Get("ward-app"); c.Document.Method() != client.SelfSignedTLS || len(c.Document.Keys.Keys()) != 0 {
		t.Errorf("got %+v", c)
	}
	events, err := s.Renew("ward-app", client.Means{}, "o1")
	wants(t, "by nothing", trust.Invalid, events, err)
	events, err = s.Renew("letter-app", keys(jwk), "o1")
	wants(t, "an unknown client", trust.NotFound, events, err)
}

// What has ended stays ended, and its identifier is never reused.
func TestEnd(t *testing.T) {
	s := registered(t)
	s = apply(t, s)(s.End("ward-app", "o1"))
	c, ok := s.Get("ward-app")
	if !ok || !c.Ended || c.MayName("letters") || c.Document.Method() != "" {
		t.Errorf("got %+v, %v", c, ok)
	}
	events, err := s.End("ward-app", "o1")
	wants(t, "ending it again", trust.Conflict, events, err)
	events, err = s.Renew("ward-app", keys(other), "o1")
	wants(t, "renewing it", trust.Conflict, events, err)
	events, err = s.Add(facts(), app(), "o1")
	wants(t, "adding it again", trust.Conflict, events, err)
	if s = s.Apply(client.Renewed{ID: "ward-app", Means: keys(other)}, trust.Stamp{}); reflect.DeepEqual(s, client.State{}) {
		t.Error("the state is empty")
	}
	if c, _ = s.Get("ward-app"); c.Document.Method() != "" {
		t.Error("an event revives a client that has ended")
	}
}

func TestSPIFFEIDIsOfOneClient(t *testing.T) {
	const id = "spiffe://prod.rxw.example/ward/app"
	d := app()
	d.Means = client.Means{SPIFFEID: id}
	s := apply(t, client.State{})(client.State{}.Add(facts(), d, "o1"))
	if c, ok := s.BySPIFFE(id); !ok || c.Document.ID != "ward-app" {
		t.Errorf("got %+v, %v", c, ok)
	}
	d.ID = "letter-app"
	events, err := s.Add(facts(), d, "o1")
	wants(t, "another with its SPIFFE ID", trust.Conflict, events, err)
	again := s
	s = apply(t, s)(s.Renew("ward-app", keys(jwk), "o1"))
	if _, ok := s.BySPIFFE(id); ok {
		t.Error("a SPIFFE ID that was replaced still finds the client")
	}
	again = apply(t, again)(again.End("ward-app", "o1"))
	if _, ok := again.BySPIFFE(id); ok {
		t.Error("a SPIFFE ID finds a client that has ended")
	}
}

func TestStateReadsBackWithItsIndex(t *testing.T) {
	d := app()
	d.Means = client.Means{SPIFFEID: "spiffe://prod.rxw.example/ward/app"}
	s := apply(t, registered(t))(registered(t).Add(facts(), func() client.Document { d.ID = "letter-app"; return d }(), "o1"))
	var read client.State
	if err := canonical.Decode(must(canonical.Marshal(s)), &read); err != nil {
		t.Fatal(err)
	}
	if c, ok := read.BySPIFFE(d.SPIFFEID); !ok || c.Document.ID != "letter-app" {
		t.Errorf("got %+v", c)
	}
	var ids []string
	for c := range read.All() {
		ids = append(ids, c.Document.ID)
	}
	if !reflect.DeepEqual(ids, []string{"letter-app", "ward-app"}) {
		t.Errorf("got %v", ids)
	}
}

func TestReadCertificate(t *testing.T) {
	from := time.Unix(1_780_000_000, 0)
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: from.Add(time.Hour)}
	der := must(x509.CreateCertificate(rand.Reader, template, template, private.Public(), private))
	c, err := client.ReadCertificate(der)
	if err != nil || len(c.Thumbprint) != 43 || c.Window != (trust.Window{NotBefore: from.Unix(), NotAfter: from.Unix() + 3601}) {
		t.Errorf("got %+v, %v", c, err)
	}
	if _, err := client.ReadCertificate(der[1:]); trust.KindOf(err) != trust.Invalid {
		t.Errorf("what is no certificate gave %v", err)
	}
	weak := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	der = must(x509.CreateCertificate(rand.Reader, template, template, weak.Public(), weak))
	if _, err := client.ReadCertificate(der); trust.KindOf(err) != trust.Invalid {
		t.Errorf("an unfit key gave %v", err)
	}
}
