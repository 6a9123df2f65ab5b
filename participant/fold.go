package participant

import (
	"cmp"
	"slices"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Apply gives the state after e. It never fails; an event of another package
// changes nothing, nor does one about a participant that is not known.
func (s State) Apply(e trust.Event, at trust.Stamp) State {
	switch e := e.(type) {
	case Born:
		return s.own(e.Card, at.At)
	case Renewed:
		return s.renew(e.Card, at.At)
	case Confirmed:
		return s.confirm(e, at.At)
	case Declared:
		if s.Own != nil {
			own := *s.Own
			own.Issuers = e.Issuers
			return s.replaceOwn(&own)
		}
	case Stated:
		if old, ok := s.Partner(e.Participant); ok {
			p := *old
			p.Issuers, p.StatementExpires = e.Issuers, e.Expires
			return s.replace(&p)
		}
	case KeysSeen:
		return s.see(e, at.At)
	case BundleSeen:
		return s.seeBundle(e)
	case Suspended:
		return s.suspend(e.Participant, e.From, true)
	case Resumed:
		return s.suspend(e.Participant, e.From, false)
	case Adopted:
		if old, ok := s.Partner(e.Participant); ok {
			p := *old
			p.Adopted, p.AdoptedHash = e.Version, e.Framework
			s.Others = s.Others.With(partnerKey(e.Participant), &p)
		}
	}
	return s
}

func (s State) own(signed SignedCard, at int64) State {
	card, err := signed.read()
	if err != nil {
		return s
	}
	own := Partner{Card: card, Signed: signed, StatementExpires: never, Confirmed: at}
	if s.Own != nil {
		own.Issuers, own.Confirmed = s.Own.Issuers, s.Own.Confirmed
	}
	return s.replaceOwn(&own)
}

// renew replaces the card of this node or of a partner that is known.
func (s State) renew(signed SignedCard, at int64) State {
	card, err := signed.read()
	if err != nil {
		return s
	}
	if old, ok := s.Partner(card.ID); ok {
		p := *old
		p.Card, p.Signed = card, signed
		return s.replace(&p)
	}
	if s.Own != nil && s.Own.Card.ID != card.ID {
		return s
	}
	return s.own(signed, at)
}

// confirm keeps what is known of a partner whose card is replaced: a new card
// lifts no suspension.
func (s State) confirm(e Confirmed, at int64) State {
	card, err := e.Card.read()
	if err != nil {
		return s
	}
	var p Partner
	if old, ok := s.Partner(card.ID); ok {
		p = *old
	}
	p.Card, p.Signed, p.Framework, p.Fingerprint, p.Confirmed = card, e.Card, e.Framework, e.Fingerprint, at
	return s.replace(&p)
}

// suspend marks a participant that we, or that itself towards us, suspended, or
// takes the mark away.
func (s State) suspend(id, from trust.ParticipantID, suspended bool) State {
	if !from.IsZero() {
		id = from
	}
	old, ok := s.Partner(id)
	if !ok {
		return s
	}
	p := *old
	if from.IsZero() {
		p.Suspended = suspended
	} else {
		p.SuspendsUs = suspended
	}
	s.Others = s.Others.With(partnerKey(id), &p)
	return s
}

// see replaces an issuer's keys; nothing is merged. Keys of an address on which
// the candidates do not agree are nobody's.
func (s State) see(e KeysSeen, at int64) State {
	keys, err := jose.ParseKeySet(e.Keys)
	if err != nil {
		return s
	}
	iss := e.Issuer.String()
	speaker, stated := s.Speaker(iss)
	if stated && speaker.conflicts() || e.Issuer.TrustDomain() {
		return s
	}
	before, _ := s.KeySets.Get(issuerKey(iss))
	seen := KeySet{Issuer: e.Issuer, Address: cmp.Or(e.Address, speaker.JWKSURI), Keys: keys, Known: known(before.Known, keys, at)}
	s.KeySets = s.KeySets.With(issuerKey(iss), seen)
	if stated && speaker.readsAt(seen.Address) {
		speaker.Keys, speaker.KeysFrom = keys, seen.Address
		s.speakers = s.speakers.With(issuerKey(iss), &speaker)
	}
	return s
}

// replaceOwn puts own in place of this node's participant.
func (s State) replaceOwn(own *Partner) State {
	if s.Own != nil {
		s = s.unindex(s.Own)
	}
	s.Own = own
	return s.index(own)
}

// replace puts p in place of the partner of its identifier.
func (s State) replace(p *Partner) State {
	if old, ok := s.Partner(p.Card.ID); ok {
		s = s.unindex(old)
	}
	s.Others = s.Others.With(partnerKey(p.Card.ID), p)
	return s.index(p)
}

func (s State) index(p *Partner) State {
	for key, window := range p.Card.owned() {
		s.owners = s.owners.With(key, owner{p.Card.ID, window})
	}
	for _, issuer := range p.Issuers {
		c := Claimant{Participant: p.Card.ID, Value: issuer.value(), Issuer: issuer}
		s = s.respeak(issuer.Issuer, func(all []Claimant) []Claimant { return append(all, c) })
	}
	return s
}

// owned gives the rows of a card in the index of owners: what only one
// participant has, and when.
func (c Card) owned() map[table.Key]trust.Window {
	rows := map[table.Key]trust.Window{originKey(c.TrustOrigin): {}, originKey(c.DecisionOrigin): {}}
	if governance, err := jose.ParseGovernanceKey(c.GovernanceKey); err == nil {
		rows[thumbprintKey(governance.Thumbprint())] = trust.Window{}
	}
	for _, k := range c.Keys {
		rows[thumbprintKey(k.Key.Thumbprint())] = k.Window
		if hash, ok := spki(k.Key); ok && k.Use == TLSKey {
			rows[tlsKey(hash)] = k.Window
		}
	}
	return rows
}

func (s State) unindex(p *Partner) State {
	for key := range p.Card.owned() {
		s.owners = s.owners.Without(key)
	}
	for _, issuer := range p.Issuers {
		s = s.respeak(issuer.Issuer, func(all []Claimant) []Claimant {
			return slices.DeleteFunc(all, func(c Claimant) bool { return c.Participant == p.Card.ID })
		})
	}
	return s
}

// respeak gives an issuer other candidates.
func (s State) respeak(id trust.IssuerID, change func([]Claimant) []Claimant) State {
	iss := id.String()
	speaker, _ := s.Speaker(iss)
	candidates := change(slices.Clone(speaker.Candidates))
	if len(candidates) == 0 {
		s.speakers = s.speakers.Without(issuerKey(iss))
		return s
	}
	slices.SortFunc(candidates, func(a, b Claimant) int {
		return cmp.Or(cmp.Compare(a.Participant.String(), b.Participant.String()), cmp.Compare(a.Value, b.Value))
	})
	next := &Speaker{Issuer: id, Candidates: candidates}
	if !next.conflicts() {
		next.JWKSURI, next.Discriminator = candidates[0].Issuer.JWKSURI, candidates[0].Issuer.claim()
		if seen, ok := s.KeySets.Get(issuerKey(iss)); ok && next.readsAt(seen.Address) {
			next.Keys, next.KeysFrom = seen.Keys, seen.Address
		}
		next.Bundle = s.seenBundle(next)
	}
	s.speakers = s.speakers.With(issuerKey(iss), next)
	return s
}

// conflicts reports whether the candidates differ in where the issuer's keys
// are, or in the claim that tells them apart. Such an issuer has no keys and no
// discriminator here, so that it is ambiguous and nothing verifies.
func (s Speaker) conflicts() bool {
	first := s.Candidates[0].Issuer
	return slices.ContainsFunc(s.Candidates, func(c Claimant) bool {
		return c.Issuer.JWKSURI != first.JWKSURI || c.Issuer.claim() != first.claim()
	})
}

// claim is the discriminator's claim, empty without one.
func (i Issuer) claim() string {
	if i.Discriminator == nil {
		return ""
	}
	return i.Discriminator.Claim
}
