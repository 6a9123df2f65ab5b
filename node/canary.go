package node

import (
	"context"
	"crypto/sha256"
	"sync"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// CanaryCall is a partner's call of the canary resource of an agreement with us.
type CanaryCall struct {
	Agreement string `json:"agreement"` // its id
	Token     string `json:"token"`     // of the canary
}

// CanaryAnswer is all that the partner learns: what any caller would, and the
// reference to quote.
type CanaryAnswer struct {
	Decision  bool   `json:"decision"`
	Reference string `json:"reference,omitempty"`
}

// Canary answers a partner's call of the canary resource. It is decided and
// recorded as any access is; behind it there is nothing.
func (n *Node) Canary(ctx context.Context, from trust.ParticipantID, c CanaryCall) (CanaryAnswer, error) {
	if _, ok := n.State().Participant.Partner(from); !ok {
		return CanaryAnswer{}, trust.Errorf(trust.Denied, "participant %s is not a partner here", from)
	}
	arrived := n.Clock.Mark()
	answer := n.Decide(ctx, Ask{
		Request: decision.Request{
			EnforcementPoint: agreement.CanaryPoint(from), SubjectID: "0", Action: agreement.CanaryAction,
			ResourceType: agreement.CanaryResource, ResourceID: c.Agreement, Purpose: agreement.CanaryPurpose,
		},
		Evidence: []evidence.Proof{{Kind: evidence.Canary, Token: []byte(c.Token)}},
	})
	n.canaries.answered(n, from, c, answer, arrived)
	return CanaryAnswer{Decision: answer.Permit, Reference: answer.Reference}, nil
}

// canaries are the partners' canaries that this node let in, and what became of
// them. They are kept in memory alone: a drill does not outlive a restart.
type canaries struct {
	settling sync.Mutex // one result at a time

	mu sync.Mutex
	of []*canary // the oldest first
}

// maxCanaries bounds how many are watched at a time.
const maxCanaries = 64

// canary is one that was let in.
type canary struct {
	subject   trust.SubjectKey
	token     [32]byte // the hash of the one it came with
	agreement string
	class     trust.Class

	received, applied, asked, denied *clock.Mark // the last two of the first denial
	late                             int
	reason                           trust.Reason

	settled [32]byte // the hash of the home's word that was answered; settling guards it
	answer  string   // with which; likewise
}

// answered notes an answer of the canary resource.
func (cs *canaries) answered(n *Node, from trust.ParticipantID, call CanaryCall, a Answer, arrived clock.Mark) {
	done := n.Clock.Mark()
	hash := sha256.Sum256([]byte(call.Token))
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c := cs.find(func(c *canary) bool { return c.token == hash && c.agreement == call.Agreement })
	switch {
	case a.Permit && c == nil:
		cs.watch(n, from, call, hash)
	case c == nil || c.denied != nil:
	case !a.Permit:
		c.asked, c.denied, c.reason = &arrived, &done, a.Reason
	case c.applied != nil && arrived.Boot > c.applied.Boot:
		c.late++
	}
}

// watch begins to watch a canary that was let in: what its token says was
// verified for that.
func (cs *canaries) watch(n *Node, from trust.ParticipantID, call CanaryCall, hash [32]byte) {
	u, err := jose.Parse(call.Token, jose.Form{Types: []string{evidence.CanaryType}, Use: jose.ForCredential})
	if err != nil {
		return
	}
	id, _ := u.UnverifiedClaims().Text("sub")
	class, _ := u.UnverifiedClaims().Text(evidence.CanaryClassClaim)
	if len(cs.of) == maxCanaries {
		cs.of = cs.of[1:]
	}
	cs.of = append(cs.of, &canary{
		subject: n.Keys.Subject(from.String(), evidence.CanarySpace, id), token: hash, agreement: call.Agreement, class: trust.Class(class),
	})
}

func (cs *canaries) find(is func(*canary) bool) *canary {
	for _, c := range cs.of {
		if is(c) {
			return c
		}
	}
	return nil
}

// ending notes that the message with which a subject ends, whoever it is, arrived
// at received; its end is about to be durable.
func (cs *canaries) ending(subject trust.SubjectKey, received clock.Mark) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c := cs.find(func(c *canary) bool { return c.subject == subject }); c != nil && c.applied == nil {
		c.received = &received
	}
}

// ended notes that a subject's end is durable.
func (cs *canaries) ended(subject trust.SubjectKey, applied clock.Mark) {
	if subject == (trust.SubjectKey{}) {
		return
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c := cs.find(func(c *canary) bool { return c.subject == subject }); c != nil && c.applied == nil {
		c.applied = &applied
	}
}

// seenOf gives the canary of a drill and what was seen of it by now.
func (cs *canaries) seenOf(subject trust.SubjectKey, m *drill.Measured) (*canary, drill.Seen) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c := cs.find(func(c *canary) bool { return c.subject == subject && c.agreement == m.Agreement && c.class == m.Class })
	if c == nil {
		return nil, drill.Seen{}
	}
	applied := c.applied
	if applied == nil && c.reason == trust.SubjectRevoked {
		applied = c.denied // it was in force by then
	}
	return c, drill.Seen{Applied: c.after(applied), Asked: c.after(c.asked), Denied: c.after(c.denied), Late: c.late, Reason: c.reason}
}

// after gives the time from the arrival of the message to a mark.
func (c *canary) after(mark *clock.Mark) int64 {
	if c.received == nil || mark == nil {
		return drill.Never
	}
	return micros(max(mark.Boot-c.received.Boot, 0))
}
