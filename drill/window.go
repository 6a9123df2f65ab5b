package drill

import "slices"

// Summary is what a link's drills of a window came to. Durations are in
// microseconds; without a drill that counts they are 0.
type Summary struct {
	N        int          `json:"n"` // that count: kept or breached
	Void     int          `json:"void,omitzero"`
	Alone    int          `json:"alone,omitzero"` // that the home signed alone
	Limit    int64        `json:"limit"`          // of the latest
	Min      int64        `json:"min"`
	P50      int64        `json:"p50"`
	P95      int64        `json:"p95"`
	P99      int64        `json:"p99"`
	Max      int64        `json:"max"`
	Breaches map[Side]int `json:"breaches,omitempty"`
	Took     []int64      `json:"took,omitempty"` // of those that count, oldest first
	Latest   int64        `json:"latest"`         // Unix seconds
}

// Kept reports whether every drill that counts kept its limit, and there is one.
func (s *Summary) Kept() bool { return s.N > 0 && len(s.Breaches) == 0 }

// Summarise reckons the samples from since (Unix seconds) on, of one class or of
// all ("").
func Summarise(samples []Sample, since int64, class string) Summary {
	var s Summary
	for i := range samples {
		x := &samples[i]
		if x.At < since || class != "" && string(x.Class) != class {
			continue
		}
		s.Limit, s.Latest = x.Limit, x.At
		if x.Verdict == Void {
			s.Void++
			continue
		}
		s.N++
		if x.Alone {
			s.Alone++
		}
		if x.Verdict == Breached {
			if s.Breaches == nil {
				s.Breaches = map[Side]int{}
			}
			s.Breaches[x.Side]++
		}
		s.Took = append(s.Took, x.Took)
	}
	if s.N > 0 {
		sorted := slices.Sorted(slices.Values(s.Took))
		s.Min, s.Max = sorted[0], sorted[s.N-1]
		s.P50, s.P95, s.P99 = rank(sorted, 50), rank(sorted, 95), rank(sorted, 99)
	}
	return s
}

// rank gives a percentile of sorted values by the nearest rank: at least so many
// of a hundred are not above it.
func rank(sorted []int64, percent int) int64 {
	return sorted[(len(sorted)*percent+99)/100-1]
}
