package node

import (
	"context"
	"encoding/hex"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// erasedMessage stands for a message about somebody who was erased since, where a
// partner that lost it asks for it again. Kind and Hash are those of the message
// itself, by which both sides count it.
type erasedMessage struct {
	Kind string `json:"kind"`
	Hash string `json:"hash"`
}

// receiveErased: what this node lost of its past the partner can tell no more. Its
// effect here is lost with it.
func receiveErased(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[erasedMessage](content)
	if err != nil {
		return err
	}
	c.n.Log.Warn("a message that was lost here was about somebody whom its sender has erased; what it said is lost for good",
		"partner", from.Card.ID.String(), "kind", m.Kind)
	return nil
}

// countedAs is the hash by which a message is counted: its own, or that of the one
// which it stands for. A sender can by this mislead nobody but itself about what it
// has sent.
func countedAs(kind string, content []byte, hash string) (string, error) {
	var was string
	switch kind {
	case kindErased:
		m, err := parse[erasedMessage](content)
		if err != nil {
			return "", err
		}
		was = m.Hash
	case kindBulk:
		var m struct {
			Was string `json:"was"`
		}
		if err := canonical.DecodeLoose(content, &m); err != nil || m.Was == "" {
			return hash, nil // what cannot be read is judged as the list
		}
		was = m.Was
	default:
		return hash, nil
	}
	if b, err := hex.DecodeString(was); err != nil || hex.EncodeToString(b) != was || len(was) != len(hash) {
		return "", trust.Errorf(trust.Invalid, "a message stands for one whose hash is no SHA-256 in hex")
	}
	return was, nil
}

// asItIsNow gives what is sent of a queued message: its content, what is left of a
// list from which somebody was erased, or in place of what is gone that it is.
func (n *Node) asItIsNow(ctx context.Context, to trust.ParticipantID, q edge.Queued, content []byte, gone bool) (edge.Queued, []byte, error) {
	if !gone && (q.Kind != kindBulk || n.State().Erasure.Lists.Len() == 0) {
		return q, content, nil
	}
	if !gone {
		m, _, err := n.announced(ctx, to, q, content)
		if err != nil {
			return q, nil, err
		}
		if len(m.Chunks) > 0 {
			content, err = canonical.Marshal(m)
			return q, content, err
		}
	}
	content, err := canonical.Marshal(erasedMessage{q.Kind, q.Hash})
	q.Kind = kindErased
	return q, content, err
}

// announced gives the message that announces a list as it is now, and who is left
// on it.
func (n *Node) announced(ctx context.Context, to trust.ParticipantID, q edge.Queued, content []byte) (bulkMessage, []bulkPerson, error) {
	m, err := parse[bulkMessage](content)
	if err != nil {
		return m, nil, err
	}
	people, err := n.listOf(ctx, m.Act)
	if err != nil || len(people) == m.Subjects {
		return m, people, err
	}
	left, err := n.announce(to, people)
	left.Act, left.Was = m.Act, q.Hash
	return left, people, err
}
