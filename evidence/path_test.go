package evidence_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
)

const staff = `{
	"ward_ids": ["w7", "w8"], "org": {"code": "RXW", "site": {"id": 3}}, "selected": "r2", "number": 2, "empty": "", "none": null,
	"roles": [{"id": "r1", "code": "R1000", "n": 1}, {"id": "r2", "code": "R8001", "n": 2}, {"id": "r3", "code": "x", "n": 9}, {"id": "r3", "code": "y"}, "stray"]
}`

func TestPathFinds(t *testing.T) {
	claims := must(canonical.ParseObject([]byte(staff)))
	for path, want := range map[string]any{
		"ward_ids":                        []any{"w7", "w8"},
		"org.code":                        "RXW",
		"org.site.id":                     int64(3),
		"roles[id=r2].code":               "R8001",
		"roles[n=1].code":                 "R1000",
		"roles[id=$selected].code":        "R8001",
		"roles[n=$number].code":           "R8001",
		"roles[id=r1]":                    canonical.Object{"id": "r1", "code": "R1000", "n": int64(1)},
		"absent":                          nil,
		"none":                            nil,
		"org.absent":                      nil,
		"selected.code":                   nil,
		"ward_ids.w7":                     nil,
		"roles.code":                      nil,
		"roles[id=r9].code":               nil,
		"roles[id=r3].code":               nil, // two match
		"roles[id=$empty].code":           nil,
		"roles[id=$absent].code":          nil,
		"roles[id=$ward_ids].code":        nil,
		"ward_ids[id=r1]":                 nil,
		"org[code=RXW].site":              nil,
		"roles[absent=r1].code":           nil,
		"roles[id=r1].code.more":          nil,
		"roles[id=r1].code[id=r1].absent": nil,
	} {
		p, err := evidence.ParsePath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got, ok := p.Find(claims); ok != (want != nil) || !reflect.DeepEqual(got, want) && ok {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
		if p.String() != path {
			t.Errorf("%s reads back as %s", path, p)
		}
	}
	if _, ok := (evidence.Path{}).Find(claims); ok {
		t.Error("the zero path finds something")
	}
}

func TestPathReads(t *testing.T) {
	p := must(evidence.ParsePath("roles[id=$selected].of[n=$number].code"))
	if got := p.Reads(); !reflect.DeepEqual(got, []string{"roles", "selected", "number"}) {
		t.Errorf("reads %v", got)
	}
}

func TestPathRefuses(t *testing.T) {
	for _, path := range []string{
		"", ".", "a.", ".a", "a..b", "a b", "a[", "a[]", "a[b]", "a[b=]", "a[=c]", "a[b=$]", "a[b=$c d]", "a[b=c", "a]", "a[b=c]d", "a[b=c].",
		"a[b=c][d=e]", "a[b=[c]]", "a\x00", "a[b=\x00]", "ä", "a[b=c].d]", "$a", strings.Repeat("a", 513), "a.a.a.a.a.a.a.a.a",
	} {
		if p, err := evidence.ParsePath(path); err == nil {
			t.Errorf("%q is accepted as %v", path, p)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"ward_ids", "org.site.id", "roles[id=$selected].code", "roles[n=1].code", "a[b=c", "a..b"} {
		f.Add(seed, staff)
	}
	f.Fuzz(func(t *testing.T, path, text string) {
		p, err := evidence.ParsePath(path)
		claims, bad := canonical.ParseObject([]byte(text))
		if err != nil || bad != nil {
			return
		}
		again := must(evidence.ParsePath(p.String()))
		got, ok := p.Find(claims)
		if twice, same := again.Find(claims); same != ok || !reflect.DeepEqual(got, twice) {
			t.Errorf("%q finds %v and then %v", path, got, twice)
		}
		// What a path finds depends on the claims it says it reads, and no others.
		read := canonical.Object{}
		for _, name := range p.Reads() {
			if v, there := claims[name]; there {
				read[name] = v
			}
		}
		if less, same := p.Find(read); same != ok || !reflect.DeepEqual(got, less) {
			t.Errorf("%q finds %v, but %v in what it reads", path, got, less)
		}
	})
}
