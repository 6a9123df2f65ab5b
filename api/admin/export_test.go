package admin

// Patterns lists every route, for the test that lets no stranger in.
func Patterns() (patterns []string) {
	for _, routes := range allRoutes {
		for p := range routes {
			patterns = append(patterns, p)
		}
	}
	return patterns
}
