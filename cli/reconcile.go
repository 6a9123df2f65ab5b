package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/trust"
)

func (a *app) reconcileCommand() *cobra.Command {
	var r admin.Reconciling
	c := &cobra.Command{
		Use: "reconcile PARTNER", Short: "Compare our account of what happened with a partner's",
		Long: `Compare our account with a partner's, number by number: what it told us of our
people and what its ledger has, and the same the other way round. Where the two
differ each node raises a finding, and the exit code is 5.`,
		Example: "  entente reconcile https://trust.rje.example",
		Args:    args("PARTNER"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if r.Partner, err = trust.ParseParticipantID(args[0]); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Reconcile(ctx, r)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"WE ARE", "RECEIPTS", "ERASED", "OUTCOME"}}
				differ := 0
				for _, one := range list.Items {
					v.names = append(v.names, string(one.Side))
					compared := "none"
					if one.To != 0 {
						compared = receipts(one.Series, one.From, one.To)
					}
					row := []string{string(one.Side), compared, strconv.Itoa(one.Erased), "equal"}
					for _, d := range one.Differences {
						row[3] = string(d.Kind) + " " + receipts(d.Series, d.From, d.To)
						v.rows = append(v.rows, row)
						row = []string{"", "", "", ""}
					}
					if len(one.Differences) == 0 {
						v.rows = append(v.rows, row)
					}
					differ += len(one.Differences)
				}
				if err := a.show(v); err != nil || differ == 0 {
					return err
				}
				return trust.Errorf(trust.Conflict, "our account and that of %s differ in %d places; entente finding list has them", r.Partner, differ)
			})
		},
	}
	c.Flags().Uint64Var(&r.From, "from", 1, "the number to begin with, in each epoch of the host")
	return c
}
