package cli

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

func (a *app) leakCommand() *cobra.Command {
	var r node.LeakRequest
	var file string
	c := &cobra.Command{
		Use: "report {LEAKED | --token FILE}", Short: "Tell whose a leaked token or credential is, where it was accepted and who has to act",
		Long: `Tell whose a leaked token or credential is, where it was accepted, here and at
partners, and who has to act on both sides. LEAKED is the SHA-256 of the token
(base64url or hexadecimal), the identifier (jti) of a credential of this node, the
reference of a decision on it, or a txn or reference that a host told. With --token
the hash is taken of the token in a file; the token itself does not leave this
program. The report is an entry of the ledger. With --revoke, a credential of this
node ends in the same act, and whoever another token speaks for is suspended.`,
		Example: `  entente leak report --token found.txt --reason 'in a paste, INC-4711' --revoke
  entente leak report q3vJm0xAeE2kT5b8hQn1Zw --reason 'in a log file'`,
		Args: func(c *cobra.Command, given []string) error {
			if file != "" {
				return args()(c, given)
			}
			return args("LEAKED")(c, given)
		},
		RunE: func(c *cobra.Command, given []string) error {
			if file == "" {
				r.Leaked = given[0]
			} else {
				token, err := a.read(file)
				if err != nil {
					return err
				}
				sum := sha256.Sum256([]byte(strings.TrimSpace(string(token))))
				r.Leaked = base64.RawURLEncoding.EncodeToString(sum[:])
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				found, err := n.ReportLeak(ctx, r)
				if err != nil {
					return err
				}
				return a.show(a.leakView(found))
			})
		},
	}
	c.Flags().StringVar(&file, "token", "", "the token itself, in a `file`, or - for standard input")
	c.Flags().StringVar(&r.Reason, "reason", "", "where it was found; it is kept sealed in this node's ledger")
	c.Flags().StringVar(&r.Incident, "incident", "", "the incident's reference")
	c.Flags().BoolVar(&r.Revoke, "revoke", false, "end the credential, or suspend whom the token speaks for")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	return a.group("leak", "Tokens and credentials that are where they should not be", c)
}

func (a *app) leakView(l node.Leak) view {
	var b strings.Builder
	line := func(name, format string, values ...any) {
		fmt.Fprintf(&b, "%-10s %s\n", name, fmt.Sprintf(format, values...))
	}
	what := "a token of issuer " + l.Report.Issuer.String()
	if l.Report.Credential != "" {
		what = "credential " + l.Report.Credential + " of this node"
	}
	permits := strconv.Itoa(l.Report.Permits)
	if l.Report.Partial {
		permits += " or more"
	}
	line("leaked", "%s", what)
	line("home", "%s", l.Report.Home)
	line("permits", "%s", permits)
	if l.Last != 0 {
		line("between", "%s and %s", instant(l.First), instant(l.Last))
	}
	for _, s := range l.Services {
		line("accepted", "%d times at %s for %s", s.Permits, s.EnforcementPoint, s.ResourceType)
	}
	for _, h := range l.Abroad {
		line("accepted", "%d times at %s", h.Permits, h.Host)
	}
	switch {
	case l.Ended != nil && l.Ended.Position != (trust.Position{}):
		line("revoked", "at %s", l.Ended.Position)
	case l.Suspended:
		line("suspended", "whom it speaks for")
	default:
		line("revoked", "no")
	}
	line("on record", "%s", l.Position)
	v := view{data: l, names: []string{l.Position.String()}, columns: []string{"AGREEMENT", "SIDE", "PARTICIPANT", "OWNER", "MAY REVOKE", "OPERATORS"}}
	for _, o := range l.Owners {
		v.rows = append(v.rows, []string{o.Agreement, o.Side, o.Participant.String(), o.Owner, strings.Join(o.Revokes, ", "), strings.Join(o.Operators, ", ")})
	}
	v.text, v.columns = b.String()+"\n"+a.table(v), nil
	return v
}
