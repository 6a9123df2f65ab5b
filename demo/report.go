package demo

import (
	"math"
	"slices"
	"time"

	"github.com/entente-id/entente/trust"
)

// Report is what came of a demo. Its JSON is a promise to scripts.
type Report struct {
	Scenarios  []Scenario `json:"scenarios"`
	Revocation Removal    `json:"revocation_ms"` // of drills between two nodes
	Offboarded Removal    `json:"offboarded_ms"` // of nurses, as RJE's record service saw it
	Links      []Link     `json:"links"`
	Ledgers    []Ledger   `json:"ledgers"`
	Passed     bool       `json:"passed"` // no step failed and every ledger was verified
}

// Scenario is one of the scenarios of the product, as far as it is built.
type Scenario struct {
	ID     int    `json:"id"`
	Name   string `json:"name"`
	Steps  []Step `json:"steps"`
	Passed bool   `json:"passed"` // every step passed
}

// Step is one thing that was done and what came of it.
type Step struct {
	ID       string       `json:"id"` // "1.3"
	Name     string       `json:"name"`
	Expected string       `json:"expected"`
	Got      string       `json:"got"`
	Reason   trust.Reason `json:"reason"` // as explain gives it; empty where nothing was decided
	MS       float64      `json:"ms"`     // milliseconds
	State    State        `json:"state"`
}

// State is how a step came out.
type State string

const (
	Passed State = "passed"
	Failed State = "failed"
)

// Removal is the time from the acknowledgement of a revocation at home to the
// first denial at the host, in milliseconds.
type Removal struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	N   int     `json:"n"`
}

// Ledger is a node's ledger, recomputed offline. Trust and Decisions count the
// entries of its two logs; Root is the trust log's.
type Ledger struct {
	Participant trust.ParticipantID `json:"participant"`
	Trust       uint64              `json:"trust"`
	Decisions   uint64              `json:"decisions"`
	Root        string              `json:"root"`
	Verified    bool                `json:"verified"`
}

// conclude fills in what follows from the steps and ledgers.
func (r *Report) conclude(drilled, removals []time.Duration) {
	r.Revocation, r.Offboarded = removalOf(drilled), removalOf(removals)
	r.Passed = len(r.Ledgers) > 0 && !slices.ContainsFunc(r.Ledgers, func(l Ledger) bool { return !l.Verified })
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		s.Passed = len(s.Steps) > 0
		for _, step := range s.Steps {
			s.Passed = s.Passed && step.State == Passed
			r.Passed = r.Passed && step.State != Failed
		}
	}
}

// removalOf gives the nearest-rank percentiles.
func removalOf(times []time.Duration) Removal {
	if len(times) == 0 {
		return Removal{}
	}
	sorted := slices.Sorted(slices.Values(times))
	rank := func(p float64) float64 {
		return milliseconds(sorted[int(math.Ceil(p*float64(len(sorted))))-1])
	}
	return Removal{P50: rank(0.50), P95: rank(0.95), P99: rank(0.99), N: len(sorted)}
}

// milliseconds gives d to a tenth of a millisecond.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Millisecond)*10) / 10
}
