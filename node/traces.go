package node

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/entente-id/entente/erasure"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// traces are what names a subject besides its own key: its other names, and lists
// of bulk revocations that it stands on. They are looked for outside the writer, up
// to entry upTo. Where the next word would erase, the rest of each list is sealed.
type traces struct {
	upTo   uint64
	names  []trust.SubjectKey // sorted
	lists  []listLeft
	sealed bool
}

// listLeft is what is left of a list: the key that is destroyed, and the entry that
// holds the others.
type listLeft struct {
	was   trust.SubjectKey
	event erasure.ListKept
	entry ledger.Entry
}

// all are the names of a subject.
func (t *traces) all(subject trust.SubjectKey) []trust.SubjectKey {
	return append([]trust.SubjectKey{subject}, t.names...)
}

// keys are those of the lists that are destroyed.
func (t *traces) keys() (keys []trust.SubjectKey) {
	for _, l := range t.lists {
		keys = append(keys, l.was)
	}
	return sorted(keys)
}

func sorted(keys []trust.SubjectKey) []trust.SubjectKey {
	slices.SortFunc(keys, func(a, b trust.SubjectKey) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(keys)
}

// trace reads the whole trust log for what names a subject.
func (c *change) trace(subject trust.SubjectKey) (*traces, error) {
	t := &traces{}
	var acts []act
	for {
		n, err := c.read(t.upTo, func(r ledger.Record, e trust.Event) {
			if other := otherName(e, t.all(subject)); other != (trust.SubjectKey{}) {
				t.names = sorted(append(t.names, other))
			}
			if e, ok := e.(revocation.Bulk); ok && onList(e, subject) {
				acts = append(acts, act{e, r})
			}
		})
		if err != nil {
			return nil, err
		}
		if t.upTo += n; n == 0 {
			break
		}
	}
	_, t.sealed = c.Erasure.AskedFor(subject)
	for _, a := range acts {
		if err := c.leave(t, a, subject); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// act is a bulk revocation and its entry.
type act struct {
	event  revocation.Bulk
	record ledger.Record
}

// read gives the entries from a number on that may name somebody, at most one page,
// and how many were read.
func (c *change) read(from uint64, each func(ledger.Record, trust.Event)) (uint64, error) {
	records, err := c.n.trust.Read(c.ctx, from, readAtOnce)
	if err != nil {
		return 0, err
	}
	for _, r := range records {
		if !otherNames[r.Kind] {
			continue
		}
		e, err := c.n.codec.Decode(trust.Kind{Name: r.Kind, Version: r.Version}, r.Body)
		if err != nil {
			return 0, err
		}
		each(r, e)
	}
	return uint64(len(records)), nil
}

// otherNames are the kinds of entry that give a subject another name, or put it on a
// list.
var otherNames = map[string]bool{
	revocation.Revoked{}.EventKind().Name:          true,
	revocation.Bulk{}.EventKind().Name:             true,
	revocation.EngagementOpened{}.EventKind().Name: true,
	suspension.Suspended{}.EventKind().Name:        true,
}

// otherName is one that an entry gives to who has one of the names; zero for none.
func otherName(e trust.Event, names []trust.SubjectKey) trust.SubjectKey {
	var one, other trust.SubjectKey
	switch e := e.(type) {
	case revocation.Revoked:
		one, other = e.Target.Subject, e.Alias
	case revocation.EngagementOpened:
		one, other = e.Subject, e.Alias
	case suspension.Suspended:
		one, other = e.Target.Subject, e.Alias
	}
	if other == (trust.SubjectKey{}) {
		return other
	}
	if has, also := slices.Contains(names, one), slices.Contains(names, other); has == also {
		return trust.SubjectKey{}
	} else if also {
		return one
	}
	return other
}

func onList(e revocation.Bulk, subject trust.SubjectKey) bool {
	if e.List == (trust.SubjectKey{}) {
		return false
	}
	for m := range revocation.Unpack(e.Marks) {
		if m.Subject == subject {
			return true
		}
	}
	return false
}

// leave makes what is left of a list without the subject, who may have been taken
// from it before.
func (c *change) leave(t *traces, a act, subject trust.SubjectKey) error {
	was, record, err := c.listEntry(a.event, a.record)
	if err != nil {
		return err
	}
	text, err := unsealed[bulkText](c, was, record)
	if err != nil || text == nil {
		return err
	}
	all := len(text.People)
	text.People = slices.DeleteFunc(text.People, func(p bulkPerson) bool {
		return c.n.Keys.Subject(a.event.Participant.String(), p.Namespace, p.Subject) == subject
	})
	if len(text.People) == all {
		return nil
	}
	left := listLeft{was: was, event: erasure.ListKept{
		List: a.event.List,
		Key:  c.n.Keys.Subject(a.event.Participant.String(), bulkLists, hex.EncodeToString(was[:])+" without "+hex.EncodeToString(subject[:])),
	}}
	if t.sealed {
		left.entry, err = c.n.entry(c.ctx, left.event, sealed{owner: left.event.Key, text: text})
	}
	t.lists = append(t.lists, left)
	return err
}

// listEntry finds the entry beside which the list of a bulk revocation stands now,
// and the key that it is sealed under.
func (c *change) listEntry(e revocation.Bulk, r ledger.Record) (trust.SubjectKey, ledger.Record, error) {
	kept, ok := c.Erasure.Kept(e.List)
	if !ok {
		return e.List, r, nil
	}
	r, err := c.n.trust.Entry(c.ctx, kept.At.N)
	return kept.Key, r, err
}

// unmoved fails with errTraces where something that names the subject has come
// since it was looked for.
func (c *change) unmoved(target suspension.Target, r *ErasureRequest, t *traces) error {
	if now, err := c.stoppable(r.what()); err != nil || now != target {
		return errors.Join(err, errTraces)
	}
	for _, l := range t.lists {
		kept, ok := c.Erasure.Kept(l.event.List)
		if now := kept.Key; ok && now != l.was || !ok && l.was != l.event.List {
			return errTraces
		}
	}
	moved := false
	for from := t.upTo; ; {
		n, err := c.read(from, func(_ ledger.Record, e trust.Event) {
			bulk, _ := e.(revocation.Bulk)
			moved = moved || otherName(e, t.all(target.Subject)) != trust.SubjectKey{} || onList(bulk, target.Subject)
		})
		if err != nil {
			return err
		}
		if from += n; n == 0 {
			break
		}
	}
	if moved {
		return errTraces
	}
	return nil
}
