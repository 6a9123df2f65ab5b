// Package clock tells the time and how long ago something was. It decides that
// the larger of two answers counts: the difference of the wall clock, which a
// person or NTP may set, and the difference of the time since boot, which runs
// on while the machine sleeps. So neither a clock set back nor a suspended
// machine makes old news look fresh. And the time of day never goes back: while
// the machine's says less than was told already, it stands still. And a time of
// day that leapt is none to go by, or to write down, until somebody confirms it.
// It refuses to know what is being timed, and who confirms.
package clock

import (
	"math"
	"sync/atomic"
	"time"
)

// Source reads the machine's two clocks.
type Source interface {
	// Wall is the time of day.
	Wall() time.Time
	// Boot is the time since the machine started, sleep included. It never goes
	// back while the machine is up.
	Boot() time.Duration
}

// Mark is a moment on both clocks, for Since. It means nothing to another run
// of the machine and is never stored.
type Mark struct {
	Wall time.Time
	Boot time.Duration
	// Sure is whether the time of day was confirmed, and has not leapt since.
	// Doubted is whether it leapt, or somebody spoke against it.
	Sure, Doubted bool
	// Shifted is how far a demo's time is moved on purpose; it is in Wall.
	Shifted time.Duration
}

// Clock reads one source. Its methods may be called by any goroutine.
type Clock struct {
	source Source
	offset atomic.Int64
	latest atomic.Int64 // the newest second told, Unix, without the offset
	last   atomic.Pointer[reading]
	base   atomic.Pointer[reading] // when the time of day was confirmed; nil: nobody ever asked
}

// awaited stands for a time of day that nobody has confirmed yet, doubted for one
// that somebody spoke against.
var awaited, doubted = new(reading), new(reading)

// Leap is how much further than the time since boot the time of day may have
// gone on since it was confirmed.
const Leap = 30 * time.Second

// reading is what both clocks of the source said at one moment.
type reading struct {
	wall time.Time
	boot time.Duration
}

// Asking for the time since boot costs a call into the kernel, asking for the
// wall clock does not. For trustFor after a reading, boot is that reading's and
// what Go's monotonic clock has counted since. That one sleeps with the machine,
// but a sleep also parts it from the wall clock, and by more than maxParted: then
// boot is read again.
const (
	trustFor  = 5 * time.Millisecond
	maxParted = time.Millisecond
)

// New makes a clock on a source; System is the machine's own.
func New(source Source) *Clock { return &Clock{source: source} }

// Now is the time of day in UTC.
func (c *Clock) Now() time.Time { return c.Mark().Wall }

// Machine is the time of day as the machine says it, which may lie before Now.
func (c *Clock) Machine() time.Time {
	return c.source.Wall().Add(time.Duration(c.offset.Load())).UTC().Round(0)
}

// NotBefore lets the time of day be at (Unix seconds) at least: what was told by
// another run, and written down, does not come again.
func (c *Clock) NotBefore(at int64) {
	c.forward(time.Unix(at, 0).Add(-time.Duration(c.offset.Load())), true)
}

// Await says that the time of day has yet to be confirmed.
func (c *Clock) Await() { c.base.Store(awaited) }

// Doubt says that the time of day is not to be relied on before it is confirmed.
func (c *Clock) Doubt() { c.base.Store(doubted) }

// Confirm says that the time of day was right at m.
func (c *Clock) Confirm(m Mark) {
	c.base.Store(&reading{m.Wall.Add(-m.Shifted), m.Boot})
}

// Accept takes the machine's time of day as it is, also where it lies before what
// was told.
func (c *Clock) Accept() {
	wall := c.source.Wall()
	c.base.Store(&reading{wall.Round(0), c.boot(wall)})
	c.latest.Store(wall.Unix())
}

// Stamp is the time of day to be written down, in Unix seconds. While that is
// not confirmed, it goes on with the time since boot from when it was last, and
// stands still if it never was: a time that is not confirmed is never written.
func (c *Clock) Stamp() int64 {
	m := c.Mark()
	if m.Sure {
		return m.Wall.Unix()
	}
	shifted := int64(m.Shifted / time.Second)
	if base := c.base.Load(); base != nil && base != doubted && base != awaited {
		return max(base.wall.Add(m.Boot-base.boot).Unix(), c.latest.Load()) + shifted
	}
	return c.latest.Load() + shifted
}

// judge says of a reading of both clocks whether it is confirmed, and whether it
// is a leap from what was.
func (c *Clock) judge(wall time.Time, boot time.Duration) (sure, leapt bool) {
	switch base := c.base.Load(); base {
	case nil:
		return true, false
	case awaited:
		return false, false
	case doubted:
		return false, true
	default:
		leapt := wall.Round(0).Sub(base.wall)-(boot-base.boot) > Leap
		return !leapt, leapt
	}
}

// forward gives wall, or the newest second that was told where wall lies before.
// What is not sure may turn out to be wrong, and is not held to.
func (c *Clock) forward(wall time.Time, sure bool) time.Time {
	for second := wall.Unix(); ; {
		latest := c.latest.Load()
		switch {
		case second < latest:
			return time.Unix(latest, 0)
		case second == latest || !sure || c.latest.CompareAndSwap(latest, second):
			return wall
		}
	}
}

// Mark takes both clocks, for a later Since.
func (c *Clock) Mark() Mark {
	wall := c.source.Wall()
	shifted := time.Duration(c.offset.Load())
	m := Mark{Boot: c.boot(wall), Shifted: shifted}
	m.Sure, m.Doubted = c.judge(wall, m.Boot)
	m.Wall = c.forward(wall, m.Sure).UTC().Round(0)
	if shifted != 0 {
		m.Wall = m.Wall.Add(shifted)
	}
	return m
}

// boot is the time since boot at wall, which was read just now.
func (c *Clock) boot(wall time.Time) time.Duration {
	monotonic := wall != wall.Round(0)
	if last := c.last.Load(); last != nil && monotonic {
		passed := wall.Sub(last.wall)
		if awake(passed, wall.Round(0).Sub(last.wall.Round(0))) {
			return last.boot + passed
		}
	}
	boot := c.source.Boot()
	if monotonic && c.source.Wall().Sub(wall) < maxParted { // not held up between the two
		c.last.Store(&reading{wall, boot})
	}
	return boot
}

// awake reports whether a reading still counts after what the monotonic and the
// wall clock have counted since.
func awake(monotonic, wall time.Duration) bool {
	return 0 <= monotonic && monotonic < trustFor && (wall-monotonic).Abs() < maxParted
}

// Since is how long ago a mark was taken.
func (c *Clock) Since(m Mark) time.Duration { return c.Mark().Since(m) }

// Since is the age at m of an earlier mark, by whichever clock says longer, to
// within a millisecond. A mark ahead of the time since boot was taken before the
// machine last started, so nothing is known about its age and it counts as the
// longest there is.
func (m Mark) Since(earlier Mark) time.Duration {
	passed := m.Boot - earlier.Boot
	if passed < -maxParted {
		return math.MaxInt64
	}
	return max(passed, m.Wall.Sub(earlier.Wall), 0)
}

// Demo is a clock whose time of day can be moved while it runs. Only a ledger
// whose first entry says demo may stand on one.
type Demo struct {
	*Clock
	machine *movable
}

// NewDemo makes a movable clock on a source.
func NewDemo(source Source) Demo {
	machine := &movable{Source: source}
	return Demo{New(machine), machine}
}

// Shift moves the time of day to offset from the machine's; zero is the machine's
// own. The time since boot stays as it is. It may go back, which else no time of
// day does, and nobody has to confirm it.
func (d Demo) Shift(offset time.Duration) {
	d.offset.Store(int64(offset))
	d.latest.Store(0)
}

// Offset is what Shift last set.
func (d Demo) Offset() time.Duration { return time.Duration(d.offset.Load()) }

// Jump sets the machine's own time of day ahead of the true time, or back, as a
// person or a broken time server would.
func (d Demo) Jump(ahead time.Duration) { d.machine.ahead.Store(int64(ahead)) }

// movable is a source whose time of day somebody sets.
type movable struct {
	Source
	ahead atomic.Int64
}

// Wall is the time of day.
func (m *movable) Wall() time.Time {
	if ahead := time.Duration(m.ahead.Load()); ahead != 0 {
		return m.Source.Wall().Round(0).Add(ahead)
	}
	return m.Source.Wall()
}
