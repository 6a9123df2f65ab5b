package ledger_test

import (
	"context"
	"crypto/rand"
	"math"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

// A log's keys change while it is open. Each checkpoint verifies by the key that
// was good at its time, and by no other: a key that ended signs nothing later.
func TestALogChangesItsKey(t *testing.T) {
	first, second := newKey(t), newKey(t)
	clock := startClock()
	const turn = 1_800_000_100
	s := openStore(t, t.TempDir(), local.Options{})
	var signing error
	l, err := ledger.Open(ctx, ledger.Config[struct{}]{
		Store: s, Log: store.TrustLog, Origin: origin, Now: clock.now, Rand: rand.Reader,
		Verifiers: note.VerifierList(first.Verifier, second.Verifier),
		Signer: func(at int64) (note.Signer, error) {
			if at >= turn {
				return second.Signer, signing
			}
			return first.Signer, signing
		},
	})
	ok(t, err)
	var heads [][]byte
	for i, at := range []int64{turn - 50, turn - 1, turn, turn + 50} {
		clock.Store(at)
		_, err := l.Append(ctx, entry("a", i))
		ok(t, err)
		heads = append(heads, l.Checkpoint())
	}
	// Without a key nothing is recorded, and the log lives on.
	signing = trust.Errorf(trust.Conflict, "no key")
	_, err = l.Append(ctx, entry("a", 5))
	want(t, err, trust.Unavailable)
	signing = nil
	l.Close()

	verify := func(head []byte, keys ...ledger.LogKey) error {
		_, err := ledger.Verify(context.Background(), s, ledger.VerifyConfig{
			Log: store.TrustLog, Origin: origin, Head: head, Keys: func() ([]ledger.LogKey, error) { return keys, nil },
		})
		return err
	}
	one := ledger.LogKey{Verifier: first.Verifier, From: math.MinInt64, Until: turn}
	two := ledger.LogKey{Verifier: second.Verifier, From: turn, Until: math.MaxInt64}
	ok(t, verify(nil, one, two))
	ok(t, verify(nil, two, one, two))
	for _, head := range heads {
		ok(t, verify(head, one, two))
	}
	ended, early := one, two
	ended.Until--
	early.From++
	for name, keys := range map[string][]ledger.LogKey{
		"no key": nil, "only the first": {one}, "only the second": {two}, "ended a second before": {ended, two}, "begun a second after": {one, early},
	} {
		if err := verify(nil, keys...); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A head that the wrong key signed for its time is nobody's.
	c := must(ledger.ParseCheckpoint(heads[3], origin, second.verifiers()))
	forged, err := note.Sign(&note.Note{Text: c.String()}, first.Signer)
	ok(t, err)
	want(t, verify(forged, one, two), trust.Invalid)
	ok(t, s.Close())
}
