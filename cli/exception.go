package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/exception"
)

func (a *app) exceptionCommand() *cobra.Command {
	return a.group("exception", "Checks that are waived for a time, with a reason", a.exceptionAdd(), a.exceptionList(), a.exceptionShow(),
		a.act("end NAME", "NAME", "End an exception before its time, at the next request", (*admin.Client).EndException))
}

func (a *app) exceptionAdd() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "add", Short: "Waive a check for a time, and print the shared secret that it lets in, once",
		Long: `Waive a check for a time. The node makes the shared secret, 256 bits; it is printed
here and never again. An exception is not prolonged, and its name is never used
again.`,
		Example: "  entente exception add -f exception.yaml > lab-feed.key",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			var d exception.Document
			if err := a.document(file, "Exception", &d); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				added, err := n.AddException(ctx, d)
				if err != nil {
					return err
				}
				return a.show(view{data: added, names: []string{added.Name}, text: added.Secret + "\n"})
			})
		},
	}
	fileFlag(c, &file, "the exception document")
	return c
}

func (a *app) exceptionList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the exceptions, ended ones too", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Exceptions(ctx)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"NAME", "STAGE", "WAIVES", "ACCOUNT", "SERVICE", "OWNER", "EXPIRES"}}
				for _, x := range list.Items {
					v.names = append(v.names, x.Name)
					v.rows = append(v.rows, []string{x.Name, exceptionStage(x), string(x.Waives), x.Account, x.Service, x.Owner, x.Expires.String()})
				}
				return a.show(v)
			})
		},
	}
}

func exceptionStage(x admin.Exception) string {
	switch {
	case x.Alive:
		return "alive"
	case x.EndedBy != "":
		return "ended"
	default:
		return "expired"
	}
}

func (a *app) exceptionShow() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show an exception with its reason and what is done instead", Args: args("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				x, err := n.Exception(ctx, args[0])
				if err != nil {
					return err
				}
				return a.show(view{data: x, names: []string{x.Name}, text: exceptionText(x)})
			})
		},
	}
}

func exceptionText(x admin.Exception) string {
	var b strings.Builder
	for _, row := range [][2]string{
		{"exception", x.Name + ", " + exceptionStage(x)}, {"waives", string(x.Waives)}, {"secret", string(x.Secret)},
		{"account", x.Account + " of " + x.Issuer.String() + ", " + x.Participant.String()}, {"service", x.Service}, {"owner", x.Owner},
		{"granted", x.Since.String() + " by " + x.GrantedBy}, {"expires", x.Expires.String()},
		{"reason", x.Reason}, {"instead", x.CompensatingControl},
	} {
		fmt.Fprintf(&b, "%-9s  %s\n", row[0], clean(row[1]))
	}
	if x.EndedBy != "" {
		fmt.Fprintf(&b, "%-9s  %s by %s\n", "ended", x.Ended, clean(x.EndedBy))
	}
	return b.String()
}
