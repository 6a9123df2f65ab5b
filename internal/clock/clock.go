// Package clock tells the time and how long ago something was. It decides that
// the larger of two answers counts: the difference of the wall clock, which a
// person or NTP may set, and the difference of the time since boot, which runs
// on while the machine sleeps. So neither a clock set back nor a suspended
// machine makes old news look fresh. And the time of day never goes back: while
// the machine's says less than was told already, it stands still. It refuses to
// know what is being timed.
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
}

// Clock reads one source. Its methods may be called by any goroutine.
type Clock struct {
	source Source
	offset atomic.Int64
	latest atomic.Int64 // the newest second told, Unix, without the offset
	last   atomic.Pointer[reading]
}

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
func (c *Clock) Now() time.Time {
	return c.forward(c.source.Wall()).Add(time.Duration(c.offset.Load())).UTC()
}

// NotBefore lets the time of day be at (Unix seconds) at least: what was told by
// another run, and written down, does not come again.
func (c *Clock) NotBefore(at int64) {
	c.forward(time.Unix(at, 0).Add(-time.Duration(c.offset.Load())))
}

// forward gives wall, or the newest second that was told where wall lies before.
func (c *Clock) forward(wall time.Time) time.Time {
	for second := wall.Unix(); ; {
		latest := c.latest.Load()
		switch {
		case second < latest:
			return time.Unix(latest, 0)
		case second == latest || c.latest.CompareAndSwap(latest, second):
			return wall
		}
	}
}

// Mark takes both clocks, for a later Since.
func (c *Clock) Mark() Mark {
	wall := c.source.Wall()
	return Mark{Wall: c.forward(wall).Add(time.Duration(c.offset.Load())).UTC().Round(0), Boot: c.boot(wall)}
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
type Demo struct{ *Clock }

// NewDemo makes a movable clock on a source.
func NewDemo(source Source) Demo { return Demo{New(source)} }

// Shift moves the time of day to offset from the source's; zero is the true
// time. The time since boot stays as it is. It may go back, which else no time of
// day does.
func (d Demo) Shift(offset time.Duration) {
	d.offset.Store(int64(offset))
	d.latest.Store(0)
}

// Offset is what Shift last set.
func (d Demo) Offset() time.Duration { return time.Duration(d.offset.Load()) }
