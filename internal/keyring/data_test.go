package keyring_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/trust"
)

var (
	nurse = trust.SubjectKey([]byte("a nurse, 16 long"))
	other = trust.SubjectKey([]byte("one other person"))
	node  = trust.SubjectKey{}
)

func TestSealedPartsOpenAfterReopening(t *testing.T) {
	f := newFolder(t)
	k := f.open(t, now)
	for _, owner := range []trust.SubjectKey{nurse, other, node} {
		sealed, err := k.Seal(t.Context(), owner, []byte("ward seven"))
		if err != nil {
			t.Fatal(err)
		}
		// Another process, without a Close: the key was durable already.
		opened, err := f.open(t, now).Unseal(t.Context(), owner, sealed)
		if err != nil || string(opened) != "ward seven" {
			t.Errorf("%x: %q, %v", owner, opened, err)
		}
		wrong := other
		if owner == other {
			wrong = nurse
		}
		if _, err := k.Unseal(t.Context(), wrong, sealed); err == nil {
			t.Errorf("what was sealed for %x opens for %x", owner, wrong)
		}
		sealed[len(sealed)-1] ^= 1
		if _, err := k.Unseal(t.Context(), owner, sealed); trust.KindOf(err) != trust.Invalid {
			t.Errorf("a changed byte: %v", err)
		}
	}
}

func TestSealedTwiceDiffers(t *testing.T) {
	k := newFolder(t).open(t, now)
	first, err := k.Seal(t.Context(), nurse, []byte("ward seven"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := k.Seal(t.Context(), nurse, []byte("ward seven"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first, second) {
		t.Error("the same plaintext has the same sealed part twice")
	}
}

func TestEraseIsForGood(t *testing.T) {
	f := newFolder(t)
	k := f.open(t, now)
	hers, err := k.Seal(t.Context(), nurse, []byte("hers"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := k.Seal(t.Context(), other, []byte("theirs"))
	if err != nil {
		t.Fatal(err)
	}
	wrapped := f.wrapped(t, nurse)
	erase := func(owner trust.SubjectKey, times int) error {
		return k.EraseUpTo(t.Context(), maps.All(map[trust.SubjectKey]int{owner: times}))
	}
	for range 2 { // the second time changes nothing
		if err := erase(nurse, 1); err != nil {
			t.Fatal(err)
		}
	}
	for i, content := range f.databaseFiles(t) {
		if bytes.Contains(content, wrapped) {
			t.Errorf("the erased key, wrapped, still stands in database file %d", i)
		}
	}
	if err := erase(trust.SubjectKey{9}, 1); err != nil {
		t.Errorf("erasing somebody unknown: %v", err)
	}
	if _, err := k.Unseal(t.Context(), nurse, hers); trust.KindOf(err) != trust.NotFound {
		t.Errorf("after erasing: %v", err)
	}
	later, err := k.Seal(t.Context(), nurse, []byte("later"))
	if err != nil {
		t.Fatal(err)
	}
	if err := erase(nurse, 1); err != nil { // which was done
		t.Fatal(err)
	}
	for _, k := range []*keyring.Keyring{k, f.open(t, now)} {
		if _, err := k.Unseal(t.Context(), nurse, hers); trust.KindOf(err) != trust.NotFound {
			t.Errorf("erased and sealed anew, the old part: %v", err)
		}
		if opened, err := k.Unseal(t.Context(), nurse, later); err != nil || string(opened) != "later" {
			t.Errorf("the new part: %q, %v", opened, err)
		}
		if opened, err := k.Unseal(t.Context(), other, theirs); err != nil || string(opened) != "theirs" {
			t.Errorf("somebody else's part: %q, %v", opened, err)
		}
	}
	if err := erase(node, 1); trust.KindOf(err) != trust.Denied {
		t.Errorf("erasing the node's own key: %v", err)
	}
	if all, err := k.Erasures(t.Context()); err != nil || !maps.Equal(all, map[trust.SubjectKey]int{nurse: 1, {9}: 1}) {
		t.Errorf("erased are %v, %v", all, err)
	}
	if err := erase(nurse, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Unseal(t.Context(), nurse, later); trust.KindOf(err) != trust.NotFound {
		t.Errorf("erased once more: %v", err)
	}
}

func (f folder) databaseFiles(t *testing.T) (out [][]byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(f.dir, "keyring.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, content)
	}
	return out
}

// wrapped reads the first half of a key's wrapped form from the files
// themselves: it follows its owner. A smaller row may cover the other half. It fails when it is not there, so that a later absence means something.
func (f folder) wrapped(t *testing.T, owner trust.SubjectKey) []byte {
	t.Helper()
	const size = (1 + 12 + 32 + 16) / 2
	for _, content := range f.databaseFiles(t) {
		if i := bytes.Index(content, owner[:]); i >= 0 && len(content) >= i+len(owner)+size {
			return content[i+len(owner) : i+len(owner)+size]
		}
	}
	t.Fatal("no wrapped key is found in the database files")
	return nil
}

// Many goroutines meet the same new owners: each owner gets one key.
func TestNewOwnersAtTheSameTime(t *testing.T) {
	f := newFolder(t)
	k := f.open(t, now)
	const sealers, owners = 16, 8
	var all sync.WaitGroup
	sealed := make([][owners][]byte, sealers)
	for s := range sealers {
		all.Go(func() {
			for o := range owners {
				part, err := k.Seal(t.Context(), trust.SubjectKey{byte(o)}, fmt.Append(nil, s, o))
				if err != nil {
					t.Error(err)
				}
				sealed[s][o] = part
			}
		})
	}
	all.Wait()
	again := f.open(t, now)
	for s := range sealers {
		for o := range owners {
			opened, err := again.Unseal(t.Context(), trust.SubjectKey{byte(o)}, sealed[s][o])
			if err != nil || !bytes.Equal(opened, fmt.Append(nil, s, o)) {
				t.Errorf("sealer %d, owner %d: %q, %v", s, o, opened, err)
			}
		}
	}
}

// Seals race erasures; whatever was sealed after the last one opens, and nothing
// from before the first one does.
func TestErasingWhileSealing(t *testing.T) {
	f := newFolder(t)
	k := f.open(t, now)
	before, err := k.Seal(t.Context(), nurse, []byte("before"))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				if _, err := k.Seal(t.Context(), nurse, []byte("during")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Go(func() {
		for times := range 5 {
			if err := k.EraseUpTo(t.Context(), maps.All(map[trust.SubjectKey]int{nurse: times + 1})); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	after, err := k.Seal(t.Context(), nurse, []byte("after"))
	if err != nil {
		t.Fatal(err)
	}
	again := f.open(t, now)
	if _, err := again.Unseal(t.Context(), nurse, before); trust.KindOf(err) != trust.NotFound {
		t.Errorf("from before: %v", err)
	}
	if opened, err := again.Unseal(t.Context(), nurse, after); err != nil || string(opened) != "after" {
		t.Errorf("from after: %q, %v", opened, err)
	}
}

// A key that was not used for long is forgotten, and one in use is not.
func TestTheCacheIsBounded(t *testing.T) {
	const size = 4
	c := keyring.NewCache(size)
	owner := func(i int) trust.SubjectKey { return trust.SubjectKey{byte(i)} }
	for i := range 100 {
		c.Put(owner(i))
		if !c.Has(owner(0)) {
			t.Fatalf("owner 0 is asked for all the time and was forgotten at %d", i)
		}
		if n := c.Len(); n > 2*size {
			t.Fatalf("%d keys are held, the bound being %d", n, 2*size)
		}
	}
	if c.Has(owner(1)) || !c.Has(owner(99)) {
		t.Error("the oldest is held or the newest is not")
	}
	c.Remove(owner(0))
	if c.Has(owner(0)) {
		t.Error("a removed key is held")
	}
}

func TestTablesAreNotExchanged(t *testing.T) {
	f, foreign := newFolder(t), newFolder(t)
	for _, folder := range []folder{f, foreign} {
		k := folder.open(t, now)
		if _, err := k.Seal(t.Context(), nurse, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := k.Close(); err != nil { // moves all into the one file
			t.Fatal(err)
		}
	}
	if err := os.Rename(filepath.Join(foreign.dir, "keyring.db"), filepath.Join(f.dir, "keyring.db")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.open(t, now).Seal(t.Context(), nurse, []byte("x")); trust.KindOf(err) != trust.Internal {
		t.Errorf("a table under another wrapper: %v", err)
	}
}

func BenchmarkSeal(b *testing.B) {
	k := newFolder(b).open(b, now)
	plaintext := make([]byte, 512)
	for b.Loop() {
		if _, err := k.Seal(b.Context(), nurse, plaintext); err != nil {
			b.Fatal(err)
		}
	}
}
