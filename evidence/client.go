package evidence

import (
	"slices"

	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Assertion is how a client's proof in a request is written, by its
// client_assertion_type.
type Assertion string

const (
	// JWTAssertion is signed with a key of the client's own (RFC 7523, section 2.2).
	JWTAssertion Assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// SPIFFEAssertion is a JWT-SVID (draft-ietf-oauth-spiffe-client-auth).
	SPIFFEAssertion Assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"
)

// MaxAssertion is how many seconds ahead a client's assertion may expire.
const MaxAssertion = 300

// Clients is what this node knows of its token endpoint's clients.
type Clients interface {
	// RegisteredClient gives a client that has not ended.
	RegisteredClient(id string) (client.Client, bool)
	// Issues reports whether iss is this node's own issuer identifier.
	Issues(iss string) bool
}

// ClientProof is what a client shows of itself in one of the ways that it was
// registered for by key or certificate. An SVID is evidence like any other, and
// goes through Verify.
type ClientProof struct {
	ID          string // the client_id parameter; "" where it may be absent
	Assertion   []byte // compact JWS
	Certificate []byte // DER, of the TLS client, without an assertion
}

// Signed is an assertion that holds: by which key, and what it uses up.
type Signed struct {
	Key  string // RFC 7638 thumbprint
	Once trust.Once
}

// clientRule is what a client's assertion is like: its type is one of its own,
// or absent (RFC 10070, section 4; RFC 7523 names none).
var clientRule = &rule{name: "client assertion", types: []string{"client-authentication+jwt", "jwt", ""}, form: &clientForm}

// clientForm lets other kinds of tokens in, so that they are refused after a
// signature was checked, as all are.
var clientForm = jose.Form{Types: []string{"client-authentication+jwt", "jwt", ""}, Use: jose.ForAssertion}

// VerifyClient checks what a client shows against what is registered for it, at
// now (Unix seconds). An assertion owes single use: the value given must be
// burned. Whether the client is unknown or its proof wrong, a signature is
// checked, so that the time tells nothing.
func VerifyClient(p ClientProof, r Clients, now int64) (client.Client, *Signed, *Fault) {
	if len(p.Assertion) == 0 {
		c, f := p.certified(r, now)
		return c, nil, f
	}
	t, f := read(p.Assertion, clientRule, nil)
	if f != nil {
		return client.Client{}, nil, f
	}
	ev := Evidence{Claims: t.claims}
	sub, _ := ev.Claims.Text("sub")
	c, registered := r.RegisteredClient(sub)
	if key, err := c.Document.Keys.Lookup(t.header.KeyID); err != nil || t.header.KeyID == "" || key.Alg() != t.header.Alg {
		t.fresh.Spend(nil)
	}
	switch f := ev.authenticate(&t, clientRule, c.Document.Keys, now, nil); {
	case !registered:
		return client.Client{}, nil, fault(trust.UnknownClient, "assertion is of no client that is registered here")
	case c.Document.Method() != client.PrivateKeyJWT:
		return client.Client{}, nil, fault(trust.ClientMethod, "client is not registered for private_key_jwt")
	case f != nil:
		return client.Client{}, nil, f
	case p.ID != "" && p.ID != sub:
		return client.Client{}, nil, fault(trust.UnknownClient, "client_id is not the subject of the assertion (RFC 7521, section 4.2)")
	}
	signed := &Signed{Key: ev.Thumbprint}
	if signed.Once, f = ev.asserts(&c, r, now); f != nil {
		return client.Client{}, nil, f
	}
	return c, signed, nil
}

// asserts checks the claims of a client's assertion (RFC 7523, section 3, as RFC
// 10070 has it).
func (ev *Evidence) asserts(c *client.Client, r Clients, now int64) (once trust.Once, f *Fault) {
	iss, _ := ev.Claims.Text("iss")
	aud, single := ev.Claims.Text("aud")
	jti, _ := ev.Claims.Text("jti")
	date := func(name string) (at int64, ok bool) {
		value, present := ev.Claims[name]
		at, ok = value.(int64)
		return at, !present || ok && at > 0 && at <= maxTime
	}
	exp, hasExp := ev.Claims.Int("exp")
	iat, okIssued := date("iat")
	nbf, okFrom := date("nbf")
	switch {
	case iss != c.Document.ID:
		return once, fault(trust.ClaimMissing, "iss of the assertion is not its subject; a client speaks for itself")
	case !single:
		return once, fault(trust.AudienceMultiple, "aud of the assertion is not one text; it is for us alone")
	case !r.Issues(aud) && (aud == "" || aud != c.Document.Audience):
		return once, fault(trust.AudienceForeign, "aud of the assertion is not this node's issuer identifier")
	case jti == "" || len(jti) > maxText:
		return once, fault(trust.ClaimMissing, "jti of the assertion is no text of at most 512 bytes; it is required")
	case !hasExp || exp <= 0 || exp > maxTime || !okIssued || !okFrom:
		return once, fault(trust.ClaimMissing, "exp, iat or nbf of the assertion is not a date in whole seconds; exp is required")
	case now >= exp:
		return once, fault(trust.TokenExpired, "assertion has expired")
	case exp > now+MaxAssertion:
		return once, fault(trust.AssertionLifetime, "assertion expires more than five minutes from now")
	case max(iat, nbf) > now+Leeway:
		return once, fault(trust.TokenNotYetValid, "assertion is issued or valid from more than 30 s in our future")
	}
	return trust.Once{Key: table.KeyOf("client assertion", c.Document.ID, jti), Expires: exp, Edge: c.Document.Participant}, nil
}

// certified checks a TLS client's certificate against those registered for it
// (RFC 8705, section 2.2). That the client has its key the handshake has shown.
func (p *ClientProof) certified(r Clients, now int64) (client.Client, *Fault) {
	c, registered := r.RegisteredClient(p.ID)
	shown, err := client.ReadCertificate(p.Certificate)
	switch {
	case !registered || p.ID == "":
		return client.Client{}, fault(trust.UnknownClient, "client_id names no client that is registered here; a certificate needs one beside it")
	case c.Document.Method() != client.SelfSignedTLS:
		return client.Client{}, fault(trust.ClientMethod, "client is not registered for certificates")
	case err != nil:
		return client.Client{}, fault(trust.CertificateUnfit, "client's certificate cannot be read, or has a key that is unfit to sign")
	case !slices.Contains(c.Document.Certificates, shown.Thumbprint):
		return client.Client{}, fault(trust.UnknownKey, "certificate is none of those registered for the client")
	case now >= shown.Window.NotAfter:
		return client.Client{}, fault(trust.TokenExpired, "client's certificate has expired")
	case now < shown.Window.NotBefore:
		return client.Client{}, fault(trust.TokenNotYetValid, "client's certificate is not valid yet")
	}
	return c, nil
}
