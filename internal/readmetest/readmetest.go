// Package readmetest holds the README to its word: each command that it shows a
// newcomer is run as it stands there. It decides whether they work and refuses
// to know what they do.
package readmetest

import "strings"

// Commands gives the lines of every fenced block marked sh, without comments
// and empty lines.
func Commands(markdown string) []string {
	var commands []string
	inside := false
	for line := range strings.Lines(markdown) {
		line = strings.TrimSpace(line)
		if fence, ok := strings.CutPrefix(line, "```"); ok {
			inside = !inside && fence == "sh"
			continue
		}
		line, _, _ = strings.Cut(line, "  #")
		if line = strings.TrimSpace(line); inside && line != "" && !strings.HasPrefix(line, "#") {
			commands = append(commands, line)
		}
	}
	return commands
}
