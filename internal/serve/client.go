package serve

import (
	"crypto/tls"

	"github.com/entente-id/entente/internal/config"
	"github.com/entente-id/entente/trust"
)

// ClientTLS is TLS towards OAuth clients: 1.3 only, and a client that has a
// certificate shows it. The handshake proves that it holds the key; whose the
// certificate is, the node says, so no authority is asked here. Nothing is
// resumed, so that no ticket stands for a certificate.
func ClientTLS(own Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true,
		ClientAuth:             tls.RequestClientCert,
		NextProtos:             []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c, err := own()
			return &c, err
		},
	}
}

// clientCertificate is that of the configuration, or around the node's own key.
func clientCertificate(c config.Clients, own Certificate) (Certificate, error) {
	if c.CertificateFile == "" {
		return own, nil
	}
	pair, err := tls.LoadX509KeyPair(c.CertificateFile, c.KeyFile)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "reading clients.certificate_file and clients.key_file: %w", err)
	}
	return func() (tls.Certificate, error) { return pair, nil }, nil
}
