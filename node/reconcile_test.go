package node_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

// reconciled compares, from one of the two nodes, and gives the one direction
// that has receipts.
func reconciled(t *testing.T, n, partner *nodetest.Node) node.Reconciliation {
	t.Helper()
	all := nodetest.Must(n.Reconcile(t.Context(), n.Admin, partner.ID, 1))(t)
	if len(all) != 1 {
		t.Fatalf("%d directions have receipts", len(all))
	}
	return all[0]
}

func findings(n *nodetest.Node) []finding.Subject {
	var all []finding.Subject
	for f := range n.State().Finding.All() {
		all = append(all, f.Subject)
	}
	return all
}

// onBothSides sees that both have one finding, and that it is this.
func onBothSides(t *testing.T, ward *nodetest.Ward, kind finding.Kind, from, to uint64) {
	t.Helper()
	for _, c := range []struct {
		n    *nodetest.Node
		want finding.Subject
	}{
		{ward.Home, finding.Subject{Partner: ward.Host.ID, Side: finding.Home, Kind: kind, From: from, To: to}},
		{ward.Host, finding.Subject{Partner: ward.Home.ID, Side: finding.Host, Kind: kind, From: from, To: to}},
	} {
		if got := findings(c.n); !slices.Equal(got, []finding.Subject{c.want}) {
			t.Errorf("%s has findings %+v, not %+v", c.n.ID, got, c.want)
		}
	}
}

// R43: two ledgers that tell one story are found to, from either side.
func TestEqualAccounts(t *testing.T) {
	ward := accounted(t)
	token := nurse(ward, "n-1")
	for range 4 {
		want(t, ward, token, trust.Permit)
	}
	awaitCounters(t, ward, 4)
	for _, one := range []node.Reconciliation{reconciled(t, ward.Home, ward.Host), reconciled(t, ward.Host, ward.Home)} {
		if one.From != 1 || one.To != 4 || one.Erased != 0 || len(one.Differences) != 0 {
			t.Errorf("compared: %+v", one)
		}
	}
	if len(findings(ward.Home))+len(findings(ward.Host)) != 0 {
		t.Errorf("found %v and %v", findings(ward.Home), findings(ward.Host))
	}
	// What the home has not recorded yet is lag and no finding.
	ward.Home.World.Intercept(func(_, _ *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if r.Path == node.ReceiptsPath {
			return node.Incoming{Status: 503}
		}
		return in
	})
	want(t, ward, token, trust.Permit)
	if one := reconciled(t, ward.Host, ward.Home); one.To != 4 || len(one.Differences) != 0 {
		t.Errorf("compared past what is closed: %+v", one)
	}
}

// R43: a record that only one side has, or that the two have otherwise, is named
// by its number on both sides, whoever asks.
func TestDifferentAccounts(t *testing.T) {
	withheld := func(b *receipt.Batch, d *receipt.Delivery, t *testing.T) {
		i := slices.IndexFunc(d.Receipts, func(r receipt.Receipt) bool { return !r.Permit })
		if i < 0 {
			return
		}
		d.Receipts[i].Permit = true // it never told of the denial
		b.Root = root(t, d)
	}
	invented := func(b *receipt.Batch, d *receipt.Delivery, t *testing.T) {
		if b.Last != 3 {
			return
		}
		one := d.Receipts[len(d.Receipts)-1]
		one.N, one.Reference = 4, "made-up"
		d.Receipts = append(d.Receipts, one)
		b.Last, b.Head, b.Root = 4, 4, root(t, d)
	}
	for name, c := range map[string]struct {
		lie      func(*receipt.Batch, *receipt.Delivery, *testing.T)
		count    int
		kind     finding.Kind
		from, to uint64
	}{
		"one told otherwise":                 {withheld, 3, finding.Altered, 2, 2},
		"one that the host's ledger has not": {invented, 4, finding.MissingAtHost, 4, 4},
	} {
		for _, asks := range []string{"home", "host"} {
			t.Run(name+", asked by the "+asks, func(t *testing.T) {
				ward := accounted(t)
				resigned(t, ward, func(b *receipt.Batch, d *receipt.Delivery) { c.lie(b, d, t) })
				token := nurse(ward, "n-1")
				want(t, ward, token, trust.Permit)
				write := ward.Ask(token)
				write.Action = "write"
				answer(t, ward.Host, write)
				want(t, ward, token, trust.Permit)
				awaitCounters(t, ward, c.count)
				from, to := ward.Home, ward.Host
				if asks == "host" {
					from, to = to, from
				}
				for range 2 {
					one := reconciled(t, from, to)
					if !slices.Equal(one.Differences, []receipt.Range{{Kind: receipt.Difference(c.kind), From: c.from, To: c.to}}) {
						t.Errorf("they differ in %+v", one.Differences)
					}
				}
				onBothSides(t, ward, c.kind, c.from, c.to)
			})
		}
	}
}

// restated lets a liar stand where a node is: what it makes of a statement is
// signed by that node's own key.
func restated(t *testing.T, ward *nodetest.Ward, lie func(*receipt.Statement)) {
	t.Helper()
	ward.Home.World.Intercept(func(_, to *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if r.Path != node.ReconciliationsPath || in.Status != 200 {
			return in
		}
		u := nodetest.Must(jose.Parse(string(in.Body), jose.Form{Types: []string{receipt.StatementType}, Use: jose.ForMessage}))(t)
		var s receipt.Statement
		done(t, canonical.Decode(nodetest.Must(canonical.Marshal(u.UnverifiedClaims()))(t), &s))
		lie(&s)
		in.Body = []byte(nodetest.Must(jose.Sign(to.Config.Keys.Signer(participant.StreamKey), receipt.StatementType, s))(t))
		return in
	})
}

// A home that denies what it was told, and a host that denies what it told, are
// findings at the other.
func TestAnAccountDenied(t *testing.T) {
	ward := accounted(t)
	for range 3 {
		want(t, ward, nurse(ward, "n-1"), trust.Permit)
	}
	awaitCounters(t, ward, 3)
	restated(t, ward, func(s *receipt.Statement) { copy(s.Leaves[tlog.HashSize:2*tlog.HashSize], make([]byte, tlog.HashSize)) })
	reconciled(t, ward.Host, ward.Home)
	if got := findings(ward.Host); len(got) != 1 || got[0].Kind != finding.MissingAtHome || got[0].From != 2 || got[0].To != 2 {
		t.Errorf("the host found %+v", got)
	}
	reconciled(t, ward.Home, ward.Host)
	if got := findings(ward.Home); len(got) != 1 || got[0].Kind != finding.MissingAtHost || got[0].From != 2 || got[0].To != 2 {
		t.Errorf("the home found %+v", got)
	}
}

// An answer that is not to our question, of somebody else or of another time says
// nothing.
func TestAnAccountOfSomethingElse(t *testing.T) {
	ward := accounted(t)
	want(t, ward, nurse(ward, "n-1"), trust.Permit)
	awaitCounters(t, ward, 1)
	for name, lie := range map[string]func(*receipt.Statement){
		"of another question":    func(s *receipt.Statement) { s.Answers = "" },
		"of other numbers":       func(s *receipt.Statement) { s.Last-- },
		"of our own side":        func(s *receipt.Statement) { s.Side = receipt.Home },
		"of no side":             func(s *receipt.Statement) { s.Side = "" },
		"from somebody else":     func(s *receipt.Statement) { s.Iss = ward.Home.ID },
		"for somebody else":      func(s *receipt.Statement) { s.Aud = ward.Host.ID },
		"of an hour ago":         func(s *receipt.Statement) { s.Iat -= 3600 },
		"of an hour from now":    func(s *receipt.Statement) { s.Iat += 3600 },
		"with half a leaf":       func(s *receipt.Statement) { s.Leaves = s.Leaves[:7] },
		"of too many":            func(s *receipt.Statement) { s.Last += receipt.MaxStatement },
		"with more than it says": func(s *receipt.Statement) { s.Leaves = make([]byte, (receipt.MaxStatement+1)*tlog.HashSize) },
	} {
		restated(t, ward, lie)
		if all, err := ward.Home.Reconcile(t.Context(), ward.Home.Admin, ward.Host.ID, 1); err == nil {
			t.Errorf("%s: it counts: %+v", name, all)
		}
	}
	if len(findings(ward.Home)) != 0 {
		t.Errorf("found %+v", findings(ward.Home))
	}
	if _, err := ward.Home.Reconcile(t.Context(), node.Actor{ID: "op-x"}, ward.Host.ID, 1); trust.KindOf(err) != trust.Denied {
		t.Errorf("anybody reconciles: %v", err)
	}
	if _, err := ward.Home.Reconcile(t.Context(), ward.Home.Admin, nodetest.Must(trust.ParseParticipantID("https://r0a.example"))(t), 1); trust.KindOf(err) != trust.NotFound {
		t.Errorf("with a stranger: %v", err)
	}
}

// A node that has erased a person since is no liar, and says how many it cannot
// speak of.
func TestAccountsOfErasedPeople(t *testing.T) {
	ward := accounted(t)
	want(t, ward, nurse(ward, "n-1"), trust.Permit)
	want(t, ward, nurse(ward, "n-2"), trust.Permit)
	awaitCounters(t, ward, 2)
	erase := func(n *nodetest.Node, key trust.SubjectKey) {
		t.Helper()
		done(t, n.Config.Keys.EraseUpTo(t.Context(), maps.All(map[trust.SubjectKey]int{key: 1})))
	}
	leaf := nodetest.Must(decision.ParseLeaf(entries(t, ward.Host, "decisions", "decision.made/v1")[0].Body))(t)
	erase(ward.Host, *leaf.Subject)
	var counter struct {
		Owner trust.SubjectKey `json:"owner"`
	}
	done(t, canonical.DecodeLoose(entries(t, ward.Home, "decisions", "receipt.counter/v1")[1].Body, &counter))
	erase(ward.Home, counter.Owner)
	for _, one := range []node.Reconciliation{reconciled(t, ward.Home, ward.Host), reconciled(t, ward.Host, ward.Home)} {
		if one.To != 2 || one.Erased != 1 || len(one.Differences) != 0 {
			t.Errorf("compared: %+v", one)
		}
	}
	if all := counters(t, ward); all[0].Erased || !all[1].Erased || all[1].Subject != "" || all[1].N != 2 {
		t.Errorf("counter-records are %+v", all)
	}
}

// Accounts are compared without anybody asking.
func TestAccountsAreComparedByThemselves(t *testing.T) {
	w := nodetest.NewWorld(t)
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Receipts = 100 * time.Microsecond }
	home, host := founded(t, w, nil)
	ward := w.NewWard(home, host, nil)
	resigned(t, ward, func(b *receipt.Batch, d *receipt.Delivery) {
		d.Receipts[0].Permit = false
		b.Root = root(t, d)
	})
	want(t, ward, nurse(ward, "n-1"), trust.Permit)
	nodetest.Eventually(t, "a finding on both sides", func() bool { return len(findings(home)) == 1 && len(findings(host)) == 1 })
	onBothSides(t, ward, finding.Altered, 1, 1)
}
