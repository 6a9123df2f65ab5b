package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

func (a *app) reviewCommand() *cobra.Command {
	return a.group("review", "Look again at what was granted; what nobody answers for lapses",
		a.reviewOpen(), a.reviewList(), a.reviewShow(), a.reviewAnswer(review.Keep), a.reviewAnswer(review.Reduce), a.reviewAnswer(review.Remove),
		a.reviewReport())
}

func (a *app) reviewOpen() *cobra.Command {
	var r node.CampaignOrder
	var kind, partner, due, span string
	c := &cobra.Command{
		Use: "open", Short: "Ask for an answer to everything that is granted now, or to some of it", Args: args(),
		Long: "Ask for an answer to everything that is granted now, or to some of it. What nobody has\n" +
			"answered for by the date lapses: a mapping ends, a client or an agreement is suspended\n" +
			"until two people resume it.",
		Example: "  entente review open --for 30d --participant https://trust.rxw.example",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			r.Kind = review.Kind(kind)
			if partner != "" {
				if r.Partner, err = trust.ParseParticipantID(partner); err != nil {
					return err
				}
			}
			if due != "" {
				r.Due, err = trust.ParseInstant(due)
			} else {
				r.For, err = trust.ParseSpan(span)
			}
			if err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				one, err := n.OpenReview(ctx, r)
				if err != nil {
					return err
				}
				return a.show(view{data: one, names: []string{one.ID}, text: one.ID + " asks about " + strconv.Itoa(one.Items) + ", until " + one.Due.String() + "\n"})
			})
		},
	}
	c.Flags().StringVar(&kind, "kind", "", "mapping, client or agreement alone")
	c.Flags().StringVar(&partner, "participant", "", "what is a partner's alone")
	c.Flags().StringVar(&r.Agreement, "agreement", "", "an agreement by its `name`, and what stands under it, alone")
	c.Flags().StringVar(&due, "due", "", "by when, as 2026-12-31T12:00:00Z")
	c.Flags().StringVar(&span, "for", "", "within how long, as 30d")
	c.MarkFlagsMutuallyExclusive("due", "for")
	c.MarkFlagsOneRequired("due", "for")
	return c
}

func (a *app) reviewList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the reviews, closed ones too", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Reviews(ctx)
				if err != nil {
					return err
				}
				v := view{
					data: list, narrow: 9,
					columns: []string{"ID", "STAGE", "DUE", "ITEMS", "WAITING", "KEPT", "REDUCED", "REMOVED", "LAPSED", "ENDED", "KIND", "PARTNER", "AGREEMENT", "OPENED BY", "SINCE"},
				}
				for _, x := range list.Items {
					stage := "open"
					if !x.Open {
						stage = "closed"
					}
					v.names = append(v.names, x.ID)
					v.rows = append(v.rows, []string{
						x.ID, stage, x.Due.String(), strconv.Itoa(x.Items), strconv.Itoa(x.Waiting), strconv.Itoa(x.Kept), strconv.Itoa(x.Reduced), strconv.Itoa(x.Removed),
						strconv.Itoa(x.Lapsed), strconv.Itoa(x.Ended), string(x.Kind), x.Partner.String(), x.Agreement, x.OpenedBy, x.Since.String(),
					})
				}
				return a.show(v)
			})
		},
	}
}

func (a *app) reviewShow() *cobra.Command {
	return &cobra.Command{
		Use: "show REVIEW", Short: "Show the items of a review that you may see, and how each is used", Args: args("REVIEW"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				all, err := a.wholeReview(ctx, n, args[0])
				if err != nil {
					return err
				}
				v := view{
					data: all, narrow: 10,
					columns: []string{"KIND", "NAME", "STAGE", "GIVES", "AGREED", "GRANTED", "USED", "USES", "LAST USED", "REVIEWER", "AGREEMENT", "PARTNER", "ANSWERED BY", "REASON", "TICKET"},
				}
				for _, x := range all.Items {
					v.names = append(v.names, string(x.Kind)+"/"+x.Name)
					v.rows = append(v.rows, []string{
						string(x.Kind), x.Name, string(x.Stage), x.Gives, strconv.Itoa(x.Agreed), strconv.Itoa(x.Granted), strconv.Itoa(x.Used), strconv.FormatUint(x.Uses, 10),
						instant(x.LastUsed), x.Reviewer, x.Agreement, x.Partner.String(), x.AnsweredBy, x.Reason, x.Ticket,
					})
				}
				return a.show(v)
			})
		},
	}
}

// wholeReview reads every page, once all uses have been counted.
func (a *app) wholeReview(ctx context.Context, n *admin.Client, id string) (admin.ReviewPage, error) {
	all, err := n.Review(ctx, id, "")
	for err == nil && all.Decisions.Read < all.Decisions.Of {
		a.say("counting uses: %d of %d decisions", all.Decisions.Read, all.Decisions.Of)
		all, err = n.Review(ctx, id, "")
	}
	for next := all.Next; err == nil && next != ""; {
		var page admin.ReviewPage
		page, err = n.Review(ctx, id, next)
		all.Items, next = append(all.Items, page.Items...), page.Next
	}
	all.Next = ""
	return all, err
}

// answers say what each comes to.
var answers = map[review.Said]struct{ short, example, done string }{
	review.Keep:   {"Say that an item of a review stays as it is", "entente review keep review-3 mapping nurse --reason 'asked the ward'", "stays"},
	review.Reduce: {"Leave less of an item of a review, at once", "entente review reduce review-3 agreement rxw-staff-at-rje --class agent --reason 'no agents any more'", "is reduced"},
	review.Remove: {"End an item of a review, at once and for good", "entente review remove review-3 mapping nurse --reason 'nobody used it'", "is removed"},
}

func (a *app) reviewAnswer(said review.Said) *cobra.Command {
	w := node.CampaignWord{Said: said}
	var file, tlp, class, action string
	is := answers[said]
	c := &cobra.Command{
		Use: string(said) + " REVIEW KIND NAME", Short: is.short, Args: args("REVIEW", "KIND", "NAME"), Example: "  " + is.example,
		RunE: func(c *cobra.Command, args []string) error {
			w.Kind, w.Name = review.Kind(args[1]), args[2]
			w.TLP, w.Class, w.Action = suspension.TLP(tlp), trust.Class(class), trust.Action(action)
			if file != "" {
				w.Mapping = new(mapping.Document)
				if err := a.document(file, "Mapping", w.Mapping); err != nil {
					return err
				}
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				one, err := n.AnswerReview(ctx, args[0], w)
				if err != nil {
					return err
				}
				return a.show(view{data: one, names: []string{one.ID}, text: args[1] + " " + args[2] + " " + is.done + "; " + strconv.Itoa(one.Waiting) + " of " + one.ID + " wait\n"})
			})
		},
	}
	c.Flags().StringVar(&w.Reason, "reason", "", "why")
	c.Flags().StringVar(&w.Ticket, "ticket", "", "where it is written down")
	if said == review.Reduce {
		c.Flags().StringVarP(&file, "file", "f", "", "the narrower mapping that takes a mapping's place, once its approver accepts it")
		c.Flags().StringVar(&class, "class", "", "what is taken out of an agreement: a class")
		c.Flags().StringVar(&w.Service, "service", "", "a service, by name or audience")
		c.Flags().StringVar(&action, "action", "", "an action")
		c.Flags().StringVar(&tlp, "tlp", "", "tell the partner why, under this TLP 2.0 marking")
	}
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	return c
}

func (a *app) reviewReport() *cobra.Command {
	return &cobra.Command{
		Use: "report REVIEW", Short: "Show what is agreed and granted to nobody, or granted and not used, in the scope of a review", Args: args("REVIEW"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				all, err := n.ReviewReport(ctx, args[0])
				for err == nil && all.Decisions.Read < all.Decisions.Of {
					a.say("counting uses: %d of %d decisions", all.Decisions.Read, all.Decisions.Of)
					all, err = n.ReviewReport(ctx, args[0])
				}
				if err != nil {
					return err
				}
				v := view{data: all, columns: []string{"KIND", "AGREEMENT", "CLASS", "ROLE", "MAPPING", "GRANTED", "LAST USED", "PARTNER"}, narrow: 7}
				for _, d := range all.Items {
					v.names = append(v.names, d.Agreement+"/"+d.Mapping)
					v.rows = append(v.rows, []string{string(d.Kind), d.Agreement, string(d.Class), d.Role, d.Mapping, instant(d.Granted), instant(d.LastUsed), d.Partner.String()})
				}
				return a.show(v)
			})
		},
	}
}
