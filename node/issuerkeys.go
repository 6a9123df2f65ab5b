package node

import (
	"cmp"
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/trust"
)

const (
	// KeysRefresh is how often an issuer's keys are fetched if nobody says otherwise.
	KeysRefresh  = 5 * time.Minute
	keysCooldown = 30 * time.Second // between two fetches an unknown kid may cause
	keysRetry    = 2 * time.Second  // after a failed fetch, at first
)

// issuerKeys schedules the fetches of issuers' key sets, at their registered
// addresses and nowhere else.
type issuerKeys struct {
	refresh time.Duration
	kick    chan struct{}

	mu sync.Mutex
	of map[string]*schedule
}

// schedule is when an issuer's keys were and will be fetched.
type schedule struct {
	url     string
	next    time.Time
	hurried time.Time // last time an unknown kid brought next forward
	retry   time.Duration
	known   bool
	seen    clock.Mark // when the last fetch that was taken began
}

func newIssuerKeys(refresh time.Duration) *issuerKeys {
	return &issuerKeys{refresh: cmp.Or(refresh, KeysRefresh), of: map[string]*schedule{}, kick: make(chan struct{}, 1)}
}

// hurry brings an issuer's scheduled fetch forward, once per cool-down.
func (k *issuerKeys) hurry(issuer string, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.of[issuer]
	if s == nil || now.Sub(s.hurried) < keysCooldown {
		return
	}
	s.hurried, s.next = now, now
	k.wake()
}

// startAnew takes an issuer as one that was never read, to be read now.
func (k *issuerKeys) startAnew(issuer string, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.of[issuer]; s != nil {
		s.known, s.next, s.retry = false, now, keysRetry
	}
	k.wake()
}

func (k *issuerKeys) wake() {
	select {
	case k.kick <- struct{}{}:
	default:
	}
}

// due aligns the schedule with the registered issuers, at their addresses, and
// gives one that is due, or how long until the next.
func (k *issuerKeys) due(registered map[string]string, now time.Time) (string, time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for issuer, s := range k.of {
		if registered[issuer] != s.url {
			delete(k.of, issuer)
		}
	}
	soonest := k.refresh
	for issuer, url := range registered {
		s := k.of[issuer]
		if s == nil {
			s = &schedule{url: url, next: now, retry: keysRetry}
			k.of[issuer] = s
		}
		if !s.next.After(now) {
			return issuer, 0
		}
		soonest = min(soonest, s.next.Sub(now))
	}
	return "", soonest
}

// done notes the outcome of a fetch that began at began; every is when to look
// again after one that was taken.
func (k *issuerKeys) done(issuer string, ok bool, every time.Duration, began clock.Mark, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.of[issuer]
	switch {
	case s == nil:
	case ok:
		s.next, s.retry, s.known, s.seen = now.Add(every), keysRetry, true, began
	default:
		s.next, s.retry = now.Add(s.retry), min(2*s.retry, max(k.refresh, keysRetry))
	}
}

// lastSeen gives when what is known of an issuer was last fetched from its
// registered address and taken; false if it never was since the start.
func (k *issuerKeys) lastSeen(issuer string) (clock.Mark, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.of[issuer]
	if s == nil {
		return clock.Mark{}, false
	}
	return s.seen, s.known
}

// keepIssuerKeys fetches issuers' keys until ctx ends. It runs on real time,
// also in a demo: waiting is not deciding.
func (n *Node) keepIssuerKeys(ctx context.Context) {
	start := n.Clock.Mark()
	now := func() time.Time { return time.Unix(0, 0).Add(n.Clock.Since(start)) }
	for ctx.Err() == nil {
		registered := n.registeredKeys()
		issuer, in := n.issuers.due(registered, now())
		if issuer == "" {
			wait(ctx, n.issuers.kick, min(in, time.Second))
			continue
		}
		began := n.Clock.Mark()
		err := n.fetchKeys(ctx, issuer, registered[issuer])
		n.issuers.done(issuer, err == nil, n.refreshOf(issuer), began, now())
		if err != nil && ctx.Err() == nil {
			n.Log.Warn("an issuer's keys could not be fetched; the last good ones stay", "issuer", issuer, "error", err)
		}
	}
}

// refreshOf gives how often to look at an issuer's address: for a bundle as often
// as it asks for itself, within bounds, so that a removed authority is gone here
// in good time, and so often that two fetches may fail before it is too old.
func (n *Node) refreshOf(issuer string) time.Duration {
	speaker, _ := n.State().Participant.Speaker(issuer)
	if speaker.Bundle == nil {
		return n.issuers.refresh
	}
	every := min(n.issuers.refresh, n.bundleBound()/3)
	if hint := speaker.Bundle.RefreshHint(); hint != 0 && hint < int64(every/time.Second) {
		every = time.Duration(hint) * time.Second
	}
	return min(max(every, keysCooldown), n.issuers.refresh)
}

// bundleBound is the least age at which any tier of the framework in force takes
// a bundle for too old.
func (n *Node) bundleBound() time.Duration {
	bound := framework.DefaultBundleAge
	if f := n.State().Framework.Current; f != nil {
		for _, tier := range f.Document.Tiers {
			bound = min(bound, tier.BundleAge())
		}
	}
	return time.Duration(bound) * time.Second
}

// registeredKeys are the addresses of the key sets and bundles of every issuer
// and trust domain a participant states or the framework registers.
func (n *Node) registeredKeys() map[string]string {
	s := n.State()
	out := map[string]string{}
	add := func(issuers []participant.Issuer) {
		for _, i := range issuers {
			switch {
			case i.Bundle != nil:
				out[i.Issuer.String()] = i.Bundle.URI
			case i.JWKSURI != "":
				out[i.Issuer.String()] = i.JWKSURI
			}
		}
	}
	add(s.Participant.Declared())
	for p := range s.Participant.Partners() {
		add(p.Issuers)
	}
	if s.Framework.Current != nil {
		for _, i := range s.Framework.Current.Document.Issuers {
			out[i.Issuer.String()] = i.JWKSURI
		}
	}
	return out
}

// fetchKeys gets an issuer's key set, or a trust domain's bundle, and records it
// if it changed. A set that
// does not parse changes nothing: the last good one stays.
func (n *Node) fetchKeys(ctx context.Context, issuer, url string) error {
	id, err := trust.ParseIssuerID(issuer)
	if err != nil {
		return err
	}
	body, err := n.document(ctx, id, url)
	if err != nil {
		return err
	}
	_, err = n.change(ctx, func(c *change) error {
		var events []trust.Event
		var err error
		if id.TrustDomain() {
			events, err = c.Participant.SeeBundle(id, url, body)
		} else {
			events, err = c.Participant.SeeKeys(c.issuerFacts(), id, url, body)
		}
		if err != nil {
			return err
		}
		return c.add(events...)
	})
	return err
}

// Registered reports whether a host is that of a registered key set's address.
func (n *Node) Registered(host string) bool {
	for _, address := range n.registeredKeys() {
		if u, err := url.Parse(address); err == nil && u.Hostname() == host {
			return true
		}
	}
	for t := range n.State().Signal.All() {
		for _, address := range []string{t.JWKSURI, t.VerifyURI, t.PollURI} {
			if u, err := url.Parse(address); err == nil && address != "" && u.Hostname() == host {
				return true
			}
		}
	}
	for s := range n.State().Stream.All() {
		if u, err := url.Parse(s.Delivery.Endpoint); err == nil && s.Delivery.Method == stream.Push && u.Hostname() == host {
			return true
		}
	}
	return false
}
