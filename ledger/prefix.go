package ledger

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// ReadCheckpoint reads what a checkpoint states, whoever signed it: enough to
// know which log it is of before the log's keys are known. It fails with
// Invalid.
func ReadCheckpoint(signed []byte) (Checkpoint, error) { return readCheckpoint(signed) }

// CheckPrefix checks that a kept checkpoint is of a tree that the log's own
// begins with. Its signature is not looked at: the tree vouches for it. It
// fails with Invalid, or Conflict where the log is shorter.
func CheckPrefix(ctx context.Context, r store.Reader, log string, kept []byte) (Checkpoint, error) {
	c, err := readCheckpoint(kept)
	if err != nil {
		return c, err
	}
	head, err := r.Head(ctx, log)
	if err != nil {
		return c, err
	}
	if c.Size == 0 || c.Size > head.Size {
		return c, trust.Errorf(trust.Conflict, "checkpoint is of size %d; the log has %d entries", c.Size, head.Size)
	}
	root, err := tlog.TreeHash(int64(c.Size), hashReader(ctx, r, log))
	if err != nil {
		return c, err
	}
	if root != c.Root {
		return c, trust.Errorf(trust.Invalid, "checkpoint of size %d has another root than the log had there", c.Size)
	}
	return c, nil
}
