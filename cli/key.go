package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
)

func (a *app) keyCommand() *cobra.Command {
	return a.group("key", "The keys of this node, its partners and their issuers", a.keyList(), a.keyRotate(), a.keyAdopt(), a.keyAccepted(), a.keyAlgorithms())
}

func (a *app) keyList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List every key this node knows, also those that are gone",
		Example: "  entente key list -o wide",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Keys(ctx)
				if err != nil {
					return err
				}
				v := keyView(list.Items)
				v.data = list
				return a.show(v)
			})
		},
	}
}

func (a *app) keyAlgorithms() *cobra.Command {
	return &cobra.Command{
		Use: "algorithms", Short: "List what signatures this program takes, for what and until when",
		Long:    "List the registry of algorithms: what each is accepted for, under which keys, and until when. What is not listed is refused. No node is asked.",
		Example: "  entente key algorithms -o wide",
		Args:    args(),
		RunE: func(*cobra.Command, []string) error {
			list := jose.Registry()
			v := view{data: list, columns: []string{"ALGORITHM", "KEYS", "STATUS", "UNTIL", "FOR", "WHY"}, narrow: 5}
			for _, r := range list {
				uses := make([]string, len(r.Uses))
				for i, use := range r.Uses {
					uses[i] = string(use)
				}
				v.names = append(v.names, string(r.Name))
				v.rows = append(v.rows, []string{string(r.Name), r.Keys, string(r.Status), instant(r.Until), strings.Join(uses, " "), r.Why})
			}
			return a.show(v)
		},
	}
}

func keyView(items []node.KeyView) view {
	v := view{columns: []string{"OF", "USE", "KEY", "STAGE", "FROM", "UNTIL", "ALG", "THUMBPRINT"}, narrow: 6}
	for _, k := range items {
		of, use := k.Issuer, "issuer"
		if of == "" {
			of, use = k.Participant.String(), string(k.Use)
		}
		v.names = append(v.names, k.Thumbprint)
		v.rows = append(v.rows, []string{of, use, k.KeyID, string(k.Stage), instant(k.From), instant(k.Until), k.Alg, k.Thumbprint})
	}
	return v
}

func (a *app) keyAccepted() *cobra.Command {
	return &cobra.Command{
		Use: "accepted ISSUER KEY", Short: "List what an issuer's key had been accepted for",
		Long:    "Read the decision log for permits on tokens that a key signed. The key is named by kid or thumbprint; it may be gone or revoked. Each subject has the reference of its last such decision, for entente explain.",
		Example: "  entente key accepted https://idp.rxw.example k-2026-11 -o json",
		Args:    args("ISSUER", "KEY"),
		RunE: func(c *cobra.Command, args []string) error {
			found, err := a.accepted(c.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			v := view{data: found, text: acceptedText(found)}
			for _, s := range found.Subjects {
				v.names = append(v.names, s.Reference)
			}
			return a.show(v)
		},
	}
}

// accepted reads the whole decision log, a stretch at a time. Each has the time
// limit of a question to itself.
func (a *app) accepted(ctx context.Context, issuer, key string) (all node.Accepted, err error) {
	progress, done := a.progress()
	defer done()
	for first := true; first || all.Next != 0; first = false {
		var found node.Accepted
		err := a.withNode(ctx, func(ctx context.Context, n *admin.Client) (err error) {
			found, err = n.Accepted(ctx, issuer, key, all.Next)
			return err
		})
		if err != nil {
			return all, err
		}
		if first {
			all = found
		} else {
			all.Add(found)
		}
		if progress != nil {
			progress("decisions", all.Read)
		}
	}
	return all, nil
}

func acceptedText(f node.Accepted) string {
	var b strings.Builder
	fmt.Fprintf(&b, "key %s of %s had been accepted %d times", f.Key.Thumbprint, f.Issuer, f.Permits)
	if f.Permits > 0 {
		fmt.Fprintf(&b, ", first %s, last %s", f.First, f.Last)
	}
	fmt.Fprintf(&b, "; %d tokens of it were denied; %d decisions were read\n", f.Denials, f.Read-f.From)
	cells := [][]string{{"ENFORCEMENT POINT", "RESOURCE", "PERMITS"}}
	for _, s := range f.Services {
		cells = append(cells, []string{s.EnforcementPoint, string(s.ResourceType), strconv.Itoa(s.Permits)})
	}
	if len(f.Services) > 0 {
		b.WriteString("\n" + plain(cells))
	}
	cells = [][]string{{"SUBJECT", "PERMITS", "FIRST", "LAST", "LAST DECISION"}}
	for _, s := range f.Subjects {
		cells = append(cells, []string{fmt.Sprintf("%x", s.Subject[:]), strconv.Itoa(s.Permits), s.First.String(), s.Last.String(), s.Reference})
	}
	if len(f.Subjects) > 0 {
		b.WriteString("\n" + plain(cells))
	}
	if f.More {
		b.WriteString("there were more subjects than are listed\n")
	}
	return clean(b.String())
}

// endKey revokes a key, and only then looks for what it had been accepted for.
func (a *app) endKey(ctx context.Context, r node.RevokeRequest, list bool) error {
	var done node.Revocation
	err := a.withNode(ctx, func(ctx context.Context, n *admin.Client) (err error) {
		a.radius(ctx, n, rootOf(r))
		done, err = n.Revoke(ctx, r)
		return err
	})
	if err != nil {
		return err
	}
	v := revokedView(r.Kind, done)
	if !list {
		return a.show(v)
	}
	found, err := a.accepted(ctx, r.Issuer, done.Thumbprint)
	if err != nil {
		a.say("the key is revoked; what it had been accepted for could not be read to the end")
		return err
	}
	v.data = struct {
		node.Revocation
		Accepted node.Accepted `json:"accepted"`
	}{done, found}
	v.text, v.columns = a.table(v)+"\n"+acceptedText(found), nil
	return a.show(v)
}
