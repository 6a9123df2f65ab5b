package participant

import (
	"bytes"
	"slices"

	"github.com/entente-id/entente/trust"
)

// Rotation says which online keys get a successor, and when.
type Rotation struct {
	Uses    []KeyUse      `json:"uses,omitempty"`     // none: every use
	Begins  trust.Instant `json:"begins,omitzero"`    // of the new keys; 0: at once
	Overlap trust.Span    `json:"overlap,omitzero"`   // how long the old keys are good after that; 0: a week
	Life    trust.Span    `json:"life,omitzero"`      // of the new keys; 0: 400 days
	Drop    bool          `json:"drop,omitzero"`      // an emergency: the old keys are in the card no longer
	Address string        `json:"endpoint,omitempty"` // where partners reach the node; empty: as before
}

const (
	day = 24 * 60 * 60
	// logGrace is how long a log key that was dropped may still sign, in seconds:
	// what is on its way down while the card is signed and adopted.
	logGrace = 60 * 60
)

// Settle gives r with what it leaves open decided, at now (Unix seconds). It
// fails with Invalid.
func (r Rotation) Settle(now int64) (Rotation, error) {
	if len(r.Uses) == 0 {
		r.Uses = KeyUses()
	}
	if r.Begins == 0 || r.Drop {
		r.Begins = trust.Instant(now)
	}
	if r.Overlap == 0 {
		r.Overlap = 7 * day
	}
	if r.Life == 0 {
		r.Life = 400 * day
	}
	for i, use := range r.Uses {
		if !use.Valid() || slices.Contains(r.Uses[:i], use) {
			return r, trust.Errorf(trust.Invalid, "rotation names the use %q, which does not exist or stands twice", use)
		}
	}
	switch {
	case int64(r.Begins) < now:
		return r, trust.Errorf(trust.Invalid, "rotation begins at %s, in the past", r.Begins)
	case r.Overlap < 300 || r.Life <= r.Overlap:
		return r, trust.Errorf(trust.Invalid, "rotation overlaps by %s for a life of %s; it overlaps by 5m at least and by less than a life", r.Overlap, r.Life)
	default:
		return r, nil
	}
}

// Window gives when the new keys are good.
func (r Rotation) Window() trust.Window {
	return trust.Window{NotBefore: int64(r.Begins), NotAfter: int64(r.Begins) + int64(r.Life)}
}

// Next drafts the card that follows c by a settled rotation to the given new
// keys, at now (Unix seconds). Old keys of the rotated uses end with the overlap;
// dropped ones are left out, but for log keys. It fails with Invalid.
func (c Card) Next(r Rotation, made []KeyRecord, now int64) (Card, error) {
	next := c
	next.Issued = max(trust.Instant(now), c.Issued+1)
	if r.Address != "" {
		next.Endpoint = r.Address
	}
	next.Keys = nil
	for _, k := range c.Keys {
		if slices.Contains(r.Uses, k.Use) {
			k.Window.NotAfter = min(k.Window.NotAfter, r.ends(k.Use, now))
		}
		if k.Window.NotAfter > max(now, k.Window.NotBefore) {
			next.Keys = append(next.Keys, k)
		}
	}
	next.Keys = append(next.Keys, made...)
	for _, use := range r.Uses {
		if begins := int64(r.Begins); begins > now && len(next.keys(use, begins-1)) == 0 {
			return Card{}, trust.Errorf(trust.Invalid, "the %s key of %s ends before the new one begins at %s", use, c.ID, r.Begins)
		}
	}
	return next, next.check()
}

// ends is when an old key of a rotated use ends.
func (r Rotation) ends(use KeyUse, now int64) int64 {
	switch {
	case r.Drop && use == LogKey:
		return now + logGrace
	case r.Drop:
		return now
	default:
		return int64(r.Begins) + int64(r.Overlap)
	}
}

// Follow takes a newer card that a partner sent: signed by the governance key
// that was confirmed, of the same logs. What is known changes nothing. It fails
// with Invalid, Denied or Conflict.
func (s State) Follow(from trust.ParticipantID, signed SignedCard, now int64) ([]trust.Event, error) {
	partner, ok := s.Partner(from)
	if !ok {
		return nil, trust.Errorf(trust.Denied, "card comes from %s, which is not confirmed here", from)
	}
	if bytes.Equal(signed.Bytes, partner.Signed.Bytes) {
		return nil, nil
	}
	card, err := Succeed(partner.Card, signed)
	if err == nil {
		err = card.checkNow(now)
	}
	if err == nil {
		err = s.checkUnshared(card)
	}
	if err != nil {
		return nil, err
	}
	return []trust.Event{Renewed{Card: signed}}, nil
}

// Succeed reads a card and checks that it may follow another: sound, of the same
// participant, signed by the same governance key, of the same logs, newer. It
// fails with Invalid or Conflict.
func Succeed(before Card, signed SignedCard) (Card, error) {
	card, err := ParseCard(signed)
	if err != nil {
		return Card{}, err
	}
	if card.ID != before.ID {
		return Card{}, trust.Errorf(trust.Conflict, "card of %s does not follow that of %s", card.ID, before.ID)
	}
	return card, before.checkSuccessor(card)
}
