package keyring

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"time"

	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// TLSCertificate gives a certificate over the current TLS key, signed by itself,
// with the entity as its name, valid as long as the key. Partners pin the key
// and ask nothing else of the certificate. It fails with Conflict when no TLS
// key is valid now.
func (k *Keyring) TLSCertificate(entity trust.ParticipantID) (tls.Certificate, error) {
	key, err := k.current(participant.TLSKey, k.now())
	if err != nil {
		return tls.Certificate{}, err
	}
	return k.certificate(key, entity)
}

// FormerTLSCertificate is TLSCertificate over the TLS key that was used before
// (see Former). It fails with NotFound when there is none.
func (k *Keyring) FormerTLSCertificate(entity trust.ParticipantID) (tls.Certificate, error) {
	key, ok := k.former(participant.TLSKey)
	if !ok {
		return tls.Certificate{}, trust.Errorf(trust.NotFound, "there is no TLS key from before the current one")
	}
	return k.certificate(key, entity)
}

// certificate makes a key's certificate once.
func (k *Keyring) certificate(key onlineKey, entity trust.ParticipantID) (tls.Certificate, error) {
	name := [3]string{"certificate", entity.String(), key.record.Key.Thumbprint()}
	if known, ok := k.made.Load(name); ok {
		return known.(tls.Certificate), nil
	}
	made, err := key.certificate(entity)
	if err == nil {
		k.made.Store(name, made)
	}
	return made, err
}

func (key onlineKey) certificate(entity trust.ParticipantID) (tls.Certificate, error) {
	name, err := url.Parse(entity.String())
	if err != nil {
		return tls.Certificate{}, trust.Errorf(trust.Invalid, "entity %s is no URL: %w", entity, err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(key.record.Window.NotBefore),
		Subject:      pkix.Name{CommonName: name.Hostname()},
		URIs:         []*url.URL{name},
		DNSNames:     []string{name.Hostname()},
		NotBefore:    time.Unix(key.record.Window.NotBefore, 0).UTC(),
		NotAfter:     time.Unix(key.record.Window.NotAfter, 0).UTC(),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.private.Public(), key.private)
	if err != nil {
		return tls.Certificate{}, trust.Errorf(trust.Internal, "making a TLS certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, trust.Errorf(trust.Internal, "making a TLS certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key.private, Leaf: leaf}, nil
}
