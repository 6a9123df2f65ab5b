package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
)

func (a *app) sessionCommand() *cobra.Command {
	return a.group("session", "The sessions that enforcement points have open", a.sessionList(), a.sessionEnd())
}

func (a *app) sessionList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the open sessions", Args: args(), Example: "  entente session list -o wide",
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Sessions(ctx)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"SESSION", "AT", "FROM", "AGREEMENT", "ACTION", "RESOURCE", "SINCE", "UNTIL", "CREDENTIAL", "SUBJECT"}, narrow: 7}
				for i := range list.Items {
					s := &list.Items[i]
					subject, err := s.Subject.MarshalText()
					if err != nil {
						return err
					}
					v.names = append(v.names, s.Reference)
					v.rows = append(v.rows, []string{
						s.Reference, s.EnforcementPoint, s.Home.String(), s.Agreement, string(s.Action), string(s.ResourceType),
						instant(s.Since), instant(s.Until), s.Credential, string(subject),
					})
				}
				return a.show(v)
			})
		},
	}
}

func (a *app) sessionEnd() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "end SESSION", Short: "End one open session, at once",
		Long: `End one open session: its enforcement point is told on the watch stream and cuts it.
The caller may ask again; to keep it out, suspend or revoke what the session stands on.`,
		Example: "  entente session end k7m2… --reason 'left at the ward terminal'",
		Args:    args("SESSION"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				done, err := n.EndSession(ctx, args[0], reason)
				if err != nil {
					return err
				}
				return a.show(view{
					data: done, names: []string{done.Position.String()},
					columns: []string{"ENDED", "POSITION"}, rows: [][]string{{args[0], done.Position.String()}},
				})
			})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why; it is kept sealed in this node's ledger")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	return c
}

func (a *app) revokeCredential() *cobra.Command {
	var why node.Why
	c := &cobra.Command{
		Use: "credential CREDENTIAL", Short: "End one credential of this node's own",
		Long: `End one credential that this node issued, named by its identifier (jti) or by the
reference of a record: of its issue, or of a decision on it. It counts no more on the
next request, sessions that were opened with it end, and its status list says so.`,
		Example: "  entente revoke credential q3vJm0xAeE2kT5b8hQn1Zw --reason 'in a log file' --incident INC-4711",
		Args:    args("CREDENTIAL"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				done, err := n.RevokeCredential(ctx, admin.EndingCredential{Credential: args[0], Why: why})
				if err != nil {
					return err
				}
				at := "ended before"
				if done.Position.Epoch != 0 {
					at = done.Position.String()
				}
				return a.show(view{
					data: done, names: []string{done.Credential}, columns: []string{"REVOKED", "CREDENTIAL", "CLIENT", "EXPIRES", "POSITION"},
					rows: [][]string{{"credential", done.Credential, done.Client, instant(done.Expires), at}},
				})
			})
		},
	}
	c.Flags().StringVar(&why.Reason, "reason", "", "why; it is kept sealed in this node's ledger")
	c.Flags().StringVar(&why.Incident, "incident", "", "the incident's reference")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	return c
}
