package receipt_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	rje = must(trust.ParseParticipantID("https://rje.example"))
	r0a = must(trust.ParseParticipantID("https://r0a.example"))
	rxw = must(trust.ParseParticipantID("https://rxw.example"))
)

func one(n uint64) receipt.Receipt {
	return receipt.Receipt{
		N: n, At: 1_780_000_000, Txn: "shift-7f3a", Reference: "4rjw5ynxk2z6e3v7q5c6t2maeu", Token: "mhc", Subject: "s-1", Class: trust.Human,
		Kind: receipt.Access, Action: "read", Type: "WardRecord", Permit: true, Leaf: "bGVhZg==",
	}
}

// batch is receipts from first on and what their host signs.
func batch(first, count uint64) (receipt.Batch, []receipt.Receipt) {
	var all []receipt.Receipt
	for n := range count {
		all = append(all, one(first+n))
	}
	root := receipt.Root(must(receipt.Hashes(all)))
	return receipt.Batch{Iss: rje, Aud: rxw, Iat: 1_780_000_000, Epoch: 1, First: first, Last: first + count - 1, Head: first + count - 1, Root: root}, all
}

// What travels is pinned: two versions of the product compare roots.
func TestForm(t *testing.T) {
	const want = `{"action":"read","at":"2026-05-28T20:26:40Z","class":"human","kind":"access","leaf":"bGVhZg==","n":7,"permit":true,` +
		`"reference":"4rjw5ynxk2z6e3v7q5c6t2maeu","resource_type":"WardRecord","subject":"s-1","token":"mhc","txn":"shift-7f3a"}`
	if got := string(must(canonical.Marshal(one(7)))); got != want {
		t.Errorf("a receipt is %s", got)
	}
	if hash := must(one(7).Hash()); hash != tlog.RecordHash([]byte(want)) {
		t.Error("a receipt's leaf is not the record hash of its canonical form")
	}
	if got := receipt.Subject(rje, rxw, "https://idp.rxw.example", "910000000001"); got != "UM8JmwwLhwjk5RgpQ-gNqQ" {
		t.Errorf("a subject is called %s", got)
	}
}

// A subject has another name at another host, in another namespace, and none can
// be made to collide by moving a character.
func TestSubjectIsPairwise(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{
		receipt.Subject(rje, rxw, "ns", "s1"), receipt.Subject(r0a, rxw, "ns", "s1"), receipt.Subject(rje, r0a, "ns", "s1"),
		receipt.Subject(rje, rxw, "ns2", "s1"), receipt.Subject(rje, rxw, "n", "ss1"), receipt.Subject(rje, rxw, "nss", "1"),
	} {
		if seen[name] || !receipt.Word(name) {
			t.Errorf("%s is the name of two, or none", name)
		}
		seen[name] = true
	}
}

// Root is the tree that the ledger's package makes of the same leaves.
func TestRoot(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		count := rapid.IntRange(1, 70).Draw(r, "leaves")
		var stored []tlog.Hash
		read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
			var out []tlog.Hash
			for _, i := range at {
				out = append(out, stored[i])
			}
			return out, nil
		})
		var leaves []tlog.Hash
		for i := range count {
			leaf := tlog.RecordHash([]byte{byte(i)})
			leaves = append(leaves, leaf)
			stored = append(stored, must(tlog.StoredHashesForRecordHash(int64(i), leaf, read))...)
		}
		want := must(tlog.TreeHash(int64(count), read))
		if got := receipt.Root(leaves); got != hex.EncodeToString(want[:]) {
			r.Fatalf("root of %d leaves is %s", count, got)
		}
	})
}

func TestBatchCheck(t *testing.T) {
	type receipts = []receipt.Receipt
	for name, c := range map[string]struct {
		change func(*receipt.Batch, receipts) receipts
		want   *receipt.Refusal // nil: Invalid
	}{
		"a number left out before": {func(b *receipt.Batch, _ receipts) (other receipts) {
			*b, other = batch(12, 3)
			return other
		}, &receipt.Refusal{Kind: receipt.MissingAtHome, From: 11, To: 11}},
		"a number left out inside": {func(b *receipt.Batch, all receipts) receipts {
			all[1].N = 13
			b.Root = receipt.Root(must(receipt.Hashes(all)))
			return all
		}, &receipt.Refusal{Kind: receipt.MissingAtHome, From: 12, To: 12}},
		"another content": {func(_ *receipt.Batch, all receipts) receipts { all[1].Permit = false; return all }, &receipt.Refusal{Kind: receipt.Altered, From: 11, To: 13}},
		"another root": {func(b *receipt.Batch, all receipts) receipts {
			b.Root = strings.Repeat("0", 64)
			return all
		}, &receipt.Refusal{Kind: receipt.Altered, From: 11, To: 13}},
		"a head below what was recorded": {func(b *receipt.Batch, _ receipts) receipts {
			*b = receipt.Batch{Iss: rje, Aud: rxw, Head: 8}
			return nil
		}, &receipt.Refusal{Kind: receipt.MissingAtHost, From: 9, To: 10}},
		"one missing":             {func(_ *receipt.Batch, all receipts) receipts { return all[:2] }, nil},
		"one more":                {func(_ *receipt.Batch, all receipts) receipts { return append(all, one(14)) }, nil},
		"none":                    {func(b *receipt.Batch, _ receipts) receipts { b.First, b.Last = 11, 10; return nil }, nil},
		"what is recorded before": {func(b *receipt.Batch, _ receipts) (other receipts) { *b, other = batch(10, 3); return other }, nil},
		"from number 0": {func(b *receipt.Batch, all receipts) receipts {
			b.First, b.Last = 0, 2
			return all
		}, nil},
		"a head before its end": {func(b *receipt.Batch, all receipts) receipts { b.Head = 12; return all }, nil},
		"more than a batch": {func(b *receipt.Batch, _ receipts) (other receipts) {
			*b, other = batch(11, receipt.MaxBatch+1)
			return other
		}, nil},
		"a mail address":         {func(_ *receipt.Batch, all receipts) receipts { all[0].Txn = "a.n@rxw.example"; return all }, nil},
		"a long text":            {func(_ *receipt.Batch, all receipts) receipts { all[0].Leaf = strings.Repeat("x", 257); return all }, nil},
		"no subject":             {func(_ *receipt.Batch, all receipts) receipts { all[0].Subject = ""; return all }, nil},
		"something else decided": {func(_ *receipt.Batch, all receipts) receipts { all[0].Kind = "session"; return all }, nil},
	} {
		b, all := batch(11, 3)
		all = c.change(&b, all)
		leaves, _, err := b.Check([]receipt.Place{{N: 10}}, all)
		refusal, ok := errors.AsType[*receipt.Refusal](err)
		switch {
		case leaves != nil || err == nil:
			t.Errorf("%s is taken", name)
		case c.want == nil && (ok || trust.KindOf(err) != trust.Invalid):
			t.Errorf("%s: %v", name, err)
		case c.want != nil && (!ok || *refusal != *c.want):
			t.Errorf("%s: %v, not %v", name, err, c.want)
		}
	}
	b, all := batch(11, 3)
	if leaves, _, err := b.Check([]receipt.Place{{N: 10}}, all); err != nil || len(leaves) != 3 {
		t.Errorf("a good one: %v", err)
	}
}

// R43: whatever one side lacks, has in addition or has otherwise is named, and
// nothing else is; what one side has erased differs from nothing.
func TestCompare(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		count := rapid.IntRange(0, 60).Draw(r, "numbers")
		host := receipt.Account{First: 5, Erased: map[uint64]bool{}}
		home := receipt.Account{First: 5, Erased: map[uint64]bool{}}
		want := map[uint64]receipt.Difference{}
		for i := range count {
			n := uint64(5 + i)
			same := tlog.RecordHash([]byte{byte(i)})
			at, here := same, same
			switch rapid.IntRange(0, 9).Draw(r, "fate") {
			case 0:
				here, want[n] = tlog.Hash{}, receipt.MissingAtHome
			case 1:
				at, want[n] = tlog.Hash{}, receipt.MissingAtHost
			case 2:
				at[0] ^= 1
				want[n] = receipt.Altered
			case 3:
				at = tlog.Hash{}
				host.Erased[n] = true
			case 4:
				here[0] ^= 1
				home.Erased[n] = true
			}
			host.Leaves, home.Leaves = append(host.Leaves, at), append(home.Leaves, here)
		}
		got := map[uint64]receipt.Difference{}
		var last receipt.Range
		for _, d := range receipt.Compare(host, home, 5, uint64(4+count)) {
			if d.From > d.To || d.From <= last.To || d.Kind == last.Kind && d.From == last.To+1 {
				r.Fatalf("range %+v behind %+v", d, last)
			}
			for n := d.From; n <= d.To; n++ {
				got[n] = d.Kind
			}
			last = d
		}
		if len(got) != len(want) {
			r.Fatalf("got %v, want %v", got, want)
		}
		for n, kind := range want {
			if got[n] != kind {
				r.Fatalf("number %d is %s, not %s", n, got[n], kind)
			}
		}
	})
	short, long := receipt.Account{First: 1, Leaves: make([]tlog.Hash, 0)}, receipt.Account{First: 1, Leaves: []tlog.Hash{{1}, {2}}}
	if d := receipt.Compare(short, long, 1, 2); len(d) != 1 || d[0] != (receipt.Range{Kind: receipt.MissingAtHost, From: 1, To: 2}) {
		t.Errorf("a host that ends before is %+v", d)
	}
	if d := receipt.Compare(long, short, 1, 1); len(d) != 1 || d[0] != (receipt.Range{Kind: receipt.MissingAtHome, From: 1, To: 1}) {
		t.Errorf("a home that ends before is %+v", d)
	}
}
