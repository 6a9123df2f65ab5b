package node_test

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/erasure"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// crashing are the keys of a node that stops before it destroys any.
type crashing struct {
	node.Keys
	stopped *atomic.Bool
}

func (k crashing) EraseUpTo(ctx context.Context, owners iter.Seq2[trust.SubjectKey, int]) error {
	if k.stopped.Load() {
		return trust.Errorf(trust.Unavailable, "the machine lost power")
	}
	return k.Keys.EraseUpTo(ctx, owners)
}

// sealedWords reads what is sealed for somebody: what stands in entries of a kind.
func sealedWords(t *testing.T, n *nodetest.Node, owner trust.SubjectKey, kind string) string {
	t.Helper()
	var all strings.Builder
	for _, r := range entries(t, n, "trust", kind) {
		text, err := n.Opened(t.Context(), r.Position.N, owner)
		done(t, err)
		all.WriteString(text)
	}
	return all.String()
}

// Somebody who has left is erased by two people, once nothing needs what is sealed:
// it opens never again, over a crash, a start, and an older copy of the keys; what
// the ledger proves, and the denial of whoever comes under that name, stays.
func TestAPersonIsErased(t *testing.T) {
	w := nodetest.NewWorld(t)
	var stopped atomic.Bool
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Keys = crashing{c.Keys, &stopped} }
	home, host := w.Found(nil)
	ward := w.NewWard(home, host, nil)
	ctx := t.Context()
	other := second(t, home, "L. Marsh")
	quiet(t, home, host)
	backup := home.Backup()
	key := home.Config.Keys.Subject(home.ID.String(), evidence.DefaultNamespace, "nurse-1")
	r := node.ErasureRequest{Issuer: ward.Issuer.URL, Subject: "nurse-1", Word: node.Word{Reason: "Art. 17", Ticket: "DPO-31"}}
	erase := func(by node.Actor) (node.Erasure, error) { return home.Erase(ctx, by, r) }

	_, err := erase(home.Admin)
	refused(t, "somebody who is engaged", err, trust.Conflict)
	w.Cut(home, host)
	revoke(t, ward, "nurse-1")
	_, err = erase(home.Admin)
	refused(t, "somebody whose end a host has not heard of", err, trust.Conflict)
	w.Heal(home, host)
	quiet(t, home, host)
	hold, err := home.PlaceHold(ctx, home.Admin, node.HoldRequest{Issuer: r.Issuer, Subject: r.Subject, Reason: "litigation", Case: "HC-17"})
	done(t, err)
	_, err = erase(home.Admin)
	if refused(t, "somebody on hold", err, trust.Conflict); !strings.Contains(err.Error(), "litigation, case HC-17") {
		t.Errorf("it is refused with %v", err)
	}
	_, err = home.EndHold(ctx, other, hold.ID(), "settled")
	done(t, err)
	_, err = home.Erase(ctx, node.Actor{ID: "op-x"}, r)
	refused(t, "by somebody without the role", err, trust.Denied)
	var asked node.Erasure
	nodetest.Eventually(t, "the host's word that it has the message", func() bool {
		asked, err = erase(home.Admin)
		return err == nil
	})
	_, err = erase(home.Admin)
	refused(t, "by one person alone", err, trust.Denied)
	if asked.Until == 0 || !strings.Contains(sealedWords(t, home, key, "revocation.revoked/v1"), "nurse-1") {
		t.Fatalf("asked for is %+v", asked)
	}
	if rules := len(entries(t, home, "trust", "erasure.refused/v1")); rules < 4 {
		t.Errorf("%d refusals are recorded", rules)
	}
	ring := filepath.Join(home.Dir, "keyring.db")
	home.Stop()
	older := nodetest.Must(os.ReadFile(ring))(t)
	home.Start()

	// The machine stops after the entry and before the key is gone.
	stopped.Store(true)
	_, err = erase(other)
	refused(t, "a machine that stops", err, trust.Unavailable)
	if _, n := newest[erasure.Erased](t, home); n != 1 || sealedWords(t, home, key, "revocation.revoked/v1") == "" {
		t.Fatalf("%d erasures stand before the key is gone", n)
	}
	stopped.Store(false)
	gone := func(when string) {
		t.Helper()
		for _, kind := range []string{"revocation.revoked/v1", "edge.queued/v1", "erasure.hold_placed/v1", "erasure.asked/v1"} {
			if text := sealedWords(t, home, key, kind); text != "" {
				t.Errorf("%s, %s says %s", when, kind, text)
			}
		}
	}
	home.Stop()
	home.Start()
	gone("after the next start")

	// An older copy of the keys brings nobody back.
	home.Stop()
	done(t, os.WriteFile(ring, older, 0o600))
	home.Start()
	gone("with an older copy of the keys")
	if holds, err := home.Holds(ctx, home.Admin); err != nil || len(holds) != 1 || holds[0].Text.Name != "" || holds[0].By != home.Admin.ID {
		t.Errorf("holds are %+v, %v", holds, err)
	}
	all, err := home.Erased(ctx, home.Admin)
	if done(t, err); len(all) != 1 || all[0].Subject != key || all[0].Why.Ticket != "DPO-31" || all[0].Asked != home.Admin.ID || all[0].By != other.ID {
		t.Errorf("erased are %+v", all)
	}
	if got := home.State().Revocation; !func() bool { ended, _ := got.Ended(key); return ended == 1 }() {
		t.Error("her end has gone with it")
	}
	await(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)

	// The host erases her by every name that it knows her by, and denies her still.
	atHost := second(t, host, "Lin")
	reference := answer(t, host, ward.Ask(nurse(ward, "nurse-1"))).Reference
	againErased(t, home, host, backup, key)
	_, err = host.Erase(ctx, host.Admin, r)
	done(t, err)
	erased, err := host.Erase(ctx, atHost, r)
	if done(t, err); erased.Keys != 2 {
		t.Errorf("at the host %d keys are destroyed", erased.Keys)
	}
	explained, err := host.Explain(ctx, host.Admin, reference)
	if done(t, err); !explained.Erased || explained.Permit || explained.Reason != trust.SubjectRevoked {
		t.Errorf("explained as %+v", explained)
	}
	hers := host.Config.Keys.Subject(home.ID.String(), evidence.DefaultNamespace, "nurse-1")
	if text := sealedWords(t, host, hers, "edge.applied/v1"); text != "" {
		t.Errorf("the host still has %s", text)
	}
	if _, ended := host.State().Revocation.Ended(hers); !ended {
		t.Error("at the host her end has gone with it")
	}
}

// A ledger that is recovered from before an erasure learns of it from the node's
// keys, and what a partner gives back of the end of somebody erased has no words.
func againErased(t *testing.T, home, host *nodetest.Node, backup string, key trust.SubjectKey) {
	t.Helper()
	quiet(t, home, host)
	home.Stop()
	home.Recover(backup)
	home.Start()
	if found, n := newest[erasure.Found](t, home); n != 1 || len(found.Keys) != 1 || found.Keys[0] != (erasure.Count{Key: key, Times: 1}) {
		t.Errorf("found are %d: %+v", n, found)
	}
	stage(t, home, host, edge.Fetched)
	if _, ended := home.State().Revocation.Ended(key); !ended {
		t.Error("her end is lost")
	}
	for _, kind := range []string{"revocation.revoked/v1", "edge.queued/v1"} {
		if text := sealedWords(t, home, key, kind); text != "" {
			t.Errorf("recovered, %s says %s", kind, text)
		}
	}
}

// One of many who left in one act is taken from its list; the others stay on it, and
// a host that agrees later is told of them.
func TestOneOfManyIsErased(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	other, ctx := second(t, home, "L. Marsh"), t.Context()
	quiet(t, home, host)
	backup := host.Backup()
	revoke(t, ward, "nurse-3")
	leavers := []node.Leaver{{Issuer: ward.Issuer.URL, Subject: "nurse-1"}, {Issuer: ward.Issuer.URL, Subject: "nurse-2"}, {Issuer: ward.Issuer.URL, Subject: "nurse-4"}}
	_, err := home.RevokeMany(ctx, home.Admin, leavers, "the lab closes", "", nil)
	done(t, err)
	quiet(t, home, host)
	bulk, _ := newest[revocation.Bulk](t, home)
	for subject, keys := range map[string]int{"nurse-1": 2, "nurse-3": 1, "nurse-4": 2} {
		r := node.ErasureRequest{Issuer: ward.Issuer.URL, Subject: subject, Word: node.Word{Reason: "Art. 17"}}
		nodetest.Eventually(t, "the host's word that it has the list", func() bool {
			_, err = home.Erase(ctx, home.Admin, r)
			return err == nil
		})
		erased, err := home.Erase(ctx, other, r)
		if done(t, err); erased.Keys != keys {
			t.Errorf("%s: %d keys are destroyed", subject, erased.Keys)
		}
	}
	if text := sealedWords(t, home, bulk.List, "revocation.bulk/v1"); text != "" {
		t.Errorf("the list says %s", text)
	}
	kept, _ := home.State().Erasure.Kept(bulk.List)
	text := sealedWords(t, home, kept.Key, "erasure.list_kept/v1")
	if !strings.Contains(text, "nurse-2") || strings.Contains(text, "nurse-1") || strings.Contains(text, "nurse-4") {
		t.Errorf("what is left of it says %s", text)
	}
	late := home.World.New("trust.late.example", nodetest.HostRoles()...)
	home.World.Introduce(home, late)
	late.Adopt(home.State().Framework.Current.Signed)
	told := func(at *nodetest.Node, subject string) bool {
		_, ended := at.State().Revocation.Ended(at.Config.Keys.Subject(home.ID.String(), evidence.DefaultNamespace, subject))
		return ended
	}
	home.World.Agree(home, late, []*nodetest.Issuer{ward.Issuer}, func(d *agreement.Document) { d.Name = "later" })
	if !told(late, "nurse-2") || told(late, "nurse-1") {
		t.Errorf("a later host knows of nurse-2: %v, of nurse-1: %v", told(late, "nurse-2"), told(late, "nurse-1"))
	}

	// A host that lost all of it is given what there still is, under the numbers and
	// hashes that both sides count by.
	quiet(t, home, host)
	host.Stop()
	host.Recover(backup)
	host.Start()
	stage(t, host, home, edge.Fetched)
	acceptEpoch(t, home, host)
	quiet(t, home, host)
	if !told(host, "nurse-2") || told(host, "nurse-1") || told(host, "nurse-3") {
		t.Errorf("given back are nurse-2: %v, nurse-1: %v, nurse-3: %v", told(host, "nurse-2"), told(host, "nurse-1"), told(host, "nurse-3"))
	}
	for _, r := range entries(t, host, "trust", "edge.applied/v1") {
		var applied edge.Applied
		done(t, canonical.Decode(r.Body, &applied))
		if applied.Refused || applied.Unsupported {
			t.Errorf("refused is %+v", applied)
		}
		if applied.Kind != "erased" && applied.Kind != "revocation-bulk" {
			continue
		}
		at, _ := home.State().Edge.Locate(host.ID, applied.Lane, applied.N)
		var queued edge.Queued
		for _, q := range entries(t, home, "trust", "edge.queued/v1") {
			if q.Position == at {
				done(t, canonical.Decode(q.Body, &queued))
			}
		}
		if queued.Hash != applied.Hash {
			t.Errorf("message %d is counted as %s at the host, %s at home", applied.N, applied.Hash, queued.Hash)
		}
	}
}
