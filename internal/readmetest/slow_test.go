//go:build slow

package readmetest_test

import "testing"

// The first command, from its beginning to its end, as people see it.
func TestMakeDemoPlays(t *testing.T) { run(t, "make", "demo") }
