package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

func (a *app) keyRotate() *cobra.Command {
	var uses []string
	var begins, overlap, life string
	var r participant.Rotation
	c := &cobra.Command{
		Use: "rotate DRAFT", Short: "Have the node make its next keys, and write the card that will certify them",
		Long: `Have the node make a next key of each use and draft the card that certifies them.
Nothing is used yet: take DRAFT to the governance key, sign it with entente
participant renew, and bring the card back to entente key adopt.

The old keys stay good for the overlap, in which partners take the new card. In
an emergency, --drop leaves them out of it: a partner that has the new card
believes them no longer.`,
		Example: "  entente key rotate card.draft --begin 2026-12-01T06:00:00Z --overlap 14d\n  entente key rotate card.draft --use tls,stream --drop",
		Args:    args("DRAFT"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			for _, use := range uses {
				r.Uses = append(r.Uses, participant.KeyUse(use))
			}
			if begins != "" {
				if r.Begins, err = trust.ParseInstant(begins); err != nil {
					return err
				}
			}
			if r.Overlap, err = trust.ParseSpan(overlap); err != nil {
				return err
			}
			if r.Life, err = trust.ParseSpan(life); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				draft, err := n.DraftCard(ctx, r)
				if err != nil {
					return err
				}
				data, err := canonical.Marshal(draft)
				if err != nil {
					return err
				}
				if err := a.write(args[0], append(data, '\n'), 0o644); err != nil || args[0] == "-" {
					return err
				}
				return a.showCard(draft.Card)
			})
		},
	}
	f := c.Flags()
	f.StringSliceVar(&uses, "use", nil, "log, stream, statement, token, tls (default all of them)")
	f.StringVar(&begins, "begin", "", "when the new keys begin, RFC 3339; at once without it")
	f.StringVar(&overlap, "overlap", "7d", "how long the old keys stay good after that, 5m at least")
	f.StringVar(&life, "life", "400d", "how long the new keys are good")
	f.StringVar(&r.Address, "endpoint", "", "a new https address under which partners reach the node")
	f.BoolVar(&r.Drop, "drop", false, "an emergency: leave the old keys out of the card")
	return c
}

func (a *app) participantRenew() *cobra.Command {
	var key governanceKey
	var out string
	c := &cobra.Command{
		Use: "renew DRAFT", Short: "Sign this organisation's next card with its governance key, offline",
		Long:    "Sign a card that entente key rotate drafted. No node is asked. Look at what is shown: these keys will speak for this organisation.",
		Example: "  entente participant renew card.draft --out card.signed --governance-key governance.key",
		Args:    args("DRAFT"),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := a.read(args[0])
			if err != nil {
				return err
			}
			var draft node.CardDraft
			if err := canonical.Decode(data, &draft); err != nil {
				return trust.Errorf(trust.Invalid, "%s is no draft of a card: %w", args[0], err)
			}
			signer, err := key.open(a)
			if err != nil {
				return err
			}
			signed, err := signNext(draft, func(data []byte) (participant.SignedCard, error) { return participant.SignCard(signer, data) })
			if err != nil {
				return err
			}
			text, err := canonical.Marshal(signed)
			if err != nil {
				return err
			}
			if err := a.write(out, append(text, '\n'), 0o644); err != nil || out == "-" {
				return err
			}
			return a.showCard(signed.Bytes)
		},
	}
	key.flags(c)
	c.Flags().StringVar(&out, "out", "", "the `file` to write the signed card to; - is standard output")
	_ = c.MarkFlagRequired("out") // fails only for a flag that is not there
	return c
}

// signNext signs a card that follows the one the draft says it replaces, and no
// other.
func signNext(draft node.CardDraft, sign func([]byte) (participant.SignedCard, error)) (participant.SignedCard, error) {
	before, err := participant.ParseCard(draft.Replaces)
	if err != nil {
		return participant.SignedCard{}, err
	}
	signed, err := sign(draft.Card)
	if err != nil {
		return signed, err
	}
	_, err = participant.Succeed(before, signed)
	return signed, err
}

func (a *app) keyAdopt() *cobra.Command {
	return &cobra.Command{
		Use: "adopt CARD", Short: "Put this organisation's signed next card in force, and send it to every partner",
		Example: "  entente key adopt card.signed",
		Args:    args("CARD"),
		RunE: func(c *cobra.Command, args []string) error {
			data, err := a.read(args[0])
			if err != nil {
				return err
			}
			var signed participant.SignedCard
			if err := canonical.Decode(data, &signed); err != nil {
				return trust.Errorf(trust.Invalid, "%s is no signed card: %w", args[0], err)
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				if err := n.RenewCard(ctx, signed); err != nil {
					return err
				}
				a.say("the card is in force and on its way to every partner")
				return nil
			})
		},
	}
}

// showCard shows the keys of a card, for a person to look at before and after it
// is signed.
func (a *app) showCard(data []byte) error {
	var card participant.Card
	if err := canonical.Decode(data, &card); err != nil {
		return err
	}
	v := view{data: card, columns: []string{"USE", "FROM", "UNTIL", "KEY"}}
	for _, k := range card.Keys {
		v.names = append(v.names, k.Key.Thumbprint())
		v.rows = append(v.rows, []string{
			string(k.Use), time.Unix(k.Window.NotBefore, 0).UTC().Format(time.RFC3339),
			time.Unix(k.Window.NotAfter, 0).UTC().Format(time.RFC3339), k.Key.Thumbprint(),
		})
	}
	a.say("%s, at %s, issued %s", strings.TrimSpace(card.Name), card.Endpoint, card.Issued)
	return a.show(v)
}
