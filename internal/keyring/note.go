package keyring

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"

	"filippo.io/mldsa"
	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/note"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// NoteSigner signs the checkpoints of the log of an origin with the log key that
// is current at a time, in Unix seconds (C2SP signed-note; see NoteVerifier). It fails
// with Conflict when none is valid and with Invalid for an origin that no note
// may carry.
func (k *Keyring) NoteSigner(origin string, at int64) (note.Signer, error) {
	key, err := k.current(participant.LogKey, at)
	if err != nil {
		return nil, err
	}
	name := [3]string{"note", origin, key.record.Key.Thumbprint()}
	if known, ok := k.made.Load(name); ok {
		return known.(note.Signer), nil
	}
	verifier, err := NoteVerifier(origin, key.record.Key)
	if err != nil {
		return nil, err
	}
	signer := noteSigner{verifier, key.signer}
	k.made.Store(name, signer)
	return signer, nil
}

// NoteVerifiers checks the checkpoints of the log of an origin under every log
// key that this node ever had. It fails with Invalid for an origin that no note
// may carry.
func (k *Keyring) NoteVerifiers(origin string) (note.Verifiers, error) {
	var all []note.Verifier
	for _, key := range *k.held.Load() {
		if key.record.Use != participant.LogKey {
			continue
		}
		v, err := NoteVerifier(origin, key.record.Key)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return note.VerifierList(all...), nil
}

// noteSigner has its name and key hash from the verifier of the same key.
type noteSigner struct {
	note.Verifier
	signer jose.Signer
}

func (s noteSigner) Sign(message []byte) ([]byte, error) { return s.signer.Sign(message) }

// NoteVerifier checks the checkpoints of the log of an origin under a key for
// EdDSA, as C2SP signed-note has it, or for ML-DSA-44, for which that has no
// type of its own. It fails with Invalid for another key and for an origin that
// is empty or holds a space or a plus.
func NoteVerifier(origin string, key jose.Key) (note.Verifier, error) {
	switch key.Alg() {
	case jose.EdDSA:
		public, err := octets(key, "x")
		if err != nil {
			return nil, err
		}
		return ed25519Verifier(origin, public)
	case jose.MLDSA44:
		public, err := octets(key, "pub")
		if err != nil {
			return nil, err
		}
		return newMLDSAVerifier(origin, public)
	default:
		return nil, trust.Errorf(trust.Invalid, "key %q is for %q; it verifies no log", key.KeyID(), key.Alg())
	}
}

func ed25519Verifier(origin string, public []byte) (note.Verifier, error) {
	text, err := note.NewEd25519VerifierKey(origin, public)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "log key of %q: %w", origin, err)
	}
	verifier, err := note.NewVerifier(text)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "log origin %q cannot name a log: %w", origin, err)
	}
	return verifier, nil
}

// mldsaVerifier checks ML-DSA-44 signatures over the whole text of a note. The
// cosignatures of C2SP (0x06) would leave the line of the epoch unsigned.
type mldsaVerifier struct {
	origin string
	public *mldsa.PublicKey
	hash   uint32
}

// mldsaType names these signatures by the byte for types without one, and words
// that nobody else uses (C2SP signed-note, signature types).
const mldsaType = "\xffgithub.com/entente-id/entente/ml-dsa-44"

func newMLDSAVerifier(origin string, public []byte) (note.Verifier, error) {
	if origin == "" || strings.ContainsFunc(origin, func(r rune) bool { return unicode.IsSpace(r) || r == '+' }) || !utf8.ValidString(origin) {
		return nil, trust.Errorf(trust.Invalid, "log origin %q cannot name a log", origin)
	}
	key, err := mldsa.NewPublicKey(mldsa.MLDSA44(), public)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "log key of %q: %w", origin, err)
	}
	sum := sha256.Sum256([]byte(origin + "\n" + mldsaType + string(public)))
	return mldsaVerifier{origin, key, binary.BigEndian.Uint32(sum[:])}, nil
}

func (v mldsaVerifier) Name() string    { return v.origin }
func (v mldsaVerifier) KeyHash() uint32 { return v.hash }
func (v mldsaVerifier) Verify(text, signature []byte) bool {
	return mldsa.Verify(v.public, text, signature, nil) == nil
}

// octets reads a member of a key's JWK.
func octets(key jose.Key, name string) ([]byte, error) {
	var jwk map[string]string
	text, err := key.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(text, &jwk)
	}
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "reading key %q: %w", key.KeyID(), err)
	}
	return base64.RawURLEncoding.DecodeString(jwk[name])
}
