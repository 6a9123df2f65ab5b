package cli

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// rung is one who stands in a chain.
type rung struct {
	who, says string
	failed    bool // the chain is refused here
}

// picture draws a chain from the principal down to who acts.
func picture(rungs []rung) string {
	names, widest := make([]string, len(rungs)), 0
	for i, r := range rungs {
		names[i] = r.who
		if i > 0 {
			names[i] = strings.Repeat("   ", i-1) + "└─ " + r.who
		}
		widest = max(widest, lipgloss.Width(names[i]))
	}
	var b strings.Builder
	for i, r := range rungs {
		line := "  " + names[i] + strings.Repeat(" ", widest-lipgloss.Width(names[i])+gap) + r.says
		if r.failed {
			line = strings.TrimRight(line, " ") + "  ✗"
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
