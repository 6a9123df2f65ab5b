package cli

import (
	"context"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

func (a *app) disputeCommand() *cobra.Command {
	c := a.group("dispute", "Settle with a partner what it suspended of ours, or we of its",
		a.group("open", "Dispute what a partner suspended", a.disputeOpen(stopSubject), a.disputeOpen(stopAgreement), a.disputeOpen(stopParticipant), a.disputeReduction()),
		a.disputeList(), a.disputeShow(), a.disputeAnswer(), a.disputeEvidence(), a.disputeEscalate(),
		a.disputeTerms(dispute.Propose), a.disputeTerms(dispute.Rule), a.disputeAccept(), a.disputeMeet())
	c.Long = `Dispute what a partner suspended: between the two, then with a mediator that both
name, then before a panel, whose majority rules. Either side shows entries of its
ledger with their proofs. What it comes to is a remedy that the node of whoever
suspended enforces: a bar, a plan, monitoring. Going on takes two people of that
side afterwards, as always (entente resume).`
	return c
}

func (a *app) disputeOpen(s stoppable) *cobra.Command {
	var r node.DisputeRequest
	var participant, by string
	c := &cobra.Command{
		Use: s.use(), Short: "Dispute the suspension of " + s.what, Args: args(s.args...),
		Example: "  entente dispute open " + s.example + " --statement 'a training account, see HR-3001'",
		RunE: func(c *cobra.Command, args []string) error {
			if err := s.read(&r.Stoppable, args); err != nil {
				return err
			}
			what := node.SuspendRequest{Stoppable: r.Stoppable}
			if err := fill(&what, participant, "", ""); err != nil {
				return err
			}
			r.Stoppable = what.Stoppable
			return a.disputed(c.Context(), r, by)
		},
	}
	s.flags(c, &participant)
	openFlags(c, &r, &by)
	return c
}

func (a *app) disputeReduction() *cobra.Command {
	var r node.DisputeRequest
	var by string
	c := &cobra.Command{
		Use: "reduction NAME", Short: "Dispute what was taken out of an agreement, named as it was taken",
		Example: "  entente dispute open reduction rxw-staff-at-rje --class agent --statement 'fixed in release 4'",
		Args:    args("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			r.Kind, r.Stoppable.Agreement = stopClass.kind, args[0]
			return a.disputed(c.Context(), r, by)
		},
	}
	coverageFlags(c, &r.Stoppable)
	openFlags(c, &r, &by)
	return c
}

func openFlags(c *cobra.Command, r *node.DisputeRequest, by *string) {
	c.Flags().StringVar(&r.Statement, "statement", "", "why; the partner and whoever mediates or rules read it")
	c.Flags().StringVar(&r.Agreement, "under", "", "the agreement whose rules for disputes hold; the first one alive, if left out")
	c.Flags().StringVar(by, "by", "", "who suspended it, where several did")
	_ = c.MarkFlagRequired("statement") // fails only for a flag that is not there
}

func (a *app) disputed(ctx context.Context, r node.DisputeRequest, by string) (err error) {
	if by != "" {
		if r.By, err = trust.ParseParticipantID(by); err != nil {
			return err
		}
	}
	return a.withNode(ctx, func(ctx context.Context, n *admin.Client) error {
		got, err := n.OpenDispute(ctx, r)
		if err != nil {
			return err
		}
		return a.show(view{data: got, names: []string{got.ID}, columns: []string{"DISPUTE"}, rows: [][]string{{got.ID}}})
	})
}

func (a *app) disputeList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the disputes that this node is in, closed ones too", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Disputes(ctx)
				if err != nil {
					return err
				}
				v := disputeView(list.Items...)
				v.data = list
				return a.show(v)
			})
		},
	}
}

func disputeView(items ...node.Dispute) view {
	v := view{columns: []string{"ID", "STAGE", "WE ARE", "OPENER", "RESPONDENT", "ABOUT", "DUE", "HELD BY"}, narrow: 7}
	for _, d := range items {
		stage, due := string(d.Stage), ""
		if d.Lapsed {
			stage = "lapsed"
		}
		if d.Due != 0 {
			due = d.Due.String()
		}
		v.names = append(v.names, d.ID)
		v.rows = append(v.rows, []string{d.ID, stage, string(d.Role), d.Opener.String(), d.Respondent.String(), string(d.Kind), due, d.Holds})
	}
	return v
}

func (a *app) disputeShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a dispute with every move in it", Args: args("ID"),
		Long: `Show a dispute with every move in it. With -o json it shows what was said, the terms
on the table and the evidence with its proofs.`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				d, err := n.Dispute(ctx, args[0])
				if err != nil {
					return err
				}
				v := view{data: d, columns: []string{"POSITION", "AT", "MOVE", "FROM", "BY", "SAID", "TERMS"}, narrow: 6}
				for _, m := range d.Moves {
					v.names = append(v.names, m.Position.String())
					v.rows = append(v.rows, []string{m.Position.String(), instant(m.At), m.Kind, m.From.String(), m.By, m.Statement, m.Hash})
				}
				return a.show(v)
			})
		},
	}
}

// disputeMove is a command that makes one move in a dispute.
func (a *app) disputeMove(c *cobra.Command, make func(args []string) (node.DisputeMove, error)) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error {
		m, err := make(args)
		if err != nil {
			return err
		}
		return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error { return n.MoveDispute(ctx, args[0], m) })
	}
	return c
}

func (a *app) disputeAnswer() *cobra.Command {
	m := node.DisputeMove{Verb: dispute.Answer}
	c := a.disputeMove(&cobra.Command{
		Use: "answer ID", Short: "Answer a dispute about what this node suspended", Args: args("ID"),
		Example: "  entente dispute answer 0f3c… --statement '40 odd queries within an hour, INC-4711'",
	}, func([]string) (node.DisputeMove, error) { return m, nil })
	c.Flags().StringVar(&m.Statement, "statement", "", "why it was suspended")
	_ = c.MarkFlagRequired("statement") // fails only for a flag that is not there
	return c
}

func (a *app) disputeEvidence() *cobra.Command {
	var log, number, file string
	c := a.disputeMove(&cobra.Command{
		Use: "evidence ID", Short: "Show an entry of the ledger as evidence, with its proof", Args: args("ID"),
		Long: `Show an entry of this node's ledger as evidence: the leaf as it stands, and what proves
that the log with the signed checkpoint has it there. Every node that receives it
checks that; what does not hold is refused. With --file, evidence that somebody else
gave, as dispute show has it.`,
		Example: "  entente dispute evidence 0f3c… --log decisions --entry 18442",
	}, func([]string) (node.DisputeMove, error) {
		m := node.DisputeMove{Verb: dispute.Exhibit, Log: log}
		if file == "" {
			n, err := strconv.ParseUint(number, 10, 64)
			if err != nil {
				return m, trust.Errorf(trust.Invalid, "entry %q is not the number of one", number)
			}
			m.N = n
			return m, nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return m, trust.Errorf(trust.Invalid, "reading the evidence: %w", err)
		}
		m.Exhibit = new(node.Exhibit)
		return m, canonical.Decode(text, m.Exhibit)
	})
	c.Flags().StringVar(&log, "log", "decisions", "trust or decisions")
	c.Flags().StringVar(&number, "entry", "", "the entry's number")
	c.Flags().StringVar(&file, "file", "", "evidence as JSON")
	c.MarkFlagsOneRequired("entry", "file")
	c.MarkFlagsMutuallyExclusive("entry", "file")
	return c
}

func (a *app) disputeEscalate() *cobra.Command {
	var to string
	var thirds []string
	c := a.disputeMove(&cobra.Command{
		Use: "escalate ID", Short: "Ask for the next stage: a mediator, or a panel", Args: args("ID"),
		Long: `Ask for the next stage. Whom the agreement names, either side has sit once the stage is
over. Before that, and whomever it does not name, both sides ask for alike.`,
		Example: "  entente dispute escalate 0f3c… --to mediated --third https://trust.r0a.example",
	}, func([]string) (node.DisputeMove, error) {
		m := node.DisputeMove{Verb: dispute.Escalate, To: dispute.Stage(to)}
		for _, text := range thirds {
			id, err := trust.ParseParticipantID(text)
			if err != nil {
				return m, err
			}
			m.Thirds = append(m.Thirds, id)
		}
		return m, nil
	})
	c.Flags().StringVar(&to, "to", "", "mediated or panel")
	c.Flags().StringSliceVar(&thirds, "third", nil, "who mediates, or each member of the panel; left out, those that the agreement names")
	_ = c.MarkFlagRequired("to") // fails only for a flag that is not there
	return c
}

// disputeTerms puts terms on the table, or votes for some as one of the panel.
func (a *app) disputeTerms(verb dispute.Verb) *cobra.Command {
	var t node.Terms
	var hash, bar, monitor string
	c := &cobra.Command{Use: string(verb) + " ID", Args: args("ID")}
	if verb == dispute.Rule {
		c.Short = "Vote for a remedy, as one of the panel; once"
		c.Example = "  entente dispute rule 0f3c… --terms 9b1d…"
	} else {
		c.Short = "Put a remedy on the table, as a party or as the mediator"
		c.Example = "  entente dispute propose 0f3c… --bar 2026-12-01T00:00:00Z --condition 'she is trained' --monitor 30d --limit 20"
	}
	a.disputeMove(c, func([]string) (m node.DisputeMove, err error) {
		m = node.DisputeMove{Verb: verb, Hash: hash}
		if hash != "" {
			return m, nil
		}
		if bar != "" {
			if t.Bar, err = trust.ParseInstant(bar); err != nil {
				return m, err
			}
		}
		if monitor != "" {
			if t.Monitor, err = trust.ParseSpan(monitor); err != nil {
				return m, err
			}
		}
		m.Terms = &t
		return m, nil
	})
	c.Flags().StringVar(&hash, "terms", "", "terms that are on the table, by their hash, in place of new ones")
	c.Flags().StringVar(&bar, "bar", "", "nobody lets it go on before, as 2026-12-01T00:00:00Z")
	c.Flags().StringArrayVar(&t.Plan, "condition", nil, "what has to be met first; may be given several times")
	c.Flags().StringVar(&monitor, "monitor", "", "for how long it is monitored afterwards, as 30d")
	c.Flags().Int64Var(&t.Limit, "limit", 0, "permits an hour while it is monitored; one more suspends it again")
	c.Flags().StringVar(&t.Claim, "claim", "", "by which the home's issuers name a person, whatever the identifier")
	c.Flags().StringVar(&t.Person, "person", "", "whose value of that claim is let in under no identifier")
	c.Flags().StringVar(&t.Note, "note", "", "anything else that it says")
	for _, other := range []string{"bar", "condition", "monitor", "limit", "claim", "person", "note"} {
		c.MarkFlagsMutuallyExclusive("terms", other)
	}
	return c
}

func (a *app) disputeAccept() *cobra.Command {
	return a.disputeMove(&cobra.Command{
		Use: "accept ID HASH", Short: "Accept terms that are on the table", Args: args("ID", "HASH"),
		Example: "  entente dispute accept 0f3c… 9b1d…",
	}, func(args []string) (node.DisputeMove, error) {
		return node.DisputeMove{Verb: dispute.Accept, Hash: args[1]}, nil
	})
}

func (a *app) disputeMeet() *cobra.Command {
	m := node.DisputeMove{Verb: dispute.Meet}
	c := a.disputeMove(&cobra.Command{
		Use: "meet ID CONDITION", Short: "Say that a condition of the plan is met, as whoever suspended", Args: args("ID", "CONDITION"),
		Example: "  entente dispute meet 0f3c… 1 --statement 'certificate seen'",
	}, func(args []string) (node.DisputeMove, error) {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return m, trust.Errorf(trust.Invalid, "condition %q is not the number of one", args[1])
		}
		m.Condition = n
		return m, nil
	})
	c.Flags().StringVar(&m.Statement, "statement", "", "what was shown")
	return c
}
