package spiffe

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

var (
	oidKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidAltName  = asn1.ObjectIdentifier{2, 5, 29, 17}
)

// fit gives a certificate's key, if it is as fit as a registered one has to be.
func fit(c *x509.Certificate) (jose.Key, error) { return jose.FitKey(c.PublicKey, jose.ForCertificate) }

// checkLeaf holds a leaf to what an X509-SVID has to be (SPIFFE X509-SVID,
// sections 2 to 4), and gives its ID. An ID that cannot be read is Malformed,
// since nobody can be asked whose it is.
func checkLeaf(c *x509.Certificate) (ID, error) {
	uris, ok := uriNames(c)
	if !ok || len(uris) != 1 {
		return ID{}, refuse(Malformed, "has not exactly one URI among its names")
	}
	id, err := ParseID(uris[0])
	if err != nil || id.Path() == "" {
		return ID{}, refuse(Malformed, "has no SPIFFE ID with a path; a leaf names a workload")
	}
	switch usage := c.KeyUsage; {
	case c.IsCA:
		return id, refuse(Certificate, "is a certificate authority's; a leaf is not")
	case usage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0:
		return id, refuse(Certificate, "may sign certificates or revocation lists by its key usage")
	case usage&x509.KeyUsageDigitalSignature == 0 || !critical(c, oidKeyUsage):
		return id, refuse(Certificate, "has no critical key usage with digitalSignature")
	}
	if _, err := fit(c); err != nil {
		return id, refuse(Certificate, "has a key that is not fit to sign")
	}
	return id, nil
}

// checkAuthority holds a certificate above a leaf to what one that signs in a
// trust domain has to be (sections 4.2 and 4.3 of the same): a name within
// SPIFFE, where it has one, is that of the trust domain itself.
func checkAuthority(c *x509.Certificate, domain trust.IssuerID) error {
	uris, ok := uriNames(c)
	foreign := func(uri string) bool {
		return strings.HasPrefix(strings.ToLower(uri), scheme) && uri != domain.String()
	}
	switch {
	case !ok || slices.ContainsFunc(uris, foreign):
		return trust.Errorf(trust.Invalid, "the certificate of an authority names something else than its trust domain")
	case !c.BasicConstraintsValid || !c.IsCA || c.KeyUsage&x509.KeyUsageCertSign == 0:
		return trust.Errorf(trust.Invalid, "the certificate is not that of an authority that may sign certificates")
	default:
		return nil
	}
}

func critical(c *x509.Certificate, oid asn1.ObjectIdentifier) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(oid) {
			return e.Critical
		}
	}
	return false
}

// uriNames gives the URIs of the subject alternative names as they are written.
// The standard library gives them parsed, which folds the scheme's case and
// drops an empty fragment.
func uriNames(c *x509.Certificate) (uris []string, ok bool) {
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidAltName) {
			continue
		}
		var names asn1.RawValue
		if rest, err := asn1.Unmarshal(e.Value, &names); err != nil || len(rest) > 0 {
			return nil, false
		}
		for rest := names.Bytes; len(rest) > 0; {
			var name asn1.RawValue
			var err error
			if rest, err = asn1.Unmarshal(rest, &name); err != nil {
				return nil, false
			}
			if name.Class == asn1.ClassContextSpecific && name.Tag == tagURI {
				uris = append(uris, string(name.Bytes))
			}
		}
	}
	return uris, true
}

// tagURI is uniformResourceIdentifier of GeneralName (RFC 5280, section
// 4.2.1.6).
const tagURI = 6
