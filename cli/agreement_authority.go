package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
)

func (a *app) agreementAuthority() *cobra.Command {
	return &cobra.Command{
		Use: "authority NAME", Short: "Show who does what under an agreement, and who that is here",
		Long:    "Show the authority matrix of an agreement: each act, the role at home or host that it takes,\nthe operators here who hold it, and the commands that it is good for.",
		Example: "  entente agreement authority rxw-staff-at-rje",
		Args:    args("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Authority(ctx, args[0])
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"ACT", "PARTICIPANT", "ROLE", "HELD BY", "COMMANDS"}, narrow: 5}
				for _, x := range list.Items {
					commands := make([]string, len(x.Commands))
					for i, command := range x.Commands {
						commands[i] = string(command)
					}
					v.names = append(v.names, string(x.Act))
					v.rows = append(v.rows, []string{
						string(x.Act), x.Participant.String(), x.Role, strings.Join(x.Held, " "), strings.Join(commands, ", "),
					})
				}
				return a.show(v)
			})
		},
	}
}
