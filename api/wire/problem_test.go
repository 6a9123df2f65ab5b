package wire_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/trust"
)

// TestTable is the golden table of kind to status.
func TestTable(t *testing.T) {
	for kind, want := range map[trust.ErrorKind]int{
		trust.Invalid:        400,
		trust.NotFound:       404,
		trust.Conflict:       409,
		trust.Denied:         403,
		trust.Unavailable:    503,
		trust.Internal:       500,
		wire.Unauthenticated: 401,
		wire.TooLarge:        413,
		wire.MediaWrong:      415,
		wire.Changed:         412,
		"something else":     500,
	} {
		if got := wire.Status(kind); got != want {
			t.Errorf("%s is %d, want %d", kind, got, want)
		}
	}
}

// R33: neither a cause nor an internal error's text crosses the border.
func TestCauseStaysInside(t *testing.T) {
	cause := errors.New("open /var/lib/canary: denied")
	for _, tt := range []struct {
		name, detail string
		err          error
	}{
		{"no kind", "", cause},
		{"internal", "", trust.Errorf(trust.Internal, "canary")},
		{"cause", "the store cannot be read", trust.Errorf(trust.Unavailable, "the store cannot be read: %w", cause)},
		{"cause of a cause", "reading agreement a: the store cannot be read",
			trust.Errorf(trust.Unavailable, "reading agreement a: %w", trust.Errorf(trust.Unavailable, "the store cannot be read: %w", cause))},
		{"internal cause", "reading agreement a",
			trust.Errorf(trust.Unavailable, "reading agreement a: %w", trust.Errorf(trust.Internal, "canary"))},
		{"own cause", "reading agreement a: it has ended",
			trust.Errorf(trust.Conflict, "reading agreement a: %w", trust.Errorf(trust.Conflict, "it has ended"))},
		{"wrapped from outside", "it has ended", fmt.Errorf("%w: %w", cause, trust.Errorf(trust.Conflict, "it has ended"))},
	} {
		w := httptest.NewRecorder()
		wire.Fail(w, tt.err)
		if strings.Contains(w.Body.String(), "canary") {
			t.Errorf("%s: the answer tells a cause: %s", tt.name, w.Body)
		}
		if got := wire.ProblemOf(tt.err).Detail; got != tt.detail {
			t.Errorf("%s: detail %q, want %q", tt.name, got, tt.detail)
		}
	}
}

func TestFail(t *testing.T) {
	w := httptest.NewRecorder()
	wire.Fail(w, trust.Errorf(wire.Unauthenticated, "no credential"))
	const want = `{"type":"about:blank","title":"Unauthorized","status":401,"kind":"unauthenticated","detail":"no credential"}`
	if w.Code != 401 || w.Body.String() != want {
		t.Errorf("answered %d %s, want 401 %s", w.Code, w.Body, want)
	}
	if w.Header().Get("Content-Type") != wire.MediaType || w.Header().Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("headers are %v", w.Header())
	}
}

func TestErrIsTheSame(t *testing.T) {
	err := wire.ProblemOf(trust.Errorf(trust.Conflict, "it has ended")).Err()
	if trust.KindOf(err) != trust.Conflict || err.Error() != "it has ended" {
		t.Errorf("came back as %s %v", trust.KindOf(err), err)
	}
	if err := (wire.Problem{Title: "Gateway Timeout"}).Err(); err.Error() != "Gateway Timeout" {
		t.Errorf("a problem without a detail says %q", err)
	}
}
