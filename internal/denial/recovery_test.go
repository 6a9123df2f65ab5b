package denial_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

const (
	receivedType = "entente-received+jwt"
	messageType  = "secevent+jwt"
)

// resigned is a JWS with other claims, signed by this one.
func resigned(by *nodetest.Node, typ, jws string, change func(canonical.Object)) string {
	claims := maps.Clone(must(jose.Parse(jws, jose.Form{Types: []string{typ}, MaxBytes: 1 << 20})).UnverifiedClaims())
	change(claims)
	return must(jose.Sign(by.Config.Keys.Signer(participant.StreamKey), typ, claims))
}

// loss is a home that lost a revocation and a suspension, and the host that holds
// them; a third is a partner of the host alone.
type loss struct {
	*nodetest.World
	ward              *nodetest.Ward
	home, host, third *nodetest.Node
	backup            string
}

func newLoss(t *testing.T) *loss {
	t.Helper()
	w := nodetest.NewWorld(t)
	l := &loss{World: w}
	l.home, l.host = w.Found(nil)
	l.ward = w.NewWard(l.home, l.host, nil)
	l.third = w.New("trust.rcb.example")
	w.Introduce(l.third, l.host)
	l.arrived()
	l.backup = l.home.Backup()
	_, err := l.home.Revoke(t.Context(), l.home.Admin, l.leaver("nurse-1"))
	check(t, err)
	_, err = l.home.Suspend(t.Context(), l.home.Admin, node.SuspendRequest{
		Stoppable: node.Stoppable{Kind: suspension.Subject, Issuer: l.ward.Issuer.URL, Subject: "nurse-2"}, Why: node.Why{Reason: "looked into", TLP: suspension.Amber},
	})
	check(t, err)
	l.arrived()
	return l
}

func (l *loss) leaver(subject string) node.RevokeRequest {
	return node.RevokeRequest{Kind: revocation.Subject, Issuer: l.ward.Issuer.URL, Subject: subject, Reason: "left"}
}

// arrived waits until the host has all that the home sent.
func (l *loss) arrived() {
	l.T.Helper()
	nodetest.Eventually(l.T, "all messages to arrive", func() bool {
		for _, lane := range edge.Lanes() {
			for _, pair := range [][2]*nodetest.Node{{l.home, l.host}, {l.host, l.home}} {
				if _, last := pair[1].State().Edge.Position(pair[0].ID, lane); last+1 != pair[0].State().Edge.Next(pair[1].ID, lane) {
					return false
				}
			}
		}
		return true
	})
}

// gone reports whether both of the lost acts hold at the home.
func (l *loss) gone() (revoked, suspended bool) {
	key := func(subject string) trust.SubjectKey {
		return l.home.Config.Keys.Subject(l.home.ID.String(), evidence.DefaultNamespace, subject)
	}
	_, revoked = l.home.State().Revocation.Ended(key("nurse-1"))
	return revoked, l.home.State().Suspension.SubjectSuspended(key("nurse-2"), l.home.Now())
}

// answers lets change stand before what the host says that it has received, and
// counts.
func (l *loss) answers(change func(q node.ReceivedQuestion, a *node.ReceivedAnswer)) *atomic.Int64 {
	var asked atomic.Int64
	l.Intercept(func(from, _ *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if from != l.home || r.Path != node.ReceivedPath {
			return in
		}
		var q node.ReceivedQuestion
		var a node.ReceivedAnswer
		if canonical.Decode(r.Body, &q) == nil && canonical.Decode(in.Body, &a) == nil {
			change(q, &a)
			in.Body = must(canonical.Marshal(a))
		}
		asked.Add(1)
		return in
	})
	return &asked
}

// word is a change to what the host signs.
func (l *loss) word(change func(canonical.Object)) func(node.ReceivedQuestion, *node.ReceivedAnswer) {
	return func(_ node.ReceivedQuestion, a *node.ReceivedAnswer) {
		a.Word = resigned(l.host, receivedType, a.Word, change)
	}
}

// kept is a change to each message that the host kept whole.
func kept(change func(*node.ReceivedMessage)) func(node.ReceivedQuestion, *node.ReceivedAnswer) {
	return func(_ node.ReceivedQuestion, a *node.ReceivedAnswer) {
		for i := range a.Messages {
			if a.Messages[i].JWS != "" {
				change(&a.Messages[i])
			}
		}
	}
}

// signedAs is a change to each kept message under its sender's own signature.
func (l *loss) signedAs(change func(canonical.Object)) func(node.ReceivedQuestion, *node.ReceivedAnswer) {
	return kept(func(m *node.ReceivedMessage) { m.JWS = resigned(l.home, messageType, m.JWS, change) })
}

func at(name string, value any) func(canonical.Object) {
	return func(claims canonical.Object) {
		place := maps.Clone(claims["edge"].(canonical.Object))
		place[name] = value
		claims["edge"] = place
	}
}

func set(name string, value any) func(canonical.Object) {
	return func(claims canonical.Object) { claims[name] = value }
}

// falseAnswers are what a partner may say of our messages that we do not believe.
func (l *loss) falseAnswers() map[string]func(node.ReceivedQuestion, *node.ReceivedAnswer) {
	other := hex.EncodeToString(make([]byte, sha256.Size))
	return map[string]func(node.ReceivedQuestion, *node.ReceivedAnswer){
		"the word of another":          l.word(set("iss", l.third.ID.String())),
		"a word to another":            l.word(set("aud", l.third.ID.String())),
		"the word of another question": l.word(set("jti", "before")),
		"a word that the partner did not sign": func(_ node.ReceivedQuestion, a *node.ReceivedAnswer) {
			a.Word = resigned(l.third, receivedType, a.Word, func(canonical.Object) {})
		},
		"that it was told in the epoch":     l.word(set("epoch", 2)),
		"that it knows one above the epoch": l.word(set("known", 3)),
		"messages behind its head": func(_ node.ReceivedQuestion, a *node.ReceivedAnswer) {
			a.Messages = append(a.Messages, node.ReceivedMessage{Lane: edge.Safety, N: 1 << 40, Kind: "revocation", Hash: other})
		},
		"a message on no lane": func(_ node.ReceivedQuestion, a *node.ReceivedAnswer) {
			a.Messages = append(a.Messages, node.ReceivedMessage{Lane: "express", N: 1, Kind: "revocation", Hash: other})
		},
		"one message less than it has": func(_ node.ReceivedQuestion, a *node.ReceivedAnswer) {
			last := uint64(0)
			for _, m := range a.Messages {
				if m.Lane == edge.Safety {
					last = max(last, m.N)
				}
			}
			a.Messages = slices.DeleteFunc(a.Messages, func(m node.ReceivedMessage) bool { return m.Lane == edge.Safety && m.N == last })
		},
		"messages that another signed":                       kept(func(m *node.ReceivedMessage) { m.JWS = resigned(l.host, messageType, m.JWS, func(canonical.Object) {}) }),
		"messages that are no tokens":                        kept(func(m *node.ReceivedMessage) { m.JWS = "x" }),
		"messages of another":                                l.signedAs(set("iss", l.third.ID.String())),
		"messages to another":                                l.signedAs(set("aud", l.third.ID.String())),
		"messages under other numbers":                       l.signedAs(at("n", 1)),
		"messages of the other lane":                         l.signedAs(at("lane", "governance")),
		"messages with another content":                      kept(func(m *node.ReceivedMessage) { m.Hash = other }),
		"messages that are of one kind and shown as another": kept(func(m *node.ReceivedMessage) { m.Kind = "signal" }),
	}
}

// R77: whatever a partner shows of what was lost, only what this node signed, to
// this partner, under that number, is believed; until then nothing is decided.
func TestFalseAnswersToARecovery(t *testing.T) {
	l := newLoss(t)
	l.home.Stop()
	if _, err := l.home.TryRecover(l.backup, 1); trust.KindOf(err) != trust.Invalid {
		t.Errorf("recovering into the epoch that is lost: %v", err)
	}
	if _, err := l.home.TryRecover(l.backup, 2); err != nil {
		t.Fatal(err)
	}
	unbelieved := func(what string, asked *atomic.Int64) {
		t.Helper()
		open := func() bool { return l.home.State().Edge.Stage(l.host.ID) == edge.Opened }
		before := asked.Load()
		nodetest.Eventually(t, "it to be asked again: "+what, func() bool { return asked.Load() > before+3 || !open() })
		if revoked, suspended := l.gone(); !open() || revoked || suspended {
			t.Fatalf("%s: believed", what)
		}
		if got := l.home.Decide(t.Context(), l.ward.Ask([]byte("x"))).Reason; got != trust.Recovering {
			t.Errorf("%s: a decision meanwhile is %s", what, got)
		}
	}
	unheard := l.answers(func(_ node.ReceivedQuestion, a *node.ReceivedAnswer) { a.Word = "" })
	l.home.Start()
	unbelieved("nothing", unheard)
	for what, change := range l.falseAnswers() {
		unbelieved(what, l.answers(change))
	}
	var circles atomic.Int64
	asked := l.answers(func(q node.ReceivedQuestion, a *node.ReceivedAnswer) {
		if a.Next = 1; q.From == 1 {
			if circles.Add(1); circles.Load() > 1 {
				circles.Store(1 << 20)
			}
		} else {
			circles.Store(0)
		}
	})
	unbelieved("a circle", asked)
	if circles.Load() >= 1<<20 {
		t.Error("a circle: followed")
	}
	l.Intercept(nil)
	nodetest.Eventually(t, "the true answer to be taken", func() bool { return l.home.State().Edge.Stage(l.host.ID) == edge.Fetched })
	if revoked, suspended := l.gone(); !revoked || !suspended {
		t.Errorf("revoked %t, suspended %t", revoked, suspended)
	}
}

// What a node tells of the messages it holds, and to whom.
func TestWhoIsToldOfMessages(t *testing.T) {
	l := newLoss(t)
	ask := func(who *nodetest.Node, nonce string) (node.ReceivedAnswer, error) {
		return l.host.Received(t.Context(), who.ID, node.ReceivedQuestion{Nonce: nonce})
	}
	for what, nonce := range map[string]string{"no nonce": "", "a long nonce": strings.Repeat("n", 129)} {
		if _, err := ask(l.home, nonce); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	stranger := l.New("trust.rgh.example")
	if a, err := ask(stranger, "n"); trust.KindOf(err) != trust.Denied || a.Word != "" {
		t.Errorf("a stranger: %+v, %v", a, err)
	}
	if a, err := ask(l.home, "n"); err != nil || len(a.Messages) != 0 {
		t.Errorf("while the edge is whole it tells of %d messages: %v", len(a.Messages), err)
	}
	for _, who := range []*nodetest.Node{l.home, l.third} {
		l.outrun(who)
	}
	a, err := ask(l.third, "n")
	check(t, err)
	for _, m := range a.Messages {
		if m.JWS != "" {
			t.Errorf("the third is shown message %d on the %s lane, which is the home's", m.N, m.Lane)
		}
	}
	if a, err = ask(l.home, "n"); err != nil || !slices.ContainsFunc(a.Messages, func(m node.ReceivedMessage) bool { return m.JWS != "" }) {
		t.Errorf("the home is shown %d messages, none whole: %v", len(a.Messages), err)
	}
}

// say forges a message of a node to the host, under its own key.
func (l *loss) say(from *nodetest.Node, epoch uint32, lane edge.Lane, n uint64, kind string, content any) error {
	jws := must(jose.Sign(from.Config.Keys.Signer(participant.StreamKey), messageType, object{
		"iss": from.ID, "aud": l.host.ID, "iat": from.Now(), "jti": "x", "edge": object{"epoch": epoch, "lane": lane, "n": n},
		"events": object{"urn:entente:edge:" + kind + ":1": content},
	}))
	return l.host.ReceiveMessage(context.WithoutCancel(l.T.Context()), from.ID, []byte(jws))
}

// outrun breaks an edge at the host by a message in a higher epoch.
func (l *loss) outrun(who *nodetest.Node) {
	l.T.Helper()
	if err := l.say(who, 7, edge.Safety, 1, "revocation", object{}); trust.KindOf(err) != trust.Conflict {
		l.T.Fatalf("a message in a higher epoch: %v", err)
	}
}

// A partner's higher epoch is taken once an operator accepted that one, and the
// lower one is not taken again.
func TestEpochs(t *testing.T) {
	l := newLoss(t)
	l.home.Stop()
	_, err := l.home.TryRecover(l.backup, 0)
	check(t, err)
	l.home.Start()
	nodetest.Eventually(t, "the epoch to be held", func() bool { return l.host.State().Edge.Held(l.home.ID) == 2 })
	nodetest.Eventually(t, "what was lost to be fetched", func() bool { return l.home.State().Edge.Stage(l.host.ID) == edge.Fetched })
	_, last := l.host.State().Edge.Position(l.home.ID, edge.Safety)
	for _, epoch := range []uint32{1, 2, 3} {
		err := l.say(l.home, epoch, edge.Safety, last+1, "revocation", object{"kind": "subject", "namespace": "default", "subject": "nurse-7", "engagement": 1})
		if _, now := l.host.State().Edge.Position(l.home.ID, edge.Safety); trust.KindOf(err) != trust.Conflict || now != last {
			t.Errorf("a message in epoch %d, which nobody accepted: %v; the last is %d", epoch, err, now)
		}
		if rule, _ := l.host.State().Edge.Broken(l.home.ID); epoch == 1 && rule != edge.RulePastEpoch {
			t.Errorf("a message in the epoch before the one that is held is recorded as %q", rule)
		}
	}
	other, _, err := l.host.AddOperator(t.Context(), l.host.Admin, "L. Marsh", []trust.Role{operator.Admin})
	check(t, err)
	resume := func(who node.Actor) error {
		_, err := l.host.Resume(t.Context(), who, node.Stoppable{Kind: suspension.Edge, Participant: l.home.ID}, "go on")
		return err
	}
	if err := resume(l.host.Admin); trust.KindOf(err) != trust.Conflict {
		t.Errorf("resuming an edge whose epoch is held: %v", err)
	}
	// Epoch 3 was spoken in by the forger: it is the one that is held now.
	for epoch, want := range map[uint32]trust.ErrorKind{0: trust.Conflict, 2: trust.Conflict, 4: trust.Conflict} {
		if _, err := l.host.AcceptEpoch(t.Context(), l.host.Admin, l.home.ID, epoch, "spoke with them"); trust.KindOf(err) != want {
			t.Errorf("accepting epoch %d: %v", epoch, err)
		}
	}
	auditor := node.Actor{ID: "auditor", Roles: []trust.Role{operator.Auditor}}
	for what, try := range map[string]func() error{
		"an auditor":       func() error { _, err := l.host.AcceptEpoch(t.Context(), auditor, l.home.ID, 3, "x"); return err },
		"without a reason": func() error { _, err := l.host.AcceptEpoch(t.Context(), l.host.Admin, l.home.ID, 3, ""); return err },
		"of a stranger": func() error {
			_, err := l.host.AcceptEpoch(t.Context(), l.host.Admin, must(trust.ParseParticipantID("https://trust.rgh.example")), 3, "x")
			return err
		},
	} {
		if err := try(); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	_, err = l.host.AcceptEpoch(t.Context(), l.host.Admin, l.home.ID, 3, "spoke with them")
	check(t, err)
	for _, epoch := range []uint32{1, 2} {
		_, last := l.host.State().Edge.Position(l.home.ID, edge.Safety)
		if err := l.say(l.home, epoch, edge.Safety, last+1, "revocation", object{}); trust.KindOf(err) != trust.Conflict {
			t.Errorf("a message in epoch %d, which is over: %v", epoch, err)
		}
		if _, now := l.host.State().Edge.Position(l.home.ID, edge.Safety); now != last {
			t.Errorf("a message in epoch %d, which is over, is the last", epoch)
		}
	}
	if err := resume(l.host.Admin); trust.KindOf(err) != trust.Conflict {
		t.Errorf("resuming an edge in whose epoch nothing was said: %v", err)
	}
	_, last = l.host.State().Edge.Position(l.home.ID, edge.Safety)
	check(t, l.say(l.home, 3, edge.Safety, last+1, "revocation", object{"kind": "subject", "namespace": "default", "subject": "nurse-7", "engagement": 1}))
	for i, who := range []node.Actor{l.host.Admin, {ID: other, Roles: []trust.Role{operator.Admin}}} {
		if _, broken := l.host.State().Edge.Broken(l.home.ID); !broken {
			t.Errorf("the edge goes on after %d said so", i)
		}
		check(t, resume(who))
	}
}

// What moves an edge in a recovery of this node, and what does not.
func TestRecoveryCommands(t *testing.T) {
	rje, rcb := must(trust.ParseParticipantID("https://trust.rje.example")), must(trust.ParseParticipantID("https://trust.rcb.example"))
	var sent edge.State
	for n := range uint64(5) {
		sent = sent.Apply(edge.Queued{To: rje, Lane: edge.Safety, N: n + 1}, trust.Stamp{})
	}
	lost := sent.Apply(edge.LossProven{By: rje, Lane: edge.Safety, N: 7}, trust.Stamp{})
	opened := lost.Apply(edge.Reopened{Epoch: 2, Partners: []trust.ParticipantID{rcb, rje}}, trust.Stamp{})
	back := edge.Restored{From: rje, Common: edge.Numbers{Safety: 5}, Heads: edge.Numbers{Safety: 9}}
	fetched := opened.Apply(back, trust.Stamp{})
	accepted := fetched.Apply(edge.EpochTaken{From: rje, Epoch: 2}, trust.Stamp{})
	if !lost.Recovery.Lost || opened.Recovery.Waiting != 2 || fetched.Recovery.Waiting != 1 || fetched.Next(rje, edge.Safety) != 10 {
		t.Errorf("lost %t, waiting for %d and then for %d, the next is %d", lost.Recovery.Lost, opened.Recovery.Waiting, fetched.Recovery.Waiting, fetched.Next(rje, edge.Safety))
	}
	restore := func(s edge.State, common, heads uint64) error {
		_, err := s.Restore(edge.Restored{From: rje, Common: edge.Numbers{Safety: common}, Heads: edge.Numbers{Safety: heads}})
		return err
	}
	taken := func(s edge.State, epoch uint32) error {
		_, err := s.TakeEpoch(edge.EpochTaken{From: rje, Epoch: epoch})
		return err
	}
	reopen := func(current, epoch uint32) error { _, err := sent.Reopen(current, epoch, nil); return err }
	for what, c := range map[string]struct {
		err  error
		want trust.ErrorKind
	}{
		"the epoch that is open":                {reopen(2, 2), trust.Invalid},
		"an epoch before it":                    {reopen(2, 1), trust.Invalid},
		"the next epoch":                        {reopen(2, 3), ""},
		"restoring what is whole":               {restore(sent, 5, 9), trust.Conflict},
		"restoring":                             {restore(opened, 5, 9), ""},
		"restoring again":                       {restore(fetched, 5, 9), trust.Conflict},
		"more in common than was sent":          {restore(opened, 6, 9), trust.Invalid},
		"more in common than the partner holds": {restore(opened, 5, 4), trust.Invalid},
		"taking the epoch before":               {taken(opened, 2), trust.Conflict},
		"taking another epoch":                  {taken(fetched, 3), trust.Conflict},
		"taking the epoch":                      {taken(fetched, 2), ""},
		"taking it again":                       {taken(accepted, 2), trust.Conflict},
		"resuming while it is not fetched":      {opened.MayResume(rje), trust.Conflict},
		"resuming while it is not accepted":     {fetched.MayResume(rje), trust.Conflict},
		"resuming":                              {accepted.MayResume(rje), ""},
	} {
		if trust.KindOf(c.err) != c.want {
			t.Errorf("%s: %v", what, c.err)
		}
	}
	for name, s := range map[string]edge.State{"opened": opened, "fetched": fetched, "accepted": accepted} {
		if _, broken := s.Broken(rje); !broken {
			t.Errorf("%s: the edge is whole", name)
		}
	}
}

// A loss is proven by what this node signed. What anybody else shows suspends that
// partner's edge, and no more.
func TestALossIsProven(t *testing.T) {
	l := newLoss(t)
	l.home.Stop()
	l.home.PutBack(l.backup)
	forged := l.answers(kept(func(m *node.ReceivedMessage) {
		m.JWS = resigned(l.host, messageType, m.JWS, func(canonical.Object) {})
	}))
	l.home.Start()
	nodetest.Eventually(t, "both to suspend the edge", func() bool {
		_, here := l.home.State().Edge.Broken(l.host.ID)
		rule, there := l.host.State().Edge.Broken(l.home.ID)
		return here && there && rule == "head_below_proven"
	})
	before := forged.Load()
	nodetest.Eventually(t, "more to be shown", func() bool { return forged.Load() > before+3 })
	if l.home.State().Edge.Recovery.Lost {
		t.Error("a loss is proven by another's signature")
	}
	l.Intercept(nil)
	nodetest.Eventually(t, "the loss to be proven", func() bool { return l.home.State().Edge.Recovery.Lost })
	if got := l.home.Decide(t.Context(), l.ward.Ask([]byte("x"))).Reason; got != trust.LedgerLost {
		t.Errorf("a decision behind a loss is %s", got)
	}
}
