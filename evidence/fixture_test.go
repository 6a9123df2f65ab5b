package evidence_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

const (
	now     = int64(1_790_000_000)
	records = "https://records.rje.example"
	rxwIDP  = "https://idp.rxw.example"
	r0aIDP  = "https://idp.r0a.example"
	cis2    = "https://cis2.example"
)

// signer is an issuer's private key with what it publishes.
type signer struct {
	private crypto.Signer
	key     jose.Key
}

func (s signer) sign(input []byte) []byte {
	sum := sha256.Sum256(input)
	var out []byte
	var err error
	switch s.key.Alg() {
	case jose.ES256:
		r, v, e := ecdsa.Sign(rand.Reader, s.private.(*ecdsa.PrivateKey), sum[:])
		out, err = make([]byte, 64), e
		r.FillBytes(out[:32])
		v.FillBytes(out[32:])
	case jose.EdDSA:
		out = ed25519.Sign(s.private.(ed25519.PrivateKey), input)
	case jose.RS256:
		out, err = rsa.SignPKCS1v15(nil, s.private.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	case jose.PS256:
		out, err = rsa.SignPSS(rand.Reader, s.private.(*rsa.PrivateKey), crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: 32})
	default:
		panic("these tests sign nothing by " + s.key.Alg())
	}
	if err != nil {
		panic(err)
	}
	return out
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newSigner(alg jose.Alg, kid string) signer {
	var private crypto.Signer
	switch alg {
	case jose.ES256:
		private = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	case jose.EdDSA:
		_, k, err := ed25519.GenerateKey(rand.Reader)
		private = must(k, err)
	default:
		private = rsaKey()
	}
	return signer{private, must(jose.NewKey(private.Public(), alg, kid))}
}

// registry is a table of speakers.
type registry map[string]participant.Speaker

func (r registry) Speaker(iss string) (participant.Speaker, bool) {
	s, ok := r[iss]
	return s, ok
}

func (r registry) Assurance(claims map[string]any) framework.Vector {
	if level, ok := claims["id_assurance_level"].(string); ok && level == "3" {
		return framework.Vector{3, 2}
	}
	return framework.Vector{}
}

// Brokered is what a broker may say by itself.
func (r registry) Brokered() framework.Vector { return framework.Vector{1, 1} }

func org(name string) trust.ParticipantID {
	return must(trust.ParseParticipantID("https://trust." + name + ".example"))
}

var human = []participant.ClassRule{{Class: trust.Human}}

// own registers an issuer of one participant.
func own(iss, name string, keys ...jose.Key) participant.Speaker {
	id := must(trust.ParseIssuerID(iss))
	return participant.Speaker{
		Issuer: id, Keys: must(jose.NewKeySet(keys...)),
		Candidates: []participant.Claimant{{Participant: org(name), Issuer: participant.Issuer{Issuer: id, Classes: human}}},
	}
}

// national registers an issuer that speaks for several by org_code.
func national(key jose.Key, names ...string) participant.Speaker {
	s := own(cis2, names[0], key)
	s.Discriminator, s.Candidates = "org_code", nil
	for _, name := range names {
		s.Candidates = append(s.Candidates, participant.Claimant{
			Participant: org(name), Value: strings.ToUpper(name), Issuer: participant.Issuer{Issuer: s.Issuer, Classes: human},
		})
	}
	return s
}

type object = map[string]any

// claims of a token that is in order, for either kind.
func claims(iss string) object {
	return object{
		"iss": iss, "sub": "910000000001", "aud": records, "iat": now - 60, "exp": now + 240,
		"client_id": "ward-app", "jti": "0a1b2c", "auth_time": now - 3600, "id_assurance_level": "3",
	}
}

func with(o object, more object) object {
	o = maps.Clone(o)
	for k, v := range more {
		if v == absent {
			delete(o, k)
			continue
		}
		o[k] = v
	}
	return o
}

type nothing struct{}

var absent any = nothing{}

var types = map[evidence.Kind]string{evidence.AccessToken: "at+jwt", evidence.IDToken: "JWT"}

func header(kind evidence.Kind, k jose.Key) object {
	return object{"alg": string(k.Alg()), "kid": k.KeyID(), "typ": types[kind]}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// mintRaw signs whatever stands in the two parts.
func mintRaw(s signer, header, payload []byte) string {
	input := b64(header) + "." + b64(payload)
	return input + "." + b64(s.sign([]byte(input)))
}

func mint(s signer, header, claims object) string {
	return mintRaw(s, must(json.Marshal(header)), must(json.Marshal(claims)))
}

func proof(kind evidence.Kind, token string) evidence.Proof {
	return evidence.Proof{Kind: kind, Token: []byte(token)}
}

// reasonOf gives why a proof is refused, "" when it is not. A refusal never
// gives claims or a subject away.
func reasonOf(t *testing.T, p evidence.Proof, r evidence.Registry, at int64) trust.Reason {
	t.Helper()
	ev, once, f := evidence.Verify(p, r, at, nil)
	if f == nil {
		return ""
	}
	if ev.Claims != nil || once != nil || ev.Class != "" {
		t.Errorf("a refused proof (%s) still gives claims, values to burn or a class", f.Reason)
	}
	return f.Reason
}

// memory is a cache that counts.
type memory struct {
	known map[[32]byte]jose.Verified
	hits  int
	spent int
}

func (m *memory) Spend([32]byte, *jose.Unverified) { m.spent++ }

func (m *memory) Get(token [32]byte) (jose.Verified, bool) {
	v, ok := m.known[token]
	if ok {
		m.hits++
	}
	return v, ok
}

func (m *memory) Verify(token [32]byte, u *jose.Unverified, key jose.Key) (jose.Verified, error) {
	v, err := u.Verify(key)
	if err == nil {
		m.known[token] = v
	}
	return v, err
}

func newMemory() *memory { return &memory{known: map[[32]byte]jose.Verified{}} }

// everyKind runs f for both kinds and every algorithm, each with an issuer that
// has such a key.
func everyKind(t *testing.T, f func(t *testing.T, kind evidence.Kind, s signer, r registry)) {
	for _, alg := range jose.Algs() {
		s := newSigner(alg, "k-"+string(alg))
		r := registry{rxwIDP: own(rxwIDP, "rxw", s.key)}
		for _, kind := range evidence.Kinds() {
			t.Run(string(alg)+"/"+types[kind], func(t *testing.T) { f(t, kind, s, r) })
		}
	}
}

var rsaOther = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
