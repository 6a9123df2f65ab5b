package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

func (a *app) ledgerCommand() *cobra.Command {
	return a.group("ledger", "What this node has recorded", a.ledgerVerify(), a.ledgerShow(), a.ledgerList(), a.ledgerCheckpoint())
}

// verified is what ledger verify found.
type verified struct {
	node.Report
	Directory string   `json:"directory"`
	Tails     []string `json:"tails,omitempty"` // what an interrupted write left behind
}

func (a *app) ledgerVerify() *cobra.Command {
	var from, headFile string
	c := &cobra.Command{
		Use: "verify", Short: "Recompute a ledger offline and believe nothing in it",
		Long: `Recompute both logs of a node's data directory, or of a copy of one: every entry,
the trees, every signed checkpoint, the sealed parts, and the state they fold to.
No node is asked, and a running one is not disturbed. Compare the governance key
that is printed with the one you were given.

A ledger that was cut at the end of a write is whole in itself: only --head, a
checkpoint that somebody kept, shows that entries are missing.`,
		Example: "  entente ledger verify --from /var/lib/entente\n  entente ledger verify --from copy --head kept.checkpoint",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			var head []byte
			if headFile != "" {
				data, err := a.read(headFile)
				if err != nil {
					return err
				}
				head = data
			}
			v, err := a.verify(c.Context(), from, head)
			if err != nil {
				return err
			}
			return a.show(verifiedView(v))
		},
	}
	c.Flags().StringVar(&from, "from", ".", "the data `directory`, or the node directory that holds it")
	c.Flags().StringVar(&headFile, "head", "", "a kept checkpoint `file` of either log that the ledger must reach")
	return c
}

func (a *app) verify(ctx context.Context, dir string, head []byte) (verified, error) {
	v := verified{Directory: dataDirectory(dir)}
	if _, err := os.Stat(v.Directory); err != nil {
		return v, unreadable(v.Directory, err)
	}
	r, tails, err := local.OpenReader(v.Directory, local.Options{})
	if err != nil {
		return v, unverified(err)
	}
	defer r.Close()
	for _, t := range tails {
		v.Tails = append(v.Tails, t.String())
	}
	progress, done := a.progress()
	defer done()
	v.Report, err = node.VerifyLedger(ctx, r, head, progress)
	return v, unverified(err)
}

// unverified gives what is wrong with the ledger's bytes its exit code; what
// kept us from reading them keeps its own.
func unverified(err error) error {
	if _, damaged := errors.AsType[*store.Damage](err); damaged || trust.KindOf(err) == trust.Invalid {
		return failed{exitUnverified, err}
	}
	return err
}

// dataDirectory takes a node's directory too.
func dataDirectory(dir string) string {
	inside := filepath.Join(dir, "data")
	if info, err := os.Stat(inside); err == nil && info.IsDir() {
		return inside
	}
	return dir
}

// progress tells a person at a terminal how far it is.
func (a *app) progress() (report func(log string, entries uint64), done func()) {
	if _, ok := width(a.Err); !ok {
		return nil, func() {}
	}
	report = func(log string, entries uint64) { fmt.Fprintf(a.Err, "\r\x1b[K%s: %d entries", log, entries) }
	return report, func() { fmt.Fprint(a.Err, "\r\x1b[K") }
}

func verifiedView(v verified) view {
	var b strings.Builder
	kind := ""
	if v.Demo {
		kind = "  (a demo's: its time could be moved)"
	}
	fmt.Fprintf(&b, "the ledger of %s holds%s\n", v.Participant, kind)
	for _, l := range v.Logs {
		fmt.Fprintf(&b, "%-9s  %d entries, %d checkpoints, %d sealed, root %s", l.Log, l.Entries, l.Checkpoints, l.Sealed, l.Root)
		if l.Entries > 0 {
			fmt.Fprintf(&b, ", newest %s", l.Newest)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "state      %s\ngovernance %s\n", v.State, v.GovernanceKey)
	for _, t := range v.Tails {
		fmt.Fprintf(&b, "note       %s\n", t)
	}
	return view{data: v, names: []string{v.Participant.String()}, text: clean(b.String())}
}

func (a *app) ledgerShow() *cobra.Command {
	var at string
	c := &cobra.Command{
		Use: "show", Short: "Show the trust state as it was at a moment",
		Example: "  entente ledger show --at 2026-03-03T12:00:00Z",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			moment := trust.Instant(a.Now().Unix())
			if at != "" {
				var err error
				if moment, err = trust.ParseInstant(at); err != nil {
					return err
				}
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				past, err := n.StateAt(ctx, moment)
				if err != nil {
					return err
				}
				return a.show(view{data: past, names: []string{past.Position.String()}, text: a.pastText(past)})
			})
		},
	}
	c.Flags().StringVar(&at, "at", "", "the moment, RFC 3339; now without it")
	return c
}

func (a *app) pastText(p admin.Past) string {
	var b strings.Builder
	fmt.Fprintf(&b, "trust %s of %s\n", p.Position, p.At)
	if f := p.Framework; f != nil {
		fmt.Fprintf(&b, "framework %s version %d, %s\n", clean(f.Name), f.Version, short(f.Hash))
	}
	if p.Policy != "" {
		fmt.Fprintf(&b, "policy %s\n", short(p.Policy))
	}
	fmt.Fprintf(&b, "%d subjects with an ended engagement, %d engagements waiting, %d keys and %d issuers revoked\n",
		p.Ended, p.Opened, p.KeysRevoked, p.IssuersRevoked)
	for _, v := range []view{participantView(p.Participants), agreementView(p.Agreements), mappingView(admin.List[admin.Mapping]{Items: p.Mappings})} {
		if len(v.rows) > 0 {
			b.WriteString("\n" + a.table(v))
		}
	}
	return b.String()
}

func (a *app) ledgerList() *cobra.Command {
	var log string
	var from uint64
	var limit int
	c := &cobra.Command{
		Use: "list", Short: "List a log's entries",
		Example: "  entente ledger list --log decisions --from 7204000 -o json",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Entries(ctx, log, from, limit)
				if err != nil {
					return err
				}
				v := view{data: list, narrow: 3, columns: []string{"POSITION", "TIME", "KIND", "LEAF", "BODY"}}
				for _, e := range list.Items {
					v.names = append(v.names, e.Position.String())
					v.rows = append(v.rows, []string{e.Position.String(), e.At.String(), e.Kind, e.Hash, string(e.Body)})
				}
				if list.Next != "" {
					a.say("more from --from %s on", list.Next)
				}
				return a.show(v)
			})
		},
	}
	c.Flags().StringVar(&log, "log", store.TrustLog, "trust or decisions")
	c.Flags().Uint64Var(&from, "from", 0, "the first entry's number")
	c.Flags().IntVar(&limit, "limit", 100, "how many, at most 500")
	return c
}

func (a *app) ledgerCheckpoint() *cobra.Command {
	var log string
	c := &cobra.Command{
		Use: "checkpoint", Short: "Print a log's newest signed checkpoint, to be kept elsewhere",
		Example: "  entente ledger checkpoint --log trust > kept.checkpoint",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				p, err := n.Checkpoint(ctx, log)
				if err != nil {
					return err
				}
				return a.show(view{data: p, names: []string{p.Log}, text: p.Note})
			})
		},
	}
	c.Flags().StringVar(&log, "log", store.TrustLog, "trust or decisions")
	return c
}
