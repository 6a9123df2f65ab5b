package node_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

func data(n *nodetest.Node) string { return filepath.Join(n.Dir, "data") }

func hash(t *testing.T, s *state.Snapshot) []byte {
	t.Helper()
	h, err := s.Hash()
	done(t, err)
	return h
}

// register changes a stopped node's state checkpoint; nil deletes it.
func register(t *testing.T, n *nodetest.Node, change func([]byte) []byte) {
	t.Helper()
	files, _, err := local.Open(data(n), local.Options{})
	done(t, err)
	saved, err := files.Get(t.Context(), "state", "checkpoint")
	done(t, err)
	done(t, files.Put(t.Context(), store.Pair{Bucket: "state", Key: "checkpoint", Value: change(saved)}))
	done(t, files.Close())
}

// A start takes the state checkpoint, or folds the whole log to the very same
// state; a checkpoint of another fold, of another log or damaged is discarded.
func TestStateOverARestart(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	quiet(t, ward.Home, host)
	whole := hash(t, host.State())
	// A state that no fold makes, to see whether a checkpoint was taken.
	marked := func(saved []byte) []byte {
		s, checkpoint, err := state.Load(saved)
		done(t, err)
		s.Rules += 1000
		out, err := state.Save(s, checkpoint)
		done(t, err)
		return out
	}
	replaced := func(old, with string) func([]byte) []byte {
		return func(saved []byte) []byte {
			out := bytes.Replace(marked(saved), []byte(old), []byte(with), 1)
			if bytes.Equal(out, marked(saved)) {
				t.Fatalf("the checkpoint has no %q", old)
			}
			return out
		}
	}
	for _, c := range []struct {
		name   string
		change func([]byte) []byte
		taken  bool
	}{
		{"as it was saved", func(b []byte) []byte { return b }, false},
		{"a marked one", marked, true},
		{"none", func([]byte) []byte { return nil }, false},
		{"another fold's", replaced(fmt.Sprintf(`"fold":%d`, state.FoldVersion), `"fold":1`), false},
		{"a damaged one", replaced(`"rules":`, `"rules":1`), false},
		{"another log's", func(saved []byte) []byte {
			s, _, err := state.Load(marked(saved))
			done(t, err)
			out, err := state.Save(s, ward.Home.Checkpoint(store.TrustLog))
			done(t, err)
			return out
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			host.Stop()
			register(t, host, c.change)
			host.Start()
			if same := bytes.Equal(hash(t, host.State()), whole); same == c.taken {
				t.Errorf("the state after the start is the whole fold's: %v", same)
			}
		})
		host.Stop() // so that the next case begins with a true one
		register(t, host, func([]byte) []byte { return nil })
		host.Start()
	}
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
}

// After a start a partner is stale until it answers a nonce (R78).
func TestAfterAStartNothingIsProven(t *testing.T) {
	ward := wardOf(t, nil)
	w, home, host := ward.Home.World, ward.Home, ward.Host
	token := nurse(ward, "nurse-1")
	want(t, ward, token, trust.Permit)
	w.Cut(host, home)
	host.Stop()
	host.Start()
	for range 5 {
		want(t, ward, token, trust.NeverProven)
	}
	w.Heal(host, home)
	await(t, ward, token, trust.Permit)
}

// Delivery goes on after a restart where it stopped: what was acknowledged is
// not sent again, what was queued is.
func TestDeliveryOverARestart(t *testing.T) {
	ward := wardOf(t, nil)
	w, home, host := ward.Home.World, ward.Home, ward.Host
	revoke(t, ward, "nurse-1")
	quiet(t, home, host)
	w.Cut(home, host)
	revoke(t, ward, "nurse-2")
	revoke(t, ward, "nurse-3")
	var queued uint64
	for _, lane := range edge.Lanes() {
		queued += home.Status(t.Context()).Partners[0].Queued[lane]
	}
	if queued != 2 {
		t.Errorf("%d messages are queued", queued)
	}
	home.Stop()
	var sent atomic.Int64
	w.Intercept(func(from, _ *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if from == home && r.Path == node.MessagesPath {
			sent.Add(1)
		}
		return in
	})
	w.Heal(home, host)
	home.Start()
	quiet(t, home, host)
	nodetest.Eventually(t, "the acknowledgements", func() bool { return home.Status(t.Context()).Partners[0].Queued[edge.Safety] == 0 })
	if sent.Load() != 2 {
		t.Errorf("%d messages were sent after the restart", sent.Load())
	}
	await(t, ward, nurse(ward, "nurse-3"), trust.SubjectRevoked)
}

// An entry of a kind that this binary does not know stops the start, and says
// which.
func TestAnUnknownKindStopsTheStart(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	quiet(t, ward.Home, host)
	size := len(entries(t, host, "trust", ""))
	host.Stop()
	host.Append(1, func(int) ledger.Entry { return ledger.Entry{Kind: "mapping.offered", Version: 3, Body: []byte(`{}`)} })
	err := host.TryStart()
	if trust.KindOf(err) != trust.Conflict || !strings.Contains(err.Error(), "is mapping.offered/v3; this binary knows mapping.offered/v1") || !strings.HasPrefix(err.Error(), fmt.Sprintf("trust log, entry %d: ", size)) {
		t.Errorf("the start fails with %v", err)
	}
}

// verify recomputes a stopped node's ledger.
func verify(t *testing.T, dir string, head []byte) (node.Report, error) {
	t.Helper()
	r, torn, err := local.OpenReader(dir, local.Options{})
	if err != nil {
		return node.Report{}, err
	}
	defer func() { done(t, r.Close()) }()
	if len(torn) > 0 {
		return node.Report{}, trust.Errorf(trust.Invalid, "the log has a torn end")
	}
	return node.VerifyLedger(context.Background(), r, head, nil)
}

// A busy node's ledger verifies from its bytes alone, to the same state; with
// another head, or with one bit turned over, it does not.
func TestVerifyLedger(t *testing.T) {
	ward := singleUse(t)
	host := ward.Host
	for range 20 {
		read(t, ward, nurse(ward, "nurse-1"))
		host.Decide(t.Context(), askOnce(ward, ward.Home.World.IDToken(ward.Issuer, "nurse-1", ward.Audience, nil)))
	}
	revoke(t, ward, "nurse-1")
	quiet(t, ward.Home, host)
	kept := host.Checkpoint(store.DecisionLog)
	host.Decide(t.Context(), ward.Ask([]byte("rubbish")))
	heads, state, foreign := [][]byte{nil, kept, host.Checkpoint(store.TrustLog)}, hash(t, host.State()), ward.Home.Checkpoint(store.TrustLog)
	host.Stop()
	for _, head := range heads {
		report, err := verify(t, data(host), head)
		if err != nil || report.Participant != host.ID || len(report.Logs) != 2 || report.Logs[1].Entries != 41 || report.State != hex.EncodeToString(state) {
			t.Fatalf("%+v, %v", report, err)
		}
	}
	if _, err := verify(t, data(host), foreign); err == nil {
		t.Error("another node's head is one of this ledger")
	}
	segments := segmentsOf(t, data(host))
	if len(segments) < 2 {
		t.Fatalf("segments: %v", segments)
	}
	for _, name := range segments {
		whole, err := os.ReadFile(name)
		done(t, err)
		for i := 7; i < len(whole); i += max(len(whole)/20, 1) {
			flipped := bytes.Clone(whole)
			flipped[i] ^= 1
			done(t, os.WriteFile(name, flipped, 0o600))
			if _, err := verify(t, data(host), kept); err == nil {
				t.Errorf("byte %d of %s was turned over and not found", i, filepath.Base(name))
			}
		}
		done(t, os.WriteFile(name, whole, 0o600))
	}
	older := t.TempDir()
	done(t, os.CopyFS(older, os.DirFS(data(host))))
	host.Start()
	host.Decide(t.Context(), ward.Ask([]byte("rubbish")))
	newer := host.Checkpoint(store.DecisionLog)
	host.Stop()
	_, err := verify(t, data(host), newer)
	done(t, err)
	_, err = verify(t, older, kept)
	done(t, err)
	if _, err = verify(t, older, newer); err == nil {
		t.Error("an older copy passes for the ledger that the head is of")
	}
}

// segmentsOf gives the files that entries stand in.
func segmentsOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	done(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".seg" {
			names = append(names, path)
		}
		return err
	}))
	return names
}
