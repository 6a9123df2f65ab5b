package wire_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/trust"
)

func TestBody(t *testing.T) {
	for _, tt := range []struct {
		name, media, body string
		length            int64 // as announced; -1 not at all
		want              trust.ErrorKind
	}{
		{"fits", "application/json", "12345678", 8, ""},
		{"not announced", "application/json", "12345678", -1, ""},
		{"with a parameter", "application/json; charset=utf-8", "1", 1, ""},
		{"too large", "application/json", "123456789", 9, wire.TooLarge},
		{"too large, not announced", "application/json", "123456789", -1, wire.TooLarge},
		{"shorter than announced", "application/json", "1234", 8, trust.Invalid},
		{"other type", "text/plain", "1", 1, wire.MediaWrong},
		{"no type", "", "1", 1, wire.MediaWrong},
		{"type that only begins alike", "application/jsonx", "1", 1, wire.MediaWrong},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(strings.NewReader(tt.body)))
		r.ContentLength = tt.length
		if tt.media != "" {
			r.Header.Set("Content-Type", tt.media)
		}
		got, err := wire.Body(httptest.NewRecorder(), r, wire.JSON, 8)
		if trust.KindOf(err) != tt.want || err == nil && string(got) != tt.body {
			t.Errorf("%s: %q, %v; want kind %q", tt.name, got, err, tt.want)
		}
	}
}

func TestBodyTwoTypes(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("1"))
	r.Header["Content-Type"] = []string{wire.JSON, wire.JSON}
	if _, err := wire.Body(httptest.NewRecorder(), r, wire.JSON, 8); trust.KindOf(err) != wire.MediaWrong {
		t.Errorf("two content types gave %v, want %s", err, wire.MediaWrong)
	}
}

func TestAnswer(t *testing.T) {
	w := httptest.NewRecorder()
	if err := wire.Answer(w, http.StatusCreated, map[string]int{"b": 1, "a": 2}); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusCreated || w.Body.String() != `{"a":2,"b":1}` || w.Header().Get("Content-Type") != wire.JSON {
		t.Errorf("answered %d %s %v", w.Code, w.Body, w.Header())
	}
	if err := wire.Answer(w, http.StatusOK, func() {}); trust.KindOf(err) != trust.Internal {
		t.Errorf("what cannot be rendered gave %v, want internal", err)
	}
}
