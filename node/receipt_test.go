package node_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

// accounted is a ward whose home asks for receipts all the time.
func accounted(t *testing.T) *nodetest.Ward {
	t.Helper()
	w := nodetest.NewWorld(t)
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Receipts = 5 * time.Millisecond }
	home, host := founded(t, w, nil)
	return w.NewWard(home, host, nil)
}

// counters gives all counter-records of the home about the host.
func counters(t *testing.T, ward *nodetest.Ward) (all []node.Counter) {
	t.Helper()
	for from, first := (receipt.Place{}), true; first || from.N != 0; first = false {
		page, next, err := ward.Home.Counters(t.Context(), ward.Home.Admin, node.CounterQuery{Host: ward.Host.ID, From: from, Limit: 100})
		done(t, err)
		all, from = append(all, page...), next
	}
	return all
}

// awaitCounters waits until the home has so many, and sees that they are numbered
// without a gap and no more than once.
func awaitCounters(t *testing.T, ward *nodetest.Ward, count int) []node.Counter {
	t.Helper()
	nodetest.Eventually(t, fmt.Sprintf("%d counter-records", count), func() bool { return len(counters(t, ward)) >= count })
	all := counters(t, ward)
	if len(all) != count {
		t.Fatalf("%d counter-records, not %d", len(all), count)
	}
	for i, c := range all {
		if c.N != uint64(i+1) {
			t.Fatalf("counter-record %d has number %d", i+1, c.N)
		}
	}
	return all
}

// R23: what the host decided about the home's nurse, permits given again and
// denials too, has a counter-record at home, and one id joins both.
func TestEveryDecisionHasACounterRecord(t *testing.T) {
	ward := accounted(t)
	token := nurse(ward, "amara-n")
	ask := ward.Ask(token)
	ask.RequestID = "shift-7f3a"
	var references []string
	for range 3 {
		references = append(references, answer(t, ward.Host, ask).Reference)
	}
	write := ward.Ask(token)
	write.Action, write.RequestID = "write", "amara-n@rxw.example"
	references = append(references, answer(t, ward.Host, write).Reference)
	forged := nurse(ward, "amara-n")
	forged[len(forged)-10] ^= 1
	if answer(t, ward.Host, ward.Ask(forged)).Permit { // and nobody's
		t.Fatal("a forged token is permitted")
	}
	issued := exchange(t, ward, order(ward, nurse(ward, "bola-a")))
	references = append(references, issued.Reference)

	all := awaitCounters(t, ward, len(references))
	for i, c := range all {
		permit, kind, txn := i != 3, receipt.Access, "shift-7f3a"
		if i >= 3 {
			txn = references[i]
		}
		if i == 4 {
			kind = receipt.Credential
		}
		if c.Reference != references[i] || c.Permit != permit || c.Kind != kind || c.Txn != txn || c.Class != trust.Human || c.Type != "WardRecord" || c.Token == "" {
			t.Errorf("counter-record %d is %+v", c.N, c)
		}
	}
	if all[0].Subject != all[3].Subject || all[0].Subject == all[4].Subject {
		t.Errorf("subjects are %s, %s, %s", all[0].Subject, all[3].Subject, all[4].Subject)
	}
	for _, id := range []string{"shift-7f3a", references[3]} {
		nodetest.Eventually(t, "the counter-record of "+id, func() bool {
			of, err := ward.Home.CountersOf(t.Context(), ward.Home.Admin, id)
			return err == nil && of[0].Txn == id && of[0].Host == ward.Host.ID && len(of) == map[bool]int{true: 3, false: 1}[id == "shift-7f3a"]
		})
		e, err := ward.Home.Explain(t.Context(), ward.Home.Admin, id)
		if err != nil || e.RequestID != id || len(e.Counters) == 0 {
			t.Errorf("at home %s is explained as %+v, %v", id, e, err)
		}
	}
	if _, err := ward.Home.CountersOf(t.Context(), ward.Home.Admin, "amara-n@rxw.example"); trust.KindOf(err) != trust.NotFound {
		t.Errorf("a mail address finds a counter-record: %v", err)
	}
	amara := node.CounterQuery{Host: ward.Host.ID, Limit: 100, Issuer: ward.Issuer.URL, Subject: "amara-n"}
	hers, _, err := ward.Home.Counters(t.Context(), ward.Home.Admin, amara)
	if err != nil || len(hers) != 4 {
		t.Errorf("hers are %d, %v", len(hers), err)
	}
	if e, err := ward.Host.Explain(t.Context(), ward.Host.Admin, references[0]); err != nil || e.RequestID != "shift-7f3a" {
		t.Errorf("at the host it is %+v, %v", e, err)
	}
	if len(entries(t, ward.Home, "trust", "receipt.batch/v1")) != 0 || len(entries(t, ward.Host, "decisions", "receipt.batch/v1")) != 0 {
		t.Error("receipts are in a log that is not theirs")
	}
	for _, log := range []string{"receipt.batch/v1", "receipt.counter/v1"} {
		for _, e := range entries(t, ward.Home, "decisions", log) {
			if text := string(e.Body); strings.Contains(text, "amara") || strings.Contains(text, "shift-7f3a") || strings.Contains(text, all[0].Subject) || !e.Sealed {
				t.Errorf("a leaf says %s", text)
			}
		}
	}
}

// What was not fetched while the two were apart, or one of them was down, comes
// later, once, in order.
func TestReceiptsSurvivePartitionAndRestart(t *testing.T) {
	ward := accounted(t)
	want(t, ward, nurse(ward, "n-1"), trust.Permit)
	awaitCounters(t, ward, 1)
	w := ward.Home.World
	w.Cut(ward.Home, ward.Host)
	for range 3 {
		want(t, ward, nurse(ward, "n-1"), trust.Permit)
	}
	ward.Host.Reboot()
	w.Heal(ward.Home, ward.Host)
	awaitCounters(t, ward, 4)
	ward.Home.Reboot()
	ward.Host.Reboot()
	await(t, ward, nurse(ward, "n-2"), trust.Permit)
	var all []node.Counter
	nodetest.Eventually(t, "the counter-record of the permit", func() bool {
		all = counters(t, ward)
		return len(all) > 4 && all[len(all)-1].Permit
	})
	awaitCounters(t, ward, len(all))
}

// A batch that the home recorded and whose answer it lost, or that is given once
// more, is not recorded twice; one that the home never got is given again.
func TestABatchIsRecordedOnce(t *testing.T) {
	ward := accounted(t)
	lost, first := 0, node.Incoming{}
	ward.Home.World.Intercept(func(_, _ *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		switch {
		case r.Path != node.ReceiptsPath || in.Status != 200:
			return in
		case lost < 2:
			lost++
			return node.Incoming{Status: 503}
		case first.Status == 0:
			first = in
			return in
		case lost < 4:
			lost++
			return first // as if it had been kept
		}
		return in
	})
	for range 3 {
		want(t, ward, nurse(ward, "n-1"), trust.Permit)
	}
	awaitCounters(t, ward, 3)
	want(t, ward, nurse(ward, "n-1"), trust.Permit)
	awaitCounters(t, ward, 4)
}

// Whose reads a leaf without parsing it, and says what the parser does.
func TestWhoseAgreesWithTheLeaf(t *testing.T) {
	agency := nodetest.NewAgency(t)
	want(t, agency.Ward, nurse(agency.Ward, "n-1"), trust.Permit)
	answer(t, agency.Host, agency.Chain("a-1"))
	forged := nurse(agency.Ward, "n-1")
	forged[len(forged)-10] ^= 1
	answer(t, agency.Host, agency.Ask(forged))
	seen := 0
	for _, e := range entries(t, agency.Host, "decisions", "decision.made/v1") {
		leaf := nodetest.Must(decision.ParseLeaf(e.Body))(t)
		whose, ok := decision.Whose(e.Body)
		if ok != (leaf.Subject != nil) || ok && string(whose) != leaf.Participant.String() {
			t.Errorf("leaf %s is %q's, %t", e.Body, whose, ok)
		}
		seen++
	}
	if seen < 3 {
		t.Errorf("only %d leaves", seen)
	}
	if _, ok := decision.Whose(nodetest.Must(canonical.Marshal(map[string]int{"n": 1}))(t)); ok {
		t.Error("an entry of another kind is somebody's")
	}
}

// resigned lets a liar stand where the host is: what it makes of a delivery is
// signed by the host's own key.
func resigned(t *testing.T, ward *nodetest.Ward, lie func(*receipt.Batch, *receipt.Delivery)) {
	t.Helper()
	ward.Home.World.Intercept(func(_, to *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if r.Path != node.ReceiptsPath || in.Status != 200 || to.ID != ward.Host.ID {
			return in
		}
		var given receipt.Delivery
		done(t, canonical.Decode(in.Body, &given))
		u := nodetest.Must(jose.Parse(given.Batch, jose.Form{Types: []string{receipt.BatchType}, Use: jose.ForMessage}))(t)
		var b receipt.Batch
		done(t, canonical.Decode(nodetest.Must(canonical.Marshal(u.UnverifiedClaims()))(t), &b))
		lie(&b, &given)
		given.Batch = nodetest.Must(jose.Sign(to.Config.Keys.Signer(participant.StreamKey), receipt.BatchType, b))(t)
		in.Body = nodetest.Must(canonical.Marshal(given))(t)
		return in
	})
}

func root(t *testing.T, given *receipt.Delivery) string {
	t.Helper()
	return receipt.Root(nodetest.Must(receipt.Hashes(given.Receipts))(t))
}

// R43: a host that contradicts itself in what it signs is a finding at the home;
// nothing of it is recorded, and what it signs rightly later is.
func TestABatchThatContradictsItself(t *testing.T) {
	for name, c := range map[string]struct {
		lie  func(*receipt.Batch, *receipt.Delivery)
		want finding.Subject
	}{
		"a receipt altered": {func(_ *receipt.Batch, d *receipt.Delivery) { d.Receipts[0].Permit = false },
			finding.Subject{Kind: finding.Altered, From: 2, To: 2}},
		"a number left out": {func(b *receipt.Batch, d *receipt.Delivery) {
			d.Receipts[0].N++
			b.First, b.Last, b.Head, b.Root = 3, 3, 3, root(t, d)
		}, finding.Subject{Kind: finding.MissingAtHome, From: 2, To: 2}},
		"an end below what is recorded": {func(b *receipt.Batch, d *receipt.Delivery) {
			*d, b.Head = receipt.Delivery{Receipts: []receipt.Receipt{}}, 0
		}, finding.Subject{Kind: finding.MissingAtHost, From: 1, To: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			ward := accounted(t)
			want(t, ward, nurse(ward, "n-1"), trust.Permit)
			awaitCounters(t, ward, 1)
			resigned(t, ward, c.lie)
			want(t, ward, nurse(ward, "n-1"), trust.Permit)
			c.want.Partner, c.want.Side = ward.Host.ID, finding.Home
			nodetest.Eventually(t, "a finding", func() bool { return len(slices.Collect(ward.Home.State().Finding.All())) > 0 })
			found := slices.Collect(ward.Home.State().Finding.All())
			if len(found) != 1 || found[0].Subject != c.want || found[0].Owner != "locum_desk" {
				t.Errorf("found %+v", found)
			}
			awaitCounters(t, ward, 1)
			ward.Home.World.Intercept(nil)
			awaitCounters(t, ward, 2)
			done(t, ward.Home.CloseFinding(t.Context(), ward.Home.Admin, found[0].ID, "a test"))
			if err := ward.Home.CloseFinding(t.Context(), ward.Home.Admin, found[0].ID, "again"); trust.KindOf(err) != trust.Conflict {
				t.Errorf("closed twice: %v", err)
			}
		})
	}
}

// What somebody else signed, for somebody else, or of an older epoch, is not
// recorded.
func TestABatchOfSomebodyElse(t *testing.T) {
	ward := accounted(t)
	want(t, ward, nurse(ward, "n-1"), trust.Permit)
	awaitCounters(t, ward, 1)
	var told atomic.Int32
	resigned(t, ward, func(b *receipt.Batch, _ *receipt.Delivery) {
		switch told.Add(1) {
		case 1:
			b.Aud = ward.Host.ID
		case 2:
			b.Iss = ward.Home.ID
		default:
			b.Epoch = 0
		}
	})
	want(t, ward, nurse(ward, "n-1"), trust.Permit)
	nodetest.Eventually(t, "all lies told", func() bool { return len(counters(t, ward)) > 1 || told.Load() >= 4 })
	awaitCounters(t, ward, 1)
	told.Store(0)
	ward.Home.World.Intercept(func(_, _ *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if r.Path == node.ReceiptsPath && in.Status == 200 {
			told.Add(1)
			in.Body = bytes.Replace(in.Body, []byte(`","receipts"`), []byte(`A","receipts"`), 1) // another signature
		}
		return in
	})
	nodetest.Eventually(t, "two more", func() bool { return told.Load() >= 2 })
	awaitCounters(t, ward, 1)
	ward.Home.World.Intercept(nil)
	awaitCounters(t, ward, 2)
}

// Uses that an enforcement point made of a permit without asking are one receipt
// that counts them.
func TestReusesAreInAReceipt(t *testing.T) {
	ward := accounted(t)
	watch(t, ward.Host, "pep", "")
	one := open(t, ward, nurse(ward, "n-1"))
	now := ward.Host.Node.Now()
	done(t, ward.Host.Reused(t.Context(), "pep", one.Reference, []int64{now, now, now + 1}))
	all := awaitCounters(t, ward, 2)
	if all[0].Uses != 0 || all[1].Uses != 3 || all[1].Subject != all[0].Subject || !all[1].Permit {
		t.Errorf("counter-records are %+v", all)
	}
}

// Whoever verifies a home's ledger finds a receipt that is missing, is there
// twice, stands elsewhere, or is not of the root that the host signed.
func TestVerifyFindsWhatIsNotInTheBatch(t *testing.T) {
	ward := accounted(t)
	for range 3 {
		want(t, ward, nurse(ward, "n-1"), trust.Permit)
	}
	awaitCounters(t, ward, 3)
	var log []ledger.Record
	views, _, err := ward.Home.Entries(t.Context(), ward.Home.Admin, "decisions", 0, 512)
	done(t, err)
	for _, e := range views {
		if name, _, _ := strings.Cut(e.Kind, "/"); strings.HasPrefix(name, "receipt.") {
			log = append(log, ledger.Record{Position: e.Position, Kind: name, Version: 1, Body: e.Body})
		}
	}
	verify := func(log []ledger.Record) (err error) {
		var p node.Permits
		for _, r := range log {
			if err == nil {
				err = p.Check(r)
			}
		}
		return err
	}
	if err := verify(log); err != nil {
		t.Fatal(err)
	}
	last := len(log) - 1
	other := slices.Clone(log)
	other[last].Body = bytes.Replace(other[last].Body, []byte(`"hash":"`), []byte(`"hash":"A`), 1)
	swapped := slices.Clone(log)
	i := slices.IndexFunc(log, func(r ledger.Record) bool { return r.Kind == "receipt.counter" })
	swapped[i].Body = slices.Clone(swapped[i].Body)
	if digit := &swapped[i].Body[len(`{"hash":"`)]; *digit == 'A' {
		*digit = 'B'
	} else {
		*digit = 'A'
	}
	for name, bad := range map[string][]ledger.Record{
		"a receipt without a batch": log[1:],
		"a receipt twice":           append(slices.Clone(log), log[last]),
		"a batch twice":             append(slices.Clone(log), log[0]),
		"a receipt is missing":      append(slices.Delete(slices.Clone(log), i, i+1), log[0]),
		"a hash of another length":  other,
		"another hash":              swapped,
	} {
		if err := verify(bad); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}
