package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

func (a *app) identityCommand() *cobra.Command {
	return a.group("identity", "The subjects this organisation answers for: their owners, purposes, accounts and ends",
		a.identityAdd(), a.identityActivate(), a.identityMove(), a.identityHandover(), a.identityLink(),
		a.identitySuspend(), a.identityOffboard(), a.identityReturn(), a.identityList(), a.identityShow())
}

func (a *app) identityAdd() *cobra.Command {
	var r node.IdentityRequest
	var class, until string
	c := &cobra.Command{
		Use: "add NAME ISSUER SUBJECT", Short: "Register a subject; it is not active yet", Args: args("NAME", "ISSUER", "SUBJECT"),
		Long: `Register a subject that this organisation answers for, by its name at one of the
organisation's own issuers. A service account, a workload and an agent are activated
only with an owner, who is an operator or whoever holds a role of operators, and with
a purpose. People need no register: their issuer's word suffices.`,
		Example: "  entente identity add lab-feed https://idp.rxw.example 7f3c --class service_account --owner role:lab_managers --purpose 'results to wards'",
		RunE: func(c *cobra.Command, args []string) (err error) {
			r.Name, r.Issuer, r.Subject, r.Class = args[0], args[1], args[2], trust.Class(class)
			if until != "" {
				if r.Until, err = trust.ParseInstant(until); err != nil {
					return err
				}
			}
			return a.changeIdentity(c, func(ctx context.Context, n *admin.Client) (admin.IdentityRecord, error) {
				return n.RegisterIdentity(ctx, r)
			})
		},
	}
	c.Flags().StringVar(&class, "class", "", "human, service_account, workload or agent")
	c.Flags().StringVar(&r.Owner, "owner", "", "who answers for it: operator:ID or role:NAME")
	c.Flags().StringVar(&r.Purpose, "purpose", "", "what it is for; it is kept sealed")
	c.Flags().StringVar(&until, "until", "", "when it ends, as 2027-06-30T00:00:00Z")
	_ = c.MarkFlagRequired("class") // fails only for a flag that is not there
	return c
}

func (a *app) identityActivate() *cobra.Command {
	return &cobra.Command{
		Use: "activate ID", Short: "Let an identity be used that has an owner and a purpose", Args: args("ID"),
		Example: "  entente identity activate identity-3",
		RunE: func(c *cobra.Command, args []string) error {
			return a.changeIdentity(c, func(ctx context.Context, n *admin.Client) (admin.IdentityRecord, error) {
				return n.ActivateIdentity(ctx, args[0])
			})
		},
	}
}

func (a *app) identityMove() *cobra.Command {
	var m node.IdentityMove
	var until string
	c := &cobra.Command{
		Use: "move ID", Short: "Say another purpose of an identity, or another end", Args: args("ID"),
		Example: "  entente identity move identity-3 --purpose 'results to wards and theatres' --until none",
		RunE: func(c *cobra.Command, args []string) (err error) {
			switch until {
			case "":
			case "none":
				m.Endless = true
			default:
				if m.Until, err = trust.ParseInstant(until); err != nil {
					return err
				}
			}
			return a.changeIdentity(c, func(ctx context.Context, n *admin.Client) (admin.IdentityRecord, error) {
				return n.MoveIdentity(ctx, args[0], m)
			})
		},
	}
	c.Flags().StringVar(&m.Purpose, "purpose", "", "what it is for from now on; it is kept sealed")
	c.Flags().StringVar(&until, "until", "", "when it ends, as 2027-06-30T00:00:00Z, or none")
	return c
}

func (a *app) identityHandover() *cobra.Command {
	var to admin.HandOver
	c := &cobra.Command{
		Use: "handover ID", Short: "Give an identity to another owner", Args: args("ID"),
		Example: "  entente identity handover identity-3 --owner operator:op-0a1b2c3d4e5f --reason 'k.osei has left'",
		RunE: func(c *cobra.Command, args []string) error {
			return a.changeIdentity(c, func(ctx context.Context, n *admin.Client) (admin.IdentityRecord, error) {
				return n.HandOverIdentity(ctx, args[0], to)
			})
		},
	}
	c.Flags().StringVar(&to.Owner, "owner", "", "who answers for it from now on: operator:ID or role:NAME")
	c.Flags().StringVar(&to.Reason, "reason", "", "why; it is kept sealed")
	_, _ = c.MarkFlagRequired("owner"), c.MarkFlagRequired("reason") // they fail only for a flag that is not there
	return c
}

func (a *app) identityLink() *cobra.Command {
	var l node.IdentityLink
	account := &cobra.Command{
		Use: "account ID ISSUER SUBJECT", Short: "Give an identity another account", Args: args("ID", "ISSUER", "SUBJECT"),
		Example: "  entente identity link account identity-3 spiffe://rxw.example spiffe://rxw.example/ns/lab/sa/feed",
		RunE: func(c *cobra.Command, args []string) error {
			l = node.IdentityLink{Issuer: args[1], Subject: args[2]}
			return a.changeIdentity(c, func(ctx context.Context, n *admin.Client) (admin.IdentityRecord, error) {
				return n.LinkIdentity(ctx, args[0], l)
			})
		},
	}
	var replaces string
	key := &cobra.Command{
		Use: "key ID KEY", Short: "Give an identity another key, which may stand in place of one", Args: args("ID", "KEY"),
		Example: "  entente identity link key identity-3 NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs --replaces 0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM",
		RunE: func(c *cobra.Command, args []string) error {
			l = node.IdentityLink{Key: args[1], Replaces: replaces}
			return a.changeIdentity(c, func(ctx context.Context, n *admin.Client) (admin.IdentityRecord, error) {
				return n.LinkIdentity(ctx, args[0], l)
			})
		},
	}
	key.Flags().StringVar(&replaces, "replaces", "", "the key that it takes the place of")
	return a.group("link", "Give an identity another account or key; it stays the same", account, key)
}

func (a *app) identitySuspend() *cobra.Command {
	var why node.Why
	c := &cobra.Command{
		Use: "suspend ID", Short: "Stop every account of an identity; `resume subject` lets each go on, by the word of two", Args: args("ID"),
		Example: "  entente identity suspend identity-3 --reason 'odd queries at night'",
		RunE: func(c *cobra.Command, args []string) error {
			return a.changeIdentity(c, func(ctx context.Context, n *admin.Client) (admin.IdentityRecord, error) {
				return n.SuspendIdentity(ctx, args[0], why)
			})
		},
	}
	identityWhy(c, &why)
	return c
}

func identityWhy(c *cobra.Command, why *node.Why) {
	c.Flags().StringVar(&why.Reason, "reason", "", "why; it is kept sealed")
	c.Flags().StringVar(&why.Incident, "incident", "", "the incident's reference")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
}

func (a *app) identityOffboard() *cobra.Command {
	var why node.Why
	var yes bool
	c := &cobra.Command{
		Use: "offboard ID", Short: "End an identity for good, with the engagement of each of its accounts, at every host", Args: args("ID"),
		Example: "  entente identity offboard identity-3 --reason 'the lab closed'",
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.confirm(danger{"Offboarding " + args[0], args[0], yes}); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				done, err := n.OffboardIdentity(ctx, args[0], why)
				if err != nil {
					return err
				}
				return a.show(view{data: done, names: []string{done.Position.String()}, text: fmt.Sprintf("%s is offboarded at %s; partners told: %d\n", args[0], done.Position, len(done.Partners))})
			})
		},
	}
	identityWhy(c, &why)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

func (a *app) identityReturn() *cobra.Command {
	var r admin.Return
	c := &cobra.Command{
		Use: "return ID", Short: "Let an identity come back in a new engagement, by the word of two", Args: args("ID"),
		Example: "  entente identity return identity-3 --joiner-check HR-2026-118",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				came, err := n.ReturnIdentity(ctx, args[0], r)
				if err != nil {
					return err
				}
				text := fmt.Sprintf("engagement %d has begun; activate %s, and each partner approves it for itself\n", came.Engagement, args[0])
				if came.Until != 0 {
					text = fmt.Sprintf("asked for; another person says so too before %s\n", came.Until)
				}
				return a.show(view{data: came, names: []string{args[0]}, text: text})
			})
		},
	}
	c.Flags().StringVar(&r.JoinerCheck, "joiner-check", "", "the reference of the joiner check")
	_ = c.MarkFlagRequired("joiner-check") // fails only for a flag that is not there
	return c
}

func (a *app) identityList() *cobra.Command {
	var flagged bool
	c := &cobra.Command{
		Use: "list", Short: "List the identities, those that have ended too", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				all, err := n.Identities(ctx, "")
				for next := all.Next; err == nil && next != ""; {
					var page admin.List[admin.IdentityRecord]
					page, err = n.Identities(ctx, next)
					all.Items, next = append(all.Items, page.Items...), page.Next
				}
				if err != nil {
					return err
				}
				all.Next = ""
				if flagged {
					all.Items = without(all.Items, func(i admin.IdentityRecord) bool { return i.Due == 0 && i.Stopped == 0 })
				}
				return a.show(identityView(all, all.Items))
			})
		},
	}
	c.Flags().BoolVar(&flagged, "flagged", false, "only those whose owner has left, or that a date stopped")
	return c
}

// without gives the items that drop does not name.
func without[T any](items []T, drop func(T) bool) []T {
	kept := make([]T, 0, len(items))
	for _, item := range items {
		if !drop(item) {
			kept = append(kept, item)
		}
	}
	return kept
}

func (a *app) identityShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show an identity with its accounts and keys", Args: args("ID"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				i, err := n.Identity(ctx, args[0])
				if err != nil {
					return err
				}
				return a.show(view{data: i, names: []string{i.ID}, text: identityPage(i)})
			})
		},
	}
}

// changeIdentity runs a command that gives the identity as it is after that.
func (a *app) changeIdentity(c *cobra.Command, do func(context.Context, *admin.Client) (admin.IdentityRecord, error)) error {
	return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
		i, err := do(ctx, n)
		if err != nil {
			return err
		}
		return a.show(identityView(i, []admin.IdentityRecord{i}))
	})
}

func identityView(data any, items []admin.IdentityRecord) view {
	v := view{
		data:    data,
		columns: []string{"ID", "STAGE", "CLASS", "NAME", "OWNER", "DUE", "PURPOSE", "ENGAGEMENT", "ACCOUNTS", "SINCE", "UNTIL"}, narrow: 6,
	}
	for _, i := range items {
		v.names = append(v.names, i.ID)
		v.rows = append(v.rows, []string{
			i.ID, string(i.Stage), string(i.Class), i.Name, i.Owner, dueOf(i), i.Purpose,
			strconv.FormatUint(uint64(i.Engagement), 10), strconv.Itoa(len(i.Accounts)), i.Since.String(), instant(i.Until),
		})
	}
	return v
}

// dueOf is by when an identity needs another owner.
func dueOf(i admin.IdentityRecord) string {
	if i.Stopped != 0 {
		return "stopped " + i.Stopped.String()
	}
	return instant(i.Due)
}

func identityPage(i admin.IdentityRecord) string {
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-12s%s\n", name, clean(text))
		}
	}
	line("id", i.ID)
	line("stage", string(i.Stage))
	line("class", string(i.Class))
	line("name", i.Name)
	line("owner", i.Owner)
	line("purpose", i.Purpose)
	line("engagement", strconv.FormatUint(uint64(i.Engagement), 10))
	line("since", i.Since.String())
	if i.Until != 0 {
		line("until", instant(i.Until))
	}
	if i.Due != 0 || i.Stopped != 0 {
		line("due", dueOf(i))
	}
	line("return", i.Asked)
	for _, account := range i.Accounts {
		line("account", strings.TrimSpace(account.Issuer+" "+account.Subject+" "+stateOf(account)))
	}
	for _, key := range i.Keys {
		text := key.Name
		if key.Replaced != 0 {
			text += " (replaced " + key.Replaced.String() + ")"
		}
		line("key", text)
	}
	return b.String()
}

func stateOf(account node.IdentityAccount) string {
	switch {
	case account.Ended:
		return "(ended)"
	case account.Stopped:
		return "(" + string(identity.Suspended) + ")"
	default:
		return ""
	}
}
