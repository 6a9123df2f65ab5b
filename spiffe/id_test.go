package spiffe_test

import (
	"strings"
	"testing"

	oracle "github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/trust"
)

// SPIFFE ID, section 2: every rule by itself.
func TestParseID(t *testing.T) {
	long := "spiffe://td/" + strings.Repeat("a", 2048-len("spiffe://td/"))
	for text, want := range map[string]bool{
		"spiffe://td": true, "spiffe://a-b_c.9/x/Y.z/_-": true, "spiffe://td/...": true, "spiffe://td/a..b": true, long: true,
		"spiffe://" + strings.Repeat("d", 255): true,

		"": false, "spiffe": false, "spiffe:": false, "spiffe:/td": false, "spiffe://": false, "spiffe:///a": false, "https://td/a": false,
		"SPIFFE://td/a": false, "spiffe://TD/a": false, "spiffe://td:8443/a": false, "spiffe://u@td/a": false, "spiffe://td/%61": false,
		"spiffe://t%64/a": false, "spiffe://td/": false, "spiffe://td/a/": false, "spiffe://td//a": false, "spiffe://td/a//b": false,
		"spiffe://td/.": false, "spiffe://td/..": false, "spiffe://td/a/../b": false, "spiffe://td/./a": false, "spiffe://td/a?": false,
		"spiffe://td/a?b": false, "spiffe://td?b": false, "spiffe://td/a#": false, "spiffe://td/a#b": false, "spiffe://td/a b": false,
		"spiffe://td/é": false, "spiffe://tdé/a": false, "spiffe://[::1]/a": false, " spiffe://td/a": false, "spiffe://td/a\n": false,
		"spiffe://td\\a": false, "spiffe://td/a\x00": false, long + "a": false, "spiffe://" + strings.Repeat("d", 256): false,
	} {
		id, err := spiffe.ParseID(text)
		if (err == nil) != want || err != nil && trust.KindOf(err) != trust.Invalid {
			t.Errorf("%.60q: %v", text, err)
		}
		if want && (id.String() != text || id.TrustDomain().String()+id.Path() != text || !id.TrustDomain().TrustDomain()) {
			t.Errorf("%.60q is %s of %s", text, id.Path(), id.TrustDomain())
		}
	}
}

func TestPathRules(t *testing.T) {
	for _, c := range []struct {
		rule, path string
		want       bool
	}{
		{"/ward/sync", "/ward/sync", true}, {"/ward/", "/ward/sync", true}, {"/ward/", "/ward/a/b", true}, {"/", "/ward", true},
		{"/ward", "/ward/sync", false}, {"/ward", "/wards", false}, {"/ward/", "/wards/sync", false}, {"/ward/", "/ward", false},
		{"/ward/sync", "/ward/synchronise", false}, {"/Ward/", "/ward/sync", false}, {"", "", false}, {"/", "", false}, {"", "/ward", false},
	} {
		if got := spiffe.PathMatches(c.rule, c.path); got != c.want {
			t.Errorf("rule %q and path %q: %v", c.rule, c.path, got)
		}
	}
	for rule, want := range map[string]bool{
		"/": true, "/a": true, "/a/": true, "/a/b/": true,
		"": false, "a": false, "//": false, "/a//": false, "/*": false, "/a/*": false, "/a/../": false, "/a b": false, "ward/": false,
	} {
		if err := spiffe.CheckPathRule(rule); (err == nil) != want {
			t.Errorf("%q: %v", rule, err)
		}
	}
}

// What we take go-spiffe takes, with the same parts; what we refuse beyond it is
// length alone.
func FuzzParseID(f *testing.F) {
	for _, seed := range []string{ward, "spiffe://td", "spiffe://td/a/../b", "spiffe://td/%61", "SPIFFE://td/a", "spiffe://td:1/a", "spiffe://" + strings.Repeat("d", 256)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := spiffe.ParseID(text)
		theirs, theirErr := oracle.FromString(text)
		domain, _, _ := strings.Cut(strings.TrimPrefix(text, "spiffe://"), "/")
		long := len(text) > 2048 || len(domain) > 255
		switch {
		case err == nil && theirErr != nil:
			t.Fatalf("go-spiffe refuses %q: %v", text, theirErr)
		case err != nil && theirErr == nil && !long:
			t.Fatalf("go-spiffe takes %q: %v", text, err)
		case err == nil && (theirs.Path() != id.Path() || "spiffe://"+theirs.TrustDomain().Name() != id.TrustDomain().String()):
			t.Fatalf("%q is %s and %s", text, theirs, id)
		}
	})
}
