package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/mapping"
)

func (a *app) mappingCommand() *cobra.Command {
	return a.group("mapping", "A partner's roles in this organisation's own terms",
		a.mappingPropose(),
		a.act("grant NAME", "NAME", "Accept a proposed mapping, in the role that the agreement names as approver",
			(*admin.Client).GrantMapping),
		a.act("end NAME", "NAME", "End a mapping", (*admin.Client).EndMapping),
		a.mappingList())
}

func (a *app) mappingPropose() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "propose", Short: "Propose a mapping, which then awaits its approver",
		Example: "  entente mapping propose -f mapping.yaml",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			var d mapping.Document
			if err := a.document(file, "Mapping", &d); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				err := n.OfferMapping(ctx, d)
				if err == nil {
					a.say("mapping %s awaits its approver: entente mapping grant %s", d.Name, d.Name)
				}
				return err
			})
		},
	}
	fileFlag(c, &file, "the mapping document")
	return c
}

// act is a command that does one thing to what its argument names.
func (a *app) act(use, arg, short string, do func(*admin.Client, context.Context, string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args(arg),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error { return do(n, ctx, args[0]) })
		},
	}
}

func (a *app) mappingList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the mappings", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Mappings(ctx)
				if err != nil {
					return err
				}
				return a.show(mappingView(list))
			})
		},
	}
}

func mappingView(list admin.List[admin.Mapping]) view {
	v := view{
		data: list, narrow: 6,
		columns: []string{"NAME", "STAGE", "AGREEMENT", "FROM", "TO", "EXPIRES", "PROPOSED BY", "GRANTED BY"},
	}
	for _, m := range list.Items {
		from := string(m.Document.From.Class)
		if m.Document.From.Attribute != "" {
			from += " " + m.Document.From.Attribute + "=" + m.Document.From.Equals
		}
		stage := string(m.Stage)
		if m.Stage == mapping.Granted && !m.Alive {
			stage = "expired"
		}
		v.names = append(v.names, m.Document.Name)
		v.rows = append(v.rows, []string{
			m.Document.Name, stage, m.Document.Agreement, from, string(m.Document.To),
			m.Document.Expires.String(), m.OfferedBy, m.ApprovedBy,
		})
	}
	return v
}
