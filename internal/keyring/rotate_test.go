package keyring_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// A key that was announced is used when a card certifies it, in the card's
// window and a little after it began; what the card does not have is not used.
func TestTheCardSaysWhatIsUsed(t *testing.T) {
	f := newFolder(t)
	at := int64(now)
	k, err := keyring.Open(f.keys, f.unlock, func() int64 { return at })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	old := k.Records(window)
	begins := trust.Window{NotBefore: now + 100, NotAfter: now + 1000}
	if err := k.Certify(old); err != nil {
		t.Fatal(err)
	}
	made, err := k.Announce(uses, begins)
	if err != nil || len(made) != len(uses) {
		t.Fatalf("%d keys were announced, %v", len(made), err)
	}
	signs := func(use participant.KeyUse) string { return k.Signer(use).Key().Thumbprint() }
	of := func(records []participant.KeyRecord, use participant.KeyUse) string {
		for _, r := range records {
			if r.Use == use {
				return r.Key.Thumbprint()
			}
		}
		return ""
	}
	check := func(when string, want []participant.KeyRecord) {
		t.Helper()
		for _, use := range uses {
			if signs(use) != of(want, use) {
				t.Errorf("%s, %s is signed with %s", when, use, signs(use))
			}
		}
	}
	at = now + 500
	check("announced and not certified", old)
	if err := k.Certify(append(old, made...)); err != nil {
		t.Fatal(err)
	}
	check("certified", made)
	if former, ok := k.Former(participant.StreamKey); !ok || former.Key().Thumbprint() != of(old, participant.StreamKey) {
		t.Error("the key before is not at hand for a partner that knows no other")
	}
	at = now + 159
	check("a partner's clock may be behind", old)
	at = now + 160
	check("no clock is so far behind", made)
	if err := k.Certify(made); err != nil {
		t.Fatal(err)
	}
	at = now + 100
	check("the others were dropped", made)
	at = now + 99
	if _, err := k.Signer(participant.StreamKey).Sign([]byte("x")); trust.KindOf(err) != trust.Conflict {
		t.Errorf("before any window: %v", err)
	}
	donor := newFolder(t).open(t, now).Records(window)
	if err := k.Certify(donor); trust.KindOf(err) != trust.NotFound {
		t.Errorf("keys that are not held: %v", err)
	}

	// It is all on disk, in a file that only its owner may read.
	again := f.open(t, now+500)
	if err := again.Certify(append(old, made...)); err != nil || again.Signer(participant.TLSKey).Key().Thumbprint() != of(made, participant.TLSKey) {
		t.Errorf("reopened: %v", err)
	}
	if info, err := os.Stat(f.keys); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the keys file has %v, %v", info.Mode(), err)
	}
	if files, _ := filepath.Glob(f.keys + ".*"); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
}

// What is past its window is destroyed when the next keys are made; of the log's
// keys the public half stays, by which old checkpoints verify.
func TestWhatHasEndedIsDestroyed(t *testing.T) {
	f := newFolder(t)
	const origin = "trust.rje.example/trust"
	first := f.open(t, now)
	signer, err := first.NoteSigner(origin, now)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := note.Sign(&note.Note{Text: origin + "\n1\nAAAA\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	late := f.open(t, window.NotAfter)
	if _, err := late.Announce(uses, trust.Window{NotBefore: window.NotAfter, NotAfter: window.NotAfter + 1000}); err != nil {
		t.Fatal(err)
	}
	privates := 0
	for _, r := range f.document(t).Keys {
		if len(r.Private) > 0 {
			privates++
		}
	}
	if n := len(f.document(t).Keys); n != len(uses)+1 || privates != len(uses) {
		t.Errorf("the file has %d keys, %d of them private", n, privates)
	}
	for _, k := range []*keyring.Keyring{late, f.open(t, window.NotAfter)} {
		verifiers, err := k.NoteVerifiers(origin)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := note.Open(checkpoint, verifiers); err != nil {
			t.Errorf("an old checkpoint: %v", err)
		}
		if _, err := k.NoteSigner(origin, now); trust.KindOf(err) != trust.Conflict {
			t.Errorf("signing for a time of a key that is destroyed: %v", err)
		}
	}
}
