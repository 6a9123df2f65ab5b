package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/trust"
)

// The exit codes. A script may rely on them.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2 // usage or bad input
	exitDenied      = 3 // denied or refused
	exitNotSignedIn = 4
	exitConflict    = 5
	exitUnverified  = 6 // verification failed
	exitTimeout     = 8
)

// failed is an error with an exit code of its own.
type failed struct {
	code int
	error
}

func (f failed) Unwrap() error { return f.error }

// exitCode gives the code of an error; nil is exitOK.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if f, ok := errors.AsType[failed](err); ok {
		return f.code
	}
	if _, ok := errors.AsType[*ledger.Fault](err); ok {
		return exitUnverified
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return exitTimeout
	}
	switch trust.KindOf(err) {
	case trust.Invalid:
		return exitUsage
	case trust.Denied:
		return exitDenied
	case wire.Unauthenticated:
		return exitNotSignedIn
	case trust.Conflict, wire.Changed:
		return exitConflict
	default:
		return exitError
	}
}

// report tells an error in one line, several faults of a document in one line
// each, or as a problem where data is JSON.
func (a *app) report(err error) {
	if a.output != "json" {
		fmt.Fprintln(a.Err, "entente: "+strings.ReplaceAll(clean(err.Error()), "\n", "\n  "))
		return
	}
	kind := trust.KindOf(err)
	p := wire.Problem{Type: "about:blank", Title: string(kind), Status: wire.Status(kind), Kind: kind, Detail: err.Error()}
	_ = json.MarshalWrite(a.Err, p, jsontext.Multiline(false)) // nothing is left to tell it to
	fmt.Fprintln(a.Err)
}
