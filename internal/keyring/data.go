package keyring

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"iter"
	"sync"

	"github.com/entente-id/entente/seal"
	"github.com/entente-id/entente/trust"
)

// dataKeys are the keys of the people whose details are sealed in the ledger,
// one each. They lie in a table, wrapped, and the busiest in memory.
type dataKeys struct {
	db      *sql.DB
	read    *sql.Stmt
	write   *sql.Stmt
	wrapper cipher.AEAD

	writing sync.Mutex // one commit at a time, and no erasure during it

	mu      sync.Mutex // guards what follows
	cached  cache
	erased  uint64 // counts erasures, so that a read begun before one is not cached
	waiting *batch // new owners that the next commit takes along
}

// batch is one commit of new owners' keys, which stand in it once it is done.
type batch struct {
	keys map[trust.SubjectKey]cipher.AEAD
	done bool
	err  error
}

func newBatch() *batch { return &batch{keys: map[trust.SubjectKey]cipher.AEAD{}} }

// Seal encrypts plaintext under the owner's data key, bound to the owner. A new
// owner's key is durable before Seal returns; owners that are new at the same
// time share a commit. The zero owner is the node itself. It fails with
// Unavailable when the key cannot be read or made durable.
func (k *Keyring) Seal(ctx context.Context, owner trust.SubjectKey, plaintext []byte) ([]byte, error) {
	key, err := k.data.find(ctx, owner)
	if trust.KindOf(err) == trust.NotFound {
		key, err = k.data.create(ctx, owner)
	}
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, key.NonceSize())
	rand.Read(nonce)
	return seal.Seal(key, nonce, plaintext, owner[:]), nil
}

// Unseal gives the plaintext of a part that Seal made for the owner. It fails
// with NotFound when the key it was sealed under was erased, or nothing was sealed
// since its owner had been, with Invalid when
// the part is damaged or is another owner's, and with Unavailable when the key
// cannot be read.
func (k *Keyring) Unseal(ctx context.Context, owner trust.SubjectKey, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, trust.Errorf(trust.NotFound, "nothing is sealed here")
	}
	key, err := k.data.find(ctx, owner)
	if err != nil {
		return nil, err
	}
	plaintext, err := seal.Open(key, sealed, owner[:])
	if err == nil {
		return plaintext, nil
	}
	erased, lookErr := k.data.erasures(ctx, owner)
	switch {
	case lookErr != nil:
		return nil, lookErr
	case erased > 0 && trust.KindOf(err) == trust.Denied:
		return nil, trust.Errorf(trust.NotFound, "this part does not open under the owner's present key; an earlier one was erased")
	default:
		return nil, trust.Errorf(trust.Invalid, "a sealed part is damaged or belongs to another owner: %w", err)
	}
}

// EraseUpTo destroys the data keys of owners, each unless that was done as often as
// is said beside it already: what was sealed under it stays sealed for ever. So what
// an older copy of the keys brought back goes again, and what was sealed since, under
// a new key, stays. It is durable when it returns, for all or for none. It fails with Denied for the zero owner and with Unavailable.
func (k *Keyring) EraseUpTo(ctx context.Context, owners iter.Seq2[trust.SubjectKey, int]) error {
	for owner := range owners {
		if owner == (trust.SubjectKey{}) {
			return trust.Errorf(trust.Denied, "the node's own data key is never erased; it is nobody's personal data")
		}
	}
	return k.data.eraseUpTo(ctx, owners)
}

// Erasures gives every owner whose data key was destroyed, with how often. It
// fails with Unavailable.
func (k *Keyring) Erasures(ctx context.Context) (map[trust.SubjectKey]int, error) {
	return k.data.allErasures(ctx)
}

// find gives the owner's key from memory or from the table. It fails with
// NotFound.
func (d *dataKeys) find(ctx context.Context, owner trust.SubjectKey) (cipher.AEAD, error) {
	d.mu.Lock()
	key, ok := d.cached.get(owner)
	before := d.erased
	d.mu.Unlock()
	if ok {
		return key, nil
	}
	key, err := d.load(ctx, d.read, owner)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.erased == before {
		d.cached.put(owner, key)
	}
	return key, nil
}

// create makes the owner's key durable. Whoever comes first while no commit
// runs commits for all that gathered.
func (d *dataKeys) create(ctx context.Context, owner trust.SubjectKey) (cipher.AEAD, error) {
	d.mu.Lock()
	b := d.waiting
	b.keys[owner] = nil
	d.mu.Unlock()
	d.commit(context.WithoutCancel(ctx), b)
	return b.keys[owner], b.err
}

func (d *dataKeys) commit(ctx context.Context, b *batch) {
	d.writing.Lock()
	defer d.writing.Unlock()
	if b.done {
		return
	}
	d.mu.Lock()
	d.waiting = newBatch()
	d.mu.Unlock()
	b.err = d.insert(ctx, b)
	b.done = true
}

// unwrap opens a wrapped data key, which is bound to its owner.
func (d *dataKeys) unwrap(owner trust.SubjectKey, wrapped []byte) (cipher.AEAD, error) {
	key, err := seal.Open(d.wrapper, wrapped, owner[:])
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "data key of %x is not one this keyring wrapped; %s and the keys file do not belong together", owner, database)
	}
	return newGCM(key)
}

func (d *dataKeys) wrap(owner trust.SubjectKey, key []byte) []byte {
	nonce := make([]byte, d.wrapper.NonceSize())
	rand.Read(nonce)
	return seal.Seal(d.wrapper, nonce, key, owner[:])
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "a data key of %d bytes is none", len(key))
	}
	return cipher.NewGCM(block)
}

func unavailable(doing string, err error) error {
	return trust.Errorf(trust.Unavailable, "%s: %w", doing, err)
}
