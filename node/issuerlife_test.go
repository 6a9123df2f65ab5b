package node_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// newKey makes a signing key of an issuer.
func newKey(t *testing.T, kid string) jose.Signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	done(t, err)
	signer, err := jose.NewSigner(private, kid)
	done(t, err)
	return signer
}

// renamed gives the public key under another kid.
func renamed(t *testing.T, key jose.Key, kid string) jose.Key {
	t.Helper()
	text, err := key.MarshalJSON()
	done(t, err)
	o, err := canonical.ParseObject(text)
	done(t, err)
	o["kid"] = kid
	text, err = canonical.Marshal(o)
	done(t, err)
	same, err := jose.ParseKey(text)
	done(t, err)
	return same
}

// publish lets an issuer publish exactly these keys.
func publish(t *testing.T, w *nodetest.World, issuer *nodetest.Issuer, keys ...jose.Key) {
	t.Helper()
	set, err := jose.NewKeySet(keys...)
	done(t, err)
	text, err := set.MarshalJSON()
	done(t, err)
	w.Publish(issuer.URL+"/jwks", text)
}

// sees waits until a node knows exactly this many keys of an issuer.
func sees(t *testing.T, n *nodetest.Node, issuer string, count int) {
	t.Helper()
	nodetest.Eventually(t, "the key set to be read again", func() bool {
		s, _ := n.State().Speaker(issuer)
		return len(s.Keys.Keys()) == count
	})
}

// quickly is a world whose nodes fetch keys all the time.
func quickly(t *testing.T) *nodetest.World {
	w := nodetest.NewWorld(t)
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Refresh = 20 * time.Millisecond }
	return w
}

// An emergency: a key was copied. From the next request on nothing it signed
// counts, whatever time a token states and whatever name the key is given, and
// what it had been accepted for is listed (R72).
func TestARevokedKeyAndWhatItHadBeenAcceptedFor(t *testing.T) {
	w := quickly(t)
	home, host := founded(t, w, nil)
	ward := w.NewWard(home, host, nil)
	stolen := ward.Issuer.Key
	now := time.Now().Unix()
	early := w.Token(ward.Issuer, "nurse-1", ward.Audience, map[string]any{"iat": now - 500, "exp": now + 200})
	fresh := nurse(ward, "nurse-1")
	var references []string
	for _, token := range [][]byte{early, fresh, fresh, nurse(ward, "nurse-2")} {
		a := answer(t, host, ward.Ask(token))
		if !a.Permit {
			t.Fatalf("before, the answer is %s", a.Reason)
		}
		references = append(references, a.Reference)
	}
	question := ward.Ask(fresh)
	question.Purpose = "HRESCH"
	answer(t, host, question) // a denial is no acceptance

	// The safety lane carries it while the governance lane is stuck elsewhere.
	waitForKeys(t, home, ward.Issuer)
	told, err := home.Revoke(t.Context(), home.Admin, node.RevokeRequest{
		Kind: revocation.Key, Issuer: ward.Issuer.URL, KeyID: stolen.Key().KeyID(), Reason: "copied",
	})
	done(t, err)
	if q, _ := newest[edge.Queued](t, home); told.Thumbprint != stolen.Key().Thumbprint() || len(told.Partners) != 1 || q.Lane != edge.Safety {
		t.Errorf("revoked as %+v; the message is %+v", told, q)
	}
	nodetest.Eventually(t, "the end to reach the host", func() bool {
		return host.State().Revocation.KeyRevoked(ward.Issuer.URL, stolen.Key().Thumbprint())
	})
	want(t, ward, fresh, trust.KeyRevoked) // remembered as permitted
	ward.Issuer.Key = newKey(t, "next")
	publish(t, w, ward.Issuer, stolen.Key(), ward.Issuer.Key.Key())
	sees(t, host, ward.Issuer.URL, 2)
	for name, claims := range map[string]map[string]any{
		"long ago": {"iat": now - 580, "exp": now + 200}, "now": nil, "ahead": {"iat": now + 20, "exp": now + 300},
	} {
		if got := read(t, ward, w.Token(&nodetest.Issuer{URL: ward.Issuer.URL, Key: stolen}, "nurse-1", ward.Audience, claims)); got != trust.KeyRevoked {
			t.Errorf("issued %s, the answer is %s", name, got)
		}
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)

	// Gone from the issuer's set, it can still be asked about, by its thumbprint too.
	publish(t, w, ward.Issuer, ward.Issuer.Key.Key())
	sees(t, host, ward.Issuer.URL, 1)
	for _, name := range []string{stolen.Key().KeyID(), stolen.Key().Thumbprint()} {
		found, err := host.Accepted(t.Context(), host.Admin, ward.Issuer.URL, name, 0)
		done(t, err)
		if !found.Revoked || found.Permits != 4 || found.Denials < 5 || found.Next != 0 || found.Read != found.Size || found.Key.Until == 0 || found.More {
			t.Errorf("it had been accepted for %+v", found)
		}
		if len(found.Services) != 1 || found.Services[0] != (node.AcceptedService{EnforcementPoint: "pep", ResourceType: "WardRecord", Permits: 4}) {
			t.Errorf("at %+v", found.Services)
		}
		if len(found.Subjects) != 2 || found.Subjects[0].Permits != 3 || found.Subjects[0].Reference != references[2] || found.Subjects[1].Reference != references[3] ||
			found.First == 0 || found.First > found.Last || found.Subjects[1].Last != found.Last {
			t.Errorf("by %+v", found.Subjects)
		}
		// From the third entry on, which repeats the second.
		part, err := host.Accepted(t.Context(), host.Admin, ward.Issuer.URL, name, 2)
		if done(t, err); part.Permits != 2 || len(part.Subjects) != 2 || part.Subjects[0].Reference != references[2] {
			t.Errorf("from the third decision on it had been accepted for %+v", part)
		}
		rest, err := host.Accepted(t.Context(), host.Admin, ward.Issuer.URL, name, found.Size)
		if done(t, err); rest.Permits != 0 || rest.Next != 0 {
			t.Errorf("behind the end there is %+v", rest)
		}
	}
	for _, reference := range references { // what was decided then stays as it was
		e, err := host.Explain(t.Context(), host.Admin, reference)
		if done(t, err); !e.Permit || e.Reason != trust.Permit {
			t.Errorf("explained again, %s is %s", reference, e.Reason)
		}
	}
	if stage := stageOf(t, host, stolen.Key().Thumbprint()); stage != node.KeyRevoked {
		t.Errorf("the key is %s", stage)
	}
	_, err = host.Accepted(t.Context(), host.Admin, ward.Issuer.URL, "never", 0)
	refused(t, "an unknown key", err, trust.NotFound)
	_, err = host.Accepted(t.Context(), node.Actor{ID: "nobody"}, ward.Issuer.URL, "never", 0)
	refused(t, "somebody without a role", err, trust.Denied)

	// Published again under another name it is the same key.
	again := renamed(t, stolen.Key(), "new-name")
	publish(t, w, ward.Issuer, again, ward.Issuer.Key.Key())
	sees(t, host, ward.Issuer.URL, 2)
	want(t, ward, w.Token(&nodetest.Issuer{URL: ward.Issuer.URL, Key: named{stolen, again}}, "nurse-1", ward.Audience, nil), trust.KeyRevoked)
}

// named signs as a key under another kid.
type named struct {
	jose.Signer
	key jose.Key
}

func (n named) Key() jose.Key { return n.key }

func stageOf(t *testing.T, n *nodetest.Node, thumbprint string) (stage node.KeyStage) {
	t.Helper()
	all, err := n.ListKeys(t.Context(), n.Admin)
	done(t, err)
	for _, k := range all {
		if k.Thumbprint == thumbprint {
			stage = k.Stage
		}
	}
	return stage
}

// A key that its issuer published once, and that nobody looked at since, can
// still be ended: it may be published again.
func TestAGoneKeyCanBeRevoked(t *testing.T) {
	w := quickly(t)
	home, host := founded(t, w, nil)
	ward := w.NewWard(home, host, nil)
	old := ward.Issuer.Key
	ward.Issuer.Key = newKey(t, "next")
	publish(t, w, ward.Issuer, ward.Issuer.Key.Key())
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	revokeAt(t, host, node.RevokeRequest{Kind: revocation.Key, Issuer: ward.Issuer.URL, KeyID: old.Key().Thumbprint(), Reason: "found on a stick"})
	publish(t, w, ward.Issuer, old.Key(), ward.Issuer.Key.Key())
	sees(t, host, ward.Issuer.URL, 2)
	ward.Issuer.Key = old
	want(t, ward, nurse(ward, "nurse-1"), trust.KeyRevoked)
}

// A planned rotation: published ahead, used, and retired on schedule. Under load
// no request fails, and the old key is refused once it is gone (R72).
func TestAPlannedRotationLosesNoRequest(t *testing.T) {
	w := quickly(t)
	home, host := founded(t, w, nil)
	ward := w.NewWard(home, host, nil)
	old, next := ward.Issuer.Key, newKey(t, "next")
	var signing atomic.Pointer[jose.Signer]
	signing.Store(&old)
	stop := make(chan struct{})
	var calls atomic.Int64
	var rounds [4]atomic.Int64
	var workers sync.WaitGroup
	for i := range rounds {
		workers.Go(func() {
			for ; ; rounds[i].Add(1) {
				select {
				case <-stop:
					return
				default:
				}
				token := w.Token(&nodetest.Issuer{URL: ward.Issuer.URL, Key: *signing.Load()}, "nurse-1", ward.Audience, nil)
				for range 3 { // the first is verified, the others remembered
					calls.Add(1)
					if a := host.Decide(t.Context(), ward.Ask(token)); !a.Permit {
						t.Errorf("call %d during the rotation is denied: %s", calls.Load(), a.Reason)
					}
				}
			}
		})
	}
	during := func() { // some calls, at each stage, and a new token at least of each worker
		before := calls.Load()
		var begun [len(rounds)]int64
		for i := range rounds {
			begun[i] = rounds[i].Load()
		}
		nodetest.Eventually(t, "calls to be made", func() bool {
			for i := range rounds {
				if rounds[i].Load() < begun[i]+2 {
					return false
				}
			}
			return calls.Load() > before+100
		})
	}
	during()
	publish(t, w, ward.Issuer, old.Key(), next.Key()) // ahead
	sees(t, host, ward.Issuer.URL, 2)
	during()
	last := w.Token(&nodetest.Issuer{URL: ward.Issuer.URL, Key: old}, "nurse-1", ward.Audience, nil)
	signing.Store(&next)
	during()
	want(t, ward, last, trust.Permit) // the overlap: what the old key signed lives out its time
	during()
	publish(t, w, ward.Issuer, next.Key()) // on schedule
	sees(t, host, ward.Issuer.URL, 1)
	want(t, ward, last, trust.UnknownKey)
	during()
	close(stop)
	workers.Wait()
	if stage := stageOf(t, host, old.Key().Thumbprint()); stage != node.KeyGone {
		t.Errorf("the old key is %s", stage)
	}
}

// counting counts the fetches of a node.
type counting struct {
	node.Fetcher
	fetches atomic.Int64
}

func (c *counting) Get(ctx context.Context, url string) ([]byte, error) {
	c.fetches.Add(1)
	return c.Fetcher.Get(ctx, url)
}

// A key that was not published ahead: the first unknown kid brings the refresh
// forward, and hundreds more do not.
func TestAnUnknownKidBringsTheRefreshForwardOnce(t *testing.T) {
	w := nodetest.NewWorld(t)
	var counted *counting
	w.Configure = func(n *nodetest.Node, c *node.Config) {
		if n.ID.String() == "https://trust.rje.example" {
			counted = &counting{Fetcher: c.Fetch}
			c.Fetch = counted
		}
	}
	home, host := founded(t, w, nil)
	ward := w.NewWard(home, host, nil)
	ward.Issuer.Key = newKey(t, "unannounced")
	publish(t, w, ward.Issuer, ward.Issuer.Key.Key())
	before := counted.fetches.Load()
	want(t, ward, nurse(ward, "nurse-1"), trust.UnknownKey)
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	random := &nodetest.Issuer{URL: ward.Issuer.URL, Key: newKey(t, "")}
	var callers sync.WaitGroup
	for range 32 {
		token := w.Token(random, "nurse-1", ward.Audience, nil)
		callers.Go(func() {
			for range 16 {
				if a := host.Decide(t.Context(), ward.Ask(token)); a.Reason != trust.UnknownKey {
					t.Errorf("an unknown kid gives %s", a.Reason)
				}
			}
		})
	}
	callers.Wait()
	time.Sleep(1500 * time.Millisecond) // longer than the schedule ever sleeps
	if made := counted.fetches.Load() - before; made != 1 {
		t.Errorf("the keys were fetched %d times", made)
	}
}

// A national issuer moves. Keys that were seen at an address that is registered
// no longer are nobody's, until the new one answers.
func TestANationalIssuerMoves(t *testing.T) {
	o := newOneIssuer(t)
	w := o.host.World
	token := o.token("RXW")
	want(t, o.ward, token, trust.Permit)
	d := amended(o.host, o.rules)
	d.Issuers = append([]framework.NationalIssuer(nil), d.Issuers...)
	d.Issuers[0].JWKSURI = nationalURL + "/moved"
	o.host.Adopt(w.Sign(d, o.rxw, o.host))
	want(t, o.ward, token, trust.UnknownKey)
	set, err := jose.NewKeySet(o.national.Key.Key())
	done(t, err)
	text, err := set.MarshalJSON()
	done(t, err)
	w.Publish(nationalURL+"/moved", text)
	await(t, o.ward, token, trust.Permit)
}
