package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// ChunksPath is where a partner takes the chunks of a list that a message of
// ours announced.
const ChunksPath = "/edge/v1/chunks"

// bulkText is the sealed part of a bulk revocation. People stand in the order of
// the marks.
type bulkText struct {
	Reason   string       `json:"reason"`
	Incident string       `json:"incident,omitempty"`
	People   []bulkPerson `json:"people"`
}

// bulkPerson is a row of a list: a subject in plain, which the receiver knows by
// keys of its own. Pairwise is the name in grants for the receiver, and stands in
// chunks only.
type bulkPerson struct {
	Engagement trust.Engagement `json:"engagement"`
	Namespace  string           `json:"namespace"`
	Pairwise   string           `json:"pairwise,omitempty"`
	Subject    string           `json:"subject"`
}

// bulkMessage announces an act. Its list follows in chunks, of which it holds the
// hashes; it takes effect when the receiver has them all. Act is where the entry
// stands in the sender's log.
type bulkMessage struct {
	Act      trust.Position `json:"act"`
	Subjects int            `json:"subjects"`
	Chunks   []bulkChunk    `json:"chunks"`
	Was      string         `json:"was,omitempty"` // of what is left of a list: the hash of the message that announced all of it
}

// bulkChunk is one piece of a list: how many subjects it holds, and the hex
// SHA-256 of its bytes, which are the canonical JSON of {"people": […]}.
type bulkChunk struct {
	Subjects int    `json:"subjects"`
	Hash     string `json:"hash"`
}

const (
	chunkBytes = 256 << 10 // of a chunk, about; the bound of a message is maxMessage
	maxChunks  = 4096      // of a list
)

// size is about what p takes in a list or a chunk.
func (p bulkPerson) size() int { return len(p.Subject) + len(p.Namespace) + 64 }

// announce gives the message that announces a list to a host, except Act.
func (n *Node) announce(host trust.ParticipantID, people []bulkPerson) (bulkMessage, error) {
	m := bulkMessage{Subjects: len(people)}
	for rest := people; len(rest) > 0; {
		count, size := 0, 0
		for count < len(rest) && (count == 0 || size+rest[count].size() <= chunkBytes) {
			size += rest[count].size()
			count++
		}
		m.Chunks = append(m.Chunks, bulkChunk{Subjects: count})
		rest = rest[count:]
	}
	i := 0
	err := n.eachChunk(host, m, people, func(hash string, _ []byte) error {
		m.Chunks[i].Hash = hash
		i++
		return nil
	})
	return m, err
}

// eachChunk renders the chunks of a list for a host, as m divides it.
func (n *Node) eachChunk(host trust.ParticipantID, m bulkMessage, people []bulkPerson, do func(hash string, chunk []byte) error) error {
	var chunk []byte
	for _, c := range m.Chunks {
		if c.Subjects > len(people) {
			return trust.Errorf(trust.Internal, "the list of act %s has fewer subjects than its message announces", m.Act)
		}
		chunk = n.appendChunk(chunk[:0], host, people[:c.Subjects])
		people = people[c.Subjects:]
		sum := sha256.Sum256(chunk)
		if err := do(hex.EncodeToString(sum[:]), chunk); err != nil {
			return err
		}
	}
	return nil
}

// appendChunk renders the canonical JSON of a chunk.
func (n *Node) appendChunk(dst []byte, host trust.ParticipantID, people []bulkPerson) []byte {
	dst = append(dst, `{"people":[`...)
	for i, p := range people {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"engagement":`...)
		dst = canonical.AppendInt(dst, int64(p.Engagement))
		dst = append(dst, `,"namespace":`...)
		dst = canonical.AppendString(dst, p.Namespace)
		dst = append(dst, `,"pairwise":`...)
		dst = canonical.AppendString(dst, n.pairwise(host.String(), n.Keys.Subject(n.self.String(), p.Namespace, p.Subject)))
		dst = append(dst, `,"subject":`...)
		dst = canonical.AppendString(dst, p.Subject)
		dst = append(dst, '}')
	}
	return append(dst, `]}`...)
}

// listOf opens the list of an act of our own.
func (n *Node) listOf(ctx context.Context, at trust.Position) ([]bulkPerson, error) {
	r, err := n.trust.Entry(ctx, at.N)
	if err != nil {
		return nil, err
	}
	event, err := n.codec.Decode(trust.Kind{Name: r.Kind, Version: r.Version}, r.Body)
	if err != nil {
		return nil, err
	}
	e, ok := event.(revocation.Bulk)
	if !ok {
		return nil, trust.Errorf(trust.Internal, "entry %s is %s, where a bulk revocation should stand", at, r.Kind)
	}
	key, r, err := (&change{Snapshot: n.State(), n: n, ctx: ctx}).listEntry(e, r)
	if err != nil {
		return nil, err
	}
	plain, err := n.Keys.Unseal(ctx, key, r.Sealed)
	if err != nil {
		return nil, err
	}
	text, err := parse[bulkText](plain)
	return text.People, err
}

// deliverChunk gives a partner a piece of a list.
func (n *Node) deliverChunk(ctx context.Context, to participant.Partner, chunk []byte, former bool) error {
	answer, err := n.Send.Send(ctx, to, Outgoing{
		Method: http.MethodPost, Path: ChunksPath, ContentType: "application/json", Body: chunk, Former: former,
	})
	if err == nil && answer.Status != http.StatusAccepted {
		err = trust.Errorf(trust.Unavailable, "%s answered %d to a chunk of a list", to.Card.ID, answer.Status)
	}
	return err
}
