package simulation_test

import (
	"fmt"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/trust"
)

// settles is how long healing may take, once nothing fails any more.
const settles = 60 * time.Second

// settle heals everything, and sees that hosts come to the view of the homes:
// that effects depend neither on the order of deliveries nor on what failed.
func (p *play) settle() {
	p.net.calm()
	for _, n := range p.players {
		n.machine.wake(false)
		n.machine.set(0)
		p.begin(n)
	}
	p.acts.Wait()
	for healed := time.Now(); ; time.Sleep(time.Second) {
		p.acceptClocks()
		differ := p.differ()
		if differ == "" {
			return
		}
		if time.Since(healed) > settles {
			p.truth.fault("%s after all was healed, %s", settles, differ)
			return
		}
	}
}

// acceptClocks lets an operator of each node that denies for its time say that
// the time is right, now that it is.
func (p *play) acceptClocks() {
	for _, n := range p.players {
		if r := n.current(); r.State().Edge.Clock.Denies {
			_, _ = r.AcceptClock(r.ctx, n.Admin, "the clock was set right") // again in a second, if it is not taken
		}
	}
}

// differ says what has not come together yet.
func (p *play) differ() string {
	for _, l := range p.cast.links {
		for _, ends := range [][2]*player{{p.players[l.home], p.players[l.host]}, {p.players[l.host], p.players[l.home]}} {
			from, to := ends[0].current().State(), ends[1].current().State()
			for _, lane := range edge.Lanes() {
				if _, in := to.Edge.Position(ends[0].ID, lane); in+1 != from.Edge.Next(ends[1].ID, lane) {
					return fmt.Sprintf("node %d has applied %d messages on the %s lane of node %d, which sent %d",
						ends[1].at, in, lane, ends[0].at, from.Edge.Next(ends[1].ID, lane)-1)
				}
			}
		}
	}
	for _, differ := range []func(int, link, int) string{p.differAbout, p.differFor} {
		for i, l := range p.cast.links {
			for who := range people {
				if text := differ(i, l, who); text != "" {
					return text
				}
			}
		}
	}
	return ""
}

// differAbout compares what a home and a host hold of a person and of the link.
func (p *play) differAbout(i int, l link, who int) string {
	homeEnded, homeOpened := p.view(p.players[l.home], l.home, who)
	hostEnded, hostOpened := p.view(p.players[l.host], l.home, who)
	if homeEnded != hostEnded || homeOpened != hostOpened && !p.fast {
		return fmt.Sprintf("person %d of node %d has ended %d and begun %d at home, %d and %d at node %d",
			who, l.home, homeEnded, homeOpened, hostEnded, hostOpened, l.host)
	}
	host := p.players[l.host].current().State()
	a, _ := host.Agreement.ByName(p.cast.wards[i].Agreement)
	b, _ := p.players[l.home].current().State().Agreement.ByName(p.cast.wards[i].Agreement)
	if (a.Stage == agreement.Suspended) != (b.Stage == agreement.Suspended) {
		return fmt.Sprintf("link %d is %s at home and %s at the host", i, b.Stage, a.Stage)
	}
	if p.truth.isStopped(i) && !p.isStopped(i, l) {
		return fmt.Sprintf("link %d was suspended and is %s", i, a.Stage)
	}
	return ""
}

// isStopped reports whether a link's host has stopped what goes on there.
func (p *play) isStopped(i int, l link) bool {
	host := p.players[l.host].current().State()
	a, _ := host.Agreement.ByName(p.cast.wards[i].Agreement)
	partner, _ := host.Participant.Partner(p.players[l.home].ID)
	return a.Stage == agreement.Suspended || partner.Suspended
}

// differFor lets a person ask who has a fresh token.
func (p *play) differFor(i int, l link, who int) string {
	host := p.players[l.host]
	hostEnded, _ := p.view(host, l.home, who)
	current, _ := host.current().State().Revocation.Current(p.key(host, l.home, who))
	delete(p.tokens, person{i, who})
	reason := p.ask(i, who)
	switch {
	case p.isStopped(i, l):
		if reason == trust.Permit {
			return fmt.Sprintf("link %d is suspended and permits", i)
		}
	case current <= hostEnded:
		if reason != trust.SubjectRevoked && !(p.fast && reason != trust.Permit) {
			return fmt.Sprintf("person %d of node %d, who has ended, gets %q at node %d", who, l.home, reason, l.host)
		}
	case reason != trust.Permit && !p.fast:
		return fmt.Sprintf("person %d of node %d, who has not ended, gets %q at node %d", who, l.home, reason, l.host)
	}
	return ""
}

// view is up to which engagement of a person a node knows the end, and which it
// knows to have begun after that; 0 is none.
func (p *play) view(at *player, home, who int) (ended, begun trust.Engagement) {
	s, key := at.current().State().Revocation, p.key(at, home, who)
	ended, _ = s.Ended(key)
	begun, _ = s.Current(key)
	if opened, _, ok := s.Opened(key); ok {
		begun = max(begun, opened)
	}
	if begun <= ended {
		begun = 0
	}
	return ended, begun
}
