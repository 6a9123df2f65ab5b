package node

import (
	"cmp"
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/entente-id/entente/participant"
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

// done notes the outcome of a fetch.
func (k *issuerKeys) done(issuer string, ok bool, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.of[issuer]
	switch {
	case s == nil:
	case ok:
		s.next, s.retry = now.Add(k.refresh), keysRetry
	default:
		s.next, s.retry = now.Add(s.retry), min(2*s.retry, max(k.refresh, keysRetry))
	}
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
		err := n.fetchKeys(ctx, issuer, registered[issuer])
		n.issuers.done(issuer, err == nil, now())
		if err != nil && ctx.Err() == nil {
			n.Log.Warn("an issuer's keys could not be fetched; the last good ones stay", "issuer", issuer, "error", err)
		}
	}
}

// registeredKeys are the addresses of the key sets of every issuer a
// participant states or the framework registers.
func (n *Node) registeredKeys() map[string]string {
	s := n.State()
	out := map[string]string{}
	add := func(issuers []participant.Issuer) {
		for _, i := range issuers {
			if i.JWKSURI != "" {
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

// fetchKeys gets an issuer's key set and records it if it changed. A set that
// does not parse changes nothing: the last good one stays.
func (n *Node) fetchKeys(ctx context.Context, issuer, url string) error {
	id, err := trust.ParseIssuerID(issuer)
	if err != nil {
		return err
	}
	body, err := n.Fetch.Get(ctx, url)
	if err != nil {
		return err
	}
	_, err = n.change(ctx, func(c *change) error {
		events, err := c.Participant.SeeKeys(c.issuerFacts(), id, url, body)
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
	return false
}
