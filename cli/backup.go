package cli

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

// followEvery is how often a following backup looks for what is new.
const followEvery = time.Second

// kept is what a backup holds. New counts the bytes that this run wrote.
type kept struct {
	node.Report
	Directory string `json:"directory"`
	New       int64  `json:"new"`
}

func (a *app) backupCommand() *cobra.Command {
	var from, to string
	var follow bool
	c := &cobra.Command{
		Use: "backup", Short: "Copy a ledger, and verify the copy",
		Long: `Copy both logs of a node's data directory, while the node runs or not, and recompute
the copy as ledger verify does. Only what is new is written, so a backup that was
interrupted goes on where it ended; at any moment the directory holds a ledger, an
older one at worst. With --follow it goes on until it is interrupted.

Keys are not copied, and must not lie beside the copy: with the data keys of people
apart from it, erasing one erases that person's details in every backup.`,
		Example: "  entente backup --from /var/lib/entente --to /mnt/backup/entente\n  entente backup --to /mnt/backup/entente --follow",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			k, err := a.backup(c.Context(), dataDirectory(from), to)
			if err != nil {
				return err
			}
			if follow {
				if err := a.follow(c.Context(), dataDirectory(from), to); err != nil {
					return err
				}
			}
			return a.show(keptView(k))
		},
	}
	c.Flags().StringVar(&from, "from", ".", "the data `directory`, or the node directory that holds it")
	c.Flags().StringVar(&to, "to", "", "the backup's `directory`; it is made")
	c.Flags().BoolVar(&follow, "follow", false, "go on with what is new until interrupted")
	_ = c.MarkFlagRequired("to") // fails only for a flag that is not there
	return c
}

// backup copies once and recomputes the copy.
func (a *app) backup(ctx context.Context, from, to string) (kept, error) {
	k := kept{Directory: to}
	if _, err := os.Stat(from); err != nil {
		return k, unreadable(from, err)
	}
	if err := apartFromKeys(to); err != nil {
		return k, err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return k, trust.Errorf(trust.Unavailable, "making %s: %w", to, err)
	}
	logs, err := local.Copy(ctx, from, to, local.Options{})
	if err != nil {
		return k, unverified(err)
	}
	for _, c := range logs {
		k.New += c.Bytes
	}
	r, _, err := local.OpenReader(to, local.Options{})
	if err != nil {
		return k, unverified(err)
	}
	defer r.Close()
	progress, done := a.progress()
	defer done()
	k.Report, err = node.VerifyLedger(ctx, r, logs[store.TrustLog].Head.Checkpoint, progress)
	return k, unverified(err)
}

// apartFromKeys refuses a directory that holds keys: a backup of both is one of
// what was erased.
func apartFromKeys(dir string) error {
	for _, name := range []string{"keyring.db", "keys.age", "unlock.key", "governance.key"} {
		for _, place := range []string{dir, filepath.Dir(filepath.Clean(dir))} {
			if _, err := os.Stat(filepath.Join(place, name)); err == nil {
				return trust.Errorf(trust.Conflict, "%s holds %s; a backup of the ledger lies apart from keys", place, name)
			}
		}
	}
	return nil
}

// follow copies what is new until ctx ends.
func (a *app) follow(ctx context.Context, from, to string) error {
	for tick := time.NewTicker(followEvery); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		logs, err := local.Copy(ctx, from, to, local.Options{})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return unverified(err)
		}
		for _, name := range []string{store.TrustLog, store.DecisionLog} {
			if c := logs[name]; c.Bytes > 0 {
				a.say("%s: %d entries", name, c.Head.Size)
			}
		}
	}
}

func keptView(k kept) view {
	v := view{data: k, names: []string{k.Directory}, columns: []string{"LOG", "ENTRIES", "ROOT", "NEWEST"}}
	for _, l := range k.Logs {
		v.rows = append(v.rows, []string{l.Log, strconv.FormatUint(l.Entries, 10), l.Root, l.Newest.String()})
	}
	return v
}
