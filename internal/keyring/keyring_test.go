package keyring_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

const now = 1_793_620_800 // 2026-11-02T12:00:00Z

var window = trust.Window{NotBefore: now - 3600, NotAfter: now + 86400}

var uses = []participant.KeyUse{
	participant.LogKey, participant.StreamKey, participant.StatementKey, participant.TokenKey, participant.TLSKey,
}

// folder is a directory with a keyring in it.
type folder struct{ dir, keys, unlock string }

func newFolder(t testing.TB) folder {
	t.Helper()
	dir := t.TempDir()
	f := folder{dir, filepath.Join(dir, "keys.age"), filepath.Join(dir, "unlock.key")}
	recipient, err := keyring.CreateUnlock(f.unlock)
	if err != nil {
		t.Fatal(err)
	}
	if err := keyring.Create(f.keys, recipient, window); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f folder) open(t testing.TB, at int64) *keyring.Keyring {
	t.Helper()
	k, err := keyring.Open(f.keys, f.unlock, func() int64 { return at })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

func (f folder) identity(t testing.TB) *age.X25519Identity {
	t.Helper()
	content, err := os.ReadFile(f.unlock)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	identity, err := age.ParseX25519Identity(lines[len(lines)-1])
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// document is the file format, as a reader from outside would know it.
type document struct {
	Kind    string   `json:"kind"`
	Keys    []record `json:"keys"`
	Index   []byte   `json:"index"`
	Wrapper []byte   `json:"data_wrapper"`
}

type record struct {
	Use     participant.KeyUse `json:"use"`
	Private []byte             `json:"private"`
	Window  trust.Window       `json:"window"`
}

func (f folder) document(t testing.TB) document {
	t.Helper()
	sealed, err := os.Open(f.keys)
	if err != nil {
		t.Fatal(err)
	}
	defer sealed.Close()
	plain, err := age.Decrypt(sealed, f.identity(t))
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.UnmarshalRead(plain, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (f folder) write(t testing.TB, content []byte) {
	t.Helper()
	var out bytes.Buffer
	w, err := age.Encrypt(&out, f.identity(t).Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.keys, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func render(t testing.TB, d document) []byte {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryUseSignsAndKeepsItsKey(t *testing.T) {
	f := newFolder(t)
	first, again := f.open(t, now), f.open(t, now)
	for _, use := range uses {
		signer := first.Signer(use)
		token, err := jose.Sign(signer, "test", map[string]string{"use": string(use)})
		if err != nil || token == "" {
			t.Errorf("%s: %v", use, err)
		}
		if !signer.Key().Equal(again.Signer(use).Key()) {
			t.Errorf("%s has another key after reopening", use)
		}
	}
	if records := first.Records(window); len(records) != len(uses) {
		t.Errorf("%d records, want one of each of %d uses", len(records), len(uses))
	}
	if records := first.Records(trust.Window{NotBefore: window.NotAfter, NotAfter: window.NotAfter + 1}); len(records) != 0 {
		t.Errorf("%d records touch a window after their end", len(records))
	}
}

func TestTheNewestValidKeySigns(t *testing.T) {
	f := newFolder(t)
	d := f.document(t)
	donor := newFolder(t).document(t) // its keys are the next ones
	next := trust.Window{NotBefore: now + 100, NotAfter: window.NotAfter + 86400}
	for _, r := range donor.Keys {
		d.Keys = append([]record{{r.Use, r.Private, next}}, d.Keys...)
	}
	f.write(t, render(t, d))
	old, both, last := f.open(t, now), f.open(t, now+160), f.open(t, window.NotAfter)
	for _, use := range uses {
		before, overlap, after := old.Signer(use).Key(), both.Signer(use).Key(), last.Signer(use).Key()
		if before.Equal(overlap) || !overlap.Equal(after) {
			t.Errorf("%s: the next key does not take over when it becomes valid", use)
		}
	}
	if n := len(old.Records(window)); n != 2*len(uses) {
		t.Errorf("%d records, want %d: the next key is announced", n, 2*len(uses))
	}
}

func TestNoKeyIsUsedOutsideItsWindow(t *testing.T) {
	f := newFolder(t)
	for _, at := range []int64{window.NotBefore - 1, window.NotAfter} {
		k := f.open(t, at)
		for _, use := range uses {
			if _, err := k.Signer(use).Sign([]byte("x")); trust.KindOf(err) != trust.Conflict {
				t.Errorf("%s at %d: %v", use, at, err)
			}
		}
		if _, err := k.NoteSigner("trust.rje.example/trust", at); trust.KindOf(err) != trust.Conflict {
			t.Errorf("note signer at %d: %v", at, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, f folder)
		want  trust.ErrorKind
		says  string
	}{
		{"another identity", func(t *testing.T, f folder) {
			os.Remove(f.unlock)
			if _, err := keyring.CreateUnlock(f.unlock); err != nil {
				t.Fatal(err)
			}
		}, trust.Denied, "not encrypted to the identity"},
		{"unlock file of the group", func(t *testing.T, f folder) { os.Chmod(f.unlock, 0o640) }, trust.Denied, "mode 0640"},
		{"unlock file of the world", func(t *testing.T, f folder) { os.Chmod(f.unlock, 0o604) }, trust.Denied, "mode 0604"},
		{"unlock file without an identity", func(t *testing.T, f folder) { os.WriteFile(f.unlock, []byte("AGE-SECRET-KEY-canary\n"), 0o600) }, trust.Invalid, "X25519"},
		{"empty unlock file", func(t *testing.T, f folder) { os.WriteFile(f.unlock, nil, 0o600) }, trust.Invalid, "X25519"},
		{"no unlock file", func(t *testing.T, f folder) { os.Remove(f.unlock) }, trust.NotFound, "unlock.key"},
		{"no keys file", func(t *testing.T, f folder) { os.Remove(f.keys) }, trust.NotFound, "keys.age"},
		{"no table", func(t *testing.T, f folder) { os.Remove(filepath.Join(f.dir, "keyring.db")) }, trust.NotFound, "keyring.db"},
		{"damaged keys file", func(t *testing.T, f folder) {
			content, _ := os.ReadFile(f.keys)
			content[len(content)-1] ^= 1
			os.WriteFile(f.keys, content, 0o600)
		}, trust.Invalid, "cannot be decrypted"},
		{"another document", func(t *testing.T, f folder) { f.write(t, []byte(`{"kind":"canary"}`)) }, trust.Invalid, "no keyring"},
		{"an unknown member", func(t *testing.T, f folder) {
			f.write(t, bytes.Replace(render(t, f.document(t)), []byte("{"), []byte(`{"canary":1,`), 1))
		}, trust.Invalid, "no keyring"},
		{"a key of the wrong type", func(t *testing.T, f folder) {
			d := f.document(t)
			d.Keys[4].Use = participant.LogKey
			f.write(t, render(t, d))
		}, trust.Invalid, "takes [EdDSA ML-DSA-44]"},
		{"an unknown use", func(t *testing.T, f folder) {
			d := f.document(t)
			d.Keys[0].Use = "seance"
			f.write(t, render(t, d))
		}, trust.Invalid, "seance"},
		{"a private key that is none", func(t *testing.T, f folder) {
			d := f.document(t)
			d.Keys[0].Private = []byte("canary")
			f.write(t, render(t, d))
		}, trust.Invalid, "PKCS #8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFolder(t)
			c.spoil(t, f)
			k, err := keyring.Open(f.keys, f.unlock, func() int64 { return now })
			if k != nil {
				t.Error("there is a keyring with the error")
			}
			if trust.KindOf(err) != c.want || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("got %v, want %s that says %q", err, c.want, c.says)
			}
			if strings.Contains(fmt.Sprint(err), "canary") { // R33
				t.Errorf("the error quotes what it read: %v", err)
			}
		})
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	f := newFolder(t)
	before, err := os.ReadFile(f.keys)
	if err != nil {
		t.Fatal(err)
	}
	if err := keyring.Create(f.keys, f.identity(t).Recipient(), window); trust.KindOf(err) != trust.Conflict {
		t.Errorf("creating again: %v", err)
	}
	if _, err := keyring.CreateUnlock(f.unlock); trust.KindOf(err) != trust.Conflict {
		t.Errorf("creating the unlock file again: %v", err)
	}
	if after, _ := os.ReadFile(f.keys); !bytes.Equal(before, after) {
		t.Error("the keys file changed")
	}
	for _, name := range []string{f.keys, f.unlock, filepath.Join(f.dir, "keyring.db")} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", filepath.Base(name), info.Mode(), err)
		}
	}
}

func TestNotesAreSignedByTheLogKey(t *testing.T) {
	const origin = "trust.rje.example/trust"
	k := newFolder(t).open(t, now)
	signer, err := k.NoteSigner(origin, now)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: origin + "\n3\nAAAA\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := keyring.NoteVerifier(origin, k.Signer(participant.LogKey).Key())
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := note.Open(signed, note.VerifierList(verifier)); err != nil || len(opened.Sigs) != 1 {
		t.Errorf("the note does not verify: %v", err)
	}
	other, err := keyring.NoteVerifier(origin, k.Signer(participant.StreamKey).Key())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(signed, note.VerifierList(other)); err == nil {
		t.Error("the note verifies under the stream key")
	}
	if _, err := keyring.NoteVerifier(origin, k.Signer(participant.TLSKey).Key()); trust.KindOf(err) != trust.Invalid {
		t.Errorf("a P-256 key verifies notes: %v", err)
	}
	if _, err := keyring.NoteVerifier("two words", k.Signer(participant.LogKey).Key()); trust.KindOf(err) != trust.Invalid {
		t.Errorf("a space in an origin: %v", err)
	}
}

func TestTLSCertificateIsOverTheTLSKey(t *testing.T) {
	k := newFolder(t).open(t, now)
	entity, err := trust.ParseParticipantID("https://trust.rje.example/node")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := k.TLSCertificate(entity)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	key, err := jose.NewKey(leaf.PublicKey, jose.ES256, "")
	if err != nil || key.Thumbprint() != k.Signer(participant.TLSKey).Key().Thumbprint() {
		t.Errorf("the certificate is over %s, %v", key.Thumbprint(), err)
	}
	if len(leaf.URIs) != 1 || leaf.URIs[0].String() != entity.String() || leaf.NotAfter.Unix() != window.NotAfter {
		t.Errorf("certificate for %v until %s", leaf.URIs, leaf.NotAfter)
	}
	if sha256.Sum256(leaf.RawSubjectPublicKeyInfo) != sha256.Sum256(certificate.Leaf.RawSubjectPublicKeyInfo) {
		t.Error("Leaf is another certificate")
	}
}

func TestNoSecretIsPrintedOrWritten(t *testing.T) { // R33
	f := newFolder(t)
	k := f.open(t, now)
	owner := k.Subject("https://trust.rje.example", "staff", "canary-subject")
	sealed, err := k.Seal(t.Context(), owner, []byte("canary-plaintext"))
	if err != nil {
		t.Fatal(err)
	}
	d := f.document(t)
	secrets := [][]byte{[]byte("canary-subject"), []byte("canary-plaintext"), d.Index, d.Wrapper}
	for _, r := range d.Keys {
		secrets = append(secrets, secretPart(t, r.Private))
	}
	var printed bytes.Buffer
	slog.New(slog.NewJSONHandler(&printed, nil)).Info("x", "keyring", k, "value", *k)
	slog.New(slog.NewTextHandler(&printed, nil)).Info("x", "keyring", k, "value", *k)
	fmt.Fprintf(&printed, "%v %+v %#v %s %v %+v %#v", k, k, k, k, *k, *k, *k)
	if n := strings.Count(printed.String(), "keyring(secret)"); n != 11 {
		t.Errorf("%d of 11 printed forms are redacted: %s", n, printed.String())
	}
	for _, file := range append(f.files(t), bytes.NewReader(sealed), &printed) {
		content, err := io.ReadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range secrets {
			if bytes.Contains(content, s) {
				t.Errorf("secret %d stands in plain in a file or a printed value", i)
			}
		}
	}
}

// secretPart gives the bytes of a PKCS #8 key that are secret.
func secretPart(t *testing.T, der []byte) []byte {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return key.Seed()
	case *ecdsa.PrivateKey:
		d, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return d
	default:
		t.Fatalf("a %T", key)
		return nil
	}
}

// files gives everything in the folder but the unlock file.
func (f folder) files(t *testing.T) (out []io.Reader) {
	t.Helper()
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if path := filepath.Join(f.dir, e.Name()); path != f.unlock {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, bytes.NewReader(content))
		}
	}
	return out
}
