package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/suspension"
)

func (a *app) breakglassCommand() *cobra.Command {
	return a.group("breakglass", "Emergency access, and its reviews", a.breakglassList(), a.breakglassReview(), a.breakglassEnd())
}

func (a *app) breakglassList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the emergency access here, and of our own people at partners, that you may see", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.BreakGlasses(ctx)
				if err != nil {
					return err
				}
				v := view{
					data:    list,
					columns: []string{"ID", "STAGE", "WHO", "ACTION", "RESOURCE", "ENDS", "REVIEW DUE", "REASON", "TICKET", "AT", "FROM", "SERVICE", "AGREEMENT", "REVIEWED BY", "BY", "SINCE"}, narrow: 9,
				}
				for _, x := range list.Items {
					v.names = append(v.names, x.ID)
					v.rows = append(v.rows, []string{
						x.ID, string(x.Stage), x.Subject, string(x.Action), strings.TrimSpace(string(x.ResourceType) + " " + x.Resource), x.Ends.String(), x.Due.String(),
						x.Reason, x.Ticket, x.Host.String(), x.Participant.String(), x.Service, x.Agreement, x.Role, x.ReviewedBy, x.Since.String(),
					})
				}
				return a.show(v)
			})
		},
	}
}

func (a *app) breakglassReview() *cobra.Command {
	var r node.Review
	var came, tlp string
	c := &cobra.Command{
		Use: "review ID", Short: "Say whether emergency access was justified", Args: args("ID"),
		Long: "Say whether emergency access was justified, as a known person of this organisation\n" +
			"(entente operator link) who did not break the glass. Whoever broke it unjustified is\n" +
			"suspended, until two people let them go on (entente resume subject).",
		Example: "  entente breakglass review breakglass-7 --outcome justified --reason 'cardiac arrest on w7' --ticket INC-2201",
		RunE: func(c *cobra.Command, args []string) error {
			r.Came, r.TLP = breakglass.Stage(came), suspension.TLP(tlp)
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				x, err := n.ReviewBreakGlass(ctx, args[0], r)
				if err != nil {
					return err
				}
				text := x.ID + " was " + string(x.Stage)
				if x.Stage == breakglass.Unjustified {
					text += "; who broke the glass is suspended"
				}
				return a.show(view{data: x, names: []string{x.ID}, text: text + "\n"})
			})
		},
	}
	c.Flags().StringVar(&came, "outcome", "", "justified or unjustified")
	c.Flags().StringVar(&r.Reason, "reason", "", "why")
	c.Flags().StringVar(&r.Ticket, "ticket", "", "where it is written down")
	c.Flags().StringVar(&tlp, "tlp", "", "tell the home the reason of a suspension, under this TLP 2.0 marking")
	_ = c.MarkFlagRequired("outcome") // fails only for a flag that is not there
	_ = c.MarkFlagRequired("reason")
	return c
}

func (a *app) breakglassEnd() *cobra.Command {
	var word node.Word
	c := &cobra.Command{
		Use: "end ID", Short: "End emergency access before its time, at the next request; its review stays due", Args: args("ID"),
		Example: "  entente breakglass end breakglass-7 --reason 'the patient was transferred'",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				x, err := n.EndBreakGlass(ctx, args[0], word)
				if err != nil {
					return err
				}
				return a.show(view{data: x, names: []string{x.ID}, text: x.ID + " is " + string(x.Stage) + "; its review is due at " + x.Due.String() + "\n"})
			})
		},
	}
	c.Flags().StringVar(&word.Reason, "reason", "", "why")
	c.Flags().StringVar(&word.Ticket, "ticket", "", "where it is written down")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	return c
}
