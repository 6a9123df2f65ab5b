package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// System is the machine's own pair of clocks.
type System struct{}

// Wall is the time of day.
func (System) Wall() time.Time { return time.Now() }

// Boot is the time since the machine started. Go's own monotonic clock would
// not do: it sleeps with the machine.
func (System) Boot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(bootClock, &t); err != nil {
		panic("clock: a clock every supported kernel has cannot be read: " + err.Error())
	}
	return time.Duration(t.Nano())
}
