package node_test

import (
	"encoding/binary"
	"testing"

	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

func perSubject(count uint64, within int64) incident.Rule {
	return incident.Rule{Name: "r", When: incident.Volume, Per: incident.PerSubject, Count: count, Within: within, Do: incident.Alert}
}

func someone(i uint64) (k trust.SubjectKey) {
	binary.LittleEndian.PutUint64(k[:8], i*0x9e3779b97f4a7c15)
	return k
}

// What is counted lies within the rule's time, and begins anew once it was
// reached.
func TestCountsWithinTheTime(t *testing.T) {
	const now = 1_780_000_000
	for _, within := range []int64{1, 7, 8, 60, 601, 86400} {
		c, r := node.NewCounted(), perSubject(3, within)
		for i, want := range []uint64{0, 0, 3, 0, 0, 3} {
			if got := c.Add(r, someone(1), 1, now); got != want {
				t.Errorf("within %d s, the %dth gives %d, not %d", within, i+1, got, want)
			}
		}
		if c.Add(r, someone(1), 2, now); c.Add(r, someone(2), 2, now) != 0 {
			t.Errorf("within %d s, one is counted for another", within)
		}
		if c.Add(perSubject(4, within), someone(1), 2, now) != 0 {
			t.Errorf("within %d s, one rule counts for another", within)
		}
		if got := c.Add(r, someone(1), 2, now+within); got != 0 {
			t.Errorf("within %d s, what lies %d s back is counted: %d", within, within, got)
		}
		late := c.Add(r, someone(1), 1, now+within+within*7/8-max(within/8, 1))
		if within >= 8 && late != 3 {
			t.Errorf("within %d s, what lies less than 7/8 of it back is not counted: %d", within, late)
		}
		if got := c.Add(r, someone(3), 1000, now); got != 1000 {
			t.Errorf("a thousand at once are %d", got)
		}
	}
}

// A crowd takes no place from those who count much, and a rule with a short time
// none from one with a long time; no more memory is taken, whoever comes.
func TestCountsAreBounded(t *testing.T) {
	const now = 1_780_000_000
	c, long, short := node.NewCounted(), perSubject(1000, 86400), perSubject(1000, 60)
	c.Add(long, someone(0), 998, now)
	for i := range uint64(200_000) {
		c.Add(short, someone(i+1), 1, now+int64(i/10_000))
	}
	if got := c.Add(long, someone(0), 2, now+30); got != 1000 {
		t.Errorf("after a crowd the count is %d", got)
	}
	subject := someone(5)
	if n := testing.AllocsPerRun(100, func() { c.Add(short, subject, 1, now) }); n != 0 {
		t.Errorf("counting allocates %v times", n)
	}
}
