package simulation_test

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// history is what happens to a cast, drawn before anything runs.
type history struct {
	Cast  int
	Seed  uint64 // of the fate of each request, and of what a crash leaves
	Noise noise
	Steps []step
}

// step is one thing that happens. What it names is taken modulo what there is.
type step struct {
	Do    verb
	Who   int // a node, or a link
	Other int // another node, or a person
	For   time.Duration
	Ahead time.Duration
}

// verb is a kind of step. After each, For passes.
type verb string

const (
	idle     verb = "wait"
	ask      verb = "ask"     // the person opens a record at the link's host
	revoke   verb = "revoke"  // the home of the link ends the person
	reopen   verb = "reopen"  // and vouches for a new engagement
	approve  verb = "approve" // which the host accepts
	suspend  verb = "suspend" // the link's home or host suspends the agreement
	distrust verb = "distrust"
	cut      verb = "cut" // nothing goes from the one node to the other
	heal     verb = "heal"
	crash    verb = "crash"
	restart  verb = "restart" // in good order
	start    verb = "start"
	sleep    verb = "sleep" // the machine is suspended
	wake     verb = "wake"
	set      verb = "set" // somebody sets its wall clock ahead of the true time, or back
)

// verbs are drawn from; the more often one stands here, the more often it happens.
var verbs = []verb{
	idle, ask, revoke, revoke, revoke, revoke, reopen, approve, approve, cut, cut, heal, crash, crash, crash, restart, start, start, start, sleep, sleep, sleep, sleep, wake, wake, wake, wake, set, suspend,
}

var (
	stepGen = rapid.Custom(func(t *rapid.T) step {
		s := step{
			Do: rapid.SampledFrom(verbs).Draw(t, "do"), Who: rapid.IntRange(0, 9).Draw(t, "who"), Other: rapid.IntRange(0, 9).Draw(t, "other"),
			For: rapid.SampledFrom(waits).Draw(t, "for"),
		}
		if s.Do == set {
			s.Ahead = rapid.SampledFrom(jumps).Draw(t, "ahead")
		}
		if s.Do == suspend && rapid.IntRange(0, 3).Draw(t, "distrust") == 0 {
			s.Do = distrust
		}
		return s
	})
	waits = []time.Duration{
		0, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 50 * time.Millisecond, time.Second, heartbeat, bound / 2, bound + 2*time.Second,
	}
	jumps = []time.Duration{0, -10 * time.Second, 10 * time.Second, -time.Minute, -time.Hour, time.Hour}

	often     = []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4} // the larger casts are dear
	percent   = rapid.SampledFrom([]int{0, 0, 0, 5, 20, 50})
	histories = rapid.Custom(func(t *rapid.T) history {
		return history{
			Cast: rapid.SampledFrom(often).Draw(t, "cast"), Seed: rapid.Uint64().Draw(t, "seed"),
			Noise: noise{Lost: percent.Draw(t, "lost"), Twice: percent.Draw(t, "twice"), Late: percent.Draw(t, "late"), Mute: percent.Draw(t, "mute")},
			Steps: rapid.SliceOfN(stepGen, 1, 20).Draw(t, "steps"),
		}
	})
)

func (h history) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cast %d, noise %+v, seed %d", h.Cast, h.Noise, h.Seed)
	for i, s := range h.Steps {
		fmt.Fprintf(&b, "\n%3d %-8s %d %d for %s", i, s.Do, s.Who, s.Other, s.For)
		if s.Ahead != 0 {
			fmt.Fprintf(&b, ", ahead %s", s.Ahead)
		}
	}
	return b.String()
}
