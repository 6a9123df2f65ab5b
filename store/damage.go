package store

import "fmt"

// Damage is an error that says which bytes are not as they were written. Nobody
// repairs them: what an acknowledged entry said is lost or in doubt.
type Damage struct {
	Log  string
	File string // relative to the data directory
	From int64  // the first byte in doubt
	To   int64  // just past the last
	Size uint64 // entries of the log that stand whole before it
	Rule string // what does not hold
}

func (d *Damage) Error() string {
	return fmt.Sprintf("%s log: %s bytes %d to %d, after entry count %d: %s", d.Log, d.File, d.From, d.To, d.Size, d.Rule)
}

// Tail is what an interrupted Append left behind the end of a log. No
// acknowledged entry is in it.
type Tail struct {
	Log   string
	File  string // relative to the data directory
	Bytes int64  // how many there are
	Size  uint64 // entries of the log before it
}

func (t Tail) String() string {
	return fmt.Sprintf("%s log: %d bytes of an interrupted write at the end of %s, after %d entries", t.Log, t.Bytes, t.File, t.Size)
}
