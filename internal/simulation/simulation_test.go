// Package simulation_test plays random histories of two to five nodes: the real
// ones, on disks, clocks and a network in memory that fail as real ones do, by a
// time of their own. It decides what must hold after every step, whatever
// happened.
package simulation_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"testing"

	"pgregory.net/rapid"
)

// halves is how many runs of histories go on at a time, each of -rapid.checks.
const halves = 2

// scratch is where the keyrings lie while the tests run.
var scratch string

func TestMain(m *testing.M) {
	// A history leaves little behind. Collecting by a multiple of what is alive
	// would let the heap grow without end: what nodes make while it is collected
	// counts as alive, and that is most of it.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(256 << 20)
	var err error
	if scratch, err = os.MkdirTemp("/dev/shm", "simulation"); err != nil { // memory, where there is such a place
		scratch, err = os.MkdirTemp("", "simulation")
	}
	if err != nil {
		panic(err)
	}
	code := m.Run()
	for _, c := range casts {
		c.close()
	}
	if err := os.RemoveAll(scratch); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// Whatever is lost, late or repeated, whoever fails, sleeps or has its clock
// set: nobody permits what was ended longer ago than the bound, nothing that was
// promised is taken back, what is suspended stays so, and all come to one view.
func TestHistories(t *testing.T) { // R34, R36, R73, R78
	for half := range halves {
		t.Run(fmt.Sprint(half), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(r *rapid.T) {
				h := histories.Draw(r, "history")
				if err := playOut(t, h, none()); err != nil {
					r.Fatalf("%s\n%s", h, err)
				}
			})
		})
	}
}
