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
