package keyring

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"os"

	"filippo.io/age"
	"filippo.io/mldsa"
	"filippo.io/mldsa/x509"
	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

const (
	documentKind = "Keyring"
	secretSize   = 32 // bytes of the index key and the data wrapper
)

// document is what keys.age holds.
type document struct {
	Kind    string          `json:"kind"`
	Keys    []privateRecord `json:"keys"`
	Index   []byte          `json:"index"`
	Wrapper []byte          `json:"data_wrapper"`
}

// privateRecord is a dated private key, in PKCS #8. A use may have several, so
// that the next key is announced before the last one ends. Of a log key that has
// ended only the public half is kept, by which old checkpoints verify; of a key in
// a token the file has the public half.
type privateRecord struct {
	Use     participant.KeyUse `json:"use"`
	Private []byte             `json:"private,omitempty"`
	Public  jose.Key           `json:"public,omitzero"`
	Token   string             `json:"token,omitempty"` // instead of Private: its identifier in the token
	Window  trust.Window       `json:"window"`
}

func uses() []participant.KeyUse {
	return []participant.KeyUse{
		participant.LogKey, participant.StreamKey, participant.StatementKey, participant.TokenKey, participant.TLSKey,
	}
}

// algorithm is what a use signs with: P-256 where others' software must follow.
func algorithm(use participant.KeyUse) jose.Alg {
	switch use {
	case participant.LogKey, participant.StreamKey, participant.StatementKey:
		return jose.EdDSA
	case participant.TokenKey, participant.TLSKey:
		return jose.ES256
	default:
		return ""
	}
}

func newDocument(window trust.Window) (document, error) {
	d := document{Kind: documentKind, Index: make([]byte, secretSize), Wrapper: make([]byte, secretSize)}
	rand.Read(d.Index)
	rand.Read(d.Wrapper)
	for _, use := range uses() {
		r, err := Making{}.newRecord(use, window)
		if err != nil {
			return document{}, err
		}
		d.Keys = append(d.Keys, r)
	}
	return d, nil
}

// newPrivate makes a private key of an algorithm in PKCS #8.
func newPrivate(alg jose.Alg) ([]byte, error) {
	var key crypto.Signer
	var err error
	switch alg {
	case jose.EdDSA:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case jose.MLDSA44:
		key, err = mldsa.GenerateKey(mldsa.MLDSA44())
	default:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "making a key for %s: %w", alg, err)
	}
	return x509.MarshalPKCS8PrivateKey(key) // of ML-DSA the seed (RFC 9881, section 6)
}

func (d document) encrypt(to age.Recipient) ([]byte, error) {
	plain, err := json.Marshal(d)
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "rendering the keyring failed")
	}
	return encrypt(plain, to)
}

func encrypt(plain []byte, to age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "encrypting keys: %w", err)
	}
	return out.Bytes(), nil
}

func readDocument(path, unlockFile string, identity age.Identity) (document, error) {
	sealed, err := readFile(path)
	if err != nil {
		return document{}, err
	}
	plain, err := decrypt(sealed, identity)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return document{}, trust.Errorf(trust.Denied, "keys file %s is not encrypted to the identity in %s", path, unlockFile)
	}
	if err != nil {
		return document{}, trust.Errorf(trust.Invalid, "keys file %s cannot be decrypted: %w", path, err)
	}
	var d document
	if err := json.Unmarshal(plain, &d, json.RejectUnknownMembers(true)); err != nil || !d.whole() {
		return document{}, trust.Errorf(trust.Invalid, "keys file %s is no keyring this binary can read", path) // no cause: it would quote the plaintext
	}
	return d, nil
}

func (d document) whole() bool {
	return d.Kind == documentKind && len(d.Index) == secretSize && len(d.Wrapper) == secretSize
}

func decrypt(sealed []byte, identity age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), identity)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// readFile reads a small file. It fails with NotFound when there is none.
func readFile(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, trust.Errorf(trust.NotFound, "there is no file %s", path)
	}
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "reading %s: %w", path, err)
	}
	return b, nil
}

func exists(path string) error {
	return trust.Errorf(trust.Conflict, "%s exists; a file with keys is never overwritten", path)
}

// writeSecret makes a file that only its owner may read, durable when it
// returns. It fails with Conflict when there is one already.
func writeSecret(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return exists(path)
	}
	if err != nil {
		return trust.Errorf(trust.Unavailable, "creating %s: %w", path, err)
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close(), syncFolder(path)); err != nil {
		return trust.Errorf(trust.Unavailable, "writing %s: %w", path, errors.Join(err, os.Remove(path)))
	}
	return nil
}
