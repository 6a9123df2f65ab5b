package delegation_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"strconv"

	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

const (
	now     = int64(1_790_000_000)
	records = "https://records.rje.example"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// party is the n-th party of the tests; each has an issuer of its own.
func party(n int) delegation.Party {
	return delegation.Party{Issuer: must(trust.ParseIssuerID("https://idp" + strconv.Itoa(n) + ".example")), Subject: "s" + strconv.Itoa(n)}
}

// signer is the n-th issuer's key. A second one of the same issuer has second
// set.
func signer(n int, second bool) jose.Signer {
	seed := make([]byte, ed25519.SeedSize)
	seed[0], seed[1] = byte(n), 1
	kid := "k"
	if second {
		seed[1], kid = 2, "k2"
	}
	return must(jose.NewSigner(ed25519.NewKeyFromSeed(seed), kid))
}

// vouch knows the keys of every issuer of the tests.
func vouch(raw []byte) (jose.Verified, *delegation.Fault) {
	u, err := jose.ParseBytes(raw, delegation.Form)
	if err != nil {
		return jose.Verified{}, &delegation.Fault{Reason: trust.LinkMalformed, Text: "cannot be read"}
	}
	iss, _ := u.UnverifiedClaims().Text("iss")
	for n := range 12 {
		if party(n).Issuer.String() != iss {
			continue
		}
		for _, second := range []bool{false, true} {
			if v, err := u.Verify(signer(n, second).Key()); err == nil {
				return v, nil
			}
		}
	}
	return jose.Verified{}, &delegation.Fault{Reason: trust.LinkSignature, Text: "is signed by nobody known"}
}

// story is a chain in the making: party 0 lets 1 act, 1 lets 2, and so on.
type story struct {
	root  delegation.Root
	links []delegation.Link
	by    []jose.Signer
	more  []map[string]any
	raw   func([][]byte) [][]byte // what is done to the chain when it is signed
	now   int64
}

func newStory(links int) *story {
	st := &story{
		root: delegation.Root{Principal: party(0), Hash: sha256.Sum256([]byte("token")), Audience: records, ExpiresAt: now + 300},
		raw:  func(b [][]byte) [][]byte { return b }, now: now,
	}
	for i := range links {
		st.links = append(st.links, delegation.Link{
			From: party(i), To: party(i + 1), Audience: records, IssuedAt: now - 10, ExpiresAt: now + 300, Depth: links - 1 - i, ID: "j" + strconv.Itoa(i),
			Scope: delegation.Scope{
				{Type: "WardRecord", Actions: []trust.Action{"read", "write"}},
				{Type: "Letter", Actions: []trust.Action{"read"}, ID: "7"},
			},
		})
		st.by, st.more = append(st.by, signer(i, false)), append(st.more, nil)
	}
	return st
}

// signed signs the chain, each link committing to what stands before it unless
// it commits to something already.
func (st *story) signed() [][]byte {
	var all [][]byte
	hash := st.root.Hash
	for i, l := range st.links {
		if l.Parent == [32]byte{} {
			l.Parent = hash
		}
		token := []byte(must(delegation.Sign(st.by[i], l, st.more[i])))
		all, hash = append(all, token), sha256.Sum256(token)
	}
	return st.raw(all)
}

func (st *story) verify() ([]delegation.Link, *delegation.Fault) {
	return delegation.Verify(st.root, st.signed(), vouch, st.now)
}
