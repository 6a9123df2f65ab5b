package main

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// measure is one round: how many operations, and what they took.
type measure struct {
	Ops  int
	CPU  time.Duration // user and system time of the process that did the work
	Wall time.Duration
}

// cost is CPU microseconds an operation.
func (m measure) cost() float64 { return float64(m.CPU.Nanoseconds()) / 1e3 / float64(m.Ops) }

// rate is operations a second of wall time.
func (m measure) rate() float64 { return float64(m.Ops) / m.Wall.Seconds() }

// cpuTime is what this process has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it takes no input that could be wrong
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// take does operations 0 to ops-1, spread over callers, and measures this
// process meanwhile.
func take(ctx context.Context, ops, callers int, op func(i int) error) (m measure, err error) {
	runtime.GC()
	var cpu time.Duration
	var start time.Time
	err = spread(ctx, ops, callers, func() { cpu, start = cpuTime(), time.Now() }, func(int) func(int) error { return op })
	return measure{Ops: ops, CPU: cpuTime() - cpu, Wall: time.Since(start)}, err
}

// spread does operations 0 to ops-1 by a bounded number of callers, each with an
// operation of its own, and stops all at the first error. It calls begin when
// all callers stand ready: with stacks grown, as those of connections are that
// have lived for more than a few operations.
func spread(ctx context.Context, ops, callers int, begin func(), caller func(c int) func(i int) error) error {
	var (
		next        atomic.Int64
		first       atomic.Pointer[error]
		ready, wait sync.WaitGroup
		start       = make(chan struct{})
	)
	ready.Add(callers)
	for c := range callers {
		wait.Go(func() {
			op := caller(c)
			growStack(callerStack)
			ready.Done()
			<-start
			for i := int(next.Add(1)) - 1; i < ops && first.Load() == nil; i = int(next.Add(1)) - 1 {
				err := ctx.Err()
				if err == nil {
					err = op(i)
				}
				if err != nil {
					first.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	ready.Wait()
	begin()
	close(start)
	wait.Wait()
	if err := first.Load(); err != nil {
		return *err
	}
	return nil
}

// callerStack is how deep the stacks of callers are grown, in KiB.
const callerStack = 32

// growStack goes n KiB deep.
//
//go:noinline
func growStack(n int) byte {
	var frame [1024]byte
	if n > 0 {
		frame[n%len(frame)] = growStack(n - 1)
	}
	return frame[n]
}

// series is the rounds of one kind.
type series []measure

func (s series) cost() float64 { return median(s, measure.cost) }
func (s series) rate() float64 { return median(s, measure.rate) }

func median(s series, of func(measure) float64) float64 {
	values := make([]float64, len(s))
	for i, m := range s {
		values[i] = of(m)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// ratio is the median, over the rounds, of a's figure over b's of the same
// round, so that a busy neighbour who stays for a round weighs on both.
func ratio(a, b series, of func(measure) float64) float64 {
	values := make([]float64, len(a))
	for i := range a {
		values[i] = of(a[i]) / of(b[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}
