package local_test

import (
	"testing"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/store/local/faulty"
	"github.com/entente-id/entente/store/storetest"
)

// The suite runs on the machine's own files, on the disk in memory that the
// fault tests use, and with segments so short that nearly every batch begins a
// new one.
func TestSuite(t *testing.T) {
	for name, options := range map[string]func() local.Options{
		"files":          func() local.Options { return local.Options{} },
		"memory":         func() local.Options { return local.Options{FS: &faulty.Disk{}} },
		"short segments": func() local.Options { return local.Options{FS: &faulty.Disk{}, SegmentSize: 200} },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) func() store.Store {
				o, dir := options(), t.TempDir()
				o.OnceQuota = storetest.OnceQuota
				return func() store.Store {
					s, tails, err := local.Open(dir, o)
					if err != nil || len(tails) != 0 {
						t.Fatal(err, tails)
					}
					return s
				}
			})
		})
	}
}
