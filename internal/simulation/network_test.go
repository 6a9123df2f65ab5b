package simulation_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// noise is what a network does to messages, in percent of them.
type noise struct {
	Lost  int // the request or its answer
	Twice int // the request arrives again, late
	Late  int // by seconds
	Mute  int // the other side takes the request and says nothing for a long time
}

// network carries requests between the nodes of a world. The fate of each
// follows from the history and its number alone.
type network struct {
	seed uint64

	mu    sync.Mutex
	noise noise
	cut   map[[2]int]bool
	sent  map[string]uint64
}

func newNetwork(seed uint64, n noise) *network {
	return &network{seed: seed, noise: n, cut: map[[2]int]bool{}, sent: map[string]uint64{}}
}

func (n *network) setCut(from, to int, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut[[2]int{from, to}] = cut
}

func (n *network) isCut(from, to int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cut[[2]int{from, to}]
}

// calm lets everything through from now on.
func (n *network) calm() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.noise = noise{}
	clear(n.cut)
}

// fate is what becomes of one request.
type fate struct {
	lost, lostAnswer, mute bool
	there, back            time.Duration
	again                  time.Duration // 0 is never
}

func (n *network) fate(from, to int, path string) fate {
	n.mu.Lock()
	defer n.mu.Unlock()
	way := fmt.Sprint(from, " ", to, " ", path)
	n.sent[way]++
	h := fnv.New64a()
	fmt.Fprint(h, way, n.sent[way])
	r := rand.New(rand.NewPCG(n.seed, h.Sum64()))
	is := func(percent int) bool { return r.IntN(100) < percent }
	travel := func() time.Duration {
		if is(n.noise.Late) {
			return time.Duration(r.Int64N(int64(2 * bound)))
		}
		return time.Duration(r.Int64N(int64(20 * time.Millisecond)))
	}
	f := fate{lost: is(n.noise.Lost), lostAnswer: is(n.noise.Lost), mute: is(n.noise.Mute), there: travel(), back: travel()}
	if is(n.noise.Twice) {
		f.again = time.Duration(r.Int64N(int64(3 * bound)))
	}
	return f
}

// line is a node's way to send.
type line struct {
	w    *world
	from *player
	run  *run
}

// giveUp is when a caller takes silence for a no.
const giveUp = 5 * time.Second

// Send carries a request there and its answer back. A machine that sleeps holds
// up what it is part of; an answer that came while the caller's machine slept is
// taken, since the caller's own timers slept too.
func (l line) Send(_ context.Context, to participant.Partner, r node.Outgoing) (node.Incoming, error) {
	other := l.w.byID[to.Card.ID]
	unreachable := trust.Errorf(trust.Unavailable, "%s cannot be reached", to.Card.ID)
	f := l.w.net.fate(l.from.at, other.at, r.Path)
	if l.w.net.isCut(l.from.at, other.at) || f.lost || f.mute {
		if f.mute {
			l.run.pause(giveUp)
		}
		return node.Incoming{}, unreachable
	}
	answered := make(chan node.Incoming, 1)
	l.w.all.Go(func() {
		l.run.pause(f.there)
		<-l.from.machine.sleeping()
		in, err := l.w.deliver(l.from, other, r)
		if time.Sleep(f.back); err == nil && !f.lostAnswer {
			answered <- in
		}
		if f.again > 0 {
			time.Sleep(f.again)
			_, _ = l.w.deliver(l.from, other, r)
		}
	})
	silence := time.NewTimer(giveUp)
	defer silence.Stop()
	select {
	case in := <-answered:
		<-l.from.machine.sleeping()
		return in, nil
	case <-l.run.ctx.Done():
		return node.Incoming{}, unreachable
	case <-silence.C:
	}
	<-l.from.machine.sleeping()
	select {
	case in := <-answered:
		return in, nil
	default:
		return node.Incoming{}, unreachable
	}
}

// deliver lets a request arrive, once the machine is awake.
func (w *world) deliver(from, to *player, r node.Outgoing) (node.Incoming, error) {
	to.machine.reached()
	there := to.current()
	if there == nil {
		return node.Incoming{}, trust.Errorf(trust.Unavailable, "%s does not run", to.ID)
	}
	in, err := w.fault.serve(w, from, to, r, func() (node.Incoming, error) {
		return (&nodetest.Node{Node: there.Node, ID: to.ID}).Serve(there.ctx, from.ID, r)
	})
	<-to.machine.sleeping()
	if there.ended() {
		return node.Incoming{}, trust.Errorf(trust.Unavailable, "%s does not run any more", to.ID)
	}
	return in, err
}

// pause waits for d, or until the run ends.
func (r *run) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.ctx.Done():
	case <-t.C:
	}
}
