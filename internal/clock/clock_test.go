package clock_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/internal/clock"
)

// machine is a source whose two clocks are set by hand.
type machine struct {
	wall time.Time
	boot time.Duration
}

func (m *machine) Wall() time.Time     { return m.wall }
func (m *machine) Boot() time.Duration { return m.boot }

func newMachine() *machine {
	return &machine{time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC), 90 * time.Minute}
}

func TestTheLargerAgeCounts(t *testing.T) { // R78
	for _, c := range []struct {
		name       string
		wall, boot time.Duration // how far each clock moves
		want       time.Duration
	}{
		{"both run", 5 * time.Second, 5 * time.Second, 5 * time.Second},
		{"suspended machine, wall set back to before", 0, time.Hour, time.Hour},
		{"wall jumps back", -time.Hour, 5 * time.Second, 5 * time.Second},
		{"wall jumps ahead", time.Hour, 5 * time.Second, time.Hour},
		{"nothing moved", 0, 0, 0},
		{"another start of the machine", time.Hour, -time.Minute, math.MaxInt64},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine()
			k := clock.New(m)
			mark := k.Mark()
			m.wall, m.boot = m.wall.Add(c.wall), m.boot+c.boot
			if got := k.Since(mark); got != c.want {
				t.Errorf("age %s, want %s", got, c.want)
			}
		})
	}
}

// However the wall clock is set, an age never shrinks below what really passed.
func TestNoWallClockHidesTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine()
		k := clock.NewDemo(m)
		mark := k.Mark()
		var passed time.Duration
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			step := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "step"))
			passed += step
			m.boot += step
			m.wall = m.wall.Add(step + time.Duration(rapid.Int64Range(-int64(48*time.Hour), int64(48*time.Hour)).Draw(t, "jump")))
			k.Shift(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(t, "shift")))
			if got := k.Since(mark); got < passed {
				t.Fatalf("age %s after %s", got, passed)
			}
		}
	})
}

// Scenario 9: a clock that is set back stands still until it has caught up; what
// was told by an earlier run counts too.
func TestTheTimeOfDayDoesNotGoBack(t *testing.T) {
	m := newMachine()
	k := clock.New(m)
	told := k.Now()
	for _, c := range []struct {
		moves, want time.Duration // against the first reading
	}{
		{-time.Hour, 0}, {-time.Second, 0}, {0, 0}, {5 * time.Second, 5 * time.Second}, {4 * time.Second, 5 * time.Second}, {time.Hour, time.Hour}, {-time.Hour, time.Hour},
	} {
		m.wall = told.Add(c.moves)
		if now, mark := k.Now(), k.Mark(); !now.Equal(told.Add(c.want)) || !mark.Wall.Equal(now) {
			t.Errorf("moved by %s: %s and %s, want %s", c.moves, now, mark.Wall, told.Add(c.want))
		}
	}
	m = newMachine()
	k = clock.New(m)
	k.NotBefore(told.Add(time.Minute).Unix())
	k.NotBefore(told.Unix())
	if now := k.Now(); !now.Equal(told.Add(time.Minute)) {
		t.Errorf("after an earlier run: %s", now)
	}
	m.wall = m.wall.Add(2 * time.Minute)
	if now := k.Now(); !now.Equal(m.wall) {
		t.Errorf("caught up: %s", now)
	}
	d := clock.NewDemo(newMachine())
	d.Shift(time.Hour)
	d.NotBefore(told.Add(2 * time.Hour).Unix())
	if now := d.Now(); !now.Equal(told.Add(2 * time.Hour)) {
		t.Errorf("moved, after an earlier run: %s", now)
	}
}

func TestDemoMovesTheWallOnly(t *testing.T) {
	m := newMachine()
	k := clock.NewDemo(m)
	mark := k.Mark()
	k.Shift(48 * time.Hour)
	if got := k.Now(); !got.Equal(m.wall.Add(48*time.Hour)) || k.Offset() != 48*time.Hour {
		t.Errorf("now %s with offset %s", got, k.Offset())
	}
	if k.Mark().Boot != mark.Boot {
		t.Error("a shift moved the time since boot")
	}
	if got := k.Since(mark); got != 48*time.Hour {
		t.Errorf("age %s", got)
	}
	k.Shift(0)
	if !k.Now().Equal(m.wall) {
		t.Errorf("back at %s, want %s", k.Now(), m.wall)
	}
}

// running is a source whose wall clock has Go's monotonic one beside it.
type running struct {
	wall  time.Time
	boot  time.Duration
	asked int
}

func (r *running) Wall() time.Time     { return r.wall }
func (r *running) Boot() time.Duration { r.asked++; return r.boot }

// A time that leapt ahead is told, but neither relied on nor written down, and is
// forgotten when the machine's clock is put right.
func TestATimeThatLeapt(t *testing.T) {
	m := newMachine()
	k := clock.New(m)
	began := m.wall
	if mark := k.Mark(); !mark.Sure || mark.Doubted {
		t.Errorf("before anybody asked it is %+v", mark)
	}
	k.Confirm(k.Mark())
	run := func(wall, boot time.Duration) { m.wall, m.boot = m.wall.Add(wall), m.boot+boot }
	check := func(when string, sure, doubted bool, now, stamp time.Duration) {
		t.Helper()
		mark := k.Mark()
		if mark.Sure != sure || mark.Doubted != doubted {
			t.Errorf("%s: sure %t, doubted %t", when, mark.Sure, mark.Doubted)
		}
		if got := k.Now().Sub(began); got != now {
			t.Errorf("%s: %s is told, want %s", when, got, now)
		}
		if got := time.Duration(k.Stamp()-began.Unix()) * time.Second; got != stamp {
			t.Errorf("%s: %s is written down, want %s", when, got, stamp)
		}
	}
	run(time.Second+clock.Leap, time.Second)
	check("within the leeway", true, false, 31*time.Second, 31*time.Second)
	run(time.Second, 0)
	check("a second more", false, true, 32*time.Second, 31*time.Second)
	run(time.Hour, time.Minute)
	check("an hour ahead", false, true, time.Hour+32*time.Second, 61*time.Second)
	run(-time.Hour-32*time.Second+61*time.Second, 0)
	check("put right", true, false, 61*time.Second, 61*time.Second)
	run(time.Hour, 0)
	k.Confirm(k.Mark())
	check("confirmed", true, false, time.Hour+61*time.Second, time.Hour+61*time.Second)
	run(time.Minute, time.Minute)
	k.Doubt()
	check("doubted", false, true, time.Hour+121*time.Second, time.Hour+61*time.Second)
	k.Await()
	check("not confirmed yet", false, false, time.Hour+121*time.Second, time.Hour+61*time.Second)
	k.Accept()
	check("accepted", true, false, time.Hour+121*time.Second, time.Hour+121*time.Second)
	run(-time.Hour, 0)
	check("set back", true, false, time.Hour+121*time.Second, time.Hour+121*time.Second)
	k.Accept()
	check("set back and accepted", true, false, 121*time.Second, 121*time.Second)
}

// A machine that is set wrong is not a demo's time that is moved on purpose.
func TestADemosMachineIsSet(t *testing.T) {
	m := newMachine()
	k := clock.NewDemo(m)
	k.Confirm(k.Mark())
	k.Shift(time.Hour)
	if mark := k.Mark(); !mark.Sure || mark.Shifted != time.Hour || !mark.Wall.Equal(m.wall.Add(time.Hour)) {
		t.Errorf("moved by an hour it is %+v", mark)
	}
	k.Jump(time.Hour)
	if mark := k.Mark(); mark.Sure || !mark.Wall.Equal(m.wall.Add(2*time.Hour)) || k.Machine() != mark.Wall {
		t.Errorf("set ahead by an hour it is %+v, the machine %s", mark, k.Machine())
	}
	k.Jump(-time.Hour)
	if now := k.Now(); !now.Equal(m.wall.Add(time.Hour)) {
		t.Errorf("set back by an hour it is %s", now)
	}
}

// The time since boot goes on with the monotonic clock for a while, and is read
// again when that while is over or the machine may have slept.
func TestBootTimeIsCarriedOn(t *testing.T) {
	m := &running{wall: time.Now(), boot: time.Hour}
	k := clock.New(m)
	for i, step := range []time.Duration{0, 3 * time.Millisecond, time.Millisecond, 2 * time.Millisecond, -time.Second, 0} {
		m.wall, m.boot = m.wall.Add(step), m.boot+step
		if got := k.Mark().Boot; got != m.boot {
			t.Errorf("step %d: boot %s, want %s", i, got, m.boot)
		}
	}
	if m.asked != 3 { // at first, after 6 ms, and when it went back
		t.Errorf("the source was asked %d times, want 3", m.asked)
	}
	for _, c := range []struct {
		monotonic, wall time.Duration
		want            bool
	}{
		{time.Millisecond, time.Millisecond, true},
		{time.Millisecond, time.Hour, false},          // it slept
		{time.Millisecond, -time.Hour, false},         // somebody set the clock
		{time.Hour, time.Hour, false},                 // long ago
		{-time.Millisecond, -time.Millisecond, false}, // another reading overtook this one
		{0, 999 * time.Microsecond, true}, {0, time.Millisecond, false},
	} {
		if got := clock.Awake(c.monotonic, c.wall); got != c.want {
			t.Errorf("%s on the monotonic and %s on the wall clock: %t", c.monotonic, c.wall, got)
		}
	}
}

func TestSystemClocksRun(t *testing.T) {
	k := clock.New(clock.System{})
	mark := k.Mark()
	for k.Since(mark) == 0 {
		time.Sleep(time.Millisecond)
	}
	if mark.Boot <= 0 || k.Now().Location() != time.UTC {
		t.Errorf("mark %+v, now %s", mark, k.Now())
	}
}

func BenchmarkSince(b *testing.B) {
	k := clock.New(clock.System{})
	mark := k.Mark()
	for b.Loop() {
		_ = k.Since(mark)
	}
}
