package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/entente-id/entente/trust"
)

// Group is the servers of one node, which start and stop together.
type Group struct{ members []member }

type member struct {
	name     string
	listener net.Listener
	server   *http.Server
}

// Add takes a server with the listener it will serve, by TLS when the server has
// a TLSConfig. The group closes both.
func (g *Group) Add(name string, l net.Listener, s *http.Server) {
	g.members = append(g.members, member{name, l, s})
}

// Run serves until ctx ends or one server fails, then stops taking requests,
// lets those under way finish for at most drain, and cuts the rest. It gives the
// failure, if there was one, and Unavailable when requests were cut.
func (g *Group) Run(ctx context.Context, drain time.Duration) error {
	failed := make(chan error, len(g.members))
	var serving sync.WaitGroup
	for _, m := range g.members {
		serving.Go(func() {
			if err := m.serve(); !errors.Is(err, http.ErrServerClosed) {
				failed <- trust.Errorf(trust.Internal, "the %s listener failed: %w", m.name, err)
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	err = errors.Join(err, g.stop(drain))
	serving.Wait()
	return err
}

func (m member) serve() error {
	if m.server.TLSConfig != nil {
		return m.server.ServeTLS(m.listener, "", "")
	}
	return m.server.Serve(m.listener)
}

func (g *Group) stop(drain time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	errs := make([]error, len(g.members))
	var stopping sync.WaitGroup
	for i, m := range g.members {
		stopping.Go(func() {
			if err := m.server.Shutdown(ctx); err != nil {
				errs[i] = trust.Errorf(trust.Unavailable, "requests to the %s listener were cut after %s", m.name, drain)
				m.server.Close()
			}
		})
	}
	stopping.Wait()
	return errors.Join(errs...)
}
