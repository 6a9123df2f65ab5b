package nodetest

import (
	"os"
	"sync"
	"time"
)

// patience is how long Eventually waits: a minute, or the duration that the
// environment variable NODETEST_PATIENCE says.
var patience = sync.OnceValue(func() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("NODETEST_PATIENCE")); err == nil {
		return d
	}
	return time.Minute
})

// Eventually waits for a condition that other goroutines bring about, up to its
// patience: a machine may be slow, and what holds waits no longer than it has to.
func Eventually(t TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience()); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("waited in vain for: %s", what)
}
