package ssf_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/api/ssf"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

const (
	idp     = "https://idp.rxw.example"
	revoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
	off     = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
	on      = "https://schemas.openid.net/secevent/risc/event-type/account-enabled"
	leaked  = "https://schemas.openid.net/secevent/risc/event-type/credential-compromise"
	check   = "https://schemas.openid.net/secevent/ssf/event-type/verification"
	updated = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated"
)

// desk is a node with receivers, reached over HTTP.
type desk struct {
	t *testing.T
	*nodetest.Node
	server *httptest.Server
	keys   map[string]jose.Signer
	tokens map[string]string
}

// open makes one whose pushes post carries; nil is nobody.
func open(t *testing.T, post node.Poster) *desk {
	t.Helper()
	w := nodetest.NewWorld(t)
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Post = post }
	d := newDesk(t, w.New("trust.rxw.example"))
	w.NewIssuer(idp)
	d.declare(participant.Issuer{})
	return d
}

func newDesk(t *testing.T, n *nodetest.Node) *desk {
	d := &desk{t: t, Node: n, keys: map[string]jose.Signer{}, tokens: map[string]string{}}
	d.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/oauth/") {
			oauth.New(d.Node.Node).ServeHTTP(w, r)
			return
		}
		ssf.New(d.Node.Node).ServeHTTP(w, r)
	}))
	t.Cleanup(d.server.Close)
	return d
}

func (d *desk) declare(more participant.Issuer) {
	d.t.Helper()
	lines := []participant.Issuer{{Issuer: must(trust.ParseIssuerID(idp)), JWKSURI: idp + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}}}}
	if !more.Issuer.IsZero() {
		lines = append(lines, more)
	}
	d.no(d.Declare(d.t.Context(), d.Admin, participant.Document{Kind: "Participant", ID: d.ID, Issuers: lines}))
	nodetest.Eventually(d.t, "the issuer's key", func() bool {
		s, ok := d.State().Speaker(idp)
		return ok && len(s.Keys.Keys()) > 0
	})
}

func (d *desk) no(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

// register makes a client a receiver.
func (d *desk) register(id string, rights *client.Signals) {
	d.t.Helper()
	key := must(jose.NewSigner(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), id))
	doc := client.Document{Kind: "Client", ID: id, Participant: d.ID, Signals: rights, Means: client.Means{Keys: must(jose.NewKeySet(key.Key()))}}
	if rights == nil {
		d.t.Fatal("a receiver has rights")
	}
	d.no(d.AddClient(d.t.Context(), d.Admin, doc))
	d.keys[id] = key
}

// token gets one by private_key_jwt.
func (d *desk) token(id, scope string) string {
	d.t.Helper()
	now := d.Now()
	assertion := must(jose.Sign(d.keys[id], "client-authentication+jwt", map[string]any{
		"iss": id, "sub": id, "aud": d.ID.String(), "iat": now, "exp": now + 60, "jti": rand.Text(),
	}))
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
	}
	if scope != "" {
		form.Set("scope", scope)
	}
	response := must(http.PostForm(d.server.URL+"/oauth/token", form))
	defer response.Body.Close()
	o := must(canonical.ParseObject(must(io.ReadAll(response.Body))))
	token, _ := o.Text("access_token")
	if response.StatusCode != http.StatusOK || token == "" {
		d.t.Fatalf("no token for %s: %d %v", id, response.StatusCode, o)
	}
	return token
}

// as sends a request of a receiver and gives the status and the answer.
func (d *desk) as(id, method, path, body string) (int, canonical.Object) {
	d.t.Helper()
	if d.tokens[id] == "" {
		d.tokens[id] = d.token(id, "")
	}
	code, text, _ := d.send(method, path, body, "Bearer "+d.tokens[id])
	if len(text) == 0 {
		return code, nil
	}
	o, err := canonical.ParseObject(text)
	if err != nil {
		o = must(canonical.ParseObject([]byte(`{"list":` + string(text) + `}`)))
	}
	return code, o
}

func (d *desk) send(method, path, body, authorization string) (int, []byte, http.Header) {
	d.t.Helper()
	r := must(http.NewRequestWithContext(d.t.Context(), method, d.server.URL+path, strings.NewReader(body)))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	response := must(http.DefaultClient.Do(r))
	defer response.Body.Close()
	return response.StatusCode, must(io.ReadAll(response.Body)), response.Header
}

// stream opens one and gives its identifier.
func (d *desk) stream(id, body string) string {
	d.t.Helper()
	code, o := d.as(id, "POST", "/ssf/v1/stream", body)
	stream, _ := o.Text("stream_id")
	if code != http.StatusCreated || stream == "" {
		d.t.Fatalf("no stream: %d %v", code, o)
	}
	return stream
}

func (d *desk) revoke(subject string) {
	d.t.Helper()
	_, err := d.Revoke(d.t.Context(), d.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: idp, Subject: subject, Reason: "left"})
	d.no(err)
}

// event is a token as a receiver reads it.
type event struct {
	jti, aud, kind string
	about, body    canonical.Object
	claims         canonical.Object
}

// read verifies a token by the published keys and RFC 8417.
func (d *desk) read(token string) event {
	d.t.Helper()
	_, text, _ := d.send("GET", "/ssf/jwks", "", "")
	keys := must(jose.ParseKeySet(text))
	u, err := jose.Parse(token, jose.Form{Types: []string{"secevent+jwt"}, Use: jose.ForMessage, MaxBytes: 64 << 10})
	d.no(err)
	for _, k := range keys.Keys() {
		if v, err := u.Verify(k); err == nil {
			o := v.Claims()
			e := event{claims: o}
			e.jti, _ = o.Text("jti")
			e.aud, _ = o.Text("aud")
			e.about, _ = o["sub_id"].(canonical.Object)
			events, _ := o["events"].(canonical.Object)
			for kind, body := range events {
				e.kind, e.body = kind, body.(canonical.Object)
			}
			iss, _ := o.Text("iss")
			_, sub := o["sub"]
			_, exp := o["exp"]
			if iat, ok := o.Int("iat"); iss != d.ID.String() || sub || exp || !ok || iat == 0 || len(events) != 1 || e.jti == "" {
				d.t.Errorf("the token says %v", o)
			}
			return e
		}
	}
	d.t.Fatalf("no published key verifies %s", token)
	return event{}
}

// poll gives the events of a stream, by type and subject.
func (d *desk) poll(id, stream, body string) map[string]event {
	d.t.Helper()
	code, o := d.as(id, "POST", "/ssf/v1/poll/"+stream, body)
	sets, ok := o["sets"].(canonical.Object)
	if code != http.StatusOK || !ok {
		d.t.Fatalf("poll: %d %v", code, o)
	}
	all := map[string]event{}
	for jti, token := range sets {
		e := d.read(token.(string))
		if e.jti != jti {
			d.t.Errorf("%s stands under %s", e.jti, jti)
		}
		who, _ := e.about.Text("sub")
		all[e.kind+" "+who] = e
	}
	return all
}

const now = `{"returnImmediately":true}`

func acks(events map[string]event) string {
	var list []string
	for _, e := range events {
		list = append(list, `"`+e.jti+`"`)
	}
	return `{"returnImmediately":true,"ack":[` + strings.Join(list, ",") + `]}`
}

// receiver is a raw RFC 8935 receiver.
type receiver struct {
	answers chan answer // what it says to the next requests; then 202
	got     chan pushed
}

type answer struct {
	status int
	body   string
}

type pushed struct {
	token, authorization, media string
}

func newReceiver() *receiver {
	return &receiver{answers: make(chan answer, 100), got: make(chan pushed, 100)}
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	a := answer{status: http.StatusAccepted}
	select { // before anybody hears of this request: what is put in after that is for the next
	case a = <-r.answers:
	default:
	}
	r.got <- pushed{string(body), q.Header.Get("Authorization"), q.Header.Get("Content-Type")}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

func (r *receiver) next(t *testing.T) pushed {
	t.Helper()
	select {
	case p := <-r.got:
		return p
	case <-time.After(time.Minute):
		t.Fatal("nothing was pushed")
		return pushed{}
	}
}

// direct posts without a network.
type direct struct{ http.Handler }

func (d direct) Post(ctx context.Context, address, contentType, authorization string, body []byte) (node.Posted, error) {
	return d.ask(ctx, http.MethodPost, address, contentType, authorization, body)
}

func (d direct) Delete(ctx context.Context, address, authorization string) (node.Posted, error) {
	return d.ask(ctx, http.MethodDelete, address, "", authorization, nil)
}

func (d direct) ask(ctx context.Context, method, address, contentType, authorization string, body []byte) (node.Posted, error) {
	r := httptest.NewRequestWithContext(ctx, method, address, strings.NewReader(string(body)))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return node.Posted{Status: w.Code, Body: w.Body.Bytes()}, nil
}
