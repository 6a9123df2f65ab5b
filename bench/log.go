package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

const (
	bodySize   = 400 // bytes of an entry, about those of a decision
	sealedSize = 200

	origin = "bench.example/log"
)

// measureLog compares the ledger with a file that takes the same bytes from the
// same callers, in turn.
func measureLog(ctx context.Context, dir string, n size, r *report) error {
	body := fmt.Appendf(nil, `{"filler":"%s"}`, bytes.Repeat([]byte("x"), bodySize))
	sealed := bytes.Repeat([]byte{0xe5}, sealedSize)
	for i := range n.Rounds {
		path := filepath.Join(dir, fmt.Sprintf("log-%d", i))
		var length int64
		err := withLedger(ctx, path, store.DecisionLog, nil, func(l *ledger.Log[*state.Snapshot]) error {
			m, err := take(ctx, n.Appends, n.Callers, func(int) error {
				_, err := l.Append(ctx, ledger.Entry{Kind: "bench.entry", Version: 1, Body: body, Sealed: sealed})
				return err
			})
			r.Ledger = append(r.Ledger, m)
			return first(err, sizeOf(path, &length))
		})
		if err != nil {
			return fmt.Errorf("measuring the ledger: %w", err)
		}
		m, err := measureRaw(ctx, path+".raw", n, int(length)/n.Appends)
		if err != nil {
			return fmt.Errorf("measuring the raw log: %w", err)
		}
		r.Raw = append(r.Raw, m)
	}
	return nil
}

func measureRaw(ctx context.Context, path string, n size, bytesEach int) (measure, error) {
	raw, err := openRawLog(path)
	if err != nil {
		return measure{}, err
	}
	entry := bytes.Repeat([]byte{0xa7}, bytesEach)
	m, err := take(ctx, n.Appends, n.Callers, func(int) error { return raw.append(entry) })
	return m, first(err, raw.close())
}

// sizeOf gives the bytes of all segments below dir.
func sizeOf(dir string, size *int64) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".seg" {
			return err
		}
		info, err := d.Info()
		if err == nil {
			*size += info.Size()
		}
		return err
	})
}

// measureGrowth compares an append to a trust log of a thousand entries with one
// to a log of a million: each revokes somebody new and is folded.
func measureGrowth(ctx context.Context, dir string, n size, r *report) error {
	codec := state.NewCodec()
	fold := func(s *state.Snapshot, e ledger.Record) (*state.Snapshot, error) {
		return state.Fold(codec, s, e.Kind, e.Version, e.Body, trust.Stamp{Position: e.Position, At: e.At})
	}
	home, err := trust.ParseParticipantID("https://trust.home.example")
	if err != nil {
		return err
	}
	var subjects atomic.Uint64
	return withLedger(ctx, filepath.Join(dir, "growth"), store.TrustLog, fold, func(l *ledger.Log[*state.Snapshot]) error {
		revoke := func(int) error {
			target := revocation.Target{Kind: revocation.Subject, Participant: home, Subject: subject(subjects.Add(1)), Engagement: 1}
			kind, body, err := codec.Encode(revocation.Revoked{Target: target, By: "op-bench"})
			if err != nil {
				return err
			}
			_, err = l.Append(ctx, ledger.Entry{Kind: kind.Name, Version: kind.Version, Body: body})
			return err
		}
		for _, at := range []struct {
			size uint64
			to   *series
		}{{1_000, &r.Small}, {1_000_000, &r.Large}} {
			if _, err := take(ctx, int(at.size-l.Size()), n.Callers, revoke); err != nil {
				return fmt.Errorf("growing the trust log: %w", err)
			}
			for range n.Rounds {
				m, err := take(ctx, n.Tail/n.Rounds, n.Callers, revoke)
				if err != nil {
					return fmt.Errorf("appending to a trust log of %d entries: %w", l.Size(), err)
				}
				*at.to = append(*at.to, m)
			}
		}
		return nil
	})
}

// subject spreads i over the keys as an HMAC would.
func subject(i uint64) (k trust.SubjectKey) {
	binary.BigEndian.PutUint64(k[:], i*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(k[8:], i*0xc2b2ae3d27d4eb4f)
	return k
}

// withLedger opens a new log and closes it after do.
func withLedger(ctx context.Context, dir, log string, fold func(*state.Snapshot, ledger.Record) (*state.Snapshot, error), do func(*ledger.Log[*state.Snapshot]) error) error {
	private, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return err
	}
	files, _, err := local.Open(dir, local.Options{})
	if err != nil {
		return err
	}
	l, err := ledger.Open(ctx, ledger.Config[*state.Snapshot]{
		Store: files, Log: log, Origin: origin, Signer: func(int64) (note.Signer, error) { return signer, nil }, Verifiers: note.VerifierList(verifier),
		Now: func() int64 { return time.Now().Unix() }, Rand: rand.Reader, Fold: fold, Start: &state.Snapshot{},
	})
	if err != nil {
		return first(err, files.Close())
	}
	err = do(l)
	l.Close()
	return first(err, files.Close())
}
