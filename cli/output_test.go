package cli_test

import (
	"strings"
	"testing"

	"charm.land/lipgloss/v2"

	"github.com/entente-id/entente/cli"
)

func TestATableFitsItsTerminal(t *testing.T) {
	cells := [][]string{{"NAME", "HOME", "HOST"}, {"staff", "https://trust.rxw.example", "https://trust.rje.example"}}
	for _, screen := range []int{200, 63, 40, 20} {
		for line := range strings.Lines(cli.Styled(cells, screen)) {
			if w := lipgloss.Width(strings.TrimRight(line, "\n")); w > screen {
				t.Errorf("on a screen of %d a line is %d wide: %q", screen, w, line)
			}
		}
	}
	if wide := cli.Styled(cells, 200); strings.Count(wide, "\n") != 2 || !strings.Contains(wide, "https://trust.rxw.example") {
		t.Errorf("with room enough it is\n%s", wide)
	}
}

// A partner's text does not steer the terminal it is shown on.
func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"RXW Hospitals":        "RXW Hospitals",
		"Zürich · 東京":          "Zürich · 東京",
		"\x1b[2Jgone":          "�[2Jgone",
		"\u009b2Jgone":         "�2Jgone",
		"over\rwritten":        "over�written",
		"evil\u202egnp.exe":    "evil�gnp.exe",
		"two\nlines\x00behind": "two\nlines�behind",
	} {
		if got := cli.Clean(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
