package cli

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/service"
)

func (a *app) serviceCommand() *cobra.Command {
	return a.group("service", "This organisation's own services", a.serviceApply(), a.serviceList(),
		a.act("remove NAME", "NAME", "End a service", (*admin.Client).RemoveService))
}

func (a *app) serviceApply() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "apply", Short: "Add a service, or change the one of its name",
		Long:    "Add a service, or change the one of its name. No partner is asked: an agreement covers kinds of resources, not services.",
		Example: "  entente service apply -f service.yaml",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			var d service.Document
			if err := a.document(file, "Service", &d); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error { return n.RegisterService(ctx, d) })
		},
	}
	fileFlag(c, &file, "the service document")
	return c
}

func (a *app) serviceList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the services", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Services(ctx)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"NAME", "AUDIENCE", "ENFORCEMENT POINT", "RESOURCES"}}
				for _, s := range list.Items {
					var types []string
					for _, t := range slices.Sorted(maps.Keys(s.Resources)) {
						types = append(types, string(t))
					}
					v.names = append(v.names, s.Name)
					v.rows = append(v.rows, []string{s.Name, s.Audience, s.EnforcementPoint, strings.Join(types, ", ")})
				}
				return a.show(v)
			})
		},
	}
}

func (a *app) enforcementPointCommand() *cobra.Command {
	return a.group("enforcement-point", "Who may ask this node for decisions", a.enforcementPointAdd(), a.enforcementPointList(),
		a.act("remove NAME", "NAME", "Take an enforcement point's credential away", (*admin.Client).RemoveEnforcementPoint))
}

func (a *app) enforcementPointAdd() *cobra.Command {
	return &cobra.Command{
		Use: "add NAME", Short: "Let an enforcement point ask, and print its credential, once",
		Long:    "Let an enforcement point ask. Its credential is printed here and never again; adding the same name again replaces it.",
		Example: "  entente enforcement-point add nginx-1 > /etc/nginx/entente.credential",
		Args:    args("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				added, err := n.AddEnforcementPoint(ctx, args[0])
				if err != nil {
					return err
				}
				return a.show(view{data: added, names: []string{added.Name}, text: added.Credential + "\n"})
			})
		},
	}
}

func (a *app) enforcementPointList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the enforcement points", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.EnforcementPoints(ctx)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"NAME", "SERVICES"}}
				for _, p := range list.Items {
					v.names = append(v.names, p.Name)
					v.rows = append(v.rows, []string{p.Name, strings.Join(p.Services, ", ")})
				}
				return a.show(v)
			})
		},
	}
}
