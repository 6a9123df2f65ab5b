package serve_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/entente-id/entente/internal/serve"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// turning is a certificate that changes.
type turning struct {
	now atomic.Pointer[tls.Certificate]
}

func (c *turning) set(p party)                   { c.now.Store(&p.certificate) }
func (c *turning) get() (tls.Certificate, error) { return *c.now.Load(), nil }

// While both ends pin the old key and the new one, each end changes its TLS key
// under load, and no request fails (R72).
func TestTLSKeysRotateUnderLoad(t *testing.T) {
	oldGuest, newGuest := newParty(t, "guest.example"), newParty(t, "guest.example")
	oldHost, newHost := newParty(t, "host.example"), newParty(t, "host.example")
	var guest, host turning
	guest.set(oldGuest)
	host.set(oldHost)
	known := newRegistry(oldGuest, newGuest)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := serve.NewServer(serve.Authenticated(known.owner, echo), serve.DefaultLimits(), silent)
	server.TLSConfig = serve.PartnerTLS(host.get, known.owner)
	var g serve.Group
	g.Add("partners", listener, server)
	run(t, &g)
	p := plane{listener.Addr().String(), oldHost, known}
	e := serve.NewEdge(guest.get, nil, func() int64 { return now })
	t.Cleanup(e.Close)

	pins := []jose.Key{oldHost.key(t), renamedKey(t, newHost)}
	send := func() {
		if reply, err := e.Send(t.Context(), p.partner(pins...), hello); err != nil || reply.Status != http.StatusOK {
			t.Errorf("during the rotation: %d, %v", reply.Status, err)
		}
	}
	stop := make(chan struct{})
	var sent atomic.Int64
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					send()
					sent.Add(1)
				}
			}
		})
	}
	during := func() {
		for before := sent.Load(); sent.Load() < before+50; {
			send()
		}
	}
	during()
	host.set(newHost)
	during()
	guest.set(newGuest)
	during()
	close(stop)
	senders.Wait()
	// The old ones are pinned no longer: the new ones are what is spoken.
	known.suspend(oldGuest)
	pins = pins[1:]
	send()
}

func renamedKey(t *testing.T, p party) jose.Key {
	t.Helper()
	key, err := jose.NewKey(p.certificate.Leaf.PublicKey, jose.ES256, "tls-2")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A partner that has not taken our newest card knows the key from before alone:
// by that one the card reaches it.
func TestTheFormerTLSKeyReachesALatePartner(t *testing.T) {
	before, after := newParty(t, "guest.example"), newParty(t, "guest.example")
	p := newPlane(t, echo, serve.DefaultLimits(), newRegistry(before))
	e := serve.NewEdge(after.own, before.own, func() int64 { return now })
	t.Cleanup(e.Close)
	if _, err := e.Send(t.Context(), p.partner(p.host.key(t)), hello); trust.KindOf(err) != trust.Unavailable {
		t.Errorf("a key that is not known yet: %v", err)
	}
	late := hello
	late.Former = true
	if reply, err := e.Send(t.Context(), p.partner(p.host.key(t)), late); err != nil || reply.Status != http.StatusOK {
		t.Errorf("the former key: %d, %v", reply.Status, err)
	}
}
