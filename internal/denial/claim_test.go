package denial_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/entente-id/entente/trust"
)

// shapes are the wrong ones for every claim; the over-long one stands with size.
var shapes = map[string]any{
	"absent": absent, "null": nil, "true": true, "false": false, "an object": object{}, "an object of itself": object{"value": "x"}, "an empty list": []any{},
	"two of a list": []any{"a", "b"}, "a list of null": []any{nil}, "a list of a list": []any{[]any{"a"}}, "a list of a number": []any{7}, "a list of an empty text": []any{""},
}

var textShapes = map[string]any{"empty": "", "a number": 7, "a fraction": 1.5, "zero": 0}

// dates are what is no date in whole seconds.
var dates = map[string]any{
	"a text": "1790000000", "an RFC 3339 text": "2026-11-22T12:00:00Z", "a fraction": 1790000000.5, "an exponent": 1.79e30, "zero": 0, "negative": -1, "least": -1 << 63,
	"beyond the year 9999": int64(253402300800), "largest": int64(1<<63 - 1), "an empty text": "",
}

// claimCases: a missing claim never means unchecked. texts and times are the
// required claims; optional ones may be absent, and nothing else.
func claimCases(texts, times, optional []string) []spoil {
	c := cases{rule: "missing claim means unchecked"}
	for _, name := range texts {
		for shape, value := range shapes {
			c.add(name+" is "+shape, claimReason(name, shape), func(d *draft) { put(d.claims, name, value) })
		}
		for shape, value := range textShapes {
			c.add(name+" is "+shape, claimReason(name, shape), func(d *draft) { d.claims[name] = value })
		}
		c.add(name+" is over-long", trust.EvidenceMalformed, func(d *draft) { d.claims[name] = strings.Repeat("x", 17<<10) })
	}
	for _, name := range slices.Concat(times, optional) {
		for shape, value := range dates {
			c.add(name+" is "+shape, trust.ClaimMissing, func(d *draft) { d.claims[name] = value })
		}
		for shape, value := range shapes {
			if shape == "absent" && slices.Contains(optional, name) {
				continue
			}
			c.add(name+" is "+shape, trust.ClaimMissing, func(d *draft) { put(d.claims, name, value) })
		}
	}
	return c.all
}

// claimReason: without an iss nobody can be asked; several audiences have a
// reason of their own.
func claimReason(name, shape string) trust.Reason {
	switch {
	case name == "iss":
		return trust.EvidenceMalformed
	case name == "aud" && shape == "two of a list":
		return trust.AudienceMultiple
	default:
		return trust.ClaimMissing
	}
}

// nearMisses are texts that are not s and look like it to a loose reader.
func nearMisses(s string) map[string]string {
	scheme, rest, _ := strings.Cut(s, "://")
	misses := map[string]string{
		"with a slash": s + "/", "with two slashes": s + "//", "in capitals": scheme + "://" + strings.ToUpper(rest), "with the scheme in capitals": strings.ToUpper(scheme) + "://" + rest,
		"with the port": s + ":443", "by http": "http://" + rest, "without a scheme": rest, "with a query": s + "?", "with a query of its own": s + "?a=b", "with a fragment": s + "#",
		"with a space": s + " ", "with a space before": " " + s, "with a dot": s + ".", "as a prefix": s[:len(s)-1], "as a longer text": s + "x", "as a sub-path": s + "/x",
		"as a dot segment": s + "/.", "as a parent": s + "/x/..", "as a host below": scheme + "://x." + rest, "as a host above": s + ".evil.example", "with user information": scheme + "://u@" + rest,
		"with NUL": s + "\x00", "with a line feed": s + "\n", "with a tab": s + "\t", "with a letter of another script": strings.Replace(s, "e", "\u0435", 1),
		"with a percent": strings.Replace(s, "e", "%65", 1), "with a combining mark": s + "\u0301", "with a zero-width space": s + "\u200b", "doubled": s + s, "listed": s + "," + s,
		"spaced": s + " " + s, "with a wildcard": "*", "with a wildcard host": scheme + "://*", "with a back slash": strings.ReplaceAll(s, "/", `\`), "with an empty host": scheme + "://",
	}
	return misses
}

func issuerCases(iss string) []spoil {
	c := cases{rule: "loose matching: issuer"}
	for how, miss := range nearMisses(iss) {
		c.add("iss "+how, trust.UnknownIssuer, func(d *draft) { d.claims["iss"] = miss })
	}
	return c.all
}

func audienceCases(aud string, foreign trust.Reason) []spoil {
	c := cases{rule: "loose matching: audience"}
	for how, miss := range nearMisses(aud) {
		c.add("aud "+how, foreign, func(d *draft) { d.claims["aud"] = miss })
		c.add("aud "+how+", in a list", foreign, func(d *draft) { d.claims["aud"] = []any{miss} })
		c.add("aud "+how+", beside the right one", trust.AudienceMultiple, func(d *draft) { d.claims["aud"] = []any{aud, miss} })
	}
	c.add("aud twice", trust.AudienceMultiple, func(d *draft) { d.claims["aud"] = []any{aud, aud} })
	c.add("aud behind another", trust.AudienceMultiple, func(d *draft) { d.claims["aud"] = []any{"https://other.example", aud} })
	c.add("control: aud in a list", "", func(d *draft) { d.claims["aud"] = []any{aud} })
	return c.all
}

// timeCases stay clear of the second they are about: what happens in that very
// second the tests of package evidence show, where time is an argument.
func timeCases(now func() int64) []spoil {
	c := cases{rule: "times"}
	for name, s := range map[string]struct {
		claims func(now int64) object
		want   trust.Reason
	}{
		"expired now":                 {func(n int64) object { return object{"exp": n} }, trust.TokenExpired},
		"expired a second ago":        {func(n int64) object { return object{"exp": n - 1, "iat": n - 100} }, trust.TokenExpired},
		"expired within a leeway":     {func(n int64) object { return object{"exp": n - 25, "iat": n - 100} }, trust.TokenExpired},
		"expired a day ago":           {func(n int64) object { return object{"exp": n - 86400, "iat": n - 86500} }, trust.TokenExpired},
		"expires before it is issued": {func(n int64) object { return object{"exp": n + 10, "iat": n + 20} }, trust.ClaimMissing},
		"expires when it is issued":   {func(n int64) object { return object{"exp": n + 20, "iat": n + 20} }, trust.ClaimMissing},
		"issued in the future":        {func(n int64) object { return object{"iat": n + 45} }, trust.TokenNotYetValid},
		"issued far in the future":    {func(n int64) object { return object{"iat": n + 86400, "exp": n + 86500} }, trust.TokenNotYetValid},
		"valid in the future":         {func(n int64) object { return object{"nbf": n + 45} }, trust.TokenNotYetValid},
		"valid far in the future":     {func(n int64) object { return object{"nbf": n + 86400} }, trust.TokenNotYetValid},
		"signed in in the future":     {func(n int64) object { return object{"auth_time": n + 45} }, trust.TokenNotYetValid},
		"milliseconds":                {func(n int64) object { return object{"iat": n * 1000, "exp": (n + 300) * 1000} }, trust.ClaimMissing},
		"lives too long":              {func(n int64) object { return object{"exp": n + 1000} }, trust.TokenLifetime},
		"lives a day":                 {func(n int64) object { return object{"exp": n + 86400} }, trust.TokenLifetime},
		"lived too long already":      {func(n int64) object { return object{"iat": n - 86400} }, trust.TokenLifetime},
		"signed in too long ago":      {func(n int64) object { return object{"auth_time": n - 86400} }, trust.AuthAge},
		"signed in nobody knows when": {func(int64) object { return object{"auth_time": absent} }, trust.AuthAge},
		"control: issued a bit ahead": {func(n int64) object { return object{"iat": n + 10} }, ""},
		"control: valid a bit ahead":  {func(n int64) object { return object{"nbf": n + 10} }, ""},
	} {
		c.add(name, s.want, func(d *draft) {
			for claim, value := range s.claims(now()) {
				put(d.claims, claim, value)
			}
		})
	}
	return c.all
}

// partyCases: an ID token is for the party it was issued to; the azp of an
// access token is history.
func partyCases(isID bool, aud string) []spoil {
	c := cases{rule: "confused deputy"}
	for name, value := range map[string]any{"another": "ward-app", "wrong": 1, "null": nil, "a list": []any{aud}, "near": aud + "/", "empty": ""} {
		want := trust.Reason("")
		if isID {
			want = trust.ClaimMissing
		} else {
			name = "control: " + name
		}
		c.add(fmt.Sprintf("%s azp", name), want, func(d *draft) { d.claims["azp"] = value })
	}
	c.add("control: azp is the audience", "", func(d *draft) { d.claims["azp"] = aud })
	return c.all
}
