package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// Leaver is somebody as an issuer knows them.
type Leaver struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
}

// BulkRevocation is an acknowledged bulk revocation: durable here as one act, in
// force on the next request, and queued for Partners.
type BulkRevocation struct {
	Position trust.Position        `json:"position,omitzero"` // of its first entry; zero where all had ended before
	Subjects int                   `json:"subjects"`          // that were named, each once
	Ended    int                   `json:"ended"`             // by this act; the others had ended before
	Partners []trust.ParticipantID `json:"partners"`
}

const (
	// MaxLeavers is how many one act ends at most.
	MaxLeavers   = 250_000
	entryLeavers = 100_000  // subjects of one entry
	entryList    = 12 << 20 // bytes of the identifiers in one entry, about
	maxSubject   = 2048     // bytes of an identifier
	attempts     = 5        // to prepare an act on a state that does not change meanwhile
)

// RevokeMany ends many subjects in one act: all of them or, where one is refused,
// none. Done again it changes nothing. What takes time, the list's keys,
// rendering and sealing, is done before the log's writer is asked for;
// progress, which may be nil, is told of it. It fails as Revoke does; an error
// about one of the leavers names it by its number, from 1.
func (n *Node) RevokeMany(ctx context.Context, a Actor, leavers []Leaver, reason, incident string, progress func(done, total int)) (BulkRevocation, error) {
	if !mayRevoke(a) {
		return BulkRevocation{}, n.denyOperator(ctx, a)
	}
	b := bulk{n: n, by: a.ID, leavers: leavers, text: bulkText{Reason: reason, Incident: incident}, progress: progress}
	if err := b.check(); err != nil {
		return BulkRevocation{}, err
	}
	for range attempts {
		if err := b.prepare(ctx, n.State()); err != nil || len(b.parts) == 0 {
			return b.out, err
		}
		at, err := n.change(ctx, b.commit)
		if !errors.Is(err, errMoved) {
			b.out.Position = at
			return b.out, err
		}
	}
	return BulkRevocation{}, trust.Errorf(trust.Unavailable, "engagements or agreements kept changing while the act was prepared; nothing has ended")
}

var errMoved = trust.Errorf(trust.Conflict, "what a bulk revocation was prepared on has changed")

// bulk is an act in the making.
type bulk struct {
	n        *Node
	by       string
	leavers  []Leaver
	text     bulkText
	progress func(done, total int)

	out   BulkRevocation
	hosts []trust.ParticipantID
	gone  []trust.SubjectKey // who had ended before
	parts []bulkPart
}

// bulkPart is one entry of an act, ready to be appended, and what each host is
// told of it.
type bulkPart struct {
	event revocation.Bulk
	entry ledger.Entry
	told  []bulkMessage // by host
}

func (b *bulk) check() error {
	switch {
	case b.text.Reason == "":
		return trust.Errorf(trust.Invalid, "a revocation has a reason; this one has none")
	case len(b.leavers) == 0:
		return trust.Errorf(trust.Invalid, "a bulk revocation names its subjects; this one names nobody")
	case len(b.leavers) > MaxLeavers:
		return trust.Errorf(trust.Invalid, "a bulk revocation names %d subjects; one act ends at most %d", len(b.leavers), MaxLeavers)
	}
	for i, l := range b.leavers {
		if l.Subject == "" || len(l.Subject) > maxSubject || !utf8.ValidString(l.Subject) {
			return trust.Errorf(trust.Invalid, "leaver %d has an identifier of %d bytes; it is 1 to %d of UTF-8", i+1, len(l.Subject), maxSubject)
		}
	}
	return nil
}

// leaving is a subject of an act.
type leaving struct {
	key    trust.SubjectKey
	person bulkPerson
}

// prepare makes the entries on a snapshot, outside the writer.
func (b *bulk) prepare(ctx context.Context, s *state.Snapshot) error {
	b.parts, b.gone, b.out = nil, nil, BulkRevocation{Partners: []trust.ParticipantID{}}
	c := &change{Snapshot: s, n: b.n}
	b.hosts = slices.SortedFunc(slices.Values(c.hosts()), byName)
	of, err := b.resolve(c)
	if err != nil {
		return err
	}
	for _, owner := range slices.SortedFunc(maps.Keys(of), byName) {
		leavers := of[owner]
		slices.SortFunc(leavers, func(x, y leaving) int { return bytes.Compare(x.key[:], y.key[:]) })
		for len(leavers) > 0 {
			end := entryEnd(leavers)
			if err := b.preparePart(ctx, owner, leavers[:end]); err != nil {
				return err
			}
			leavers = leavers[end:]
		}
		if owner == b.n.self {
			b.out.Partners = append(b.out.Partners, b.hosts...)
		}
	}
	return nil
}

// resolve gives the subjects that have not ended yet, each once, by who answers
// for them.
func (b *bulk) resolve(c *change) (map[trust.ParticipantID][]leaving, error) {
	type voice struct {
		owner     trust.ParticipantID
		namespace string
	}
	voices := map[string]voice{}
	seen := make(map[trust.SubjectKey]struct{}, len(b.leavers))
	of := map[trust.ParticipantID][]leaving{}
	for i, l := range b.leavers {
		v, known := voices[l.Issuer]
		if !known {
			_, line, owner, err := c.speaks(l.Issuer)
			if err != nil {
				return nil, trust.Errorf(trust.KindOf(err), "leaver %d: %w", i+1, err)
			}
			v = voice{owner, line.Namespace()}
			voices[l.Issuer] = v
		}
		key := b.n.Keys.Subject(v.owner.String(), v.namespace, l.Subject)
		if _, twice := seen[key]; !twice {
			seen[key] = struct{}{}
			b.out.Subjects++
			if engagement, alive := c.engagement(key); alive {
				b.out.Ended++
				of[v.owner] = append(of[v.owner], leaving{key, bulkPerson{Namespace: v.namespace, Subject: l.Subject, Engagement: engagement}})
			} else {
				b.gone = append(b.gone, key)
			}
		}
		if done := i + 1; b.progress != nil && (done%1000 == 0 || done == len(b.leavers)) {
			b.progress(done, len(b.leavers))
		}
	}
	return of, nil
}

func byName(x, y trust.ParticipantID) int { return strings.Compare(x.String(), y.String()) }

// engagement gives the one that a revocation of the subject ends now: the newest
// that was opened, accepted or not; false where that has ended.
func (c *change) engagement(subject trust.SubjectKey) (current trust.Engagement, alive bool) {
	current, _ = c.Revocation.Current(subject)
	if opened, _, ok := c.Revocation.Opened(subject); ok {
		current = max(current, opened)
	}
	ended, _ := c.Revocation.Ended(subject)
	return current, ended < current
}

// entryEnd is how many of the subjects fit one entry.
func entryEnd(leavers []leaving) int {
	size := 0
	for i, l := range leavers {
		if size += l.person.size(); i == entryLeavers || size > entryList {
			return i
		}
	}
	return len(leavers)
}

func (b *bulk) preparePart(ctx context.Context, owner trust.ParticipantID, leavers []leaving) error {
	marks := make([]revocation.Mark, len(leavers))
	text := b.text
	text.People = make([]bulkPerson, len(leavers))
	for i, l := range leavers {
		marks[i] = revocation.Mark{Subject: l.key, Engagement: l.person.Engagement}
		text.People[i] = l.person
	}
	p := bulkPart{event: revocation.Bulk{Participant: owner, Subjects: len(leavers), Marks: revocation.Pack(marks), By: b.by}}
	sum := sha256.Sum256(p.event.Marks)
	p.event.List = b.n.Keys.Subject(owner.String(), bulkLists, hex.EncodeToString(sum[:]))
	var err error
	if p.entry, err = b.n.entry(ctx, p.event, sealed{owner: p.event.List, text: text}); err != nil {
		return err
	}
	if owner == b.n.self {
		for _, host := range b.hosts {
			m, err := b.n.announce(host, text.People)
			if err != nil {
				return err
			}
			p.told = append(p.told, m)
		}
	}
	b.parts = append(b.parts, p)
	return nil
}

// bulkLists is the namespace in which lists have their data keys.
const bulkLists = "entente bulk list"

// commit adds what was prepared, if that is still what there is to do.
func (b *bulk) commit(c *change) error {
	if !slices.Equal(b.hosts, slices.SortedFunc(slices.Values(c.hosts()), byName)) {
		return errMoved
	}
	for _, key := range b.gone {
		if _, alive := c.engagement(key); alive {
			return errMoved
		}
	}
	for _, p := range b.parts {
		for m := range revocation.Unpack(p.event.Marks) {
			if current, alive := c.engagement(m.Subject); current != m.Engagement || !alive {
				return errMoved
			}
		}
		if _, err := c.Revocation.RevokeMany(p.event); err != nil {
			return err
		}
		at := c.next.Position
		c.append(p.event, p.entry)
		for i, m := range p.told {
			m.Act = at
			if err := c.send(b.hosts[i], edge.Safety, kindBulk, trust.SubjectKey{}, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// repeatBulk tells a host of an act that was before its time.
func (c *change) repeatBulk(host trust.ParticipantID, e revocation.Bulk, r ledger.Record) error {
	if e.Participant != c.n.self || !e.From.IsZero() {
		return nil
	}
	at := r.Position
	key, r, err := c.listEntry(e, r)
	if err != nil {
		return err
	}
	text, err := unsealed[bulkText](c, key, r)
	if err != nil || text == nil || len(text.People) == 0 {
		return err
	}
	m, err := c.n.announce(host, text.People)
	if err != nil {
		return err
	}
	m.Act = at
	return c.send(host, edge.Safety, kindBulk, trust.SubjectKey{}, m)
}

// deliverList sends a partner what it needs of the list that a queued message
// announces. It fails with Unavailable where the partner asks for what nobody
// announced.
func (n *Node) deliverList(ctx context.Context, to participant.Partner, lane edge.Lane, number uint64, need []string, former bool) error {
	q, record, err := n.queuedEntry(ctx, to.Card.ID, lane, number)
	if err != nil {
		return err
	}
	if q.Kind != kindBulk {
		return trust.Errorf(trust.Unavailable, "%s asks for the list of message %d, which announces none", to.Card.ID, number)
	}
	content, err := n.Keys.Unseal(ctx, q.Owner, record.Sealed)
	if err != nil {
		return err
	}
	m, people, err := n.announced(ctx, to.Card.ID, q, content)
	if err != nil {
		return err
	}
	return n.eachChunk(to.Card.ID, m, people, func(hash string, chunk []byte) error {
		if !slices.Contains(need, hash) {
			return nil
		}
		return n.deliverChunk(ctx, to, chunk, former)
	})
}
