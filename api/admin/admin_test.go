package admin_test

import (
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/internal/spectest"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

// reach serves a node's admin interface on a unix socket and gives a client of
// an operator who holds the given roles.
func reach(t *testing.T, n *nodetest.Node, roles ...trust.Role) *admin.Client {
	t.Helper()
	_, credential, err := n.AddOperator(t.Context(), n.Admin, "l.marsh", roles)
	if err != nil {
		t.Fatal(err)
	}
	c := admin.NewClient(listen(t, spectest.Watch(t, admin.New(n))), credential)
	t.Cleanup(c.Close)
	return c
}

func listen(t *testing.T, h http.Handler) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "admin.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return socket
}

// pair is two nodes with the clients of their admins, who also hold the business
// roles of the nodetest agreement.
type pair struct {
	world      *nodetest.World
	home, host *nodetest.Node
	atHome     *admin.Client
	atHost     *admin.Client
}

func newPair(t *testing.T) pair {
	t.Helper()
	w := nodetest.NewWorld(t)
	p := pair{
		world: w,
		home:  w.New("trust.rxw.example", nodetest.HomeRoles()...),
		host:  w.New("trust.rje.example", nodetest.HostRoles()...),
	}
	p.atHome = reach(t, p.home, append(nodetest.HomeRoles(), operator.Admin)...)
	p.atHost = reach(t, p.host, append(nodetest.HostRoles(), operator.Admin)...)
	return p
}

// warded is a pair with an active agreement.
func warded(t *testing.T) (pair, *nodetest.Ward) {
	t.Helper()
	p := newPair(t)
	signed := p.world.Framework(p.home, p.host)
	p.home.Adopt(signed)
	p.host.Adopt(signed)
	p.world.Introduce(p.home, p.host)
	return p, p.world.NewWard(p.home, p.host, nil)
}

// must gives v, or ends the test: must(f())(t).
func must[V any](v V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, what string, err error, want trust.ErrorKind) {
	t.Helper()
	if trust.KindOf(err) != want {
		t.Errorf("%s: %v is of kind %q, want %q", what, err, trust.KindOf(err), want)
	}
}
