package serve_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/internal/serve"
	"github.com/entente-id/entente/trust"
)

func TestAPartnerIsHeardByName(t *testing.T) {
	guest := newParty(t, "guest.example")
	p := newPlane(t, echo, serve.DefaultLimits(), newRegistry(guest))
	reply, err := newEdge(t, guest).Send(t.Context(), p.partner(p.host.key(t)), hello)
	if err != nil || reply.Status != http.StatusOK || string(reply.Body) != "https://guest.example HTTP/2.0 hello" {
		t.Errorf("%d %q, %v", reply.Status, reply.Body, err)
	}
}

func TestAnUnknownClientIsRefused(t *testing.T) {
	guest, stranger := newParty(t, "guest.example"), newParty(t, "guest.example")
	p := newPlane(t, echo, serve.DefaultLimits(), newRegistry(guest))
	if reply, err := newEdge(t, stranger).Send(t.Context(), p.partner(p.host.key(t)), hello); trust.KindOf(err) != trust.Unavailable {
		t.Errorf("a stranger's key: %+v, %v", reply, err)
	}
	bare := &tls.Config{InsecureSkipVerify: true}
	if err := converse(t, p, bare); err == nil {
		t.Error("a client without a certificate was answered")
	}
}

// converse makes a TLS connection and one request on it.
func converse(t *testing.T, p plane, config *tls.Config) error {
	t.Helper()
	conn, err := tls.Dial("tcp", p.address, config)
	if err != nil {
		return err
	}
	defer conn.Close()
	return ask(t, conn)
}

func ask(t *testing.T, conn net.Conn) error {
	t.Helper()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func TestOnlyTLS13IsSpoken(t *testing.T) {
	guest := newParty(t, "guest.example")
	p := newPlane(t, echo, serve.DefaultLimits(), newRegistry(guest))
	config := guest.clientTLS()
	if err := converse(t, p, config); err != nil {
		t.Errorf("TLS 1.3: %v", err)
	}
	config.MaxVersion = tls.VersionTLS12
	if err := converse(t, p, config); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.2: %v", err)
	}
}

func TestNothingIsResumed(t *testing.T) {
	guest := newParty(t, "guest.example")
	p := newPlane(t, echo, serve.DefaultLimits(), newRegistry(guest))
	config := guest.clientTLS()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	config.ServerName = "host.example"
	for i := range 3 {
		conn, err := tls.Dial("tcp", p.address, config)
		if err != nil {
			t.Fatal(err)
		}
		if err := ask(t, conn); err != nil { // a ticket would come with the answer
			t.Fatal(err)
		}
		if conn.ConnectionState().DidResume {
			t.Errorf("connection %d resumed an earlier one", i)
		}
		conn.Close()
	}
}

func TestASuspendedPartnerIsCutOffMidConnection(t *testing.T) { // R36
	guest := newParty(t, "guest.example")
	p := newPlane(t, echo, serve.DefaultLimits(), newRegistry(guest))
	e := newEdge(t, guest)
	if reply, err := e.Send(t.Context(), p.partner(p.host.key(t)), hello); err != nil || reply.Status != http.StatusOK {
		t.Fatalf("%d, %v", reply.Status, err)
	}
	p.known.suspend(guest)
	var reused bool
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }})
	reply, err := e.Send(ctx, p.partner(p.host.key(t)), hello)
	if err != nil || reply.Status != http.StatusForbidden || bytes.Contains(reply.Body, []byte("guest")) {
		t.Errorf("%d %q, %v", reply.Status, reply.Body, err)
	}
	if !reused {
		t.Error("the second request opened a connection, so it shows nothing about the first one")
	}
	for calls := 0; ; calls++ { // one may be on its way while the server hangs up
		reply, err := e.Send(t.Context(), p.partner(p.host.key(t)), hello)
		if trust.KindOf(err) == trust.Unavailable {
			break
		}
		if err != nil || reply.Status != http.StatusForbidden || calls == 20 {
			t.Fatalf("the connection stayed open: %d, %v", reply.Status, err)
		}
	}
}

func TestAuthenticatedNeedsTLS(t *testing.T) {
	guest := newParty(t, "guest.example")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var g serve.Group
	g.Add("plain", listener, serve.NewServer(serve.Authenticated(newRegistry(guest).owner, echo), serve.DefaultLimits(), silent))
	run(t, &g)
	response, err := http.Get("http://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("without TLS: %d", response.StatusCode)
	}
}

func TestLimits(t *testing.T) {
	guest := newParty(t, "guest.example")
	small := serve.DefaultLimits()
	small.ReadHeader, small.Read, small.Body = time.Minute, time.Minute, 1<<10
	short := small
	short.Read = 4 * time.Second // the handshake too has to be over by then
	for _, c := range []struct {
		limits           serve.Limits
		name, send, want string
	}{
		{small, "a header of 1 MiB", "GET / HTTP/1.1\r\nHost: x\r\nX-Big: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", "431"},
		{small, "a body past the limit", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1025\r\n\r\n" + strings.Repeat("a", 1025), "413"},
		{small, "a body at the limit", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("a", 1024), "200"},
		{small, "an unknown transfer coding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "501"},
		{short, "half a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhal", "413"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlane(t, echo, c.limits, newRegistry(guest))
			conn, err := tls.Dial("tcp", p.address, guest.clientTLS())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			go io.WriteString(conn, c.send) // the server may hang up in the middle
			conn.SetReadDeadline(time.Now().Add(time.Minute))
			status, err := bufio.NewReader(conn).ReadString('\n')
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				t.Fatal("the connection was never cut")
			}
			if _, code, _ := strings.Cut(status, " "); !strings.HasPrefix(code, c.want) {
				t.Errorf("answered %q, want %q; %v", status, c.want, err)
			}
		})
	}
}

// A client that is slow with its handshake or its header is cut, however long
// a body may take.
func TestASlowClientIsCut(t *testing.T) {
	guest := newParty(t, "guest.example")
	slow := serve.Limits{ReadHeader: 4 * time.Second, Read: time.Hour, Write: time.Hour, Idle: time.Hour, Header: 16 << 10, Body: 1 << 20}
	for name, begin := range map[string]func(t *testing.T, address string) net.Conn{
		"no handshake": func(t *testing.T, address string) net.Conn {
			t.Helper()
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			return conn
		},
		"no word":       saying(guest, ""),
		"half a header": saying(guest, "GET / HTTP/1.1\r\nHost"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := begin(t, newPlane(t, echo, slow, newRegistry(guest)).address)
			defer conn.Close()
			conn.SetReadDeadline(time.Now().Add(time.Minute))
			_, err := io.ReadAll(conn) // until the server hangs up
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				t.Error("the connection was never cut")
			}
		})
	}
}

// saying gives a client that makes its handshake and says no more than this.
func saying(guest party, sent string) func(*testing.T, string) net.Conn {
	return func(t *testing.T, address string) net.Conn {
		t.Helper()
		conn, err := tls.Dial("tcp", address, guest.clientTLS())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, sent); err != nil {
			t.Fatal(err)
		}
		return conn
	}
}
