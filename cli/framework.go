package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

func (a *app) frameworkCommand() *cobra.Command {
	return a.group("framework", "The rules that participants share",
		a.frameworkDraft(), a.frameworkSign(), a.frameworkPublish(), a.frameworkAdopt(), a.frameworkShow(), a.frameworkList(),
		a.frameworkDiff(), a.frameworkStatus())
}

func (a *app) frameworkDraft() *cobra.Command {
	var file, out string
	c := &cobra.Command{
		Use: "draft", Short: "Check a framework and render the bytes that its signers sign",
		Long:    "Check a framework document, all faults at once, and render it once and for all into a file that travels from signer to signer. No node is asked.",
		Example: "  entente framework draft -f framework.yaml --out framework.signed.json",
		Args:    args(),
		RunE: func(*cobra.Command, []string) error {
			var d framework.Document
			if err := a.document(file, "Framework", &d); err != nil {
				return err
			}
			data, hash, err := framework.Draft(d, a.Now().Unix())
			if err != nil {
				return trust.Errorf(trust.KindOf(err), "%s: %w", file, err)
			}
			a.say("framework %s version %d, %s", d.Name, d.Version, hash)
			return a.writeSigned(out, framework.Signed{Bytes: data, Signatures: []framework.Signature{}})
		},
	}
	fileFlag(c, &file, "the framework document")
	c.Flags().StringVar(&out, "out", "-", "where the signed-framework `file` goes; - is standard output")
	return c
}

func (a *app) writeSigned(path string, s framework.Signed) error {
	data, err := canonical.Marshal(s)
	if err != nil {
		return err
	}
	return a.write(path, append(data, '\n'), 0o644)
}

// readSigned reads a signed-framework file and the document in it.
func (a *app) readSigned(path string) (s framework.Signed, d framework.Document, err error) {
	data, err := a.read(path)
	if err != nil {
		return s, d, err
	}
	if err := canonical.Decode(data, &s); err != nil {
		return s, d, trust.Errorf(trust.Invalid, "%s is no signed-framework file: %w", path, err)
	}
	if err := canonical.Decode(s.Bytes, &d); err != nil {
		return s, d, trust.Errorf(trust.Invalid, "%s holds no framework: %w", path, err)
	}
	return s, d, nil
}

func (a *app) frameworkSign() *cobra.Command {
	var key governanceKey
	var as string
	c := &cobra.Command{
		Use: "sign FILE", Short: "Add your organisation's signature to a drafted framework",
		Long:    "Add a signature to a signed-framework file. No node is asked. Whose signature it is, the document says by the key; a signer of the version before, whom this version no longer lists, says so with --participant.",
		Example: "  entente framework sign framework.signed.json --governance-key governance.key",
		Args:    args("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			signed, d, err := a.readSigned(args[0])
			if err != nil {
				return err
			}
			signer, err := key.open(a)
			if err != nil {
				return err
			}
			who, err := signerOf(d, signer.Key().GovernanceText(), as)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(signed.Signatures, func(s framework.Signature) bool { return s.Participant == who }) {
				return trust.Errorf(trust.Conflict, "%s has signed already; a signature counts once", who)
			}
			signature, err := framework.Sign(signer, who, signed.Bytes)
			if err != nil {
				return err
			}
			signed.Signatures = append(signed.Signatures, signature)
			if err := a.writeSigned(args[0], signed); err != nil {
				return err
			}
			return a.show(signedView(signed, d))
		},
	}
	key.flags(c)
	c.Flags().StringVar(&as, "participant", "", "sign as this participant, whom the document does not list with this key")
	return c
}

// signerOf finds whose key a governance key is.
func signerOf(d framework.Document, key, as string) (trust.ParticipantID, error) {
	if as != "" {
		return trust.ParseParticipantID(as)
	}
	for _, s := range d.Governance.Signers {
		if s.Key == key {
			return s.Participant, nil
		}
	}
	return trust.ParticipantID{}, trust.Errorf(trust.Denied, "framework %s version %d lists no signer with the key %s", d.Name, d.Version, key)
}

func signedView(s framework.Signed, d framework.Document) view {
	hash := framework.Hash(s.Bytes)
	by := make([]string, 0, len(s.Signatures))
	for _, signature := range s.Signatures {
		by = append(by, signature.Participant.String())
	}
	return view{
		data: struct {
			Hash      string   `json:"hash"`
			Version   int      `json:"version"`
			Threshold int      `json:"threshold"`
			SignedBy  []string `json:"signed_by"`
		}{hash, d.Version, d.Governance.Threshold, by},
		names:   []string{hash},
		columns: []string{"NAME", "VERSION", "SIGNATURES", "THRESHOLD", "HASH", "SIGNED BY"},
		rows: [][]string{{d.Name, strconv.Itoa(d.Version), strconv.Itoa(len(by)), strconv.Itoa(d.Governance.Threshold),
			hash, strings.Join(by, ", ")}},
		narrow: 5,
	}
}

func (a *app) frameworkPublish() *cobra.Command {
	return &cobra.Command{
		Use: "publish FILE", Short: "Hand the node a signed framework, which then awaits adoption",
		Example: "  entente framework publish framework.signed.json",
		Args:    args("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			signed, d, err := a.readSigned(args[0])
			if err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				published, err := n.PublishFramework(ctx, signed)
				if err != nil {
					return err
				}
				a.say("framework %s version %d awaits adoption: entente framework adopt %s", d.Name, d.Version, short(published.Hash))
				return a.show(view{data: published, names: []string{published.Hash}, text: published.Hash + "\n"})
			})
		},
	}
}

func (a *app) frameworkAdopt() *cobra.Command {
	return &cobra.Command{
		Use: "adopt HASH", Short: "Put a waiting framework in force at this node",
		Long:    "Accept a waiting framework for this node. It is in force from its date on, or at once where it names none; partners are told. HASH may be shortened to at least 8 digits that only one waiting framework has.",
		Example: "  entente framework list\n  entente framework adopt 91ab34cd",
		Args:    args("HASH"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				f, err := findFramework(ctx, n, args[0])
				if err != nil {
					return err
				}
				if err := n.AdoptFramework(ctx, f.Hash); err != nil {
					return err
				}
				if d := f.Document.Activates; int64(d) > a.Now().Unix() {
					a.say("framework %s version %d is adopted, and holds from %s on", f.Name, f.Version, d)
					return nil
				}
				a.say("framework %s version %d is in force", f.Name, f.Version)
				return nil
			})
		},
	}
}

// findFramework finds the one framework whose hash begins so; an empty prefix
// is the one in force.
func findFramework(ctx context.Context, n *admin.Client, prefix string) (admin.Framework, error) {
	list, err := n.Frameworks(ctx)
	if err != nil {
		return admin.Framework{}, err
	}
	var found []admin.Framework
	for _, f := range list.Items {
		if prefix == "" && f.Stage == admin.InForce || len(prefix) >= 8 && strings.HasPrefix(f.Hash, prefix) {
			found = append(found, f)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case prefix == "":
		return admin.Framework{}, trust.Errorf(trust.NotFound, "no framework is in force here")
	default:
		return admin.Framework{}, trust.Errorf(trust.NotFound, "%d frameworks begin with %q, which needs 8 digits or more", len(found), prefix)
	}
}

func (a *app) frameworkShow() *cobra.Command {
	return &cobra.Command{
		Use: "show [HASH]", Short: "Show the framework in force, or a waiting one",
		Example: "  entente framework show -o yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				f, err := findFramework(ctx, n, strings.Join(args, ""))
				if err != nil {
					return err
				}
				v := frameworkView([]admin.Framework{f})
				v.data = f
				return a.show(v)
			})
		},
	}
}

func (a *app) frameworkList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the framework in force and those that wait", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Frameworks(ctx)
				if err != nil {
					return err
				}
				v := frameworkView(list.Items)
				v.data = list
				return a.show(v)
			})
		},
	}
}

func frameworkView(items []admin.Framework) view {
	v := view{columns: []string{"NAME", "VERSION", "STAGE", "HASH", "EXPIRES", "HOLDS FROM", "SIGNATURES", "FROM"}, narrow: 6}
	for _, f := range items {
		v.names = append(v.names, f.Hash)
		v.rows = append(v.rows, []string{
			f.Name, strconv.Itoa(f.Version), string(f.Stage), short(f.Hash), f.Expires.String(), instant(f.Since),
			fmt.Sprintf("%d of %d", len(f.SignedBy), f.Document.Governance.Threshold), f.From.String(),
		})
	}
	return v
}

// short gives as much of a hash as a person compares.
func short(hash string) string { return hash[:min(12, len(hash))] }
