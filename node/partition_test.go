package node_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/trust"
)

// twoHomes is a host with a ward agreement with each of two homes, whose issuers
// publish different keys under one kid.
func twoHomes(t *testing.T) (first, second *nodetest.Ward) {
	t.Helper()
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	other := w.New("trust.rcb.example", nodetest.HomeRoles()...)
	w.Introduce(host, other)
	hash := host.State().Framework.Current.Hash
	nodetest.Eventually(t, "the framework to reach the third", func() bool { _, ok := other.State().Framework.Pending(hash); return ok })
	done(t, other.AdoptFramework(t.Context(), other.Admin, hash))
	issuer := func(url string) []*nodetest.Issuer {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		done(t, err)
		return []*nodetest.Issuer{w.AddIssuer(url, key, "key-1")}
	}
	first = w.Agree(home, host, issuer("https://idp.rxw.example"), nil)
	first.Furnish()
	second = w.Agree(other, host, issuer("https://idp.rcb.example"), func(d *agreement.Document) { d.Name = "other-staff" })
	second.Map("other-nurse")
	return first, second
}

// Keys of one name are not pooled: a token verifies by its own issuer's key
// alone (R44).
func TestKeysAreNotPooled(t *testing.T) {
	first, second := twoHomes(t)
	w := first.Home.World
	want(t, first, nurse(first, "nurse-1"), trust.Permit)
	want(t, second, nurse(second, "nurse-1"), trust.Permit)
	crossed := &nodetest.Issuer{URL: first.Issuer.URL, Key: second.Issuer.Key}
	want(t, first, w.Token(crossed, "nurse-1", first.Audience, nil), trust.BadSignature)
	crossed = &nodetest.Issuer{URL: second.Issuer.URL, Key: first.Issuer.Key}
	want(t, second, w.Token(crossed, "nurse-1", first.Audience, nil), trust.BadSignature)
}

// A node that dies takes nobody else down (R44). Its own people are served until
// the tier's bound and denied from then on (R78), every call on record (R62).
func TestOneNodeDies(t *testing.T) {
	first, second := twoHomes(t)
	host := first.Host
	a, b := nurse(first, "nurse-1"), nurse(second, "nurse-1")
	want(t, first, a, trust.Permit)
	first.Home.Stop()
	before := len(entries(t, host, "decisions", ""))
	const calls = 20
	for range calls {
		want(t, first, a, trust.Permit)
		want(t, second, b, trust.Permit)
	}
	host.Clock.Shift(61 * time.Second)
	for range calls {
		want(t, first, a, trust.Stale)
	}
	if made := len(entries(t, host, "decisions", "")) - before; made != 3*calls {
		t.Errorf("%d calls made %d records", 3*calls, made)
	}
	await(t, second, b, trust.Permit)
	want(t, first, a, trust.Stale)
	revoke(t, second, "nurse-1")
	await(t, second, b, trust.SubjectRevoked)

	host.Clock.Shift(0)
	first.Home.Start()
	await(t, first, a, trust.Permit)
}

// What the home revoked while the link was cut is applied before the first
// permit after it heals (R34, R78).
func TestHealingCatchesUpBeforeAPermit(t *testing.T) {
	ward := wardOf(t, nil)
	w, home, host := ward.Home.World, ward.Home, ward.Host
	token := nurse(ward, "nurse-1")
	want(t, ward, token, trust.Permit)
	quiet(t, home, host)
	w.Cut(home, host)
	w.Cut(host, home)
	revoke(t, ward, "nurse-1")
	want(t, ward, token, trust.Permit) // within the bound, and nobody could tell us
	host.Clock.Shift(61 * time.Second)
	want(t, ward, token, trust.Stale)

	w.Heal(host, home) // we hear the home again, and what it has to say is not here yet
	for until := time.Now().Add(10 * w.Heartbeat); time.Now().Before(until); {
		want(t, ward, token, trust.Stale)
	}
	w.Heal(home, host)
	for last := trust.Stale; last == trust.Stale; {
		if last = read(t, ward, token); last != trust.Stale && last != trust.SubjectRevoked {
			t.Fatalf("healing, the answer is %s", last)
		}
	}
	await(t, ward, nurse(ward, "nurse-2"), trust.Permit)
}
