package serve

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Reading is what a node can say about itself at a moment.
type Reading struct {
	TrustEntries    uint64        // in the trust log
	DecisionEntries uint64        // in the decision log
	Partners        int           // participants let in
	StalePartners   int           // of these, whose view is past what any tier allows
	OldestProof     time.Duration // the greatest age of a partner's proven word
	Undelivered     uint64        // messages that partners have not accepted yet
	Warnings        int           // what of the node's own ends soon, or has ended
	Urgent          int           // of these, what ends very soon, or has ended
	KeysEnd         time.Duration // until the first use has no key any more; negative since one has none
}

// gauges asks for one reading at every scrape, so that its numbers belong
// together.
type gauges struct {
	read  func() Reading
	kinds []gauge
}

type gauge struct {
	desc  *prometheus.Desc
	of    func(Reading) float64
	label []string
}

func newGauges(read func() Reading) *gauges {
	entries := prometheus.NewDesc("entente_ledger_entries", "Entries in a log.", []string{"log"}, nil)
	plain := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &gauges{read, []gauge{
		{entries, func(r Reading) float64 { return float64(r.TrustEntries) }, []string{"trust"}},
		{entries, func(r Reading) float64 { return float64(r.DecisionEntries) }, []string{"decisions"}},
		{plain("entente_partners", "Participants let in."), func(r Reading) float64 { return float64(r.Partners) }, nil},
		{plain("entente_partners_stale", "Partners whose view is too old for any tier."), func(r Reading) float64 { return float64(r.StalePartners) }, nil},
		{plain("entente_edge_oldest_proof_seconds", "Greatest age of a partner's proven word."), func(r Reading) float64 { return r.OldestProof.Seconds() }, nil},
		{plain("entente_edge_undelivered", "Messages that partners have not accepted yet."), func(r Reading) float64 { return float64(r.Undelivered) }, nil},
		{plain("entente_warnings", "What of the node's own ends soon, or has ended: keys, statement, framework."), func(r Reading) float64 { return float64(r.Warnings) }, nil},
		{plain("entente_warnings_urgent", "Of these, what ends very soon, or has ended."), func(r Reading) float64 { return float64(r.Urgent) }, nil},
		{plain("entente_keys_end_seconds", "Time until a use has no key of this node any more; negative since then."), func(r Reading) float64 { return r.KeysEnd.Seconds() }, nil},
	}}
}

// Describe is prometheus.Collector's. It takes no reading: gauges are registered
// before there is a node.
func (g *gauges) Describe(out chan<- *prometheus.Desc) {
	for _, k := range g.kinds {
		out <- k.desc
	}
}

// Collect is prometheus.Collector's.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	r := g.read()
	for _, k := range g.kinds {
		out <- prometheus.MustNewConstMetric(k.desc, prometheus.GaugeValue, k.of(r), k.label...)
	}
}
