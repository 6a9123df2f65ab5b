package node_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
)

// place reads where a credential stands.
func place(t *testing.T, issued node.Issued) (uri string, index int64) {
	t.Helper()
	status, _ := claimsOf(t, issued.Token)["status"].(canonical.Object)
	list, _ := status["status_list"].(canonical.Object)
	uri, _ = list.Text("uri")
	index, ok := list.Int("idx")
	if uri == "" || !ok {
		t.Fatalf("credential %s has no place: %v", issued.ID, status)
	}
	return uri, index
}

// status looks a credential up as a service does that has its token alone: by
// the list's address, signature and type.
func status(t *testing.T, n *nodetest.Node, issued node.Issued) byte {
	t.Helper()
	uri, index := place(t, issued)
	name, ok := strings.CutPrefix(uri, n.ID.String()+node.StatusPath)
	if !ok {
		t.Fatalf("the list is at %s", uri)
	}
	token, ok := n.StatusList(t.Context(), name)
	if !ok {
		t.Fatalf("there is no list %s", name)
	}
	u, err := jose.Parse(token, jose.Form{Types: []string{"statuslist+jwt"}})
	done(t, err)
	keys, err := n.TokenKeys()
	done(t, err)
	key, err := keys.Lookup(u.Header().KeyID)
	done(t, err)
	v, err := u.Verify(key)
	done(t, err)
	claims := canonical.Object(v.Claims())
	issuedAt, _ := claims.Int("iat")
	expires, _ := claims.Int("exp")
	if ttl, _ := claims.Int("ttl"); claims["sub"] != uri || issuedAt > n.Now() || expires <= n.Now() || ttl <= 0 || ttl > expires-issuedAt {
		t.Errorf("the list says %v", claims)
	}
	list, _ := claims["status_list"].(canonical.Object)
	bits, _ := list.Int("bits")
	text, _ := list.Text("lst")
	packed, err := base64.RawURLEncoding.DecodeString(text)
	done(t, err)
	z, err := zlib.NewReader(bytes.NewReader(packed))
	done(t, err)
	raw, err := io.ReadAll(z)
	done(t, err)
	bit := index * bits
	if bit/8 >= int64(len(raw)) {
		t.Fatalf("place %d is beyond the list", index)
	}
	return raw[bit/8] >> (bit % 8) & (1<<bits - 1)
}

// Whatever ends the ground of a credential is seen in its list at once, and over
// a start, without another record; nobody else's place changes.
func TestStatusList(t *testing.T) {
	ward := wardOf(t, nil)
	host := ward.Host
	of := func(subject string) node.Issued { return exchange(t, ward, order(ward, nurse(ward, subject))) }
	left, back, other := of("n-1"), of("n-2"), of("n-3")
	again := exchange(t, ward, order(ward, nurse(ward, "n-4")))
	expect := func(when string, want map[string]byte) {
		t.Helper()
		for name, issued := range map[string]node.Issued{"left": left, "back": back, "other": other, "again": again} {
			if got := status(t, host, issued); got != want[name] {
				t.Errorf("%s: %s is %d, want %d", when, name, got, want[name])
			}
		}
	}
	expect("at first", map[string]byte{})
	revokeAt(t, host, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "n-1", Reason: "left"})
	expect("after a revocation", map[string]byte{"left": 1})
	done(t, host.GiveBack(t.Context(), "pep", []byte(back.Token)))
	expect("after one was given back", map[string]byte{"left": 1, "back": 1})
	host.Stop()
	host.Start()
	expect("after a start", map[string]byte{"left": 1, "back": 1})
	done(t, host.SuspendAgreement(t.Context(), host.Admin, ward.Agreement, "incident"))
	expect("while suspended", map[string]byte{"left": 1, "back": 1, "other": 2, "again": 2})
}

// Places are random and used once, also for the identical order; a credential
// that was given again has a place of its own, over a start too.
func TestPlacesDoNotLink(t *testing.T) {
	ward := wardOf(t, nil)
	r := order(ward, nurse(ward, "n-1"))
	seen, last, sorted := map[int64]bool{}, int64(-1), true
	var all []node.Issued
	for range 20 {
		issued := exchange(t, ward, r)
		_, index := place(t, issued)
		if seen[index] {
			t.Fatalf("place %d is given twice", index)
		}
		seen[index], sorted, last = true, sorted && index > last, index
		all = append(all, issued)
	}
	if sorted {
		t.Error("places are in order")
	}
	ward.Host.Stop()
	ward.Host.Start()
	revokeAt(t, ward.Host, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "n-1", Reason: "left"})
	for i, issued := range all {
		if got := status(t, ward.Host, issued); got != 1 {
			t.Errorf("credential %d is %d after a start", i, got)
		}
	}
	leaf := nodetest.Must(decision.ParseCredentialLeaf(entries(t, ward.Host, "decisions", "credential.issued/v1")[0].Body))(t)
	if uri, index := place(t, all[0]); !strings.HasSuffix(uri, "/"+leaf.Status.List) || int64(leaf.Status.Index) != index {
		t.Errorf("the record has place %+v", leaf.Status)
	}
}

// A list that nobody has a credential in is none, and one is forgotten once all
// have expired.
func TestListsThatThereAreNot(t *testing.T) {
	ward := wardOf(t, nil)
	issued := exchange(t, ward, order(ward, nurse(ward, "n-1")))
	uri, _ := place(t, issued)
	name := uri[strings.LastIndexByte(uri, '/')+1:]
	for _, other := range []string{"", "x", name[:len(name)-1], name + "A", strings.ToLower(name), strings.Repeat("A", 22)} {
		if _, ok := ward.Host.StatusList(t.Context(), other); ok && other != name {
			t.Errorf("there is a list %q", other)
		}
	}
	if _, ok := ward.Host.StatusList(t.Context(), name); !ok {
		t.Fatal("there is no list")
	}
	done(t, ward.Host.SetClock(t.Context(), ward.Host.Admin, 20*time.Minute))
	if _, ok := ward.Host.StatusList(t.Context(), name); ok {
		t.Error("the list outlives its credentials")
	}
}

// A credential stands as the client that it was issued to does, over a start too.
func TestStatusOfASuspendedClient(t *testing.T) {
	ward := wardOf(t, nil)
	host, ctx := ward.Host, t.Context()
	keyed(t, ward)
	r := order(ward, nurse(ward, "n-1"))
	r.Client = "ward-app"
	issued, other := exchange(t, ward, r), exchange(t, ward, order(ward, nurse(ward, "n-1")))
	expect := func(when string, want byte) {
		t.Helper()
		if got, beside := status(t, host, issued), status(t, host, other); got != want || beside != 0 {
			t.Errorf("%s: it is %d, want %d; another client's is %d", when, got, want, beside)
		}
	}
	expect("at first", 0)
	_, err := host.Suspend(ctx, host.Admin, node.SuspendRequest{Stoppable: node.Stoppable{Kind: suspension.Client, Client: "ward-app"}, Why: node.Why{Reason: "odd"}})
	done(t, err)
	expect("while suspended", 2)
	host.Stop()
	host.Start()
	expect("after a start", 2)
	done(t, host.EndClient(ctx, host.Admin, "ward-app"))
	expect("ended", 1)
}
