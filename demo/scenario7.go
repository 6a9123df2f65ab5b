package demo

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// rollover is the seventh scenario: keys change as planned, and in an emergency.
func (s *scene) rollover(ctx context.Context) error {
	if err := s.planned(ctx); err != nil {
		return err
	}
	if err := s.ownKeys(ctx); err != nil {
		return err
	}
	if err := s.copied(ctx); err != nil {
		return err
	}
	return s.restored(ctx)
}

// planned rotates the key of RXW's provider under load: ahead, in use, retired.
func (s *scene) planned(ctx context.Context) error {
	p, rxw, rje := s.play, s.play.world.rxw, s.play.world.rje
	old, err := p.enter(ctx, p.bola, p.records["RJE"])
	if err != nil {
		return s.settle(ctx, Step{Name: "nurse signs in at RXW"}, err)
	}
	load := p.load(ctx)
	defer load.stop()
	err = s.do(ctx, "RXW publishes its next signing key ahead", "2 keys known at RJE", func(ctx context.Context) (string, error) {
		if err := rxw.provider.AnnounceKey(); err != nil {
			return "", err
		}
		return "2 keys known at RJE", rje.knowsKeys(ctx, rxw, 2)
	})
	if err != nil {
		return err
	}
	err = s.do(ctx, "RXW signs with it, while nurses sign in and read at RJE", "0 calls failed", func(ctx context.Context) (string, error) {
		if err := rxw.provider.RotateKey(); err != nil {
			return "", err
		}
		return load.result(ctx)
	})
	if err != nil {
		return err
	}
	if err := s.expect(ctx, "a token of the old key lives out its time", trust.Permit, p.records["RJE"].presents(old.Access)); err != nil {
		return err
	}
	return s.expect(ctx, "RXW retires the old key on schedule; the same token", trust.UnknownKey, func(ctx context.Context) (outcome, error) {
		rxw.provider.RetireKeys()
		if err := rje.knowsKeys(ctx, rxw, 1); err != nil {
			return outcome{}, err
		}
		return p.records["RJE"].ask(ctx, old.Access)
	})
}

// ownKeys rotates the online keys of RJE's node: drafted there, signed offline.
func (s *scene) ownKeys(ctx context.Context) error {
	p, w := s.play, s.play.world
	err := s.do(ctx, "all online keys of RJE's node get successors, certified offline", "the card is at 2 partners", func(ctx context.Context) (string, error) {
		if err := w.rje.renewCard(ctx); err != nil {
			return "", err
		}
		for _, partner := range []*hospital{w.rxw, w.r0a} {
			if err := partner.knowsCard(ctx, w.rje); err != nil {
				return "", err
			}
		}
		return "the card is at 2 partners", nil
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "RXW's nurse reads on at RJE", trust.Permit, p.records["RJE"].signsIn(w.rxw, p.bola))
}

// copied ends a key that somebody copied.
func (s *scene) copied(ctx context.Context) error {
	p, rxw, rje := s.play, s.play.world.rxw, s.play.world.rje
	tokens, err := p.enter(ctx, p.bola, p.records["RJE"])
	if err != nil {
		return s.settle(ctx, Step{Name: "nurse signs in at RXW"}, err)
	}
	var kid string
	if err := s.expect(ctx, "a token of the key that is about to be copied", trust.Permit, p.records["RJE"].presents(tokens.Access)); err != nil {
		return err
	}
	err = s.expect(ctx, "RXW's key is copied; RXW ends it, and RJE denies what it signed", trust.KeyRevoked, func(ctx context.Context) (outcome, error) {
		var err error
		if kid, err = rxw.endKey(ctx); err != nil {
			return outcome{}, err
		}
		if err := rje.keyStage(ctx, kid, node.KeyRevoked); err != nil {
			return outcome{}, err
		}
		return p.records["RJE"].ask(ctx, tokens.Access)
	})
	if err != nil {
		return err
	}
	err = s.do(ctx, "RJE lists what the key had been accepted for", "every permit has its subject and reference", func(ctx context.Context) (string, error) {
		return rje.listed(ctx, rxw, kid)
	})
	if err != nil {
		return err
	}
	return s.expect(ctx, "RXW signs with a fresh key", trust.Permit, func(ctx context.Context) (outcome, error) {
		if err := rxw.provider.RotateKey(); err != nil {
			return outcome{}, err
		}
		if err := rje.knowsKeys(ctx, rxw, 2); err != nil {
			return outcome{}, err
		}
		return p.records["RJE"].signsIn(rxw, p.bola)(ctx)
	})
}

// load is nurses who sign in at RXW and read at RJE, again and again.
type load struct {
	calls, failed atomic.Int64
	first         atomic.Pointer[error]
	end           chan struct{}
	once          sync.Once
	running       sync.WaitGroup
}

func (p *play) load(ctx context.Context) *load {
	l := &load{end: make(chan struct{})}
	for range 2 {
		l.running.Go(func() {
			for {
				select {
				case <-l.end:
					return
				case <-ctx.Done():
					return
				default:
				}
				var tokens idp.Tokens
				var permit bool
				tokens, err := p.enter(ctx, p.bola, p.records["RJE"])
				if err == nil {
					permit, _, _, err = p.records["RJE"].call(ctx, tokens.Access)
				}
				if err != nil {
					l.first.CompareAndSwap(nil, &err)
				}
				if err != nil || !permit {
					l.failed.Add(1)
				}
				l.calls.Add(1)
			}
		})
	}
	return l
}

func (l *load) stop() {
	l.once.Do(func() { close(l.end) })
	l.running.Wait()
}

// result waits for some more calls, ends the load and tells what failed.
func (l *load) result(ctx context.Context) (string, error) {
	enough := l.calls.Load() + 20
	err := until(ctx, "calls to be made", func(context.Context) (bool, error) { return l.calls.Load() >= enough, nil })
	l.stop()
	if failed := l.first.Load(); err == nil && failed != nil {
		err = *failed
	}
	return fmt.Sprintf("%d calls failed", l.failed.Load()), err
}

// keys gives the keys of the node that match.
func (h *hospital) keys(ctx context.Context, match func(node.KeyView) bool) (found []node.KeyView, err error) {
	all, err := h.admin.Keys(ctx)
	for _, k := range all.Items {
		if match(k) {
			found = append(found, k)
		}
	}
	return found, err
}

// knowsKeys waits until a node knows this many keys that another trust's
// provider publishes.
func (h *hospital) knowsKeys(ctx context.Context, of *hospital, count int) error {
	return until(ctx, h.code+" to read the keys of "+of.code, func(ctx context.Context) (bool, error) {
		found, err := h.keys(ctx, func(k node.KeyView) bool {
			return k.Issuer == of.issuer.String() && k.Until == 0
		})
		return len(found) == count, err
	})
}

// keyStage waits until a node has an issuer's key in a stage.
func (h *hospital) keyStage(ctx context.Context, kid string, stage node.KeyStage) error {
	return until(ctx, h.code+" to hear of the key", func(ctx context.Context) (bool, error) {
		found, err := h.keys(ctx, func(k node.KeyView) bool { return k.Issuer != "" && k.KeyID == kid && k.Stage == stage })
		return len(found) > 0, err
	})
}

// renewCard has the node make its next keys, and certifies them with the
// governance key, which the node never sees.
func (h *hospital) renewCard(ctx context.Context) error {
	draft, err := h.admin.DraftCard(ctx, participant.Rotation{})
	if err != nil {
		return err
	}
	signed, err := participant.SignCard(h.governance, draft.Card)
	if err != nil {
		return err
	}
	return h.admin.RenewCard(ctx, signed)
}

// knowsCard waits until a node has two keys of each use of another.
func (h *hospital) knowsCard(ctx context.Context, of *hospital) error {
	return until(ctx, h.code+" to take the card of "+of.code, func(ctx context.Context) (bool, error) {
		found, err := h.keys(ctx, func(k node.KeyView) bool { return k.Participant == of.id })
		return len(found) == 2*len(participant.KeyUses()), err
	})
}

// endKey revokes the one key that the trust's own provider publishes, and gives
// its kid.
func (h *hospital) endKey(ctx context.Context) (string, error) {
	if err := h.knowsKeys(ctx, h, 1); err != nil {
		return "", err
	}
	found, err := h.keys(ctx, func(k node.KeyView) bool { return k.Issuer == h.issuer.String() && k.Until == 0 })
	if err != nil {
		return "", err
	}
	_, err = h.operators[security].Revoke(ctx, node.RevokeRequest{
		Kind: revocation.Key, Issuer: h.issuer.String(), KeyID: found[0].KeyID, Reason: "copied", Incident: "INC-4711",
	})
	return found[0].KeyID, err
}

// listed asks what a key had been accepted for, and looks into each subject's
// last decision.
func (h *hospital) listed(ctx context.Context, of *hospital, kid string) (string, error) {
	found, err := h.operators[auditor].Accepted(ctx, of.issuer.String(), kid, 0)
	if err != nil {
		return "", err
	}
	permits := 0
	for _, subject := range found.Subjects {
		e, err := h.operators[auditor].Explain(ctx, subject.Reference)
		if err != nil {
			return "", err
		}
		if e.Permit && e.Subject == subject.Subject {
			permits += subject.Permits
		}
	}
	if !found.Revoked || found.Next != 0 || found.Permits == 0 || permits != found.Permits {
		return fmt.Sprintf("%d of %d permits have theirs", permits, found.Permits), nil
	}
	return "every permit has its subject and reference", nil
}
