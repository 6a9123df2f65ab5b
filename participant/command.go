package participant

import (
	"bytes"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// maxStatementLife is how long a statement may live, in seconds.
const maxStatementLife = 24 * 60 * 60

// Begin gives a node its identity: the first entry of its log. It fails with
// Invalid, or with Conflict for a node that has one. now is Unix seconds.
func (s State) Begin(signed SignedCard, now int64) ([]trust.Event, error) {
	if s.Own != nil {
		return nil, trust.Errorf(trust.Conflict, "this node is %s already; a ledger has one owner", s.Own.Card.ID)
	}
	card, err := current(signed, now)
	if err != nil {
		return nil, err
	}
	return []trust.Event{Born{Card: signed, Demo: card.Demo}}, nil
}

// Renew replaces this node's own card by a newer one of the same participant,
// governance key and logs. It fails with Invalid or Conflict.
func (s State) Renew(signed SignedCard, now int64) ([]trust.Event, error) {
	card, err := current(signed, now)
	if err != nil {
		return nil, err
	}
	if s.Own == nil || card.ID != s.Own.Card.ID {
		return nil, trust.Errorf(trust.Conflict, "card of %s is not this node's; it renews only its own", card.ID)
	}
	if bytes.Equal(signed.Bytes, s.Own.Signed.Bytes) {
		return nil, nil
	}
	if err := s.Own.Card.checkSuccessor(card); err != nil {
		return nil, err
	}
	if err := s.checkUnshared(card); err != nil {
		return nil, err
	}
	return []trust.Event{Renewed{Card: signed}}, nil
}

// Confirm lets a participant in: a local operator gives the fingerprint that
// the partner's people read to him. A partner that is known may come with a
// newer card, never with another governance key or log; a suspension stays. It
// fails with Invalid, Denied or Conflict.
func (s State) Confirm(inv Invitation, given, by string, now int64) ([]trust.Event, error) {
	if s.Own == nil || by == "" {
		return nil, trust.Errorf(trust.Invalid, "partner is confirmed by a named operator of a node that has a card of its own")
	}
	card, err := inv.card()
	if err == nil {
		err = card.checkNow(now)
	}
	if err != nil {
		return nil, err
	}
	switch own := s.Own.Card; {
	case card.ID == own.ID || card.GovernanceKey == own.GovernanceKey:
		return nil, trust.Errorf(trust.Denied, "card of %s is this node's own; nobody is his own partner", card.ID)
	case card.Demo != own.Demo:
		return nil, trust.Errorf(trust.Denied, "participant %s and this node differ in being a demo; time may be injected in a demo's ledger", card.ID)
	}
	if err := s.checkUnshared(card); err != nil {
		return nil, err
	}
	computed := fingerprint(card, inv.Framework)
	if old, known := s.Partner(card.ID); known && bytes.Equal(old.Signed.Bytes, inv.Card.Bytes) && old.Fingerprint == computed {
		return nil, nil
	} else if known && !bytes.Equal(old.Signed.Bytes, inv.Card.Bytes) {
		if err := old.Card.checkSuccessor(card); err != nil {
			return nil, err
		}
	}
	if !sameFingerprint(given, computed) {
		return nil, trust.Errorf(trust.Denied, "fingerprint given for %s is not that of the invitation; it may come from somebody else", card.ID)
	}
	return []trust.Event{Confirmed{Card: inv.Card, Framework: inv.Framework, Fingerprint: computed, By: by}}, nil
}

// current reads a card that holds now.
func current(signed SignedCard, now int64) (Card, error) {
	card, err := ParseCard(signed)
	if err != nil {
		return Card{}, err
	}
	return card, card.checkNow(now)
}

// checkSuccessor decides whether next may follow c.
func (c Card) checkSuccessor(next Card) error {
	switch {
	case c.GovernanceKey != next.GovernanceKey:
		return trust.Errorf(trust.Conflict, "participant %s is known with another governance key; it cannot be replaced by a card", c.ID)
	case c.TrustOrigin != next.TrustOrigin || c.DecisionOrigin != next.DecisionOrigin:
		return trust.Errorf(trust.Conflict, "participant %s is known with other logs; it cannot leave its history", c.ID)
	case c.Demo != next.Demo:
		return trust.Errorf(trust.Conflict, "participant %s cannot begin or cease to be a demo", c.ID)
	case next.Issued <= c.Issued:
		return trust.Errorf(trust.Conflict, "card of %s was issued at %s, not after the one that is known (%s)", c.ID, next.Issued, c.Issued)
	default:
		return nil
	}
}

// checkUnshared: no key and no log of a card is another participant's.
func (s State) checkUnshared(card Card) error {
	for key := range card.owned() {
		if o, ok := s.owners.Get(key); ok && o.participant != card.ID {
			return trust.Errorf(trust.Conflict, "card of %s has a key or log of %s; participants share none", card.ID, o.participant)
		}
	}
	return nil
}

// Declare sets this organisation's own issuers, to be stated to every partner.
// What is declared already changes nothing. It fails with Invalid, Denied or
// Conflict.
func (s State) Declare(f Facts, d Document, by string) ([]trust.Event, error) {
	switch {
	case s.Own == nil || by == "":
		return nil, trust.Errorf(trust.Invalid, "issuers are declared by a named operator of a node that has a card")
	case d.Kind != "Participant":
		return nil, trust.Errorf(trust.Invalid, "document is of kind %q, not Participant", d.Kind)
	case d.ID != s.Own.Card.ID:
		return nil, trust.Errorf(trust.Denied, "document declares for %s; this node speaks only for %s", d.ID, s.Own.Card.ID)
	}
	rendered := make([]Issuer, len(d.Issuers))
	for n, i := range d.Issuers {
		var err error
		if rendered[n], err = i.render(); err != nil {
			return nil, err
		}
	}
	issuers, err := s.checkIssuers(d.ID, f, rendered)
	if err != nil || sameIssuers(issuers, s.Own.Issuers) {
		return nil, err
	}
	return []trust.Event{Declared{Issuers: issuers, By: by}}, nil
}

// Accept takes a statement that a partner signed; its signature was verified
// with the partner's statement key. Only new content is an event: the dates of a
// renewal are for the shell to keep. It fails with Invalid, Denied or Conflict.
func (s State) Accept(f Facts, from trust.ParticipantID, st Statement, now int64) ([]trust.Event, error) {
	partner, ok := s.Partner(from)
	switch {
	case !ok:
		return nil, trust.Errorf(trust.Denied, "statement comes from %s, which is not confirmed here", from)
	case st.Iss != from || st.Sub != from:
		return nil, trust.Errorf(trust.Denied, "statement of %s about %s comes from %s; a participant speaks for itself", st.Iss, st.Sub, from)
	case st.Exp <= now:
		return nil, trust.Errorf(trust.Invalid, "statement of %s has expired", from)
	case st.Iat <= 0 || st.Iat > now+maxAhead:
		return nil, trust.Errorf(trust.Invalid, "statement of %s is issued in the future or at no time", from)
	case st.Exp <= st.Iat || st.Exp-st.Iat > maxStatementLife:
		return nil, trust.Errorf(trust.Invalid, "statement of %s lives %d s; it may live 1 s to 24 h", from, st.Exp-st.Iat)
	}
	issuers, err := s.checkIssuers(from, f, st.Metadata.Entente.Issuers)
	if err != nil || partner.StatementExpires != 0 && sameIssuers(issuers, partner.Issuers) {
		return nil, err
	}
	return []trust.Event{Stated{Participant: from, Issuers: issuers, Expires: st.Exp}}, nil
}

// sameIssuers compares in canonical form, in which no and empty are the same.
func sameIssuers(a, b []Issuer) bool {
	if len(a) == 0 && len(b) == 0 {
		return true
	}
	textA, errA := canonical.Marshal(a)
	textB, errB := canonical.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(textA, textB)
}

// SeeKeys takes the key set that was fetched at an issuer's registered address,
// which must be the address registered now. A set that is known changes
// nothing. It fails with Invalid, NotFound or Conflict.
func (s State) SeeKeys(f Facts, issuer trust.IssuerID, address string, jwks []byte) ([]trust.Event, error) {
	if issuer.TrustDomain() {
		return nil, trust.Errorf(trust.Invalid, "issuer %s is a trust domain; it has a bundle and no key set", issuer)
	}
	speaker, stated := s.Speaker(issuer.String())
	registered := speaker.JWKSURI
	if national, ok := f.national(issuer); ok {
		registered = national.JWKSURI
	} else if !stated {
		return nil, trust.Errorf(trust.NotFound, "issuer %s is stated by nobody and not registered; its keys are not wanted", issuer)
	}
	if registered != address {
		return nil, trust.Errorf(trust.Conflict, "keys of issuer %s come from %s; that is not its one registered address", issuer, address)
	}
	keys, err := jose.ParseKeySet(jwks)
	if err != nil {
		return nil, err
	}
	next := KeySet{Issuer: issuer, Address: address, Keys: keys}
	text, err := canonical.Marshal(keys)
	if err != nil {
		return nil, err
	}
	if seen, ok := s.KeySets.Get(issuerKey(issuer.String())); ok && seen.same(next) {
		return nil, nil
	}
	return []trust.Event{KeysSeen{Issuer: issuer, Address: address, Keys: text}}, nil
}

func (k KeySet) same(other KeySet) bool {
	textA, errA := k.Keys.MarshalJSON()
	textB, errB := other.Keys.MarshalJSON()
	return errA == nil && errB == nil && k.Address == other.Address && bytes.Equal(textA, textB)
}

// Suspend stops trust in a partner at once, by one operator. One that is
// suspended stays so. It fails with Invalid or NotFound.
func (s State) Suspend(id trust.ParticipantID, by string) ([]trust.Event, error) {
	if by == "" {
		return nil, trust.Errorf(trust.Invalid, "participant %s is suspended by nobody; an operator must be named", id)
	}
	partner, ok := s.Partner(id)
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "participant %s is not a partner here", id)
	}
	if partner.Suspended {
		return nil, nil
	}
	return []trust.Event{Suspended{Participant: id, By: by}}, nil
}
