package spiffe

import (
	"strings"

	"github.com/entente-id/entente/trust"
)

const (
	scheme = "spiffe://"
	maxID  = 2048 // bytes, scheme included (SPIFFE ID, section 2.3)
)

// ID is a SPIFFE ID: a trust domain and a path within it. It is made only by
// ParseID; the zero value is invalid.
type ID struct {
	text   string
	domain trust.IssuerID
}

// ParseID reads a SPIFFE ID (SPIFFE ID, section 2): lower-case scheme and trust
// domain, no port, user information, percent-encoding, query or fragment, no
// empty or dot segment, no trailing slash, at most 2048 bytes. It fails with
// Invalid.
func ParseID(text string) (ID, error) {
	rest, ok := strings.CutPrefix(text, scheme)
	if !ok || len(text) > maxID {
		return ID{}, trust.Errorf(trust.Invalid, "SPIFFE ID does not begin with %s or is longer than %d bytes", scheme, maxID)
	}
	end := strings.IndexByte(rest, '/')
	if end < 0 {
		end = len(rest)
	}
	domain, err := trust.ParseIssuerID(scheme + rest[:end])
	if err != nil {
		return ID{}, err
	}
	if path := rest[end:]; path != "" && !isPath(path) {
		return ID{}, trust.Errorf(trust.Invalid, "SPIFFE ID has a path that is not of segments of letters, digits, '.', '-' and '_', none empty, '.' or '..'")
	}
	return ID{text, domain}, nil
}

// isPath reports whether path is one of at least one segment.
func isPath(path string) bool {
	first, segments, _ := strings.Cut(path, "/")
	if first != "" {
		return false
	}
	for segment := range strings.SplitSeq(segments, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, foreignToPath) {
			return false
		}
	}
	return true
}

func foreignToPath(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-', r == '_':
		return false
	default:
		return true
	}
}

func (i ID) String() string { return i.text }

// TrustDomain gives the trust domain.
func (i ID) TrustDomain() trust.IssuerID { return i.domain }

// Path gives the path with its leading slash, "" for the trust domain itself.
func (i ID) Path() string { return strings.TrimPrefix(i.text, i.domain.String()) }

// CheckPathRule accepts a path, which matches itself alone, and a path that ends
// in a slash, which matches everything below it; "/" matches every path. It
// fails with Invalid.
func CheckPathRule(rule string) error {
	if rule != "/" && !isPath(strings.TrimSuffix(rule, "/")) {
		return trust.Errorf(trust.Invalid, "path %q is neither a SPIFFE path nor one that ends in a slash for all below it", rule)
	}
	return nil
}

// PathMatches reports whether a rule of CheckPathRule matches the path of an ID.
// Empty never matches.
func PathMatches(rule, path string) bool {
	if strings.HasSuffix(rule, "/") {
		return len(path) > len(rule) && strings.HasPrefix(path, rule)
	}
	return rule != "" && rule == path
}
