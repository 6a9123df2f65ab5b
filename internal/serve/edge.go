package serve

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

const (
	edgeTimeout = 10 * time.Second // for one request, answer included
	maxAnswer   = 1 << 20          // bytes of an answer's body
)

// Edge reaches partners' nodes over mutual TLS. Each partner has connections of
// its own, so a slow one holds up nobody else. It follows no redirect, resumes
// no session, and reads no proxy from the environment. It is a node.Sender.
type Edge struct {
	own    Certificate
	former Certificate
	now    func() int64

	mu    sync.Mutex
	lines map[lineKey]*line
}

// lineKey tells connections apart by the partner and by which of our keys they
// were opened with.
type lineKey struct {
	partner trust.ParticipantID
	former  bool
}

// line is the connections to one address, good for one set of keys there and one
// key here.
type line struct {
	far    far
	own    [32]byte
	client *http.Client
}

// far is the other end: where a partner's node listens and the TLS keys it may
// show there now.
type far struct {
	id       trust.ParticipantID
	endpoint string
	keys     []jose.Key
}

func (f far) equal(g far) bool {
	return f.endpoint == g.endpoint && slices.EqualFunc(f.keys, g.keys, jose.Key.Equal)
}

// holds reports whether the other end of a connection proved one of the keys.
func (f far) holds(s tls.ConnectionState) bool {
	if len(s.PeerCertificates) == 0 {
		return false
	}
	public := s.PeerCertificates[0].PublicKey
	return slices.ContainsFunc(f.keys, func(k jose.Key) bool {
		shown, err := jose.NewKey(public, k.Alg(), k.KeyID())
		return err == nil && shown.Equal(k)
	})
}

// NewEdge makes a client that shows this node's certificate, or on request the
// former one. Now gives the Unix seconds at which a partner's keys have to be
// valid.
func NewEdge(own, former Certificate, now func() int64) *Edge {
	return &Edge{own: own, former: former, now: now, lines: map[lineKey]*line{}}
}

// Send carries a request to a partner and gives the answer whatever its status.
// It fails with Denied when the other end does not hold one of the partner's TLS
// keys, with Unavailable when it cannot be reached or breaks off, and with
// Invalid for an address that is not https and an answer past 1 MiB.
func (e *Edge) Send(ctx context.Context, to participant.Partner, r node.Outgoing) (node.Incoming, error) {
	ctx, cancel := context.WithTimeout(ctx, edgeTimeout)
	defer cancel()
	end := far{to.Card.ID, to.Card.Endpoint, to.Keys(participant.TLSKey, e.now())}
	request, err := http.NewRequestWithContext(ctx, r.Method, strings.TrimSuffix(end.endpoint, "/")+r.Path, bytes.NewReader(r.Body))
	if err != nil || request.URL.Scheme != "https" {
		return node.Incoming{}, trust.Errorf(trust.Invalid, "endpoint %q of %s is not an https address", end.endpoint, end.id)
	}
	if r.ContentType != "" {
		request.Header.Set("Content-Type", r.ContentType)
	}
	l, err := e.line(end, r.Former)
	if err != nil {
		return node.Incoming{}, err
	}
	response, err := l.client.Do(request)
	if err != nil {
		return node.Incoming{}, broken(end, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return node.Incoming{}, broken(end, err)
	case len(body) > maxAnswer:
		return node.Incoming{}, trust.Errorf(trust.Invalid, "%s answered with more than %d bytes", end.id, maxAnswer)
	}
	return node.Incoming{Status: response.StatusCode, Body: body}, nil
}

// Close ends all idle connections.
func (e *Edge) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, l := range e.lines {
		l.client.CloseIdleConnections()
		delete(e.lines, id)
	}
}

func broken(end far, err error) error {
	kind := trust.Unavailable
	if trust.KindOf(err) == trust.Denied {
		kind = trust.Denied
	}
	return trust.Errorf(kind, "reaching %s: %w", end.id, err)
}

// line gives the connections to a partner. Another endpoint, another set of keys
// there or another key here begins new ones, so that no connection outlives the
// keys it was opened with.
func (e *Edge) line(end far, former bool) (*line, error) {
	own, err := e.certificate(former)
	if err != nil {
		return nil, err
	}
	pin := sha256.Sum256(own.Leaf.RawSubjectPublicKeyInfo)
	e.mu.Lock()
	defer e.mu.Unlock()
	key := lineKey{end.id, former}
	l := e.lines[key]
	if l != nil && l.far.equal(end) && l.own == pin {
		return l, nil
	}
	if l != nil {
		l.client.CloseIdleConnections()
	}
	l = &line{far: end, own: pin, client: e.newClient(end, own)}
	e.lines[key] = l
	return l, nil
}

// certificate gives what we show; where there is none from before, the current
// one.
func (e *Edge) certificate(former bool) (tls.Certificate, error) {
	if former && e.former != nil {
		if c, err := e.former(); err == nil {
			return c, nil
		}
	}
	return e.own()
}

func (e *Edge) newClient(end far, own tls.Certificate) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSClientConfig:        clientTLS(end, own),
			TLSHandshakeTimeout:    5 * time.Second,
			ResponseHeaderTimeout:  edgeTimeout,
			IdleConnTimeout:        90 * time.Second, // shorter than the partner's, so that it never closes under a request
			MaxIdleConnsPerHost:    4,
			MaxConnsPerHost:        8,
			MaxResponseHeaderBytes: 16 << 10,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
			// A connection whose other end vanished is noticed without a request.
			HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
		},
	}
}

func clientTLS(end far, own tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own, nil },
		// The key is pinned below; names and authorities prove nothing here.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			if !end.holds(s) {
				return trust.Errorf(trust.Denied, "the server at %s does not hold a TLS key of %s", end.endpoint, end.id)
			}
			return nil
		},
	}
}
