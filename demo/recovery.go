package demo

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// restored is the end of the seventh scenario: a backup with a lower sequence is
// put in the place of RXW's ledger. It is refused, and a recovery un-revokes
// nobody.
func (s *scene) restored(ctx context.Context) error {
	p, w := s.play, s.play.world
	asks := p.records["RJE"].signsIn(w.rxw, p.bola)
	kaya := w.rxw.enrol("kaya.lund", "910000000711")
	backup := w.rxw.dir + ".backup"
	err := s.expect(ctx, "RXW takes a backup, and then ends its nurse Kaya Lund; she calls RJE", trust.SubjectRevoked, func(ctx context.Context) (o outcome, err error) {
		if err := w.rxw.run(ctx, "backup", "--from", w.rxw.dir, "--to", backup); err != nil {
			return o, err
		}
		tokens, err := p.enter(ctx, kaya, p.records["RJE"])
		if err != nil {
			return o, err
		}
		_, err = w.rxw.operators[registrar].Revoke(ctx, node.RevokeRequest{
			Kind: revocation.Subject, Issuer: w.rxw.issuer.String(), Subject: kaya.subject, Reason: "left",
		})
		if err != nil {
			return o, err
		}
		return o, until(ctx, "RJE to deny her", func(ctx context.Context) (bool, error) {
			o, err = p.records["RJE"].ask(ctx, tokens.Access)
			return o.reason != trust.Permit, err
		})
	})
	if err != nil {
		return err
	}
	err = s.expect(ctx, "the backup, with its lower sequence, is put in place; another nurse calls", trust.EdgeBroken, func(ctx context.Context) (o outcome, err error) {
		if err := w.rxw.putBack(ctx, backup); err != nil {
			return o, err
		}
		return o, until(ctx, "RJE to refuse RXW", func(ctx context.Context) (bool, error) {
			o, err = asks(ctx)
			return o.reason == trust.EdgeBroken, err
		})
	})
	if err != nil {
		return err
	}
	err = s.do(ctx, "RXW recovers behind what its partners prove", "epoch 2, what was ended is ended again", w.recovered)
	if err != nil {
		return err
	}
	err = s.do(ctx, "RJE and R0A accept the epoch; two people on each side resume", "2 edges resumed", func(ctx context.Context) (string, error) {
		for _, partner := range []*hospital{w.rje, w.r0a} {
			if err := w.rxw.acceptedBy(ctx, partner); err != nil {
				return "", err
			}
		}
		return "2 edges resumed", nil
	})
	if err != nil {
		return err
	}
	err = s.expect(ctx, "the other nurse calls", trust.Permit, func(ctx context.Context) (o outcome, err error) {
		return o, until(ctx, "RJE to hear from RXW", func(ctx context.Context) (bool, error) {
			o, err = asks(ctx)
			return o.reason == trust.Permit, err
		})
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "Kaya Lund signs in again, and calls", trust.SubjectRevoked, p.records["RJE"].signsIn(w.rxw, kaya))
}

// recovered opens the next epoch at RXW, and waits until both partners have told
// what they hold.
func (w *world) recovered(ctx context.Context) (string, error) {
	w.rxw.stop()
	err := w.rxw.run(ctx, "recover", "-c", w.rxw.file("node.yaml"), "--reason", "the disk broke", "--yes")
	if err != nil {
		return "", err
	}
	if err := w.rxw.start(ctx); err != nil {
		return "", err
	}
	var r node.Recovery
	err = until(ctx, "the partners to say what they hold", func(ctx context.Context) (bool, error) {
		r, err = w.rxw.operators[auditor].Recovery(ctx)
		return r.Waiting == 0, err
	})
	if err != nil {
		return "", err
	}
	for _, e := range r.Edges {
		for _, l := range e.Lost {
			if e.Partner == w.rje.id && l.Lane == edge.Safety && l.Again > 0 {
				return fmt.Sprintf("epoch %d, what was ended is ended again", r.Epoch), nil
			}
		}
	}
	return "epoch " + strconv.FormatUint(uint64(r.Epoch), 10) + ", nothing was lost", nil
}

// acceptedBy lets a partner accept the epoch, and two people of both resume the
// edge.
func (h *hospital) acceptedBy(ctx context.Context, partner *hospital) error {
	err := until(ctx, partner.code+" to hold the epoch", func(ctx context.Context) (bool, error) {
		r, err := partner.operators[auditor].Recovery(ctx)
		for _, e := range r.Edges {
			if e.Partner == h.id && e.Held != 0 {
				_, err := partner.operators[security].AcceptEpoch(ctx, admin.EpochAcceptance{Participant: h.id, Epoch: e.Held, Reason: "they called"})
				return err == nil, err
			}
		}
		return false, err
	})
	if err != nil {
		return err
	}
	err = until(ctx, h.code+" to know of it", func(ctx context.Context) (bool, error) {
		r, err := h.operators[auditor].Recovery(ctx)
		for _, e := range r.Edges {
			if e.Partner == partner.id && e.Stage == edge.Accepted {
				return true, err
			}
		}
		return false, err
	})
	if err != nil {
		return err
	}
	for _, side := range []struct{ at, with *hospital }{{h, partner}, {partner, h}} {
		for _, name := range []string{security, registrar} {
			_, err := side.at.operators[name].Resume(ctx, admin.Resuming{
				Stoppable: node.Stoppable{Kind: suspension.Edge, Participant: side.with.id}, Reason: "recovered",
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// putBack puts a copy in the place of the node's ledger, and starts it.
func (h *hospital) putBack(ctx context.Context, backup string) error {
	h.stop()
	data := h.file("data")
	if err := os.RemoveAll(data); err != nil {
		return trust.Errorf(trust.Unavailable, "removing %s: %w", data, err)
	}
	if err := os.CopyFS(data, os.DirFS(backup)); err != nil {
		return trust.Errorf(trust.Unavailable, "putting %s back: %w", backup, err)
	}
	return h.start(ctx)
}

// run runs the program once, as an administrator would.
func (h *hospital) run(ctx context.Context, args ...string) error {
	c := exec.CommandContext(ctx, h.world.program, append(args, "--no-input")...)
	c.SysProcAttr = apart()
	if said, err := c.CombinedOutput(); err != nil {
		return trust.Errorf(trust.Unavailable, "entente %s for %s: %w: %s", args[0], h.code, err, said)
	}
	return nil
}
