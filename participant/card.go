package participant

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

const (
	maxCard  = 64 << 10
	maxKeys  = 64
	maxAhead = 60 // seconds a partner's clock may be ahead of ours
)

// KeyUses lists the uses of online keys; a card certifies one or more of each.
func KeyUses() []KeyUse { return []KeyUse{LogKey, StreamKey, StatementKey, TokenKey, TLSKey} }

// Valid reports whether u is one of the uses there are.
func (u KeyUse) Valid() bool {
	switch u {
	case LogKey, StreamKey, StatementKey, TokenKey, TLSKey:
		return true
	default:
		return false
	}
}

// Signs gives what keys of this use sign.
func (u KeyUse) Signs() jose.Use {
	switch u {
	case LogKey:
		return jose.ForCheckpoint
	case StreamKey:
		return jose.ForMessage
	case StatementKey:
		return jose.ForStatement
	case TokenKey:
		return jose.ForCredential
	case TLSKey:
		return jose.ForTLS
	default:
		return ""
	}
}

// DraftCard checks a card and renders the bytes that its governance key signs.
// It fails with Invalid.
func DraftCard(c Card) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return canonical.Marshal(c)
}

// SignCard signs a card's bytes with its governance key. It fails with Invalid,
// or as the signer fails.
func SignCard(s jose.Signer, data []byte) (SignedCard, error) {
	signature, err := jose.SignBytes(s, CardDomain, data)
	return SignedCard{Bytes: data, Signature: signature}, err
}

// ParseCard reads a card and checks that it is sound and signed by its own
// governance key over CardDomain. Whose key that is, a fingerprint tells. It
// fails with Invalid.
func ParseCard(s SignedCard) (Card, error) {
	if len(s.Bytes) > maxCard {
		return Card{}, trust.Errorf(trust.Invalid, "card has %d bytes; the most is %d", len(s.Bytes), maxCard)
	}
	c, err := s.read()
	if err != nil {
		return Card{}, err
	}
	if err := c.check(); err != nil {
		return Card{}, err
	}
	key, err := jose.ParseGovernanceKey(c.GovernanceKey)
	if err != nil {
		return Card{}, err
	}
	if err := jose.VerifyBytes(key, CardDomain, s.Bytes, s.Signature); err != nil {
		return Card{}, trust.Errorf(trust.Invalid, "card of %s is not signed by its governance key: %w", c.ID, err)
	}
	return c, nil
}

// read parses the bytes, without a check.
func (s SignedCard) read() (c Card, err error) {
	if err := canonical.Decode(s.Bytes, &c); err != nil {
		return Card{}, trust.Errorf(trust.Invalid, "card cannot be read: %w", err)
	}
	return c, nil
}

// check reports the first fault of a card's content.
func (c Card) check() error {
	switch {
	case c.Kind != "Card":
		return trust.Errorf(trust.Invalid, "card is of kind %q, not Card", c.Kind)
	case c.ID.IsZero() || c.Name == "" || len(c.Name) > 256:
		return trust.Errorf(trust.Invalid, "card of %q must name the participant", c.ID)
	case !isOrigin(c.TrustOrigin) || !isOrigin(c.DecisionOrigin) || c.TrustOrigin == c.DecisionOrigin:
		return trust.Errorf(trust.Invalid, "card of %s must give two log origins without space or plus sign", c.ID)
	case c.Issued <= 0:
		return trust.Errorf(trust.Invalid, "card of %s must say when it was issued", c.ID)
	}
	if err := checkEndpoint(c.Endpoint); err != nil {
		return trust.Errorf(trust.Invalid, "card of %s: %w", c.ID, err)
	}
	return c.checkKeys()
}

// isOrigin: an origin is a key name of a signed note (C2SP signed-note).
func isOrigin(s string) bool {
	return s != "" && len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '+' || r >= 0x7f })
}

func checkEndpoint(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || s != "https://"+u.Host {
		return trust.Errorf(trust.Invalid, "endpoint %q is not https://host:port", s)
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || port == 0 {
		return trust.Errorf(trust.Invalid, "endpoint %q has no port from 1 to 65535", s)
	}
	return nil
}

// checkKeys: one or more of each use, each key once, none the governance key.
func (c Card) checkKeys() error {
	governance, err := jose.ParseGovernanceKey(c.GovernanceKey)
	if err != nil {
		return trust.Errorf(trust.Invalid, "card of %s: %w", c.ID, err)
	}
	if len(c.Keys) > maxKeys {
		return trust.Errorf(trust.Invalid, "card of %s has %d keys; the most is %d", c.ID, len(c.Keys), maxKeys)
	}
	missing := KeyUses()
	seen := map[string]bool{governance.Thumbprint(): true}
	for i, k := range c.Keys {
		switch {
		case !k.Use.Valid() || k.Key.IsZero():
			return trust.Errorf(trust.Invalid, "card of %s has a key %d without a known use (%q)", c.ID, i, k.Use)
		case !k.Use.Signs().Admits(k.Key.Alg()):
			return trust.Errorf(trust.Invalid, "card of %s has a %s key for %s; nodes take %v for a %s", c.ID, k.Use, k.Key.Alg(), k.Use.Signs().Algs(), k.Use.Signs())
		case k.Window.NotBefore < 0 || k.Window.NotAfter <= k.Window.NotBefore:
			return trust.Errorf(trust.Invalid, "card of %s has a %s key that ends before it begins", c.ID, k.Use)
		case seen[k.Key.Thumbprint()]:
			return trust.Errorf(trust.Invalid, "card of %s has the same key for two records; a key has one use", c.ID)
		}
		seen[k.Key.Thumbprint()] = true
		missing = slices.DeleteFunc(missing, func(u KeyUse) bool { return u == k.Use })
	}
	if len(missing) > 0 {
		return trust.Errorf(trust.Invalid, "card of %s has no key for %v; each use needs one", c.ID, missing)
	}
	return nil
}

// checkNow: issued by now, and every use has a key that is valid now. A partner's
// clock may be a little ahead, so a card of a moment to come is judged at that.
func (c Card) checkNow(now int64) error {
	if int64(c.Issued) > now+maxAhead {
		return trust.Errorf(trust.Invalid, "card of %s is issued at %s, in the future", c.ID, c.Issued)
	}
	now = max(now, int64(c.Issued))
	for _, use := range KeyUses() {
		if len(c.keys(use, now)) == 0 {
			return trust.Errorf(trust.Invalid, "card of %s has no %s key that is valid now", c.ID, use)
		}
	}
	return nil
}

func (c Card) keys(use KeyUse, now int64) []jose.Key {
	var keys []jose.Key
	for _, k := range c.Keys {
		if k.Use == use && k.Window.Contains(now) {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

func isHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && hex.EncodeToString(b) == s
}
