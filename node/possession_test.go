package node_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// R15: a token that is bound to a certificate is permitted beside it, also when
// the permit is remembered, and denied beside another and beside none.
func TestTokenBoundToACertificate(t *testing.T) {
	ward := wardOf(t, nil)
	sum := sha256.Sum256([]byte("certificate"))
	cnf := map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}
	token := ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, map[string]any{"cnf": cnf})
	beside := func(shown *evidence.Shown) node.Ask {
		ask := ward.Ask(token)
		ask.Evidence[0].Shown = shown
		return ask
	}
	own := func() node.Ask { return beside(&evidence.Shown{Certificate: []byte("certificate")}) }
	for range 3 {
		for want, ask := range map[trust.Reason]node.Ask{
			trust.Permit:       own(),
			trust.ProofMissing: beside(nil),
			trust.ProofKey:     beside(&evidence.Shown{Certificate: []byte("another")}),
		} {
			a := answer(t, ward.Host, ask)
			if a.Reason != want {
				t.Fatalf("the answer is %s, not %s", a.Reason, want)
			}
			e, err := ward.Host.Explain(t.Context(), ward.Host.Admin, a.Reference)
			if err != nil || e.Reason != want || e.Checks[1].Text == "" {
				t.Errorf("explained as %+v, %v", e, err)
			}
		}
	}
}

const recordURL = "https://records.rje.example/wards/w7/records/42"

// held is a ward with a nurse's client that holds a key, and her token.
func held(ward *nodetest.Ward) (*nodetest.Holder, []byte) {
	h := ward.Home.World.NewHolder()
	return h, ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, map[string]any{"cnf": h.Confirmation()})
}

// proven is the question with what a client shows beside its token.
func proven(ward *nodetest.Ward, token []byte, shown *evidence.Shown) node.Ask {
	ask := ward.Ask(token)
	ask.Evidence[0].Shown = shown
	return ask
}

// R15: a token that is bound to a key is permitted with a proof for each
// request, and denied without, with another's, and with one used before, over a
// restart too.
func TestTokenBoundToAKey(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	h, token := held(ward)
	thief := ward.Home.World.NewHolder()
	fresh := func() *evidence.Shown { return h.Shown(token, "GET", recordURL, nil) }
	used := fresh()
	ask := func(shown *evidence.Shown, want trust.Reason) {
		t.Helper()
		a := answer(t, host, proven(ward, token, shown))
		if a.Reason != want || a.TTL != 0 || a.Nonce != "" {
			t.Fatalf("the answer is %+v, not %s", a, want)
		}
		e, err := host.Explain(t.Context(), host.Admin, a.Reference)
		if err != nil || e.Reason != want || e.Permit != (want == trust.Permit) {
			t.Errorf("explained as %+v, %v", e, err)
		}
	}
	ask(used, trust.Permit)
	for range 2 {
		ask(used, trust.ProofReplayed)
		ask(nil, trust.ProofMissing)
		ask(fresh(), trust.Permit)
		ask(thief.Shown(token, "GET", recordURL, nil), trust.ProofKey)
	}
	denied := proven(ward, token, fresh())
	denied.Purpose = "MARKETING"
	if got := answer(t, host, denied).Reason; got != trust.PurposeNotCovered {
		t.Errorf("another purpose gets %s", got)
	}
	ask(denied.Evidence[0].Shown, trust.ProofReplayed) // denied once, used up all the same
	host.Stop()
	host.Start()
	ask(used, trust.ProofReplayed)
	heardOf(t, host, ward.Home)
	ask(fresh(), trust.Permit)
}

// R31: where the tier requires it, a proof repeats a nonce of the node, which
// comes back with the denial, is one enforcement point's and grows stale.
func TestNonces(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, func(d *framework.Document) {
		tier := d.Tiers[trust.Standard]
		tier.SenderConstraint = framework.SenderConstraintRequired
		tier.MaxStaleness = 3600
		d.Tiers[trust.Standard] = tier
	})
	ward := w.NewWard(home, host, nil)
	h, token := held(ward)
	at := func(point, nonce string) node.Answer {
		t.Helper()
		with := map[string]any{"iat": host.Clock.Now().Unix()}
		if nonce != "" {
			with["nonce"] = nonce
		}
		ask := proven(ward, token, h.Shown(token, "GET", recordURL, with))
		ask.EnforcementPoint = point
		return answer(t, host, ask)
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.SenderConstraint)
	first := at("pep", "")
	if first.Reason != trust.NonceMissing || first.Nonce == "" {
		t.Fatalf("without a nonce: %+v", first)
	}
	if a := at("pep", first.Nonce); !a.Permit || a.Nonce != "" {
		t.Errorf("with the node's nonce: %+v", a)
	}
	for name, nonce := range map[string]string{
		"made up": "AAAAAGcAAAAAAAAAAAAAAAAAAAAAAAAA", "no base64": "!", "line end": first.Nonce + "\n", "cut": first.Nonce[:31],
		"of the future": later(t, first.Nonce, 100),
	} {
		if a := at("pep", nonce); a.Reason != trust.NonceStale || a.Nonce == "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	other := at("other", first.Nonce) // the resource is not behind it; the nonce is judged before that
	if other.Reason != trust.AudienceOtherService || other.Nonce != "" {
		t.Errorf("at another enforcement point: %+v", other)
	}
	host.Clock.Shift(250 * time.Second)
	soon := at("pep", first.Nonce)
	if !soon.Permit || soon.Nonce == "" || soon.Nonce == first.Nonce {
		t.Errorf("shortly before its end: %+v", soon)
	}
	host.Clock.Shift(305 * time.Second)
	if a := at("pep", first.Nonce); a.Reason != trust.NonceStale || a.Nonce == "" {
		t.Errorf("past its end: %+v", a)
	}
	if a := at("pep", soon.Nonce); !a.Permit {
		t.Errorf("with the next nonce: %+v", a)
	}
}

// later moves a nonce's time without its commitment.
func later(t *testing.T, nonce string, seconds byte) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	done(t, err)
	b[7] += seconds
	return base64.RawURLEncoding.EncodeToString(b)
}

// Of many presentations of one proof at once exactly one is permitted, and each
// is on record.
func TestOneOfManyProofs(t *testing.T) {
	ward := wardOf(t, nil)
	h, token := held(ward)
	shown := h.Shown(token, "GET", recordURL, nil)
	before := len(entries(t, ward.Host, "decisions", ""))
	const calls = 128
	var mu sync.Mutex
	var all sync.WaitGroup
	got := map[trust.Reason]int{}
	for range calls {
		all.Go(func() {
			reason := ward.Host.Decide(t.Context(), proven(ward, token, shown)).Reason
			mu.Lock()
			defer mu.Unlock()
			got[reason]++
		})
	}
	all.Wait()
	if got[trust.Permit] != 1 || got[trust.ProofReplayed] != calls-1 {
		t.Errorf("%d calls got %v", calls, got)
	}
	if made := len(entries(t, ward.Host, "decisions", "")) - before; made != calls {
		t.Errorf("%d calls made %d records", calls, made)
	}
}

// full is a store in which nobody can use a value up.
type full struct{ store.Store }

func (full) Once(_ context.Context, _ int64, values []trust.Once) ([]error, error) {
	verdicts := make([]error, len(values))
	for i := range verdicts {
		verdicts[i] = trust.Errorf(trust.Unavailable, "quota")
	}
	return verdicts, nil
}

// A participant that has its quota of values is refused for that, and recorded.
func TestQuotaFull(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	ward := w.NewWard(home, host, nil)
	h, token := held(ward)
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Store = full{c.Store} }
	host.Stop()
	host.Start()
	heardOf(t, host, home)
	a := answer(t, host, proven(ward, token, h.Shown(token, "GET", recordURL, nil)))
	if e, err := host.Explain(t.Context(), host.Admin, a.Reference); a.Reason != trust.QuotaFull || err != nil || e.Reason != a.Reason {
		t.Errorf("the answer is %+v, explained as %+v (%v)", a, e, err)
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
}
