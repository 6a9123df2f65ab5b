package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
)

func (a *app) policyCommand() *cobra.Command {
	return a.group("policy", "This organisation's own Cedar policy", a.policyApply(), a.policyShow())
}

func (a *app) policyApply() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "apply", Short: "Put a Cedar policy in force in place of the one before",
		Example: "  entente policy apply -f local.cedar",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			source, err := a.read(file)
			if err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				p, err := n.ApplyPolicy(ctx, string(source))
				if err != nil {
					return err
				}
				a.say("policy %s is in force", short(p.Hash))
				return a.show(view{data: admin.Hash{Hash: p.Hash}, names: []string{p.Hash}, text: p.Hash + "\n"})
			})
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", "the policy, Cedar text; - is standard input")
	_ = c.MarkFlagRequired("file") // fails only for a flag that is not there
	return c
}

func (a *app) policyShow() *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show the Cedar policy in force",
		Example: "  entente policy show > local.cedar",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				p, err := n.Policy(ctx)
				if err != nil {
					return err
				}
				text := p.Source
				if text != "" && !strings.HasSuffix(text, "\n") {
					text += "\n"
				}
				return a.show(view{data: p, names: []string{p.Hash}, text: text})
			})
		},
	}
}
