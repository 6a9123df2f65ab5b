package trust

import (
	"strconv"
	"time"
)

// Instant is a moment in Unix seconds. Documents write it as RFC 3339 with a
// zone; it reads back in UTC.
type Instant int64

// ParseInstant parses RFC 3339 with a zone. It fails with Invalid, also for
// fractions of a second.
func ParseInstant(s string) (Instant, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Nanosecond() != 0 {
		return 0, Errorf(Invalid, "instant %q is not RFC 3339 in whole seconds with a zone", s)
	}
	return Instant(t.Unix()), nil
}

func (i Instant) String() string { return time.Unix(int64(i), 0).UTC().Format(time.RFC3339) }

// MarshalText gives RFC 3339 in UTC.
func (i Instant) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText parses RFC 3339 with a zone.
func (i *Instant) UnmarshalText(b []byte) (err error) {
	*i, err = ParseInstant(string(b))
	return err
}

// Span is a duration in whole seconds, written <int>(s|m|h|d).
type Span int64

// ParseSpan parses a positive <int>(s|m|h|d). It fails with Invalid.
func ParseSpan(s string) (Span, error) {
	if len(s) >= 2 {
		n, err := strconv.ParseInt(s[:len(s)-1], 10, 32)
		if unit := spanUnit(s[len(s)-1]); err == nil && n > 0 && unit > 0 && s[0] != '+' {
			return Span(n) * unit, nil
		}
	}
	return 0, Errorf(Invalid, "duration %q is not a positive whole number of s, m, h or d", s)
}

func spanUnit(c byte) Span {
	switch c {
	case 's':
		return 1
	case 'm':
		return 60
	case 'h':
		return 3600
	case 'd':
		return 86400
	default:
		return 0
	}
}

// String gives the shortest exact form: 90s, 15m, 12h, 14d.
func (s Span) String() string {
	for _, u := range []byte("dhm") {
		if unit := spanUnit(u); s != 0 && s%unit == 0 {
			return strconv.FormatInt(int64(s/unit), 10) + string(u)
		}
	}
	return strconv.FormatInt(int64(s), 10) + "s"
}

// MarshalText gives the shortest exact form.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText parses <int>(s|m|h|d).
func (s *Span) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSpan(string(b))
	return err
}
