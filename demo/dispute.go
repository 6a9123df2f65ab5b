package demo

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

const (
	barred   = 10 * time.Second // what the panel bars her for
	watched  = trust.Span(86400)
	anHour   = 3 // permits while she is monitored
	accepted = "dispute.exhibited"
)

// quarrel is RXW's dispute about one of its nurses, whom RJE stopped. R0A mediates,
// and then rules.
type quarrel struct {
	*scene
	her  node.Stoppable
	asks func(context.Context) (outcome, error)
	id   string
	bar  time.Time
}

// play goes from the opening to a remedy, and shows that RJE keeps to it.
func (q *quarrel) play(ctx context.Context) error {
	for _, part := range []func(context.Context) error{q.open, q.evidence, q.edited, q.mediated, q.panel, q.held} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (q *quarrel) moves(ctx context.Context, h *hospital, m node.DisputeMove) error {
	return h.operators[security].MoveDispute(ctx, q.id, m)
}

// awaits waits until a trust has the dispute as it should be.
func (q *quarrel) awaits(ctx context.Context, h *hospital, what string, is func(node.Dispute) bool) (d node.Dispute, err error) {
	return d, until(ctx, what+" to reach "+h.code, func(ctx context.Context) (bool, error) {
		d, err = h.operators[auditor].Dispute(ctx, q.id)
		if trust.KindOf(err) == trust.NotFound {
			return false, nil
		}
		return err == nil && is(d), err
	})
}

func (q *quarrel) open(ctx context.Context) error {
	w := q.scene.play.world
	return q.do(ctx, "RXW disputes that; RJE answers", "direct, answered by RJE", func(ctx context.Context) (string, error) {
		opened, err := w.rxw.operators[security].OpenDispute(ctx, node.DisputeRequest{Stoppable: q.her, Statement: "a training account, see HR-3001"})
		if err != nil {
			return "", err
		}
		q.id = opened.ID
		if _, err := q.awaits(ctx, w.rje, "the dispute", func(node.Dispute) bool { return true }); err != nil {
			return "", err
		}
		if err := q.moves(ctx, w.rje, node.DisputeMove{Verb: dispute.Answer, Statement: "40 odd queries within an hour"}); err != nil {
			return "", err
		}
		d, err := q.awaits(ctx, w.rxw, "the answer", func(d node.Dispute) bool { return len(d.Moves) == 2 })
		return fmt.Sprintf("%s, answered by RJE", d.Stage), err
	})
}

// evidence: either side shows an entry of its ledger.
func (q *quarrel) evidence(ctx context.Context) error {
	w := q.scene.play.world
	return q.do(ctx, "each shows an entry of its ledger with its proof", "proven at the other", func(ctx context.Context) (string, error) {
		for _, pair := range [][2]*hospital{{w.rje, w.rxw}, {w.rxw, w.rje}} {
			if err := q.moves(ctx, pair[0], node.DisputeMove{Verb: dispute.Exhibit, Log: "decisions", N: 1}); err != nil {
				return "", err
			}
			if _, err := q.shown(ctx, pair[1], pair[0]); err != nil {
				return "", err
			}
		}
		return "proven at the other", nil
	})
}

// shown gives what one trust has of another's evidence.
func (q *quarrel) shown(ctx context.Context, at, of *hospital) (e *node.Exhibit, err error) {
	_, err = q.awaits(ctx, at, "the evidence", func(d node.Dispute) bool {
		for _, m := range d.Moves {
			if m.Kind == accepted && m.Exhibit != nil && m.Exhibit.Participant == of.id {
				e = m.Exhibit
			}
		}
		return e != nil
	})
	return e, err
}

func (q *quarrel) edited(ctx context.Context) error {
	w := q.scene.play.world
	return q.denied(ctx, "RXW shows RJE's entry with one byte changed", func(ctx context.Context) error {
		e, err := q.shown(ctx, w.rxw, w.rje)
		if err != nil {
			return err
		}
		e.Leaf = bytes.Clone(e.Leaf)
		e.Leaf[len(e.Leaf)-2] ^= 1
		return q.moves(ctx, w.rxw, node.DisputeMove{Verb: dispute.Exhibit, Exhibit: e})
	}, trust.Denied)
}

// escalates lets both sides ask for a stage with R0A, and waits until that has
// the evidence of both.
func (q *quarrel) escalates(ctx context.Context, to dispute.Stage) error {
	w := q.scene.play.world
	for _, h := range []*hospital{w.rxw, w.rje} {
		if _, err := q.awaits(ctx, h, "the other side's wish", func(d node.Dispute) bool { return h == w.rxw || d.Asked != nil }); err != nil {
			return err
		}
		if err := q.moves(ctx, h, node.DisputeMove{Verb: dispute.Escalate, To: to, Thirds: []trust.ParticipantID{w.r0a.id}}); err != nil {
			return err
		}
	}
	_, err := q.awaits(ctx, w.r0a, "the dispute, from both sides", func(d node.Dispute) bool {
		by := map[trust.ParticipantID]bool{}
		for _, m := range d.Moves {
			if m.To == to {
				by[m.From] = true
			}
		}
		return d.Stage == to && len(by) == 2
	})
	return err
}

func (q *quarrel) mediated(ctx context.Context) error {
	w := q.scene.play.world
	return q.do(ctx, "both name R0A, which proposes that she goes on; RXW accepts, RJE does not", "mediated", func(ctx context.Context) (string, error) {
		if err := q.escalates(ctx, dispute.Mediated); err != nil {
			return "", err
		}
		if err := q.moves(ctx, w.r0a, node.DisputeMove{Verb: dispute.Propose, Terms: &node.Terms{Note: "she goes on at once"}}); err != nil {
			return "", err
		}
		d, err := q.awaits(ctx, w.rxw, "the proposal", func(d node.Dispute) bool { return d.Proposal != "" })
		if err != nil {
			return "", err
		}
		if err := q.moves(ctx, w.rxw, node.DisputeMove{Verb: dispute.Accept, Hash: d.Proposal}); err != nil {
			return "", err
		}
		d, err = q.awaits(ctx, w.rje, "the proposal", func(d node.Dispute) bool { return d.Proposal != "" })
		return string(d.Stage), err
	})
}

func (q *quarrel) panel(ctx context.Context) error {
	w := q.scene.play.world
	const want = "decided by the panel in both ledgers"
	return q.do(ctx, "the panel: a bar, a plan, monitoring, and whom it is about", want, func(ctx context.Context) (string, error) {
		if err := q.escalates(ctx, dispute.Panel); err != nil {
			return "", err
		}
		d, err := q.awaits(ctx, w.rje, "the panel", func(d node.Dispute) bool { return d.Stage == dispute.Panel })
		if err != nil {
			return "", err
		}
		// RJE's ledger may be stamped ahead of the time, and goes by its stamps.
		now := max(time.Now().Unix(), int64(d.Moves[len(d.Moves)-1].At))
		q.bar = time.Unix(now, 0).Add(barred)
		terms := &node.Terms{
			Bar: trust.Instant(q.bar.Unix()), Plan: []string{"she is trained at RJE"}, Monitor: watched, Limit: anHour, Claim: registration, Person: "N-ines.moro",
		}
		if err := q.moves(ctx, w.r0a, node.DisputeMove{Verb: dispute.Rule, Terms: terms}); err != nil {
			return "", err
		}
		var hashes []string
		for _, h := range []*hospital{w.rxw, w.rje} {
			d, err := q.awaits(ctx, h, "the ruling", func(d node.Dispute) bool { return d.Stage == dispute.Decided })
			if err != nil {
				return "", err
			}
			hashes = append(hashes, d.Decided.Hash)
		}
		if hashes[0] != hashes[1] {
			return "decided otherwise in each ledger", nil
		}
		return want, nil
	})
}

// held shows that the remedy is kept, by RJE and against RXW.
func (q *quarrel) held(ctx context.Context) error {
	w, p := q.scene.play.world, q.scene.play
	resumes := func(ctx context.Context) error {
		_, err := w.rje.operators[security].Resume(ctx, admin.Resuming{Stoppable: q.her, Reason: "long enough"})
		return err
	}
	if err := q.denied(ctx, "RJE resumes her while the bar runs", resumes, trust.Denied); err != nil {
		return err
	}
	again := w.rxw.employ("i.moro", "500000000778", map[string]any{registration: "N-ines.moro"})
	if err := q.expect(ctx, "RXW returns her under a new identifier", trust.PersonBarred, p.records["RJE"].signsIn(w.rxw, again)); err != nil {
		return err
	}
	if err := q.expect(ctx, "another nurse of RXW", trust.Permit, p.records["RJE"].signsIn(w.rxw, p.bola)); err != nil {
		return err
	}
	err := q.denied(ctx, "RJE resumes her after the bar, with the plan unmet", func(ctx context.Context) error {
		if err := w.rje.setClock(ctx, (time.Until(q.bar) + 3*time.Second).Truncate(time.Second), w.rxw); err != nil {
			return err
		}
		denied := resumes(ctx)
		if err := w.rje.setClock(ctx, 0, w.rxw); err != nil {
			return err
		}
		return denied
	}, trust.Denied)
	if err != nil {
		return err
	}
	return q.do(ctx, "RJE says that she was trained", "1 of 1 conditions met", func(ctx context.Context) (string, error) {
		if err := q.moves(ctx, w.rje, node.DisputeMove{Verb: dispute.Meet, Condition: 1, Statement: "certificate seen"}); err != nil {
			return "", err
		}
		d, err := q.awaits(ctx, w.rje, "that", func(d node.Dispute) bool { return len(d.Decided.Met) == 1 })
		return fmt.Sprintf("%d of %d conditions met", len(d.Decided.Met), d.Decided.Conditions), err
	})
}

// monitored: once she has gone on, one permit more than the remedy lets stops her
// again, without anybody at RJE.
func (q *quarrel) monitored(ctx context.Context) error {
	err := q.expect(ctx, fmt.Sprintf("monitored, she asks for more than %d permits within an hour", anHour), trust.MonitoringSpent, func(ctx context.Context) (outcome, error) {
		for {
			o, err := q.asks(ctx)
			if err != nil || o.reason != trust.Permit {
				return o, err
			}
		}
	})
	if err != nil {
		return err
	}
	return q.expect(ctx, "she asks once more", trust.SubjectSuspended, q.asks)
}
