package wire_test

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/entente-id/entente/api/wire"
)

var secret = [wire.SecretSize]byte{1, 2, 3, 31: 0xff}

// format writes a credential as a node does.
func format(p wire.Prefix, secret [wire.SecretSize]byte) string {
	return string(p) + base64.RawURLEncoding.EncodeToString(secret[:])
}

func TestCredentialParses(t *testing.T) {
	text := format(wire.Operator, secret)
	if got, ok := wire.ParseCredential(wire.Operator, text); !ok || got != secret {
		t.Errorf("Parse(%q) = %x, %v; want %x", text, got, ok, secret)
	}
}

// R33: a credential has one form, so a search for it finds it.
func TestCredentialRefuses(t *testing.T) {
	good := format(wire.EnforcementPoint, secret)
	for name, text := range map[string]string{
		"empty":          "",
		"other prefix":   format(wire.Operator, secret),
		"padded":         good + "=",
		"short":          good[:len(good)-1],
		"long":           good + "A",
		"other alphabet": good[:len(good)-2] + "+8",
		"trailing bits":  good[:len(good)-1] + "9",
		"line break":     good[:20] + "\n" + good[21:],
	} {
		if _, ok := wire.ParseCredential(wire.EnforcementPoint, text); ok {
			t.Errorf("%s: %q was accepted", name, text)
		}
	}
}

func TestBearer(t *testing.T) {
	good := format(wire.EnforcementPoint, secret)
	for _, tt := range []struct {
		name   string
		values []string
		ok     bool
	}{
		{"bearer", []string{"Bearer " + good}, true},
		{"scheme in another case", []string{"bearer " + good}, true},
		{"none", nil, false},
		{"two headers", []string{"Bearer " + good, "Bearer " + good}, false},
		{"basic", []string{"Basic " + good}, false},
		{"two spaces", []string{"Bearer  " + good}, false},
		{"no scheme", []string{good}, false},
	} {
		_, ok := wire.Bearer(&http.Request{Header: http.Header{"Authorization": tt.values}}, wire.EnforcementPoint)
		if ok != tt.ok {
			t.Errorf("%s: accepted %v, want %v", tt.name, ok, tt.ok)
		}
	}
}

func FuzzCredential(f *testing.F) {
	f.Add(format(wire.Operator, secret))
	f.Fuzz(func(t *testing.T, text string) {
		if got, ok := wire.ParseCredential(wire.Operator, text); ok && format(wire.Operator, got) != text {
			t.Errorf("%q was accepted, but is not how it is written", text)
		}
	})
}
