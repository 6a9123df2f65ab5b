package ledger

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// VerifyConfig says what a log is verified against.
type VerifyConfig struct {
	Log    string
	Origin string
	// Keys gives the keys that may have signed the log's checkpoints. It is asked
	// at every checkpoint: the entries before it, which Each was given, may have
	// brought new ones.
	Keys func() ([]LogKey, error)

	// Head is a checkpoint that somebody kept: the log must be at least that
	// long, and have had that root at that size. Without one a log that was cut
	// at the end of a batch is whole.
	Head []byte
	// Each is called with every record in order, for the caller to fold it
	// again; an error of it is a fault of that entry. It may be nil.
	Each func(Record) error
	// Progress is called now and then with the number of entries verified. It
	// may be nil.
	Progress func(entries uint64)
}

// LogKey is a key of a log, and when it may sign: a checkpoint whose newest entry
// is stamped from From on and before Until, in Unix seconds.
type LogKey struct {
	Verifier    note.Verifier
	From, Until int64
}

// Report is what a verified log amounts to.
type Report struct {
	Log         string
	Size        uint64
	Root        Hash
	Checkpoints int   // how many there are, all of them good
	Sealed      int   // how many entries have a sealed part
	At          int64 // the newest stamp, Unix seconds
}

// Verify recomputes a log from its bytes and believes none of them: frames, leaf
// hashes, the stored tree, every signed checkpoint, the sealed parts, the order
// of stamps. It fails with a *Fault at the first thing that does not hold, and
// with another error where reading itself fails. What an interrupted write left
// behind the last batch is no fault; the reader's opener reports it.
func Verify(ctx context.Context, r store.Reader, cfg VerifyConfig) (Report, error) {
	v := verifier{cfg: cfg, reader: r, report: Report{Log: cfg.Log}}
	if cfg.Head != nil {
		head, err := readCheckpoint(cfg.Head)
		if err == nil && head.Origin != cfg.Origin {
			err = trust.Errorf(trust.Invalid, "checkpoint is of log %q; this is %q", head.Origin, cfg.Origin)
		}
		if err != nil {
			return v.report, err
		}
		v.head = &head
		if head.Size == 0 && head.Root != emptyRoot() {
			return v.report, fault(cfg.Log, 0, "the given head signs another empty tree")
		}
	}
	for {
		page, err := r.Read(ctx, store.Query{Log: cfg.Log, From: v.tree.size, Max: pageSize})
		if err != nil {
			return v.report, faultOf(err)
		}
		if len(page.Runs) == 0 {
			return v.finish()
		}
		for _, run := range page.Runs {
			if err := v.run(run); err != nil {
				return v.report, err
			}
		}
		if err := v.storedTree(ctx); err != nil {
			return v.report, err
		}
		if cfg.Progress != nil {
			cfg.Progress(v.tree.size)
		}
	}
}

// verifier is a verification under way.
type verifier struct {
	cfg    VerifyConfig
	reader store.Reader
	report Report
	head   *Checkpoint
	tree   edge
	stored []store.Hash // computed, not yet compared
	epoch  uint32
}

// run verifies consecutive records, and the checkpoint where they end a batch.
func (v *verifier) run(run store.Run) error {
	if run.First != v.tree.size {
		return v.fault(fmt.Sprintf("entry %d stands here", run.First))
	}
	records, err := parseRun(v.cfg.Log, run, nil)
	if err != nil {
		return err
	}
	for i := range records {
		if err := v.record(&records[i]); err != nil {
			return err
		}
	}
	if v.tree.size < run.End {
		return nil
	}
	return v.checkpoint(run)
}

func (v *verifier) record(r *Record) error {
	if r.At < v.report.At && v.tree.size > 0 {
		return v.fault(fmt.Sprintf("its time %d is before that of the entry before it, %d", r.At, v.report.At))
	}
	if v.cfg.Each != nil {
		if err := v.cfg.Each(*r); err != nil {
			return v.fault(err.Error())
		}
	}
	v.report.At = r.At
	if len(r.Sealed) > 0 {
		v.report.Sealed++
	}
	v.stored = v.tree.add(r.LeafHash, v.stored)
	if v.head == nil || v.head.Size != v.tree.size {
		return nil
	}
	if _, err := v.signed(v.cfg.Head, r.At); err != nil {
		return err
	}
	if v.head.Root != v.tree.root() {
		return fault(v.cfg.Log, 0, fmt.Sprintf("the first %d entries have another root than the given head signs", v.tree.size))
	}
	return nil
}

// signed checks whose checkpoint this is: a key signed it that may at this time.
func (v *verifier) signed(checkpoint []byte, at int64) (Checkpoint, error) {
	return v.signedBy(checkpoint, func(k LogKey) bool { return k.From <= at && at < k.Until })
}

func (v *verifier) signedBy(checkpoint []byte, may func(LogKey) bool) (Checkpoint, error) {
	keys, err := v.cfg.Keys()
	if err != nil {
		return Checkpoint{}, err
	}
	var list []note.Verifier
	for _, k := range keys {
		same := func(o note.Verifier) bool { return o.KeyHash() == k.Verifier.KeyHash() }
		if may(k) && !slices.ContainsFunc(list, same) {
			list = append(list, k.Verifier)
		}
	}
	return ParseCheckpoint(checkpoint, v.cfg.Origin, note.VerifierList(list...))
}

func (v *verifier) checkpoint(run store.Run) error {
	c, err := v.signed(run.Checkpoint, v.report.At)
	switch {
	case err != nil:
		return fault(v.cfg.Log, run.First, err.Error())
	case c.Size != run.End || c.Size != v.tree.size:
		return fault(v.cfg.Log, run.First, fmt.Sprintf("the checkpoint of the batch that ends with entry count %d signs size %d", run.End, c.Size))
	case c.Root != v.tree.root():
		return fault(v.cfg.Log, run.First, fmt.Sprintf("the checkpoint at size %d signs another root than the entries have", c.Size))
	case c.Epoch < v.epoch:
		return fault(v.cfg.Log, run.First, fmt.Sprintf("the checkpoint's epoch %d follows epoch %d", c.Epoch, v.epoch))
	}
	v.epoch = c.Epoch
	v.report.Checkpoints++
	return nil
}

// storedTree compares the stored tree hashes with those computed of late.
func (v *verifier) storedTree(ctx context.Context) error {
	first := tlog.StoredHashCount(int64(v.tree.size)) - int64(len(v.stored))
	indexes := make([]int64, len(v.stored))
	for i := range indexes {
		indexes[i] = first + int64(i)
	}
	page, err := v.reader.Read(ctx, store.Query{Log: v.cfg.Log, Hashes: indexes})
	if err != nil {
		return faultOf(err)
	}
	for i, h := range page.Hashes {
		if !bytes.Equal(h[:], v.stored[i][:]) {
			level, n := tlog.SplitStoredHashIndex(indexes[i])
			return fault(v.cfg.Log, uint64(n)<<level, fmt.Sprintf("stored tree hash %d, level %d, is not the one of its entries", indexes[i], level))
		}
	}
	v.stored = v.stored[:0]
	return nil
}

func (v *verifier) finish() (Report, error) {
	v.report.Size, v.report.Root = v.tree.size, v.tree.root()
	if v.head != nil && (v.head.Size > v.tree.size || v.head.Size == 0) {
		// Whose it is, is still to be said before anybody is accused.
		if _, err := v.signedBy(v.cfg.Head, func(LogKey) bool { return true }); err != nil {
			return v.report, err
		}
	}
	if v.head != nil && v.head.Size > v.tree.size {
		return v.report, v.fault(fmt.Sprintf("the log ends here; the given head signs %d entries", v.head.Size))
	}
	return v.report, nil
}

func (v *verifier) fault(rule string) error { return fault(v.cfg.Log, v.tree.size, rule) }
