package node_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// limbs counts what hung from a root, by kind.
func limbs(all []revocation.Limb) map[revocation.LimbKind]int {
	count := map[revocation.LimbKind]int{}
	for _, l := range all {
		count[l.Kind]++
	}
	return count
}

// Whatever hangs from what is unwound is counted before, ended with it and not
// there when it is looked for again; what hangs from something else goes on. All
// of it stands in one entry, by which it can be looked for once more (R76, R79).
func TestUnwinding(t *testing.T) {
	for _, kind := range []revocation.RootKind{revocation.RootSubject, revocation.RootKey, revocation.RootIssuer, revocation.RootClient, revocation.RootAgreement} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			unwinds(t, kind)
		})
	}
}

func unwinds(t *testing.T, kind revocation.RootKind) {
	ward := wardOf(t, nil)
	host, ctx := ward.Host, t.Context()
	keyed(t, ward)
	s := watch(t, host, "pep", "")
	r := order(ward, nurse(ward, "nurse-1"))
	r.Client = "ward-app"
	issued, again := exchange(t, ward, r), exchange(t, ward, r)
	session := open(t, ward, []byte(issued.Token))
	other, theirs := exchange(t, ward, order(ward, nurse(ward, "nurse-2"))), open(t, ward, nurse(ward, "nurse-2"))
	root := map[revocation.RootKind]node.Root{
		revocation.RootSubject:   {Issuer: ward.Issuer.URL, Subject: "nurse-1"},
		revocation.RootKey:       {Issuer: ward.Issuer.URL, KeyID: ward.Issuer.Key.Key().KeyID()},
		revocation.RootIssuer:    {Issuer: ward.Issuer.URL},
		revocation.RootAgreement: {Name: ward.Agreement},
		revocation.RootClient:    {Name: "ward-app"},
	}[kind]
	root.Kind = kind
	alone := kind == revocation.RootSubject || kind == revocation.RootClient
	want := map[revocation.LimbKind]int{revocation.LimbRoot: 1, revocation.LimbCredential: 3, revocation.LimbSession: 2}
	if alone {
		want = map[revocation.LimbKind]int{revocation.LimbRoot: 1, revocation.LimbCredential: 2, revocation.LimbSession: 1}
	}
	if kind == revocation.RootAgreement {
		want[revocation.LimbMapping] = 1
	}
	seen, err := host.Reach(ctx, host.Admin, root)
	if done(t, err); !seen.Alive || seen.Credentials != want[revocation.LimbCredential] || seen.Sessions != want[revocation.LimbSession] ||
		len(seen.Mappings) != want[revocation.LimbMapping] || seen.Permits == 0 || seen.Subjects == 0 || seen.Partial || len(seen.Services) != 1 {
		t.Errorf("before: %+v", seen)
	}
	before := host.State().At.Position
	ended, err := host.Unwind(ctx, host.Admin, root, node.Why{Reason: "breach", Incident: "INC-1"})
	if done(t, err); len(ended.Left) != 0 || ended.Uncounted || ended.End.N != before.N+1 {
		t.Errorf("unwound: %+v", ended)
	}
	for limb, count := range limbs(ended.Gone) {
		if count != want[limb] || len(limbs(ended.Gone)) != len(want) {
			t.Errorf("gone are %d of %s; %v hung from it", count, limb, want)
		}
	}
	if end := s.end(t, session.Reference); end.Decision == "" {
		t.Errorf("the session ended by %+v", end)
	}
	for _, l := range ended.Gone {
		if l.At == (trust.Position{}) || (l.Reason == "") != (l.Kind == revocation.LimbRoot || l.Kind == revocation.LimbMapping) {
			t.Errorf("gone is %+v", l)
		}
	}
	if status(t, host, issued) != 1 || status(t, host, again) != 1 || (status(t, host, other) == 0) != alone {
		t.Error("the status list says something else")
	}
	if got := answer(t, host, ward.Ask([]byte(again.Token))); got.Permit {
		t.Error("what was issued on it is good still")
	}
	if got := answer(t, host, ward.Ask([]byte(other.Token))); got.Permit != alone {
		t.Errorf("what another was issued is %s", got.Reason)
	}
	if alone {
		done(t, host.Release("pep", theirs.Reference)) // it is open still
	}
	recorded(t, host, root, &ended)
}

// recorded sees that an unwinding is on record as it was told, can be looked for
// again, also after a start, and that done once more it finds nothing.
func recorded(t *testing.T, host *nodetest.Node, root node.Root, ended *node.Unwound) {
	t.Helper()
	ctx := t.Context()
	views := entries(t, host, "trust", revocation.Unwound{}.EventKind().String())
	var said revocation.Unwound
	done(t, canonical.Decode(views[0].Body, &said))
	if len(views) != 1 || views[0].Position != ended.Position || views[0].Hash != ended.Hash || !slices.Equal(said.Gone, ended.Gone) || said.Root != ended.Root || said.Seen != ended.Seen {
		t.Errorf("on record is %+v", said)
	}
	host.Stop()
	host.Start()
	again, err := host.Unwinding(ctx, host.Admin, ended.Position.N)
	if done(t, err); !slices.Equal(again.Gone, ended.Gone) || len(again.Left) != 0 || again.Hash != ended.Hash || again.Root != ended.Root {
		t.Errorf("looked for again: %+v", again)
	}
	_, err = host.Unwinding(ctx, host.Admin, ended.End.N)
	refused(t, "an entry that is none", err, trust.NotFound)
	_, err = host.Unwinding(ctx, node.Actor{ID: "op-x"}, ended.Position.N)
	refused(t, "by nobody in particular", err, trust.Denied)
	none, err := host.Unwind(ctx, host.Admin, root, node.Why{Reason: "to be sure"})
	if done(t, err); len(none.Gone) != 0 || len(none.Left) != 0 || none.End != (trust.Position{}) || none.Position.N != ended.Position.N+1 {
		t.Errorf("done again it found %+v", none)
	}
	if seen, err := host.Reach(ctx, host.Admin, root); err != nil || seen.Alive || seen.Sessions+seen.Credentials+len(seen.Mappings) != 0 {
		t.Errorf("after: %+v, %v", seen, err)
	}
}

func TestUnwindingRefuses(t *testing.T) {
	ward := wardOf(t, nil)
	host, ctx := ward.Host, t.Context()
	keyed(t, ward)
	subject := node.Root{Kind: revocation.RootSubject, Issuer: ward.Issuer.URL, Subject: "nurse-1"}
	revoker := node.Actor{ID: "leavers", Roles: []trust.Role{"revoker"}}
	why := node.Why{Reason: "breach"}
	before := len(entries(t, host, "trust", ""))
	for name, c := range map[string]struct {
		by   node.Actor
		root node.Root
		why  node.Why
		want trust.ErrorKind
	}{
		"without a reason":     {host.Admin, subject, node.Why{}, trust.Invalid},
		"of no kind":           {host.Admin, node.Root{Kind: "host"}, why, trust.Invalid},
		"a subject without id": {host.Admin, node.Root{Kind: revocation.RootSubject, Issuer: ward.Issuer.URL}, why, trust.Invalid},
		"an unknown issuer":    {host.Admin, node.Root{Kind: revocation.RootSubject, Issuer: "https://x.example", Subject: "nurse-1"}, why, trust.NotFound},
		"an unknown key":       {host.Admin, node.Root{Kind: revocation.RootKey, Issuer: ward.Issuer.URL, KeyID: "x"}, why, trust.NotFound},
		"an unknown agreement": {host.Admin, node.Root{Kind: revocation.RootAgreement, Name: "x"}, why, trust.NotFound},
		"an unknown client":    {host.Admin, node.Root{Kind: revocation.RootClient, Name: "x"}, why, trust.NotFound},
	} {
		_, err := host.Unwind(ctx, c.by, c.root, c.why)
		refused(t, name, err, c.want)
		if _, err = host.Reach(ctx, c.by, c.root); name != "without a reason" {
			refused(t, "reach of "+name, err, c.want)
		}
	}
	if after := len(entries(t, host, "trust", "")); after != before {
		t.Errorf("%d entries were made", after-before)
	}
	for _, c := range []struct {
		by   node.Actor
		root node.Root
		want trust.ErrorKind
	}{
		{node.Actor{ID: "op-x"}, subject, trust.Denied},
		{revoker, node.Root{Kind: revocation.RootAgreement, Name: ward.Agreement}, trust.Denied},
		{revoker, node.Root{Kind: revocation.RootClient, Name: "ward-app"}, trust.Denied},
		{revoker, subject, ""},
	} {
		_, err := host.Unwind(ctx, c.by, c.root, why)
		refused(t, c.by.ID+" unwinds a "+string(c.root.Kind), err, c.want)
	}
	_, err := host.Reach(ctx, node.Actor{ID: "op-x"}, subject)
	refused(t, "reach by nobody in particular", err, trust.Denied)
}

// A home that unwinds one of its people ends what hangs from it at the host too,
// and tells whether the host has taken that; one that is not reached is told later.
func TestUnwindingAcrossTwoNodes(t *testing.T) {
	ward := wardOf(t, nil)
	home, host, ctx := ward.Home, ward.Host, t.Context()
	s := watch(t, host, "pep", "")
	session := open(t, ward, nurse(ward, "nurse-1"))
	issued := exchange(t, ward, order(ward, nurse(ward, "nurse-1")))
	root := node.Root{Kind: revocation.RootSubject, Issuer: ward.Issuer.URL, Subject: "nurse-1"}
	seen, err := home.Reach(ctx, home.Admin, root)
	if done(t, err); len(seen.Partners) != 1 || seen.Partners[0] != host.ID || len(seen.Agreements) != 1 {
		t.Errorf("before: %+v", seen)
	}
	ended, err := home.Unwind(ctx, home.Admin, root, node.Why{Reason: "left"})
	done(t, err)
	s.end(t, session.Reference)
	await(t, ward, []byte(issued.Token), trust.SubjectRevoked)
	if status(t, host, issued) != 1 || len(ended.Left) != 0 || len(ended.Partners) != 1 || ended.Partners[0].Participant != host.ID {
		t.Errorf("unwound: %+v", ended)
	}
	there, err := host.Unwind(ctx, host.Admin, root, node.Why{Reason: "its home did"})
	if done(t, err); len(there.Left) != 0 || there.End != (trust.Position{}) || len(limbs(there.Gone)) != 0 {
		t.Errorf("there is left at the host: %+v", there)
	}
	home.World.Cut(home, host)
	root.Subject = "nurse-2"
	if ended, err = home.Unwind(ctx, home.Admin, root, node.Why{Reason: "left"}); err != nil || len(ended.Partners) != 1 || ended.Partners[0].Taken {
		t.Errorf("with the host away: %+v, %v", ended, err)
	}
	home.World.Heal(home, host)
	await(t, ward, nurse(ward, "nurse-2"), trust.SubjectRevoked)
}

// The partner of an agreement that is unwound ends it too.
func TestUnwindingAnAgreementFromHome(t *testing.T) {
	ward := wardOf(t, nil)
	home, ctx := ward.Home, t.Context()
	ended, err := home.Unwind(ctx, home.Admin, node.Root{Kind: revocation.RootAgreement, Name: ward.Agreement}, node.Why{Reason: "exit"})
	if done(t, err); len(ended.Partners) != 1 || limbs(ended.Gone)[revocation.LimbRoot] != 1 {
		t.Errorf("unwound: %+v", ended)
	}
	await(t, ward, nurse(ward, "nurse-1"), trust.AgreementEnded)
	there, err := ward.Host.Unwind(ctx, ward.Host.Admin, node.Root{Kind: revocation.RootAgreement, Name: ward.Agreement}, node.Why{Reason: "exit"})
	if done(t, err); limbs(there.Gone)[revocation.LimbMapping] != 1 || limbs(there.Gone)[revocation.LimbRoot] != 0 || len(there.Left) != 0 {
		t.Errorf("at the host: %+v", there)
	}
}

// A host that can be reached has taken what it is told, and the answer says so.
func TestUnwindingIsTaken(t *testing.T) {
	ward := wardOf(t, nil)
	count := 0
	nodetest.Eventually(t, "an unwinding that the host has taken", func() bool {
		count++
		root := node.Root{Kind: revocation.RootSubject, Issuer: ward.Issuer.URL, Subject: "nurse-" + strconv.Itoa(count)}
		ended, err := ward.Home.Unwind(t.Context(), ward.Home.Admin, root, node.Why{Reason: "left"})
		done(t, err)
		if taken := ended.Partners[0].Taken; taken {
			want(t, ward, nurse(ward, root.Subject), trust.SubjectRevoked) // at once
		}
		return ended.Partners[0].Taken
	})
}

// Exceptions for an account end with it, and with the issuer that has it; those
// for another do not.
func TestUnwindingEndsExceptions(t *testing.T) {
	for _, kind := range []revocation.RootKind{revocation.RootSubject, revocation.RootIssuer} {
		ward := laboratory(t)
		host, ctx := ward.Host, t.Context()
		secret, err := host.AddException(ctx, host.Admin, labFeed(ward, "lab-feed"))
		done(t, err)
		d := labFeed(ward, "scanner")
		d.Account = "scanner"
		_, err = host.AddException(ctx, host.Admin, d)
		done(t, err)
		root := node.Root{Kind: kind, Issuer: ward.Issuer.URL}
		count := 2
		if kind == revocation.RootSubject {
			root.Subject, count = "lab-feed", 1
		}
		seen, err := host.Reach(ctx, host.Admin, root)
		if done(t, err); len(seen.Exceptions) != count {
			t.Errorf("%s: before: %+v", kind, seen)
		}
		ended, err := host.Unwind(ctx, host.Admin, root, node.Why{Reason: "found on a forum"})
		if done(t, err); limbs(ended.Gone)[revocation.LimbException] != count || len(ended.Left) != 0 {
			t.Errorf("%s: unwound: %+v", kind, ended)
		}
		x, _ := host.State().Exception.Get("scanner")
		if x.Alive(host.Now()) != (count == 1) {
			t.Errorf("%s: the other is %+v", kind, x)
		}
		if answer(t, host, shownSecret(ward, evidence.APIKey, secret)).Permit {
			t.Errorf("%s: the secret lets somebody in still", kind)
		}
	}
}

// The streams of a client end with it.
func TestUnwindingEndsStreams(t *testing.T) {
	ward := wardOf(t, nil)
	host, ctx := ward.Host, t.Context()
	done(t, host.AddClient(ctx, host.Admin, client.Document{
		Kind: "Client", ID: "gateway", Participant: host.ID, Signals: &client.Signals{}, Means: client.Means{SPIFFEID: "spiffe://rje.example/gateway"},
	}))
	secret, _, _ := host.ReceiverToken("gateway", true)
	r, _ := host.Receiver(secret)
	polled := node.StreamSettings{Requested: []string{string(signal.SessionRevoked)}}
	polled.Delivery.Method = "urn:ietf:rfc:8936"
	v, err := r.CreateStream(ctx, polled)
	done(t, err)
	root := node.Root{Kind: revocation.RootClient, Name: "gateway"}
	seen, err := host.Reach(ctx, host.Admin, root)
	if done(t, err); !slices.Equal(seen.Streams, []string{v.ID}) {
		t.Errorf("before: %+v", seen)
	}
	ended, err := host.Unwind(ctx, host.Admin, root, node.Why{Reason: "its supplier left"})
	if _, there := host.State().Stream.Get(v.ID); err != nil || there || len(ended.Left) != 0 || limbs(ended.Gone)[revocation.LimbStream] != 1 {
		t.Errorf("unwound: %+v, %v", ended, err)
	}
}

// Whoever acts for another, and whose word a broker restated, bear a credential
// and a session as much as its subject does.
func TestUnwindingOfAnActor(t *testing.T) {
	a := nodetest.NewAgency(t)
	host := a.Host
	issued := exchange(t, a.Ward, ordered(a, "agent-a", "agent-b"))
	ask := a.Chain("agent-a", "agent-b")
	watch(t, host, ask.EnforcementPoint, "")
	ask.Session = true
	if got := answer(t, host, ask); !got.Permit {
		t.Fatalf("no session: %s", got.Reason)
	}
	ended, err := host.Unwind(t.Context(), host.Admin, node.Root{Kind: revocation.RootSubject, Issuer: a.Issuer.URL, Subject: "agent-b"}, node.Why{Reason: "it ran wild"})
	if got := limbs(ended.Gone); err != nil || got[revocation.LimbCredential] != 1 || got[revocation.LimbSession] != 1 || len(ended.Left) != 0 {
		t.Errorf("unwound: %+v, %v", ended, err)
	}
	if status(t, host, issued) != 1 {
		t.Error("the status list says something else")
	}
}

// More than one entry holds are on several, in one commit, and are read back
// together.
func TestUnwindingInPages(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	limb := func(i int) revocation.Limb {
		return revocation.Limb{Kind: revocation.LimbCredential, Name: strconv.Itoa(i), Reason: trust.AgreementEnded}
	}
	u := node.Unwound{Root: revocation.Root{Kind: revocation.RootClient, Client: "ward-app"}}
	for i := range revocation.MaxLimbs + 3 {
		u.Gone = append(u.Gone, limb(i))
	}
	u.Left = []revocation.Limb{limb(-1)}
	pages := node.PagesOf(&u, "op-1")
	if len(pages) != 2 || len(pages[0].Gone) != revocation.MaxLimbs || len(pages[0].Left) != 0 || len(pages[1].Gone) != 3 || len(pages[1].Left) != 1 || pages[1].Pages != 2 {
		t.Fatalf("%d pages", len(pages))
	}
	at := host.State().At.Position.N + 1
	host.Bulk(len(pages), func(i int) trust.Event { return pages[i] })
	read, err := host.Unwinding(t.Context(), host.Admin, at)
	if done(t, err); !slices.Equal(read.Gone, u.Gone) {
		t.Errorf("read back are %d", len(read.Gone))
	}
	_, err = host.Unwinding(t.Context(), host.Admin, at+1)
	refused(t, "the second page", err, trust.NotFound)
	if none := node.PagesOf(&node.Unwound{}, "op-1"); len(none) != 1 || none[0].Page != 1 || none[0].Pages != 1 {
		t.Errorf("nothing is on %+v", none)
	}
}

// What is left is told: a subject that came back under a new engagement is there
// again when its unwinding is looked at.
func TestAnUnwindingIsLookedAtAgain(t *testing.T) {
	ward := wardOf(t, nil)
	home, host, ctx := ward.Home, ward.Host, t.Context()
	root := node.Root{Kind: revocation.RootSubject, Issuer: ward.Issuer.URL, Subject: "nurse-1"}
	ended, err := home.Unwind(ctx, home.Admin, root, node.Why{Reason: "left"})
	done(t, err)
	await(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)
	there, err := host.Unwind(ctx, host.Admin, root, node.Why{Reason: "left"})
	done(t, err)
	_, err = home.OpenEngagement(ctx, home.Admin, root.Issuer, root.Subject, "check-1")
	done(t, err)
	var pending []node.Engagement
	nodetest.Eventually(t, "the new engagement", func() bool {
		pending, err = host.Engagements(ctx)
		return err == nil && len(pending) == 1
	})
	done(t, host.ApproveEngagement(ctx, host.Admin, pending[0].Subject))
	nodetest.Eventually(t, "a time after it", func() bool { return read(t, ward, nurse(ward, "nurse-1")) == trust.Permit })
	exchange(t, ward, order(ward, nurse(ward, "nurse-1")))
	again, err := host.Unwinding(ctx, host.Admin, there.Position.N)
	if got := limbs(again.Left); err != nil || got[revocation.LimbRoot] != 1 || got[revocation.LimbCredential] != 1 {
		t.Errorf("at the host there is left %+v, %v", again.Left, err)
	}
	if again, err = home.Unwinding(ctx, home.Admin, ended.Position.N); err != nil || limbs(again.Left)[revocation.LimbRoot] != 1 {
		t.Errorf("at home there is left %+v, %v", again.Left, err)
	}
}
