package drill_test

import (
	"testing"

	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/trust"
)

const never = drill.Never

func id(t *testing.T, s string) trust.ParticipantID {
	t.Helper()
	p, err := trust.ParseParticipantID(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// held is a drill under a limit of 1 s that took 4 ms, with the word of the host.
func held(t *testing.T) drill.Finished {
	t.Helper()
	return drill.Finished{
		Measured: drill.Measured{
			ID: "000102030405060708090a0b0c0d0e0f", Home: id(t, "https://trust.rxw.example"), Host: id(t, "https://trust.rje.example"),
			Agreement: "a1", Class: trust.Human, Limit: 1_000_000, Begun: 1_790_000_000,
			Sent: 200, Accepted: 2500, Denied: 4000, Waited: 4000, Paused: 1000, Calls: 3,
		},
		Seen:   &drill.Seen{Applied: 1500, Asked: 2500, Denied: 3300, Reason: trust.SubjectRevoked},
		Signed: "a.b.c",
	}
}

// R54: a breach names the side with the largest share of the time, each by its
// own durations.
func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(m *drill.Measured, s *drill.Seen)
		alone   bool
		verdict drill.Verdict
		side    drill.Side
	}{
		{"kept", func(*drill.Measured, *drill.Seen) {}, false, drill.Kept, ""},
		{"kept, the host does not sign", func(*drill.Measured, *drill.Seen) {}, true, drill.Kept, ""},
		{"kept to the microsecond", func(m *drill.Measured, _ *drill.Seen) { m.Denied, m.Waited = 1_000_000, 1_000_000 }, false, drill.Kept, ""},
		{"denied for another reason", func(_ *drill.Measured, s *drill.Seen) { s.Reason = trust.Stale }, false, drill.Void, ""},
		{"late for another reason", func(m *drill.Measured, s *drill.Seen) {
			m.Denied, m.Waited, s.Applied, s.Asked, s.Denied, s.Reason = 3_000_000, 3_000_000, never, never, never, trust.Stale
		}, false, drill.Breached, drill.Transit},
		{"the home sends late", func(m *drill.Measured, _ *drill.Seen) {
			m.Sent, m.Accepted, m.Denied, m.Waited = 900_000, 1_000_500, 1_000_001, 1_000_001
		}, false, drill.Breached, drill.Home},
		{"the home never sends", func(m *drill.Measured, s *drill.Seen) {
			m.Sent, m.Accepted, m.Denied, m.Waited = never, never, never, 11_000_000
			*s = drill.Seen{Applied: never, Asked: never, Denied: never}
		}, false, drill.Breached, drill.Home},
		{"the home stops asking for a while", func(m *drill.Measured, s *drill.Seen) {
			m.Paused, m.Denied, m.Waited, s.Asked, s.Denied = 1_500_000, 1_510_000, 1_510_000, 1_503_000, 1_503_500
		}, false, drill.Breached, drill.Home},
		{"the host applies late", func(m *drill.Measured, s *drill.Seen) {
			m.Accepted, m.Denied, m.Waited, s.Applied, s.Asked, s.Denied = 1_900_000, 2_000_000, 2_000_000, 1_800_000, 1_810_000, 1_811_000
		}, false, drill.Breached, drill.Host},
		{"the host permits after it was applied", func(m *drill.Measured, s *drill.Seen) {
			m.Denied, m.Waited, s.Asked, s.Denied, s.Late = 2_000_000, 2_000_000, 1_990_000, 1_990_500, 40
		}, false, drill.Breached, drill.Host},
		{"the host never denies", func(m *drill.Measured, s *drill.Seen) {
			m.Denied, m.Waited, s.Asked, s.Denied, s.Late, s.Reason = never, 11_000_000, never, never, 40, ""
		}, false, drill.Breached, drill.Host},
		{"the host is slow to deny", func(m *drill.Measured, s *drill.Seen) {
			m.Denied, m.Waited, s.Asked, s.Denied = 2_000_000, 2_000_000, 2000, 1_990_000
		}, false, drill.Breached, drill.Host},
		{"the host claims more than fits into the round trip", func(m *drill.Measured, s *drill.Seen) {
			m.Denied, m.Waited, s.Applied, s.Asked, s.Denied = 2_000_000, 2_000_000, 1_900_000, 1_900_000, 1_900_100
		}, false, drill.Breached, drill.Transit},
		{"the message comes late", func(m *drill.Measured, _ *drill.Seen) {
			m.Accepted, m.Denied, m.Waited = 1_900_000, 2_000_000, 2_000_000
		}, false, drill.Breached, drill.Transit},
		{"the message never comes", func(m *drill.Measured, s *drill.Seen) {
			m.Accepted, m.Denied, m.Waited = never, never, 11_000_000
			*s = drill.Seen{Applied: never, Asked: never, Denied: never}
		}, false, drill.Breached, drill.Transit},
		{"accepted and never denied, and the host does not sign", func(m *drill.Measured, _ *drill.Seen) {
			m.Denied, m.Waited = never, 11_000_000
		}, true, drill.Breached, drill.Host},
		{"nothing of the host at all", func(m *drill.Measured, _ *drill.Seen) {
			m.Accepted, m.Denied, m.Waited = never, never, 11_000_000
		}, true, drill.Breached, drill.Transit},
	} {
		f := held(t)
		tt.change(&f.Measured, f.Seen)
		if tt.alone {
			f.Seen = nil
		}
		if err := f.Measured.Check(); err != nil && tt.name != "the home sends late" {
			t.Errorf("%s: %v", tt.name, err)
		}
		if verdict, side := drill.Judge(&f.Measured, f.Seen); verdict != tt.verdict || side != tt.side {
			t.Errorf("%s: %s %q, want %s %q", tt.name, verdict, side, tt.verdict, tt.side)
		}
	}
}

func TestFinish(t *testing.T) {
	var s drill.State
	f := held(t)
	events, err := s.Finish(f)
	if err != nil || len(events) != 1 || events[0] != trust.Event(f) {
		t.Fatalf("%v, %v", events, err)
	}
	after := s.Apply(events[0], trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: 1_790_000_001})
	if _, err := after.Finish(f); trust.KindOf(err) != trust.Conflict {
		t.Errorf("the same drill twice: %v", err)
	}
	late := held(t)
	late.Measured.Denied, late.Measured.Waited = 1_000_001, 1_000_001
	events, err = s.Finish(late)
	if err != nil || len(events) != 2 || events[1] != trust.Event(drill.Breach{
		ID: late.Measured.ID, Home: late.Measured.Home, Host: late.Measured.Host, Agreement: "a1", Side: drill.Transit, Took: 1_000_001, Limit: 1_000_000,
	}) {
		t.Errorf("a breach gives %v, %v", events, err)
	}
	for name, change := range map[string]func(*drill.Finished){
		"no name":                      func(f *drill.Finished) { f.Measured.ID = "" },
		"a name in capitals":           func(f *drill.Finished) { f.Measured.ID = "000102030405060708090A0B0C0D0E0F" },
		"no home":                      func(f *drill.Finished) { f.Measured.Home = trust.ParticipantID{} },
		"with itself":                  func(f *drill.Finished) { f.Measured.Home = f.Measured.Host },
		"no agreement":                 func(f *drill.Finished) { f.Measured.Agreement = "" },
		"no class":                     func(f *drill.Finished) { f.Measured.Class = "king" },
		"no limit":                     func(f *drill.Finished) { f.Measured.Limit = 0 },
		"sent beyond the end":          func(f *drill.Finished) { f.Measured.Sent = 4001 },
		"denied beyond the end":        func(f *drill.Finished) { f.Measured.Denied = 4001 },
		"before it began":              func(f *drill.Finished) { f.Measured.Denied = -2 },
		"accepted and never sent":      func(f *drill.Finished) { f.Measured.Sent = never },
		"waited for two days":          func(f *drill.Finished) { f.Measured.Waited = 172_800_000_000 },
		"fewer calls than none":        func(f *drill.Finished) { f.Measured.Calls = -1 },
		"not signed":                   func(f *drill.Finished) { f.Signed = "" },
		"denied before it was asked":   func(f *drill.Finished) { f.Seen = &drill.Seen{Applied: 1, Asked: 9, Denied: 8} },
		"denied and never asked":       func(f *drill.Finished) { f.Seen = &drill.Seen{Applied: 1, Asked: never, Denied: 8} },
		"applied before it was heard":  func(f *drill.Finished) { f.Seen = &drill.Seen{Applied: -7, Asked: 8, Denied: 8} },
		"fewer late permits than none": func(f *drill.Finished) { f.Seen = &drill.Seen{Applied: 1, Asked: 8, Denied: 8, Late: -1} },
	} {
		f := held(t)
		change(&f)
		if events, err := s.Finish(f); trust.KindOf(err) != trust.Invalid || len(events) > 0 {
			t.Errorf("%s: %v, %v", name, events, err)
		}
	}
}

// R37: percentiles over a window, by the nearest rank; void drills do not count.
func TestSummarise(t *testing.T) {
	var samples []drill.Sample
	for i := range 100 {
		samples = append(samples, drill.Sample{At: int64(i), Class: trust.Human, Took: int64(100 - i), Limit: 95, Verdict: drill.Kept})
	}
	samples = append(samples, drill.Sample{At: 100, Class: trust.Workload, Verdict: drill.Void, Limit: 95})
	s := drill.Summarise(samples, 0, "")
	if s.N != 100 || s.Void != 1 || s.Min != 1 || s.P50 != 50 || s.P95 != 95 || s.P99 != 99 || s.Max != 100 || !s.Kept() || s.Latest != 100 {
		t.Errorf("%+v", s)
	}
	samples[0].Verdict, samples[0].Side, samples[1].Alone = drill.Breached, drill.Home, true
	if s := drill.Summarise(samples, 0, "human"); s.Kept() || s.Breaches[drill.Home] != 1 || s.Alone != 1 || s.Void != 0 {
		t.Errorf("%+v", s)
	}
	if s := drill.Summarise(samples, 99, ""); s.N != 1 || s.P50 != 1 || s.P99 != 1 || !s.Kept() {
		t.Errorf("%+v", s)
	}
	if s := drill.Summarise(samples, 100, ""); s.N != 0 || s.P99 != 0 || s.Kept() {
		t.Errorf("%+v", s)
	}
}

// The state keeps a window of each link; the log has them all.
func TestWindow(t *testing.T) {
	var s drill.State
	f := held(t)
	for i := range 600 {
		f.Measured.Denied = int64(i)
		before, _ := s.Link("a1")
		s = s.Apply(f, trust.Stamp{Position: trust.Position{Epoch: 1, N: uint64(i)}, At: int64(i)})
		if again, _ := s.Link("a1"); len(before.Samples) > 0 && before.Samples[0].At == again.Samples[0].At && &before.Samples[0] == &again.Samples[0] {
			t.Fatal("two states share a window")
		}
	}
	link, _ := s.Link("a1")
	if link.Held != 600 || len(link.Samples) != 512 || link.Samples[0].At != 88 || link.Samples[511].Took != 599 {
		t.Errorf("%d of %d, from %+v", len(link.Samples), link.Held, link.Samples[0])
	}
	n := 0
	for l := range s.All() {
		n += len(l.Samples)
	}
	if n != 512 || s.Apply(drill.Breach{}, trust.Stamp{}).Links.Len() != 1 {
		t.Error("the links are not what was folded")
	}
}
