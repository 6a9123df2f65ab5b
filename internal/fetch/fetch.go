// Package fetch gets documents from addresses that partners have registered,
// and cannot be tricked into talking to anything else: every DNS answer is
// checked, the checked address is the one dialled, no redirect is followed, no
// proxy comes from the environment, and size and time are bounded. It decides
// which network addresses count as public. It refuses to know what a document
// is and why it is wanted.
package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/entente-id/entente/trust"
)

// Config says where a Client may go. The zero value reaches public addresses
// directly, trusts the system's authorities and has the default limits.
type Config struct {
	Allow    []netip.Prefix // addresses to be dialled although they are not public
	RootCAs  *x509.CertPool // nil means those of the system
	Timeout  time.Duration  // for a whole Get; 0 means 5 s
	MaxBytes int64          // of a body; 0 means 64 KiB

	// Resolve gives the addresses of a host; nil asks the system. IPv4 must not
	// come in its IPv6-mapped form.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)

	// Proxy is an http or https URL to send every request through by CONNECT, or
	// "". Names are then resolved there, where nobody here can check the
	// answers, so Hosts must say which ones may be asked for.
	Proxy string
	Hosts func(host string) bool
}

const (
	defaultTimeout = 5 * time.Second
	defaultBytes   = 64 << 10
	maxHeader      = 16 << 10
)

// Client fetches. It is safe for concurrent use and keeps no connection.
type Client struct {
	config Config
	proxy  *url.URL // nil for none
	http   http.Client
}

// New makes a client. It fails with Invalid for a proxy that is no http or
// https URL or comes without Hosts.
func New(config Config) (*Client, error) {
	if config.Timeout == 0 {
		config.Timeout = defaultTimeout
	}
	if config.MaxBytes == 0 {
		config.MaxBytes = defaultBytes
	}
	if config.Resolve == nil {
		config.Resolve = resolve
	}
	c := &Client{config: config}
	if config.Proxy != "" {
		if err := c.checkProxy(); err != nil {
			return nil, err
		}
	}
	c.http = c.client(c.webTLS())
	return c, nil
}

// webTLS takes servers by the web's authorities.
func (c *Client) webTLS() *tls.Config {
	return &tls.Config{RootCAs: c.config.RootCAs, MinVersion: tls.VersionTLS12}
}

func (c *Client) client(far *tls.Config) http.Client {
	transport := &http.Transport{
		DialContext:            c.dial,
		TLSClientConfig:        far,
		DisableKeepAlives:      true,
		DisableCompression:     true, // so that the limit counts what travels
		MaxResponseHeaderBytes: maxHeader,
	}
	if c.proxy != nil {
		// The operator names the proxy, so its own address is not judged.
		near := &net.Dialer{Timeout: c.config.Timeout}
		transport.DialContext = near.DialContext
		transport.Proxy = http.ProxyURL(c.proxy)
		// far is for whom we ask behind it; an https proxy is reached by this alone.
		transport.DialTLSContext = (&tls.Dialer{NetDialer: near, Config: c.webTLS()}).DialContext
	}
	return http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (c *Client) checkProxy() error {
	proxy, err := url.Parse(c.config.Proxy)
	if err != nil || proxy.Scheme != "http" && proxy.Scheme != "https" || proxy.Host == "" {
		return trust.Errorf(trust.Invalid, "egress proxy is not an http or https URL")
	}
	if c.config.Hosts == nil {
		return trust.Errorf(trust.Invalid, "egress proxy %s has no list of hosts it may be asked for", proxy.Host)
	}
	c.proxy = proxy
	return nil
}

// Get gives the body that an https address answers 200 with. It fails with
// Invalid for another address or a body beyond the limit, with Denied for a
// host that may not be dialled and for a redirect, and with Unavailable for
// everything that may pass: an unreachable host, another status, no time left.
func (c *Client) Get(ctx context.Context, address string) ([]byte, error) {
	return c.get(ctx, &c.http, address)
}

// GetFrom is Get from a server that verify accepts by the certificates it shows,
// leaf first: its name and the web's authorities count for nothing. It fails
// with verify's own error where that is a trust.Error.
func (c *Client) GetFrom(ctx context.Context, address string, verify func([]*x509.Certificate) error) ([]byte, error) {
	client := c.client(&tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // verified below
		VerifyConnection:   func(s tls.ConnectionState) error { return verify(s.PeerCertificates) },
	})
	return c.get(ctx, &client, address)
}

func (c *Client) get(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	u, err := c.check(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "address cannot be requested: %w", err)
	}
	request.Header.Set("Accept", "application/json, */*;q=0.5")
	response, err := client.Do(request)
	if err != nil {
		return nil, failed(u, err)
	}
	defer func() { _ = response.Body.Close() }()
	return c.read(u, response)
}

// check refuses what can be refused before any name is resolved.
func (c *Client) check(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Opaque != "" || u.Hostname() == "" || u.User != nil {
		return nil, trust.Errorf(trust.Invalid, "address to fetch is not an https URL with a host and without user information")
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		if err := c.permit(host, ip); err != nil {
			return nil, err
		}
	} else if numeric(host) {
		return nil, trust.Errorf(trust.Denied, "host %q is a number that some resolvers take for an address", host)
	}
	if c.config.Proxy != "" && !c.config.Hosts(host) {
		return nil, trust.Errorf(trust.Denied, "host %q is not among those the egress proxy may be asked for", host)
	}
	return u, nil
}

func (c *Client) read(u *url.URL, response *http.Response) ([]byte, error) {
	switch code := response.StatusCode; {
	case code >= 300 && code < 400:
		return nil, trust.Errorf(trust.Denied, "%s answers with a redirect; none is followed", name(u))
	case code != http.StatusOK:
		return nil, trust.Errorf(trust.Unavailable, "%s answers with status %d", name(u), code)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, c.config.MaxBytes+1))
	if err == nil {
		// A server that sees us hang up may end its answer in good order, and
		// half a body would pass for a whole one.
		err = response.Request.Context().Err()
	}
	if err != nil {
		return nil, failed(u, err)
	}
	if int64(len(body)) > c.config.MaxBytes {
		return nil, trust.Errorf(trust.Invalid, "%s answers with more than %d bytes", name(u), c.config.MaxBytes)
	}
	return body, nil
}

// name leaves the query out, which may hold what is not for a log.
func name(u *url.URL) string { return "https://" + u.Host + u.EscapedPath() }

// failed keeps the kind of an error of our own that comes back through net/http.
func failed(u *url.URL, err error) error {
	if own, ok := errors.AsType[*trust.Error](err); ok {
		return own
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	return trust.Errorf(trust.Unavailable, "fetching %s: %w", name(u), err)
}
