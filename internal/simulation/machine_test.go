package simulation_test

import (
	"sync"
	"time"
)

// machine is what a node runs on: a wall clock that people set, and sleep. The
// time since it started is the true one; its wall clock says what it was set to.
type machine struct {
	mu    sync.Mutex
	ahead time.Duration
	slept time.Duration
	awake chan struct{} // closed while it is
	since time.Time     // it fell asleep
}

func newMachine() *machine {
	m := &machine{awake: make(chan struct{})}
	close(m.awake)
	return m
}

// now is the true time, or that at which the machine fell asleep: nobody reads a
// clock in its sleep.
func (m *machine) now() time.Time {
	select {
	case <-m.awake:
		return time.Now()
	default:
		return m.since
	}
}

// Wall is the time of day. Go's monotonic reading, which the simulation's own
// time is, does not come with it.
func (m *machine) Wall() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now().Round(0).Add(m.ahead)
}

// Boot is the time since the machine started, sleep included.
func (m *machine) Boot() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now().Sub(epoch) + time.Hour
}

// set sets the wall clock ahead of the true time, or back.
func (m *machine) set(ahead time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ahead = ahead
}

// sleep suspends the machine until wake: nothing reaches it and nothing leaves.
func (m *machine) sleep() {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-m.awake:
		m.awake, m.since = make(chan struct{}), time.Now()
	default:
	}
}

// wake resumes the machine. One that is dazed goes on with the time of day at
// which it fell asleep, until somebody sets its clock.
func (m *machine) wake(dazed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-m.awake:
		return
	default:
	}
	m.slept += time.Since(m.since)
	if dazed {
		m.ahead -= time.Since(m.since)
	}
	close(m.awake)
}

// sleeping gives a channel that is closed when the machine is awake.
func (m *machine) sleeping() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.awake
}

// reached returns when the network of the machine is up, which after a sleep takes
// longer than the machine itself.
func (m *machine) reached() {
	if m.asleep() {
		<-m.sleeping()
		time.Sleep(100 * time.Millisecond)
	}
}

// asleep reports whether the machine sleeps.
func (m *machine) asleep() bool {
	select {
	case <-m.sleeping():
		return false
	default:
		return true
	}
}
