package node

import (
	"context"
	"strconv"
	"strings"

	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

const (
	counterPage   = 2048 // counter-records that one question reads
	countersOfOne = 100  // that one id gives
)

// Counter is a counter-record: what a host told us about a decision on one of our
// own subjects. Who is what our ledger knows the subject by, where a grant of ours
// named it to the host.
type Counter struct {
	Host   trust.ParticipantID `json:"host"`
	Entry  trust.Position      `json:"entry"`
	Series uint32              `json:"series,omitzero"` // of its number
	Who    *trust.SubjectKey   `json:"who,omitempty"`
	Erased bool                `json:"erased,omitzero"`
	receipt.Receipt
}

// CounterQuery asks for the counter-records of one host from a number on.
// Issuer and Subject, together, leave those about one subject.
type CounterQuery struct {
	Host    trust.ParticipantID
	From    receipt.Place
	Limit   int
	Issuer  string
	Subject string
}

// Counters gives counter-records in the order of their numbers, and the number to
// go on from, the zero one at the end.
func (n *Node) Counters(ctx context.Context, a Actor, q CounterQuery) ([]Counter, receipt.Place, error) {
	var end receipt.Place
	if err := n.read(a); err != nil {
		return nil, end, err
	}
	if q.Limit < 1 || q.Limit > readAtOnce {
		return nil, end, trust.Errorf(trust.Invalid, "a page holds 1 to %d counter-records; %d were asked for", readAtOnce, q.Limit)
	}
	names, err := n.namesAbroad(q)
	if err != nil {
		return nil, end, err
	}
	held, _ := n.receipts.series(q.Host, finding.Home, 0)
	var out []Counter
	read := 0
	for _, last := range held {
		if last.Series < q.From.Series {
			continue
		}
		from := uint64(1)
		if last.Series == q.From.Series {
			from = max(q.From.N, 1)
		}
		for from <= last.N {
			if len(out) == q.Limit || read >= counterPage {
				return out, receipt.Place{Series: last.Series, N: from}, nil
			}
			records, err := n.entriesOf(ctx, columnKey{q.Host, finding.Home, last.Series}, from, min(q.Limit-len(out), readAtOnce))
			if err != nil {
				return nil, end, err
			}
			if len(records) == 0 {
				break
			}
			for _, r := range records {
				c, err := n.counterRecord(ctx, r)
				if err != nil {
					return nil, end, err
				}
				if names == nil || names[c.Subject] {
					out = append(out, c)
				}
				from, read = from+1, read+1
			}
		}
	}
	return out, end, nil
}

// namesAbroad are what a host calls the subject that a query names; nil is every
// subject.
func (n *Node) namesAbroad(q CounterQuery) (map[string]bool, error) {
	if q.Subject == "" && q.Issuer == "" {
		return nil, nil
	}
	c := &change{Snapshot: n.State(), n: n}
	_, line, owner, err := c.speaks(q.Issuer)
	if err != nil {
		return nil, err
	}
	if owner != n.self || q.Subject == "" {
		return nil, trust.Errorf(trust.Invalid, "counter-records are about subjects of our own; issuer %s speaks for %s", q.Issuer, owner)
	}
	return map[string]bool{
		receipt.Subject(q.Host, n.self, line.Namespace(), q.Subject):                              true,
		n.pairwise(q.Host.String(), n.Keys.Subject(n.self.String(), line.Namespace(), q.Subject)): true,
	}, nil
}

// CountersOf gives the counter-records of a txn, or of a reference that a host
// quoted: the first hundred. None is NotFound.
func (n *Node) CountersOf(ctx context.Context, a Actor, id string) ([]Counter, error) {
	if err := n.read(a); err != nil {
		return nil, err
	}
	prefix := n.idPrefix(id)
	found, err := n.Store.Scan(ctx, idBucket, prefix, "", countersOfOne)
	if err != nil {
		return nil, err
	}
	var out []Counter
	for _, pair := range found {
		entry, err := strconv.ParseUint(strings.TrimPrefix(pair.Key, prefix), 16, 64)
		if err != nil {
			return nil, trust.Errorf(trust.Internal, "register %s names no entry", pair.Key)
		}
		r, err := n.decisions.Entry(ctx, entry)
		if err != nil {
			return nil, err
		}
		c, err := n.counterRecord(ctx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, trust.Errorf(trust.NotFound, "%.40q is the txn or reference of no counter-record here", id)
	}
	return out, nil
}

func (n *Node) counterRecord(ctx context.Context, r ledger.Record) (Counter, error) {
	leaf, one, err := n.counter(ctx, r)
	if err != nil {
		return Counter{}, err
	}
	c := Counter{Host: leaf.Host, Entry: r.Position, Series: leaf.Series, Erased: one == nil}
	if one == nil {
		c.N = leaf.N
		return c, nil
	}
	c.Receipt = *one
	var who trust.SubjectKey
	value, err := n.Store.Get(ctx, nameBucket, leaf.Host.String()+" "+one.Subject)
	if err == nil && who.UnmarshalText(value) == nil {
		c.Who = &who
	} else if err != nil && trust.KindOf(err) != trust.NotFound {
		return c, err
	}
	return c, nil
}
