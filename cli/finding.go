package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/incident"
)

func (a *app) findingCommand() *cobra.Command {
	return a.group("finding", "What our ledger and a partner's do not agree about, and what rules found", a.findingList(), a.findingClose())
}

func (a *app) findingList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the findings, closed ones too", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Findings(ctx)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"ID", "STAGE", "KIND", "PARTNER", "WE ARE", "ABOUT", "OWNER", "DUE", "SINCE"}, narrow: 8}
				for _, f := range list.Items {
					stage := "open"
					if !f.Open {
						stage = "closed"
					}
					v.names = append(v.names, f.ID)
					v.rows = append(v.rows, []string{f.ID, stage, string(f.Kind), f.Partner.String(), string(f.Side), about(f), f.Owner, f.Due.String(), f.Since.String()})
				}
				return a.show(v)
			})
		},
	}
}

// about is the incident, the emergency access, the review, the entry or the receipts that a
// finding is about.
func about(f admin.Finding) string {
	switch f.Kind {
	case finding.Incident:
		return incident.ID(f.From)
	case finding.BreakGlass, finding.BreakGlassOverdue:
		return "breakglass-" + strconv.FormatUint(f.From, 10)
	case finding.Trespass:
		return "entry " + numbers(f.From, f.To)
	case finding.Unowned:
		return identity.ID(uint32(f.From)) //nolint:gosec // it was made of one
	case finding.NotGranted, finding.NotUsed:
		return "review-" + strconv.FormatUint(f.From, 10)
	case finding.MissingAtHome, finding.MissingAtHost, finding.Altered:
	}
	return receipts(f.Series, f.From, f.To)
}

// receipts tells numbers of a series: 4-6, and 2/4-6 in a later one than the first.
func receipts(series uint32, from, to uint64) string {
	if series == 0 {
		return numbers(from, to)
	}
	return strconv.FormatUint(uint64(series), 10) + "/" + numbers(from, to)
}

func numbers(from, to uint64) string {
	text := strconv.FormatUint(from, 10)
	if to != from {
		text += "-" + strconv.FormatUint(to, 10)
	}
	return text
}

func (a *app) findingClose() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "close ID", Short: "Close a finding with what it came to", Args: args("ID"),
		Example: "  entente finding close finding-3 --reason 'RJE recovered a backup; agreed with k.osei'",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				return n.CloseFinding(ctx, args[0], reason)
			})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "what it came to")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	return c
}
