package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/trust"
)

func (a *app) operatorCommand() *cobra.Command {
	return a.group("operator", "The people who run this node", a.operatorAdd(), a.operatorList(),
		a.operatorLink(),
		a.act("remove ID", "ID", "End a person's rights at this node, at once", (*admin.Client).RemoveOperator))
}

func (a *app) operatorAdd() *cobra.Command {
	var roles []string
	c := &cobra.Command{
		Use: "add NAME", Short: "Make a person an operator, and print the context file, once",
		Long: `Make a person an operator. The roles are admin, auditor, and those that agreements
name as approver or revoker. What is printed is the person's context file, which
holds the credential; it is not shown again.`,
		Example: "  entente operator add l.marsh --role ward_managers > operator.json",
		Args:    args("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := a.context()
			if err != nil {
				return err
			}
			given := make([]trust.Role, len(roles))
			for i, r := range roles {
				given[i] = trust.Role(r)
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				added, err := n.AddOperator(ctx, admin.NewOperator{Name: args[0], Roles: given})
				if err != nil {
					return err
				}
				text, err := operatorContext{o.Socket, args[0], added.Credential}.encode()
				if err != nil {
					return err
				}
				return a.show(view{data: added, names: []string{added.ID}, text: string(text)})
			})
		},
	}
	c.Flags().StringArrayVar(&roles, "role", nil, "a role of the person; may be repeated")
	_ = c.MarkFlagRequired("role") // fails only for a flag that is not there
	return c
}

func (a *app) operatorList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the operators", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Operators(ctx)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"ID", "ROLES", "SELF"}}
				for _, o := range list.Items {
					roles := make([]string, len(o.Roles))
					for i, r := range o.Roles {
						roles[i] = string(r)
					}
					self := ""
					if o.Self {
						self = "yes"
					}
					v.names = append(v.names, o.ID)
					v.rows = append(v.rows, []string{o.ID, strings.Join(roles, ", "), self})
				}
				return a.show(v)
			})
		},
	}
}

func (a *app) operatorLink() *cobra.Command {
	var who admin.Identity
	var of string
	c := &cobra.Command{
		Use: "link ID", Short: "Say which person an operator is, at an issuer of ours or a partner's",
		Long: `Say which person an operator is: a subject of an issuer of ours or of a partner's.
Whoever approves a privileged action has to be a known person of this organisation,
and not the one who asks. It is never taken back.`,
		Example: "  entente operator link op-1f2e3d4c5b6a --issuer https://idp.rje.example --subject l.marsh",
		Args:    args("ID"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if of != "" {
				if who.Participant, err = trust.ParseParticipantID(of); err != nil {
					return err
				}
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				return n.LinkOperator(ctx, args[0], who)
			})
		},
	}
	c.Flags().StringVar(&who.Issuer, "issuer", "", "the issuer, as iss")
	c.Flags().StringVar(&who.Subject, "subject", "", "the person's identifier there, as sub")
	c.Flags().StringVar(&of, "participant", "", "whose person, where the issuer speaks for several")
	for _, name := range []string{"issuer", "subject"} {
		_ = c.MarkFlagRequired(name) // fails only for a flag that is not there
	}
	return c
}
