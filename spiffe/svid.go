package spiffe

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"

	"github.com/entente-id/entente/trust"
)

// Bounds of what is read before anybody vouches for it.
const (
	MaxChain        = 16 << 10 // bytes, as PEM or DER
	maxCertificates = 6
)

// Usage is the end of a TLS connection that an X509-SVID speaks at. A
// certificate that says what it may be used for must be for this.
type Usage int

const (
	Client Usage = iota // a caller
	Server              // a bundle endpoint
)

// Chain is an X509-SVID that was read and that nobody vouches for yet: the leaf,
// and what it says it stands on. It is made only by ParseChain.
type Chain struct {
	id      ID
	leaf    *x509.Certificate
	parents []*x509.Certificate
}

// ParseChain reads the certificates of an X509-SVID, leaf first, each the one
// that the next signed, in PEM or as DER one behind the other. It holds the leaf
// to all that can be told from it alone. It fails with Invalid and a Fault.
func ParseChain(data []byte) (*Chain, error) {
	if len(data) > MaxChain {
		return nil, refuse(Malformed, "is longer than 16 KiB")
	}
	der, ok := derOf(data)
	if !ok {
		return nil, refuse(Malformed, "is neither DER nor PEM certificates alone")
	}
	certificates, err := x509.ParseCertificates(der)
	if err != nil || len(certificates) == 0 || len(certificates) > maxCertificates {
		return nil, refuse(Malformed, "is not one to six certificates")
	}
	return newChain(certificates)
}

func newChain(certificates []*x509.Certificate) (*Chain, error) {
	id, err := checkLeaf(certificates[0])
	if err != nil {
		return nil, err
	}
	c := &Chain{id: id, leaf: certificates[0], parents: certificates[1:]}
	for i, parent := range c.parents {
		if !bytes.Equal(certificates[i].RawIssuer, parent.RawSubject) {
			return nil, refuse(NoPath, "has certificates out of order; each is signed by the next")
		}
		if err := checkAuthority(parent, id.TrustDomain()); err != nil {
			return nil, refuse(Certificate, "stands on a certificate that is no authority of its trust domain")
		}
		if _, err := fit(parent); err != nil {
			return nil, refuse(Certificate, "stands on a key that is not fit to sign")
		}
	}
	return c, nil
}

// derOf gives PEM blocks as DER. Between and around them nothing but white space
// may stand, and nothing in their heads.
func derOf(data []byte) (der []byte, ok bool) {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN")) {
		return data, true
	}
	for rest := bytes.TrimSpace(data); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		if !bytes.HasPrefix(rest, []byte("-----BEGIN CERTIFICATE-----")) {
			return nil, false
		}
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" || len(block.Headers) > 0 {
			return nil, false
		}
		der = append(der, block.Bytes...)
	}
	return der, true
}

// ID gives the SPIFFE ID that the leaf states. Before Verify it may choose whose
// bundle to ask and nothing else.
func (c *Chain) ID() ID { return c.id }

// Leaf gives the leaf's DER.
func (c *Chain) Leaf() []byte { return c.leaf.Raw }

// Fingerprint gives the SHA-256 of the leaf's DER, as x5t#S256 has it.
func (c *Chain) Fingerprint() [32]byte { return sha256.Sum256(c.leaf.Raw) }

// SVID is a verified X509-SVID. It is made only by Bundle.Verify.
type SVID struct {
	ID        ID
	NotBefore int64    // of the leaf, Unix seconds, as all times here
	NotAfter  int64    // of the leaf; at it, it has expired
	Ends      int64    // of the first to expire of all that it stands on
	Authority string   // RFC 7638 thumbprint of the authority's key
	Keys      []string // thumbprints of every other key on the way, the leaf's first
	Algorithm string   // with which the leaf was signed
}

// Verify checks at now (Unix seconds) that a chain leads to an authority in b,
// which must be its own trust domain's bundle. It fails with Invalid and a
// Fault.
func (b Bundle) Verify(c *Chain, usage Usage, now int64) (SVID, error) {
	switch {
	case b.domain.IsZero() || c.id.domain != b.domain:
		return SVID{}, refuse(Foreign, "is of another trust domain than the bundle")
	case len(b.authorities) == 0:
		return SVID{}, refuse(Untrusted, "is of a trust domain whose bundle has no authority")
	case now < c.leaf.NotBefore.Unix():
		return SVID{}, refuse(NotYetValid, "is not valid yet")
	case now >= c.leaf.NotAfter.Unix():
		return SVID{}, refuse(Expired, "has expired")
	}
	path, err := b.path(c, usage, now)
	if err != nil {
		return SVID{}, err
	}
	v := SVID{ID: c.id, NotBefore: c.leaf.NotBefore.Unix(), NotAfter: c.leaf.NotAfter.Unix(), Algorithm: c.leaf.SignatureAlgorithm.String()}
	v.Ends = v.NotAfter
	for i, certificate := range path {
		key, err := fit(certificate)
		if err != nil {
			return SVID{}, refuse(Certificate, "stands on a key that is not fit to sign")
		}
		if now >= key.Ends() {
			return SVID{}, refuse(Certificate, "stands on a key of a kind that is accepted no longer")
		}
		v.Ends = min(v.Ends, certificate.NotAfter.Unix(), key.Ends())
		if i == len(path)-1 {
			v.Authority = key.Thumbprint()
		} else {
			v.Keys = append(v.Keys, key.Thumbprint())
		}
	}
	if now >= v.Ends {
		return SVID{}, refuse(Expired, "stands on a certificate that has expired")
	}
	return v, nil
}

// path finds the way from the leaf to an authority, by RFC 5280 as the standard
// library reads it: signatures, times, constraints and usages.
func (b Bundle) path(c *Chain, usage Usage, now int64) ([]*x509.Certificate, error) {
	options := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: time.Unix(now, 0),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if usage == Server {
		options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	for _, a := range b.authorities {
		options.Roots.AddCert(a.certificate)
	}
	for _, parent := range c.parents {
		options.Intermediates.AddCert(parent)
	}
	paths, err := c.leaf.Verify(options)
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return nil, refuse(Expired, "stands on a certificate that is not valid now")
	}
	if err != nil {
		return nil, refuse(NoPath, "leads to no authority of its trust domain")
	}
	if len(paths[0]) < 2 {
		// Go takes a leaf that is itself in the pool; an authority is above it.
		return nil, refuse(Certificate, "is itself an authority")
	}
	return paths[0], nil
}

// VerifyServer checks what the bundle endpoint of a trust domain showed at the
// other end of a TLS connection: its SVID, by which it has the ID that it is
// registered with. It fails with Invalid and a Fault, and with Denied for
// another ID.
func (b Bundle) VerifyServer(shown []*x509.Certificate, id ID, now int64) error {
	if len(shown) == 0 || len(shown) > maxCertificates {
		return refuse(Malformed, "is not one to six certificates")
	}
	chain, err := newChain(shown)
	if err != nil {
		return err
	}
	if chain.id != id {
		return trust.Errorf(trust.Denied, "the bundle endpoint is %s; it is registered as %s", chain.id, id)
	}
	_, err = b.Verify(chain, Server, now)
	return err
}
