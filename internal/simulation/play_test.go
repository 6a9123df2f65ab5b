package simulation_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// play is a history being played, and what was promised in it.
type play struct {
	*world
	truth  *truth
	acts   sync.WaitGroup // what people have begun to do
	random *rand.Rand
	tokens map[person][]byte
	asked  int
	fast   bool // a clock was ahead, so that what it dated may be refused elsewhere
}

// playOut plays a history in a bubble of its own and gives what it broke.
func playOut(t *testing.T, h history, f fault) (err error) {
	c := casts[h.Cast].ready(t)
	synctest.Test(t, func(*testing.T) {
		time.Sleep(time.Until(epoch))
		w, failed := open(c, h, f)
		if failed != nil {
			err = failed
			return
		}
		p := &play{world: w, truth: newTruth(), random: rand.New(rand.NewPCG(h.Seed, 1)), tokens: map[person][]byte{}}
		time.Sleep(time.Second)
		for _, s := range h.Steps {
			p.step(s)
			if s.For == 0 {
				synctest.Wait()
			}
			time.Sleep(s.For)
			p.look()
			p.askAround()
			if err = p.truth.err(); err != nil {
				break
			}
		}
		if err == nil {
			p.settle()
			p.look()
			err = p.truth.err()
		}
		p.acts.Wait()
		p.close()
	})
	return err
}

// step lets one thing happen. What takes a node some time goes on beside the
// next steps.
func (p *play) step(s step) {
	n, other := p.players[s.Who%len(p.players)], p.players[s.Other%len(p.players)]
	i := s.Who % len(p.cast.links)
	l, who := p.cast.links[i], s.Other%people
	switch s.Do {
	case idle:
	case ask:
		p.ask(i, who)
	case revoke:
		p.act(p.players[l.home], func(r *run) { p.revoke(r, l.home, who) })
	case reopen:
		p.act(p.players[l.home], func(r *run) {
			_, _ = r.OpenEngagement(r.ctx, p.players[l.home].Admin, p.issuer(l.home).URL, subject(who), "joiner check")
		})
	case approve:
		p.act(p.players[l.host], func(r *run) { p.approve(r, l, who) })
	case suspend:
		by := []int{l.home, l.host}[s.Other%2]
		p.act(p.players[by], func(r *run) {
			if err := r.SuspendAgreement(r.ctx, p.players[by].Admin, p.cast.wards[i].Agreement, "drill"); err == nil && !r.ended() {
				p.truth.stops(i, by, time.Now())
			}
		})
	case distrust:
		p.act(p.players[l.host], func(r *run) {
			if err := r.SuspendParticipant(r.ctx, p.players[l.host].Admin, p.players[l.home].ID, "incident"); err == nil && !r.ended() {
				p.truth.stops(i, l.host, time.Now())
			}
		})
	case cut:
		p.net.setCut(n.at, other.at, true)
	case heal:
		p.net.setCut(n.at, other.at, false)
	case crash:
		p.crash(n, func() bool { return p.random.IntN(2) == 0 })
	case restart:
		if !n.machine.asleep() {
			p.stop(n)
			p.begin(n)
		}
	case start:
		p.begin(n)
	case sleep:
		n.machine.sleep()
	case wake:
		n.machine.wake(s.Other%2 == 0)
		for i, l := range p.cast.links { // before the machine hears of anything
			if l.host == n.at {
				for everybody := range people {
					p.ask(i, everybody)
				}
			}
		}
	case set:
		n.machine.set(s.Ahead)
		p.fast = p.fast || s.Ahead > 0
	}
}

func (p *play) begin(n *player) {
	if err := p.start(n); err != nil {
		p.truth.fault("%w", err)
	}
}

// act lets a person do something at a node that runs on a machine that is awake.
func (p *play) act(n *player, do func(*run)) {
	if r := n.current(); r != nil && !n.machine.asleep() {
		p.acts.Go(func() { do(r) })
	}
}

func subject(who int) string { return fmt.Sprint("nurse-", who) }

func (p *play) issuer(home int) *nodetest.Issuer {
	for i, l := range p.cast.links {
		if l.home == home {
			return p.cast.wards[i].Issuer
		}
	}
	panic("a home without a link")
}

// key is what a node's ledger knows a person by.
func (p *play) key(at *player, home, who int) trust.SubjectKey {
	return at.keys.Subject(p.players[home].ID.String(), "default", subject(who))
}

func (p *play) revoke(r *run, home, who int) {
	at := p.players[home]
	_, err := r.Revoke(r.ctx, at.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: p.issuer(home).URL, Subject: subject(who), Reason: "left"})
	if ended, _ := r.State().Revocation.Ended(p.key(at, home, who)); err == nil && !r.ended() {
		p.truth.endsAt(person{home, who}, ended, time.Now())
	}
}

func (p *play) approve(r *run, l link, who int) {
	at := p.players[l.host]
	key := p.key(at, l.home, who)
	opened, _, _ := r.State().Revocation.Opened(key)
	p.truth.approves(l.host, person{l.home, who}, opened)
	_ = r.ApproveEngagement(r.ctx, at.Admin, key)
	if current, _ := r.State().Revocation.Current(key); current > opened {
		p.truth.approves(l.host, person{l.home, who}, current)
	}
}

// askAround asks for somebody on one link after the other.
func (p *play) askAround() {
	i := p.asked % len(p.cast.links)
	p.ask(i, p.asked/len(p.cast.links)%people)
	p.asked++
}

// ask lets a person open a record at a link's host, and holds a permit against
// what was promised.
func (p *play) ask(i, who int) trust.Reason {
	l := p.cast.links[i]
	host := p.players[l.host]
	r := host.current()
	if r == nil || host.machine.asleep() {
		return ""
	}
	begun := time.Now()
	answer := r.Decide(context.Background(), p.cast.wards[i].Ask(p.token(i, who)))
	if answer.Permit && !r.ended() {
		p.truth.permitted(i, l, who, begun)
	}
	return answer.Reason
}

// token is issued to a person anew from time to time, whatever was ended.
func (p *play) token(i, who int) []byte {
	key := person{i, who}
	if p.tokens[key] == nil || p.random.IntN(4) == 0 {
		p.tokens[key] = p.cast.token(i, who, time.Now().Unix())
	}
	return p.tokens[key]
}
