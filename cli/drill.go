package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

func (a *app) drillCommand() *cobra.Command {
	return a.group("drill", "Rehearse revocations, and see how fast partners really are", a.drillRun(), a.drillReport())
}

func (a *app) drillRun() *cobra.Command {
	var partner, class string
	var r node.DrillRequest
	var count int
	c := &cobra.Command{
		Use: "run", Short: "Let a canary in at a partner, end it here, and measure until it is denied there",
		Long: `Let a canary in at a partner, end it here, and measure until it is denied there.
A canary is a made-up identity that reaches nothing but the partner's canary
resource. Both nodes sign what they measured and record it. A broken limit is
exit code 6.`,
		Example: "  entente drill run --partner https://trust.rje.example -n 100",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if r.Partner, err = trust.ParseParticipantID(partner); err != nil {
				return err
			}
			if count < 1 {
				return trust.Errorf(trust.Invalid, "-n is %d; at least one drill is run", count)
			}
			r.Class = trust.Class(class)
			return a.runDrills(c.Context(), r, count)
		},
	}
	c.Flags().StringVar(&partner, "partner", "", "the participant whose node is asked")
	c.Flags().StringVar(&r.Agreement, "agreement", "", "the name of the agreement (default: the first in force by which the partner accepts our callers)")
	c.Flags().StringVar(&class, "class", "", "the identity class that the canary plays (default: that of the agreement's first line)")
	c.Flags().IntVarP(&count, "number", "n", 1, "how many drills, one after the other")
	_ = c.MarkFlagRequired("partner") // fails only for a flag that is not there
	return c
}

// drillsRun is what some drills came to.
type drillsRun struct {
	Drills  []node.Drilled `json:"drills"`
	Summary drill.Summary  `json:"summary"`
}

func (a *app) runDrills(ctx context.Context, r node.DrillRequest, count int) error {
	var done drillsRun
	var samples []drill.Sample
	for i := range count {
		err := a.withNode(ctx, func(ctx context.Context, n *admin.Client) error {
			d, err := n.Drill(ctx, r)
			if err != nil {
				return err
			}
			a.say("%d of %d  %s  %s", i+1, count, millis(d.Took), drillWord(d.Verdict, d.Side))
			done.Drills = append(done.Drills, d)
			samples = append(samples, drill.Sample{
				At: d.Measured.Begun, Class: d.Measured.Class, Took: d.Took, Limit: d.Measured.Limit, Verdict: d.Verdict, Side: d.Side, Alone: d.Seen == nil,
			})
			return nil
		})
		if err != nil {
			return err
		}
	}
	done.Summary = drill.Summarise(samples, 0, "")
	first := &done.Drills[0]
	link := node.LinkReport{
		Summary: done.Summary, Agreement: first.Agreement, Home: first.Measured.Home, Host: first.Measured.Host, Verdict: string(drill.Breached), Samples: samples,
	}
	switch {
	case done.Summary.Kept():
		link.Verdict = string(drill.Kept)
	case done.Summary.N == 0:
		link.Verdict = string(drill.Void)
	}
	v := view{data: done, text: a.linksText([]node.LinkReport{link})}
	for _, d := range done.Drills {
		v.names = append(v.names, d.Measured.ID)
	}
	if err := a.show(v); err != nil || link.Verdict != string(drill.Breached) {
		return err
	}
	return failed{exitUnverified, trust.Errorf(trust.Denied, "the limit of agreement %s, %s, was broken: %s", link.Agreement, millis(link.Limit), breaches(link.Breaches))}
}

func drillWord(v drill.Verdict, side drill.Side) string {
	if side == "" {
		return string(v)
	}
	return string(v) + " (" + string(side) + ")"
}

func (a *app) drillReport() *cobra.Command {
	var window trust.Span
	var class string
	c := &cobra.Command{
		Use: "report", Short: "Show each link's measured removal time against its limit",
		Example: "  entente drill report --window 30d -o wide",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Drills(ctx, time.Duration(window)*time.Second, trust.Class(class))
				if err != nil {
					return err
				}
				v := view{data: list, text: a.linksText(list.Items)}
				for _, l := range list.Items {
					v.names = append(v.names, l.Agreement)
				}
				return a.show(v)
			})
		},
	}
	c.Flags().TextVar(&window, "window", trust.Span(0), "only the drills of this last `time`, such as 30d (default: the last 512 of each link)")
	c.Flags().StringVar(&class, "class", "", "only drills of one identity class")
	return c
}

// linksText shows the links as a table, and wide the spread of each.
func (a *app) linksText(links []node.LinkReport) string {
	v := view{columns: []string{"AGREEMENT", "FROM", "AT", "N", "P50", "P95", "P99", "LIMIT", "VERDICT", "LATEST"}}
	for i := range links {
		l := &links[i]
		row := []string{l.Agreement, l.Home.String(), l.Host.String(), strconv.Itoa(l.N), "-", "-", "-", millis(l.Limit), l.Verdict, ""}
		if l.N > 0 {
			row[4], row[5], row[6] = millis(l.P50), millis(l.P95), millis(l.P99)
		}
		if len(l.Breaches) > 0 {
			row[8] += ": " + breaches(l.Breaches)
		}
		row[9] = spark(l.Took, sparkWidth)
		v.rows = append(v.rows, row)
	}
	text := a.table(v)
	for i := range links {
		l := &links[i]
		if l.Void > 0 {
			text += fmt.Sprintf("%s: %d void, denied for another reason than the canary's end\n", clean(l.Agreement), l.Void)
		}
		if l.Alone > 0 {
			text += fmt.Sprintf("%s: %d that only the home signed\n", clean(l.Agreement), l.Alone)
		}
	}
	for i := range links {
		if l := &links[i]; l.N > 1 {
			text += "\n" + clean(l.Agreement) + ", acknowledged → denied\n" + histogram(l.Took)
		}
	}
	return text
}

// breaches says whose doing they were.
func breaches(by map[drill.Side]int) string {
	var all []string
	for _, side := range drill.Sides() {
		if n := by[side]; n > 0 {
			all = append(all, fmt.Sprintf("%d by %s", n, side))
		}
	}
	return strings.Join(all, ", ")
}

// millis shows microseconds as milliseconds.
func millis(us int64) string {
	return strconv.FormatFloat(float64(us)/1000, 'f', 1, 64) + " ms"
}

const (
	sparkWidth = 16
	bars       = "▁▂▃▄▅▆▇█"
	histBins   = 8
	histWidth  = 40
)

// spark draws the latest of some durations, in their order, from none to the
// longest of them.
func spark(took []int64, width int) string {
	took = took[max(len(took)-width, 0):]
	if len(took) == 0 {
		return ""
	}
	steps, most := []rune(bars), max(slices.Max(took), 1)
	var b strings.Builder
	for _, t := range took {
		b.WriteRune(steps[min(int(t*int64(len(steps))/most), len(steps)-1)])
	}
	return b.String()
}

// histogram draws how often which durations came.
func histogram(took []int64) string {
	low, high := slices.Min(took), slices.Max(took)
	step := max((high-low)/histBins+1, 1)
	counts := make([]int, (high-low)/step+1)
	for _, t := range took {
		counts[(t-low)/step]++
	}
	most := slices.Max(counts)
	var b strings.Builder
	for i, n := range counts {
		label := fmt.Sprintf("%10s", millis(low+int64(i)*step))
		line := fmt.Sprintf("%s  %s %d", label, strings.Repeat("█", (n*histWidth+most-1)/most), n)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
