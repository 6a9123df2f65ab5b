package admin_test

import (
	"net/url"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/trust"
)

// Pages, one behind the other, are the list: whatever their size, and without what
// was taken out of it or put into it meanwhile.
func TestPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-c]{1,3}`), 0, 12, rapid.ID).Draw(t, "items")
		slices.Sort(items)
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		var got []string
		gone := map[string]bool{}
		query := url.Values{"limit": {strconv.Itoa(limit)}}
		for {
			left := slices.DeleteFunc(slices.Clone(items), func(s string) bool { return gone[s] })
			page, err := admin.Page(left, query)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Items) > limit {
				t.Fatalf("a page has %d items, more than %d", len(page.Items), limit)
			}
			got = append(got, page.Items...)
			if page.Next == "" {
				break
			}
			query.Set("cursor", page.Next)
			if rapid.Bool().Draw(t, "the last one goes") {
				gone[page.Items[len(page.Items)-1]] = true
			}
		}
		if !slices.Equal(got, items) {
			t.Fatalf("the pages have %q, the list %q", got, items)
		}
	})
}

func TestPagesRefuse(t *testing.T) {
	unsorted := []string{"b", "c", "a"}
	first, err := admin.Page(unsorted, url.Values{"limit": {"1"}})
	ok(t, err)
	if rest, err := admin.Page(unsorted, url.Values{"cursor": {first.Next}}); err != nil || !slices.Equal(rest.Items, []string{"c", "a"}) || rest.Next != "" {
		t.Errorf("behind the first there are %v, %v", rest, err)
	}
	for name, tt := range map[string]struct {
		query url.Values
		want  trust.ErrorKind
	}{
		"no number":                      {url.Values{"limit": {"x"}}, trust.Invalid},
		"none":                           {url.Values{"limit": {"0"}}, trust.Invalid},
		"an empty limit":                 {url.Values{"limit": {""}}, trust.Invalid},
		"no cursor of ours":              {url.Values{"cursor": {"!"}}, trust.Invalid},
		"gone from a list without order": {url.Values{"cursor": {first.Next}}, trust.Conflict},
	} {
		_, err := admin.Page([]string{"c", "a"}, tt.query)
		refused(t, name, err, tt.want)
	}
}
