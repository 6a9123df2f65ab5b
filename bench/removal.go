package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/entente-id/entente/api/authzen"
	"github.com/entente-id/entente/api/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// subscribers are how many enforcement points hold a watch stream while removals
// are timed: one after another, since more of them cost more.
var subscribers = [...]int{1, 100, 1000}

// removal is one run: the 99th percentiles of removals and of probes, in
// milliseconds.
type removal struct{ Deny, Probe float64 }

func (r removal) ratio() float64 { return r.Deny / r.Probe }

// removalTimes are the runs with so many subscribers.
type removalTimes struct {
	Subscribers int
	Runs        []removal
}

// middle is the run with the median ratio.
func (t removalTimes) middle() removal {
	runs := slices.SortedFunc(slices.Values(t.Runs), func(a, b removal) int {
		if a.ratio() < b.ratio() {
			return -1
		}
		return 1
	})
	return runs[len(runs)/2]
}

// measureRemoval times how long after a home has acknowledged a revocation the
// last enforcement point of its host knows that it must deny: both nodes record
// durably, the word between them goes over mutual TLS, and every enforcement point
// holds a watch stream over a TLS connection of its own. A probe is one round trip
// over that mutual TLS with one fdatasync behind it; one is taken between any two
// removals.
func measureRemoval(ctx context.Context, dir string, n size, r *report) (err error) {
	w := &cutOff{tb: &program{ctx: ctx, dir: filepath.Join(dir, "removal")}}
	defer w.tb.rescue(&err)
	if err := w.found(ctx); err != nil {
		return err
	}
	defer w.tb.end()
	for i, count := range subscribers {
		streams, err := w.subscribe(ctx, count)
		if err != nil {
			return err
		}
		taken := removalTimes{Subscribers: count}
		for range n.Rounds {
			run, err := w.run(ctx, streams, n.Removals[i])
			if err != nil {
				return fmt.Errorf("removals with %d subscribers: %w", count, err)
			}
			taken.Runs = append(taken.Runs, run)
		}
		for _, s := range streams {
			s.close()
		}
		r.Removals = append(r.Removals, taken)
	}
	return nil
}

// cutOff is a home and a host that share nothing but what goes over the wire.
type cutOff struct {
	tb         *program
	ward       *nodetest.Ward
	credential string
	edge       *wire // the partner plane of the host
	point      *wire // its enforcement plane
	raw        *os.File
	count      int
}

// found founds both, with their planes on the loopback.
func (w *cutOff) found(ctx context.Context) (err error) {
	t := nodetest.NewWorld(w.tb)
	t.Heartbeat = 2 * time.Second
	w.edge = &wire{}
	t.Configure = func(n *nodetest.Node, c *node.Config) {
		if n.ID.String() == "https://home.example" {
			c.Send = w.edge
		}
	}
	home := t.New("home.example", nodetest.HomeRoles()...)
	host := t.New("host.example", nodetest.HostRoles()...)
	if err := os.MkdirAll(w.tb.dir, 0o700); err != nil {
		return err
	}
	if w.raw, err = os.Create(filepath.Join(w.tb.dir, "probe")); err != nil {
		return err
	}
	w.tb.Cleanup(func() { _ = w.raw.Close() })
	partners := http.NewServeMux()
	partners.Handle("/", edge.New(host, func(context.Context) trust.ParticipantID { return home.ID }))
	partners.HandleFunc("POST /probe", w.probed)
	if err := w.edge.listen(w.tb, partners, true); err != nil {
		return err
	}
	w.point = &wire{}
	if err := w.point.listen(w.tb, authzen.New(host, "https://pdp.host.example"), false); err != nil {
		return err
	}
	signed := t.Framework(home, host)
	home.Adopt(signed)
	host.Adopt(signed)
	t.Introduce(home, host)
	w.ward = t.NewWard(home, host, nil)
	w.credential, err = host.AddEnforcementPoint(ctx, host.Admin, "pep")
	return err
}

// probed makes one page durable.
func (w *cutOff) probed(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		_, err = w.raw.Write(body)
	}
	if err == nil {
		err = datasync(w.raw)
	}
	if err != nil {
		rw.WriteHeader(http.StatusInternalServerError)
		return
	}
	rw.WriteHeader(http.StatusAccepted)
}

// run times removals and probes in turn.
func (w *cutOff) run(ctx context.Context, streams []*stream, removals int) (removal, error) {
	var denied, probed []float64
	page := bytes.Repeat([]byte{'x'}, 1<<10)
	for i := range removals + removals/10 { // a tenth warms up
		began := time.Now()
		if _, err := w.edge.Send(ctx, participant.Partner{}, node.Outgoing{Method: http.MethodPost, Path: "/probe", Body: page}); err != nil {
			return removal{}, err
		}
		probe := time.Since(began)
		took, err := w.remove(ctx, streams)
		if err != nil {
			return removal{}, err
		}
		if i >= removals/10 {
			denied, probed = append(denied, took.Seconds()*1e3), append(probed, probe.Seconds()*1e3)
		}
	}
	return removal{percentile(denied, 99), percentile(probed, 99)}, nil
}

func percentile(values []float64, p int) float64 {
	slices.Sort(values)
	return values[(len(values)*p+99)/100-1]
}

// remove lets one person in and removes them at home. It gives the time from the
// acknowledgement until every subscriber was told.
func (w *cutOff) remove(ctx context.Context, streams []*stream) (time.Duration, error) {
	w.count++
	name := fmt.Sprintf("person-%d", w.count)
	ask := w.ward.Ask(w.ward.Home.World.Token(w.ward.Issuer, name, w.ward.Audience, nil))
	ask.EnforcementPoint, ask.Session = "pep", true
	answer := w.ward.Host.Decide(ctx, ask)
	if !answer.Permit {
		return 0, fmt.Errorf("%s is denied: %s", name, answer.Reason)
	}
	_, err := w.ward.Home.Revoke(ctx, w.ward.Home.Admin, node.RevokeRequest{
		Kind: revocation.Subject, Issuer: w.ward.Issuer.URL, Subject: name, Reason: "left",
	})
	if err != nil {
		return 0, err
	}
	acknowledged, last := time.Now(), time.Time{}
	for _, s := range streams {
		select {
		case told := <-s.told:
			if told.reference != answer.Reference {
				return 0, fmt.Errorf("the end of %q was told, where %s was revoked", told.reference, answer.Reference)
			}
			if told.at.After(last) {
				last = told.at
			}
		case <-time.After(10 * time.Second):
			return 0, errors.New("a subscriber was not told within ten seconds")
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	if again := w.ward.Host.Decide(ctx, ask); again.Permit {
		return 0, fmt.Errorf("%s is still permitted", name)
	}
	return max(last.Sub(acknowledged), 0), nil
}

// stream is the watch stream of one subscriber.
type stream struct {
	told  chan end
	close func()
}

type end struct {
	reference string
	at        time.Time
}

func (w *cutOff) subscribe(ctx context.Context, count int) ([]*stream, error) {
	streams := make([]*stream, count)
	for i := range streams {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.point.base+"/access/v1/watch", nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", "Bearer "+w.credential)
		client := w.point.dial() // a connection of its own
		answer, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("the watch stream is refused: %s", answer.Status)
		}
		s := &stream{told: make(chan end, 4), close: func() { _ = answer.Body.Close(); client.CloseIdleConnections() }}
		go s.follow(answer.Body)
		streams[i] = s
	}
	return streams, nil
}

func (s *stream) follow(in io.Reader) {
	ended := false
	for lines := bufio.NewScanner(in); lines.Scan(); {
		switch line := lines.Text(); {
		case line == "event: ended":
			ended = true
		case ended && strings.HasPrefix(line, "data: "):
			ended = false
			_, rest, _ := strings.Cut(line, `"id":"`)
			reference, _, _ := strings.Cut(rest, `"`)
			s.told <- end{reference, time.Now()}
		}
	}
}

// wire is one plane behind TLS.
type wire struct {
	base   string
	config *tls.Config // of who connects
	client *http.Client
}

// listen serves h on the loopback until the program's end, with one key for both
// ends.
func (w *wire) listen(tb *program, h http.Handler, mutual bool) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	known := x509.NewCertPool()
	known.AddCert(leaf)
	own := []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	w.config = &tls.Config{RootCAs: known, Certificates: own, MinVersion: tls.VersionTLS13}
	config := &tls.Config{Certificates: own, MinVersion: tls.VersionTLS13, NextProtos: []string{"h2", "http/1.1"}}
	if mutual {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, known
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, TLSConfig: config, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.ServeTLS(l, "", "") }()
	tb.Cleanup(func() { _ = server.Close() })
	w.base, w.client = "https://"+l.Addr().String(), nil
	w.client = w.dial()
	return nil
}

func (w *wire) dial() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: w.config.Clone(), ForceAttemptHTTP2: true}}
}

// Send carries what a home sends to its one partner.
func (w *wire) Send(ctx context.Context, _ participant.Partner, o node.Outgoing) (node.Incoming, error) {
	r, err := http.NewRequestWithContext(ctx, o.Method, w.base+o.Path, bytes.NewReader(o.Body))
	if err != nil {
		return node.Incoming{}, err
	}
	r.Header.Set("Content-Type", o.ContentType)
	answer, err := w.client.Do(r)
	if err != nil {
		return node.Incoming{}, trust.Errorf(trust.Unavailable, "sending: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return node.Incoming{Status: answer.StatusCode, Body: body}, err
}
