package signal_test

import (
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

func TestSubjectIDs(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       signal.SubjectID
	}{
		{"iss_sub", `{"format":"iss_sub","iss":"https://idp.example","sub":"n1"}`, signal.SubjectOf("https://idp.example", "n1")},
		{"opaque", `{"format":"opaque","id":"s1"}`, signal.OpaqueOf("s1")},
		{"email", `{"email":"a@b.example","format":"email"}`, signal.SubjectID{Format: signal.Email, ID: "a@b.example"}},
		{"jwt_id", `{"format":"jwt_id","iss":"https://idp.example","jti":"j"}`, signal.SubjectID{Format: signal.JWTID, Issuer: "https://idp.example", ID: "j"}},
		{
			"aliases", `{"format":"aliases","identifiers":[{"format":"opaque","id":"a"},{"format":"opaque","id":"b"}]}`,
			signal.SubjectID{Format: signal.Aliases, Aliases: []signal.SubjectID{signal.OpaqueOf("a"), signal.OpaqueOf("b")}},
		},
		{
			"complex", `{"format":"complex","session":{"format":"opaque","id":"s"},"user":{"format":"iss_sub","iss":"https://idp.example","sub":"n1"}}`,
			signal.SubjectID{Format: signal.Complex, Parts: map[signal.Member]signal.SubjectID{
				signal.User: signal.SubjectOf("https://idp.example", "n1"), signal.Session: signal.OpaqueOf("s"),
			}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got signal.SubjectID
			if err := canonical.Decode([]byte(c.text), &got); err != nil {
				t.Fatal(err)
			}
			if !got.Equal(c.want) {
				t.Errorf("reads as %+v, want %+v", got, c.want)
			}
			if back, err := canonical.Marshal(got); err != nil || string(back) != c.text {
				t.Errorf("writes %s, %v", back, err)
			}
		})
	}
}

func TestSubjectIDsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no format":            `{"iss":"https://idp.example","sub":"n1"}`,
		"unknown format":       `{"format":"badge","id":"7"}`,
		"missing part":         `{"format":"iss_sub","iss":"https://idp.example"}`,
		"empty subject":        `{"format":"iss_sub","iss":"https://idp.example","sub":""}`,
		"number":               `{"format":"opaque","id":7}`,
		"further member":       `{"format":"opaque","id":"7","sub":"n1"}`,
		"two formats":          `{"format":"opaque","format":"opaque","id":"7"}`,
		"no aliases":           `{"format":"aliases","identifiers":[]}`,
		"aliases in aliases":   `{"format":"aliases","identifiers":[{"format":"aliases","identifiers":[{"format":"opaque","id":"a"}]}]}`,
		"complex of nothing":   `{"format":"complex"}`,
		"complex of a text":    `{"format":"complex","user":"n1"}`,
		"complex in complex":   `{"format":"complex","user":{"format":"complex","user":{"format":"opaque","id":"a"}}}`,
		"unknown part":         `{"format":"complex","badge":{"format":"opaque","id":"a"}}`,
		"case of a part":       `{"format":"complex","User":{"format":"opaque","id":"a"}}`,
		"an array":             `[{"format":"opaque","id":"a"}]`,
		"format is no text":    `{"format":["opaque"],"id":"a"}`,
		"alias without a name": `{"format":"aliases","identifiers":[{"format":"opaque"}]}`,
	} {
		var got signal.SubjectID
		if err := canonical.Decode([]byte(text), &got); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s is read as %+v, %v", name, got, err)
		}
	}
}

func TestCovers(t *testing.T) {
	complexOf := func(parts map[signal.Member]string) signal.SubjectID {
		s := signal.SubjectID{Format: signal.Complex, Parts: map[signal.Member]signal.SubjectID{}}
		for member, id := range parts {
			s.Parts[member] = signal.OpaqueOf(id)
		}
		return s
	}
	both := complexOf(map[signal.Member]string{signal.User: "n1", signal.Session: "s1"})
	for _, c := range []struct {
		name string
		s, t signal.SubjectID
		want bool
	}{
		{"the same", signal.OpaqueOf("a"), signal.OpaqueOf("a"), true},
		{"another", signal.OpaqueOf("a"), signal.OpaqueOf("b"), false},
		{"another format", signal.OpaqueOf("a"), signal.SubjectID{Format: signal.URI, ID: "a"}, false},
		{"every session of a user", complexOf(map[signal.Member]string{signal.User: "n1"}), both, true},
		{"every user of a tenant", complexOf(map[signal.Member]string{signal.Tenant: "t"}), both, true},
		{"another session", complexOf(map[signal.Member]string{signal.User: "n1", signal.Session: "s2"}), both, false},
		{"another user", complexOf(map[signal.Member]string{signal.User: "n2"}), both, false},
	} {
		if got := c.s.Covers(c.t); got != c.want {
			t.Errorf("%s: covers is %t", c.name, got)
		}
	}
}

func FuzzSubjectID(f *testing.F) {
	f.Add([]byte(`{"format":"iss_sub","iss":"https://idp.example","sub":"n1"}`))
	f.Add([]byte(`{"format":"aliases","identifiers":[{"format":"opaque","id":"a"}]}`))
	f.Add([]byte(`{"format":"complex","session":{"format":"opaque","id":"s"},"user":{"format":"email","email":"a@b.example"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var read, again signal.SubjectID
		if canonical.Decode(text, &read) != nil {
			return
		}
		written, err := canonical.Marshal(read)
		if err != nil {
			t.Fatal(err)
		}
		if err := canonical.Decode(written, &again); err != nil || !again.Equal(read) || !read.Covers(again) {
			t.Fatalf("%s reads as %+v, and that as %+v, %v", text, read, again, err)
		}
	})
}
