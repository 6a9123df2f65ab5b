package demo_test

import (
	"testing"
	"time"

	"github.com/entente-id/entente/demo"
)

func TestPercentilesAreOfTheNearestRank(t *testing.T) {
	var times []time.Duration
	for i := range 100 {
		times = append(times, time.Duration(100-i)*time.Millisecond)
	}
	for count, want := range map[int]demo.Removal{
		0:   {},
		1:   {P50: 100, P95: 100, P99: 100, N: 1},
		21:  {P50: 90, P95: 99, P99: 100, N: 21}, // 80 to 100 ms; the eleventh and the last
		100: {P50: 50, P95: 95, P99: 99, N: 100},
	} {
		if got := demo.RemovalOf(times[:count]); got != want {
			t.Errorf("%d times give %+v, want %+v", count, got, want)
		}
	}
}
