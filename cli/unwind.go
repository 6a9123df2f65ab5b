package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// root is how something that other things hang from is named on the command line.
type root struct {
	kind    revocation.RootKind
	what    string // as a sentence names it
	args    []string
	example string
	name    func(r *node.Root, args []string)
}

var roots = []root{
	{revocation.RootSubject, "somebody, whichever issuer speaks", []string{"ISSUER", "SUBJECT"}, "subject https://idp.rxw.example 7f3c", func(r *node.Root, args []string) { r.Issuer, r.Subject = args[0], args[1] }},
	{revocation.RootKey, "a signing key of an issuer", []string{"ISSUER", "KEY"}, "key https://idp.rxw.example k-2026-11", func(r *node.Root, args []string) { r.Issuer, r.KeyID = args[0], args[1] }},
	{revocation.RootIssuer, "an issuer", []string{"ISSUER"}, "issuer https://idp.rxw.example", func(r *node.Root, args []string) { r.Issuer = args[0] }},
	{revocation.RootAgreement, "an agreement", []string{"NAME"}, "agreement rxw-staff-at-rje", func(r *node.Root, args []string) { r.Name = args[0] }},
	{revocation.RootClient, "an integration: an OAuth client", []string{"CLIENT"}, "client ward-app", func(r *node.Root, args []string) { r.Name = args[0] }},
}

func (t root) use() string { return string(t.kind) + " " + strings.Join(t.args, " ") }

func (t root) read(args []string) node.Root {
	r := node.Root{Kind: t.kind}
	t.name(&r, args)
	return r
}

func (a *app) reachCommand() *cobra.Command {
	var children []*cobra.Command
	for _, t := range roots {
		children = append(children, &cobra.Command{
			Use: t.use(), Short: "Show what hangs from " + t.what, Args: args(t.args...),
			Example: "  entente reach " + t.example,
			RunE: func(c *cobra.Command, args []string) error {
				return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
					found, err := n.Reach(ctx, t.read(args))
					if err != nil {
						return err
					}
					return a.show(view{data: found, names: []string{args[len(args)-1]}, text: reachText(found)})
				})
			},
		})
	}
	return a.group("reach", "The blast radius: what hangs from something, before it is ended", children...)
}

func reachText(r node.Reach) string {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%-12s %s\n", name, value) }
	counts, permits := "no longer", fmt.Sprintf("%d, of %d subjects, in the last day", r.Permits, r.Subjects)
	if r.Alive {
		counts = "yes"
	}
	if r.Partial {
		permits += " (as far as could be counted)"
	}
	line("counts", counts)
	line("agreements", orNone(r.Agreements))
	line("classes", orNone(r.Classes))
	line("services", orNone(r.Services))
	line("partners", orNone(r.Partners))
	line("sessions", strconv.Itoa(r.Sessions)+" open")
	line("credentials", strconv.Itoa(r.Credentials)+" live")
	line("mappings", orNone(r.Mappings))
	line("exceptions", orNone(r.Exceptions))
	line("streams", orNone(r.Streams))
	line("permits", permits)
	return b.String()
}

// orNone joins what there is.
func orNone[T any](all []T) string {
	if len(all) == 0 {
		return "none"
	}
	words := make([]string, len(all))
	for i, one := range all {
		words[i] = fmt.Sprint(one)
	}
	return strings.Join(words, ", ")
}

// radiusFor is how long a command that takes trust away waits to tell what it takes.
const radiusFor = 2 * time.Second

// radius tells a person, before something ends, what hangs from it. What cannot
// be told in time is skipped: taking trust away does not wait.
func (a *app) radius(ctx context.Context, n *admin.Client, r node.Root) {
	if _, ok := width(a.Err); !ok {
		return
	}
	ctx, stop := context.WithTimeout(ctx, radiusFor)
	defer stop()
	found, err := n.Reach(ctx, r)
	if err != nil {
		a.say("what hangs from it could not be told in time")
		return
	}
	a.say("%s", radiusText(found))
}

func radiusText(r node.Reach) string {
	text := fmt.Sprintf("from it hang %d open sessions, %d live credentials, %d mappings, %d exceptions and %d streams; in the last day it let %d subjects in %d times",
		r.Sessions, r.Credentials, len(r.Mappings), len(r.Exceptions), len(r.Streams), r.Subjects, r.Permits)
	if r.Partial {
		text += ", at least"
	}
	return text
}

func (a *app) unwindCommand() *cobra.Command {
	var children []*cobra.Command
	for _, t := range roots {
		children = append(children, a.unwind(t))
	}
	return a.group("unwind", "End something with everything that hangs from it, and prove that nothing is left", append(children, a.unwindCheck())...)
}

func (a *app) unwind(t root) *cobra.Command {
	var why node.Why
	var yes bool
	c := &cobra.Command{
		Use: t.use(), Short: "End " + t.what + ", for good, with all that hangs from it", Args: args(t.args...),
		Long: "End " + t.what + `, for good, with all that hangs from it: sessions, credentials
of this node, mappings, exceptions, streams. Partners that it concerns are told. Then
it is looked for again, and what was found is written into the ledger, each thing with
what ended it; entente unwind check looks once more. Exit code 6: something is left.`,
		Example: "  entente reach " + t.example + "\n  entente unwind " + t.example + " --reason breach --incident INC-4711",
		RunE: func(c *cobra.Command, args []string) error {
			u := admin.Unwinding{Root: t.read(args), Why: why}
			last := args[len(args)-1]
			if !yes && a.interactive() {
				if err := a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error { a.radius(ctx, n, u.Root); return nil }); err != nil {
					return err
				}
			}
			if err := a.confirm(danger{"Unwinding " + string(t.kind) + " " + last, last, yes}); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				done, err := n.Unwind(ctx, u)
				if err != nil {
					return err
				}
				return a.unwound(done)
			})
		},
	}
	c.Flags().StringVar(&why.Reason, "reason", "", "why; it is kept sealed in this node's ledger")
	c.Flags().StringVar(&why.Incident, "incident", "", "the incident's reference")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	return c
}

func (a *app) unwindCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check POSITION", Short: "Read back what an unwinding found, and look once more whether anything is left",
		Example: "  entente unwind check 1/18442", Args: args("POSITION"),
		RunE: func(c *cobra.Command, args []string) error {
			_, number, ok := strings.Cut(args[0], "/")
			if !ok {
				number = args[0]
			}
			n, err := strconv.ParseUint(number, 10, 64)
			if err != nil {
				return trust.Errorf(trust.Invalid, "%.40q is not a position in the trust log, as 1/18442", args[0])
			}
			return a.withNode(c.Context(), func(ctx context.Context, client *admin.Client) error {
				found, err := client.Unwinding(ctx, n)
				if err != nil {
					return err
				}
				return a.unwound(found)
			})
		},
	}
}

func (a *app) unwound(u node.Unwound) error {
	v := view{data: u, names: []string{u.Position.String()}, columns: []string{"WHAT", "WHICH", "STATE", "REASON", "BY ENTRY"}}
	row := func(l *revocation.Limb, state string) {
		which, at := l.Name, "–"
		if l.Kind == revocation.LimbRoot {
			which = string(u.Root.Kind)
		}
		if l.Kind == revocation.LimbSession {
			which = "permitted at " + l.Permit.String()
		}
		if l.At != (trust.Position{}) {
			at = l.At.String()
		}
		v.rows = append(v.rows, []string{string(l.Kind), which, state, string(l.Reason), at})
	}
	for i := range u.Gone {
		row(&u.Gone[i], "ended")
	}
	for i := range u.Left {
		row(&u.Left[i], "LEFT")
	}
	for _, p := range u.Partners {
		state := "told"
		if p.Taken {
			state = "has taken it"
		}
		v.rows = append(v.rows, []string{"partner", p.Participant.String(), state, "", ""})
	}
	v.text = a.table(v) + fmt.Sprintf("\n%d left; on record at %s, leaf hash %s\n", len(u.Left), u.Position, u.Hash)
	if u.Uncounted {
		v.text += "credentials live that this node does not remember; those that hung from it have ended too\n"
	}
	v.columns = nil
	if err := a.show(v); err != nil {
		return err
	}
	if len(u.Left) > 0 {
		return failed{exitUnverified, errors.New("something is left: " + strconv.Itoa(len(u.Left)))}
	}
	return nil
}
