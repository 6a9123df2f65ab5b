package serve

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/entente-id/entente/trust"
)

// Metrics counts what a node does, in a registry of its own. No label holds a
// word that anybody outside chose, so their number is bounded and none names a
// person or a partner.
type Metrics struct {
	registry   *prometheus.Registry
	decisions  *prometheus.CounterVec
	heartbeats *prometheus.CounterVec
	deliveries *prometheus.CounterVec
	signalled  *prometheus.CounterVec
	requests   *prometheus.HistogramVec
}

// NewMetrics makes the counters of a binary's version. Read is asked at every
// scrape; nil leaves its gauges out.
func NewMetrics(version string, read func() Reading) *Metrics {
	m := &Metrics{
		registry:   prometheus.NewRegistry(),
		decisions:  counter("decisions_total", "Recorded decisions, by outcome and by the check that decided.", "outcome", "check"),
		heartbeats: counter("heartbeats_total", "Questions to partners for their word, by whether they answered.", "outcome"),
		deliveries: counter("deliveries_total", "Messages offered to partners, by lane and by whether they were accepted.", "lane", "outcome"),
		signalled:  counter("signals_taken_total", "Security events that receivers of streams took, by delivery method.", "method"),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "entente", Name: "request_seconds",
			Help:    "How long requests took, by plane and class of status.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 14),
		}, []string{"plane", "code"}),
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "entente", Name: "build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 })
	m.registry.MustRegister(m.decisions, m.heartbeats, m.deliveries, m.signalled, m.requests, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if read != nil {
		m.registry.MustRegister(newGauges(read))
	}
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "entente", Name: name, Help: help}, labels)
}

// Decided counts a recorded decision by the check that its reason names.
func (m *Metrics) Decided(permit bool, reason trust.Reason) {
	check, _, _ := strings.Cut(string(reason), ".")
	m.decisions.WithLabelValues(choose(permit, "permit", "deny"), known(check,
		"permit", "identify", "authenticate", "classify", "delegate", "link", "freshness", "revocation", "entitle", "policy", "record")).Inc()
}

// Heartbeat counts a question to a partner for its word.
func (m *Metrics) Heartbeat(answered bool) {
	m.heartbeats.WithLabelValues(choose(answered, "answered", "unanswered")).Inc()
}

// Delivered counts one attempt to hand a message to a partner.
func (m *Metrics) Delivered(lane string, accepted bool) {
	m.deliveries.WithLabelValues(known(lane, "safety", "governance"), choose(accepted, "accepted", "refused")).Inc()
}

// Signalled counts events that receivers took, by how they reached them.
func (m *Metrics) Signalled(method string, count int) {
	name := map[string]string{"urn:ietf:rfc:8935": "push", "urn:ietf:rfc:8936": "poll"}[method]
	m.signalled.WithLabelValues(known(name, "push", "poll")).Add(float64(count))
}

// Measure times the requests of a plane: partners, enforcement or admin.
func (m *Metrics) Measure(plane string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		seen := &status{ResponseWriter: w, code: http.StatusOK}
		next.ServeHTTP(seen, r)
		m.requests.WithLabelValues(plane, strconv.Itoa(seen.code/100)+"xx").Observe(time.Since(began).Seconds())
	})
}

// status remembers the code of an answer.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController through.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Telemetry serves /metrics; /healthz, which is 200 while the process answers;
// and /readyz, which is 200 while ready gives nil and else 503 with its text.
func (m *Metrics) Telemetry(ready func() error) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			answer(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	return mux
}

func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	w.Write([]byte(text + "\n"))
}

func choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// known gives the word when it is one of the list and "other" when not.
func known(word string, list ...string) string {
	if slices.Contains(list, word) {
		return word
	}
	return "other"
}
