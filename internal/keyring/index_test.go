package keyring_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/trust"
)

func TestCommitmentsAreInjective(t *testing.T) {
	k := newFolder(t).open(t, now)
	if k.Subject("a", "bc", "d") == k.Subject("ab", "c", "d") || k.Subject("a", "b", "") == k.Subject("a", "", "b") {
		t.Error("parts run together")
	}
	if [16]byte(k.Subject("", "a", "b")) == k.Commit("a", "b") || k.Commit("a", "bc") == k.Commit("ab", "c") {
		t.Error("domains run together")
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ab|:\x00]{0,4}`)
		a := [3]string{text.Draw(t, "a0"), text.Draw(t, "a1"), text.Draw(t, "a2")}
		b := [3]string{text.Draw(t, "b0"), text.Draw(t, "b1"), text.Draw(t, "b2")}
		if (k.Subject(a[0], a[1], a[2]) == k.Subject(b[0], b[1], b[2])) != (a == b) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}

func TestCommitmentsBelongToTheKeyring(t *testing.T) {
	f := newFolder(t)
	k, same, foreign := f.open(t, now), f.open(t, now), newFolder(t).open(t, now)
	if k.Subject("p", "n", "s") != same.Subject("p", "n", "s") || k.Commit("d", "v") != same.Commit("d", "v") {
		t.Error("another commitment after reopening")
	}
	if k.Subject("p", "n", "s") == foreign.Subject("p", "n", "s") || k.Commit("d", "v") == foreign.Commit("d", "v") {
		t.Error("two keyrings make the same commitment")
	}
	if _, ok := foreign.ParseReference(k.Reference(trust.Position{Epoch: 1, N: 7})); ok {
		t.Error("another node's reference is taken")
	}
}

func TestReferences(t *testing.T) {
	k := newFolder(t).open(t, now)
	shape := regexp.MustCompile(`^[a-z2-7]{26}$`)
	rapid.Check(t, func(t *rapid.T) {
		p := trust.Position{Epoch: rapid.Uint32().Draw(t, "epoch"), N: rapid.Uint64().Draw(t, "n")}
		s := k.Reference(p)
		if back, ok := k.ParseReference(s); !ok || back != p || !shape.MatchString(s) {
			t.Fatalf("%s: %q reads back as %s, %v", p, s, back, ok)
		}
		i := rapid.IntRange(0, len(s)-1).Draw(t, "i")
		c := rapid.SampledFrom([]byte("abz2=A0 ")).Draw(t, "c")
		if changed := s[:i] + string(c) + s[i+1:]; changed != s {
			if _, ok := k.ParseReference(changed); ok {
				t.Fatalf("%q is taken, made of %q", changed, s)
			}
		}
	})
	s := k.Reference(trust.Position{Epoch: 1, N: 1})
	for _, c := range []string{"", s[:25], s + "a", strings.ToUpper(s), s + "\n", " " + s} {
		if _, ok := k.ParseReference(c); ok {
			t.Errorf("%q is taken", c)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	k := newFolder(f).open(f, now)
	f.Add(k.Reference(trust.Position{Epoch: 1, N: 18442}))
	f.Add("aaaaaaaaaaaaaaaaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, s string) {
		if p, ok := k.ParseReference(s); ok && k.Reference(p) != s {
			t.Errorf("%q reads as %s, which is written otherwise", s, p)
		}
	})
}

func BenchmarkSubject(b *testing.B) {
	k := newFolder(b).open(b, now)
	for b.Loop() {
		k.Subject("https://trust.rje.example", "staff", "00u1a2b3c4d5e6f7")
	}
}

// What one credential carries opens in that credential and at that node alone.
func TestGrounds(t *testing.T) {
	f := newFolder(t)
	k, same, foreign := f.open(t, now), f.open(t, now), newFolder(t).open(t, now)
	sealed, err := k.SealGround("c-1", []byte("amara"))
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := k.SealGround("c-1", []byte("amara")); string(again) == string(sealed) || strings.Contains(string(sealed), "amara") {
		t.Error("sealing is plain, or gives the same bytes twice")
	}
	if plain, err := same.OpenGround("c-1", sealed); err != nil || string(plain) != "amara" {
		t.Errorf("opens as %q, %v", plain, err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another credential": func() ([]byte, error) { return k.OpenGround("c-2", sealed) },
		"no credential":      func() ([]byte, error) { return k.OpenGround("", sealed) },
		"another node":       func() ([]byte, error) { return foreign.OpenGround("c-1", sealed) },
		"a byte changed":     func() ([]byte, error) { return k.OpenGround("c-1", append([]byte{}, sealed[:len(sealed)-1]...)) },
		"nothing":            func() ([]byte, error) { return k.OpenGround("c-1", nil) },
	} {
		if plain, err := open(); err == nil {
			t.Errorf("%s opens %q", name, plain)
		}
	}
	if _, err := k.SealGround("", []byte("x")); trust.KindOf(err) != trust.Invalid {
		t.Errorf("a credential without an identifier: %v", err)
	}
}
