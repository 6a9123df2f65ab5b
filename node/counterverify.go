package node

import (
	"encoding/base64"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

// counters follows the batches of receipts along a decision log: behind each stand
// its receipts, all of them and nothing else, with the root that the host signed.
type counters struct {
	last   map[trust.ParticipantID]receipt.Place
	open   *batchLeaf // whose receipts are still to come
	leaves []tlog.Hash
}

// check reads an entry, if it is one of these; false where it is another.
func (c *counters) check(kind trust.Kind, body []byte) (known bool, err error) {
	switch {
	case kind == counterKind:
		return true, c.counter(body)
	case c.open != nil:
		return false, trust.Errorf(trust.Invalid, "entry %s stands where receipt %d of %s was to come", kind, c.next(), c.open.Host)
	case kind == batchKind:
		return true, c.batch(body)
	default:
		return false, nil
	}
}

func (c *counters) next() uint64 { return c.open.First + uint64(len(c.leaves)) }

func (c *counters) batch(body []byte) error {
	var b batchLeaf
	if err := canonical.Decode(body, &b); err != nil {
		return err
	}
	last := c.last[b.Host]
	if b.Series > last.Series {
		last = receipt.Place{Series: b.Series}
	}
	if b.Series != last.Series || b.First != last.N+1 || b.Last < b.First || b.Last-b.First >= receipt.MaxBatch {
		return trust.Errorf(trust.Invalid, "batch of receipts %s to %d of %s follows receipt %s", receipt.Place{Series: b.Series, N: b.First}, b.Last, b.Host, last)
	}
	if c.last == nil {
		c.last = map[trust.ParticipantID]receipt.Place{}
	}
	c.last[b.Host], c.open, c.leaves = receipt.Place{Series: b.Series, N: b.Last}, &b, nil
	return nil
}

func (c *counters) counter(body []byte) error {
	var one counterLeaf
	if err := canonical.Decode(body, &one); err != nil {
		return err
	}
	hash, err := base64.StdEncoding.DecodeString(one.Hash)
	if c.open == nil || one.Host != c.open.Host || one.Series != c.open.Series || one.N != c.next() || err != nil || len(hash) != tlog.HashSize {
		return trust.Errorf(trust.Invalid, "receipt %d of %s is not the one that was to come", one.N, one.Host)
	}
	c.leaves = append(c.leaves, tlog.Hash(hash))
	if one.N < c.open.Last {
		return nil
	}
	root := c.open.Root
	first, leaves := c.open.First, c.leaves
	c.open, c.leaves = nil, nil
	if receipt.Root(leaves) != root {
		return trust.Errorf(trust.Invalid, "receipts %d to %d of %s do not have the root that was recorded", first, one.N, one.Host)
	}
	return nil
}
