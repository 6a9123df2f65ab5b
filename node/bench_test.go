package node_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
)

// callers ask at the same time, as the connections of enforcement points do.
const callers = 256

// BenchmarkDecide is the whole path of a recorded decision. The figure to
// compare is CPU time; wall time is mostly the disk's.
func BenchmarkDecide(b *testing.B) {
	w := nodetest.NewWorld(b)
	w.Heartbeat = time.Second
	home := w.New("trust.home.example", nodetest.HomeRoles()...)
	host := w.New("trust.host.example", nodetest.HostRoles()...)
	signed := w.Framework(home, host)
	home.Adopt(signed)
	host.Adopt(signed)
	w.Introduce(home, host)
	ward := w.NewWard(home, host, nil)
	asks := func(people, tokens int) []node.Ask {
		var list []node.Ask
		for i := range tokens {
			list = append(list, ward.Ask(w.Token(ward.Issuer, fmt.Sprintf("staff-%05d", i%people), ward.Audience, nil)))
		}
		return list
	}
	var people atomic.Int64
	b.Run("new person", func(b *testing.B) {
		var list []node.Ask
		for range b.N {
			subject := fmt.Sprintf("new-%06d", people.Add(1))
			list = append(list, ward.Ask(w.Token(ward.Issuer, subject, ward.Audience, nil)))
		}
		decide(b, host, list)
	})
	decideAll(b, host, asks(1000, 1000))
	b.Run("cold", func(b *testing.B) { decide(b, host, asks(1000, b.N)) })
	known := asks(1000, 1000)
	decideAll(b, host, known)
	b.Run("warm", func(b *testing.B) { decide(b, host, known) })
}

func decideAll(b *testing.B, n *nodetest.Node, list []node.Ask) {
	var wait sync.WaitGroup
	for _, ask := range list {
		wait.Go(func() {
			if a := n.Decide(b.Context(), ask); !a.Permit {
				b.Error(a.Reason)
			}
		})
	}
	wait.Wait()
}

func decide(b *testing.B, n *nodetest.Node, list []node.Ask) {
	b.ReportAllocs()
	b.SetParallelism(callers / 2)
	var next atomic.Int64
	b.ResetTimer()
	before := cpuTime(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ask := list[int(next.Add(1)-1)%len(list)]
			if a := n.Decide(b.Context(), ask); !a.Permit {
				b.Error(a.Reason)
			}
		}
	})
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime is what this process has used so far, in nanoseconds.
func cpuTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
