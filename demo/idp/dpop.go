package idp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/go-json-experiment/json"
	"github.com/ory/fosite"

	"github.com/entente-id/entente/trust"
)

// proofAge is for how long a DPoP proof counts at the token endpoint.
const proofAge = time.Minute

// proofClaims are those of a DPoP proof (RFC 9449, 4.2).
type proofClaims struct {
	ID     string `json:"jti"`
	Method string `json:"htm"`
	URL    string `json:"htu"`
	Issued int64  `json:"iat"`
	Token  string `json:"ath,omitempty"`
}

// Holder is an application's own key, which its tokens can be bound to.
type Holder struct{ signer jose.Signer }

// NewHolder makes a fresh key.
func NewHolder() (*Holder, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "making an application's key: %w", err)
	}
	options := (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "making an application's key: %w", err)
	}
	return &Holder{signer}, nil
}

// Proof makes a fresh DPoP proof for one request. The token is the access token
// that goes with it, empty at a token endpoint.
func (h *Holder) Proof(method, url, token string) (string, error) {
	c := proofClaims{ID: rand.Text(), Method: method, URL: url, Issued: time.Now().Unix()}
	if token != "" {
		c.Token = hashOf(token)
	}
	proof, err := jwt.Signed(h.signer).Claims(c).Serialize()
	if err != nil {
		return "", trust.Errorf(trust.Internal, "signing a DPoP proof: %w", err)
	}
	return proof, nil
}

// With gives the same application with a key of its own: its tokens are bound to
// that.
func (c *Client) With(h *Holder) *Client {
	bound, browser := *c, *c.http
	browser.Transport = proving{browser.Transport, h, c.oauth.Endpoint.TokenURL}
	bound.http = &browser
	return &bound
}

// proving adds a proof to requests for a token.
type proving struct {
	next   http.RoundTripper
	holder *Holder
	url    string
}

func (p proving) RoundTrip(r *http.Request) (*http.Response, error) {
	next := p.next
	if next == nil {
		next = http.DefaultTransport
	}
	if r.URL.String() != p.url {
		return next.RoundTrip(r)
	}
	proof, err := p.holder.Proof(r.Method, p.url, "")
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("DPoP", proof)
	return next.RoundTrip(r)
}

// errInvalidProof is RFC 9449, 5.
var errInvalidProof = &fosite.RFC6749Error{
	ErrorField:       "invalid_dpop_proof",
	DescriptionField: "The DPoP proof is not one for this request.",
	CodeField:        http.StatusBadRequest,
}

// heldBy gives the thumbprint of the key that a request for a token is proven
// with, empty when there is no proof.
func (p *Provider) heldBy(r *http.Request) (string, error) {
	proofs := r.Header.Values("DPoP")
	if len(proofs) == 0 {
		return "", nil
	}
	if len(proofs) > 1 {
		return "", errInvalidProof
	}
	proof, err := jose.ParseSignedCompact(proofs[0], []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA})
	if err != nil {
		return "", errInvalidProof
	}
	header := proof.Signatures[0].Protected
	key := header.JSONWebKey
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ != "dpop+jwt" || key == nil || !key.Valid() || !key.IsPublic() {
		return "", errInvalidProof
	}
	payload, err := proof.Verify(key)
	if err != nil {
		return "", errInvalidProof
	}
	var c proofClaims
	if err := json.Unmarshal(payload, &c); err != nil {
		return "", errInvalidProof
	}
	if age := time.Since(time.Unix(c.Issued, 0)); c.ID == "" || c.Method != r.Method || c.URL != p.issuer+"/token" || age.Abs() > proofAge {
		return "", errInvalidProof
	}
	print, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", errInvalidProof
	}
	return base64.RawURLEncoding.EncodeToString(print), nil
}

func hashOf(token string) string {
	h := crypto.SHA256.New()
	h.Write([]byte(token))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
