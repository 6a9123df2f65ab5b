package fetch_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-id/entente/internal/fetch"
	"github.com/entente-id/entente/trust"
)

// TestMain names a dead proxy in the environment, before net/http reads it: a
// client that heeded it would reach nothing in any test.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		if err := os.Setenv(name, "http://127.0.0.1:1"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// site is a real TLS server on 127.0.0.1 whose certificate is for example.com.
type site struct {
	*httptest.Server
	port        string
	connections atomic.Int32
	mu          sync.Mutex
	names       []string // as the clients' hellos gave them
}

func newSite(t *testing.T, handler http.HandlerFunc) *site {
	t.Helper()
	s := &site{Server: httptest.NewUnstartedServer(handler)}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that hang up are the point
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.names = append(s.names, hello.ServerName)
		return nil, nil
	}}
	s.StartTLS()
	t.Cleanup(s.Close)
	_, s.port, _ = net.SplitHostPort(s.Listener.Addr().String())
	return s
}

func (s *site) url(host, path string) string { return "https://" + host + ":" + s.port + path }

func (s *site) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

// answers is a resolver that gives its lists one after the other, then the last.
type answers struct {
	lists [][]netip.Addr
	asked int
}

func resolver(lists ...string) *answers {
	a := &answers{}
	for _, list := range lists {
		var addrs []netip.Addr
		for text := range strings.FieldsSeq(list) {
			addrs = append(addrs, netip.MustParseAddr(text))
		}
		a.lists = append(a.lists, addrs)
	}
	return a
}

func (a *answers) resolve(context.Context, string) ([]netip.Addr, error) {
	a.asked++
	return a.lists[min(a.asked, len(a.lists))-1], nil
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

// client may dial 127.0.0.1, where example.com is said to be.
func client(t *testing.T, s *site, change func(*fetch.Config)) *fetch.Client {
	t.Helper()
	config := fetch.Config{Allow: loopback, RootCAs: s.roots(), Resolve: resolver("127.0.0.1").resolve}
	if change != nil {
		change(&config)
	}
	c, err := fetch.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func want(t *testing.T, what string, err error, kind trust.ErrorKind, text string) {
	t.Helper()
	if trust.KindOf(err) != kind || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: got %v, want %s with %q", what, err, kind, text)
	}
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

func TestGet(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host+r.RequestURI) })
	c := client(t, s, nil)
	for range 2 {
		body, err := c.Get(t.Context(), s.url("example.com", "/keys?x=1"))
		if err != nil || string(body) != "example.com:"+s.port+"/keys?x=1" {
			t.Fatalf("got %q, %v", body, err)
		}
	}
	if n := s.connections.Load(); n != 2 {
		t.Errorf("two fetches made %d connections; none is kept", n)
	}
	if s.names[0] != "example.com" {
		t.Errorf("server name %q in the hello", s.names[0])
	}
	_, err := c.Get(t.Context(), s.url("other.org", "/"))
	want(t, "name not in the certificate", err, trust.Unavailable, "certificate")
	_, err = client(t, s, func(config *fetch.Config) { config.RootCAs = x509.NewCertPool() }).Get(t.Context(), s.url("example.com", "/"))
	want(t, "unknown authority", err, trust.Unavailable, "certificate")
}

// refused are addresses of every special network, those with other spellings
// of loopback first.
const refused = `127.0.0.1 127.8.9.10 ::1 0.0.0.0 0.1.2.3 :: ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1
10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 100.127.255.255
192.0.0.1 192.0.2.1 198.51.100.7 203.0.113.9 198.18.0.1 198.19.255.255 192.88.99.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 2002:7f00:1::1 2002:808:808::1 2001::1 2001:0:53aa:64c:0:fbff:fd5a:1 2001:2::1 2001:20::1 2001:db8::1 3fff::1
fc00::1 fd12:3456::1 fe80::1 fe80::1%lo fec0::1 ff02::1 ff0e::1 100::1 5f00::1 4000::1 2001:4860:4860::8888%lo`

func TestRefusedAddresses(t *testing.T) {
	s := newSite(t, hello)
	for text := range strings.FieldsSeq(refused) {
		for _, list := range []string{text, text + " 93.184.215.14", "93.184.215.14 2606:2800:21f::1 " + text} {
			c := client(t, s, func(config *fetch.Config) { config.Allow, config.Resolve = nil, resolver(list).resolve })
			_, err := c.Get(t.Context(), s.url("example.com", "/"))
			want(t, "answers "+list, err, trust.Denied, "not public")
		}
		host := text
		if strings.Contains(text, ":") {
			host = "[" + strings.ReplaceAll(text, "%", "%25") + "]"
		}
		_, err := client(t, s, func(config *fetch.Config) { config.Allow = nil }).Get(t.Context(), s.url(host, "/"))
		want(t, "literal "+host, err, trust.Denied, "not public")
	}
	if n := s.connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// The names are never resolved: a system that takes them for 127.0.0.1 would
// have nothing to say.
func TestNumericHosts(t *testing.T) {
	s := newSite(t, hello)
	dns := resolver("127.0.0.1")
	c := client(t, s, func(config *fetch.Config) { config.Resolve = dns.resolve })
	for _, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "127.0.0.1.", "1.2.3.08", "017700000001", "0X7F.0.0.0x1", "a.0x", "example.1"} {
		_, err := c.Get(t.Context(), s.url(host, "/"))
		want(t, host, err, trust.Denied, "is a number")
	}
	if s.connections.Load() != 0 || dns.asked != 0 {
		t.Errorf("%d connections, %d questions", s.connections.Load(), dns.asked)
	}
}

// A name is resolved once for each fetch and the checked address is dialled, so
// another answer a moment later reaches nobody.
func TestRebinding(t *testing.T) {
	s := newSite(t, hello)
	dns := resolver("127.0.0.1", "127.0.0.2")
	c := client(t, s, func(config *fetch.Config) { config.Resolve = dns.resolve })
	if _, err := c.Get(t.Context(), s.url("example.com", "/")); err != nil || dns.asked != 1 {
		t.Fatalf("asked %d times, %v", dns.asked, err)
	}
	_, err := c.Get(t.Context(), s.url("example.com", "/"))
	want(t, "the second answer", err, trust.Denied, "127.0.0.2")
	if n := s.connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestAllowIsExact(t *testing.T) {
	s := newSite(t, hello)
	for _, list := range []string{"127.0.0.2", "::ffff:127.0.0.1", "127.0.0.1 10.0.0.1"} {
		c := client(t, s, func(config *fetch.Config) { config.Resolve = resolver(list).resolve })
		_, err := c.Get(t.Context(), s.url("example.com", "/"))
		want(t, list, err, trust.Denied, "not public")
	}
}

func TestAddressesThatAreNoURL(t *testing.T) {
	s := newSite(t, hello)
	c := client(t, s, nil)
	for _, address := range []string{
		"", "example.com", "http://example.com:" + s.port, "ftp://example.com", "file:///etc/passwd", "https:example.com", "https://", "https://:443/",
		"https://user@example.com/", "https://user:secret@example.com/", "//example.com/", "https://exa mple.com/", "https://[::1/",
	} {
		_, err := c.Get(t.Context(), address)
		want(t, address, err, trust.Invalid, "not an https URL")
	}
	if n := s.connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	target := newSite(t, hello)
	for _, code := range []int{301, 302, 303, 307, 308} {
		s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, target.url("example.com", "/"), code)
		})
		_, err := client(t, s, nil).Get(t.Context(), s.url("example.com", "/"))
		want(t, fmt.Sprint(code), err, trust.Denied, "redirect")
	}
	if n := target.connections.Load(); n != 0 {
		t.Errorf("%d connections to the target", n)
	}
}

func TestOtherStatus(t *testing.T) {
	for _, code := range []int{201, 204, 206, 401, 404, 500, 503} {
		s := newSite(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
		_, err := client(t, s, nil).Get(t.Context(), s.url("example.com", "/path?secret"))
		want(t, fmt.Sprint(code), err, trust.Unavailable, fmt.Sprintf("/path answers with status %d", code))
	}
}

func TestSizeIsBounded(t *testing.T) {
	body := strings.Repeat("x", 1000)
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/header" {
			w.Header().Set("X-Long", strings.Repeat("x", 64<<10))
		}
		for range 10 { // flushed, so that no length is announced
			_, _ = io.WriteString(w, body[:100])
			w.(http.Flusher).Flush()
		}
	})
	for limit, fits := range map[int64]bool{1000: true, 999: false, 1: false} {
		got, err := client(t, s, func(config *fetch.Config) { config.MaxBytes = limit }).Get(t.Context(), s.url("example.com", "/"))
		if fits && (err != nil || string(got) != body) {
			t.Errorf("limit %d: %d bytes, %v", limit, len(got), err)
		}
		if !fits {
			want(t, fmt.Sprint(limit), err, trust.Invalid, "more than")
		}
	}
	_, err := client(t, s, nil).Get(t.Context(), s.url("example.com", "/header"))
	want(t, "long header", err, trust.Unavailable, "header")
}

func TestTimeIsBounded(t *testing.T) {
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(w, "a beginning")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	})
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	c := client(t, s, func(config *fetch.Config) { config.Timeout = 50 * time.Millisecond })
	for _, address := range []string{s.url("example.com", "/"), s.url("example.com", "/body"), "https://" + silent.Addr().String()} {
		_, err := c.Get(t.Context(), address)
		want(t, address, err, trust.Unavailable, "")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = client(t, s, nil).Get(ended, s.url("example.com", "/"))
	want(t, "caller gave up", err, trust.Unavailable, "canceled")
}

// The first address is dead: nobody listens there, and the next one is tried.
func TestNextAddressIsTried(t *testing.T) {
	s := newSite(t, hello)
	c := client(t, s, func(config *fetch.Config) {
		config.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		config.Resolve = resolver("127.0.0.77 127.0.0.1").resolve
	})
	if _, err := c.Get(t.Context(), s.url("example.com", "/")); err != nil {
		t.Error(err)
	}
	none := client(t, s, func(config *fetch.Config) { config.Resolve = resolver("").resolve })
	_, err := none.Get(t.Context(), s.url("example.com", "/"))
	want(t, "no answer", err, trust.Unavailable, "no address")
}

// The system resolver's own words for loopback are judged like any others.
func TestSystemResolver(t *testing.T) {
	s := newSite(t, hello)
	c := client(t, s, func(config *fetch.Config) { config.Allow, config.Resolve = nil, nil })
	_, err := c.Get(t.Context(), s.url("localhost", "/"))
	want(t, "localhost", err, trust.Denied, "not public")
	if n := s.connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
	reach := client(t, s, func(config *fetch.Config) {
		config.Allow, config.Resolve = append(loopback, netip.MustParsePrefix("::1/128")), nil
	})
	_, err = reach.Get(t.Context(), s.url("localhost", "/"))
	want(t, "localhost allowed", err, trust.Unavailable, "certificate") // which is not for localhost
	if n := s.connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// proxy is a real CONNECT proxy that reaches s whatever it is asked for.
type proxy struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newProxy(t *testing.T, s *site) *proxy {
	t.Helper()
	p := &proxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked = append(p.asked, r.Method+" "+r.Host)
		p.mu.Unlock()
		there, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		here, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go pipe(there, buffered.Reader, here)
		go pipe(here, bufio.NewReader(there), there)
	}))
	t.Cleanup(p.Close)
	return p
}

func pipe(to net.Conn, from *bufio.Reader, owner net.Conn) {
	_, _ = from.WriteTo(to)
	_ = to.Close()
	_ = owner.Close()
}

func TestProxy(t *testing.T) {
	s := newSite(t, hello)
	p := newProxy(t, s)
	c := client(t, s, func(config *fetch.Config) {
		config.Allow, config.Proxy = nil, p.URL
		config.Hosts = func(host string) bool { return host == "example.com" || host == "10.0.0.1" }
	})
	if body, err := c.Get(t.Context(), s.url("example.com", "/")); err != nil || string(body) != "hello" {
		t.Fatalf("got %q, %v", body, err)
	}
	_, err := c.Get(t.Context(), s.url("internal.example", "/"))
	want(t, "host not listed", err, trust.Denied, "egress proxy")
	_, err = c.Get(t.Context(), s.url("10.0.0.1", "/"))
	want(t, "literal", err, trust.Denied, "not public")
	if fmt.Sprint(p.asked) != "[CONNECT example.com:"+s.port+"]" {
		t.Errorf("the proxy was asked for %q", p.asked)
	}
}

func TestNewRefusesProxies(t *testing.T) {
	all := func(string) bool { return true }
	for _, config := range []fetch.Config{
		{Proxy: "proxy:3128", Hosts: all}, {Proxy: "socks5://proxy:1080", Hosts: all}, {Proxy: "http://", Hosts: all}, {Proxy: "http://proxy:3128"}, {Proxy: "%", Hosts: all},
	} {
		_, err := fetch.New(config)
		want(t, config.Proxy, err, trust.Invalid, "egress proxy")
	}
}
