package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestSpreadDoesEachOperationOnce(t *testing.T) {
	const ops = 1000
	var done [ops]atomic.Int32
	err := spread(t.Context(), ops, 16, func() {}, func(int) func(int) error {
		return func(i int) error { done[i].Add(1); return nil }
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range done {
		if n := done[i].Load(); n != 1 {
			t.Fatalf("operation %d was done %d times", i, n)
		}
	}
}

func TestSpreadStopsAtTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	var done atomic.Int32
	err := spread(t.Context(), 1_000_000, 4, func() {}, func(int) func(int) error {
		return func(i int) error {
			if done.Add(1) >= 10 {
				return broken
			}
			return nil
		}
	})
	if !errors.Is(err, broken) || done.Load() > 20 {
		t.Errorf("got %v after %d operations", err, done.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := spread(ctx, 1, 1, func() {}, func(int) func(int) error { return func(int) error { return nil } }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled run ended with %v", err)
	}
}

func round(ops int, cpu time.Duration) measure { return measure{Ops: ops, CPU: cpu, Wall: 2 * cpu} }

func TestRatiosPointTheRightWay(t *testing.T) {
	r := report{
		Verify:       series{round(10, 700*time.Microsecond)}, // 70 µs
		Cold:         series{round(10, 1000*time.Microsecond)},
		Person:       series{round(10, 2000*time.Microsecond)},
		Warm:         series{round(100, 350*time.Microsecond)},
		Pair:         series{round(10, 1000*time.Microsecond)},
		ExchangeCold: series{round(10, 1250*time.Microsecond)},
		ExchangeWarm: series{round(20, 1000*time.Microsecond)},
		Floor:        series{round(10, 300*time.Microsecond)},
		HTTP:         series{round(10, 500*time.Microsecond)},
		Ledger:       series{round(80, time.Millisecond)},
		Raw:          series{round(100, time.Millisecond)},
		Small:        series{round(10, time.Millisecond)},
		Large:        series{round(10, 3*time.Millisecond)},
		Denials:      []denialTimes{{"evaluation", []float64{100, 105, 102}}, {"exchange", []float64{250, 200, 210}}},
		Removals: []removalTimes{
			{1, []removal{{2, 1}, {9, 1}, {6, 2}}}, {100, []removal{{30, 1}}}, {1000, []removal{{100, 1}}},
		},
	}
	want := ratios{Cold: 0.7, Warm: 20, HTTP: 0.6, ExCold: 0.8, ExWarm: 2, Log: 0.8, Growth: 3, Denial: 0.25, Removal: map[string]float64{"1": 3, "100": 30, "1000": 100}}
	if got := r.results().ratios; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var whole report
	for _, part := range []report{{Verify: r.Verify, Cold: r.Cold, Warm: r.Warm, Person: r.Person}, {Denials: r.Denials, Removals: r.Removals, Void: "busy"}, {}} {
		line, err := json.Marshal(part)
		if err == nil {
			err = json.Unmarshal(line, &whole)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if parts := (report{Verify: r.Verify, Cold: r.Cold, Warm: r.Warm, Person: r.Person, Denials: r.Denials, Removals: r.Removals, Void: "busy"}); !reflect.DeepEqual(whole, parts) {
		t.Errorf("the parts add up to %+v, want %+v", whole, parts)
	}
	if got, want := r.short(), "cold_decision_over_verify, exchange_cold_over_verify_sign, exchange_warm_over_verify_sign, append_at_1m_over_append_at_1k, denial_spread, revoke_to_deny_over_probe_p99 100"; got != want {
		t.Errorf("below the bar: %q, want %q", got, want)
	}
}

func TestPercentile(t *testing.T) {
	values := make([]float64, 200)
	for i := range values {
		values[i] = float64(200 - i)
	}
	if got := percentile(values, 99); got != 198 {
		t.Errorf("of 1 to 200 it is %g, want 198", got)
	}
}

func TestRatioComparesRoundsInPairs(t *testing.T) {
	slow := series{round(1, 100), round(1, 1000), round(1, 110)}
	fast := series{round(1, 50), round(1, 500), round(1, 55)}
	if got := ratio(slow, fast, measure.cost); got != 2 {
		t.Errorf("ratio is %g, want 2", got)
	}
	if got := median(slow, measure.cost); got != 0.11 {
		t.Errorf("median is %g, want 0.11", got)
	}
}

func TestBareVerificationsHold(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := issuer{URL: "https://idp.example", Kid: "k", Key: key}
	text, err := i.sign(claims(i.URL, 1, 1_800_000_000))
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(text, ".e", ".f", 1)
	checks, err := (&population{Issuers: []issuer{i}, Tokens: []token{{Text: text}, {Text: other}}}).bare()
	if err != nil {
		t.Fatal(err)
	}
	if !checks[0]() || checks[1]() {
		t.Error("the genuine token must verify and the changed one must not")
	}
	if size := len(text); size < 600 || size > 1200 {
		t.Errorf("a token has %d bytes; one of a hospital's provider has about 900", size)
	}
}

func TestZipfIsSkewedAndRepeats(t *testing.T) {
	draws, again := zipf(100, 10_000), zipf(100, 10_000)
	counts := make([]int, 100)
	for i, d := range draws {
		if d != again[i] {
			t.Fatal("two runs draw different numbers")
		}
		counts[d]++
	}
	if counts[0] < 10*counts[50] {
		t.Errorf("the first is drawn %d times, the fiftieth %d times", counts[0], counts[50])
	}
}

func TestPoliciesAreAsManyAsPromised(t *testing.T) {
	if n := strings.Count(policies(), "@id("); n != policyCount {
		t.Errorf("%d policies, want %d", n, policyCount)
	}
}

func TestRawLogWritesWhatItAcknowledges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "raw")
	l, err := openRawLog(path)
	if err != nil {
		t.Fatal(err)
	}
	err = spread(t.Context(), 500, 8, func() {}, func(int) func(int) error {
		return func(int) error { return l.append([]byte("0123456789")) }
	})
	if err := first(err, l.close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || string(data) != strings.Repeat("0123456789", 500) {
		t.Errorf("the file has %d bytes (%v), want 5000", len(data), err)
	}
}

func TestFloorOverAKeptConnection(t *testing.T) {
	if n := len(floorBody()); n != 1024 {
		t.Fatalf("the floor's request has %d bytes, want 1024", n)
	}
	ts := httptest.NewServer(http.HandlerFunc(floorHandler))
	defer ts.Close()
	s := server{greeting: greeting{Address: ts.Listener.Addr().String()}}
	c, err := s.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 3 {
		if err := c.ask(post("/", "", floorBody()), permitted); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.ask(post("/", "", []byte("{")), permitted); err == nil {
		t.Error("a 400 answer must be an error")
	}
}
