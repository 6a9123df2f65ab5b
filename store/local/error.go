package local

import (
	"github.com/entente-id/entente/trust"
)

// internal is an error after which it is not known what the disk holds.
func internal(format string, args ...any) error {
	return trust.Errorf(trust.Internal, format, args...)
}

// full is a write that failed before anything was promised: mostly there is no
// room left, and there may be some later.
func full(format string, args ...any) error {
	return trust.Errorf(trust.Unavailable, format, args...)
}
