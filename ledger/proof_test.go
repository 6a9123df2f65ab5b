package ledger_test

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/trust"
)

// Every entry is proven in every tree, and every tree in every later one, and
// nothing else is.
func TestProofs(t *testing.T) {
	n := newNode(t)
	defer n.close(t)
	const size = 33
	checkpoints := make([]ledger.Checkpoint, 1, size+1)
	checkpoints[0] = ledger.Checkpoint{Origin: origin, Root: must(tlog.TreeHash(0, nil)), Epoch: 1}
	for i := range size {
		_, err := n.Append(ctx, entry("a", i))
		ok(t, err)
		checkpoints = append(checkpoints, must(ledger.ParseCheckpoint(n.Checkpoint(), origin, n.key.verifiers())))
	}
	records := must(n.Read(ctx, 0, 100))
	for later, c := range checkpoints {
		for i := range later {
			proof := must(n.Proof(ctx, uint64(i), uint64(later)))
			ok(t, ledger.VerifyInclusion(c, uint64(i), records[i].LeafHash, proof))
			want(t, ledger.VerifyInclusion(c, uint64(i), records[(i+1)%size].LeafHash, proof), trust.Invalid)
		}
		for earlier := range later + 1 {
			proof := must(n.Consistency(ctx, uint64(earlier), uint64(later)))
			ok(t, ledger.VerifyConsistency(checkpoints[earlier], c, proof))
			other := checkpoints[earlier]
			other.Root[0] ^= 1
			want(t, ledger.VerifyConsistency(other, c, proof), trust.Invalid)
		}
	}
	_, err := n.Proof(ctx, 3, 3)
	want(t, err, trust.NotFound)
	_, err = n.Proof(ctx, 3, size+1)
	want(t, err, trust.NotFound)
	_, err = n.Consistency(ctx, 3, size+1)
	want(t, err, trust.NotFound)
	want(t, ledger.VerifyConsistency(checkpoints[5], checkpoints[3], nil), trust.Invalid)
}

// A state checkpoint's log is recognised by its tree alone.
func TestCheckPrefix(t *testing.T) {
	n := newNode(t)
	defer n.close(t)
	var kept [][]byte
	for i := range 20 {
		_, err := n.Append(ctx, entry("a", i))
		ok(t, err)
		kept = append(kept, n.Checkpoint())
	}
	for i, signed := range kept {
		c, err := ledger.CheckPrefix(ctx, n.store, "trust", signed)
		ok(t, err)
		if c.Size != uint64(i)+1 {
			t.Fatalf("size is %d", c.Size)
		}
	}
	if got := must(ledger.ReadCheckpoint(kept[0])); got.Origin != origin {
		t.Fatal(got)
	}
	other := newNode(t)
	defer other.close(t)
	_, err := ledger.CheckPrefix(ctx, other.store, "trust", kept[0])
	want(t, err, trust.Conflict)
	_, err = other.Append(ctx, entry("a", 0))
	ok(t, err)
	_, err = ledger.CheckPrefix(ctx, other.store, "trust", kept[0])
	want(t, err, trust.Invalid)
	_, err = ledger.CheckPrefix(ctx, other.store, "trust", []byte("nothing"))
	want(t, err, trust.Invalid)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func FuzzParseCheckpoint(f *testing.F) {
	n := newNode(f)
	if _, err := n.Append(ctx, entry("a", 1)); err != nil {
		f.Fatal(err)
	}
	good := n.Checkpoint()
	n.close(f)
	f.Add(good)
	f.Add([]byte(origin + "\n1\nAAAA\nepoch 1\n\n"))
	f.Fuzz(func(t *testing.T, signed []byte) {
		if c, err := ledger.ReadCheckpoint(signed); err == nil && !bytes.HasPrefix(signed, []byte(strings.TrimSuffix(c.String(), "\n"))) {
			t.Fatalf("%q is read as %q", signed, c)
		}
		c, err := ledger.ParseCheckpoint(signed, origin, n.key.verifiers())
		if err == nil && !bytes.HasPrefix(signed, []byte(c.String()+"\n")) {
			t.Fatalf("%q is read as %q", signed, c)
		}
	})
}
