package config

import (
	"strconv"
	"strings"
	"time"

	"github.com/entente-id/entente/trust"
)

const (
	day  = Period(24 * time.Hour)
	year = 366 * day // never shorter than the calendar's
)

// Period is a long time, written <int>(d|y). A year counts as 366 days, since
// what the law says to keep for a year may not go a day early.
type Period time.Duration

// MarshalText gives the shortest exact form.
func (p Period) MarshalText() ([]byte, error) {
	if p%year == 0 {
		return append(strconv.AppendInt(nil, int64(p/year), 10), 'y'), nil
	}
	return append(strconv.AppendInt(nil, int64(p/day), 10), 'd'), nil
}

// UnmarshalText parses 1d to 100y. It fails with Invalid.
func (p *Period) UnmarshalText(b []byte) error {
	s := string(b)
	for suffix, unit := range map[string]Period{"d": day, "y": year} {
		digits, ok := strings.CutSuffix(s, suffix)
		n, err := strconv.ParseUint(digits, 10, 16)
		if ok && err == nil && n > 0 && Period(n) <= 100*year/unit {
			*p = Period(n) * unit
			return nil
		}
	}
	return trust.Errorf(trust.Invalid, "period %q is not a whole number of d or y up to 100y", s)
}
