package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
)

func (a *app) engagementCommand() *cobra.Command {
	return a.group("engagement", "The return of somebody whose engagement had ended",
		a.engagementOpen(),
		a.act("approve KEY", "KEY", "Accept a subject back, in the new engagement its home opened", (*admin.Client).ApproveEngagement),
		a.engagementList())
}

func (a *app) engagementOpen() *cobra.Command {
	var e admin.NewEngagement
	c := &cobra.Command{
		Use: "open ISSUER SUBJECT", Short: "Vouch for somebody's return, after a joiner check",
		Example: "  entente engagement open https://idp.rxw.example 7f3c --joiner-check HR-2026-118",
		Args:    args("ISSUER", "SUBJECT"),
		RunE: func(c *cobra.Command, args []string) error {
			e.Issuer, e.Subject = args[0], args[1]
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				opened, err := n.OpenEngagement(ctx, e)
				if err != nil {
					return err
				}
				number := strconv.FormatUint(uint64(opened.Engagement), 10)
				a.say("engagement %s is open; each partner approves it for itself", number)
				return a.show(view{data: opened, names: []string{number}, text: number + "\n"})
			})
		},
	}
	c.Flags().StringVar(&e.JoinerCheck, "joiner-check", "", "the reference of the joiner check")
	_ = c.MarkFlagRequired("joiner-check") // fails only for a flag that is not there
	return c
}

func (a *app) engagementList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the engagements that await approval here", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Engagements(ctx)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"KEY", "ENGAGEMENT", "SINCE"}}
				for _, e := range list.Items {
					key, err := e.Subject.MarshalText()
					if err != nil {
						return err
					}
					v.names = append(v.names, string(key))
					v.rows = append(v.rows, []string{string(key), strconv.FormatUint(uint64(e.Engagement), 10), instant(e.Since)})
				}
				return a.show(v)
			})
		},
	}
}
