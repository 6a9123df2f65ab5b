package keyring

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"filippo.io/age"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// settle is how long a new key is good before it signs, in seconds, while an
// older one is good too: a partner's clock may be that far behind ours.
const settle = 60

// Certify makes the records of the node's card the ones by which its keys are
// used: their windows count from now on, and a key that has no record is not
// used. It fails with NotFound, and changes nothing, when the keyring does not
// hold a key that the card certifies for now or later.
func (k *Keyring) Certify(records []participant.KeyRecord) error {
	windows, now := map[string]trust.Window{}, k.now()
	for _, r := range records {
		print := r.Key.Thumbprint()
		held := slices.ContainsFunc(*k.held.Load(), func(h onlineKey) bool {
			return h.private != nil && h.record.Use == r.Use && h.record.Key.Thumbprint() == print
		})
		if !held && now < r.Window.NotAfter {
			return trust.Errorf(trust.NotFound, "the keys file does not hold the %s key %s that the node's card certifies", r.Use, print)
		}
		windows[print] = r.Window
	}
	k.certified.Store(&windows)
	return nil
}

// window gives when a key is good, by the card.
func (k *Keyring) window(key onlineKey) (trust.Window, bool) {
	certified := k.certified.Load()
	if certified == nil {
		return key.record.Window, true
	}
	w, ok := (*certified)[key.record.Key.Thumbprint()]
	return w, ok
}

// current gives the key of a use that signs at a time: the newest that has been
// good for settle, or, where there is none, the one that has been good longest.
func (k *Keyring) current(use participant.KeyUse, at int64) (found onlineKey, err error) {
	var since int64
	for _, key := range *k.held.Load() {
		w, ok := k.window(key)
		if key.record.Use != use || key.private == nil || !ok || !w.Contains(at) {
			continue
		}
		if found.private == nil || w.NotBefore >= since && w.NotBefore+settle <= at {
			found, since = key, w.NotBefore
		}
	}
	if found.private == nil {
		return found, trust.Errorf(trust.Conflict, "no %s key of this node is valid at %s; its keys must be renewed", use, trust.Instant(at))
	}
	return found, nil
}

// Former gives the key of a use that signed before the current one, if it is
// still held: a partner that has not taken the newest card knows that one. It
// may be one that the card certifies no longer; whether it is believed is for
// the partner.
func (k *Keyring) Former(use participant.KeyUse) (jose.Signer, bool) {
	key, ok := k.former(use)
	return key.signer, ok
}

func (k *Keyring) former(use participant.KeyUse) (found onlineKey, ok bool) {
	now := k.now()
	current, err := k.current(use, now)
	if err != nil {
		return onlineKey{}, false
	}
	for _, key := range *k.held.Load() {
		w := key.record.Window // as it was made; the card may have cut it short
		if key.record.Use == use && key.private != nil && w.Contains(now) && w.NotBefore < current.record.Window.NotBefore {
			found, ok = key, true // the last of them: they are sorted
		}
	}
	return found, ok
}

// Announce makes a next key of each use, for a card to certify; until one does,
// it is not used. It is durable when Announce returns, with the records. What is
// past its window is destroyed on the way; of log keys the public half stays. It
// fails with Unavailable when the file cannot be written.
func (k *Keyring) Announce(uses []participant.KeyUse, window trust.Window) (_ []participant.KeyRecord, err error) {
	k.file.Lock()
	defer k.file.Unlock()
	identity, err := readUnlock(k.unlock)
	if err != nil {
		return nil, err
	}
	d, err := readDocument(k.path, k.unlock, identity)
	if err != nil {
		return nil, err
	}
	if err := d.retire(k.making, k.now()); err != nil {
		return nil, err
	}
	kept := len(d.Keys)
	defer func() {
		if err != nil {
			for _, r := range d.Keys[kept:] { // nobody knows them
				err = errors.Join(err, k.making.forget(r))
			}
		}
	}()
	for _, use := range uses {
		r, err := k.making.newRecord(use, window)
		if err != nil {
			return nil, err
		}
		d.Keys = append(d.Keys, r)
	}
	var made []participant.KeyRecord
	for _, r := range d.Keys[kept:] {
		key, err := r.open(k.making)
		if err != nil {
			return nil, err
		}
		made = append(made, key.record)
	}
	held, err := d.onlineKeys(k.making, k.now())
	if err != nil {
		return nil, err
	}
	sealed, err := d.encrypt(identity.(*age.X25519Identity).Recipient())
	if err != nil {
		return nil, err
	}
	if err := replaceSecret(k.path, sealed); err != nil {
		return nil, err
	}
	k.held.Store(&held)
	return made, nil
}

// retire destroys the private halves of keys that are past their window.
func (d *document) retire(m Making, now int64) error {
	var kept []privateRecord
	for _, r := range d.Keys {
		if now < r.Window.NotAfter || len(r.Private) == 0 && r.Token == "" {
			kept = append(kept, r)
			continue
		}
		if err := m.forget(r); err != nil {
			return err
		}
		if r.Use != participant.LogKey {
			continue
		}
		key, err := r.open(m)
		if err != nil {
			return err
		}
		kept = append(kept, privateRecord{Use: r.Use, Public: key.record.Key, Window: r.Window})
	}
	d.Keys = kept
	return nil
}

// replaceSecret puts a file in place of another, durably: at every moment there
// is the old one or the new one.
func replaceSecret(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return trust.Errorf(trust.Unavailable, "writing %s: %w", path, err)
	}
	_, err = f.Write(content) // its mode is 0600
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncFolder(path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it may be there no longer
		return trust.Errorf(trust.Unavailable, "writing %s: %w", path, err)
	}
	return nil
}

// byUse is the order of keys: by use, then oldest first.
func byUse(a, b onlineKey) int {
	return cmp.Or(cmp.Compare(a.record.Use, b.record.Use), cmp.Compare(a.record.Window.NotBefore, b.record.Window.NotBefore))
}
