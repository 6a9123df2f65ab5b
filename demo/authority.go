package demo

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/entente-id/entente/trust"
)

// authority is the demo's own certificate authority and the web servers that
// stand on its one certificate, for 127.0.0.1. Nodes trust it for fetching keys
// only; between nodes it counts for nothing.
type authority struct {
	pem  []byte // its certificate
	pool *x509.CertPool
	leaf tls.Certificate

	lasts   context.Context // until close
	end     context.CancelFunc
	running sync.WaitGroup
	mu      sync.Mutex
	servers []*http.Server
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "making the demo's authority: %w", err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Entente demo authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err == nil {
		root, err = x509.ParseCertificate(der)
	}
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "making the demo's authority: %w", err)
	}
	lasts, end := context.WithCancel(context.Background())
	a := &authority{lasts: lasts, end: end, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pool: x509.NewCertPool()}
	a.pool.AddCert(root)
	a.leaf, err = issue(root, key)
	return a, err
}

// issue certifies a fresh key for 127.0.0.1.
func issue(root *x509.Certificate, by *ecdsa.PrivateKey) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, trust.Errorf(trust.Internal, "making a server's key: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Entente demo servers"},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, root, key.Public(), by)
	if err != nil {
		return tls.Certificate{}, trust.Errorf(trust.Internal, "certifying a server: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// client makes an HTTP client that trusts the authority's servers.
func (a *authority) client() *http.Client {
	return &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.pool, MinVersion: tls.VersionTLS13}, MaxIdleConnsPerHost: 8},
	}
}

// listen takes a free port and gives the URL that it will be served under.
func (a *authority) listen() (net.Listener, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", trust.Errorf(trust.Unavailable, "listening on loopback: %w", err)
	}
	return l, "https://" + l.Addr().String(), nil
}

// serve answers on l until close.
func (a *authority) serve(l net.Listener, h http.Handler) {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{a.leaf}, MinVersion: tls.VersionTLS13},
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.servers = append(a.servers, s)
	a.running.Go(func() { _ = s.ServeTLS(l, "", "") }) // it ends by close alone
}

// beside runs what goes with a server, until close.
func (a *authority) beside(run func(context.Context)) { a.running.Go(func() { run(a.lasts) }) }

// close ends all servers.
func (a *authority) close() error {
	a.end()
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for _, s := range a.servers {
		errs = append(errs, s.Close())
	}
	a.running.Wait()
	return errors.Join(errs...)
}

// freePort finds a loopback port that nobody listens on. It lies below those
// that systems hand out by themselves, so that nothing takes it while a node is
// not running.
func freePort() (address string, err error) {
	const first, count, tries = 20000, 10000, 50
	for range tries {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+mathrand.IntN(count))); err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", trust.Errorf(trust.Unavailable, "finding a free port: %w", err)
}
