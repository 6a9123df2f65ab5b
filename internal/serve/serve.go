package serve

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/api/authzen"
	"github.com/entente-id/entente/api/edge"
	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/api/signal"
	"github.com/entente-id/entente/api/spiffe"
	"github.com/entente-id/entente/api/ssf"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/internal/config"
	"github.com/entente-id/entente/internal/fetch"
	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/internal/pkcs11"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

// drain is how long requests under way may take after a node was told to stop.
const drain = 10 * time.Second

// Run runs the node of a configuration file until ctx ends or it can record no
// more.
func Run(ctx context.Context, path, version string, log *slog.Logger) (err error) {
	c, err := config.Load(path)
	if err != nil {
		return err
	}
	m, err := open(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	metrics := NewMetrics(version, func() Reading { return read(m.node) })
	m.config.Meter = metrics
	if m.node, err = node.Open(ctx, m.config); err != nil {
		return err
	}
	group, err := m.listen(ctx, c, metrics)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case fatal := <-m.node.Fatal():
			stop(fatal)
		case <-ctx.Done():
		}
	}()
	running := make(chan struct{})
	go func() {
		defer close(running)
		m.node.Run(ctx)
	}()
	log.Info("serving", "entity", c.Entity.String(), "partners", c.Partners.Listen)
	err = group.Run(ctx, drain)
	stop(nil)
	<-running
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	return err
}

// Create begins the ledger of the node of a configuration file.
func Create(ctx context.Context, path string, b node.Birth) (err error) {
	c, err := config.Load(path)
	if err != nil {
		return err
	}
	m, err := open(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	return node.Create(ctx, m.config, b)
}

// Recover lets the ledger of the node of a configuration file go on in a new epoch,
// 0 being the next, behind a loss. Where from is not empty, the copy of a ledger
// there is put in place first; a data directory that holds another one is refused.
func Recover(ctx context.Context, path, from string, epoch uint32, reason string) (_ node.Reopening, err error) {
	c, err := config.Load(path)
	if err != nil {
		return node.Reopening{}, err
	}
	if from != "" {
		if _, err := local.Copy(ctx, from, c.Data, local.Options{}); err != nil {
			return node.Reopening{}, err
		}
	}
	m, err := open(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return node.Reopening{}, err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	return node.Recover(ctx, m.config, epoch, reason)
}

// machine is what a node stands on here, and the node.
type machine struct {
	config node.Config
	store  *local.Store
	keys   *keyring.Keyring
	edge   *Edge
	node   *node.Node
}

// open takes hold of the store and the keys.
func open(ctx context.Context, c config.Config, log *slog.Logger) (_ *machine, err error) {
	m := &machine{}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.close())
		}
	}()
	files, torn, err := local.Open(c.Data, local.Options{})
	if err != nil {
		return m, err
	}
	m.store = files
	for _, t := range torn {
		log.Warn("an interrupted write was cut off; it was never acknowledged", "log", t.Log, "bytes", t.Bytes)
	}
	moving, err := m.clock(ctx)
	if err != nil {
		return m, err
	}
	making, err := makingOf(c)
	if err != nil {
		return m, err
	}
	if m.keys, err = keyring.OpenWith(making, c.Keys.File, c.Keys.UnlockFile, func() int64 { return moving.Now().Unix() }); err != nil {
		return m, err
	}
	fetcher, err := fetcherOf(c, func() *node.Node { return m.node })
	if err != nil {
		return m, err
	}
	now := func() int64 { return moving.Now().Unix() }
	own := func() (tls.Certificate, error) { return m.keys.TLSCertificate(c.Entity) }
	former := func() (tls.Certificate, error) { return m.keys.FormerTLSCertificate(c.Entity) }
	m.edge = NewEdge(own, former, now)
	m.config = node.Config{
		Store: files, Keys: m.keys, Clock: moving, Rand: rand.Reader, Fetch: fetcher,
		Send: m.edge, Post: poster{fetcher}, Log: log, Heartbeat: c.Heartbeat.Every(), DrillEvery: c.Drill.Between(),
		Refresh: time.Duration(c.Egress.Refresh) * time.Second, Base: c.Enforcement.Base(),
	}
	return m, nil
}

// makingOf says how the next keys are made, and opens the token, if there is one.
func makingOf(c config.Config) (m keyring.Making, err error) {
	for _, use := range c.Keys.MLDSA44 {
		m.MLDSA44 = append(m.MLDSA44, participant.KeyUse(use))
	}
	if c.PKCS11.Module == "" {
		return m, nil
	}
	for _, use := range c.PKCS11.Uses {
		m.InToken = append(m.InToken, participant.KeyUse(use))
	}
	m.Token, err = pkcs11.Open(pkcs11.Config{Module: c.PKCS11.Module, Label: c.PKCS11.Token, PINFile: c.PKCS11.PINFile})
	return m, err
}

// clock is the machine's own, or a movable one for a ledger that says demo.
func (m *machine) clock(ctx context.Context) (node.Clock, error) {
	card, err := node.ReadCard(ctx, m.store)
	if err != nil && trust.KindOf(err) != trust.NotFound {
		return nil, err
	}
	if card.Demo {
		return clock.NewDemo(clock.System{}), nil
	}
	return clock.New(clock.System{}), nil
}

func (m *machine) close() error {
	var errs []error
	if m.node != nil {
		errs = append(errs, m.node.Close())
	}
	if m.edge != nil {
		m.edge.Close()
	}
	if m.keys != nil {
		errs = append(errs, m.keys.Close())
	}
	if m.store != nil {
		errs = append(errs, m.store.Close())
	}
	return errors.Join(errs...)
}

// listen opens every plane of the node.
func (m *machine) listen(ctx context.Context, c config.Config, metrics *Metrics) (*Group, error) {
	group, log := &Group{}, m.config.Log
	own := func() (tls.Certificate, error) { return m.keys.TLSCertificate(c.Entity) }
	owner := func(spki [32]byte) (trust.ParticipantID, bool) {
		return m.node.State().Participant.TLSOwner(spki, m.node.Now())
	}
	partners := NewServer(metrics.Measure("partners", Authenticated(owner, edge.New(m.node, Caller))), DefaultLimits(), log)
	partners.TLSConfig = PartnerTLS(own, owner)
	enforcement := http.NewServeMux()
	published := oauth.NewMetadata(m.node, c.Enforcement.Base())
	enforcement.Handle("/oauth/", oauth.New(m.node))
	enforcement.Handle(spiffe.Path, spiffe.New(m.node))
	enforcement.Handle(signal.Path, signal.New(m.node))
	receivers := ssf.New(m.node)
	clientPlane := http.NewServeMux()
	clientPlane.Handle("/oauth/", oauth.New(m.node))
	for _, path := range ssf.Paths() {
		enforcement.Handle(path, receivers)
		clientPlane.Handle(path, receivers)
	}
	for _, path := range oauth.PublicPaths() {
		enforcement.Handle(path, published)
	}
	enforcement.Handle("/", authzen.New(m.node, c.Enforcement.Base()))
	clients := NewServer(metrics.Measure("clients", clientPlane), DefaultLimits(), log)
	if own, err := clientCertificate(c.Clients, own); err != nil {
		return nil, err
	} else {
		clients.TLSConfig = ClientTLS(own)
	}
	planes := []struct {
		name, socket, address string
		server                *http.Server
	}{
		{"partner", "", c.Partners.Listen, partners},
		{"enforcement", c.Enforcement.Socket, c.Enforcement.Listen, NewServer(metrics.Measure("enforcement", enforcement), DefaultLimits(), log)},
		{"clients", "", c.Clients.Listen, clients},
		{"admin", c.Admin.Socket, "", NewServer(metrics.Measure("admin", admin.New(m.node)), AdminLimits(), log)},
		{"telemetry", "", c.Telemetry.Listen, NewServer(metrics.Telemetry(m.node.Ready), DefaultLimits(), log)},
	}
	var opened []net.Listener
	for _, p := range planes {
		for _, listener := range []func() (net.Listener, error){
			func() (net.Listener, error) { return listenUnix(ctx, p.socket) },
			func() (net.Listener, error) { return listenTCP(ctx, p.address) },
		} {
			l, err := listener()
			if err != nil {
				for _, o := range opened {
					err = errors.Join(err, o.Close())
				}
				return nil, trust.Errorf(trust.Unavailable, "opening the %s listener: %w", p.name, err)
			}
			if l != nil {
				opened = append(opened, l)
				group.Add(p.name, l, p.server)
			}
		}
	}
	return group, nil
}

func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if path == "" {
		return nil, nil
	}
	return ListenUnix(ctx, path)
}

func listenTCP(ctx context.Context, address string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	var l net.ListenConfig
	return l.Listen(ctx, "tcp", address)
}

// fetcherOf makes the client that gets issuers' keys. Through a proxy only the
// hosts of registered addresses are asked for.
func fetcherOf(c config.Config, running func() *node.Node) (*fetch.Client, error) {
	f := fetch.Config{Allow: c.Egress.Allow, Proxy: c.Egress.Proxy}
	if c.Egress.Proxy != "" {
		f.Hosts = func(host string) bool { return running() != nil && running().Registered(host) }
	}
	if c.Egress.CAFile != "" {
		pem, err := os.ReadFile(c.Egress.CAFile)
		if err != nil {
			return nil, trust.Errorf(trust.NotFound, "reading egress.ca_file: %w", err)
		}
		if f.RootCAs, err = x509.SystemCertPool(); err != nil {
			f.RootCAs = x509.NewCertPool()
		}
		if !f.RootCAs.AppendCertsFromPEM(pem) {
			return nil, trust.Errorf(trust.Invalid, "egress.ca_file %s holds no certificate", c.Egress.CAFile)
		}
	}
	return fetch.New(f)
}

// poster pushes events to receivers, as carefully as issuers' keys are fetched.
type poster struct{ *fetch.Client }

// Post carries one event.
func (p poster) Post(ctx context.Context, url, contentType, authorization string, body []byte) (node.Posted, error) {
	a, err := p.Client.Post(ctx, url, contentType, authorization, body)
	return node.Posted{Status: a.Status, Body: a.Body, Wait: a.Wait}, err
}

// Delete gives back what was opened at a server.
func (p poster) Delete(ctx context.Context, url, authorization string) (node.Posted, error) {
	a, err := p.Client.Delete(ctx, url, authorization)
	return node.Posted{Status: a.Status, Body: a.Body, Wait: a.Wait}, err
}

// read gives what the gauges show.
func read(n *node.Node) Reading {
	status := n.Status(context.Background())
	r := Reading{Partners: len(status.Partners), Warnings: len(status.Warnings), KeysEnd: n.KeysEnd()}
	for _, w := range status.Warnings {
		if w.Urgent {
			r.Urgent++
		}
	}
	for _, l := range status.Logs {
		if l.Log == "trust" {
			r.TrustEntries = l.Size
		} else {
			r.DecisionEntries = l.Size
		}
	}
	stalest := n.Stalest()
	for _, p := range status.Partners {
		age := time.Duration(p.Age) * time.Second
		if p.Age < 0 || age > stalest {
			r.StalePartners++
		}
		r.OldestProof = max(r.OldestProof, age)
		for _, queued := range p.Queued {
			r.Undelivered += queued
		}
	}
	return r
}
