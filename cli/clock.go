package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
)

func (a *app) clockCommand() *cobra.Command {
	return a.group("clock", "The node's time, held against its partners'", a.clockShow(), a.clockAccept())
}

func (a *app) clockShow() *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show whether the node's time is to be relied on", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				s, err := n.Status(ctx)
				if err != nil {
					return err
				}
				return a.show(clockView(s.Clock))
			})
		},
	}
}

func (a *app) clockAccept() *cobra.Command {
	var reason string
	var yes bool
	c := &cobra.Command{
		Use: "accept", Short: "Take the machine's time, as it is now, for the right one",
		Long: `Take the machine's time, as it is now, for the right one, and leave deny mode.
First put the machine's clock right. Where it is the partners' clocks that are
wrong, what this node's is ahead of them is accepted with it.`,
		Example: "  entente clock accept --reason 'time server repaired, INC-4711' --yes",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.confirm(danger{"Accepting the machine's time", "accept", yes}); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				s, err := n.AcceptClock(ctx, reason)
				if err != nil {
					return err
				}
				return a.show(clockView(s))
			})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why; it is kept sealed in this node's ledger")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	return c
}

func clockView(s node.ClockStatus) view {
	return view{
		data: s, names: []string{string(s.Stage)}, columns: []string{"CLOCK", "AHEAD OF PARTNERS", "PARTNERS HEARD", "ACCEPTED"},
		rows: [][]string{{string(s.Stage), fmt.Sprintf("%ds", s.Ahead), fmt.Sprint(s.Heard), fmt.Sprintf("%ds", s.Accepted)}},
	}
}
