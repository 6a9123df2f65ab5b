package node_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
)

// BenchmarkExchange is the whole path of a recorded exchange.
func BenchmarkExchange(b *testing.B) {
	w := nodetest.NewWorld(b)
	w.Heartbeat = time.Second
	home := w.New("trust.home.example", nodetest.HomeRoles()...)
	host := w.New("trust.host.example", nodetest.HostRoles()...)
	signed := w.Framework(home, host)
	home.Adopt(signed)
	host.Adopt(signed)
	w.Introduce(home, host)
	ward := w.NewWard(home, host, nil)
	orders := func(n int) (list []node.Exchange) {
		for i := range n {
			list = append(list, order(ward, w.Token(ward.Issuer, fmt.Sprintf("staff-%05d", i%1000), ward.Audience, nil)))
		}
		return list
	}
	run := func(b *testing.B, list []node.Exchange) {
		b.ReportAllocs()
		b.SetParallelism(callers / 2)
		var next atomic.Int64
		b.ResetTimer()
		before := cpuTime(b)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if issued := host.Exchange(b.Context(), list[int(next.Add(1)-1)%len(list)]); issued.Token == "" {
					b.Error(issued.Reason)
				}
			}
		})
		b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
	}
	known := orders(1000)
	for _, x := range known {
		host.Exchange(b.Context(), x)
	}
	b.Run("cold", func(b *testing.B) { run(b, orders(b.N)) })
	b.Run("warm", func(b *testing.B) { run(b, known) })
}
