package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// holding is a token of RJE's ward records and the key that it is bound to.
type holding struct {
	key   *idp.Holder
	token string
}

// held binds a token to the key of the nurse's application, and sends it with
// that one's proof and with a thief's.
func (s *scene) held(ctx context.Context) (holding, error) {
	p, desk := s.play, s.play.records["RJE"]
	key, err := idp.NewHolder()
	if err != nil {
		return holding{}, s.settle(ctx, Step{Name: "an application makes its key"}, err)
	}
	thief, err := idp.NewHolder()
	if err != nil {
		return holding{}, s.settle(ctx, Step{Name: "a thief makes a key"}, err)
	}
	tokens, err := p.world.rxw.ward.With(key).Login(ctx, p.bola.login, p.bola.password, desk.audience)
	if err != nil {
		return holding{}, s.settle(ctx, Step{Name: "nurse signs in with an application that has a key"}, err)
	}
	h := holding{key, tokens.Access}
	if err := s.expect(ctx, "token bound to the application's key, with its proof", trust.Permit, h.proves(desk, key)); err != nil {
		return h, err
	}
	return h, s.expect(ctx, "the same token sent with another's key", trust.ProofKey, h.proves(desk, thief))
}

// proves is the act of showing the token with a fresh proof by a key.
func (h holding) proves(d *desk, key *idp.Holder) func(context.Context) (outcome, error) {
	return func(ctx context.Context) (outcome, error) {
		proof, err := key.Proof(http.MethodGet, d.url+recordPath, h.token)
		if err != nil {
			return outcome{}, err
		}
		return d.askWith(ctx, showing{token: h.token, proof: proof})
	}
}

// crowd is how many send one proof at the same time.
const crowd = 128

// stampede sends one proof many times at once, kills RJE's node after the first
// answer, and starts it again; whoever got none asks on until there is one.
func (s *scene) stampede(ctx context.Context, h holding) error {
	name := fmt.Sprintf("%d use one proof at once; RJE's node is killed meanwhile and starts again", crowd)
	return s.do(ctx, name, "1 permit on record", func(ctx context.Context) (string, error) {
		desk := s.play.records["RJE"]
		proof, err := h.key.Proof(http.MethodGet, desk.url+recordPath, h.token)
		if err != nil {
			return "", err
		}
		before, _, err := desk.host.decisions(ctx, 0)
		if err != nil {
			return "", err
		}
		late, err := desk.storm(ctx, h.token, proof)
		if err != nil {
			return "", err
		}
		_, permits, err := desk.host.decisions(ctx, before)
		if err == nil && late == 0 {
			return "nobody was left to answer when the node was killed", nil
		}
		return fmt.Sprintf("%d permit on record", permits), err
	})
}

// storm lets a crowd send a token with one proof while the host's node is killed
// and started, and gives how many were answered only after that.
func (d *desk) storm(ctx context.Context, token, proof string) (late int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answered := make(chan struct{}, crowd)
	var killed atomic.Bool
	var after atomic.Int64
	var all sync.WaitGroup
	for range crowd {
		all.Go(func() {
			if err := until(ctx, "an answer", func(ctx context.Context) (bool, error) {
				dead := killed.Load()
				_, _, _, err := d.callWith(ctx, showing{token: token, proof: proof})
				if err == nil && dead {
					after.Add(1)
				}
				return err == nil, ctx.Err()
			}); err != nil {
				cancel(err)
			}
			answered <- struct{}{}
		})
	}
	<-answered
	d.host.node.kill()
	killed.Store(true)
	err = d.host.start(ctx)
	all.Wait()
	return after.Load(), errors.Join(err, context.Cause(ctx))
}

// decisions counts the decisions on record from a number on, and the permits
// among them.
func (h *hospital) decisions(ctx context.Context, from uint64) (size uint64, permits int, err error) {
	for size = from; ; {
		page, err := h.operators[auditor].Entries(ctx, store.DecisionLog, size, 0)
		if err != nil {
			return 0, 0, err
		}
		for _, e := range page.Items {
			if leaf, err := decision.ParseLeaf(e.Body); err == nil && leaf.Permit() {
				permits++
			}
		}
		if size += uint64(len(page.Items)); len(page.Items) == 0 {
			return size, permits, nil
		}
	}
}
