package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

func (a *app) eraseCommand() *cobra.Command {
	return a.group("erase", "Destroy what this node can read about somebody who has left, by the word of two", a.eraseSubject(), a.eraseList())
}

func (a *app) eraseSubject() *cobra.Command {
	var r node.ErasureRequest
	var participant string
	var yes bool
	c := &cobra.Command{
		Use: "subject ISSUER SUBJECT", Short: "Destroy the data key of somebody whose engagement has ended", Args: args("ISSUER", "SUBJECT"),
		Long: `Destroy the data key of somebody whose engagement has ended: the first operator asks,
and another person says so too within a day. What the ledger sealed about them can
then be read by nobody, in no copy of it; that they were revoked, and what the ledger
proves, stays. It cannot be undone. The reason and the ticket are kept, so name
nobody in them.`,
		Example: "  entente erase subject https://idp.rxw.example 7f3c --reason 'request under Art. 17' --ticket DPO-31",
		RunE: func(c *cobra.Command, args []string) error {
			r.Issuer, r.Subject = args[0], args[1]
			if err := readParticipant(participant, &r.Participant); err != nil {
				return err
			}
			if err := a.confirm(danger{"Erasing subject " + args[1], args[1], yes}); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				done, err := n.Erase(ctx, r)
				if err != nil {
					return err
				}
				text := fmt.Sprintf("erased at %s; data keys destroyed: %d\n", done.Position, done.Keys)
				if done.Until != 0 {
					text = fmt.Sprintf("asked for at %s; another person says so too before %s\n", done.Position, done.Until)
				}
				return a.show(view{data: done, names: []string{done.Position.String()}, text: text})
			})
		},
	}
	subjectFlags(c, &participant, &r.Reason, "why; it is kept, so name nobody in it")
	c.Flags().StringVar(&r.Ticket, "ticket", "", "the reference of the request; it is kept")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// subjectFlags are those by which an issuer's subject is named, and a reason given.
func subjectFlags(c *cobra.Command, participant, reason *string, why string) {
	c.Flags().StringVar(participant, "participant", "", "whose subject it is, where the issuer speaks for several")
	c.Flags().StringVar(reason, "reason", "", why)
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
}

func readParticipant(text string, p *trust.ParticipantID) (err error) {
	if text != "" {
		*p, err = trust.ParseParticipantID(text)
	}
	return err
}

func (a *app) eraseList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List who was erased, by keyed hashes that name nobody", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Erasures(ctx)
				if err != nil {
					return err
				}
				v := view{
					data:    list,
					columns: []string{"POSITION", "AT", "PARTICIPANT", "KEYS", "TICKET", "REASON", "ASKED", "BY", "TIMES", "KEY"}, narrow: 6,
				}
				for _, e := range list.Items {
					key, err := e.Key.MarshalText()
					if err != nil {
						return err
					}
					v.names = append(v.names, e.Position.String())
					v.rows = append(v.rows, []string{
						e.Position.String(), e.At.String(), e.Participant.String(), strconv.Itoa(e.Keys), e.Ticket, e.Reason, e.Asked, e.By,
						strconv.Itoa(e.Times), string(key),
					})
				}
				return a.show(v)
			})
		},
	}
}
