// Package denial_test is the corpus of proofs that must be refused: every rule
// on every path by which a proof comes in. A case is a good proof and what
// spoils it; each path says what that must give inside, for our operators, and
// what outside, which is the same whatever was wrong.
package denial_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"strings"
	"sync"

	"filippo.io/mldsa"
	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

type object = map[string]any

// absent takes a member away.
var absent any = struct{ absent bool }{true}

// draft is a proof before it is sealed. What stands in a raw field is taken
// instead of the members.
type draft struct {
	header, claims        object
	rawHeader, rawPayload string
	signer                *signer
	sign                  func(input []byte) []byte // instead of signer
	text                  func(token string) string // changes the whole
	lax                   [2]func(string) string    // changes a part before it is signed
}

// token seals the draft: a true signature over whatever it has become.
func (d *draft) token() string {
	header, payload := d.rawHeader, d.rawPayload
	if header == "" {
		header = render(d.header)
	}
	if payload == "" {
		payload = render(d.claims)
	}
	parts := [2]string{b64(header), b64(payload)}
	for i, change := range d.lax {
		if change != nil {
			parts[i] = change(parts[i])
		}
	}
	input := parts[0] + "." + parts[1]
	sign := d.sign
	if sign == nil {
		sign = d.signer.sign
	}
	token := input + "." + b64(string(sign([]byte(input))))
	if d.text != nil {
		token = d.text(token)
	}
	return token
}

// copy keeps the good draft good.
func (d *draft) copy() *draft {
	c := *d
	c.header, c.claims = maps.Clone(d.header), maps.Clone(d.claims)
	return &c
}

func put(o object, name string, value any) {
	if value == absent {
		delete(o, name)
		return
	}
	o[name] = value
}

func render(o object) string { return string(must(json.Marshal(o, json.Deterministic(true)))) }

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// signer is a private key that signs as its algorithm does. It is a jose.Signer.
type signer struct {
	private crypto.Signer
	key     jose.Key
}

func (s *signer) Key() jose.Key { return s.key }

func (s *signer) Sign(input []byte) ([]byte, error) { return s.sign(input), nil }

func (s *signer) sign(input []byte) []byte { return signAs(s.key.Alg(), s.private, input) }

func signAs(alg jose.Alg, private crypto.Signer, input []byte) []byte {
	sum := sha256.Sum256(input)
	switch k := private.(type) {
	case held:
		return must(k.Signer.Sign(input))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
		out := make([]byte, 64)
		must(r, err).FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out
	case ed25519.PrivateKey:
		return ed25519.Sign(k, input)
	case *rsa.PrivateKey:
		if alg == jose.PS256 {
			return must(rsa.SignPSS(rand.Reader, k, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: 32}))
		}
		return must(rsa.SignPKCS1v15(nil, k, crypto.SHA256, sum[:]))
	case *mldsa.PrivateKey:
		return must(k.SignDeterministic(input, nil))
	default:
		panic("no such key")
	}
}

// macWith signs as a confused verifier would check: HMAC under public bytes.
func macWith(secret string) func([]byte) []byte {
	return func(input []byte) []byte {
		m := hmac.New(sha256.New, []byte(secret))
		m.Write(input)
		return m.Sum(nil)
	}
}

var rsaKeys = [2]func() *rsa.PrivateKey{sync.OnceValue(newRSA), sync.OnceValue(newRSA)}

func newRSA() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) }

// newSigner makes a key; stranger gives an RSA key other than the usual one.
func newSigner(alg jose.Alg, kid string, stranger bool) *signer {
	var private crypto.Signer
	switch alg {
	case jose.ES256:
		private = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	case jose.EdDSA:
		_, k, err := ed25519.GenerateKey(rand.Reader)
		private = must(k, err)
	case jose.MLDSA44:
		private = must(mldsa.GenerateKey(mldsa.MLDSA44()))
	default:
		private = rsaKeys[0]()
		if stranger {
			private = rsaKeys[1]()
		}
	}
	return &signer{private, must(jose.NewKey(private.Public(), alg, kid))}
}

// spoil is one case: how the good proof is spoiled, and the reason that every
// path must find in it. An empty reason is a control: it is still good.
type spoil struct {
	rule string // of the list of attacks
	name string
	do   func(*draft)
	want trust.Reason
}

// cases collects spoils of one rule.
type cases struct {
	rule string
	all  []spoil
}

func (c *cases) add(name string, want trust.Reason, do func(*draft)) {
	c.all = append(c.all, spoil{c.rule, name, do, want})
}

// parts changes one of a token's three parts.
func part(i int, change func(string) string) func(*draft) {
	return func(d *draft) {
		d.text = func(token string) string {
			p := strings.Split(token, ".")
			p[i] = change(p[i])
			return strings.Join(p, ".")
		}
	}
}

func text(change func(string) string) func(*draft) {
	return func(d *draft) { d.text = change }
}
