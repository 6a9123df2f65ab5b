package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

func (a *app) frameworkDiff() *cobra.Command {
	return &cobra.Command{
		Use: "diff OLD NEW", Short: "Show every rule that differs between two frameworks",
		Long: "Show every rule that differs between two frameworks, one a line, and whether it is looser or stricter, where that can be read from it alone. Each is a document, a signed-framework file, or the beginning of a hash that the node knows, as framework list shows it; only then the node is asked.",
		Example: "  entente framework diff framework.yaml framework-2.yaml\n" +
			"  entente framework diff 91ab34cd 0c44e1f2 -o json",
		Args: args("OLD", "NEW"),
		RunE: func(c *cobra.Command, args []string) error {
			before, err := a.frameworkOf(c.Context(), args[0])
			if err != nil {
				return err
			}
			after, err := a.frameworkOf(c.Context(), args[1])
			if err != nil {
				return err
			}
			changes, err := framework.Diff(before, after)
			if err != nil {
				return err
			}
			v := view{data: changes, columns: []string{"RULE", "OLD", "NEW", "EFFECT"}}
			for _, x := range changes {
				v.names = append(v.names, x.Path)
				v.rows = append(v.rows, []string{x.Path, orDash(x.Old), orDash(x.New), orDash(string(x.Effect))})
			}
			return a.show(v)
		},
	}
}

// frameworkOf finds a framework by a file of its document, by a signed-framework
// file, or by the hash that the node knows it by.
func (a *app) frameworkOf(ctx context.Context, name string) (d framework.Document, err error) {
	if isHashPrefix(name) {
		err := a.withNode(ctx, func(ctx context.Context, n *admin.Client) error {
			f, err := findFramework(ctx, n, name)
			d = f.Document
			return err
		})
		return d, err
	}
	data, err := a.read(name)
	if err != nil {
		return d, err
	}
	var signed framework.Signed
	if canonical.Decode(data, &signed) == nil {
		if err := canonical.Decode(signed.Bytes, &d); err != nil {
			return d, trust.Errorf(trust.Invalid, "%s holds no framework: %w", name, err)
		}
		return d, nil
	}
	return d, a.document(name, "Framework", &d)
}

// isHashPrefix tells 8 to 64 hex digits from a file's name.
func isHashPrefix(name string) bool {
	return len(name) >= 8 && len(name) <= 64 && strings.Trim(name, "0123456789abcdef") == ""
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

func (a *app) frameworkStatus() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show which version of the framework each organisation has adopted",
		Long: "Show which version of the framework each organisation has adopted, as it said itself. Who has not adopted the one in force within the time that it gives is behind, and held to the basic tier.",
		Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Adoptions(ctx)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"PARTICIPANT", "NAME", "STAGE", "VERSION", "ADOPT BY", "HASH"}, narrow: 5}
				for _, x := range list.Items {
					version := "–"
					if x.Version > 0 {
						version = strconv.Itoa(x.Version)
					}
					v.names = append(v.names, x.Participant.String())
					v.rows = append(v.rows, []string{x.Participant.String(), x.Name, string(x.Stage), version, instant(x.By), orDash(short(x.Hash))})
				}
				return a.show(v)
			})
		},
	}
}
