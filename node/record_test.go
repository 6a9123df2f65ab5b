package node_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// fullStore has no room for decisions while full is set.
type fullStore struct {
	store.Store
	full *atomic.Bool
}

func (s fullStore) Append(ctx context.Context, b store.Batch) error {
	if b.Log == store.DecisionLog && s.full.Load() {
		return trust.Errorf(trust.Unavailable, "there is no room on the disk")
	}
	return s.Store.Append(ctx, b)
}

// lockedKeys seals nothing while locked is set.
type lockedKeys struct {
	node.Keys
	locked *atomic.Bool
}

func (k lockedKeys) Seal(ctx context.Context, owner trust.SubjectKey, plaintext []byte) ([]byte, error) {
	if k.locked.Load() {
		return nil, trust.Errorf(trust.Unavailable, "there is no room for a data key")
	}
	return k.Keys.Seal(ctx, owner, plaintext)
}

// fragile is a ward whose nodes can neither record nor seal while told so.
func fragile(t *testing.T) (ward *nodetest.Ward, full, locked *atomic.Bool) {
	t.Helper()
	full, locked = new(atomic.Bool), new(atomic.Bool)
	w := nodetest.NewWorld(t)
	w.Configure = func(_ *nodetest.Node, c *node.Config) {
		c.Store, c.Keys = fullStore{c.Store, full}, lockedKeys{c.Keys, locked}
	}
	home, host := founded(t, w, nil)
	return w.NewWard(home, host, nil), full, locked
}

// What cannot be recorded is denied, and the node heals by itself (R69).
func TestWhatCannotBeRecordedIsDenied(t *testing.T) {
	ward, full, locked := fragile(t)
	for name, broken := range map[string]*atomic.Bool{"no room": full, "no data key": locked} {
		remembered, fresh := nurse(ward, "nurse-1"), nurse(ward, "nurse-2")
		want(t, ward, remembered, trust.Permit)
		before := len(entries(t, ward.Host, "decisions", ""))
		broken.Store(true)
		calls := 0
		for _, token := range [][]byte{remembered, fresh, []byte("rubbish")} {
			ask := ward.Ask(token)
			ask.RequestID = "request" // a permit that is remembered is sealed again for it
			if a := answer(t, ward.Host, ask); a.Reason != trust.CannotRecord || a.Reference != "" {
				t.Errorf("%s: the answer is %+v", name, a)
			}
			calls++
		}
		if made := len(entries(t, ward.Host, "decisions", "")) - before; made != 0 {
			t.Errorf("%s: %d calls made %d records", name, calls, made)
		}
		broken.Store(false)
		want(t, ward, remembered, trust.Permit)
		want(t, ward, fresh, trust.Permit)
	}
}

// Revocation works while decisions cannot be recorded.
func TestRevokingWithoutRoomForDecisions(t *testing.T) {
	ward, full, _ := fragile(t)
	token := nurse(ward, "nurse-1")
	want(t, ward, token, trust.Permit)
	full.Store(true)
	revoke(t, ward, "nurse-1")
	quiet(t, ward.Home, ward.Host)
	full.Store(false)
	want(t, ward, token, trust.SubjectRevoked)
}

// N calls make N records, and each answer's record says what was answered (R69),
// also while the disk is full now and then.
func TestEveryCallIsRecorded(t *testing.T) {
	ward, full, _ := fragile(t)
	host := ward.Host
	before := len(entries(t, host, "decisions", ""))
	const callers, calls = 16, 25
	var answers [callers][]node.Answer
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			token := nurse(ward, "nurse-1")
			if i%4 == 0 {
				token = []byte("rubbish")
			}
			for n := range calls {
				if i == 1 {
					full.Store(n%5 == 4)
				}
				answers[i] = append(answers[i], host.Decide(t.Context(), ward.Ask(token)))
			}
		})
	}
	all.Wait()
	full.Store(false)
	recorded := map[string]bool{}
	unrecorded := 0
	for _, of := range answers {
		for _, a := range of {
			if a.Reason == trust.CannotRecord {
				unrecorded++
				continue
			}
			e, err := host.Explain(t.Context(), host.Admin, a.Reference)
			if err != nil || e.Permit != a.Permit || e.Reason != a.Reason || recorded[a.Reference] {
				t.Fatalf("answer %+v is recorded as %s, %v", a, e.Reason, err)
			}
			recorded[a.Reference] = true
		}
	}
	if made := len(entries(t, host, "decisions", "")) - before; made != callers*calls-unrecorded || unrecorded == callers*calls {
		t.Errorf("%d calls, %d of them not recorded, made %d records", callers*calls, unrecorded, made)
	}
}

// slowStore calls before ahead of the next batch of decisions, once.
type slowStore struct {
	store.Store
	before *atomic.Pointer[func()]
}

func (s slowStore) Append(ctx context.Context, b store.Batch) error {
	if b.Log == store.DecisionLog {
		if before := s.before.Swap(nil); before != nil {
			(*before)()
		}
	}
	return s.Store.Append(ctx, b)
}

// A permit is not answered if trust was reduced while it was being recorded, be
// it a new verdict or a remembered one; if what was reduced does not matter to
// it, it is.
func TestTrustReducedWhileRecording(t *testing.T) {
	var before atomic.Pointer[func()]
	w := nodetest.NewWorld(t)
	w.Configure = func(n *nodetest.Node, c *node.Config) {
		if n.ID.String() == "https://trust.rje.example" {
			c.Store = slowStore{c.Store, &before}
		}
	}
	home, host := founded(t, w, nil)
	ward := w.NewWard(home, host, nil)
	meanwhile := func(f func() error) {
		act := func() {
			if err := f(); err != nil {
				t.Error(err)
			}
		}
		before.Store(&act)
	}
	revoking := func(subject string) func() error {
		return func() error {
			_, err := host.Revoke(t.Context(), host.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: subject, Reason: "now"})
			return err
		}
	}
	fresh, remembered := nurse(ward, "nurse-1"), nurse(ward, "nurse-2")
	want(t, ward, remembered, trust.Permit)
	records := len(entries(t, host, "decisions", ""))
	meanwhile(revoking("nurse-3"))
	want(t, ward, fresh, trust.Permit)
	meanwhile(revoking("nurse-1"))
	want(t, ward, fresh, trust.SubjectRevoked)
	meanwhile(revoking("nurse-2"))
	want(t, ward, remembered, trust.SubjectRevoked)
	last := nurse(ward, "nurse-4")
	meanwhile(func() error { return host.SuspendAgreement(t.Context(), host.Admin, ward.Agreement, "now") })
	want(t, ward, last, trust.AgreementSuspended)
	if made := len(entries(t, host, "decisions", "")) - records; made != 1+2+2+2 {
		t.Errorf("four answers, three of them decided again, made %d records", made)
	}
}

// singleUse is a ward whose agreement takes each ID token once.
func singleUse(t *testing.T) *nodetest.Ward {
	t.Helper()
	return wardOf(t, func(d *agreement.Document) { d.Accepts[0].SingleUse = true })
}

func askOnce(ward *nodetest.Ward, token []byte) node.Ask {
	ask := ward.Ask(token)
	ask.Evidence[0].Kind = evidence.IDToken
	return ask
}

// A token that may be used once is used up by the first decision, permit or
// deny, over a restart too; each presentation is on record (R69).
func TestATokenOfSingleUse(t *testing.T) {
	ward := singleUse(t)
	host := ward.Host
	token := func() []byte { return ward.Home.World.IDToken(ward.Issuer, "nurse-1", ward.Audience, nil) }
	want(t, ward, nurse(ward, "nurse-1"), trust.SingleUseKind)
	first, second := token(), token()
	if got := answer(t, host, askOnce(ward, first)).Reason; got != trust.Permit {
		t.Fatalf("the first presentation gets %s", got)
	}
	replayed := answer(t, host, askOnce(ward, first))
	if replayed.Reason != trust.Replayed {
		t.Errorf("the second presentation gets %s", replayed.Reason)
	}
	if e, err := host.Explain(t.Context(), host.Admin, replayed.Reference); err != nil || e.Reason != trust.Replayed || e.Checks[decision.Authenticate].Result != decision.Failed {
		t.Errorf("the replay is explained as %+v, %v", e, err)
	}
	denied := askOnce(ward, second)
	denied.Purpose = "MARKETING"
	if got := answer(t, host, denied).Reason; got != trust.PurposeNotCovered {
		t.Errorf("another purpose gets %s", got)
	}
	if got := answer(t, host, askOnce(ward, second)).Reason; got != trust.Replayed {
		t.Errorf("a token that was denied once gets %s", got)
	}
	host.Stop()
	host.Start()
	for _, used := range [][]byte{first, second} {
		if got := answer(t, host, askOnce(ward, used)).Reason; got != trust.Replayed {
			t.Errorf("after a restart a used token gets %s", got)
		}
	}
	heardOf(t, host, ward.Home)
	if got := answer(t, host, askOnce(ward, token())).Reason; got != trust.Permit {
		t.Errorf("after a restart a fresh token gets %s", got)
	}
}

// Of many presentations at once exactly one is permitted.
func TestOneOfManyPresentations(t *testing.T) {
	ward := singleUse(t)
	token := ward.Home.World.IDToken(ward.Issuer, "nurse-1", ward.Audience, nil)
	before := len(entries(t, ward.Host, "decisions", ""))
	const calls = 64
	var permits, replays atomic.Int64
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			switch ward.Host.Decide(t.Context(), askOnce(ward, token)).Reason {
			case trust.Permit:
				permits.Add(1)
			case trust.Replayed:
				replays.Add(1)
			}
		})
	}
	all.Wait()
	if permits.Load() != 1 || replays.Load() != calls-1 {
		t.Errorf("%d permits and %d replays", permits.Load(), replays.Load())
	}
	if made := len(entries(t, ward.Host, "decisions", "")) - before; made != calls {
		t.Errorf("%d calls made %d records", calls, made)
	}
}

// What is sealed of a denial is as long for a stranger, of whom nothing is known,
// as for somebody who has been revoked, of whom much is; so is its writing.
func TestDenialsAreSealedAlike(t *testing.T) {
	ward := wardOf(t, nil)
	revokeAt(t, ward.Home, node.RevokeRequest{Kind: "subject", Issuer: ward.Issuer.URL, Subject: "leaver", Reason: "left"})
	nodetest.Eventually(t, "the revocation", func() bool { return read(t, ward, nurse(ward, "leaver")) == trust.SubjectRevoked })
	known, err := ward.Host.SealedSizes(t.Context())
	done(t, err)
	stranger := ward.Home.World.Token(ward.Home.World.NewIssuer("https://idp.nobody.example"), "leaver", ward.Audience, nil)
	for _, token := range [][]byte{nurse(ward, "leaver"), stranger} {
		if reason := read(t, ward, token); reason == trust.Permit {
			t.Errorf("%s", reason)
		}
		if issued := ward.Host.Exchange(t.Context(), order(ward, token)); issued.Token != "" {
			t.Errorf("%+v", issued)
		}
	}
	sizes, err := ward.Host.SealedSizes(t.Context())
	done(t, err)
	if sizes = sizes[len(known):]; len(sizes) != 4 || sizes[0] != sizes[2] || sizes[1] != sizes[3] {
		t.Errorf("decision and exchange of the revoked and of the stranger seal %v bytes", sizes)
	}
}
