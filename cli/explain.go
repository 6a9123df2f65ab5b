package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

func (a *app) explainCommand() *cobra.Command {
	var file, point string
	c := &cobra.Command{
		Use: "explain [REFERENCE]", Short: "Say why a decision fell as it did",
		Long: `Lay a recorded decision open by its reference, check by check, or decide a
hypothetical AuthZEN request as of now. A hypothetical one is not recorded, uses
nothing up and grants nothing.`,
		Example: "  entente explain 4rjw5ynxk2z6e3v7q5c6t2maeu\n  entente explain -f request.json --enforcement-point nginx-1",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 == (file != "") {
				return trust.Errorf(trust.Invalid, "explain takes the reference of a decision, or -f with a request")
			}
			if file != "" && point == "" {
				return trust.Errorf(trust.Invalid, "a hypothetical request needs --enforcement-point: who would ask")
			}
			var request jsontext.Value
			if file != "" {
				data, err := a.read(file)
				if err != nil {
					return err
				}
				request = data
				if !request.IsValid() {
					return trust.Errorf(trust.Invalid, "%s is no JSON", file)
				}
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) (err error) {
				var e node.Explanation
				if file != "" {
					e, err = n.ExplainHypothetical(ctx, admin.Hypothetical{EnforcementPoint: point, Request: request})
				} else {
					e, err = n.Explain(ctx, args[0])
				}
				if err != nil {
					return err
				}
				return a.show(view{data: e, names: []string{string(e.Reason)}, text: explanation(e)})
			})
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", "an AuthZEN request, JSON; - is standard input")
	c.Flags().StringVar(&point, "enforcement-point", "", "who would ask the request")
	return c
}

// explanation tells a decision for people: the answer, what it rests on, and
// each check in its order.
func explanation(e node.Explanation) string {
	if len(e.Counters) > 0 {
		return counterText(e.Counters)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-25s  %s → %s %s/%s at %s\n", strings.ToUpper(outcome(e.Permit)), e.Reason, who(e), e.Action, e.ResourceType, e.Resource, e.Service)
	fmt.Fprintf(&b, "      %s\n\n", strings.Join(ground(e), " · "))
	if len(e.Chain) > 0 {
		b.WriteString(picture(chainOf(e)) + "\n")
	}
	for i, c := range e.Checks {
		fmt.Fprintf(&b, "  %s %-14s %s", mark(c.Result), c.Name, c.Text)
		if c.Name == e.Decided && !e.Permit {
			b.WriteString("      ← decided here")
			if i < len(e.Checks)-1 {
				b.WriteString("; the rest recomputed")
			}
		}
		b.WriteString("\n")
	}
	switch {
	case e.Erased:
		fmt.Fprintf(&b, "  decision %s, reference %s; the person was erased, so only the leaf is left\n", e.Position, e.Reference)
	case e.Position != nil:
		fmt.Fprintf(&b, "  decision %s, reference %s\n", e.Position, e.Reference)
	default:
		b.WriteString("  hypothetical: nothing was recorded\n")
	}
	if e.RequestID != "" && e.Position != nil {
		fmt.Fprintf(&b, "  txn %s\n", e.RequestID)
	}
	return clean(b.String())
}

// who tells the caller by class and the first digits of what the ledger knows it
// by.
func who(e node.Explanation) string {
	if e.Home == "" {
		return "an unidentified caller"
	}
	class := string(e.Class)
	if class == "" {
		class = "unclassified"
	}
	return party(class, e.Subject, e.Home)
}

func party(class string, subject trust.SubjectKey, home string) string {
	text := class
	if subject != (trust.SubjectKey{}) {
		text = strings.TrimSpace(fmt.Sprintf("%s %x…", text, subject[:2]))
	}
	return strings.TrimSpace(text + " of " + strings.TrimPrefix(home, "https://"))
}

// chainOf draws who acts for the caller, and what lets them.
func chainOf(e node.Explanation) []rung {
	all := []rung{{who: who(e)}}
	for i, h := range e.Chain {
		r := rung{who: "somebody whom no link lets act", failed: h.Failed}
		switch {
		case h.Home != "":
			r.who = party(string(h.Class), h.Subject, h.Home)
		case h.Who != "":
			issuer, _, _ := strings.Cut(h.Who, " ")
			r.who = "a subject of " + strings.TrimPrefix(issuer, "https://")
		}
		if h.Until != 0 {
			r.says = linkText(h.May, h.Until, h.Depth)
		}
		if h.Class != "" && i == len(e.Chain)-1 {
			r.says = strings.TrimPrefix(r.says+" · called", " · ")
		}
		all = append(all, r)
	}
	return all
}

// linkText says what a link lets be done.
func linkText(may []string, until trust.Instant, depth int) string {
	follow := "nobody may follow"
	if depth > 0 {
		follow = fmt.Sprintf("%d more may follow", depth)
	}
	return strings.Join([]string{strings.Join(may, "; "), "until " + until.String(), follow}, " · ")
}

// ground lists the versions that the decision rests on.
func ground(e node.Explanation) []string {
	parts := []string{e.At.String()}
	if e.Framework != 0 {
		parts = append(parts, fmt.Sprintf("framework %d", e.Framework))
	}
	if e.Agreement != "" {
		parts = append(parts, fmt.Sprintf("agreement %s rev %d", e.Agreement, e.Revision))
	}
	if e.Policy != "" {
		parts = append(parts, "policy "+e.Policy[:min(4, len(e.Policy))])
	}
	if e.Exception != "" {
		parts = append(parts, "exception "+e.Exception)
	}
	return append(parts, "trust "+e.Trust.String())
}

func mark(r decision.Result) string {
	switch r {
	case decision.Passed:
		return "✓"
	case decision.Failed:
		return "✗"
	default:
		return "–"
	}
}
