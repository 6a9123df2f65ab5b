package node

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// DrillRequest says which link to drill: the agreement with Partner by which it
// accepts our callers. Without Agreement it is the first in force, without Class
// the class of the agreement's first line.
type DrillRequest struct {
	Partner   trust.ParticipantID `json:"partner"`
	Agreement string              `json:"agreement,omitempty"` // its name
	Class     trust.Class         `json:"class,omitempty"`
}

// Drilled is a drill that was held and recorded.
type Drilled struct {
	drill.Finished
	Agreement string         `json:"agreement"` // its name
	Took      int64          `json:"took"`      // microseconds
	Verdict   drill.Verdict  `json:"verdict"`
	Side      drill.Side     `json:"side,omitempty"` // whose doing a breach was
	Position  trust.Position `json:"position"`
}

const (
	drillPatience = 10 * time.Second // beyond the limit, for a denial
	drillSpare    = time.Minute      // for which a canary's token is good beyond that
	drillBy       = "drill"          // who ends canaries
)

// drills are the drills that this node holds: one at a time.
type drills struct {
	turn chan struct{}

	mu  sync.Mutex
	out map[outgoingKey]*departure
}

type outgoingKey struct {
	to trust.ParticipantID
	n  uint64 // on the safety lane
}

// departure is when a message went out first, and when its acceptance came.
type departure struct{ sent, accepted *clock.Mark }

func newDrills() *drills {
	return &drills{turn: make(chan struct{}, 1), out: map[outgoingKey]*departure{}}
}

// sending and accepted are told by delivery of every message of the safety lane;
// those of a drill are noted.
func (d *drills) sending(to trust.ParticipantID, lane edge.Lane, number uint64, c Clock) {
	d.note(to, lane, number, c, func(m *departure) **clock.Mark { return &m.sent })
}

func (d *drills) accepted(to trust.ParticipantID, lane edge.Lane, number uint64, c Clock) {
	d.note(to, lane, number, c, func(m *departure) **clock.Mark { return &m.accepted })
}

func (d *drills) note(to trust.ParticipantID, lane edge.Lane, number uint64, c Clock, which func(*departure) **clock.Mark) {
	if lane != edge.Safety {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if m := d.out[outgoingKey{to, number}]; m != nil && *which(m) == nil {
		mark := c.Mark()
		*which(m) = &mark
	}
}

func (d *drills) expect(key outgoingKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.out[key] = new(departure)
}

// take gives what was noted of a message and forgets it.
func (d *drills) take(key outgoingKey) departure {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.out[key]
	delete(d.out, key)
	if m == nil {
		return departure{}
	}
	return *m
}

// Drill rehearses a revocation on a link: a canary of our own is let in by the
// partner, ended here, and asked for there until it is denied. The result is
// signed by both and recorded by both. Nobody else notices. It fails with
// Conflict where no agreement in force lets our callers in, and with Denied where
// the partner does not let the canary in to begin with.
func (n *Node) Drill(ctx context.Context, a Actor, r DrillRequest) (Drilled, error) {
	if !slices.Contains(a.Roles, operator.Admin) {
		return Drilled{}, n.denyOperator(ctx, a)
	}
	return n.rehearse(ctx, r)
}

func (n *Node) rehearse(ctx context.Context, r DrillRequest) (Drilled, error) {
	select {
	case n.drills.turn <- struct{}{}:
		defer func() { <-n.drills.turn }()
	case <-ctx.Done():
		return Drilled{}, trust.Errorf(trust.Unavailable, "another drill is being held: %w", ctx.Err())
	}
	run, err := n.prepare(r)
	if err != nil {
		return Drilled{}, err
	}
	if err := run.enter(ctx); err != nil {
		return Drilled{}, err
	}
	if err := run.end(ctx); err != nil {
		return Drilled{}, err
	}
	run.watch(ctx)
	return run.settle(ctx)
}

// rehearsal is one drill while it is held.
type rehearsal struct {
	n        *Node
	partner  participant.Partner
	name     string // of the agreement
	token    []byte // the body of each call
	measured drill.Measured
	from     clock.Mark // the acknowledgement
	message  outgoingKey
}

// prepare chooses the link and makes the canary up.
func (n *Node) prepare(r DrillRequest) (*rehearsal, error) {
	s, now := n.State(), n.Now()
	partner, ok := s.Participant.Partner(r.Partner)
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "participant %s is not a partner here", r.Partner)
	}
	a, err := n.drillable(s, r, now)
	if err != nil {
		return nil, err
	}
	r.Class = firstClass(a, r.Class)
	limit, life, ok := removal(s, a, r.Class)
	if !ok {
		return nil, trust.Errorf(trust.Conflict, "the framework has no class %q, or not its tier and that of agreement %s; a drill is held to their removal target", r.Class, a.Revision.Document.Name)
	}
	random := make([]byte, drill.IDSize)
	if _, err := io.ReadFull(n.Rand, random); err != nil {
		return nil, trust.Errorf(trust.Internal, "drawing a canary's name: %w", err)
	}
	id := hex.EncodeToString(random)
	token, err := n.canaryToken(s, a, r.Class, id, now, min(life, limit+drillPatience+drillSpare))
	if err != nil {
		return nil, err
	}
	body, err := canonical.Marshal(CanaryCall{Agreement: a.ID, Token: token})
	return &rehearsal{n: n, partner: *partner, name: a.Revision.Document.Name, token: body, measured: drill.Measured{
		ID: id, Home: n.self, Host: r.Partner, Agreement: a.ID, Class: r.Class, Limit: micros(limit),
	}}, err
}

// drillable finds the agreement that a request names.
func (n *Node) drillable(s *state.Snapshot, r DrillRequest, now int64) (*agreement.Agreement, error) {
	for _, a := range s.Agreement.Between(n.self, r.Partner) {
		if _, alive := a.Alive(now); alive && (r.Agreement == "" || a.Revision.Document.Name == r.Agreement) {
			return a, nil
		}
	}
	what := "no agreement"
	if r.Agreement != "" {
		what = "no agreement " + r.Agreement
	}
	return nil, trust.Errorf(trust.Conflict, "%s by which %s accepts our callers is in force; only such a link is drilled", what, r.Partner)
}

// removal gives the removal target of a class under an agreement, and for how
// long its tokens may live.
func removal(s *state.Snapshot, a *agreement.Agreement, class trust.Class) (target, life time.Duration, ok bool) {
	f := s.Framework.Current
	if f == nil {
		return 0, 0, false
	}
	rule, known := f.Class(class)
	own, knownOwn := f.Tier(rule.Tier)
	agreed, knownAgreed := f.Tier(a.Revision.Document.Tier)
	strict := f.Stricter(rule, own, agreed)
	return time.Duration(strict.RemovalTarget) * time.Second, time.Duration(rule.MaxTokenLifetime) * time.Second, known && knownOwn && knownAgreed
}

// canaryToken signs who the canary is: one that the partner lets in at its canary
// resource and nowhere else.
func (n *Node) canaryToken(s *state.Snapshot, a *agreement.Agreement, class trust.Class, id string, now int64, life time.Duration) (string, error) {
	signer, _, err := n.tokenSigner(s, now)
	if err != nil {
		return "", err
	}
	return jose.Sign(signer, evidence.CanaryType, map[string]any{
		"iss": n.self.String(), "sub": id, "jti": id, "aud": agreement.CanaryAudience(a.Host()),
		"iat": now, "auth_time": now, "exp": now + int64(life/time.Second), evidence.CanaryClassClaim: string(class),
	})
}

// enter has the partner let the canary in.
func (r *rehearsal) enter(ctx context.Context) error {
	answer, err := r.call(ctx)
	if err != nil {
		return err
	}
	if !answer.Decision {
		return trust.Errorf(trust.Denied, "%s does not let a canary of class %s in under agreement %s (reference %s there); there is nothing to rehearse", r.measured.Host, r.measured.Class, r.name, answer.Reference)
	}
	return nil
}

// call calls the canary resource once.
func (r *rehearsal) call(ctx context.Context) (CanaryAnswer, error) {
	in, err := r.n.Send.Send(ctx, r.partner, Outgoing{Method: http.MethodPost, Path: CanaryPath, ContentType: jsonMediaType, Body: r.token})
	if err != nil {
		return CanaryAnswer{}, err
	}
	if in.Status != http.StatusOK {
		return CanaryAnswer{}, trust.Errorf(trust.Unavailable, "%s answered %d to a canary", r.measured.Host, in.Status)
	}
	var answer CanaryAnswer
	return answer, canonical.DecodeLoose(in.Body, &answer)
}

// end ends the canary at home, as any subject is ended; the partner is told on
// the safety lane in the same commit.
func (r *rehearsal) end(ctx context.Context) error {
	n, m := r.n, revocationMessage{Kind: revocation.Subject, Namespace: evidence.CanarySpace, Subject: r.measured.ID}
	_, err := n.change(ctx, func(c *change) error {
		target := revocation.Target{Kind: revocation.Subject, Participant: n.self, Subject: n.Keys.Subject(n.self.String(), m.Namespace, m.Subject)}
		target.Engagement, _ = c.Revocation.Current(target.Subject)
		m.Engagement = target.Engagement
		events, err := c.Revocation.Revoke(c.revocationFacts(target), revocation.Revoked{Target: target, By: drillBy})
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{owner: target.Subject, text: revokeText{Message: m, Reason: "drill " + r.measured.ID}}); err != nil {
				return err
			}
		}
		r.message = outgoingKey{r.measured.Host, c.Edge.Next(r.measured.Host, edge.Safety)}
		n.drills.expect(r.message)
		return c.sendRevocation(r.measured.Host, target.Subject, m)
	})
	r.from, r.measured.Begun = n.Clock.Mark(), n.Now()
	if err != nil {
		n.drills.take(r.message)
	}
	return err
}

// watch asks until the canary is denied, or the limit is over for so long that
// nobody waits for it.
func (r *rehearsal) watch(ctx context.Context) {
	m := &r.measured
	m.Denied = drill.Never
	patience := time.Duration(m.Limit)*time.Microsecond + drillPatience
	for last := r.from; ctx.Err() == nil; {
		began := r.n.Clock.Mark()
		m.Paused = max(m.Paused, micros(began.Since(last)))
		answer, err := r.call(ctx)
		last = r.n.Clock.Mark()
		m.Calls++
		m.Waited = micros(last.Since(r.from))
		if err == nil && !answer.Decision {
			m.Denied = m.Waited
			break
		}
		if last.Since(r.from) > patience {
			break
		}
		wait(ctx, nil, pause(last.Since(r.from)))
	}
	way := r.n.drills.take(r.message)
	m.Sent, m.Accepted = r.until(way.sent), r.until(way.accepted)
}

// pause is how long to wait with the next call, some time after the
// acknowledgement: little against what has passed, so that it adds little.
func pause(passed time.Duration) time.Duration {
	return min(max(passed/20, time.Millisecond), 100*time.Millisecond)
}

// until is the time from the acknowledgement to a mark, at most as long as was
// asked for.
func (r *rehearsal) until(mark *clock.Mark) int64 {
	if mark == nil || mark.Boot > r.from.Boot && micros(mark.Since(r.from)) > r.measured.Waited {
		return drill.Never
	}
	return micros(max(mark.Boot-r.from.Boot, 0))
}

func micros(d time.Duration) int64 { return d.Microseconds() }
