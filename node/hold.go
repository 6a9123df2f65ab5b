package node

import (
	"context"
	"strconv"
	"strings"

	"github.com/entente-id/entente/erasure"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// HoldRequest names whose data must not be erased, and why. Participant is whose
// subject it is, where the issuer speaks for several. The hold stands until Until;
// where that is 0, until it is ended.
type HoldRequest struct {
	Issuer      string              `json:"issuer"`
	Subject     string              `json:"subject"`
	Participant trust.ParticipantID `json:"participant,omitzero"`
	Reason      string              `json:"reason"`
	Case        string              `json:"case,omitempty"`
	Until       trust.Instant       `json:"until,omitzero"`
}

// Hold is a legal hold and what was written of it, which is gone once the person
// was erased after it.
type Hold struct {
	erasure.Hold
	Text HoldText
}

// HoldText is the sealed part of a hold. End is not in it: that stands beside the
// entry which ended the hold.
type HoldText struct {
	Issuer string `json:"issuer"`
	Name   string `json:"subject"`
	Reason string `json:"reason"`
	Case   string `json:"case,omitempty"`
}

// PlaceHold keeps what is sealed about a subject from being erased. One operator
// is enough.
func (n *Node) PlaceHold(ctx context.Context, a Actor, r HoldRequest) (Hold, error) {
	var id uint64
	_, err := n.write(ctx, a, func(c *change) error {
		if r.Reason == "" {
			return trust.Errorf(trust.Invalid, "a hold has a reason; this one has none")
		}
		t, err := c.stoppable(Stoppable{Kind: suspension.Subject, Issuer: r.Issuer, Subject: r.Subject, Participant: r.Participant})
		if err != nil {
			return err
		}
		events, err := c.Erasure.PlaceHold(erasure.HoldPlaced{Participant: t.Participant, Subject: t.Subject, Until: int64(r.Until), By: a.ID}, c.now)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{owner: t.Subject, text: HoldText{r.Issuer, r.Subject, r.Reason, r.Case}}); err != nil {
				return err
			}
		}
		id = uint64(c.Erasure.Holds.Len())
		return nil
	})
	if err != nil {
		return Hold{}, err
	}
	h, _ := n.State().Erasure.Hold(id)
	return n.legalHold(ctx, h)
}

// EndHold ends a hold that stands, by its identifier. One operator is enough: it
// takes two others to erase somebody.
func (n *Node) EndHold(ctx context.Context, a Actor, id, reason string) (Hold, error) {
	number, err := strconv.ParseUint(strings.TrimPrefix(id, "hold-"), 10, 64)
	if err != nil || erasure.HoldID(number) != id {
		return Hold{}, trust.Errorf(trust.NotFound, "hold %q is not known", id)
	}
	_, err = n.write(ctx, a, func(c *change) error {
		if reason == "" {
			return trust.Errorf(trust.Invalid, "ending a hold has a reason; this has none")
		}
		events, err := c.Erasure.EndHold(number, a.ID, c.now)
		if err != nil {
			return err
		}
		h, _ := c.Erasure.Hold(number)
		for _, e := range events {
			if err := c.addSealed(e, sealed{owner: h.Subject, text: reasonText{reason}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Hold{}, err
	}
	h, _ := n.State().Erasure.Hold(number)
	return n.legalHold(ctx, h)
}

// Holds lists the holds, ended ones too, in the order in which they were placed.
func (n *Node) Holds(ctx context.Context, a Actor) ([]Hold, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	all := []Hold{}
	for h := range n.State().Erasure.AllHolds() {
		one, err := n.legalHold(ctx, h)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// legalHold gives a hold with what was written of it.
func (n *Node) legalHold(ctx context.Context, h erasure.Hold) (Hold, error) {
	r, err := n.trust.Entry(ctx, h.At.N)
	if err != nil {
		return Hold{}, err
	}
	text, err := unsealed[HoldText](&change{n: n, ctx: ctx}, h.Subject, r)
	if err != nil || text == nil {
		return Hold{Hold: h}, err
	}
	return Hold{h, *text}, nil
}

// holdReason is why a hold stands, as the one who tries to erase is told.
func (n *Node) holdReason(ctx context.Context, h erasure.Hold) string {
	one, err := n.legalHold(ctx, h)
	if err != nil {
		return "its reason could not be read"
	}
	if one.Text.Case != "" {
		return one.Text.Reason + ", case " + one.Text.Case
	}
	return one.Text.Reason
}
