package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

func (a *app) revokeCommand() *cobra.Command {
	return a.group("revoke", "End a subject, a key, an issuer or a credential, for good", a.revokeSubject(), a.revokeKey(), a.revokeIssuer(), a.revokeCredential())
}

func (a *app) revokeSubject() *cobra.Command {
	var r node.RevokeRequest
	var from string
	var yes bool
	c := &cobra.Command{
		Use: "subject {ISSUER SUBJECT | [ISSUER] --from FILE}", Short: "End somebody's engagement, whichever issuer speaks; or that of everybody on a list",
		Long: `End somebody's engagement, or those of everybody on a list, for good. From the
next request on they are denied here, whichever issuer speaks; the end of own
people travels to every partner.

A list is CSV (RFC 4180, UTF-8). Its first line names the columns: "subject", the
identifier as tokens carry it, and "issuer", which is left out where ISSUER is
given for all. All lines are checked before anybody's engagement ends, and all
end in one act. Doing it again changes nothing.`,
		Example: `  entente revoke subject https://idp.rxw.example 7f3c --reason left --incident HR-2026-117
  entente revoke subject --from leavers.csv --reason 'left in November' --yes`,
		Args: func(c *cobra.Command, given []string) error {
			if from != "" && len(given) < 2 {
				return nil
			}
			if from != "" {
				return trust.Errorf(trust.Invalid, "%s takes nobody's name beside --from; the list names them", c.CommandPath())
			}
			return args("ISSUER", "SUBJECT")(c, given)
		},
		RunE: func(c *cobra.Command, given []string) error {
			if from != "" {
				return a.revokeList(c.Context(), list{from, strings.Join(given, ""), yes}, r)
			}
			r.Kind, r.Issuer, r.Subject = revocation.Subject, given[0], given[1]
			return a.revoke(c.Context(), r)
		},
	}
	reasonFlags(c, &r)
	c.Flags().StringVar(&from, "from", "", "a `file` of leavers in CSV, or - for standard input")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask before a list ends")
	return c
}

func (a *app) revokeKey() *cobra.Command {
	var r node.RevokeRequest
	var list bool
	c := &cobra.Command{
		Use: "key ISSUER KEY", Short: "End one signing key of an issuer, and list what it had been accepted for",
		Long: `End one signing key of an issuer, named by its kid or its thumbprint. From the next
request on, everything it signed is denied here, whatever time a token states; of
an own issuer, the end travels to every partner. Then the decision log is read
for what the key had been accepted for; interrupting that undoes nothing, and
entente key accepted lists it again.`,
		Example: "  entente revoke key https://idp.rxw.example k-2026-11 --reason 'key copied'",
		Args:    args("ISSUER", "KEY"),
		RunE: func(c *cobra.Command, args []string) error {
			r.Kind, r.Issuer, r.KeyID = revocation.Key, args[0], args[1]
			return a.endKey(c.Context(), r, list)
		},
	}
	reasonFlags(c, &r)
	c.Flags().BoolVar(&list, "list", true, "list what the key had been accepted for")
	return c
}

func (a *app) revokeIssuer() *cobra.Command {
	var r node.RevokeRequest
	var yes bool
	c := &cobra.Command{
		Use: "issuer ISSUER", Short: "End everything an issuer says",
		Example: "  entente revoke issuer https://idp.rxw.example --reason breach --yes",
		Args:    args("ISSUER"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.confirm(danger{"Revoking issuer " + args[0], args[0], yes}); err != nil {
				return err
			}
			r.Kind, r.Issuer = revocation.Issuer, args[0]
			return a.revoke(c.Context(), r)
		},
	}
	reasonFlags(c, &r)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

func reasonFlags(c *cobra.Command, r *node.RevokeRequest) {
	c.Flags().StringVar(&r.Reason, "reason", "", "why; it is kept sealed in this node's ledger")
	c.Flags().StringVar(&r.Incident, "incident", "", "the incident's reference")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
}

func (a *app) revoke(ctx context.Context, r node.RevokeRequest) error {
	return a.withNode(ctx, func(ctx context.Context, n *admin.Client) error {
		a.radius(ctx, n, rootOf(r))
		done, err := n.Revoke(ctx, r)
		if err != nil {
			return err
		}
		return a.show(revokedView(r.Kind, done))
	})
}

// rootOf names what is revoked as what hangs from it is looked for.
func rootOf(r node.RevokeRequest) node.Root {
	return node.Root{Kind: revocation.RootKind(r.Kind), Issuer: r.Issuer, Subject: r.Subject, KeyID: r.KeyID}
}

func revokedView(kind revocation.TargetKind, done node.Revocation) view {
	partners := make([]string, len(done.Partners))
	for i, p := range done.Partners {
		partners[i] = p.String()
	}
	return view{
		data: done, names: []string{done.Position.String()},
		columns: []string{"REVOKED", "POSITION", "SENT TO"},
		rows:    [][]string{{string(kind), done.Position.String(), strings.Join(partners, ", ")}},
	}
}
