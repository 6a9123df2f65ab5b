package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// drillType is the typ of a signed part of a drill's result.
const drillType = "entente-drill+jwt"

// homeWord is what the home signs with its stream key; hostWord what the host
// signs with its own, around the home's word and so about it.
type (
	homeWord struct {
		Iss   trust.ParticipantID `json:"iss"`
		Aud   trust.ParticipantID `json:"aud"`
		Iat   int64               `json:"iat"`
		Drill drill.Measured      `json:"drill"`
	}
	hostWord struct {
		Iss     trust.ParticipantID `json:"iss"`
		Aud     trust.ParticipantID `json:"aud"`
		Iat     int64               `json:"iat"`
		Home    string              `json:"home"` // the home's word, as signed
		Drill   drill.Seen          `json:"drill"`
		Verdict drill.Verdict       `json:"verdict"`
		Side    drill.Side          `json:"side,omitempty"`
	}
)

// DrillResult is the body of the request with which a home shows its word, and of
// the answer with the host's.
type DrillResult struct {
	Result string `json:"result"`
}

// settleTries is how often a home shows its word before it records it alone.
const settleTries = 3

// settle has the host sign what was measured, and records it. A host that does
// not sign cannot keep it from being recorded.
func (r *rehearsal) settle(ctx context.Context) (Drilled, error) {
	n := r.n
	word, err := jose.Sign(n.Keys.Signer(participant.StreamKey), drillType, homeWord{n.self, r.measured.Host, n.Now(), r.measured})
	if err != nil {
		return Drilled{}, trust.Errorf(trust.Internal, "signing a drill: %w", err)
	}
	finished := drill.Finished{Measured: r.measured, Signed: word}
	for try := range settleTries {
		if try > 0 {
			wait(ctx, nil, time.Duration(try)*firstRetry)
		}
		seen, signed, err := r.countersign(ctx, word)
		if err == nil {
			finished.Seen, finished.Signed = &seen, signed
			break
		}
		n.Log.Warn("a partner did not sign a drill", "partner", r.measured.Host.String(), "drill", r.measured.ID, "error", err)
	}
	// Held is held, whoever asked for it is gone or not.
	at, err := n.change(context.WithoutCancel(ctx), func(c *change) error { return c.finishDrill(finished) })
	out := Drilled{Finished: finished, Agreement: r.name, Took: r.measured.Took(), Position: at}
	out.Verdict, out.Side = drill.Judge(&r.measured, finished.Seen)
	return out, err
}

// countersign shows the host the home's word and takes the host's.
func (r *rehearsal) countersign(ctx context.Context, word string) (drill.Seen, string, error) {
	none := func(err error) (drill.Seen, string, error) { return drill.Seen{}, "", err }
	body, err := canonical.Marshal(DrillResult{word})
	if err != nil {
		return none(err)
	}
	in, err := r.n.Send.Send(ctx, r.partner, Outgoing{Method: http.MethodPost, Path: DrillsPath, ContentType: jsonMediaType, Body: body})
	if err != nil {
		return none(err)
	}
	if in.Status != http.StatusOK {
		return none(trust.Errorf(trust.Unavailable, "%s answered %d to a drill's result", r.measured.Host, in.Status))
	}
	var answer DrillResult
	if err := canonical.DecodeLoose(in.Body, &answer); err != nil {
		return none(err)
	}
	var host hostWord
	if err := r.n.hearDrill(r.partner, answer.Result, &host); err != nil {
		return none(err)
	}
	if host.Iss != r.measured.Host || host.Aud != r.n.self || host.Home != word {
		return none(trust.Errorf(trust.Denied, "%s signed another drill than it was shown", r.measured.Host))
	}
	return host.Drill, answer.Result, host.Drill.Check()
}

// hearDrill verifies a partner's signed part and reads it.
func (n *Node) hearDrill(from participant.Partner, jws string, into any) error {
	keys := from.Keys(participant.StreamKey, n.Now())
	form := jose.Form{Types: []string{drillType}, Use: jose.ForMessage, MaxBytes: maxMessage}
	payload, err := verifyBy(func(int64) []jose.Key { return keys }, []byte(jws), form)
	if err != nil {
		return err
	}
	if err := canonical.Decode(payload, into); err != nil {
		return err
	}
	// A member that is missing, or null, would count as zero.
	if again, err := canonical.Marshal(into); err != nil || !bytes.Equal(again, payload) {
		return trust.Errorf(trust.Invalid, "a drill's result of %s does not say all it must", from.Card.ID)
	}
	return nil
}

// finishDrill records a drill, its breach beside it, and what rules do about that.
func (c *change) finishDrill(f drill.Finished) error {
	events, err := c.Drill.Finish(f)
	if err != nil {
		return err
	}
	if err := c.add(events...); err != nil {
		return err
	}
	for _, e := range events {
		if b, breached := e.(drill.Breach); breached {
			return c.breached(b, f.Measured.Class)
		}
	}
	return nil
}

// SettleDrill takes a home's word of a drill with a canary that was let in here,
// records it with what was seen here, and gives both, signed. The same word again
// gives the same answer. It fails with NotFound for a canary that was not let in
// since the start, Denied for a signature or a foreign link, Invalid for what
// cannot have been measured, Conflict for another limit than ours.
func (n *Node) SettleDrill(ctx context.Context, from trust.ParticipantID, r DrillResult) (DrillResult, error) {
	s := n.State()
	partner, ok := s.Participant.Partner(from)
	if !ok {
		return DrillResult{}, trust.Errorf(trust.Denied, "participant %s is not a partner here", from)
	}
	var home homeWord
	if err := n.hearDrill(*partner, r.Result, &home); err != nil {
		return DrillResult{}, err
	}
	m := &home.Drill
	a, ok := s.Agreement.ByID(m.Agreement)
	switch {
	case home.Iss != from || home.Aud != n.self || m.Home != from || m.Host != n.self:
		return DrillResult{}, trust.Errorf(trust.Denied, "%s shows a drill of %s at %s", from, m.Home, m.Host)
	case !ok || a.Home() != from || a.Host() != n.self:
		return DrillResult{}, trust.Errorf(trust.Denied, "%s shows a drill of an agreement by which we accept nothing of it", from)
	}
	if limit, _, ok := removal(s, a, m.Class); !ok || micros(limit) != m.Limit {
		return DrillResult{}, trust.Errorf(trust.Conflict, "%s holds a drill to %d µs; the removal target here is %s", from, m.Limit, limit)
	}
	n.canaries.settling.Lock()
	defer n.canaries.settling.Unlock()
	known, seen := n.canaries.seenOf(n.Keys.Subject(from.String(), evidence.CanarySpace, m.ID), m)
	if known == nil {
		return DrillResult{}, trust.Errorf(trust.NotFound, "no canary of drill %s was let in since the start", m.ID)
	}
	shown := sha256.Sum256([]byte(r.Result))
	switch {
	case known.answer != "" && known.settled != shown:
		return DrillResult{}, trust.Errorf(trust.Conflict, "%s shows drill %s a second time, and otherwise", from, m.ID)
	case known.answer == "":
		signed, err := n.signSeen(ctx, m, seen, r.Result)
		if err != nil {
			return DrillResult{}, err
		}
		known.settled, known.answer = shown, signed
	}
	return DrillResult{known.answer}, nil
}

// signSeen signs and records what was seen of a drill.
func (n *Node) signSeen(ctx context.Context, m *drill.Measured, seen drill.Seen, home string) (string, error) {
	word := hostWord{Iss: n.self, Aud: m.Home, Iat: n.Now(), Home: home, Drill: seen}
	word.Verdict, word.Side = drill.Judge(m, &seen)
	signed, err := jose.Sign(n.Keys.Signer(participant.StreamKey), drillType, word)
	if err != nil {
		return "", trust.Errorf(trust.Internal, "signing a drill: %w", err)
	}
	_, err = n.change(ctx, func(c *change) error {
		return c.finishDrill(drill.Finished{Measured: *m, Seen: &seen, Signed: signed})
	})
	return signed, err
}
