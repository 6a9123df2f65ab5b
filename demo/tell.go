package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/trust"
)

// teller tells a person what happens as it happens, and a script what came of
// it.
type teller struct {
	lines  io.Writer // for a person
	object io.Writer // for the Report as JSON; nil is a table among the lines
	colour bool
}

func newTeller(c Config) *teller {
	if !c.JSON {
		return &teller{lines: c.Out, colour: isTerminal(c.Out) && os.Getenv("NO_COLOR") == ""}
	}
	t := &teller{lines: io.Discard, object: c.Out}
	if isTerminal(c.Progress) {
		t.lines, t.colour = c.Progress, os.Getenv("NO_COLOR") == ""
	}
	return t
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// say writes a line. That nobody listens is no reason to stop.
func (t *teller) say(format string, values ...any) {
	_, _ = fmt.Fprintf(t.lines, format+"\n", values...)
}

// paint puts text into a colour of the terminal.
func (t *teller) paint(colour, text string) string {
	if !t.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

const (
	green = "32"
	red   = "31"
	bold  = "1"
)

func (t *teller) begin(dir string) {
	t.say("Three hospital trusts on this machine, in %s\n", dir)
}

func (t *teller) scenario(s *Scenario) {
	t.say("%s", t.paint(bold, fmt.Sprintf("Scenario %d: %s", s.ID, s.Name)))
}

func (t *teller) step(s *Step) {
	switch s.State {
	case Passed:
		t.say("  %s %-4s %10s  %s: %s", t.paint(green, "ok"), s.ID, took(s), s.Name, s.Got)
	case Failed:
		t.say("  %s %-4s %10s  %s: %s, expected: %s", t.paint(red, "NO"), s.ID, took(s), s.Name, s.Got, s.Expected)
	}
}

func took(s *Step) string { return fmt.Sprintf("%.1f ms", s.MS) }

// end writes the report: as one JSON object, or as tables.
func (t *teller) end(r *Report) error {
	t.tables(r)
	if t.object == nil {
		return nil
	}
	text, err := json.Marshal(r, json.Deterministic(true))
	if err == nil {
		_, err = t.object.Write(append(text, '\n'))
	}
	if err != nil {
		return trust.Errorf(trust.Unavailable, "writing the report: %w", err)
	}
	return nil
}

func (t *teller) tables(r *Report) {
	var rows strings.Builder
	table := tabwriter.NewWriter(&rows, 0, 0, 2, ' ', 0)
	row := func(format string, values ...any) {
		_, _ = fmt.Fprintf(table, format+"\n", values...) // into memory
	}
	row("\nSCENARIO\tPASSED\tFAILED\t")
	for _, s := range r.Scenarios {
		count := map[State]int{}
		for _, step := range s.Steps {
			count[step.State]++
		}
		row("%d %s\t%d\t%d\t", s.ID, s.Name, count[Passed], count[Failed])
	}
	_ = table.Flush()
	row("\nLEDGER\tTRUST LOG\tDECISIONS\tROOT OF THE TRUST LOG\tVERIFIED OFFLINE\t")
	for _, l := range r.Ledgers {
		row("%s\t%d\t%d\t%s\t%t\t", l.Participant, l.Trust, l.Decisions, l.Root, l.Verified)
	}
	_ = table.Flush()
	row("\nLINK\tFROM\tAT\tDRILLS\tP50\tP95\tP99\tLIMIT\tVERDICT\t")
	for _, l := range r.Links {
		row("%s\t%s\t%s\t%d\t%.1f ms\t%.1f ms\t%.1f ms\t%.0f ms\t%s\t", l.Agreement, l.Home, l.Host, l.N, l.P50, l.P95, l.P99, l.Limit, l.Verdict)
	}
	_ = table.Flush()
	t.say("%s", rows.String())
	t.say("Offboarded at RXW to denied at RJE: p50 %.1f ms, p99 %.1f ms, in %d runs (target %s)",
		r.Offboarded.P50, r.Offboarded.P99, r.Offboarded.N, removalTarget)
	if r.Passed {
		t.say("%s", t.paint(green, "Every step that is built passed."))
	} else {
		t.say("%s", t.paint(red, "Not everything went as expected."))
	}
}
