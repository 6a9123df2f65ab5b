package node

import (
	"context"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Exhibit is one entry of a participant's ledger as evidence: the leaf as it
// stands, its place, and what proves that the log with this signed checkpoint has
// it there. Whoever has the participant's card can check it without asking anybody.
type Exhibit struct {
	Participant trust.ParticipantID `json:"participant"`
	Log         string              `json:"log"` // trust or decisions
	N           uint64              `json:"n"`
	Leaf        []byte              `json:"leaf"`
	Checkpoint  []byte              `json:"checkpoint"`
	Proof       [][]byte            `json:"proof"` // RFC 6962 inclusion proof
}

const maxLeaf = 64 << 10 // bytes of an entry that can be evidence

// exhibit makes evidence of an own entry.
func (n *Node) exhibit(ctx context.Context, log string, number uint64) (*Exhibit, error) {
	e := &Exhibit{Participant: n.self, Log: log, N: number, Checkpoint: n.Checkpoint(log)}
	if e.Checkpoint == nil {
		return nil, trust.Errorf(trust.NotFound, "log %q is neither trust nor decisions, or is empty", log)
	}
	c, err := ledger.ReadCheckpoint(e.Checkpoint)
	if err != nil {
		return nil, err
	}
	read, prove := n.trust.Entry, n.trust.Proof
	if log == store.DecisionLog {
		read, prove = n.decisions.Entry, n.decisions.Proof
	}
	r, err := read(ctx, number)
	if err != nil {
		return nil, err
	}
	proof, err := prove(ctx, number, c.Size)
	if err != nil {
		return nil, err
	}
	if len(r.Leaf) > maxLeaf {
		return nil, trust.Errorf(trust.Invalid, "entry %d of the %s log has %d bytes; evidence has at most %d", number, log, len(r.Leaf), maxLeaf)
	}
	e.Leaf = r.Leaf
	for _, h := range proof {
		e.Proof = append(e.Proof, h[:])
	}
	return e, nil
}

// proven checks that the ledger of a participant whose card is known has the entry,
// and gives the leaf's hash. It fails with Invalid.
func (c *change) proven(e *Exhibit) (string, error) {
	hash := tlog.RecordHash(e.Leaf)
	return hash.String(), c.n.inLedger(e, hash)
}

func (n *Node) inLedger(e *Exhibit, hash ledger.Hash) error {
	card := n.State().Participant.Self().Card
	if e.Participant != n.self {
		partner, ok := n.State().Participant.Partner(e.Participant)
		if !ok {
			return trust.Errorf(trust.Invalid, "participant %s is not known here, so that nothing of its ledger can be checked", e.Participant)
		}
		card = partner.Card
	}
	origin := ""
	switch e.Log {
	case store.TrustLog:
		origin = card.TrustOrigin
	case store.DecisionLog:
		origin = card.DecisionOrigin
	}
	if origin == "" || len(e.Leaf) > maxLeaf {
		return trust.Errorf(trust.Invalid, "evidence is an entry of at most %d bytes of a trust or a decision log", maxLeaf)
	}
	var keys []note.Verifier
	for _, k := range card.Keys {
		if k.Use != participant.LogKey {
			continue
		}
		v, err := keyring.NoteVerifier(origin, k.Key)
		if err != nil {
			return err
		}
		keys = append(keys, v)
	}
	signed, err := ledger.ParseCheckpoint(e.Checkpoint, origin, note.VerifierList(keys...))
	if err != nil {
		return err
	}
	proof := make([]ledger.Hash, len(e.Proof))
	for i, h := range e.Proof {
		if len(h) != len(proof[i]) {
			return trust.Errorf(trust.Invalid, "a hash of the proof has %d bytes", len(h))
		}
		copy(proof[i][:], h)
	}
	return ledger.VerifyInclusion(signed, e.N, hash, proof)
}
