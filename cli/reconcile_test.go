package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/receipt"
)

// R23, R43: who used what at a partner is listed, explained and compared at the
// desk; what differs has an exit code of its own and is closed with a reason.
func TestCounterRecordsAtTheDesk(t *testing.T) {
	w := nodetest.NewWorld(t)
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Receipts = 5 * time.Millisecond }
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, nil)
	d := deskAt(t, home)
	d.like(`^N +AT +TXN +SUBJECT +CLASS +USE +OUTCOME\n$`, "counter", "list", host.ID.String())
	ask := ward.Ask(w.Token(ward.Issuer, "nurse-1", ward.Audience, nil))
	ask.RequestID = "round-7"
	answer := host.Decide(t.Context(), ask)
	nodetest.Eventually(t, "the counter-record", func() bool {
		code, _, _ := d.run("counter", "show", "round-7")
		return code == 0
	})
	d.like(`(?m)^1 +20\S+ +round-7 +\S{22} +human +access read WardRecord +permit$`, "counter", "list", host.ID.String())
	d.like(`(?m)^1 +20\S+ +round-7`, "counter", "list", host.ID.String(), "--issuer", ward.Issuer.URL, "--subject", "nurse-1")
	d.like(`^N +AT +TXN .*\n$`, "counter", "list", host.ID.String(), "--issuer", ward.Issuer.URL, "--subject", "nurse-2")
	d.like(`^`+answer.Reference+`\n$`, "counter", "show", answer.Reference, "-o", "name")
	for _, show := range [][]string{{"counter", "show", "round-7"}, {"explain", "round-7"}, {"explain", answer.Reference}} {
		d.like(`^txn      round-7\ndecided  permit at 20\S+, by https://trust.rje.example\n(?s:.*)\nthere    reference `+answer.Reference+`, leaf \S+\nhere     receipt 1, entry 1/`, show...)
	}
	if out := d.ok("counter", "list", host.ID.String(), "-o", "json"); strings.Contains(out, "nurse-1") || !strings.Contains(out, `"kind": "CounterList"`) {
		t.Errorf("listed as %s", out)
	}
	if code, _, err := d.run("counter", "list", host.ID.String(), "--subject", "nurse-1"); code != 2 {
		t.Errorf("a subject of no issuer: exit %d, %s", code, err)
	}
	d.like(`^WE ARE +RECEIPTS +ERASED +OUTCOME\nhome +1 +0 +equal\n$`, "reconcile", host.ID.String())
	d.like(`^ID +STAGE`, "finding", "list")

	w.Intercept(func(_, _ *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if r.Path == node.ReceiptsPath && in.Status == 200 {
			in.Body = []byte(strings.Replace(string(in.Body), `"permit":false`, `"permit":true`, 1))
		}
		return in
	})
	ask.Action = "write"
	host.Decide(t.Context(), ask)
	nodetest.Eventually(t, "a finding", func() bool { return len(strings.Split(d.ok("finding", "list"), "\n")) == 3 })
	d.like(`(?m)^finding-1 +open +`+string(receipt.Altered)+` +https://trust.rje.example +home +2 +locum_desk +20`, "finding", "list")
	if code, _, err := d.run("finding", "close", "finding-1"); code != 2 {
		t.Errorf("closed without a reason: exit %d, %s", code, err)
	}
	d.ok("finding", "close", "finding-1", "--reason", "a test")
	d.like(`(?m)^finding-1 +closed`, "finding", "list")
	if code, _, err := d.run("finding", "close", "finding-1", "--reason", "again"); code != 5 {
		t.Errorf("closed twice: exit %d, %s", code, err)
	}

	w.Intercept(func(_, to *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if r.Path != node.ReceiptsPath || in.Status != 200 {
			return in
		}
		var given receipt.Delivery
		var batch receipt.Batch
		succeed(t, canonical.Decode(in.Body, &given))
		u := nodetest.Must(jose.Parse(given.Batch, jose.Form{Types: []string{receipt.BatchType}, Use: jose.ForMessage}))(t)
		succeed(t, canonical.Decode(nodetest.Must(canonical.Marshal(u.UnverifiedClaims()))(t), &batch))
		given.Receipts[0].Permit = true
		batch.Root = receipt.Root(nodetest.Must(receipt.Hashes(given.Receipts))(t))
		given.Batch = nodetest.Must(jose.Sign(to.Config.Keys.Signer(participant.StreamKey), receipt.BatchType, batch))(t)
		in.Body = nodetest.Must(canonical.Marshal(given))(t)
		return in
	})
	nodetest.Eventually(t, "the other receipt", func() bool {
		return len(strings.Split(d.ok("counter", "list", host.ID.String()), "\n")) == 4
	})
	code, out, err := d.run("reconcile", host.ID.String())
	if code != 5 || !strings.Contains(out, "altered 2\n") || !strings.Contains(err, "differ in 1 place") {
		t.Errorf("accounts that differ: exit %d, %s%s", code, out, err)
	}
}

func succeed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
