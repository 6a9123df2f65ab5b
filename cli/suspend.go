package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// stoppable is how something that can be suspended is named on the command line.
type stoppable struct {
	kind    suspension.Kind
	what    string // as a sentence names it
	args    []string
	example string
	name    func(w *node.Stoppable, args []string) // nil: a participant
}

var (
	stopParticipant = stoppable{suspension.Participant, "everything that rests on a partner", []string{"PARTICIPANT"}, "participant https://trust.rxw.example", nil}
	stopEdge        = stoppable{suspension.Edge, "an edge that broke", []string{"PARTICIPANT"}, "edge https://trust.rxw.example", nil}
	stopAgreement   = stoppable{
		suspension.Agreement, "an agreement", []string{"NAME"}, "agreement rxw-staff-at-rje",
		func(w *node.Stoppable, args []string) { w.Agreement = args[0] },
	}
	stopSubject = stoppable{
		suspension.Subject, "one subject: a partner's at this node alone, an own one at every host", []string{"ISSUER", "SUBJECT"}, "subject https://idp.rxw.example 7f3c",
		func(w *node.Stoppable, args []string) { w.Issuer, w.Subject = args[0], args[1] },
	}
	stopClient = stoppable{
		suspension.Client, "an OAuth client", []string{"CLIENT"}, "client ward-app",
		func(w *node.Stoppable, args []string) { w.Client = args[0] },
	}
	stopClass = stoppable{
		suspension.Coverage, "every caller of a class", []string{"CLASS"}, "class agent",
		func(w *node.Stoppable, args []string) { w.Class = trust.Class(args[0]) },
	}
	stopService = stoppable{
		suspension.Coverage, "a service for all partners", []string{"SERVICE"}, "service ward-records",
		func(w *node.Stoppable, args []string) { w.Service = args[0] },
	}
)

func (s stoppable) use() string {
	word, _, _ := strings.Cut(s.example, " ")
	return word + " " + strings.Join(s.args, " ")
}

func (s stoppable) read(w *node.Stoppable, args []string) (err error) {
	w.Kind = s.kind
	if s.name == nil {
		w.Participant, err = trust.ParseParticipantID(args[0])
		return err
	}
	s.name(w, args)
	return nil
}

// flags lets a subject's or a coverage's participant be named too.
func (s stoppable) flags(c *cobra.Command, participant *string) {
	switch s.kind {
	case suspension.Subject:
		c.Flags().StringVar(participant, "participant", "", "whose subject it is, where the issuer speaks for several")
	case suspension.Coverage:
		c.Flags().StringVar(participant, "participant", "", "of one participant alone")
	case suspension.Participant, suspension.Agreement, suspension.Client, suspension.Edge:
	}
}

func (a *app) suspendCommand() *cobra.Command {
	return a.group("suspend", "Stop somebody or something, at once and until two people let it go on",
		a.suspend(stopParticipant), a.suspend(stopAgreement), a.suspend(stopSubject),
		a.suspend(stopClient), a.suspend(stopClass), a.suspend(stopService))
}

func (a *app) suspend(s stoppable) *cobra.Command {
	var r node.SuspendRequest
	var participant, until, span string
	var yes bool
	c := &cobra.Command{
		Use: s.use(), Short: "Stop " + s.what, Args: args(s.args...),
		Example: "  entente suspend " + s.example + " --reason 'odd queries, INC-4711'",
		RunE: func(c *cobra.Command, args []string) error {
			if err := s.read(&r.Stoppable, args); err != nil {
				return err
			}
			if err := fill(&r, participant, until, span); err != nil {
				return err
			}
			if s.kind == suspension.Participant {
				if err := a.confirm(danger{"Suspending participant " + args[0], args[0], yes}); err != nil {
					return err
				}
			}
			return a.stopped(c.Context(), r)
		},
	}
	s.flags(c, &participant)
	whyFlags(c, &r.Why)
	switch s.kind {
	case suspension.Participant:
		c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	case suspension.Subject, suspension.Client, suspension.Coverage:
		endFlags(c, &until, &span)
	case suspension.Agreement, suspension.Edge:
	}
	return c
}

func whyFlags(c *cobra.Command, w *node.Why) {
	c.Flags().StringVar(&w.Reason, "reason", "", "why; it is kept sealed in this node's ledger")
	c.Flags().StringVar(&w.Incident, "incident", "", "the incident's reference")
	c.Flags().StringVar((*string)(&w.TLP), "tlp", "", "tell the partner why too, marked red, amber+strict, amber, green or clear (TLP 2.0)")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
}

func endFlags(c *cobra.Command, until, span *string) {
	c.Flags().StringVar(until, "until", "", "when it ends by itself, as 2026-12-01T12:00:00Z")
	c.Flags().StringVar(span, "for", "", "after how long it ends by itself, as 12h or 7d")
	c.MarkFlagsMutuallyExclusive("until", "for")
}

// fill reads what is given by flags.
func fill(r *node.SuspendRequest, participant, until, span string) (err error) {
	if participant != "" {
		if r.Participant, err = trust.ParseParticipantID(participant); err != nil {
			return err
		}
	}
	switch {
	case until != "":
		r.Expires, err = trust.ParseInstant(until)
	case span != "":
		r.For, err = trust.ParseSpan(span)
	}
	return err
}

func (a *app) stopped(ctx context.Context, r node.SuspendRequest) error {
	return a.withNode(ctx, func(ctx context.Context, n *admin.Client) error {
		switch r.Kind {
		case suspension.Subject:
			a.radius(ctx, n, node.Root{Kind: revocation.RootSubject, Issuer: r.Issuer, Subject: r.Subject})
		case suspension.Agreement:
			a.radius(ctx, n, node.Root{Kind: revocation.RootAgreement, Name: r.Agreement})
		case suspension.Client:
			a.radius(ctx, n, node.Root{Kind: revocation.RootClient, Name: r.Client})
		case suspension.Participant, suspension.Coverage, suspension.Edge: // nothing is looked for by these
		}
		done, err := n.Suspend(ctx, r)
		if err != nil {
			return err
		}
		return a.show(view{
			data: done, names: []string{done.Position.String()},
			columns: []string{"SUSPENDED", "POSITION", "SENT TO"},
			rows:    [][]string{{string(r.Kind), done.Position.String(), joined(done.Partners)}},
		})
	})
}

func joined(partners []trust.ParticipantID) string {
	all := make([]string, len(partners))
	for i, p := range partners {
		all[i] = p.String()
	}
	return strings.Join(all, ", ")
}

func (a *app) reduceCommand() *cobra.Command {
	var r node.SuspendRequest
	var until, span string
	c := &cobra.Command{
		Use: "agreement NAME", Short: "Take a class, a service or an action out of an agreement, at once",
		Long: `Take part of what an agreement covers out of it, at once and by one person, at home or
at the host. What is given together is taken together: --class agent --action write
leaves agents everything but writing. The partner is told and takes it out too. Two
people of this side let it go on (entente resume reduction), or a new agreement does.`,
		Example: "  entente reduce agreement rxw-staff-at-rje --class agent --reason 'INC-4711' --tlp amber",
		Args:    args("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			r.Kind, r.Agreement = suspension.Coverage, args[0]
			if err := fill(&r, "", until, span); err != nil {
				return err
			}
			return a.stopped(c.Context(), r)
		},
	}
	coverageFlags(c, &r.Stoppable)
	whyFlags(c, &r.Why)
	endFlags(c, &until, &span)
	return a.group("reduce", "Take part of an agreement away", c)
}

func coverageFlags(c *cobra.Command, w *node.Stoppable) {
	c.Flags().StringVar((*string)(&w.Class), "class", "", "callers of this class")
	c.Flags().StringVar(&w.Service, "service", "", "at this service: its name here, or its audience")
	c.Flags().StringVar((*string)(&w.Action), "action", "", "for this action")
	c.MarkFlagsOneRequired("class", "service", "action")
}

func (a *app) resumeCommand() *cobra.Command {
	c := a.group("resume", "Let something suspended go on, which takes two people",
		a.resume(stopParticipant), a.resume(stopAgreement), a.resume(stopSubject), a.resume(stopClient),
		a.resume(stopClass), a.resume(stopService), a.resumeReduction(), a.resume(stopEdge))
	c.Long = `Let something go on that this node suspended. The first operator's command asks;
within a day, another person's same command confirms it. What a partner suspended,
only that partner resumes.`
	return c
}

func (a *app) resume(s stoppable) *cobra.Command {
	var r admin.Resuming
	var participant string
	c := &cobra.Command{
		Use: s.use(), Short: "Let " + s.what + " go on", Args: args(s.args...),
		Example: "  entente resume " + s.example + " --reason 'looked into, nothing found'",
		RunE: func(c *cobra.Command, args []string) error {
			if err := s.read(&r.Stoppable, args); err != nil {
				return err
			}
			what := node.SuspendRequest{Stoppable: r.Stoppable}
			if err := fill(&what, participant, "", ""); err != nil {
				return err
			}
			r.Stoppable = what.Stoppable
			return a.resumed(c.Context(), r)
		},
	}
	s.flags(c, &participant)
	resumeFlags(c, &r)
	return c
}

func (a *app) resumeReduction() *cobra.Command {
	var r admin.Resuming
	c := &cobra.Command{
		Use: "reduction NAME", Short: "Let what was taken out of an agreement go on, named as it was taken",
		Example: "  entente resume reduction rxw-staff-at-rje --class agent --reason 'fixed'",
		Args:    args("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			r.Kind, r.Agreement = suspension.Coverage, args[0]
			return a.resumed(c.Context(), r)
		},
	}
	coverageFlags(c, &r.Stoppable)
	resumeFlags(c, &r)
	return c
}

func resumeFlags(c *cobra.Command, r *admin.Resuming) {
	c.Flags().StringVar(&r.Reason, "reason", "", "why; it is kept sealed in this node's ledger")
	_ = c.MarkFlagRequired("reason") // fails only for a flag that is not there
}

func (a *app) resumed(ctx context.Context, r admin.Resuming) error {
	return a.withNode(ctx, func(ctx context.Context, n *admin.Client) error {
		got, err := n.Resume(ctx, r)
		if err != nil {
			return err
		}
		state, until := "resumed", ""
		if got.Until != 0 {
			state, until = "asked", instant(got.Until)
			a.say("another person has to confirm this before %s", until)
		}
		return a.show(view{
			data: got, names: []string{state},
			columns: []string{"STATE", "ASKED BY", "CONFIRM BEFORE", "POSITION"},
			rows:    [][]string{{state, got.Asked, until, got.Position.String()}},
		})
	})
}

func (a *app) suspensionCommand() *cobra.Command {
	return a.group("suspension", "What this node has suspended", &cobra.Command{
		Use: "list", Short: "List what this node has suspended, and who asked that it goes on", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Suspensions(ctx)
				if err != nil {
					return err
				}
				v := suspendedView(list.Items, "BY", func(s *node.Suspended) string { return s.By })
				v.data = list
				return a.show(v)
			})
		},
	})
}

func (a *app) noticeCommand() *cobra.Command {
	return a.group("notice", "What partners told us that they suspended", &cobra.Command{
		Use: "list", Short: "List what partners told us that they suspended, and why", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Notices(ctx)
				if err != nil {
					return err
				}
				v := suspendedView(list.Items, "FROM", func(s *node.Suspended) string { return s.From.String() })
				v.data = list
				return a.show(v)
			})
		},
	})
}

func suspendedView(items []node.Suspended, who string, by func(*node.Suspended) string) view {
	v := view{columns: []string{"SUSPENDED", "WHAT", who, "SINCE", "UNTIL", "REASON", "INCIDENT", "TLP", "ASKED BY"}, narrow: 7}
	for i := range items {
		s := &items[i]
		what := stopText(s)
		v.names = append(v.names, string(s.What.Kind)+" "+what)
		v.rows = append(v.rows, []string{
			string(s.What.Kind), what, by(s), instant(s.At), instant(s.What.Expires), s.What.Reason, s.What.Incident, string(s.What.TLP), s.Asked,
		})
	}
	return v
}

// stopText names what is stopped in a cell.
func stopText(s *node.Suspended) string {
	w := &s.What
	var words []string
	for _, word := range []string{w.Participant.String(), w.Subject, s.Name, w.Client, string(w.Class), w.Service, string(w.Action)} {
		if word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}
