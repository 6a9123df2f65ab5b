// Package keyring holds a node's secrets: its dated private keys, the index key
// behind every commitment in the ledger, and one data key for every person whose
// details are sealed there. A secret never leaves: a method signs, seals or
// commits. No error, log line or printed value shows one.
//
// On disk there are two files. keys.age is one JSON document, encrypted with age
// to the identity in the unlock file, which may live elsewhere. keyring.db,
// beside it, is a table of data keys wrapped by a key of that document; it is no
// part of a backup of the ledger, so that erasing a row erases for good.
//
// It decides which key is used at a moment and how a secret is kept. It refuses
// to know what is signed or sealed.
package keyring

import (
	"crypto"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"filippo.io/age"
	"filippo.io/mldsa/x509"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// database is the name of the data keys' file, beside keys.age.
const database = "keyring.db"

// Keyring is an open keyring. Its methods may be called by any goroutine.
type Keyring struct {
	path, unlock string
	now          func() int64
	making       Making
	index        *index
	data         *dataKeys

	held      *atomic.Pointer[[]onlineKey]
	certified *atomic.Pointer[map[string]trust.Window] // by thumbprint; empty before Certify
	made      *sync.Map                                // note signers and certificates, by what they are of
	file      *sync.Mutex                              // one writer of the keys file
}

// onlineKey is a key that is held. Of a log key that has ended, private and
// signer are nil.
type onlineKey struct {
	record  participant.KeyRecord
	private crypto.Signer
	signer  jose.Signer
}

// Create writes a new keyring for the identity that unlock belongs to: one key
// of every use, valid in window, and an empty table of data keys. It fails with
// Conflict when either file is there already.
func Create(path string, unlock age.Recipient, window trust.Window) error {
	d, err := newDocument(window)
	if err != nil {
		return err
	}
	sealed, err := d.encrypt(unlock)
	if err != nil {
		return err
	}
	if err := createTable(filepath.Join(filepath.Dir(path), database)); err != nil {
		return err
	}
	return writeSecret(path, sealed)
}

// Open reads the keyring at path with the identity in unlockFile. Now gives the
// Unix seconds by which Signer chooses. It fails with NotFound for a missing
// file, with Denied when others may read the unlock file or its identity is not
// the one the keyring is encrypted to, and with Invalid for a damaged document.
func Open(path, unlockFile string, now func() int64) (*Keyring, error) {
	return OpenWith(Making{}, path, unlockFile, now)
}

// OpenWith is Open for a keyring some of whose keys are in a token, or are made
// in another way from now on. Close ends the token too, also where this fails. It
// fails as well with NotFound for a key that the token does not have, and as the
// token fails.
func OpenWith(m Making, path, unlockFile string, now func() int64) (_ *Keyring, err error) {
	defer func() {
		if err != nil && m.Token != nil {
			err = errors.Join(err, m.Token.Close())
		}
	}()
	identity, err := readUnlock(unlockFile)
	if err != nil {
		return nil, err
	}
	d, err := readDocument(path, unlockFile, identity)
	if err != nil {
		return nil, err
	}
	k := &Keyring{
		path: path, unlock: unlockFile, now: now, making: m,
		held: &atomic.Pointer[[]onlineKey]{}, certified: &atomic.Pointer[map[string]trust.Window]{}, made: &sync.Map{}, file: &sync.Mutex{},
	}
	held, err := d.onlineKeys(m, now())
	if err != nil {
		return nil, err
	}
	k.held.Store(&held)
	if k.index, err = newIndex(d.Index); err != nil {
		return nil, err
	}
	if k.data, err = openDataKeys(filepath.Join(filepath.Dir(path), database), d.Wrapper); err != nil {
		return nil, err
	}
	return k, nil
}

// Close ends the table of data keys, and the token.
func (k *Keyring) Close() error {
	err := k.data.close()
	if k.making.Token != nil {
		err = errors.Join(err, k.making.Token.Close())
	}
	return err
}

// Records gives the records of all online keys whose windows touch within, for
// the node's card, by use and then oldest first.
func (k *Keyring) Records(within trust.Window) []participant.KeyRecord {
	var out []participant.KeyRecord
	for _, key := range *k.held.Load() {
		if w := key.record.Window; key.private != nil && w.NotBefore < within.NotAfter && within.NotBefore < w.NotAfter {
			out = append(out, key.record)
		}
	}
	return out
}

// Signer gives the key of a use that signs now; see current. When none is valid,
// the signer's Sign fails with Conflict.
func (k *Keyring) Signer(use participant.KeyUse) jose.Signer {
	key, err := k.current(use, k.now())
	if err != nil {
		return lapsed{err}
	}
	return key.signer
}

// lapsed is the signer of a use without a valid key.
type lapsed struct{ err error }

func (lapsed) Key() jose.Key                   { return jose.Key{} }
func (l lapsed) Sign(_ []byte) ([]byte, error) { return nil, l.err }

func (d document) onlineKeys(m Making, now int64) ([]onlineKey, error) {
	var out []onlineKey
	for i, r := range d.Keys {
		key, err := r.open(m)
		if r.Token != "" && now >= r.Window.NotAfter && trust.KindOf(err) == trust.NotFound {
			continue // it was destroyed before the file could say so
		}
		if err != nil {
			kind := trust.Invalid
			if r.Token != "" {
				kind = trust.KindOf(err)
			}
			return nil, trust.Errorf(kind, "key %d of the keyring, for %q, is unusable: %w", i, r.Use, err)
		}
		out = append(out, key)
	}
	slices.SortStableFunc(out, byUse)
	return out, nil
}

func (r privateRecord) open(m Making) (onlineKey, error) {
	if len(r.Private) == 0 && r.Token == "" && r.Use == participant.LogKey && !r.Public.IsZero() {
		return onlineKey{record: participant.KeyRecord{Use: r.Use, Key: r.Public, Window: r.Window}}, nil
	}
	private, err := r.private(m)
	if err != nil {
		return onlineKey{}, err
	}
	signer, err := jose.NewSigner(private, "")
	if err != nil {
		return onlineKey{}, err
	}
	if alg := signer.Key().Alg(); !r.Use.Signs().Admits(alg) {
		return onlineKey{}, trust.Errorf(trust.Invalid, "it is for %s; that use takes %v", alg, r.Use.Signs().Algs())
	}
	return onlineKey{participant.KeyRecord{Use: r.Use, Key: signer.Key(), Window: r.Window}, private, signer}, nil
}

func (r privateRecord) private(m Making) (crypto.Signer, error) {
	if r.Token != "" {
		return m.find(r)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(r.Private)
	if err != nil {
		return nil, errors.New("its private half is no PKCS #8 key") // x509's own text may quote the bytes
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errors.New("its private half does not sign")
	}
	return private, nil
}

// String shows no secret, in whatever format a Keyring is printed.
func (Keyring) String() string { return "keyring(secret)" }

// GoString is String.
func (k Keyring) GoString() string { return k.String() }

// LogValue is String.
func (k Keyring) LogValue() slog.Value { return slog.StringValue(k.String()) }
