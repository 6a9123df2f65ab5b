package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash"
	"sync"

	"github.com/entente-id/entente/trust"
)

// index makes the commitments by which a ledger knows what it must not name.
// Each purpose has a key of its own, derived from the one in the document.
type index struct {
	subject   *mac
	commit    *mac
	ground    *mac
	reference cipher.Block
}

func newIndex(secret []byte) (*index, error) {
	keys := make([][]byte, 4)
	for i, purpose := range []string{"entente subject v1", "entente commit v1", "entente reference v1", "entente ground v1"} {
		key, err := hkdf.Key(sha256.New, secret, nil, purpose, secretSize)
		if err != nil {
			return nil, trust.Errorf(trust.Internal, "deriving an index key: %w", err)
		}
		keys[i] = key
	}
	block, err := aes.NewCipher(keys[2])
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "deriving an index key: %w", err)
	}
	return &index{newMAC(keys[0]), newMAC(keys[1]), newMAC(keys[3]), block}, nil
}

// Subject gives the key by which this node's ledger knows a subject of a
// participant: 16 bytes of an HMAC, so that nobody without the keyring can guess
// who it is. No two triples give the same bytes to the HMAC.
func (k *Keyring) Subject(participant, namespace, subject string) trust.SubjectKey {
	return k.index.subject.sum(participant, namespace, subject)
}

// Commit gives a commitment to a value of a domain, such as a resource's
// identifier, under a key of its own.
func (k *Keyring) Commit(domain, value string) [16]byte { return k.index.commit.sum(domain, value) }

// Reference renders a position in the decision log as 26 characters of a-z and
// 2-7. To anyone else it says neither where the entry stands nor how many there
// are.
func (k *Keyring) Reference(p trust.Position) string {
	block := blocks.Get().(*[aes.BlockSize]byte) // Encrypt is behind an interface: one of its own would be garbage each time
	defer blocks.Put(block)
	binary.BigEndian.PutUint32(block[0:], p.Epoch)
	binary.BigEndian.PutUint64(block[4:], p.N)
	copy(block[12:], referenceMagic)
	k.index.reference.Encrypt(block[:], block[:])
	var text [26]byte
	referenceText.Encode(text[:], block[:])
	return string(text[:])
}

var blocks = sync.Pool{New: func() any { return new([aes.BlockSize]byte) }}

// ParseReference gives the position of a reference that this node gave out. One
// that was made up passes once in four thousand million times, and then names
// an entry at random.
func (k *Keyring) ParseReference(s string) (trust.Position, bool) {
	block, err := referenceText.DecodeString(s)
	if err != nil || len(block) != aes.BlockSize || referenceText.EncodeToString(block) != s {
		return trust.Position{}, false
	}
	k.index.reference.Decrypt(block, block)
	if string(block[12:]) != referenceMagic {
		return trust.Position{}, false
	}
	return trust.Position{Epoch: binary.BigEndian.Uint32(block), N: binary.BigEndian.Uint64(block[4:])}, true
}

const referenceMagic = "ent1"

var referenceText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// mac is HMAC-SHA-256 under one key. Its states are pooled: setting up a key
// costs as much as a short message.
type mac struct{ pool sync.Pool }

type macState struct {
	hash hash.Hash
	buf  []byte
}

func newMAC(key []byte) *mac {
	return &mac{sync.Pool{New: func() any { return &macState{hash: hmac.New(sha256.New, key)} }}}
}

// sum puts each part's length before it, so that no two lists run together.
func (m *mac) sum(parts ...string) (out [16]byte) {
	s := m.pool.Get().(*macState)
	defer m.pool.Put(s)
	s.buf = s.buf[:0]
	for _, p := range parts {
		s.buf = binary.BigEndian.AppendUint64(s.buf, uint64(len(p)))
		s.buf = append(s.buf, p...)
	}
	s.hash.Reset()
	s.hash.Write(s.buf)
	s.buf = s.hash.Sum(s.buf[:0])
	copy(out[:], s.buf)
	return out
}
