package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

func (a *app) ruleCommand() *cobra.Command {
	return a.group("rule", "What this node counts, and what it does before a person looks", a.ruleSet(), a.ruleList(), a.ruleRemove())
}

func (a *app) ruleSet() *cobra.Command {
	var t node.RuleText
	var within, participant string
	c := &cobra.Command{
		Use: "set NAME", Short: "Put a rule in force, in place of one of that name", Args: args("NAME"),
		Example: "  entente rule set odd-queries --when volume --per subject --count 40 --within 10m --class human --do suspend --what subject --tlp amber",
		RunE: func(c *cobra.Command, args []string) (err error) {
			t.Name = args[0]
			if t.Within, err = trust.ParseSpan(within); err != nil {
				return err
			}
			if participant != "" {
				if t.Participant, err = trust.ParseParticipantID(participant); err != nil {
					return err
				}
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error { return n.SetRule(ctx, t) })
		},
	}
	f := c.Flags()
	f.StringVar((*string)(&t.When), "when", "", "what is counted: volume (decisions), reissue (tokens of who ended), breach (drills), leak (reported ones), posture (what lapsed) or delay (ends told late)")
	f.StringVar((*string)(&t.Per), "per", "", "of a volume, of re-issues and of leaks: subject or participant")
	f.Uint64Var(&t.Count, "count", 0, "how many of them")
	f.StringVar(&within, "within", "", "in what time, as 10m or 1d")
	f.StringVar((*string)(&t.Do), "do", string(incident.Alert), "alert, suspend or reduce")
	f.StringVar((*string)(&t.What), "what", "", "what is stopped: subject, class, service, agreement or participant")
	f.StringVar(&participant, "participant", "", "of one participant alone")
	f.StringVar(&t.Agreement, "agreement", "", "under one agreement alone")
	f.StringVar((*string)(&t.Class), "class", "", "of one class alone")
	f.StringVar(&t.Service, "service", "", "at one service alone")
	f.StringVar((*string)(&t.TLP), "tlp", "", "tell the partner the reason too, marked red, amber+strict, amber, green or clear (TLP 2.0)")
	for _, name := range []string{"when", "count", "within"} {
		_ = c.MarkFlagRequired(name) // fails only for a flag that is not there
	}
	return c
}

func (a *app) ruleList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the rules in force", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Rules(ctx)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"NAME", "WHEN", "DOES", "OF", "TLP", "SET BY"}, narrow: 4}
				for _, r := range list.Items {
					by := "operator"
					if r.Standing {
						by = "-"
					}
					v.names = append(v.names, r.Name)
					v.rows = append(v.rows, []string{r.Name, counted(r), does(r), scope(r), string(r.TLP), by})
				}
				return a.show(v)
			})
		},
	}
}

func counted(r node.RuleText) string {
	text := strconv.FormatUint(r.Count, 10) + " " + string(r.When) + " in " + r.Within.String()
	if r.Per != "" {
		text += " per " + string(r.Per)
	}
	return text
}

func does(r node.RuleText) string {
	if r.What == "" {
		return string(r.Do)
	}
	return string(r.Do) + " " + string(r.What)
}

func scope(r node.RuleText) string {
	words := slices.DeleteFunc([]string{r.Participant.String(), r.Agreement, string(r.Class), r.Service}, func(w string) bool { return w == "" })
	return strings.Join(words, " ")
}

func (a *app) ruleRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Take a rule out of force; what it stopped stays stopped", Args: args("NAME"),
		Example: "  entente rule remove odd-queries",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error { return n.RemoveRule(ctx, args[0]) })
		},
	}
}

func (a *app) incidentCommand() *cobra.Command {
	return a.group("incident", "What rules counted, and what they did", a.incidentList())
}

func (a *app) incidentList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the incidents, the newest last", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Incidents(ctx)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"ID", "RULE", "COUNTED", "PARTICIPANT", "DID", "NOW", "SUBJECT", "AT"}, narrow: 6}
				for _, i := range list.Items {
					now := "-"
					if i.Still {
						now = "stopped"
					} else if i.Stopped != "" {
						now = "goes on"
					}
					v.names = append(v.names, i.ID)
					v.rows = append(v.rows, []string{
						i.ID, i.Rule.Name, strconv.FormatUint(i.Count, 10) + " " + string(i.Rule.When), i.Participant.String(), does(i.Rule), now, i.Subject, i.At.String(),
					})
				}
				return a.show(v)
			})
		},
	}
}
