package demo

import (
	"context"
	"net"
	"sync"

	"github.com/entente-id/entente/trust"
)

// relay stands before a node's partner plane and passes bytes on. It can fall
// silent: connections stay up and are still accepted, and nothing comes through.
type relay struct {
	listener net.Listener
	to       string // host:port

	mu     sync.Mutex
	flows  chan struct{} // closed while bytes pass
	open   map[net.Conn]bool
	closed bool
	ending sync.WaitGroup
}

// newRelay listens on a free loopback port.
func newRelay(to string) (*relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "listening on loopback: %w", err)
	}
	r := &relay{listener: l, to: to, flows: make(chan struct{}), open: map[net.Conn]bool{}}
	close(r.flows)
	r.ending.Go(r.accept)
	return r, nil
}

func (r *relay) address() string { return r.listener.Addr().String() }

// hush stops the bytes, speak lets them pass again, those held back first.
func (r *relay) hush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flows = make(chan struct{})
}

func (r *relay) speak() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.flows:
	default:
		close(r.flows)
	}
}

func (r *relay) gate() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flows
}

func (r *relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.ending.Go(func() { r.join(near) })
	}
}

// join passes bytes both ways until one end closes.
func (r *relay) join(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", r.to)
	if err != nil {
		return // the node is down, and so is whoever calls it
	}
	defer far.Close()
	if !r.keep(near, far) {
		return
	}
	defer r.forget(near, far)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			r.pass(way[0], way[1])
			_ = way[0].Close() // the other way ends with it
			_ = way[1].Close()
		})
	}
	both.Wait()
}

func (r *relay) pass(from, to net.Conn) {
	for buf := make([]byte, 32<<10); ; {
		n, err := from.Read(buf)
		<-r.gate()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		r.open[c] = true
	}
	return !r.closed
}

func (r *relay) forget(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		delete(r.open, c)
	}
}

// accepts reports whether somebody may connect, and stays connected.
func (r *relay) accepts(ctx context.Context) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", r.address())
	if err != nil {
		return trust.Errorf(trust.Unavailable, "connecting: %w", err)
	}
	return c.Close()
}

// close ends every connection and waits for that.
func (r *relay) close() {
	_ = r.listener.Close() // who closes what first does not matter
	r.speak()
	r.mu.Lock()
	r.closed = true
	for c := range r.open {
		_ = c.Close()
	}
	r.mu.Unlock()
	r.ending.Wait()
}
