package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

func (a *app) counterCommand() *cobra.Command {
	return a.group("counter", "Counter-records: what partners decided about our own people and services", a.counterList(), a.counterShow())
}

func (a *app) counterList() *cobra.Command {
	var q node.CounterQuery
	var from string
	c := &cobra.Command{
		Use: "list PARTNER", Short: "List who used what at a partner",
		Long: `List the receipts that a partner sent us of its decisions on our own people and
services, by their numbers. A subject is named as the two of us call it; with
--issuer and --subject only those about one of our people are listed.`,
		Example: "  entente counter list https://trust.rje.example\n  entente counter list https://trust.rje.example --issuer https://idp.rxw.example --subject 7f3c",
		Args:    args("PARTNER"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if (q.Issuer == "") != (q.Subject == "") {
				return trust.Errorf(trust.Invalid, "--issuer and --subject name one of our people together")
			}
			if q.Host, err = trust.ParseParticipantID(args[0]); err != nil {
				return err
			}
			if q.From, err = receipt.ParsePlace(from); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Counters(ctx, q)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"N", "AT", "TXN", "SUBJECT", "CLASS", "USE", "OUTCOME", "REFERENCE"}, narrow: 7}
				for _, r := range list.Items {
					v.names = append(v.names, r.Reference)
					v.rows = append(v.rows, []string{receipt.Place{Series: r.Series, N: r.N}.String(), r.At.String(), r.Txn, counterWho(r), string(r.Class), use(r), outcome(r.Permit), r.Reference})
				}
				if list.Next != "" {
					a.say("there are more; go on with --from %s", list.Next)
				}
				return a.show(v)
			})
		},
	}
	c.Flags().StringVar(&from, "from", "1", "the number to begin with; 2/1 is the first of the partner's epoch 2")
	c.Flags().IntVar(&q.Limit, "limit", 100, "how many at most, up to 512")
	c.Flags().StringVar(&q.Issuer, "issuer", "", "with --subject: our issuer that names the person")
	c.Flags().StringVar(&q.Subject, "subject", "", "the person's identifier at that issuer")
	return c
}

func (a *app) counterShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show the counter-records of a txn, or of the reference that the partner quoted", Args: args("ID"),
		Example: "  entente counter show 4rjw5ynxk2z6e3v7q5c6t2maeu",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.CountersOf(ctx, args[0])
				if err != nil {
					return err
				}
				v := view{data: list, text: counterText(list.Items)}
				for _, r := range list.Items {
					v.names = append(v.names, r.Reference)
				}
				return a.show(v)
			})
		},
	}
}

// counterText tells counter-records for people.
func counterText(all []node.Counter) string {
	var texts []string
	for _, r := range all {
		texts = append(texts, counterRecord(r))
	}
	return strings.Join(texts, "\n")
}

func counterRecord(r node.Counter) string {
	var b strings.Builder
	rows := [][2]string{
		{"txn", r.Txn}, {"decided", fmt.Sprintf("%s at %s, by %s", outcome(r.Permit), r.At, r.Host)}, {"subject", counterWho(r) + ", " + string(r.Class)},
		{"use", use(r)}, {"token", r.Token}, {"there", "reference " + r.Reference + ", leaf " + r.Leaf},
		{"here", fmt.Sprintf("receipt %s, entry %s of the decision log", receipt.Place{Series: r.Series, N: r.N}, r.Entry)},
	}
	if r.Erased {
		rows = [][2]string{{"subject", "erased here"}, rows[len(rows)-1]}
	}
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(&b, "%-8s %s\n", row[0], row[1])
		}
	}
	return clean(b.String())
}

func outcome(permit bool) string {
	if permit {
		return "permit"
	}
	return "deny"
}

func use(r node.Counter) string {
	return strings.Trim(fmt.Sprintf("%s %s %s", r.Kind, r.Action, r.Type), " ")
}

// counterWho tells a subject as our own ledger knows it, else as the two of us
// call it.
func counterWho(r node.Counter) string {
	switch {
	case r.Erased:
		return "erased"
	case r.Who != nil:
		return fmt.Sprintf("%x…", r.Who[:4])
	default:
		return r.Subject
	}
}
