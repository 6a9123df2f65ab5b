package storetest

import (
	"fmt"
	"testing"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// value is single-use value n of an edge; batches are at time 1000.
func value(n int, expires int64, edge string) trust.Once {
	p, err := trust.ParseParticipantID("https://" + edge + ".example")
	if err != nil {
		panic(err)
	}
	o := trust.Once{Expires: expires, Edge: p}
	copy(o.Key[:], fmt.Sprintf("%08d", n))
	return o
}

// verdicts asks the store for the kinds of its verdicts.
func verdicts(t *testing.T, s store.Store, at int64, values ...trust.Once) []trust.ErrorKind {
	t.Helper()
	errs, err := s.Once(ctx, at, values)
	ok(t, err)
	kinds := make([]trust.ErrorKind, len(errs))
	for i, err := range errs {
		kinds[i] = trust.KindOf(err)
	}
	if len(kinds) != len(values) {
		t.Fatalf("%d verdicts on %d values", len(kinds), len(values))
	}
	return kinds
}

func equal(t *testing.T, got []trust.ErrorKind, want ...trust.ErrorKind) {
	t.Helper()
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Fatalf("verdicts are %q, want %q", got, want)
	}
}

// Replay is a conflict; nothing of a batch that is refused goes down.
func once(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	a, b, c := value(1, 2000, "rxw"), value(2, 2000, "rxw"), value(3, 2000, "rje")
	ok(t, w.append(1, a, b))
	want(t, w.append(1, c, a), trust.Conflict)
	want(t, w.append(2, c, c), trust.Conflict)
	equal(t, verdicts(t, w.store, 1000, a, c, b, c), trust.Conflict, "", trust.Conflict, trust.Conflict)
	equal(t, verdicts(t, w.store, 1000, c), "")
	other := &writer{store: w.store, log: store.DecisionLog}
	want(t, other.append(1, a), trust.Conflict)
	ok(t, other.append(1, c))
	want(t, w.append(1, c), trust.Conflict)
	checkLog(t, w)
	checkLog(t, other)
}

func onceExpires(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	ok(t, w.append(1, value(1, 1001, "rxw"), value(2, 1500, "rxw"), value(3, 9000, "rxw")))
	equal(t, verdicts(t, w.store, 1000, value(1, 1001, "rxw")), trust.Conflict)
	equal(t, verdicts(t, w.store, 1001, value(1, 9000, "rxw"), value(2, 1500, "rxw")), "", trust.Conflict)
	equal(t, verdicts(t, w.store, 5000, value(2, 9000, "rxw"), value(3, 9000, "rxw")), "", trust.Conflict)
}

// Full means refuse, never evict; one edge's quota is no other's.
func onceQuota(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	for n := range OnceQuota {
		ok(t, w.append(1, value(n, 2000+int64(n), "rxw")))
	}
	err := w.append(1, value(100, 9000, "rxw"))
	want(t, err, trust.Unavailable)
	if text := err.Error(); !contains(text, "https://rxw.example") {
		t.Fatalf("the refusal %q does not name the edge", text)
	}
	ok(t, w.append(1, value(101, 9000, "rje")))
	equal(t, verdicts(t, w.store, 1999, value(0, 2000, "rxw"), value(100, 9000, "rxw"), value(102, 9000, "rje")),
		trust.Conflict, trust.Unavailable, "")
	equal(t, verdicts(t, w.store, 2001, value(100, 9000, "rxw"), value(103, 9000, "rxw"), value(104, 9000, "rxw")),
		"", "", trust.Unavailable)
	checkLog(t, w)
}

func onceReopened(t *testing.T, open func() store.Store) {
	w := opened(t, open)
	early, late := value(1, 1001, "rxw"), value(2, 9000, "rxw")
	ok(t, w.append(1, early, late))
	for range 20 {
		ok(t, w.append(1))
	}
	ok(t, w.store.Close())
	w.store = open()
	want(t, w.append(1, late), trust.Conflict)
	want(t, w.append(1, early), trust.Conflict)
	equal(t, verdicts(t, w.store, 1001, early, late), "", trust.Conflict)
	ok(t, w.store.Close())
}
