package trust

import (
	"errors"
	"fmt"
)

// ErrorKind says what a caller can do about an error. There are six, and every
// protocol maps them to its own wire in one table.
type ErrorKind string

const (
	Invalid     ErrorKind = "invalid"     // the input is wrong; sending it again will not help
	NotFound    ErrorKind = "not_found"   // the thing named does not exist here
	Conflict    ErrorKind = "conflict"    // the thing is in a state that forbids this
	Denied      ErrorKind = "denied"      // a rule forbids it, or the caller may not
	Unavailable ErrorKind = "unavailable" // try again later
	Internal    ErrorKind = "internal"    // our own fault
)

// Error is an error with a kind. Its text names the thing, its state and the
// rule. A wrapped cause is for our own log only and never crosses the border.
type Error struct {
	Kind  ErrorKind
	Text  string
	Cause error
}

// Errorf makes an *Error. A %w verb in format becomes the cause.
func Errorf(kind ErrorKind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Text: err.Error(), Cause: errors.Unwrap(err)}
}

func (e *Error) Error() string { return e.Text }

// Unwrap gives the cause, or nil.
func (e *Error) Unwrap() error { return e.Cause }

// KindOf gives the kind of the outermost *Error in err's chain; any other
// non-nil error is Internal. KindOf(nil) is empty.
func KindOf(err error) ErrorKind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
