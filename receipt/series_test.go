package receipt_test

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

func TestPlaces(t *testing.T) {
	for text, want := range map[string]receipt.Place{"17": {N: 17}, "0": {}, "2/1": {Series: 2, N: 1}} {
		if p, err := receipt.ParsePlace(text); err != nil || p != want || p.String() != text {
			t.Errorf("%s is %v, %v", text, p, err)
		}
	}
	if p, err := receipt.ParsePlace("1/17"); err != nil || p != (receipt.Place{N: 17}) {
		t.Errorf("1/17 is %v, %v", p, err)
	}
	for _, text := range []string{"", "x", "-1", "0/1", "2/", "/2", "2/x", "2/1/1", "4294967296/1", "9223372036854775808"} {
		if p, err := receipt.ParsePlace(text); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%q is %v, %v", text, p, err)
		}
	}
}

// ledger is a host's decision log about one home: of each receipt its place, and
// what it says.
type ledger struct {
	epoch uint32
	all   []entry
}

type entry struct {
	receipt.Place
	says string
}

func (l *ledger) held() (all []receipt.Place) {
	for _, e := range l.all {
		if n := len(all); n > 0 && all[n-1].Series == e.Series {
			all[n-1].N = e.N
		} else {
			all = append(all, e.Place)
		}
	}
	return all
}

func (l *ledger) decide(says string) {
	series := receipt.SeriesOf(l.epoch)
	l.all = append(l.all, entry{receipt.Place{Series: series, N: receipt.LastOf(l.held(), series) + 1}, says})
}

// give is what the host answers to a home that has recorded up to after: at most
// three receipts.
func (l *ledger) give(after receipt.Place) (receipt.Batch, []receipt.Receipt, bool) {
	held := l.held()
	next, more := receipt.GoOn(held, receipt.SeriesOf(l.epoch), after)
	b := receipt.Batch{Iss: rje, Aud: rxw, Epoch: l.epoch, Series: next.Series, Head: receipt.LastOf(held, next.Series)}
	for _, p := range held {
		if p.Series < next.Series {
			b.Past = append(b.Past, p)
		}
	}
	var given []receipt.Receipt
	for _, e := range l.all {
		if next.N != 0 && e.Series == next.Series && e.N >= next.N && len(given) < 3 {
			r := one(e.N)
			r.Reference = e.says
			given = append(given, r)
		}
	}
	if len(given) > 0 {
		b.First, b.Last, b.Root = given[0].N, given[len(given)-1].N, receipt.Root(must(receipt.Hashes(given)))
	}
	return b, given, more
}

// account is what a home has recorded, and what it was told to be lost.
type account struct {
	has      map[receipt.Place]string
	recorded []receipt.Place
	lost     map[receipt.Place]bool
}

// fetch takes one batch; false where there was no receipt.
func (a *account) fetch(r *rapid.T, from *ledger) bool {
	var after receipt.Place
	if len(a.recorded) > 0 {
		after = a.recorded[len(a.recorded)-1]
	}
	b, given, more := from.give(after)
	if !more {
		return false
	}
	leaves, lost, err := b.Check(a.recorded, given)
	if err != nil || len(leaves) != len(given) {
		r.Fatalf("of %+v the home has %v: %v", b, a.recorded, err)
	}
	for _, l := range lost {
		for n := l.From; n <= l.To; n++ {
			a.lost[receipt.Place{Series: l.Series, N: n}] = true
		}
	}
	for _, one := range given {
		a.has[receipt.Place{Series: b.Series, N: one.N}] = one.Reference
	}
	if len(given) > 0 {
		a.recorded = slices.DeleteFunc(a.recorded, func(p receipt.Place) bool { return p.Series == b.Series })
		a.recorded = append(a.recorded, receipt.Place{Series: b.Series, N: b.Last})
	}
	return len(given) > 0
}

// R43: however often a host loses the end of its ledger, its home comes to have all
// that the ledger holds, keeps what it held, takes no receipt for another, and knows
// which ones the host has lost.
func TestNoReceiptIsMissedOrTakenForAnother(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		host := ledger{epoch: 1}
		home := account{has: map[receipt.Place]string{}, lost: map[receipt.Place]bool{}}
		decisions := 0
		r.Repeat(map[string]func(*rapid.T){
			"decide": func(*rapid.T) {
				decisions++
				host.decide("decision-" + strconv.Itoa(decisions))
			},
			"fetch": func(r *rapid.T) { home.fetch(r, &host) },
			"lose": func(r *rapid.T) {
				host.all = host.all[:rapid.IntRange(0, len(host.all)).Draw(r, "left")]
				host.epoch++
			},
			"": func(r *rapid.T) { // whenever the home catches up
				then := account{maps.Clone(home.has), slices.Clone(home.recorded), maps.Clone(home.lost)}
				for then.fetch(r, &host) {
				}
				held := map[receipt.Place]bool{}
				for _, e := range host.all {
					if held[e.Place] = true; then.has[e.Place] != e.says {
						r.Fatalf("receipt %s says %q at the host, %q at home", e.Place, e.says, then.has[e.Place])
					}
				}
				for p, says := range home.has {
					if then.has[p] != says {
						r.Fatalf("receipt %s said %q and says %q now", p, says, then.has[p])
					}
				}
				for p := range then.has {
					if then.lost[p] == held[p] {
						r.Fatalf("receipt %s is held by the host: %t; told to be lost: %t", p, held[p], then.lost[p])
					}
				}
			},
		})
	})
}

// A host that tells its series otherwise than it did, or out of order, is not taken
// at its word.
func TestSeriesThatContradict(t *testing.T) {
	recorded := []receipt.Place{{N: 5}, {Series: 2, N: 10}}
	for name, c := range map[string]struct {
		change func(*receipt.Batch)
		want   *receipt.Refusal // nil: Invalid
	}{
		"more of an earlier series": {func(b *receipt.Batch) { b.Past = []receipt.Place{{N: 7}} }, &receipt.Refusal{Kind: receipt.MissingAtHome, From: 6, To: 7}},
		"a series that it never told of": {func(b *receipt.Batch) {
			b.Series, b.Past = 4, []receipt.Place{{N: 5}, {Series: 2, N: 10}, {Series: 3, N: 1}}
		},
			&receipt.Refusal{Kind: receipt.MissingAtHome, Series: 3, From: 1, To: 1}},
		"less of this one":                  {func(b *receipt.Batch) { b.Head = 9 }, &receipt.Refusal{Kind: receipt.MissingAtHost, Series: 2, From: 10, To: 10}},
		"a number left out":                 {func(b *receipt.Batch) { b.First, b.Last, b.Head = 12, 14, 14 }, &receipt.Refusal{Kind: receipt.MissingAtHome, Series: 2, From: 11, To: 11}},
		"an earlier series":                 {func(b *receipt.Batch) { b.Series = 0 }, nil},
		"the first series under its number": {func(b *receipt.Batch) { b.Series = 1 }, nil},
		"one before by that number":         {func(b *receipt.Batch) { b.Past = []receipt.Place{{Series: 1, N: 5}} }, nil},
		"itself before":                     {func(b *receipt.Batch) { b.Past = []receipt.Place{{N: 5}, {Series: 2, N: 10}} }, nil},
		"one before twice":                  {func(b *receipt.Batch) { b.Past = []receipt.Place{{N: 5}, {N: 5}} }, nil},
		"those before in another order":     {func(b *receipt.Batch) { b.Series, b.Past = 3, []receipt.Place{{Series: 2, N: 10}, {N: 5}} }, nil},
		"one before without a receipt":      {func(b *receipt.Batch) { b.Past = []receipt.Place{{N: 0}} }, nil},
		"nothing, and nothing lost":         {func(b *receipt.Batch) { b.Series, b.Past, b.First, b.Last, b.Head = 3, recorded, 0, 0, 0 }, nil},
	} {
		b, all := batch(11, 3)
		b.Series, b.Past = 2, recorded[:1]
		c.change(&b)
		if b.Head == 0 {
			all = nil
		}
		leaves, lost, err := b.Check(recorded, all)
		refusal, ok := errors.AsType[*receipt.Refusal](err)
		switch {
		case leaves != nil || lost != nil || err == nil:
			t.Errorf("%s is taken", name)
		case c.want == nil && (ok || trust.KindOf(err) != trust.Invalid):
			t.Errorf("%s: %v", name, err)
		case c.want != nil && (!ok || *refusal != *c.want):
			t.Errorf("%s: %v, not %v", name, err, c.want)
		}
	}
}

// Ranges say of which series they are.
func TestReconcileSaysTheSeries(t *testing.T) {
	home := receipt.Statement{Series: 3, First: 1, Last: 9, Closed: 2, Leaves: make([]byte, 64)}
	home.Leaves[0], home.Leaves[32] = 1, 1
	host := home
	host.Leaves = home.Leaves[:32]
	found, last := receipt.Reconcile(host, home)
	if want := (receipt.Range{Kind: receipt.MissingAtHost, Series: 3, From: 2, To: 2}); last != 2 || len(found) != 1 || found[0] != want {
		t.Errorf("found %+v up to %d", found, last)
	}
}
