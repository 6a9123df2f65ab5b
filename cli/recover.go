package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

func (a *app) recoverCommand() *cobra.Command {
	var config, from, reason string
	var epoch uint32
	var yes bool
	c := &cobra.Command{
		Use: "recover", Short: "Put a ledger back, and open an epoch behind what it lost",
		Long: `Put the copy of a ledger in place of a stopped node's, verify it, and open the next
epoch behind what is lost. Every edge is suspended by it. From its next start on the
node asks each partner what it had been told, ends again what was ended, and decides
nothing before; entente recovery shows how far it has come. A partner's operator
accepts the epoch (entente epoch accept), and two operators on either side resume the
edge. What no partner was told of is lost: bans of this node alone, and whatever else
stayed here.

The data directory must not hold another ledger. Without --from the one that is there
goes on.`,
		Example: "  entente recover -c /etc/entente/node.yaml --from /mnt/backup/entente --reason 'disk broke, INC-4713' --yes",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.confirm(danger{"Opening an epoch behind a loss", "recover", yes}); err != nil {
				return err
			}
			if from != "" {
				if err := a.verified(c.Context(), from); err != nil {
					return err
				}
			}
			opened, err := a.Recover(c.Context(), config, from, epoch, reason)
			if err != nil {
				return err
			}
			a.say("start the node; then follow it: entente recovery --wait")
			v := view{data: opened, names: []string{strconv.FormatUint(uint64(opened.Epoch), 10)}, columns: []string{"EPOCH", "POSITION", "SUSPENDED EDGE"}}
			for _, p := range opened.Partners {
				v.rows = append(v.rows, []string{v.names[0], opened.Position.String(), p.String()})
			}
			return a.show(v)
		},
	}
	f := c.Flags()
	f.StringVarP(&config, "config", "c", "node.yaml", "the node's configuration `file`")
	f.StringVar(&from, "from", "", "the backup's `directory`, as entente backup makes it")
	f.Uint32Var(&epoch, "epoch", 0, "the epoch to open, where partners know a later one than the backup (default the next)")
	f.StringVar(&reason, "reason", "", "why; it is kept sealed in this node's ledger")
	f.BoolVar(&yes, "yes", false, "do not ask")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	return c
}

// verified recomputes a copy before it is put in place, and says where it ends.
func (a *app) verified(ctx context.Context, from string) error {
	r, _, err := local.OpenReader(from, local.Options{})
	if err != nil {
		return unverified(err)
	}
	defer r.Close()
	progress, done := a.progress()
	report, err := node.VerifyLedger(ctx, r, nil, progress)
	done()
	if err != nil {
		return unverified(err)
	}
	for _, l := range report.Logs {
		a.say("%s: %d entries until %s", l.Log, l.Entries, l.Newest)
		if l.Log == store.TrustLog && l.Entries == 0 {
			return trust.Errorf(trust.Invalid, "%s holds an empty ledger", from)
		}
	}
	return nil
}

func (a *app) recoveryCommand() *cobra.Command {
	var follow bool
	c := &cobra.Command{
		Use: "recovery", Short: "Show how far a recovery has come, and what was lost on each edge", Args: args(),
		Long: `Show, after entente recover, what this node had told each partner and lost, and how
much of it took effect again; and which partners of this node wait with an epoch of
their own. With --wait it goes on until every partner has said what it holds.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if follow {
				return a.recovered(c.Context())
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				r, err := n.Recovery(ctx)
				if err != nil {
					return err
				}
				return a.show(recoveryView(r))
			})
		},
	}
	c.Flags().BoolVar(&follow, "wait", false, "wait until every partner has said what it holds")
	c.AddCommand(a.recoveryWithout())
	return c
}

func (a *app) recoveryWithout() *cobra.Command {
	var f admin.Forgoing
	var yes bool
	c := &cobra.Command{
		Use: "without PARTNER", Short: "Decide again though a partner never said what it holds; two people say so",
		Long: `Let a recovered node decide again though a partner, which may be gone for good, has
not said what it holds. Two people say so, one after the other. What this node had
told that partner alone is not taken away again: look at what was done since the
backup first. The partner is suspended by it. Should it speak later, what it holds is
fetched back after all, and two people resume it as any other.`,
		Example: "  entente recovery without https://trust.rcb.example --reason 'closed since May; INC-4713' --yes",
		Args:    args("PARTNER"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if f.Participant, err = trust.ParseParticipantID(args[0]); err != nil {
				return err
			}
			if err := a.confirm(danger{"Going on without a partner's word", "without", yes}); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				got, err := n.GoOnWithout(ctx, f)
				if err != nil {
					return err
				}
				if got.Until != 0 {
					a.say("another person must say so too, until %s", got.Until)
				}
				return a.show(view{
					data: got, names: []string{f.Participant.String()}, columns: []string{"PARTNER", "ASKED", "UNTIL", "POSITION"},
					rows: [][]string{{f.Participant.String(), got.Asked, instant(got.Until), got.Position.String()}},
				})
			})
		},
	}
	c.Flags().StringVar(&f.Reason, "reason", "", "why; it is kept sealed in this node's ledger")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
	return c
}

// recovered waits until every partner has said what it holds, and says how many
// have not.
func (a *app) recovered(ctx context.Context) error {
	for said := -1; ; {
		var r node.Recovery
		err := a.withNode(ctx, func(ctx context.Context, n *admin.Client) (err error) {
			r, err = n.Recovery(ctx)
			return err
		})
		if err != nil {
			return err
		}
		if r.Waiting == 0 {
			return a.show(recoveryView(r))
		}
		if r.Waiting != said {
			said = r.Waiting
			a.say("%d of %d partners have still to say what they hold", r.Waiting, len(r.Edges))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(followEvery):
		}
	}
}

func recoveryView(r node.Recovery) view {
	v := view{data: r, columns: []string{"PARTNER", "STAGE", "THEIR EPOCH", "LANE", "LOST", "TAKEN AWAY AGAIN", "KINDS", "FAULT"}, narrow: 6}
	for _, e := range r.Edges {
		held := ""
		if e.Held != 0 {
			held = fmt.Sprintf("%d, to be accepted", e.Held)
		}
		v.names = append(v.names, e.Partner.String())
		head := []string{e.Partner.String(), string(e.Stage), held}
		for _, l := range e.Lost {
			var kinds []string
			for _, kind := range slices.Sorted(maps.Keys(l.Kinds)) {
				kinds = append(kinds, fmt.Sprintf("%d %s", l.Kinds[kind], kind))
			}
			v.rows = append(v.rows, append(slices.Clone(head), string(l.Lane), fmt.Sprintf("%d to %d", l.From, l.To), strconv.Itoa(l.Again), strings.Join(kinds, ", "), e.Fault))
		}
		if len(e.Lost) == 0 {
			v.rows = append(v.rows, append(slices.Clone(head), "", "", "", "", e.Fault))
		}
	}
	return v
}

func (a *app) epochCommand() *cobra.Command {
	return a.group("epoch", "Epochs that partners open behind a loss", a.epochAccept())
}

func (a *app) epochAccept() *cobra.Command {
	var e admin.EpochAcceptance
	var yes bool
	c := &cobra.Command{
		Use: "accept PARTNER", Short: "Let a partner that recovered its ledger speak in its new epoch",
		Long: `Let a partner that recovered its ledger speak in its new epoch. First make sure, by
another way than this network, that it was they who recovered: whoever holds a copy
of their keys could say the same. The edge stays suspended until two operators resume
it.`,
		Example: "  entente epoch accept https://trust.rxw.example --epoch 2 --reason 'k.osei called; INC-4713' --yes",
		Args:    args("PARTNER"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if e.Participant, err = trust.ParseParticipantID(args[0]); err != nil {
				return err
			}
			if err := a.confirm(danger{"Accepting an epoch", "accept", yes}); err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				got, err := n.AcceptEpoch(ctx, e)
				if err != nil {
					return err
				}
				epoch := strconv.FormatUint(uint64(e.Epoch), 10)
				return a.show(view{
					data: got, names: []string{epoch}, columns: []string{"PARTNER", "EPOCH", "POSITION"},
					rows: [][]string{{e.Participant.String(), epoch, got.Position.String()}},
				})
			})
		},
	}
	c.Flags().Uint32Var(&e.Epoch, "epoch", 0, "the epoch that is held, as entente recovery shows it")
	c.Flags().StringVar(&e.Reason, "reason", "", "why; it is kept sealed in this node's ledger")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	for _, name := range []string{"epoch", "reason"} {
		_ = c.MarkFlagRequired(name) // fails only for a flag that is not there
	}
	return c
}
