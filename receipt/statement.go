package receipt

import (
	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/trust"
)

// MaxStatement is how many numbers one statement is about at most.
const MaxStatement = 4096

// StatementType is the typ of a signed statement, a JWS of the sender's stream
// key.
const StatementType = "entente-reconciliation+jwt"

// MaxSkew is how old a statement may be, and how far ahead, in seconds.
const MaxSkew = 300

// Side is whose account of an edge a statement gives.
type Side string

const (
	Host Side = "host"
	Home Side = "home"
)

// Other is the opposite side.
func (s Side) Other() Side {
	if s == Host {
		return Home
	}
	return Host
}

// Statement is what one side signs about the numbers First to Last of a series on an
// edge: the claims of a JWS. Closed is the last number of it that the sender has at all.
type Statement struct {
	Iss     trust.ParticipantID `json:"iss"`
	Aud     trust.ParticipantID `json:"aud"`
	Iat     int64               `json:"iat"`
	Side    Side                `json:"side"`
	Series  uint32              `json:"series,omitzero"`
	First   uint64              `json:"first"`
	Last    uint64              `json:"last"`
	Closed  uint64              `json:"closed"`
	Leaves  []byte              `json:"leaves"`            // 32 bytes for each number from First on, zero for one that is not there
	Erased  []uint64            `json:"erased,omitempty"`  // whose content is gone since the person was erased
	Answers string              `json:"answers,omitempty"` // hex SHA-256 of the statement that it answers
}

// Check refuses a statement that is not one from iss to aud, of now. It fails with
// Denied, and with Invalid for a shape.
func (s Statement) Check(iss, aud trust.ParticipantID, now int64) error {
	switch {
	case s.Iss != iss || s.Aud != aud:
		return trust.Errorf(trust.Denied, "a statement of %s for %s came from %s", s.Iss, s.Aud, iss)
	case s.Side != Host && s.Side != Home:
		return trust.Errorf(trust.Invalid, "a statement is of a host or of a home; this one is of %.40q", s.Side)
	case s.Iat < now-MaxSkew || s.Iat > now+MaxSkew:
		return trust.Errorf(trust.Denied, "a statement of %s is not of now", iss)
	case s.Series == 1:
		return trust.Errorf(trust.Invalid, "a statement of %s names the first series by its number; that is left out", iss)
	case s.First == 0 || s.Last < s.First || s.Last-s.First >= MaxStatement:
		return trust.Errorf(trust.Invalid, "a statement is about 1 to %d numbers from 1; this one is about %d to %d", MaxStatement, s.First, s.Last)
	case len(s.Leaves)%tlog.HashSize != 0 || uint64(len(s.Leaves)/tlog.HashSize) > s.Last-s.First+1 || len(s.Erased) > MaxStatement:
		return trust.Errorf(trust.Invalid, "a statement about %d to %d has %d bytes of leaves and %d erased numbers", s.First, s.Last, len(s.Leaves), len(s.Erased))
	default:
		return nil
	}
}

// Account gives the account that s states.
func (s Statement) Account() Account {
	a := Account{First: s.First, Erased: map[uint64]bool{}}
	for rest := s.Leaves; len(rest) >= tlog.HashSize; rest = rest[tlog.HashSize:] {
		a.Leaves = append(a.Leaves, tlog.Hash(rest[:tlog.HashSize]))
	}
	for _, n := range s.Erased {
		a.Erased[n] = true
	}
	return a
}

// Reconcile compares the two sides' statements about the same numbers, as far as
// these are closed: what the home has recorded. It gives the last number compared,
// 0 for none.
func Reconcile(host, home Statement) (found []Range, last uint64) {
	if last = min(home.Last, home.Closed); last < home.First {
		return nil, 0
	}
	found = Compare(host.Account(), home.Account(), home.First, last)
	for i := range found {
		found[i].Series = home.Series
	}
	return found, last
}
