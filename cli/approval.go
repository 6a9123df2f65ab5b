package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
)

func (a *app) approvalCommand() *cobra.Command {
	return a.group("approval", "What local people say to privileged actions",
		a.approvalList(),
		a.approvalAnswer("approve", "Say yes to an action that waits for it",
			"Say yes to an action that waits for it. As many people as the agreement asks for have to\n"+
				"say so, each a known person of this organisation (entente operator link), and none of\n"+
				"them who asks. What is approved ends by itself.", (*admin.Client).Approve),
		a.approvalAnswer("refuse", "Say no to an action that waits for a yes; one person's no is enough", "", (*admin.Client).RefuseApproval),
		a.approvalAnswer("withdraw", "Take back what was approved, at the next request", "", (*admin.Client).WithdrawApproval))
}

func (a *app) approvalList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the approvals that you may see, ended ones too", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Approvals(ctx)
				if err != nil {
					return err
				}
				v := view{
					data:    list,
					columns: []string{"ID", "STAGE", "WHO", "ACTION", "RESOURCE", "SERVICE", "YES", "ENDS", "REASON", "TICKET", "FROM", "AGREEMENT", "ROLE", "SINCE", "UNTIL"}, narrow: 10,
				}
				for _, x := range list.Items {
					v.names = append(v.names, x.ID)
					v.rows = append(v.rows, approvalRow(x))
				}
				return a.show(v)
			})
		},
	}
}

func approvalRow(x admin.Approval) []string {
	ends := ""
	if x.Ends != 0 {
		ends = x.Ends.String()
	}
	return []string{
		x.ID, string(x.Stage), x.Subject, string(x.Action), strings.TrimSpace(string(x.ResourceType) + " " + x.Resource), x.Service,
		strconv.Itoa(len(x.Said)) + "/" + strconv.Itoa(x.People), ends, x.Reason, x.Ticket, x.Participant.String(), x.Agreement, x.Role,
		x.Since.String(), x.Until.String(),
	}
}

func (a *app) approvalAnswer(verb, short, long string, answer func(*admin.Client, context.Context, string, node.Word) (admin.Approval, error)) *cobra.Command {
	var word node.Word
	c := &cobra.Command{
		Use: verb + " ID", Short: short, Long: long, Args: args("ID"),
		Example: "  entente approval " + verb + " approval-7 --reason 'agreed in the change board' --ticket CHG-2201",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				x, err := answer(n, ctx, args[0], word)
				if err != nil {
					return err
				}
				text := x.ID + " is " + string(x.Stage)
				switch {
				case x.Stage == "pending":
					text += ", " + strconv.Itoa(len(x.Said)) + " of " + strconv.Itoa(x.People) + " people have said yes"
				case x.Stage == "approved":
					text += " until " + x.Ends.String()
				}
				return a.show(view{data: x, names: []string{x.ID}, text: text + "\n"})
			})
		},
	}
	c.Flags().StringVar(&word.Reason, "reason", "", "why")
	c.Flags().StringVar(&word.Ticket, "ticket", "", "where it is written down")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	return c
}
