package cli

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

func (a *app) participantCommand() *cobra.Command {
	return a.group("participant", "This organisation and its partners",
		a.participantInvite(), a.participantConfirm(), a.participantRenew(), a.participantDeclare(), a.participantBundle(), a.participantList(), a.participantShow())
}

func (a *app) participantInvite() *cobra.Command {
	return &cobra.Command{
		Use: "invite FILE", Short: "Write an invitation for a partner, and show its fingerprint",
		Long:    "Write what a partner needs to know this organisation by. Send the file by any way; read the fingerprint to each other by another one, both ways.",
		Example: "  entente participant invite rje.invitation.json",
		Args:    args("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				i, err := n.Invitation(ctx)
				if err != nil {
					return err
				}
				data, err := canonical.Marshal(i.Invitation)
				if err != nil {
					return err
				}
				if err := a.write(args[0], append(data, '\n'), 0o644); err != nil || args[0] == "-" {
					return err
				}
				return a.show(view{data: i, names: []string{i.Fingerprint}, text: i.Fingerprint + "\n"})
			})
		},
	}
}

func (a *app) participantConfirm() *cobra.Command {
	var fingerprint string
	c := &cobra.Command{
		Use: "confirm FILE", Short: "Let a partner in, once its fingerprint was compared",
		Long:    "Let in the partner that wrote an invitation. The fingerprint is the one its people read to you, not one you find in the same mail; without --fingerprint you are asked to type it.",
		Example: "  entente participant confirm rxw.invitation.json --fingerprint 7XQ2-…",
		Args:    args("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			data, err := a.read(args[0])
			if err != nil {
				return err
			}
			inv, card, err := participant.ParseInvitation(data)
			if err != nil {
				return trust.Errorf(trust.KindOf(err), "%s: %w", args[0], err)
			}
			if fingerprint == "" && a.interactive() {
				if fingerprint, err = a.ask("Fingerprint that " + card.Name + " (" + card.ID.String() + ") read to you: "); err != nil {
					return err
				}
			}
			if fingerprint == "" {
				return trust.Errorf(trust.Invalid, "confirming %s needs --fingerprint where nobody can be asked", card.ID)
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				confirmed, err := n.Confirm(ctx, admin.Invitation{Invitation: inv, Fingerprint: fingerprint})
				if err != nil {
					return err
				}
				a.say("%s is a partner now", confirmed.Participant)
				return nil
			})
		},
	}
	c.Flags().StringVar(&fingerprint, "fingerprint", "", "the fingerprint as the partner's people read it")
	return c
}

func (a *app) participantDeclare() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "declare", Short: "State which token issuers speak for this organisation",
		Example: "  entente participant declare -f participant.yaml",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			var d participant.Document
			if err := a.document(file, "Participant", &d); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error { return n.Declare(ctx, d) })
		},
	}
	fileFlag(c, &file, "the participant document")
	return c
}

func (a *app) participantBundle() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "bundle TRUST-DOMAIN", Short: "Give the bundle by which a trust domain's endpoint proves itself",
		Long: `Give the bundle of a SPIFFE trust domain that its participant states with the
profile https_spiffe. Its endpoint proves itself by that trust domain's own
authorities, so the first bundle comes from its people and by another way. The
same is needed after the trust domain withdrew all its keys.`,
		Example: "  entente participant bundle prod.rxw.example -f bundle.json",
		Args:    args("TRUST-DOMAIN"),
		RunE: func(c *cobra.Command, args []string) error {
			domain, err := trustDomain(args[0])
			if err != nil {
				return err
			}
			document, err := a.read(file)
			if err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				return n.GiveBundle(ctx, admin.Bundle{TrustDomain: domain, Document: document})
			})
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", "the bundle, a JWK Set; - is standard input")
	_ = c.MarkFlagRequired("file") // fails only for a flag that is not there
	return c
}

// trustDomain reads the name of a trust domain, bare or as a SPIFFE ID.
func trustDomain(name string) (trust.IssuerID, error) {
	return trust.ParseIssuerID("spiffe://" + strings.TrimPrefix(name, "spiffe://"))
}

// fileFlag is the required -f of every command that takes a document.
func fileFlag(c *cobra.Command, file *string, what string) {
	c.Flags().StringVarP(file, "file", "f", "", what+", YAML or JSON; - is standard input")
	_ = c.MarkFlagRequired("file") // fails only for a flag that is not there
}

func (a *app) participantList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List this organisation and its partners", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Participants(ctx)
				if err != nil {
					return err
				}
				v := participantView(list.Items)
				v.data = list
				return a.show(v)
			})
		},
	}
}

func (a *app) participantShow() *cobra.Command {
	return &cobra.Command{
		Use: "show PARTICIPANT", Short: "Show one organisation",
		Example: "  entente participant show https://trust.rxw.example -o yaml",
		Args:    args("PARTICIPANT"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				p, err := n.Participant(ctx, args[0])
				if err != nil {
					return err
				}
				v := participantView([]admin.Participant{p})
				v.data, v.text, v.columns = p, a.table(v)+edgeText(p.Edge), nil
				return a.show(v)
			})
		},
	}
}

func participantView(items []admin.Participant) view {
	v := view{columns: []string{"ID", "NAME", "STAGE", "ISSUERS", "CONFIRMED", "ENDPOINT", "FINGERPRINT"}, narrow: 5}
	for _, p := range items {
		stage := "partner"
		switch {
		case p.Self:
			stage = "self"
		case p.Suspended:
			stage = "suspended"
		case p.Broken != "":
			stage = "broken"
		case p.SuspendsUs:
			stage = "suspends us"
		}
		v.names = append(v.names, p.ID.String())
		v.rows = append(v.rows, []string{
			p.ID.String(), p.Name, stage, strconv.Itoa(len(p.Issuers)), instant(p.Confirmed), p.Endpoint, p.Fingerprint,
		})
	}
	return v
}

// edgeText says what both nodes of an edge understand.
func edgeText(t *edge.Terms) string {
	if t == nil {
		return ""
	}
	list := func(words []string) string { return clean(cmp.Or(strings.Join(words, ", "), "–")) }
	by := "as it states"
	if !t.Stated {
		by = "as a node that states nothing"
	}
	text := fmt.Sprintf("\nedge        version %d, %s\nsignatures  %s\nlacks       %s\nadds        %s\n", t.Version, by, list(t.Algorithms), list(t.Lacks), list(t.Adds))
	if t.Refused != "" {
		text += "refused     what it states since (" + clean(t.Refused) + ")\n"
	}
	return text
}

// instant writes a moment; none is a dash.
func instant(i trust.Instant) string {
	if i == 0 {
		return "–"
	}
	return time.Unix(int64(i), 0).UTC().Format(time.RFC3339)
}
