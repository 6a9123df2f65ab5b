package evidence

import "strings"

// sameURL compares two URLs as RFC 9449, section 4.3, has it: without query and
// fragment, each normalised by its syntax and its scheme (RFC 3986, sections
// 6.2.2 and 6.2.3). What is no http or https URL equals nothing.
func sameURL(a, b string) bool {
	x, ok := normalURL(a)
	if !ok {
		return false
	}
	y, ok := normalURL(b)
	return ok && x == y
}

func normalURL(s string) (string, bool) {
	s, _, _ = strings.Cut(s, "#")
	s, _, _ = strings.Cut(s, "?")
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "https" && scheme != "http" {
		return "", false
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		slash = len(rest)
	}
	host, ok := normalHost(rest[:slash], scheme)
	if !ok {
		return "", false
	}
	path, ok := normalPath(rest[slash:])
	return scheme + "://" + host + path, ok
}

// normalHost is in lower case and without the scheme's own port. User
// information is refused.
func normalHost(s, scheme string) (string, bool) {
	host, port, _ := strings.Cut(s, ":")
	if strings.HasPrefix(s, "[") { // an IPv6 address
		end := strings.IndexByte(s, ']')
		if end < 0 || s[end+1:] != "" && s[end+1] != ':' {
			return "", false
		}
		host, port = s[:end+1], strings.TrimPrefix(s[end+1:], ":")
	}
	if host == "" || strings.Trim(port, "0123456789") != "" || !all(host, isHostByte) {
		return "", false
	}
	host = strings.ToLower(host)
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return host, true
	}
	return host + ":" + port, true
}

// normalPath decodes what needs no encoding, writes the rest in upper case, and
// resolves dot segments. Characters that a path cannot have are refused.
func normalPath(s string) (string, bool) {
	out := make([]byte, 0, len(s)+1)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%':
			high, low := hexDigit(s, i+1), hexDigit(s, i+2)
			if high < 0 || low < 0 {
				return "", false
			}
			if c = byte(high<<4 | low); isUnreserved(c) {
				out = append(out, c)
			} else {
				out = append(out, '%', upperHex[high], upperHex[low])
			}
			i += 2
		case isUnreserved(c) || strings.IndexByte("/!$&'()*+,;=:@", c) >= 0:
			out = append(out, c)
		default:
			return "", false
		}
	}
	return withoutDots(string(out)), true
}

// withoutDots resolves dot segments (RFC 3986, section 5.2.4) of a path that is
// empty or begins with a slash.
func withoutDots(path string) string {
	var kept []string
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, segment := range segments {
		dots := segment == "." || segment == ".."
		if segment == ".." && len(kept) > 0 {
			kept = kept[:len(kept)-1]
		}
		switch {
		case !dots:
			kept = append(kept, segment)
		case i == len(segments)-1:
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

const upperHex = "0123456789ABCDEF"

// hexDigit gives the value of the digit at i, or -1.
func hexDigit(s string, i int) int {
	if i >= len(s) {
		return -1
	}
	return strings.Index(upperHex, strings.ToUpper(s[i:i+1]))
}

func isUnreserved(c byte) bool {
	return isAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~'
}

func isHostByte(c byte) bool {
	return isAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '[' || c == ']' || c == ':'
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func all(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}
