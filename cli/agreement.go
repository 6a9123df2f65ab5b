package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

func (a *app) agreementCommand() *cobra.Command {
	return a.group("agreement", "What a host accepts from a home, signed by both",
		a.agreementPropose(), a.agreementCounter(), a.agreementCountersign(), a.agreementActivate(),
		a.agreementSuspend(), a.agreementEnd(), a.agreementList(), a.agreementShow(), a.agreementAuthority())
}

func (a *app) agreementPropose() *cobra.Command {
	var file string
	var key governanceKey
	c := &cobra.Command{
		Use: "propose", Short: "Sign an agreement and send it to the partner",
		Long: `Have the node render the bytes that both parties sign, check that they are the
document asked for, sign them here with the governance key, and send them.`,
		Example: "  entente agreement propose -f agreement.yaml --governance-key governance.key",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.offer(c.Context(), file, "", key)
		},
	}
	fileFlag(c, &file, "the agreement document")
	key.flags(c)
	return c
}

func (a *app) agreementCounter() *cobra.Command {
	var file string
	var key governanceKey
	c := &cobra.Command{
		Use: "counter NAME", Short: "Answer a proposal with another revision",
		Example: "  entente agreement counter rxw-staff-at-rje -f agreement.yaml --governance-key governance.key",
		Args:    args("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.offer(c.Context(), file, args[0], key)
		},
	}
	fileFlag(c, &file, "the agreement document")
	key.flags(c)
	return c
}

// offer renders at the node, signs here and submits. Counters names the
// agreement to be countered; empty is a new one.
func (a *app) offer(ctx context.Context, file, counters string, key governanceKey) error {
	var d agreement.Document
	if err := a.document(file, "Agreement", &d); err != nil {
		return err
	}
	signer, err := key.open(a)
	if err != nil {
		return err
	}
	return a.withNode(ctx, func(ctx context.Context, n *admin.Client) error {
		draft := admin.Draft{Document: d}
		if counters != "" {
			current, err := n.Agreement(ctx, counters)
			if err != nil {
				return err
			}
			draft.ID = current.ID
		}
		rendered, err := n.RenderAgreement(ctx, draft)
		if err != nil {
			return err
		}
		if err := checkRendered(rendered, draft); err != nil {
			return failed{exitUnverified, err}
		}
		signature, err := jose.SignBytes(signer, agreement.Domain, rendered.Bytes)
		if err != nil {
			return err
		}
		if err := n.OfferAgreement(ctx, admin.Offer{Bytes: rendered.Bytes, Signature: signature}); err != nil {
			return err
		}
		a.say("agreement %s awaits the other party's signature", d.Name)
		return a.show(view{data: admin.Hash{Hash: rendered.Hash}, names: []string{d.Name}, text: rendered.Hash + "\n"})
	})
}

// checkRendered makes sure that what the node wants signed is what was asked
// for: nobody signs bytes because a node says so.
func checkRendered(r admin.Rendered, asked admin.Draft) error {
	rev, err := readRevision(r.Bytes, r.Hash)
	if err != nil {
		return err
	}
	want, err := canonical.Marshal(asked.Document)
	if err != nil {
		return err
	}
	got, err := canonical.Marshal(rev.Document)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) || asked.ID != "" && rev.ID != asked.ID {
		return errors.New("the node rendered another agreement than the one asked for; nothing was signed")
	}
	return nil
}

// readRevision reads the bytes of a revision and checks their hash.
func readRevision(data []byte, hash string) (rev agreement.Revision, err error) {
	sum := sha256.Sum256(data)
	if hex.EncodeToString(sum[:]) != hash {
		return rev, errors.New("the bytes to sign do not have the hash that the node names; nothing was signed")
	}
	if err := canonical.Decode(data, &rev); err != nil {
		return rev, trust.Errorf(trust.Invalid, "the bytes to sign are no agreement: %w", err)
	}
	return rev, nil
}

func (a *app) agreementCountersign() *cobra.Command {
	var key governanceKey
	var hash string
	var yes bool
	c := &cobra.Command{
		Use: "countersign NAME", Short: "Sign the partner's revision too",
		Long:    "Sign the exact bytes that the partner signed. Read them first with agreement show; --hash signs them only if they have that hash still.",
		Example: "  entente agreement show rxw-staff-at-rje -o yaml\n  entente agreement countersign rxw-staff-at-rje --governance-key governance.key",
		Args:    args("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			signer, err := key.open(a)
			if err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				current, err := n.Agreement(ctx, args[0])
				if err != nil {
					return err
				}
				rev, err := readRevision(current.Bytes, current.Hash)
				if err != nil {
					return failed{exitUnverified, err}
				}
				if rev.Document.Name != args[0] || hash != "" && hash != current.Hash {
					return failed{exitUnverified, errors.New("agreement " + args[0] + " is not the one asked for any more; nothing was signed")}
				}
				if err := a.confirm(danger{"Signing agreement " + args[0], args[0], yes || hash != ""}); err != nil {
					return err
				}
				signature, err := jose.SignBytes(signer, agreement.Domain, current.Bytes)
				if err != nil {
					return err
				}
				return n.CountersignAgreement(ctx, args[0], admin.Countersignature{Hash: current.Hash, Signature: signature})
			})
		},
	}
	key.flags(c)
	c.Flags().StringVar(&hash, "hash", "", "sign only bytes with this SHA-256; you are not asked again")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

func (a *app) agreementActivate() *cobra.Command {
	return &cobra.Command{
		Use: "activate NAME", Short: "Put a countersigned agreement in force at this node",
		Example: "  entente agreement activate rxw-staff-at-rje",
		Args:    args("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				return n.ActivateAgreement(ctx, args[0])
			})
		},
	}
}

func (a *app) agreementSuspend() *cobra.Command {
	return a.stop(stopping{
		use: "suspend NAME", arg: "NAME", short: "Stop an agreement at once",
		example: "  entente agreement suspend rxw-staff-at-rje --reason 'lost laptop, INC-4711'",
		act: func(ctx context.Context, n *admin.Client, name, reason string) error {
			return n.SuspendAgreement(ctx, name, reason)
		},
	})
}

func (a *app) agreementEnd() *cobra.Command {
	return a.stop(stopping{
		use: "end NAME", arg: "NAME", short: "End an agreement for good", danger: "Ending agreement",
		example: "  entente agreement end rxw-staff-at-rje --reason 'contract over'",
		act: func(ctx context.Context, n *admin.Client, name, reason string) error {
			return n.EndAgreement(ctx, name, reason)
		},
	})
}

// stopping is a command that takes trust away.
type stopping struct {
	use, arg, short, example string
	danger                   string // what the act is called; empty: it is not asked about
	act                      func(ctx context.Context, n *admin.Client, name, reason string) error
}

func (a *app) stop(s stopping) *cobra.Command {
	var reason string
	var yes bool
	c := &cobra.Command{
		Use: s.use, Short: s.short, Example: s.example, Args: args(s.arg),
		RunE: func(c *cobra.Command, args []string) error {
			if s.danger != "" {
				if err := a.confirm(danger{s.danger + " " + args[0], args[0], yes}); err != nil {
					return err
				}
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				return s.act(ctx, n, args[0], reason)
			})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why; it is kept sealed in this node's ledger")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	if s.danger != "" {
		c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	}
	return c
}

func (a *app) agreementList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the agreements", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Agreements(ctx)
				if err != nil {
					return err
				}
				v := agreementView(list.Items)
				v.data = list
				return a.show(v)
			})
		},
	}
}

func (a *app) agreementShow() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show an agreement with its document",
		Example: "  entente agreement show rxw-staff-at-rje -o yaml",
		Args:    args("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				one, err := n.Agreement(ctx, args[0])
				if err != nil {
					return err
				}
				v := agreementView([]admin.Agreement{one})
				v.data = one
				return a.show(v)
			})
		},
	}
}

func agreementView(items []admin.Agreement) view {
	v := view{columns: []string{"NAME", "STAGE", "REV", "HOME", "HOST", "TIER", "ENDS", "HALT", "HASH"}, narrow: 7}
	for _, x := range items {
		v.names = append(v.names, x.Name)
		v.rows = append(v.rows, []string{
			x.Name, string(x.Stage), strconv.Itoa(x.Revision), x.Home.String(), x.Host.String(), string(x.Tier),
			x.Ends.String(), string(x.Halt), short(x.Hash),
		})
	}
	return v
}
