package node

import (
	"math"

	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// changeover is how long before and after a card's entry, in seconds, the other
// card's log keys may still, or already, sign: the two logs do not write in step.
const changeover = 60

// ownCards are the cards of a ledger's own participant, in the order of their
// entries. A checkpoint verifies by a log key of the card that was in force.
type ownCards struct {
	cards []participant.Card
	since []int64 // the stamp of each one's entry
	codec *state.Codec
}

// see takes a card that an entry brings. It fails with the reason why it cannot
// be the next.
func (o *ownCards) see(r ledger.Record) error {
	kind := trust.Kind{Name: r.Kind, Version: r.Version}
	if kind != (participant.Renewed{}).EventKind() {
		return nil
	}
	event, err := o.codec.Decode(kind, r.Body)
	if err != nil {
		return err
	}
	signed := event.(participant.Renewed).Card
	card, err := participant.ParseCard(signed)
	last := o.cards[len(o.cards)-1]
	if err != nil || card.ID != last.ID { // a partner's
		return err
	}
	if _, err := participant.Succeed(last, signed); err != nil {
		return err
	}
	o.cards, o.since = append(o.cards, card), append(o.since, r.At)
	return nil
}

// keys gives the log keys under an origin, each for as long as its card said it
// was good and was in force.
func (o *ownCards) keys(origin string) ([]ledger.LogKey, error) {
	var all []ledger.LogKey
	for i, card := range o.cards {
		from, until := int64(math.MinInt64), int64(math.MaxInt64)
		if i > 0 {
			from = o.since[i] - changeover
		}
		if i+1 < len(o.cards) {
			until = o.since[i+1] + changeover
		}
		for _, k := range card.Keys {
			if k.Use != participant.LogKey {
				continue
			}
			v, err := keyring.NoteVerifier(origin, k.Key)
			if err != nil {
				return nil, err
			}
			all = append(all, ledger.LogKey{
				Verifier: v, From: max(from, k.Window.NotBefore), Until: min(until, k.Window.NotAfter),
			})
		}
	}
	return all, nil
}
