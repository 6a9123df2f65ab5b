package credential

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"

	"github.com/entente-id/entente/canonical"
)

// StatusListType is the typ of a status list (draft-ietf-oauth-status-list,
// section 5.1).
const StatusListType = "statuslist+jwt"

// Status is what a list says of a credential (section 7.1).
type Status byte

const (
	Valid     Status = 0
	Invalid   Status = 1 // for good
	Suspended Status = 2 // until whatever suspends it is lifted
)

const statusBits = 2 // of each status

// Place is where a credential stands in a list; without a URI it stands in none.
type Place struct {
	URI   string
	Index uint32
}

// append appends the status claim (section 6.2).
func (p Place) append(dst []byte) []byte {
	if p.URI == "" {
		return dst
	}
	dst = append(dst, `,"status":{"status_list":{"idx":`...)
	dst = canonical.AppendInt(dst, int64(p.Index))
	dst = append(dst, `,"uri":`...)
	dst = canonical.AppendString(dst, p.URI)
	return append(dst, '}', '}')
}

// StatusList is what a signed list says.
type StatusList struct {
	Issuer    string
	URI       string
	IssuedAt  int64 // Unix seconds
	ExpiresAt int64
	TTL       int64 // seconds for which it may be kept

	statuses []byte
}

// Size makes a list of n statuses, all Valid.
func (l *StatusList) Size(n int) { l.statuses = make([]byte, (n*statusBits+7)/8) }

// Set sets the status at an index within the size (section 4.1: the lowest bits
// of a byte come first).
func (l *StatusList) Set(index uint32, s Status) {
	bit := index * statusBits
	l.statuses[bit/8] |= byte(s) << (bit % 8)
}

// Append appends the claims as canonical JSON (section 5.1).
func (l *StatusList) Append(dst []byte) []byte {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(l.statuses) // a buffer takes everything
	_ = z.Close()
	dst = append(dst, `{"exp":`...)
	dst = canonical.AppendInt(dst, l.ExpiresAt)
	dst = append(dst, `,"iat":`...)
	dst = canonical.AppendInt(dst, l.IssuedAt)
	dst = append(dst, `,"iss":`...)
	dst = canonical.AppendString(dst, l.Issuer)
	dst = append(dst, `,"status_list":{"bits":`...)
	dst = canonical.AppendInt(dst, statusBits)
	dst = append(dst, `,"lst":"`...)
	dst = base64.RawURLEncoding.AppendEncode(dst, packed.Bytes())
	dst = append(dst, `"},"sub":`...)
	dst = canonical.AppendString(dst, l.URI)
	dst = append(dst, `,"ttl":`...)
	dst = canonical.AppendInt(dst, l.TTL)
	return append(dst, '}')
}
