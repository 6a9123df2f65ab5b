package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

func (a *app) holdCommand() *cobra.Command {
	return a.group("hold", "Legal holds: whose data is not to be erased, and why", a.holdSubject(), a.holdEnd(), a.holdList())
}

func (a *app) holdSubject() *cobra.Command {
	var r node.HoldRequest
	var participant, until string
	c := &cobra.Command{
		Use: "subject ISSUER SUBJECT", Short: "Keep what is sealed about somebody from being erased", Args: args("ISSUER", "SUBJECT"),
		Example: "  entente hold subject https://idp.rxw.example 7f3c --reason 'litigation' --case HC-2026-17 --until 2027-06-30T00:00:00Z",
		RunE: func(c *cobra.Command, args []string) (err error) {
			r.Issuer, r.Subject = args[0], args[1]
			if err := readParticipant(participant, &r.Participant); err != nil {
				return err
			}
			if until != "" {
				if r.Until, err = trust.ParseInstant(until); err != nil {
					return err
				}
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				placed, err := n.PlaceHold(ctx, r)
				if err != nil {
					return err
				}
				return a.show(view{data: placed, names: []string{placed.ID}, text: placed.ID + " stands" + holdUntil(placed) + "\n"})
			})
		},
	}
	subjectFlags(c, &participant, &r.Reason, "why; it is kept sealed, and told to whoever tries to erase")
	c.Flags().StringVar(&r.Case, "case", "", "the case's reference")
	c.Flags().StringVar(&until, "until", "", "when it ends by itself, as 2027-06-30T00:00:00Z")
	return c
}

func holdUntil(h admin.Hold) string {
	if h.Until == 0 {
		return " until it is ended"
	}
	return " until " + h.Until.String()
}

func (a *app) holdEnd() *cobra.Command {
	var why admin.EndOfHold
	c := &cobra.Command{
		Use: "end HOLD", Short: "End a hold that stands", Args: args("HOLD"),
		Example: "  entente hold end hold-3 --reason 'case closed'",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				ended, err := n.EndHold(ctx, args[0], why)
				if err != nil {
					return err
				}
				return a.show(view{data: ended, names: []string{ended.ID}, text: ended.ID + " is ended\n"})
			})
		},
	}
	c.Flags().StringVar(&why.Reason, "reason", "", "why; it is kept sealed")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	return c
}

func (a *app) holdList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the holds, ended ones too", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Holds(ctx)
				if err != nil {
					return err
				}
				v := view{
					data:    list,
					columns: []string{"ID", "STAGE", "SUBJECT", "CASE", "REASON", "UNTIL", "PARTICIPANT", "ISSUER", "SINCE", "BY", "ENDED BY"}, narrow: 6,
				}
				for _, h := range list.Items {
					until := ""
					if h.Until != 0 {
						until = h.Until.String()
					}
					v.names = append(v.names, h.ID)
					v.rows = append(v.rows, []string{
						h.ID, h.Stage, h.Subject, h.Case, h.Reason, until, h.Participant.String(), h.Issuer, h.Since.String(), h.By, h.EndedBy,
					})
				}
				return a.show(v)
			})
		},
	}
}
