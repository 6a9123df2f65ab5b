// Package store is the contract between the ledger and whatever keeps its
// bytes: the entries of the two logs with their tree hashes, checkpoints and
// single-use values, and the small registers beside them.
//
// It decides what is promised (durable when Append returns; one head, moved by
// compare and swap; a single-use value once) and refuses to know what an entry
// says, who signs a checkpoint or what a register is for. Package storetest
// holds the suite that every implementation passes.
package store

import (
	"context"

	"github.com/entente-id/entente/trust"
)

// The logs there are. Each has its own entries, tree and checkpoints; they
// share the single-use values and the registers.
const (
	TrustLog    = "trust"
	DecisionLog = "decisions"
)

// Hash is a node of a log's tree: SHA-256 as of RFC 6962, section 2.1.
type Hash = [32]byte

// Store keeps one node's bytes. Its methods may be called by any number of
// goroutines. Errors are of the kinds named at each method, and Internal where
// the store itself is broken.
type Store interface {
	Reader

	// Append adds a batch to the end of a log. When it returns nil, everything
	// in the batch is durable; when it fails, nothing of it can be read. It
	// fails with Conflict where Batch.Expect is not the head of the log or a
	// single-use value has been used; with Unavailable where there is no room,
	// on the disk or in an edge's quota of single-use values, and then the
	// store can be used on; with Internal where it cannot be known what is on
	// the disk, and then for every later Append too. It keeps no slice of b.
	Append(ctx context.Context, b Batch) error

	// Once says of each value whether a batch at time at (Unix seconds) that
	// burns them all in this order may: nil, or Conflict for one that has been
	// used, before or earlier in values, or Unavailable for one whose edge has
	// its quota of unexpired values, which the text names. Nothing is burned.
	Once(ctx context.Context, at int64, values []trust.Once) ([]error, error)

	// Put writes registers, all of them or none; it is durable when it returns.
	// A nil value deletes. It fails with Invalid for an empty bucket or key, and
	// with Unavailable where there is no room.
	Put(ctx context.Context, pairs ...Pair) error

	// Get gives a register's value, or NotFound.
	Get(ctx context.Context, bucket, key string) ([]byte, error)

	// Scan gives the registers of a bucket whose keys begin with prefix and
	// come after the key after, in byte order of their keys, at most limit of
	// them. The last key of a page is the next page's after; a page shorter
	// than limit is the last.
	Scan(ctx context.Context, bucket, prefix, after string, limit int) ([]Pair, error)
}

// Reader is the part of a Store that an auditor needs.
type Reader interface {
	// Read gives what a Query asks for. Entries past the end are not there; a
	// tree hash that is not there is NotFound. Bytes that are not as they were
	// written fail with a *Damage.
	Read(ctx context.Context, q Query) (Page, error)

	// Head gives the end of a log. It fails with NotFound for a log there is
	// not.
	Head(ctx context.Context, log string) (Head, error)

	// Close lets go of everything the store holds.
	Close() error
}

// Batch is what goes down together.
type Batch struct {
	Log        string       // TrustLog or DecisionLog
	Expect     Head         // the head this batch follows
	At         int64        // Unix seconds; values that expire at or before it are forgotten
	Records    []Record     // at least one
	Hashes     []Hash       // the tree hashes these records add, in the order of x/mod/sumdb/tlog
	Once       []trust.Once // the single-use values these records burn
	Checkpoint []byte       // the signed note of the tree that ends with this batch
}

// Record is an entry's bytes. The leaf is what the tree hashes; the sealed part
// may be empty, and the leaf commits to it.
type Record struct {
	Leaf   []byte
	Sealed []byte
}

// Head is the end of a log: the number of its entries and the checkpoint of its
// last batch. Before the first batch it is the zero value.
type Head struct {
	Size       uint64
	Checkpoint []byte
}

// Query asks for at most Max entries of a log, from number From on, and for the
// tree hashes with the given stored indexes (x/mod/sumdb/tlog).
type Query struct {
	Log    string
	From   uint64
	Max    int
	Hashes []int64
}

// Page answers a Query: the runs follow each other without a gap, the hashes
// stand in the order they were asked for.
type Page struct {
	Runs   []Run
	Hashes []Hash
}

// Run is consecutive records of one batch: all of it, or what From and Max
// leave. End is the size of the tree that Checkpoint signs, which is the number
// just past the batch's last record.
type Run struct {
	First      uint64
	Records    []Record
	End        uint64
	Checkpoint []byte
}

// Pair is a register.
type Pair struct {
	Bucket string
	Key    string
	Value  []byte
}
