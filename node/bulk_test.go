package node_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// leavers are count people of an issuer, the ward's nurse-1 first.
func leavers(issuer *nodetest.Issuer, count int) []node.Leaver {
	all := make([]node.Leaver, count)
	for i := range all {
		all[i] = node.Leaver{Issuer: issuer.URL, Subject: fmt.Sprintf("nurse-%d", i+1)}
	}
	return all
}

func revokeMany(t *testing.T, n *nodetest.Node, who []node.Leaver) node.BulkRevocation {
	t.Helper()
	out, err := n.RevokeMany(t.Context(), n.Admin, who, "left", "HR-2026-117", nil)
	done(t, err)
	return out
}

// commits counts the commits to the trust log that hold an entry of a kind.
func commits(t *testing.T, n *nodetest.Node, kind trust.Kind) (count int) {
	t.Helper()
	page, err := n.Config.Store.Read(t.Context(), store.Query{Log: store.TrustLog, Max: 1 << 20})
	done(t, err)
	name := []byte(`"kind":"` + kind.Name + `"`)
	for _, run := range page.Runs {
		for _, r := range run.Records {
			if bytes.Contains(r.Leaf, name) {
				count++
				break
			}
		}
	}
	return count
}

// Many leave in one act: one entry and one commit at home, one at the host. Each
// of them is denied however often issued again, and nobody else (R35, R76).
func TestABulkRevocation(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	second := w.NewIssuer("https://second.rxw.example")
	ward := w.Agree(home, host, []*nodetest.Issuer{w.NewIssuer("https://idp.rxw.example"), second}, nil)
	ward.Furnish()
	const many = 5000
	stays := nurse(ward, fmt.Sprint("nurse-", many+1))
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	want(t, ward, stays, trust.Permit)
	quiet(t, home, host)
	queued := next(home, host, edge.Safety)
	var told []int
	out, err := home.RevokeMany(t.Context(), home.Admin, append(leavers(ward.Issuer, many), leavers(second, 10)...), "left", "", func(done, total int) {
		told = append(told, done, total)
	})
	done(t, err)
	if out.Subjects != many || out.Ended != many || len(out.Partners) != 1 || out.Position.N == 0 {
		t.Errorf("the act is %+v", out)
	}
	if len(told) != 12 || told[0] != 1000 || told[10] != many+10 || told[11] != many+10 {
		t.Errorf("its progress was %v", told)
	}
	await(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)
	quiet(t, home, host)
	if got := next(home, host, edge.Safety); got != queued+1 {
		t.Errorf("it took %d messages", got-queued)
	}
	for _, n := range []*nodetest.Node{home, host} {
		if e, count := newest[revocation.Bulk](t, n); count != 1 || e.Subjects != many || commits(t, n, e.EventKind()) != 1 {
			t.Errorf("%s has %d entries in %d commits, of %d subjects", n.ID, count, commits(t, n, e.EventKind()), e.Subjects)
		}
	}
	if singles := entries(t, host, "trust", revocation.Revoked{}.EventKind().String()); len(singles) != 0 {
		t.Errorf("%d are recorded by themselves too", len(singles))
	}
	var all sync.WaitGroup
	for worker := range 20 {
		all.Go(func() {
			issuer := []*nodetest.Issuer{ward.Issuer, second}[worker%2]
			for i := range 100 { // 1,000 of one person, and as many of all
				person := 1
				if worker < 10 {
					person = 1 + (worker*977+i*103)%many
				}
				token := w.Token(issuer, fmt.Sprint("nurse-", person), ward.Audience, map[string]any{"auth_time": time.Now().Unix()})
				if a := host.Decide(t.Context(), ward.Ask(token)); a.Permit || a.Reason != trust.SubjectRevoked {
					t.Errorf("issued again, the answer is %s", a.Reason)
				}
			}
		})
	}
	all.Wait()
	want(t, ward, stays, trust.Permit)

	// Again it changes nothing; what the list begins anew goes on as after one.
	again := revokeMany(t, home, leavers(ward.Issuer, many))
	if _, count := newest[revocation.Bulk](t, home); again.Ended != 0 || again.Position != (trust.Position{}) || count != 1 {
		t.Errorf("done again the act is %+v, in %d entries", again, count)
	}
	_, err = home.OpenEngagement(t.Context(), home.Admin, ward.Issuer.URL, "nurse-1", "check-1")
	done(t, err)
	pending := awaitEngagement(t, host)
	done(t, host.ApproveEngagement(t.Context(), host.Admin, pending.Subject))
	fresh := nurse(ward, "nurse-1")
	want(t, ward, fresh, trust.Permit)
	want(t, ward, nurse(ward, "nurse-2"), trust.SubjectRevoked)
	if more := revokeMany(t, home, leavers(ward.Issuer, 2)); more.Ended != 1 || more.Subjects != 2 {
		t.Errorf("after one came back the act is %+v", more)
	}
	await(t, ward, fresh, trust.SubjectRevoked)
}

// All are checked before any ends, and whoever is at fault is named by number.
func TestABulkRevocationIsAllOrNothing(t *testing.T) {
	ward := wardOf(t, nil)
	home := ward.Home
	good := leavers(ward.Issuer, 3)
	for _, c := range []struct {
		name string
		who  []node.Leaver
		why  string
		kind trust.ErrorKind
	}{
		{"no reason", good, "", trust.Invalid},
		{"nobody", nil, "left", trust.Invalid},
		{"somebody without a name", append(good[:3:3], node.Leaver{Issuer: ward.Issuer.URL}), "left", trust.Invalid},
		{"an identifier of other bytes", append(good[:3:3], node.Leaver{Issuer: ward.Issuer.URL, Subject: "\xff"}), "left", trust.Invalid},
		{"an issuer of nobody", append(good[:3:3], node.Leaver{Issuer: "https://nobody.example", Subject: "a"}), "left", trust.NotFound},
		{"too many", make([]node.Leaver, node.MaxLeavers+1), "left", trust.Invalid},
	} {
		_, err := home.RevokeMany(t.Context(), home.Admin, c.who, c.why, "", nil)
		refused(t, c.name, err, c.kind)
		if len(c.who) == 4 && !bytes.Contains([]byte(err.Error()), []byte("leaver 4")) {
			t.Errorf("%s: %v names nobody", c.name, err)
		}
	}
	if _, count := newest[revocation.Bulk](t, home); count != 0 || home.State().Revocation.Tombstones.Len() != 0 {
		t.Errorf("%d acts were recorded", count)
	}
	for _, role := range []trust.Role{operator.Auditor, "registration_authority"} {
		_, err := home.RevokeMany(t.Context(), node.Actor{ID: "op-2", Roles: []trust.Role{role}}, good, "left", "", nil)
		refused(t, string(role), err, trust.Denied)
	}
	hr := node.Actor{ID: "op-hr", Roles: []trust.Role{operator.Revoker}}
	if _, err := home.RevokeMany(t.Context(), hr, good, "left", "", nil); err != nil {
		t.Errorf("a revoker: %v", err)
	}
	if _, err := home.Revoke(t.Context(), hr, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "nurse-9", Reason: "left"}); err != nil {
		t.Errorf("a revoker: %v", err)
	}
	_, err := home.OpenEngagement(t.Context(), hr, ward.Issuer.URL, "nurse-1", "check")
	refused(t, "giving back by a revoker", err, trust.Denied)
}

// heldKeys calls before ahead of each list that is sealed.
type heldKeys struct {
	node.Keys
	before *atomic.Pointer[func()]
}

func (k heldKeys) Seal(ctx context.Context, owner trust.SubjectKey, plaintext []byte) ([]byte, error) {
	if bytes.Contains(plaintext, []byte(`"people"`)) {
		if before := k.before.Swap(nil); before != nil {
			(*before)()
		}
	}
	return k.Keys.Seal(ctx, owner, plaintext)
}

// What changes while an act is prepared is part of it: an engagement that was
// opened meanwhile ends too, and a host that has just agreed is told.
func TestABulkRevocationOfWhatMoves(t *testing.T) {
	w := nodetest.NewWorld(t)
	var before atomic.Pointer[func()]
	w.Configure = func(_ *nodetest.Node, c *node.Config) { c.Keys = heldKeys{c.Keys, &before} }
	home, host := founded(t, w, nil)
	ward := w.NewWard(home, host, nil)
	revoke(t, ward, "nurse-1")
	opens := func() {
		_, err := home.OpenEngagement(t.Context(), home.Admin, ward.Issuer.URL, "nurse-1", "check-1")
		done(t, err)
	}
	before.Store(&opens)
	if out := revokeMany(t, home, leavers(ward.Issuer, 3)); out.Ended != 3 || out.Subjects != 3 {
		t.Errorf("the act is %+v", out)
	}
	quiet(t, home, host)
	if waiting, err := host.Engagements(t.Context()); err != nil || len(waiting) != 0 {
		t.Errorf("%d engagements wait for approval (%v)", len(waiting), err)
	}
	goesAndComes := func() {
		revoke(t, ward, "nurse-4")
		_, err := home.OpenEngagement(t.Context(), home.Admin, ward.Issuer.URL, "nurse-4", "check-1")
		done(t, err)
	}
	before.Store(&goesAndComes)
	revokeMany(t, home, leavers(ward.Issuer, 4))
	quiet(t, home, host)
	if waiting, err := host.Engagements(t.Context()); err != nil || len(waiting) != 0 {
		t.Errorf("%d engagements wait for approval (%v)", len(waiting), err)
	}
	over := func() { done(t, home.EndAgreement(t.Context(), home.Admin, ward.Agreement, "over")) }
	before.Store(&over)
	if out := revokeMany(t, home, leavers(ward.Issuer, 5)); out.Ended != 1 || len(out.Partners) != 0 {
		t.Errorf("after the agreement has ended the act is %+v", out)
	}
	if _, count := newest[revocation.Bulk](t, home); count != 3 {
		t.Errorf("%d acts were recorded", count)
	}
}

// A list that is half there is lag: the host's view of the home grows old, and
// nothing of the list counts, over a restart of either; then it is fetched and
// takes effect by itself, once.
func TestABulkRevocationHalfThere(t *testing.T) {
	ward := wardOf(t, nil)
	w, home, host := ward.Home.World, ward.Home, ward.Host
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	quiet(t, home, host)
	var chunks, cut atomic.Int64
	cut.Store(3)
	w.Intercept(func(from, _ *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if from == home && r.Path == node.ChunksPath && chunks.Add(1) > cut.Load() {
			w.Cut(home, host)
			in.Status = http.StatusServiceUnavailable
		}
		return in
	})
	revokeMany(t, home, leavers(ward.Issuer, 16_000))
	nodetest.Eventually(t, "some chunks to arrive", func() bool { return chunks.Load() > 3 })
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit) // within the bound it still may
	aged := func() bool {
		age := host.Status(t.Context()).Partners[0].Age
		return age < 0 || age >= 2
	}
	nodetest.Eventually(t, "the host's view to grow old", aged)
	host.Stop()
	home.Stop()
	host.Start()
	home.Start()
	want(t, ward, nurse(ward, "nurse-1"), trust.NeverProven)
	cut.Store(1 << 30)
	w.Heal(home, host)
	await(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)
	want(t, ward, nurse(ward, "nurse-16000"), trust.SubjectRevoked)
	want(t, ward, nurse(ward, "nurse-16001"), trust.Permit)
	if _, count := newest[revocation.Bulk](t, host); count != 1 {
		t.Errorf("the act was recorded %d times", count)
	}
	if chunks.Load() < 9 {
		t.Errorf("the list came in %d chunks; after a start it is sent again", chunks.Load())
	}
}

// announcement is a list of one chunk, and the message that announces it.
func announcement(people ...map[string]any) (chunk []byte, message map[string]any) {
	chunk = []byte(`{"people":[`)
	for i, p := range people {
		if i > 0 {
			chunk = append(chunk, ',')
		}
		chunk = fmt.Appendf(chunk, `{"engagement":%d,"namespace":"default","subject":%q}`, p["engagement"], p["subject"])
	}
	chunk = append(chunk, "]}"...)
	sum := sha256.Sum256(chunk)
	return chunk, map[string]any{
		"act": map[string]any{"epoch": 1, "n": 7}, "subjects": len(people),
		"chunks": []any{map[string]any{"subjects": len(people), "hash": hex.EncodeToString(sum[:])}},
	}
}

// A chunk counts only under the hash that a signed message of the same partner
// announced as its next; nothing else is kept (R68).
func TestAForeignChunk(t *testing.T) {
	ward := wardOf(t, nil)
	w, home, host := ward.Home.World, ward.Home, ward.Host
	third := w.New("trust.rcb.example")
	w.Introduce(third, host)
	heardOf(t, host, third)
	quiet(t, home, host)
	w.Cut(host, home) // or the home's next word would deny what is forged here in its name
	ctx := t.Context()
	chunk, message := announcement(map[string]any{"subject": "nurse-1", "engagement": 1})
	refused(t, "a chunk that nobody announced", host.ReceiveChunk(ctx, home.ID, chunk), trust.Denied)
	jws := forge(t, home, host, edge.Safety, next(home, host, edge.Safety), "revocation-bulk", message)
	err := host.ReceiveMessage(ctx, home.ID, jws)
	gap, ok := err.(*node.Gap)
	if !ok || gap.Expected != next(home, host, edge.Safety) || len(gap.Need) != 1 {
		t.Fatalf("an announcement without its list: %v", err)
	}
	refused(t, "another chunk", host.ReceiveChunk(ctx, home.ID, bytes.Replace(chunk, []byte("nurse-1"), []byte("nurse-2"), 1)), trust.Denied)
	refused(t, "a chunk of another partner", host.ReceiveChunk(ctx, third.ID, chunk), trust.Denied)
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	done(t, host.ReceiveChunk(ctx, home.ID, chunk))
	refused(t, "the chunk again", host.ReceiveChunk(ctx, home.ID, chunk), trust.Denied)
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	for range 3 {
		done(t, host.ReceiveMessage(ctx, home.ID, jws))
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)
	want(t, ward, nurse(ward, "nurse-2"), trust.Permit)
	if _, count := newest[revocation.Bulk](t, host); count != 1 {
		t.Errorf("the act was recorded %d times", count)
	}
}

// A list that a partner signed and that cannot be read may hold anybody: the edge
// breaks, as with any word of safety that is not understood.
func TestAListThatCannotBeRead(t *testing.T) {
	one := map[string]any{"subject": "nurse-1", "engagement": 1}
	for name, c := range map[string]struct {
		people []map[string]any
		change func(map[string]any)
	}{
		"no engagement":      {[]map[string]any{{"subject": "nurse-1", "engagement": 0}}, nil},
		"no subject":         {[]map[string]any{{"subject": "", "engagement": 1}}, nil},
		"one twice":          {[]map[string]any{one, one}, nil},
		"fewer than it says": {[]map[string]any{one}, func(m map[string]any) { m["subjects"] = 2 }},
		"a chunk that holds less": {[]map[string]any{one}, func(m map[string]any) {
			m["subjects"] = 2
			m["chunks"].([]any)[0].(map[string]any)["subjects"] = 2
		}},
		"no chunks": {[]map[string]any{one}, func(m map[string]any) { m["chunks"] = []any{} }},
		"a chunk twice": {[]map[string]any{one}, func(m map[string]any) {
			m["subjects"], m["chunks"] = 2, append(m["chunks"].([]any), m["chunks"].([]any)...)
		}},
		"another hash":  {[]map[string]any{one}, func(m map[string]any) { m["chunks"].([]any)[0].(map[string]any)["hash"] = "ab" }},
		"a member more": {[]map[string]any{one}, func(m map[string]any) { m["more"] = true }},
	} {
		t.Run(name, func(t *testing.T) {
			ward := wardOf(t, nil)
			home, host := ward.Home, ward.Host
			quiet(t, home, host)
			chunk, message := announcement(c.people...)
			if c.change != nil {
				c.change(message)
			}
			jws := forge(t, home, host, edge.Safety, next(home, host, edge.Safety), "revocation-bulk", message)
			if gap, ok := host.ReceiveMessage(t.Context(), home.ID, jws).(*node.Gap); ok {
				if gap.Need == nil {
					t.Fatal("nothing is needed")
				}
				done(t, host.ReceiveChunk(t.Context(), home.ID, chunk))
				done(t, host.ReceiveMessage(t.Context(), home.ID, jws))
			}
			want(t, ward, nurse(ward, "nurse-2"), trust.EdgeBroken)
			if applied, _ := newest[edge.Applied](t, host); !applied.Refused || applied.Kind != "revocation-bulk" {
				t.Errorf("it is recorded as %+v", applied)
			}
			if e, _ := newest[edge.Broken](t, host); e.Rule != "unreadable_list" {
				t.Errorf("the break is recorded as %+v", e)
			}
		})
	}
}

// A host that agrees later learns of a bulk act too (R35, R73).
func TestAHostThatAgreesLaterLearnsOfABulkAct(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, first := founded(t, w, nil)
	issuer := w.NewIssuer("https://idp.rxw.example")
	w.Agree(home, first, []*nodetest.Issuer{issuer}, nil).Furnish()
	revokeMany(t, home, leavers(issuer, 2000))
	late := w.New("trust.late.example", nodetest.HostRoles()...)
	w.Introduce(home, late)
	late.Adopt(home.State().Framework.Current.Signed)
	later := w.Agree(home, late, []*nodetest.Issuer{issuer}, func(d *agreement.Document) { d.Name = "later" })
	later.Furnish()
	want(t, later, nurse(later, "nurse-2001"), trust.Permit)
	want(t, later, nurse(later, "nurse-1"), trust.SubjectRevoked)
	want(t, later, nurse(later, "nurse-2000"), trust.SubjectRevoked)
}

// What a host ends of a partner's people holds here alone.
func TestABulkRevocationAtTheHost(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	before := host.State().Edge.Next(home.ID, edge.Safety)
	if out := revokeMany(t, host, leavers(ward.Issuer, 20)); out.Ended != 20 || len(out.Partners) != 0 {
		t.Errorf("the act is %+v", out)
	}
	want(t, ward, nurse(ward, "nurse-20"), trust.SubjectRevoked)
	want(t, ward, nurse(ward, "nurse-21"), trust.Permit)
	if host.State().Edge.Next(home.ID, edge.Safety) != before {
		t.Error("the home was told")
	}
}
