package ledger

import (
	"errors"
	"fmt"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Fault says where a log is not what it must be, and which rule that breaks.
// Its kind is Invalid.
type Fault struct {
	Log   string
	Entry uint64 // the first entry that is in doubt
	Rule  string
}

func (f *Fault) Error() string { return fmt.Sprintf("%s log, entry %d: %s", f.Log, f.Entry, f.Rule) }

// Unwrap gives the fault its kind.
func (f *Fault) Unwrap() error { return &trust.Error{Kind: trust.Invalid, Text: f.Error()} }

func fault(log string, entry uint64, rule string) *Fault {
	return &Fault{Log: log, Entry: entry, Rule: rule}
}

// faultOf turns damage that a store has met into a Fault, which names the bytes.
func faultOf(err error) error {
	if d, ok := errors.AsType[*store.Damage](err); ok {
		return fault(d.Log, d.Size, fmt.Sprintf("%s bytes %d to %d: %s", d.File, d.From, d.To, d.Rule))
	}
	return err
}
