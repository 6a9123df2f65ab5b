package cli

import (
	"fmt"
	"os"
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/goccy/go-yaml"
	"golang.org/x/term"

	"github.com/entente-id/entente/trust"
)

// view is an answer in every form it may be asked for.
type view struct {
	data    any      // for json and yaml
	names   []string // for name
	text    string   // for table and wide, in place of rows
	columns []string
	rows    [][]string
	narrow  int // the first columns, which table shows; 0 means all
}

func (a *app) checkOutput() error {
	switch a.output {
	case "table", "wide", "json", "yaml", "name":
		return nil
	default:
		other := a.output
		a.output = "table"
		return trust.Errorf(trust.Invalid, "output %q is not table, wide, json, yaml or name", other)
	}
}

// show writes a view to standard output.
func (a *app) show(v view) error {
	var text string
	switch a.output {
	case "json", "yaml":
		data, err := a.encode(v.data)
		if err != nil {
			return err
		}
		text = string(data)
	case "name":
		for _, n := range v.names {
			text += clean(n) + "\n"
		}
	default:
		text = v.text
		if v.columns != nil {
			text = a.table(v)
		}
	}
	return a.print(text)
}

func (a *app) print(text string) error {
	if _, err := fmt.Fprint(a.Out, text); err != nil {
		return trust.Errorf(trust.Unavailable, "standard output cannot be written: %w", err)
	}
	return nil
}

// say tells a person at a terminal what happened; a script has its exit code.
func (a *app) say(format string, values ...any) {
	if _, ok := width(a.Err); ok {
		fmt.Fprintln(a.Err, clean(fmt.Sprintf(format, values...)))
	}
}

func (a *app) encode(v any) ([]byte, error) {
	data, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "the answer cannot be written: %w", err)
	}
	if a.output == "json" {
		return append(data, '\n'), nil
	}
	if data, err = yaml.JSONToYAML(data); err != nil {
		return nil, trust.Errorf(trust.Internal, "the answer cannot be written: %w", err)
	}
	return data, nil
}

// table lays rows out: for a terminal within its width, else, or with NO_COLOR,
// as plain columns.
func (a *app) table(v view) string {
	columns := len(v.columns)
	if v.narrow > 0 && a.output == "table" {
		columns = v.narrow
	}
	cells := [][]string{v.columns[:columns]}
	for _, row := range v.rows {
		cells = append(cells, cleanAll(row[:columns]))
	}
	screen, ok := width(a.Out)
	if !ok || a.Env("NO_COLOR") != "" {
		return plain(cells)
	}
	return styled(cells, screen)
}

const gap = 2 // spaces between columns

func plain(cells [][]string) string {
	widths := columnWidths(cells)
	var b strings.Builder
	for _, row := range cells {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-lipgloss.Width(cell)+gap))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

func styled(cells [][]string, screen int) string {
	total := 0
	for _, w := range columnWidths(cells) {
		total += w + gap
	}
	cell := lipgloss.NewStyle().PaddingRight(gap)
	head := cell.Bold(true)
	t := table.New().Border(lipgloss.HiddenBorder()).BorderTop(false).BorderBottom(false).BorderLeft(false).
		BorderRight(false).BorderHeader(false).BorderColumn(false).
		StyleFunc(func(row, _ int) lipgloss.Style {
			if row == table.HeaderRow {
				return head
			}
			return cell
		}).
		Headers(cells[0]...).Rows(cells[1:]...)
	if total > screen {
		t = t.Width(screen)
	}
	return t.String() + "\n"
}

func columnWidths(cells [][]string) []int {
	widths := make([]int, len(cells[0]))
	for _, row := range cells {
		for i, cell := range row {
			widths[i] = max(widths[i], lipgloss.Width(cell))
		}
	}
	return widths
}

// width gives the columns of the terminal that w is, if it is one.
func width(w any) (int, bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil || columns <= 0 {
		columns = 80
	}
	return columns, true
}

// clean takes out of a partner's text what would steer a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) || r == '\n' {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

func cleanAll(cells []string) []string {
	out := make([]string, len(cells))
	for i, cell := range cells {
		out[i] = strings.ReplaceAll(clean(cell), "\n", " ")
	}
	return out
}
