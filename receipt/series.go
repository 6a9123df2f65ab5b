package receipt

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/entente-id/entente/trust"
)

// SeriesOf names the series of numbers in which an entry of an epoch of the host's
// ledger is. Each epoch has one of its own, from 1, so that no number stands for two
// receipts where the end of a ledger was lost. That of the first epoch is 0.
func SeriesOf(epoch uint32) uint32 {
	if epoch <= 1 {
		return 0
	}
	return epoch
}

// Place is a number in a series. In the zero value it is before the first receipt.
// It is written "17", and "2/17" in a later series than the first.
type Place struct {
	Series uint32 `json:"series,omitzero"`
	N      uint64 `json:"n"`
}

func (p Place) String() string {
	if p.Series == 0 {
		return strconv.FormatUint(p.N, 10)
	}
	return fmt.Sprintf("%d/%d", p.Series, p.N)
}

// ParsePlace reads what String writes, and "1/17" for "17". It fails with Invalid.
func ParsePlace(text string) (p Place, err error) {
	series, number, ok := strings.Cut(text, "/")
	if !ok {
		series, number = "1", text
	}
	epoch, err := strconv.ParseUint(series, 10, 32)
	if err == nil && epoch > 0 {
		p.Series = SeriesOf(uint32(epoch))
		p.N, err = strconv.ParseUint(number, 10, 63)
	}
	if err != nil || epoch == 0 {
		return Place{}, trust.Errorf(trust.Invalid, "%.40q is no number of a receipt, as 17 or 2/17", text)
	}
	return p, nil
}

// LastOf gives the last number of a series, 0 where there is none.
func LastOf(all []Place, series uint32) uint64 {
	for _, p := range all {
		if p.Series == series {
			return p.N
		}
	}
	return 0
}

// GoOn says which receipt a host gives next to a home that has recorded up to after.
// Held is the last of each series in the host's ledger, in order, newest the series
// that it is in. A number 0 means that there is none in that series, and that the home
// has more of an earlier one than this ledger; false that there is nothing to say.
func GoOn(held []Place, newest uint32, after Place) (Place, bool) {
	last := LastOf(held, after.Series)
	if last > after.N {
		return Place{after.Series, after.N + 1}, true
	}
	for _, p := range held {
		if p.Series > after.Series {
			return Place{p.Series, 1}, true
		}
	}
	return Place{max(newest, after.Series), 0}, last < after.N
}

// before holds what a host signs of the series before that of its batch against what
// was recorded of them. It gives the numbers that the host lost. It fails as Check
// does.
func (b Batch) before(recorded []Place) (lost []Range, err error) {
	rise := func(x, y Place) int { return cmp.Compare(x.Series, y.Series) }
	if b.Series == 1 || !slices.IsSortedFunc(b.Past, rise) || len(slices.CompactFunc(slices.Clone(b.Past), func(x, y Place) bool { return x.Series == y.Series })) < len(b.Past) {
		return nil, trust.Errorf(trust.Invalid, "the series before %d are not told each once, in order", b.Series)
	}
	for _, p := range b.Past {
		switch has := LastOf(recorded, p.Series); {
		case p.N == 0 || p.Series >= b.Series || p.Series == 1:
			return nil, trust.Errorf(trust.Invalid, "series %d with %d receipts is none before series %d", p.Series, p.N, b.Series)
		case has < p.N:
			return nil, &Refusal{MissingAtHome, p.Series, has + 1, p.N}
		}
	}
	for _, r := range recorded {
		switch there := LastOf(b.Past, r.Series); {
		case r.Series > b.Series:
			return nil, trust.Errorf(trust.Invalid, "a batch of series %d comes behind one of series %d", b.Series, r.Series)
		case r.Series < b.Series && there < r.N:
			lost = append(lost, Range{MissingAtHost, r.Series, there + 1, r.N})
		}
	}
	return lost, nil
}
