package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"sync"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// gathered are the lists that partners have announced and not yet sent whole,
// one a partner: the next message of its safety lane. They are kept in memory;
// after a start the sender is asked for them again. Of a chunk only the marks
// are kept.
type gathered struct {
	mu sync.Mutex
	of map[trust.ParticipantID]*gathering
}

// gathering is one list on its way, which is whole when nothing is awaited; it
// changes no more then.
type gathering struct {
	hash     string         // of the announcement
	awaited  map[string]int // the chunks to come, by hash, with their subjects
	subjects int
	marks    []revocation.Mark
	fault    error // why the list cannot be read
}

// arrived is a whole list as this node records it.
type arrived struct {
	event revocation.Bulk
	entry ledger.Entry
	fault error
}

func newGathered() *gathered { return &gathered{of: map[trust.ParticipantID]*gathering{}} }

// announced notes an announcement and gives the hashes of the chunks that are
// still to come.
func (g *gathered) announced(from trust.ParticipantID, hash string, content []byte) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := g.of[from]; now == nil || now.hash != hash {
		g.of[from] = begin(hash, content)
	}
	return slices.Sorted(maps.Keys(g.of[from].awaited))
}

func begin(hash string, content []byte) *gathering {
	l := &gathering{hash: hash, awaited: map[string]int{}}
	m, err := parse[bulkMessage](content)
	for _, c := range m.Chunks {
		if c.Subjects < 1 || c.Subjects > entryLeavers || len(c.Hash) != 2*sha256.Size || l.awaited[c.Hash] != 0 || len(l.awaited) == maxChunks {
			err = trust.Errorf(trust.Invalid, "a list is up to %d chunks, each with a hash of its own and 1 to %d subjects", maxChunks, entryLeavers)
			break
		}
		l.awaited[c.Hash] = c.Subjects
		l.subjects += c.Subjects
	}
	if err == nil && (l.subjects != m.Subjects || l.subjects < 1 || l.subjects > entryLeavers) {
		err = trust.Errorf(trust.Invalid, "a list is announced with %d subjects and has %d; both are the same, 1 to %d", m.Subjects, l.subjects, entryLeavers)
	}
	if err != nil {
		return &gathering{hash: hash, fault: err}
	}
	return l
}

// take puts a chunk where it is awaited. It fails with Denied for one that is
// not.
func (g *gathered) take(from trust.ParticipantID, hash string, marks []revocation.Mark, subjects int, fault error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.of[from]
	if l == nil || l.awaited[hash] == 0 {
		return trust.Errorf(trust.Denied, "a chunk of %s is not one that its next message announces", from)
	}
	if fault == nil && l.awaited[hash] != subjects {
		fault = trust.Errorf(trust.Invalid, "a chunk holds %d subjects and was announced with %d", subjects, l.awaited[hash])
	}
	delete(l.awaited, hash)
	l.marks = append(l.marks, marks...)
	if fault != nil {
		l.awaited, l.marks, l.fault = nil, nil, fault
	}
	return nil
}

// awaits reports whether a chunk is one that is still to come.
func (g *gathered) awaits(from trust.ParticipantID, hash string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.of[from] != nil && g.of[from].awaited[hash] != 0
}

// whole gives the list of an announcement, nil while it is not whole.
func (g *gathered) whole(from trust.ParticipantID, hash string) *gathering {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l := g.of[from]; l != nil && l.hash == hash && len(l.awaited) == 0 {
		return l
	}
	return nil
}

// done forgets the list of an announcement that took effect.
func (g *gathered) done(from trust.ParticipantID, hash string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l := g.of[from]; l != nil && l.hash == hash {
		delete(g.of, from)
	}
}

// ReceiveChunk takes a piece of the list that a partner's next message announced.
// Nothing of it counts before the list is whole. It fails with Denied for what
// nobody announced.
func (n *Node) ReceiveChunk(_ context.Context, from trust.ParticipantID, chunk []byte) error {
	sum := sha256.Sum256(chunk)
	hash := hex.EncodeToString(sum[:])
	if !n.lists.awaits(from, hash) {
		return trust.Errorf(trust.Denied, "a chunk of %s is not one that its next message announces", from)
	}
	marks, subjects, err := n.marksOf(from, chunk)
	return n.lists.take(from, hash, marks, subjects, err)
}

// marksOf gives the marks of a chunk, under both names of each subject, and how
// many subjects it has.
func (n *Node) marksOf(from trust.ParticipantID, chunk []byte) ([]revocation.Mark, int, error) {
	m, err := parse[struct {
		People []bulkPerson `json:"people"`
	}](chunk)
	if err != nil {
		return nil, 0, err
	}
	marks := make([]revocation.Mark, 0, 2*len(m.People))
	for _, p := range m.People {
		if p.Subject == "" || p.Engagement == 0 {
			return nil, 0, trust.Errorf(trust.Invalid, "a list names each subject with its engagement; here is one without")
		}
		marks = append(marks, revocation.Mark{Subject: n.Keys.Subject(from.String(), p.Namespace, p.Subject), Engagement: p.Engagement})
		if alias := n.alias(from, p.Pairwise); alias != (trust.SubjectKey{}) {
			marks = append(marks, revocation.Mark{Subject: alias, Engagement: p.Engagement})
		}
	}
	return marks, len(m.People), nil
}

// arrive sees to it that the list of an announcement is whole and ready to be
// appended, outside the writer. It gives nil for an announcement that is not next
// on its lane; what that is, is judged in the writer. A *Gap says what is missing.
func (n *Node) arrive(ctx context.Context, from trust.ParticipantID, at place, content []byte, hash string) (*arrived, error) {
	if n.State().Edge.Judge(from, at.Epoch, at.Lane, at.N, hash) != edge.Apply {
		return nil, nil
	}
	if need := n.lists.announced(from, hash, content); len(need) > 0 {
		return nil, &Gap{Expected: at.N, Need: need}
	}
	l := n.lists.whole(from, hash)
	if l == nil {
		return nil, nil
	}
	a := &arrived{fault: l.fault}
	if l.fault != nil {
		return a, nil
	}
	a.event = revocation.Bulk{Participant: from, Subjects: l.subjects, From: from, Marks: revocation.Pack(slices.Clone(l.marks))}
	var err error
	a.entry, err = n.entry(ctx, a.event, sealed{})
	return a, err
}

// receiveBulk: the home ended many of its own. A list that cannot be read may
// hold anybody, so that nothing is decided on this edge until a person has looked
// into it.
func receiveBulk(c *change, from *participant.Partner, _ []byte) error {
	if c.list == nil {
		return trust.Errorf(trust.Unavailable, "the list of %s is not whole yet", from.Card.ID)
	}
	fault := c.list.fault
	if fault == nil {
		var events []trust.Event
		if events, fault = c.Revocation.RevokeMany(c.list.event); len(events) > 0 {
			c.append(c.list.event, c.list.entry)
		}
	}
	if fault == nil {
		return nil
	}
	if err := c.add(edge.Broken{From: from.Card.ID, Lane: edge.Safety, Rule: "unreadable_list"}); err != nil {
		return err
	}
	return fault
}
