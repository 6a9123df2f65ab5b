package trust

import (
	"encoding/hex"
	"fmt"
	"time"
)

// Position is a place in a log: the epoch, which only a recovery raises, and
// the entry's number from 0. It is written "1/18442". The zero value is before
// the first entry of any log, since epochs begin at 1.
type Position struct {
	Epoch uint32 `json:"epoch"`
	N     uint64 `json:"n"`
}

func (p Position) String() string { return fmt.Sprintf("%d/%d", p.Epoch, p.N) }

// Compare orders positions by epoch, then number: -1, 0 or +1.
func (p Position) Compare(q Position) int {
	switch {
	case p == q:
		return 0
	case p.Epoch < q.Epoch || p.Epoch == q.Epoch && p.N < q.N:
		return -1
	default:
		return 1
	}
}

// Stamp is when and where an entry stands. At is Unix seconds, never less than
// that of the entry before it.
type Stamp struct {
	Position Position
	At       int64
}

// Time gives At in UTC.
func (s Stamp) Time() time.Time { return time.Unix(s.At, 0).UTC() }

// Kind names an entry's kind and version, written "agreement.activated/v1".
type Kind struct {
	Name    string
	Version int
}

func (k Kind) String() string { return fmt.Sprintf("%s/v%d", k.Name, k.Version) }

// Event is a fact that changes trust. Its JSON form is the body of a leaf: it
// holds no names of people, no mail addresses, no free text and no plain
// subject or resource identifiers; integers and seconds only, sets sorted.
type Event interface {
	EventKind() Kind
}

// SubjectKey is what a ledger knows a subject by: the first 16 bytes of an HMAC
// of (participant, namespace, subject) under the node's index key. Erasing a
// person leaves it intact. It is written as 32 hexadecimal digits.
type SubjectKey [16]byte

// Engagement counts a subject's times with a participant, from 1.
type Engagement uint32

// Once is a value that may be used a single time. Key is a hash that no two
// different values share; Expires is when, in Unix seconds, the proof that
// carried it has run out by itself and the value may be forgotten; Edge is
// whose quota it counts against.
type Once struct {
	Key     [16]byte
	Expires int64
	Edge    ParticipantID
}

// Window is a half-open time span [NotBefore, NotAfter) in Unix seconds: at
// NotAfter it has ended.
type Window struct {
	NotBefore int64 `json:"not_before"`
	NotAfter  int64 `json:"not_after"`
}

// Contains reports whether t (Unix seconds) lies in w.
func (w Window) Contains(t int64) bool { return w.NotBefore <= t && t < w.NotAfter }

// MarshalText gives 32 hexadecimal digits.
func (k SubjectKey) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%x", k[:]), nil }

// UnmarshalText parses 32 hexadecimal digits. It fails with Invalid.
func (k *SubjectKey) UnmarshalText(b []byte) error {
	if n, err := hex.Decode(k[:], b[:min(len(b), 2*len(k))]); err != nil || n != len(k) || len(b) != 2*len(k) {
		return Errorf(Invalid, "subject key %q is not 32 hexadecimal digits", b)
	}
	return nil
}
