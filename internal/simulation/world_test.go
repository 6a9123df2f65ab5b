package simulation_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// syncs is how long a disk takes to make a batch durable.
const syncs = 3 * time.Millisecond

// world is one history under way: the cast on machines, disks and a network of
// its own.
type world struct {
	cast    *cast
	net     *network
	fault   fault
	players []*player
	byID    map[trust.ParticipantID]*player
	all     sync.WaitGroup // what goes on beside the history
	leaving sync.WaitGroup // nodes that end; while one does, more may go on
}

// player is a member of the cast in a history.
type player struct {
	*member
	machine *machine
	disk    *disk

	mu  sync.Mutex
	run *run // nil while it does not run
}

// run is a node from its start to its end.
type run struct {
	*node.Node
	ctx    context.Context
	end    context.CancelFunc
	handle *handle
	gone   atomic.Bool
	over   sync.WaitGroup
}

// ended reports whether nobody outside hears of this run any more.
func (r *run) ended() bool { return r.gone.Load() }

func (p *player) current() *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run
}

// open lets every node of the cast run.
func open(c *cast, h history, f fault) (*world, error) {
	w := &world{cast: c, net: newNetwork(h.Seed, h.Noise), fault: f, byID: map[trust.ParticipantID]*player{}}
	for _, m := range c.members {
		p := &player{member: m, machine: newMachine(), disk: m.disk.clone()}
		w.players = append(w.players, p)
		w.byID[m.ID] = p
	}
	var errs []error
	for _, p := range w.players {
		errs = append(errs, w.start(p))
	}
	return w, errors.Join(errs...)
}

// start opens a node on what its disk holds. One that runs goes on.
func (w *world) start(p *player) error {
	if p.current() != nil {
		return nil
	}
	r := &run{handle: p.disk.open(w.fault.syncs)}
	r.ctx, r.end = context.WithCancel(context.Background())
	n, err := node.Open(r.ctx, node.Config{
		Store: r.handle, Keys: p.keys, Clock: clock.New(w.fault.source(p.machine)), Rand: rand.Reader, Fetch: p.World,
		Send: line{w, p, r}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Heartbeat: heartbeat, Refresh: time.Hour, Receipts: heartbeat, Load: p.load,
	})
	if err != nil {
		return fmt.Errorf("%s does not start: %w", p.ID, err)
	}
	r.Node = n
	r.over.Go(func() { n.Run(r.ctx) })
	p.mu.Lock()
	defer p.mu.Unlock()
	p.run = r
	return nil
}

// crash ends a node in the middle of whatever it does. Batches that were on their
// way to the disk are durable if kept says so.
func (w *world) crash(p *player, kept func() bool) {
	p.mu.Lock()
	r := p.run
	p.run = nil
	p.mu.Unlock()
	if r == nil {
		return
	}
	r.gone.Store(true)
	r.handle.crash(kept)
	w.fault.crashed(p.disk)
	w.leaving.Go(func() { w.leave(r) })
}

// stop ends a node in good order.
func (w *world) stop(p *player) {
	p.mu.Lock()
	r := p.run
	p.run = nil
	p.mu.Unlock()
	if r != nil {
		w.leave(r)
		r.gone.Store(true)
	}
}

func (w *world) leave(r *run) {
	r.end()
	r.over.Wait()
	_ = r.Close()
	_ = r.handle.Close()
}

// close ends the history: nobody comes back, so that nothing is left in order.
func (w *world) close() {
	w.net.calm()
	for _, p := range w.players {
		p.machine.wake(false)
	}
	for _, p := range w.players {
		w.crash(p, func() bool { return false })
	}
	w.leaving.Wait()
	w.all.Wait()
}
