package seal_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/seal"
	"github.com/entente-id/entente/trust"
)

func newAEAD(t testing.TB, key byte) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(bytes.Repeat([]byte{key}, 32))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead
}

func TestWhatIsSealedOpens(t *testing.T) {
	aead := newAEAD(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		nonce := rapid.SliceOfN(rapid.Byte(), 12, 12).Draw(t, "nonce")
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(t, "plaintext")
		owner := rapid.SliceOf(rapid.Byte()).Draw(t, "owner")
		sealed := seal.Seal(aead, nonce, plaintext, owner)
		if want := 1 + 12 + len(plaintext) + 16; len(sealed) != want || sealed[0] != seal.Version {
			t.Fatalf("%d bytes of version %d, want %d of version %d", len(sealed), sealed[0], want, seal.Version)
		}
		opened, err := seal.Open(aead, sealed, owner)
		if err != nil || !bytes.Equal(opened, plaintext) {
			t.Fatalf("opened %x, %v; want %x", opened, err, plaintext)
		}
	})
}

func TestEveryChangedByteIsRefused(t *testing.T) {
	aead, nonce, owner := newAEAD(t, 1), make([]byte, 12), []byte("owner")
	sealed := seal.Seal(aead, nonce, []byte("ward seven, bed four"), owner)
	before := seal.Commitment(sealed)
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := seal.Open(aead, changed, owner); err == nil {
			t.Errorf("byte %d changed and the part still opens", i)
		}
		if seal.Commitment(changed) == before {
			t.Errorf("byte %d changed and the commitment did not", i)
		}
	}
}

func TestRefusals(t *testing.T) {
	aead, nonce, owner := newAEAD(t, 1), make([]byte, 12), []byte("owner")
	sealed := seal.Seal(aead, nonce, []byte("ward seven"), owner)
	newer := bytes.Clone(sealed)
	newer[0] = seal.Version + 1
	for _, c := range []struct {
		name   string
		aead   cipher.AEAD
		sealed []byte
		owner  string
		want   trust.ErrorKind
	}{
		{"another key", newAEAD(t, 2), sealed, "owner", trust.Denied},
		{"another owner", aead, sealed, "other", trust.Denied},
		{"no owner", aead, sealed, "", trust.Denied},
		{"cut short", aead, sealed[:len(sealed)-1], "owner", trust.Denied},
		{"a later version", aead, newer, "owner", trust.Invalid},
		{"no room for a tag", aead, sealed[:28], "owner", trust.Invalid},
		{"nothing", aead, nil, "owner", trust.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := seal.Open(c.aead, c.sealed, []byte(c.owner)); trust.KindOf(err) != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	aead := newAEAD(f, 1)
	genuine := seal.Seal(aead, make([]byte, 12), []byte("ward seven"), []byte("owner"))
	f.Add(genuine, []byte("owner"))
	f.Add([]byte{seal.Version}, []byte{})
	f.Fuzz(func(t *testing.T, sealed, owner []byte) {
		opened, err := seal.Open(aead, sealed, owner)
		if err == nil && !bytes.Equal(seal.Seal(aead, sealed[1:13], opened, owner), sealed) {
			t.Errorf("%x opens for %x and does not seal back to itself", sealed, owner)
		}
	})
}
