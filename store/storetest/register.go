package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

func get(t *testing.T, s store.Store, bucket, key, value string) {
	t.Helper()
	got, err := s.Get(ctx, bucket, key)
	ok(t, err)
	if got == nil || string(got) != value {
		t.Fatalf("register %s/%s is %q, want %q", bucket, key, got, value)
	}
}

func registers(t *testing.T, open func() store.Store) {
	s := opened(t, open).store
	_, err := s.Get(ctx, "cursor", "rxw")
	want(t, err, trust.NotFound)
	ok(t, s.Put(ctx))
	ok(t, s.Put(ctx, store.Pair{Bucket: "cursor", Key: "rxw", Value: []byte("1")}, store.Pair{Bucket: "nonce", Key: "rxw", Value: []byte{}}))
	get(t, s, "cursor", "rxw", "1")
	get(t, s, "nonce", "rxw", "")
	ok(t, s.Put(ctx, store.Pair{Bucket: "cursor", Key: "rxw", Value: []byte("2")}, store.Pair{Bucket: "nonce", Key: "rxw"}))
	get(t, s, "cursor", "rxw", "2")
	_, err = s.Get(ctx, "nonce", "rxw")
	want(t, err, trust.NotFound)
	ok(t, s.Put(ctx, store.Pair{Bucket: "nonce", Key: "never there"}))
	ok(t, s.Put(ctx, store.Pair{Bucket: "cursor", Key: "k", Value: []byte("1")}, store.Pair{Bucket: "cursor", Key: "k", Value: []byte("2")}))
	get(t, s, "cursor", "k", "2")
	want(t, s.Put(ctx, store.Pair{Bucket: "cursor", Key: "k", Value: []byte("3")}, store.Pair{Bucket: "cursor", Value: []byte("1")}), trust.Invalid)
	want(t, s.Put(ctx, store.Pair{Key: "k", Value: []byte("1")}), trust.Invalid)
	get(t, s, "cursor", "k", "2")
}

func scan(t *testing.T, open func() store.Store) {
	s := opened(t, open).store
	keys := []string{"a", "a/1", "a/2", "a/\xff", "a/\xff\xff", "a0", "b", "\xff", "\xffz"}
	for i, key := range keys {
		ok(t, s.Put(ctx, store.Pair{Bucket: "x", Key: key, Value: []byte{byte(i)}}, store.Pair{Bucket: "y", Key: key, Value: []byte("other")}))
	}
	for _, prefix := range []string{"", "a", "a/", "a/\xff", "\xff", "c"} {
		var expected []string
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) {
				expected = append(expected, key)
			}
		}
		for _, limit := range []int{1, 3, 100} {
			if got := scanAll(t, s, prefix, limit, keys); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", expected) {
				t.Fatalf("keys with %q by %d are %q, want %q", prefix, limit, got, expected)
			}
		}
	}
}

func scanAll(t *testing.T, s store.Store, prefix string, limit int, keys []string) (got []string) {
	t.Helper()
	after := ""
	for {
		pairs, err := s.Scan(ctx, "x", prefix, after, limit)
		ok(t, err)
		for _, p := range pairs {
			if p.Bucket != "x" || len(p.Value) != 1 || keys[p.Value[0]] != p.Key {
				t.Fatalf("scan gives %v", p)
			}
			got = append(got, p.Key)
			after = p.Key
		}
		if len(pairs) < limit {
			return got
		}
	}
}

func registersReopened(t *testing.T, open func() store.Store) {
	s := open()
	ok(t, s.Put(ctx, store.Pair{Bucket: "b", Key: "k", Value: []byte("v")}))
	ok(t, s.Close())
	s = open()
	get(t, s, "b", "k", "v")
	ok(t, s.Close())
}
