package ledger_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

func value(n byte) trust.Once { return trust.Once{Key: [16]byte{n}, Expires: 1_800_000_100} }

// A replay is refused; the entries that wait with it are not, nor is an entry
// for want of another edge's quota.
func TestSingleUse(t *testing.T) {
	n := newNode(t)
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			if _, err := n.Append(ctx, entry("a", i), value(1)); err == nil {
				won.Add(1)
			} else if trust.KindOf(err) != trust.Conflict {
				t.Error(err)
			}
		})
		all.Go(func() {
			if _, err := n.Append(ctx, entry("b", i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || n.Head()["a"] != 1 || n.Head()["b"] != 64 {
		t.Fatalf("one value was used %d times; state %v", won.Load(), n.Head())
	}
	for i := range byte(3) {
		_, err := n.Append(ctx, entry("a", 0), value(2+i))
		ok(t, err)
	}
	_, err := n.Append(ctx, entry("a", 0), value(9))
	want(t, err, trust.Unavailable)
	n.clock.Add(100)
	for range 2 { // one that nobody used, and that the store would forget
		_, err = n.Append(ctx, entry("a", 0), value(20))
		want(t, err, trust.Conflict)
	}
	_, err = n.Append(ctx, entry("a", 0), trust.Once{Key: [16]byte{9}, Expires: 1_800_000_200})
	ok(t, err)
	n.close(t)
}

// A command that records nothing uses nothing up, whatever goes down beside it.
func TestNothingRecordedUsesNothingUp(t *testing.T) {
	n := newNode(t)
	for i := range 50 {
		once := trust.Once{Key: [16]byte{byte(i), 2}, Expires: n.clock.Add(10) + 5}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				_, err := n.Append(ctx, entry("b", i))
				if err != nil {
					t.Error(err)
				}
			})
			all.Go(func() {
				nothing := func(tally, trust.Stamp) ([]ledger.Entry, error) { return nil, nil }
				if _, _, err := n.Do(ctx, nothing, once); err != nil && trust.KindOf(err) != trust.Conflict { // with its twin
					t.Error(err)
				}
			})
		}
		all.Wait()
		if _, err := n.Append(ctx, entry("a", 0), once); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}
	n.close(t)
}

// The two logs share the values: of two entries that race over one, one goes
// down, and the other log lives on.
func TestSingleUseAcrossLogs(t *testing.T) {
	n := newNode(t)
	cfg := config(n.key, n.store, n.clock)
	cfg.Log = store.DecisionLog
	decisions := openLog(t, cfg)
	for i := range 200 {
		once := trust.Once{Key: [16]byte{byte(i), 1}, Expires: n.clock.Add(10) + 5}
		var won atomic.Int32
		var all sync.WaitGroup
		for _, l := range []*ledger.Log[tally]{n.Log, decisions} {
			all.Go(func() {
				if _, err := l.Append(ctx, entry("a", i), once); err == nil {
					won.Add(1)
				} else if trust.KindOf(err) != trust.Conflict {
					t.Error(err)
				}
			})
			all.Go(func() {
				if _, err := l.Append(ctx, entry("b", i)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("round %d: the value was used %d times", i, won.Load())
		}
	}
	decisions.Close()
	n.close(t)
}
