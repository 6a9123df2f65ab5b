package spiffe_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/url"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/trust"
)

// now is the time of the tests, Unix seconds.
const now = int64(1_790_000_000)

type object = map[string]any

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func domain(name string) trust.IssuerID { return must(trust.ParseIssuerID("spiffe://" + name)) }

var rxw = domain("prod.rxw.example")

const ward = "spiffe://prod.rxw.example/ward/sync"

func ec(curve elliptic.Curve) crypto.Signer { return must(ecdsa.GenerateKey(curve, rand.Reader)) }

func newRSA(bits int) crypto.Signer { return must(rsa.GenerateKey(rand.Reader, bits)) }

var (
	rsa2048 = sync.OnceValue(func() crypto.Signer { return newRSA(2048) })
	rsa1024 = sync.OnceValue(func() crypto.Signer { return newRSA(1024) })
)

func ed() crypto.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return must(key, err)
}

// ca is an authority: a certificate and its key.
type ca struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// template is a certificate in order; a test changes what it is about.
type template = x509.Certificate

func uri(text string) *url.URL { return must(url.Parse(text)) }

// issue signs a certificate of key by parent, which is itself for nil.
func issue(t template, key crypto.Signer, parent *ca) *x509.Certificate {
	if t.SerialNumber == nil {
		t.SerialNumber = must(rand.Int(rand.Reader, big.NewInt(1<<60)))
	}
	if t.NotBefore.IsZero() {
		t.NotBefore, t.NotAfter = time.Unix(now-60, 0), time.Unix(now+3600, 0)
	}
	by := ca{&t, key}
	if parent != nil {
		by = *parent
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, &t, by.certificate, key.Public(), by.key))))
}

func authorityTemplate(name string) template {
	return template{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, URIs: []*url.URL{uri("spiffe://" + name)},
	}
}

func newCA(t template, key crypto.Signer, parent *ca) ca { return ca{issue(t, key, parent), key} }

func root(name string) ca { return newCA(authorityTemplate(name), ec(elliptic.P256()), nil) }

func leafTemplate(id string) template {
	return template{
		KeyUsage: x509.KeyUsageDigitalSignature, URIs: []*url.URL{uri(id)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
}

// leaf is an X509-SVID in order, changed.
func (c ca) leaf(change func(*template)) *x509.Certificate {
	t := leafTemplate(ward)
	if change != nil {
		change(&t)
	}
	return issue(t, ec(elliptic.P256()), &c)
}

func der(chain ...*x509.Certificate) (out []byte) {
	for _, c := range chain {
		out = append(out, c.Raw...)
	}
	return out
}

func pemOf(chain ...*x509.Certificate) (out []byte) {
	for _, c := range chain {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwk writes a public key as any standard library would.
func jwk(key crypto.PublicKey, with object) object {
	o := object{}
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		point := must(key.Bytes())
		half := (len(point) - 1) / 2
		o["kty"], o["crv"], o["x"], o["y"] = "EC", key.Params().Name, b64(point[1:1+half]), b64(point[1+half:])
	case *rsa.PublicKey:
		o["kty"], o["n"], o["e"] = "RSA", b64(key.N.Bytes()), b64(big.NewInt(int64(key.E)).Bytes())
	case ed25519.PublicKey:
		o["kty"], o["crv"], o["x"] = "OKP", "Ed25519", b64(key)
	}
	for name, v := range with {
		o[name] = v
		if v == nil {
			delete(o, name)
		}
	}
	return o
}

func (c ca) jwk(with object) object {
	o := object{"use": "x509-svid", "x5c": []string{base64.StdEncoding.EncodeToString(c.certificate.Raw)}}
	for name, v := range with {
		o[name] = v
	}
	return jwk(c.certificate.PublicKey, o)
}

func document(with object, keys ...object) []byte {
	o := object{"keys": keys, "spiffe_sequence": 7, "spiffe_refresh_hint": 60}
	if len(keys) == 0 {
		o["keys"] = []object{}
	}
	for name, v := range with {
		o[name] = v
		if v == nil {
			delete(o, name)
		}
	}
	return must(json.Marshal(o))
}

func bundle(of trust.IssuerID, authorities ...ca) spiffe.Bundle {
	var keys []object
	for _, a := range authorities {
		keys = append(keys, a.jwk(nil))
	}
	return must(spiffe.ParseBundle(of, document(nil, keys...)))
}

// names writes a SAN extension with these URIs as they are.
func names(uris ...string) pkix.Extension {
	var list []asn1.RawValue
	for _, u := range uris {
		list = append(list, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(u)})
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: must(asn1.Marshal(list))}
}
