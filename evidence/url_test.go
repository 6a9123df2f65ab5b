package evidence_test

import (
	"testing"

	"github.com/entente-id/entente/evidence"
)

func TestSameURL(t *testing.T) {
	for _, same := range [][2]string{
		{"https://a.example/b", "https://a.example/b"},
		{"https://a.example", "https://a.example/"},
		{"https://a.example?q", "https://a.example/#f"},
		{"https://a.example/b?q=1", "https://a.example/b#c?d"},
		{"HTTPS://A.Example/b", "https://a.example/b"},
		{"https://a.example:443/b", "https://a.example/b"},
		{"https://a.example:/b", "https://a.example/b"},
		{"http://a.example:80/b", "http://a.example/b"},
		{"https://a.example/%7eb/%2d", "https://a.example/~b/-"},
		{"https://a.example/%c3%a9", "https://a.example/%C3%A9"},
		{"https://a.example/a/./b/../c", "https://a.example/a/c"},
		{"https://a.example/a/%2e%2E/c", "https://a.example/c"},
		{"https://a.example/../../c", "https://a.example/c"},
		{"https://a.example/a/..", "https://a.example/"},
		{"https://a.example/a/.", "https://a.example/a/"},
		{"https://a.example/a//../b", "https://a.example/a/b"},
		{"https://[2001:DB8::1]:443/b", "https://[2001:db8::1]/b"},
		{"https://127.0.0.1:8443/b", "https://127.0.0.1:8443/b"},
		{"https://a.example/b;x=1,2:@!$&'()*+", "https://a.example/b;x=1,2:@!$&'()*+"},
	} {
		if !evidence.SameURL(same[0], same[1]) || !evidence.SameURL(same[1], same[0]) {
			t.Errorf("%s is another than %s", same[0], same[1])
		}
	}
	for _, other := range [][2]string{
		{"https://a.example/b", "http://a.example/b"},
		{"https://a.example/b", "https://a.example/B"},
		{"https://a.example/b", "https://a.example/b/"},
		{"https://a.example/b", "https://a.example//b"},
		{"https://a.example/b", "https://a.example:8443/b"},
		{"https://a.example/b", "https://a.example:0443/b"},
		{"https://a.example/b", "https://a.example:80/b"},
		{"https://a.example/b", "https://a.example./b"},
		{"https://a.example/b", "https://b.example/b"},
		{"https://a.example/a%2Fb", "https://a.example/a/b"},
		{"https://a.example/a%252e", "https://a.example/a%2e"},
		{"https://a.example/a+b", "https://a.example/a%20b"},
	} {
		if evidence.SameURL(other[0], other[1]) {
			t.Errorf("%s is %s", other[0], other[1])
		}
	}
	for _, none := range []string{
		"", "/", "a.example/b", "//a.example/b", "ftp://a.example/b", "https:/a.example", "https:a.example", "https://", "https:///b", "https://:443/b",
		"https://u@a.example/b", "https://u:p@a.example/b", "https://a.example:x/b", "https://a.example:1:2/b", "https://a%2eexample/b",
		"https://[::1/b", "https://[::1]x/b", "https://ä.example/b", "https://a.example/ä", "https://a.example/a b", "https://a.example/a\\b",
		"https://a.example/%", "https://a.example/%4", "https://a.example/%4g", "https://a.example/%é1", "https://a.example/\x00", "https://a.example/a\nb", " https://a.example/b",
	} {
		if evidence.SameURL(none, none) {
			t.Errorf("%q counts as a URL", none)
		}
	}
}
