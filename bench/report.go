package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// report is every round that was measured. A part's process gives its own as JSON.
type report struct {
	Verify, Cold, Warm         series         `json:",omitzero"`
	Person                     series         `json:",omitzero"` // once
	Pair                       series         `json:",omitzero"` // a verification and a signature
	ExchangeCold, ExchangeWarm series         `json:",omitzero"`
	Floor, HTTP                series         `json:",omitzero"`
	Ledger, Raw                series         `json:",omitzero"`
	Small, Large               series         `json:",omitzero"`
	Denials                    []denialTimes  `json:",omitzero"`
	Removals                   []removalTimes `json:",omitzero"`
	Bulk                       bulkTimes      `json:",omitzero"`
	Void                       string         `json:",omitzero"` // why nothing of this run counts; empty if it does
}

// ratios are what carries over from one machine to another. The first four are
// rates over the rate of the floor, by CPU time or, for the log, by wall time;
// the next is a cost over a cost, the last of wall times.
type ratios struct {
	Cold   float64 `json:"cold_decision_over_verify"`
	Warm   float64 `json:"warm_decision_over_verify"`
	HTTP   float64 `json:"http_warm_durable_over_floor"`
	ExCold float64 `json:"exchange_cold_over_verify_sign"`
	ExWarm float64 `json:"exchange_warm_over_verify_sign"`
	Log    float64 `json:"log_durable_over_raw"`
	Growth float64 `json:"append_at_1m_over_append_at_1k"`
	// Denial is how far the medians of denials that must not be told apart lie
	// apart, over the least, on the path where that is most.
	Denial float64 `json:"denial_spread"`
	// Removal is the 99th percentile of the time from a revocation's acknowledgement
	// at home until the last of so many subscribers at the host denies, over that of
	// a probe of one round trip over mutual TLS and one fdatasync.
	Removal map[string]float64 `json:"revoke_to_deny_over_probe_p99"`
}

// results is the line of JSON: the ratios and what they were made of, in CPU
// microseconds an operation, the log's in entries a second.
type results struct {
	Void string `json:"void,omitempty"` // why nothing of this run counts
	ratios
	Verify     float64 `json:"verify_cpu_us"`
	ColdCost   float64 `json:"cold_cpu_us"`
	WarmCost   float64 `json:"warm_cpu_us"`
	NewPerson  float64 `json:"new_person_cpu_us"`
	Pair       float64 `json:"verify_sign_cpu_us"`
	ExColdCost float64 `json:"exchange_cold_cpu_us"`
	ExWarmCost float64 `json:"exchange_warm_cpu_us"`
	Floor      float64 `json:"floor_cpu_us"`
	HTTPCost   float64 `json:"http_warm_cpu_us"`
	Ledger     float64 `json:"ledger_per_s"`
	LedgerCPU  float64 `json:"ledger_cpu_us"`
	Raw        float64 `json:"raw_per_s"`
	Small      float64 `json:"append_at_1k_cpu_us"`
	Large      float64 `json:"append_at_1m_cpu_us"`
	// What Removal was made of, in milliseconds of wall time.
	RemovalMs map[string]float64 `json:"revoke_to_deny_p99_ms"`
	ProbeMs   map[string]float64 `json:"probe_p99_ms"`
	Bulk      bulkTimes          `json:"bulk_revocation"`
}

func (r *report) results() results {
	removals, denied, probes := map[string]float64{}, map[string]float64{}, map[string]float64{}
	for _, t := range r.Removals {
		name, run := strconv.Itoa(t.Subscribers), t.middle()
		removals[name], denied[name], probes[name] = rounded(run.ratio()), rounded(run.Deny), rounded(run.Probe)
	}
	return results{
		Void: r.Void,
		ratios: ratios{
			Cold:   rounded(ratio(r.Verify, r.Cold, measure.cost)),
			Warm:   rounded(ratio(r.Verify, r.Warm, measure.cost)),
			HTTP:   rounded(ratio(r.Floor, r.HTTP, measure.cost)),
			ExCold: rounded(ratio(r.Pair, r.ExchangeCold, measure.cost)),
			ExWarm: rounded(ratio(r.Pair, r.ExchangeWarm, measure.cost)),
			Log:    rounded(ratio(r.Ledger, r.Raw, measure.rate)),
			// The two sizes are not measured in turn: medians, not pairs.
			Growth: rounded(r.Large.cost() / r.Small.cost()),
			Denial: rounded(r.denialSpread()), Removal: removals,
		},
		Verify: rounded(r.Verify.cost()), ColdCost: rounded(r.Cold.cost()), WarmCost: rounded(r.Warm.cost()), NewPerson: rounded(r.Person.cost()),
		Pair: rounded(r.Pair.cost()), ExColdCost: rounded(r.ExchangeCold.cost()), ExWarmCost: rounded(r.ExchangeWarm.cost()),
		Floor: rounded(r.Floor.cost()), HTTPCost: rounded(r.HTTP.cost()),
		Ledger: math.Round(r.Ledger.rate()), LedgerCPU: rounded(r.Ledger.cost()), Raw: math.Round(r.Raw.rate()),
		Small: rounded(r.Small.cost()), Large: rounded(r.Large.cost()),
		RemovalMs: denied, ProbeMs: probes, Bulk: r.Bulk,
	}
}

// denialSpread is that of the worst path.
func (r *report) denialSpread() (worst float64) {
	for _, d := range r.Denials {
		worst = max(worst, d.spread())
	}
	return worst
}

func rounded(x float64) float64 { return math.Round(x*1000) / 1000 }

// bar is a ratio and the worst it may be.
type bar struct {
	name       string
	got, bound float64
	atMost     bool
}

func (b bar) holds() bool {
	if b.atMost {
		return b.got <= b.bound
	}
	return b.got >= b.bound
}

func (r ratios) bars() []bar {
	return []bar{
		{"cold_decision_over_verify", r.Cold, 0.85, false},
		{"warm_decision_over_verify", r.Warm, 20, false},
		{"http_warm_durable_over_floor", r.HTTP, 0.6, false},
		{"exchange_cold_over_verify_sign", r.ExCold, 0.85, false},
		{"exchange_warm_over_verify_sign", r.ExWarm, 2.3, false},
		{"log_durable_over_raw", r.Log, 0.6, false},
		{"append_at_1m_over_append_at_1k", r.Growth, 2, true},
		{"denial_spread", r.Denial, 0.1, true},
		{"revoke_to_deny_over_probe_p99 1", r.Removal["1"], 4, true},
		{"revoke_to_deny_over_probe_p99 100", r.Removal["100"], 20, true},
		{"revoke_to_deny_over_probe_p99 1000", r.Removal["1000"], 200, true},
	}
}

// bars has those of a bulk revocation too.
func (r results) bars() []bar {
	return append(r.ratios.bars(),
		bar{"bulk_revocation longest_decision_over_group_commit", r.Bulk.Over, 1, true},
		bar{"bulk_revocation mb_per_million", r.Bulk.Memory, 45, true})
}

// short names the ratios that do not reach their bar.
func (r *report) short() string {
	var names []string
	for _, b := range r.results().bars() {
		if !b.holds() {
			names = append(names, b.name)
		}
	}
	return strings.Join(names, ", ")
}

func (r *report) printDenials(w io.Writer) {
	for _, d := range r.Denials {
		fmt.Fprintf(w, "denials, %-18s %8.1f µs unknown, %.1f revoked, %.1f foreign   %.3f apart\n", d.Path, d.Medians[0], d.Medians[1], d.Medians[2], d.spread())
	}
}

func (r *report) printRemovals(w io.Writer) {
	for _, t := range r.Removals {
		run := t.middle()
		fmt.Fprintf(w, "revoked to denied, last of %-4d %7.2f ms p99   %.1f times a probe's %.2f ms\n", t.Subscribers, run.Deny, run.ratio(), run.Probe)
	}
}

func (r *report) print(w io.Writer) {
	s := r.results()
	if r.Void != "" {
		fmt.Fprintf(w, "THIS RUN IS VOID: %s\n", r.Void)
	}
	fmt.Fprintf(w, "bare ES256 verify           %8.2f CPU µs\n", s.Verify)
	fmt.Fprintf(w, "decision, cold              %8.2f CPU µs   %.2f of the bare rate\n", s.ColdCost, s.Cold)
	fmt.Fprintf(w, "decision, warm              %8.2f CPU µs   %.1f times the bare rate\n", s.WarmCost, s.Warm)
	fmt.Fprintf(w, "decision, new person        %8.2f CPU µs\n", s.NewPerson)
	fmt.Fprintf(w, "bare verify and sign        %8.2f CPU µs\n", s.Pair)
	fmt.Fprintf(w, "exchange, cold              %8.2f CPU µs   %.2f of the bare rate\n", s.ExColdCost, s.ExCold)
	fmt.Fprintf(w, "exchange, warm              %8.2f CPU µs   %.2f times the bare rate\n", s.ExWarmCost, s.ExWarm)
	fmt.Fprintf(w, "bare JSON handler           %8.2f CPU µs\n", s.Floor)
	fmt.Fprintf(w, "HTTP, warm, recorded        %8.2f CPU µs   %.2f of the bare rate\n", s.HTTPCost, s.HTTP)
	fmt.Fprintf(w, "raw log                     %8.0f a second\n", s.Raw)
	fmt.Fprintf(w, "ledger                      %8.0f a second   %.2f of raw, %.2f CPU µs an entry\n", s.Ledger, s.Log, s.LedgerCPU)
	fmt.Fprintf(w, "append at 1,000 entries     %8.2f CPU µs\n", s.Small)
	fmt.Fprintf(w, "append at 1,000,000 entries %8.2f CPU µs   %.2f times that\n", s.Large, s.Growth)
	r.printDenials(w)
	r.printBulk(w)
	r.printRemovals(w)
	for _, b := range s.bars() {
		verdict, relation := "holds", "at least"
		if !b.holds() {
			verdict = "SHORT"
		}
		if b.atMost {
			relation = "at most"
		}
		fmt.Fprintf(w, "%-36s %8.3f   %s %g: %s\n", b.name, b.got, relation, b.bound, verdict)
	}
}
