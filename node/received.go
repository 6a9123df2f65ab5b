package node

import (
	"context"
	"net/http"
	"sync"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// ReceivedPath is where a partner asks what this node has received of it.
const ReceivedPath = "/edge/v1/received"

// receivedType is the typ of the signed part of the answer, a JWS of the stream
// key.
const receivedType = "entente-received+jwt"

const (
	receivedCount = 100       // messages in one answer
	receivedBytes = 256 << 10 // of them, about
	receivedScan  = 1 << 16   // entries that one question looks through
)

// ReceivedQuestion asks for a partner's own messages: Nonce is 1 to 128 bytes of
// text, Since the first number wanted of each lane, From the entry to look on from,
// as the answer before said; 0 is the first.
type ReceivedQuestion struct {
	Nonce string       `json:"nonce"`
	Since edge.Numbers `json:"since"`
	From  uint64       `json:"from,omitzero"`
}

// ReceivedAnswer is what a node holds of a partner's messages: Word is signed and
// names the newest of each lane. Messages are told only while the edge is broken
// here. Next is where to look on from, 0 at the end.
type ReceivedAnswer struct {
	Word     string            `json:"word"`
	Messages []ReceivedMessage `json:"messages"`
	Next     uint64            `json:"next,omitzero"`
}

// ReceivedMessage is one message. JWS is what its sender signed, for a kind that
// takes trust away; empty where nothing is kept, or the person was erased here.
type ReceivedMessage struct {
	Lane edge.Lane `json:"lane"`
	N    uint64    `json:"n"`
	Kind string    `json:"kind"`
	Hash string    `json:"hash"` // of the content, hex SHA-256
	JWS  string    `json:"jws,omitempty"`
}

// receivedWord is the signed part. Epoch is that of the last message held, 0 before
// the first; Known is the highest that the other side knows of, by whatever is
// signed: it may have accepted one in which nothing was told yet.
type receivedWord struct {
	Iss   trust.ParticipantID `json:"iss"`
	Aud   trust.ParticipantID `json:"aud"`
	Iat   int64               `json:"iat"`
	Jti   string              `json:"jti"` // the nonce
	Epoch uint32              `json:"epoch"`
	Known uint32              `json:"known,omitzero"`
	Heads edge.Numbers        `json:"heads"`
}

// recovery is what this node knows of recoveries in memory alone. looking lets one question at a time look through the log: it is a partner's to
// ask, and costs a scan.
type recovery struct {
	looking sync.Mutex
	mu      sync.Mutex
	faults  map[trust.ParticipantID]string // why what a partner holds is not fetched back yet
}

// Received tells a partner what this node holds of its messages. It fails with
// Denied for a stranger, with Invalid, and with Unavailable while somebody else is
// told.
func (n *Node) Received(ctx context.Context, from trust.ParticipantID, q ReceivedQuestion) (ReceivedAnswer, error) {
	out := ReceivedAnswer{Messages: []ReceivedMessage{}}
	if q.Nonce == "" || len(q.Nonce) > 128 {
		return out, trust.Errorf(trust.Invalid, "a nonce is 1 to 128 bytes; this one has %d", len(q.Nonce))
	}
	s := n.State()
	if _, ok := s.Participant.Partner(from); !ok {
		return out, trust.Errorf(trust.Denied, "participant %s is not a partner here", from)
	}
	w := receivedWord{Iss: n.self, Aud: from, Iat: n.Now(), Jti: q.Nonce}
	w.Epoch, w.Known = s.Edge.Epochs(from)
	_, w.Heads.Safety = s.Edge.Position(from, edge.Safety)
	_, w.Heads.Governance = s.Edge.Position(from, edge.Governance)
	var err error
	if out.Word, err = jose.Sign(n.Keys.Signer(participant.StreamKey), receivedType, w); err != nil {
		return out, err
	}
	if _, broken := s.Edge.Broken(from); !broken || w.Heads.Safety < q.Since.Safety && w.Heads.Governance < q.Since.Governance {
		return out, nil
	}
	if !n.recovery.looking.TryLock() {
		return out, trust.Errorf(trust.Unavailable, "another partner is told of its messages now")
	}
	defer n.recovery.looking.Unlock()
	return out, n.lookUp(ctx, from, q, &out)
}

// lookUp reads the messages of a partner out of the log, a page of them.
func (n *Node) lookUp(ctx context.Context, from trust.ParticipantID, q ReceivedQuestion, out *ReceivedAnswer) error {
	bytes := 0
	for at := q.From; at < q.From+receivedScan; {
		records, err := n.trust.Read(ctx, at, readAtOnce)
		if err != nil || len(records) == 0 {
			return err
		}
		for _, r := range records {
			at = r.Position.N + 1
			if r.Kind != (edge.Applied{}).EventKind().Name {
				continue
			}
			event, err := n.codec.Decode(trust.Kind{Name: r.Kind, Version: r.Version}, r.Body)
			if err != nil {
				return err
			}
			e, ok := event.(edge.Applied)
			if !ok || e.From != from || e.N < q.Since.Of(e.Lane) {
				continue
			}
			m := ReceivedMessage{Lane: e.Lane, N: e.N, Kind: e.Kind, Hash: e.Hash}
			if len(r.Sealed) > 0 {
				jws, err := n.Keys.Unseal(ctx, e.Owner, r.Sealed)
				if err != nil && trust.KindOf(err) != trust.NotFound {
					return err
				}
				m.JWS = string(jws)
			}
			out.Messages = append(out.Messages, m)
			if bytes += len(m.JWS); bytes > receivedBytes || len(out.Messages) == receivedCount {
				out.Next = at
				return nil
			}
		}
		out.Next = at
		if len(records) < readAtOnce {
			out.Next = 0
			return nil
		}
	}
	return nil
}

// held is all that a partner says it has of ours.
type held struct {
	word     receivedWord
	signed   string // the word of the last page
	messages map[edge.Lane]map[uint64]ReceivedMessage
}

// askReceived asks a partner what it holds of our messages from these numbers on.
func (n *Node) askReceived(ctx context.Context, to participant.Partner, since edge.Numbers) (held, error) {
	h := held{messages: map[edge.Lane]map[uint64]ReceivedMessage{edge.Safety: {}, edge.Governance: {}}}
	q := ReceivedQuestion{Since: since}
	for {
		answer, err := n.askPage(ctx, to, &q)
		if err != nil {
			return h, err
		}
		if h.word, err = n.receivedWord(to, q.Nonce, answer.Word); err != nil {
			return h, err
		}
		h.signed = answer.Word
		for _, m := range answer.Messages {
			if !m.Lane.Valid() || m.N == 0 || m.N > h.word.Heads.Of(m.Lane) {
				return h, trust.Errorf(trust.Invalid, "%s tells of message %d on lane %.20q, which is not among those it has", to.Card.ID, m.N, m.Lane)
			}
			h.messages[m.Lane][m.N] = m
		}
		if answer.Next == 0 {
			return h, nil
		}
		if answer.Next <= q.From {
			return h, trust.Errorf(trust.Invalid, "%s tells of its messages in a circle", to.Card.ID)
		}
		q.From = answer.Next
	}
}

func (n *Node) askPage(ctx context.Context, to participant.Partner, q *ReceivedQuestion) (ReceivedAnswer, error) {
	var out ReceivedAnswer
	var err error
	if q.Nonce, err = n.drawNonce(); err != nil {
		return out, err
	}
	body, err := canonical.Marshal(q)
	if err != nil {
		return out, err
	}
	answer, err := n.Send.Send(ctx, to, Outgoing{Method: http.MethodPost, Path: ReceivedPath, ContentType: jsonMediaType, Body: body})
	switch {
	case err != nil:
		return out, err
	case answer.Status != http.StatusOK:
		return out, trust.Errorf(trust.Unavailable, "%s answered %d to what it has received", to.Card.ID, answer.Status)
	}
	return out, canonical.Decode(answer.Body, &out)
}

// receivedWord verifies what a partner signed about our messages.
func (n *Node) receivedWord(from participant.Partner, nonce, jws string) (receivedWord, error) {
	var w receivedWord
	keys := from.Keys(participant.StreamKey, n.Now())
	form := jose.Form{Types: []string{receivedType}, Use: jose.ForMessage, MaxBytes: maxMessage}
	payload, err := verifyBy(func(int64) []jose.Key { return keys }, []byte(jws), form)
	if err != nil {
		return w, err
	}
	if err := canonical.Decode(payload, &w); err != nil {
		return w, err
	}
	if w.Iss != from.Card.ID || w.Aud != n.self || w.Jti != nonce {
		return w, trust.Errorf(trust.Denied, "what %s signs of its received messages does not answer this node's nonce", from.Card.ID)
	}
	return w, nil
}
