package keyring_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"maps"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// drawer stands for a hardware token: what it holds outlives a keyring.
type drawer struct {
	keys   map[string]crypto.Signer
	closed int
	broken bool
	after  int // how many more keys it makes; -1: any number
}

func newDrawer() *drawer { return &drawer{keys: map[string]crypto.Signer{}, after: -1} }

var errBroken = trust.Errorf(trust.Unavailable, "the token is gone")

func (d *drawer) Make(id string) (crypto.Signer, error) {
	if d.broken || d.after == 0 {
		return nil, errBroken
	}
	d.after--
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	d.keys[id] = key
	return key, err
}

func (d *drawer) Find(id string) (crypto.Signer, error) {
	if d.broken {
		return nil, errBroken
	}
	if key, ok := d.keys[id]; ok {
		return key, nil
	}
	return nil, trust.Errorf(trust.NotFound, "the token has no key %s", id)
}

func (d *drawer) Destroy(id string) error {
	if _, err := d.Find(id); err != nil {
		return err
	}
	delete(d.keys, id)
	return nil
}

func (d *drawer) Close() error { d.closed++; return nil }

var inToken = []participant.KeyUse{participant.StreamKey, participant.StatementKey, participant.TokenKey, participant.TLSKey}

func (f folder) openWith(t *testing.T, d *drawer, at int64) *keyring.Keyring {
	t.Helper()
	k, err := keyring.OpenWith(keyring.Making{Token: d, InToken: inToken}, f.keys, f.unlock, func() int64 { return at })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

// The next keys are made in the token and sign from there, also after a restart;
// the file has no private half of them.
func TestKeysInAToken(t *testing.T) {
	f, d := newFolder(t), newDrawer()
	k := f.openWith(t, d, now+200)
	next := trust.Window{NotBefore: now, NotAfter: now + 1000}
	made, err := k.Announce(uses, next)
	if err != nil || len(d.keys) != len(inToken) {
		t.Fatalf("%d keys are in the token, %v", len(d.keys), err)
	}
	for _, r := range f.document(t).Keys {
		if r.Window == next && (len(r.Private) > 0) == slices.Contains(inToken, r.Use) {
			t.Errorf("of the %s key, the file has %d bytes", r.Use, len(r.Private))
		}
	}
	for what, k := range map[string]*keyring.Keyring{"at once": k, "after a restart": f.openWith(t, d, now+200)} {
		if err := k.Certify(made); err != nil {
			t.Fatal(err)
		}
		for _, r := range made {
			signer := k.Signer(r.Use)
			if !signer.Key().Equal(r.Key) {
				t.Fatalf("%s, %s is signed with %s", what, r.Use, signer.Key().KeyID())
			}
			jws, err := jose.Sign(signer, "JWT", map[string]any{"a": 1})
			if err != nil {
				t.Fatal(err)
			}
			u, err := jose.Parse(jws, jose.Form{Types: []string{"JWT"}, Use: r.Use.Signs()})
			if err == nil {
				_, err = u.Verify(r.Key)
			}
			if r.Use != participant.LogKey && err != nil {
				t.Errorf("%s, %s: %v", what, r.Use, err)
			}
		}
		id, err := trust.ParseParticipantID("https://trust.rje.example")
		if err != nil {
			t.Fatal(err)
		}
		if c, err := k.TLSCertificate(id); err != nil || !c.Leaf.PublicKey.(*ecdsa.PublicKey).Equal(c.PrivateKey.(crypto.Signer).Public()) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Past their end they are destroyed, in the token too.
	late := f.openWith(t, d, window.NotAfter)
	before := slices.Collect(maps.Keys(d.keys))
	if _, err := late.Announce(uses, trust.Window{NotBefore: window.NotAfter, NotAfter: window.NotAfter + 1000}); err != nil {
		t.Fatal(err)
	}
	for _, id := range before {
		if _, err := d.Find(id); err == nil {
			t.Errorf("key %s is past its end, and still in the token", id)
		}
	}
	late.Close()
	if d.closed == 0 {
		t.Error("the token stays open")
	}
}

// What the token cannot do fails, and leaves nothing half made.
func TestATokenThatFails(t *testing.T) {
	f, d := newFolder(t), newDrawer()
	k := f.openWith(t, d, now+200)
	next := trust.Window{NotBefore: now, NotAfter: now + 1000}
	d.after = 2
	if _, err := k.Announce(uses, next); trust.KindOf(err) != trust.Unavailable || len(d.keys) > 0 {
		t.Errorf("a token that fails midway: %v; %d keys stay in it", err, len(d.keys))
	}
	d.after = -1
	if _, err := k.Announce(uses, next); err != nil {
		t.Fatal(err)
	}
	open := func(m keyring.Making, at int64) trust.ErrorKind {
		k, err := keyring.OpenWith(m, f.keys, f.unlock, func() int64 { return at })
		if err == nil {
			k.Close()
			return ""
		}
		return trust.KindOf(err)
	}
	if kind := open(keyring.Making{}, now); kind != trust.Invalid {
		t.Errorf("no token is configured: %q", kind)
	}
	d.broken = true
	if kind := open(keyring.Making{Token: d}, now); kind != trust.Unavailable {
		t.Errorf("the token is gone: %q", kind)
	}
	d.broken = false
	kept := maps.Clone(d.keys)
	d.keys = map[string]crypto.Signer{}
	if kind := open(keyring.Making{Token: d}, now); kind != trust.NotFound {
		t.Errorf("a token without the keys: %q", kind)
	}
	if kind := open(keyring.Making{Token: d}, next.NotAfter); kind != "" {
		t.Errorf("a token without keys that have ended: %q", kind)
	}
	for id := range kept {
		if _, err := d.Make(id); err != nil {
			t.Fatal(err)
		}
	}
	if kind := open(keyring.Making{Token: d}, now); kind != trust.Invalid {
		t.Errorf("other keys under the same identifiers: %q", kind)
	}
	if _, err := f.openNone(t).Announce(uses, next); trust.KindOf(err) != trust.Invalid {
		t.Errorf("a use that belongs in a token that is not there: %v", err)
	}
}

// openNone opens a fresh keyring that wants a token and has none.
func (folder) openNone(t *testing.T) *keyring.Keyring {
	t.Helper()
	f := newFolder(t)
	k, err := keyring.OpenWith(keyring.Making{InToken: inToken}, f.keys, f.unlock, func() int64 { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

// Keys for ML-DSA-44 are made in the file, sign messages and checkpoints, and are
// there after a restart.
func TestKeysForMLDSA(t *testing.T) {
	const origin = "trust.rje.example/trust"
	f := newFolder(t)
	quantum := []participant.KeyUse{participant.LogKey, participant.StreamKey, participant.StatementKey}
	open := func() *keyring.Keyring {
		k, err := keyring.OpenWith(keyring.Making{MLDSA44: quantum}, f.keys, f.unlock, func() int64 { return now + 200 })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { k.Close() })
		return k
	}
	k := open()
	made, err := k.Announce(uses, trust.Window{NotBefore: now, NotAfter: now + 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range made {
		if got := r.Key.Alg(); (got == jose.MLDSA44) != slices.Contains(quantum, r.Use) {
			t.Errorf("the %s key is for %s", r.Use, got)
		}
	}
	for _, k := range []*keyring.Keyring{k, open()} {
		if err := k.Certify(made); err != nil {
			t.Fatal(err)
		}
		if got := k.Signer(participant.StreamKey).Key(); got.Alg() != jose.MLDSA44 {
			t.Errorf("messages are signed with a key for %s", got.Alg())
		}
		signer, err := k.NoteSigner(origin, now+200)
		if err != nil {
			t.Fatal(err)
		}
		text := origin + "\n3\nAAAA\nepoch 1\n"
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			t.Fatal(err)
		}
		verifiers, err := k.NoteVerifiers(origin)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := note.Open(signed, verifiers); err != nil || len(opened.Sigs) != 1 {
			t.Errorf("the checkpoint does not verify: %v", err)
		}
		for what, changed := range map[string][]byte{
			"another size":  bytes.Replace(signed, []byte("\n3\n"), []byte("\n4\n"), 1),
			"another epoch": bytes.Replace(signed, []byte("epoch 1"), []byte("epoch 2"), 1),
		} {
			if _, err := note.Open(changed, verifiers); err == nil {
				t.Errorf("%s verifies", what)
			}
		}
		if other, err := k.NoteVerifiers("trust.rje.example/decisions"); err != nil {
			t.Fatal(err)
		} else if _, err := note.Open(signed, other); err == nil {
			t.Error("it verifies as another log's")
		}
	}
	key := made[slices.IndexFunc(made, func(r participant.KeyRecord) bool { return r.Use == participant.LogKey })].Key
	for _, bad := range []string{"", "a b", "a+b", "a\xff"} {
		if _, err := keyring.NoteVerifier(bad, key); trust.KindOf(err) != trust.Invalid {
			t.Errorf("origin %q: %v", bad, err)
		}
	}
}
