package admin

// Patterns lists every route, for the test that lets no stranger in.
func Patterns() (patterns []string) {
	for pattern := range Operations() {
		patterns = append(patterns, pattern)
	}
	return patterns
}
