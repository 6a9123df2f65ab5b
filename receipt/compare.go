package receipt

import "golang.org/x/mod/sumdb/tlog"

// Difference is how the accounts of a host and a home differ about a number.
type Difference string

const (
	MissingAtHome Difference = "missing_at_home" // the host's ledger has it, the home's has not
	MissingAtHost Difference = "missing_at_host" // the home recorded it, the host's ledger has it not
	Altered       Difference = "altered"         // both have it, with different content
)

// Valid reports whether d is one of the three.
func (d Difference) Valid() bool { return d == MissingAtHome || d == MissingAtHost || d == Altered }

// Account is one side's leaves of consecutive numbers from First on. Of a number
// in Erased the content is gone, since the person was erased; it differs from
// nothing. A zero leaf is a number that the side does not have.
type Account struct {
	First  uint64
	Leaves []tlog.Hash
	Erased map[uint64]bool
}

// at gives a number's leaf; zero where the side does not have it.
func (a Account) at(n uint64) tlog.Hash {
	if n < a.First || n-a.First >= uint64(len(a.Leaves)) {
		return tlog.Hash{}
	}
	return a.Leaves[n-a.First]
}

// Range is consecutive numbers of a series about which two accounts differ in one
// way.
type Range struct {
	Kind   Difference `json:"kind"`
	Series uint32     `json:"series,omitzero"`
	From   uint64     `json:"from"`
	To     uint64     `json:"to"`
}

// Compare gives where two accounts of the numbers from first to last of one series
// differ, in their order, in as few ranges as there can be.
func Compare(host, home Account, first, last uint64) []Range {
	var out []Range
	for n := first; n <= last; n++ {
		kind := compareOne(host, home, n)
		switch end := len(out) - 1; {
		case kind == "":
		case end >= 0 && out[end].Kind == kind && out[end].To == n-1:
			out[end].To = n
		default:
			out = append(out, Range{Kind: kind, From: n, To: n})
		}
	}
	return out
}

func compareOne(host, home Account, n uint64) Difference {
	there, here := host.at(n), home.at(n)
	atHost, atHome := there != tlog.Hash{} || host.Erased[n], here != tlog.Hash{} || home.Erased[n]
	switch {
	case atHost && !atHome:
		return MissingAtHome
	case atHome && !atHost:
		return MissingAtHost
	case host.Erased[n] || home.Erased[n] || there == here:
		return ""
	default:
		return Altered
	}
}
