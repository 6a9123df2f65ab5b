package ledger_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

const origin = "rje.example/trust"

// key is a signer with its verifier.
type key struct {
	note.Signer
	note.Verifier
}

func (k key) signer(int64) (note.Signer, error) { return k.Signer, nil }

func (k key) verifiers() note.Verifiers { return note.VerifierList(k.Verifier) }

// always is a log with one key.
func (k key) always() ([]ledger.LogKey, error) {
	return []ledger.LogKey{{Verifier: k.Verifier, Until: math.MaxInt64}}, nil
}

func newKey(t testing.TB) key {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	return parseKey(t, secret, public)
}

func parseKey(t testing.TB, secret, public string) key {
	t.Helper()
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return key{signer, &remembering{Verifier: verifier}}
}

// remembering verifies each signature once: the tests verify the same ledger
// thousands of times.
type remembering struct {
	note.Verifier
	verdicts sync.Map
}

func (r *remembering) Verify(msg, sig []byte) bool {
	pair := string(msg) + "\x00" + string(sig)
	if verdict, known := r.verdicts.Load(pair); known {
		return verdict.(bool)
	}
	verdict := r.Verifier.Verify(msg, sig)
	r.verdicts.Store(pair, verdict)
	return verdict
}

// clock is a time that the test moves.
type clock struct{ atomic.Int64 }

func (c *clock) now() int64 { return c.Load() }

func startClock() *clock {
	c := &clock{}
	c.Store(1_800_000_000)
	return c
}

// tally is a state: how many records there are of each kind.
type tally map[string]int

// fold counts records; it knows version 1 only.
func fold(state tally, r ledger.Record) (tally, error) {
	if r.Version != 1 {
		return nil, trust.Errorf(trust.Internal, "kind is %s; this binary knows v1", trust.Kind{Name: r.Kind, Version: r.Version})
	}
	next := tally{r.Kind: 0}
	for kind, n := range state {
		next[kind] = n
	}
	next[r.Kind]++
	return next, nil
}

func config(k key, s store.Store, c *clock) ledger.Config[tally] {
	return ledger.Config[tally]{
		Store: s, Log: store.TrustLog, Origin: origin, Signer: k.signer, Verifiers: k.verifiers(),
		Now: c.now, Rand: rand.Reader, Fold: fold,
	}
}

func openLog(t testing.TB, cfg ledger.Config[tally]) *ledger.Log[tally] {
	t.Helper()
	l, err := ledger.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func openStore(t testing.TB, dir string, o local.Options) *local.Store {
	t.Helper()
	s, _, err := local.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// entry has a body with n and, if n is even, a sealed part.
func entry(kind string, n int) ledger.Entry {
	e := ledger.Entry{Kind: kind, Version: 1, Body: fmt.Appendf(nil, `{"n":%d}`, n)}
	if n%2 == 0 {
		e.Sealed = fmt.Appendf(nil, "sealed part %d", n)
	}
	return e
}

// verify opens a directory as an auditor does and verifies its trust log.
func verify(k key, dir string, fs local.FS, head []byte) (ledger.Report, []store.Tail, error) {
	r, tails, err := local.OpenReader(dir, local.Options{FS: fs})
	if err != nil {
		return ledger.Report{}, nil, err
	}
	report, err := ledger.Verify(context.Background(), r, ledger.VerifyConfig{
		Log: store.TrustLog, Origin: origin, Keys: k.always, Head: head,
	})
	return report, tails, errors.Join(err, r.Close())
}

func want(t testing.TB, err error, kind trust.ErrorKind) {
	t.Helper()
	if trust.KindOf(err) != kind {
		t.Fatalf("error is %q (%v), want %q", trust.KindOf(err), err, kind)
	}
}
