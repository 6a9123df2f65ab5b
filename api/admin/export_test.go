package admin

import "net/url"

// Patterns lists every route, for the test that lets no stranger in.
func Patterns() (patterns []string) {
	for pattern := range Operations() {
		patterns = append(patterns, pattern)
	}
	return patterns
}

// Page gives a page of a list of texts that name themselves.
func Page(items []string, query url.Values) (List[string], error) {
	return page(listOf("Text", items), query, func(s string) string { return s })
}
