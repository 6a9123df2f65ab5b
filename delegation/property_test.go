package delegation_test

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// drawn is a chain of links that each say anything they like.
func drawn(t *rapid.T) *story {
	st := newStory(rapid.IntRange(1, 4).Draw(t, "links"))
	scopes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) delegation.Grant {
		return delegation.Grant{
			Type:    rapid.SampledFrom([]trust.ResourceType{"A", "B"}).Draw(t, "type"),
			Actions: rapid.SliceOfNDistinct(rapid.SampledFrom([]trust.Action{"read", "write"}), 1, 2, rapid.ID).Draw(t, "actions"),
			ID:      rapid.SampledFrom([]string{"", "", "1", "2"}).Draw(t, "identifier"),
		}
	}), 1, 3)
	for i := range st.links {
		l := &st.links[i]
		if rapid.IntRange(0, 2).Draw(t, "own scope") == 0 {
			l.Scope = scopes.Draw(t, "scope")
		}
		l.ExpiresAt = now + rapid.Int64Range(1, 4).Draw(t, "left")*100
		l.Depth = rapid.IntRange(0, 5).Draw(t, "depth")
		l.Audience = rapid.SampledFrom([]string{records, records, records, "https://other.example"}).Draw(t, "audience")
	}
	return st
}

// Along any chain scope, audience, expiry and depth never grow (R71).
func TestNothingGrows(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		st := drawn(t)
		links, f := st.verify()
		if f != nil {
			links = append([]delegation.Link(nil), links...) // those before the fault hold together too
		} else {
			accepted++
		}
		expires, depth, audience := st.root.ExpiresAt, delegation.MaxLinks, st.root.Audience
		for i, l := range links {
			if l.ExpiresAt > expires || l.Depth >= depth || l.Audience != audience {
				t.Fatalf("link %d grows: %+v", i, l)
			}
			expires, depth = l.ExpiresAt, l.Depth
			if i == 0 {
				continue
			}
			for _, typ := range []trust.ResourceType{"A", "B", "WardRecord", "Letter"} {
				for _, id := range []string{"1", "2", "3", "7"} {
					for _, action := range []trust.Action{"read", "write"} {
						if l.Scope.Covers(typ, id, action) && !links[i-1].Scope.Covers(typ, id, action) {
							t.Fatalf("link %d covers %s %s/%s, which its parent does not", i, action, typ, id)
						}
					}
				}
			}
		}
		if f == nil && len(links)-1 > links[0].Depth {
			t.Fatalf("%d links behind one that lets %d follow", len(links)-1, links[0].Depth)
		}
	})
	if accepted == 0 {
		t.Error("no drawn chain was accepted; the property says nothing")
	}
}

// Random splices give no accepted chain: of links from several honest chains
// only the honest chains themselves are accepted.
func TestNoSpliceIsAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pool, honest [][]byte
		root := newStory(1).root
		for c := range rapid.IntRange(1, 3).Draw(t, "chains") {
			st := newStory(rapid.IntRange(1, 4).Draw(t, "links"))
			for i := range st.links {
				st.links[i].ID += string(rune('a' + c)) // the same people, other links
			}
			if rapid.Bool().Draw(t, "other token") {
				st.root.Hash = sha256.Sum256([]byte{byte(c)})
			}
			chain := st.signed()
			pool = append(pool, chain...)
			if st.root.Hash == root.Hash {
				for n := range chain {
					honest = append(honest, bytes.Join(chain[:n+1], []byte(" ")))
				}
			}
		}
		spliced := rapid.SliceOfN(rapid.SampledFrom(pool), 1, 5).Draw(t, "splice")
		is := slices.ContainsFunc(honest, func(h []byte) bool { return bytes.Equal(h, bytes.Join(spliced, []byte(" "))) })
		if _, f := delegation.Verify(root, spliced, vouch, now); (f == nil) != is {
			t.Fatalf("splice is honest %t: %v", is, f)
		}
	})
}

// FuzzVerify: whatever is done to a chain, only links that their issuers signed
// are accepted, and none that grows.
func FuzzVerify(f *testing.F) {
	st := newStory(2)
	chain := st.signed()
	f.Add(chain[0], chain[1])
	f.Add(chain[1], chain[0])
	f.Add(chain[0], flip(chain[1]))
	f.Add([]byte(must(jose.Sign(signer(0, false), delegation.Type, map[string]any{"iss": party(0).Issuer}))), []byte("a.b.c"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		links, fault := delegation.Verify(st.root, [][]byte{first, second}, vouch, now)
		if fault == nil && (!bytes.Equal(first, chain[0]) || !bytes.Equal(second, chain[1])) {
			t.Fatalf("a chain that nobody signed is accepted: %+v", links)
		}
		if fault != nil && (fault.Reason == "" || fault.Text == "") {
			t.Fatal("a fault without a reason or a text")
		}
	})
}
