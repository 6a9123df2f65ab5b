//go:build !linux

package clock

import "golang.org/x/sys/unix"

// On Darwin the monotonic clock runs on while the machine sleeps.
const bootClock = unix.CLOCK_MONOTONIC
