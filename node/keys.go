package node

import (
	"cmp"
	"context"
	"slices"

	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// KeyStage is where a key is in its life.
type KeyStage string

// The stages of a key.
const (
	KeyAnnounced KeyStage = "announced" // its window has not begun
	KeyCurrent   KeyStage = "current"   // it is good now
	KeyEnding    KeyStage = "ending"    // it is good now, and when it ends soon nothing follows it
	KeyGone      KeyStage = "gone"      // its window has ended, or its issuer publishes it no longer
	KeyRevoked   KeyStage = "revoked"   // it was ended here or by its home, for good
)

// KeyView is a public key that this node knows. Of a participant's own keys, ours
// among them, Use is set and its card says the window; of an issuer's keys Issuer
// is set, and the window is when they were seen.
type KeyView struct {
	Participant trust.ParticipantID `json:"participant,omitzero"`
	Use         participant.KeyUse  `json:"use,omitempty"`
	Issuer      string              `json:"issuer,omitempty"`
	KeyID       string              `json:"kid,omitempty"`
	Thumbprint  string              `json:"thumbprint"`
	Alg         string              `json:"alg"`
	From        trust.Instant       `json:"from"`
	Until       trust.Instant       `json:"until,omitzero"`
	Stage       KeyStage            `json:"stage"`
}

// ListKeys lists every key this node knows: its own, those of its partners'
// nodes, and those of issuers, with the latest that are gone.
func (n *Node) ListKeys(_ context.Context, a Actor) ([]KeyView, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	s, now := n.State(), n.Now()
	all := cardKeys(s.Participant.Self(), now)
	for p := range s.Participant.Partners() {
		all = append(all, cardKeys(p, now)...)
	}
	for _, set := range s.Participant.AllKeySets() {
		issuer := set.Issuer.String()
		for _, k := range set.Known {
			v := KeyView{
				Issuer: issuer, KeyID: k.KeyID, Thumbprint: k.Thumbprint, Alg: string(k.Alg),
				From: trust.Instant(k.From), Until: trust.Instant(k.Until), Stage: KeyCurrent,
			}
			switch {
			case s.Revocation.KeyRevoked(issuer, k.Thumbprint):
				v.Stage = KeyRevoked
			case k.Until != 0:
				v.Stage = KeyGone
			}
			all = append(all, v)
		}
	}
	return all, nil
}

func cardKeys(p *participant.Partner, now int64) []KeyView {
	var out []KeyView
	for _, k := range p.Card.Keys {
		v := KeyView{
			Participant: p.Card.ID, Use: k.Use, KeyID: k.Key.KeyID(), Thumbprint: k.Key.Thumbprint(), Alg: string(k.Key.Alg()),
			From: trust.Instant(k.Window.NotBefore), Until: trust.Instant(k.Window.NotAfter), Stage: KeyCurrent,
		}
		switch {
		case now < k.Window.NotBefore:
			v.Stage = KeyAnnounced
		case now >= k.Window.NotAfter:
			v.Stage = KeyGone
		case p.Card.Until(k.Use, now)-now <= keySoon:
			v.Stage = KeyEnding
		}
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b KeyView) int { return cmp.Or(cmp.Compare(a.Use, b.Use), cmp.Compare(a.From, b.From)) })
	return out
}
