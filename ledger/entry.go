package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Hash is a node of a log's tree, written in base64.
type Hash = tlog.Hash

const (
	saltSize = 16
	maxEntry = 16 << 20 // bytes of body and sealed part together
	maxKind  = 64
)

// Entry is what a command adds to a log. Body is canonical JSON (RFC 8785), an
// object, and goes into the leaf byte for byte. Sealed, which may be empty, is
// kept beside the leaf, which commits to it. Kind is up to 64 of a-z, 0-9, '.',
// '_' and '-'; Version counts from 1.
type Entry struct {
	Kind    string
	Version int
	Body    []byte
	Sealed  []byte
	// At is the time that Append stamps it with, in Unix seconds, unless a newer
	// stamp was given already; 0 is now.
	At int64
}

// Record is an entry in its place. Leaf is what the tree hashes: 16 random
// bytes, then canonical JSON of the members at, body, kind, sealed (the hash of
// the sealed part, absent if there is none) and v.
type Record struct {
	Position trust.Position
	At       int64 // Unix seconds, never less than the record before has
	Kind     string
	Version  int
	Body     []byte
	Sealed   []byte
	Leaf     []byte
	LeafHash Hash
}

// Stamp gives when and where the record stands.
func (r Record) Stamp() trust.Stamp { return trust.Stamp{Position: r.Position, At: r.At} }

// check accepts what can stand in a leaf; whether the body is canonical it
// leaves to canonical.
func (e *Entry) check() error {
	switch {
	case !kindName(e.Kind) || e.Version < 1:
		return trust.Errorf(trust.Invalid, "entry kind %q version %d is none; a kind is 1 to %d of a-z 0-9 . _ -, a version counts from 1", e.Kind, e.Version, maxKind)
	case len(e.Body) < 2 || e.Body[0] != '{' || e.Body[len(e.Body)-1] != '}':
		return trust.Errorf(trust.Invalid, "entry %s has a body that is not a JSON object", e.Kind)
	case len(e.Body)+len(e.Sealed) > maxEntry:
		return trust.Errorf(trust.Invalid, "entry %s has %d bytes; at most %d are allowed", e.Kind, len(e.Body)+len(e.Sealed), maxEntry)
	}
	return nil
}

func kindName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= maxKind
}

// canonical reports whether body is a JSON object as RFC 8785 writes it.
func canonical(body []byte) bool {
	v := jsontext.Value(slices.Clone(body))
	return v.Canonicalize() == nil && v.Kind() == '{' && bytes.Equal(v, body)
}

// leaf renders e's leaf behind a zero byte, which RFC 6962 hashes before it: the
// leaf is prefixed[1:]. It uses the memory of space.
func (e *Entry) leaf(space []byte, salt [saltSize]byte, at int64) (prefixed []byte, hash Hash) {
	b := append(slices.Grow(space[:0], e.leafSize()), 0)
	b = append(b, salt[:]...)
	b = append(b, `{"at":`...)
	b = strconv.AppendInt(b, at, 10)
	b = append(b, `,"body":`...)
	b = append(b, e.Body...)
	b = append(b, `,"kind":"`...)
	b = append(b, e.Kind...)
	if len(e.Sealed) > 0 {
		sum := sha256.Sum256(e.Sealed)
		b = append(b, `","sealed":"`...)
		b = hex.AppendEncode(b, sum[:])
	}
	b = append(b, `","v":`...)
	b = strconv.AppendInt(b, int64(e.Version), 10)
	b = append(b, '}')
	return b, sha256.Sum256(b)
}

// leafSize is no less than the length of e's leaf.
func (e *Entry) leafSize() int {
	const fixed = 1 + saltSize + len(`{"at":,"body":,"kind":"","sealed":"","v":}`) + 2*20 + 2*sha256.Size
	return fixed + len(e.Body) + len(e.Kind)
}

// ParseRecord reads a stored record strictly: the leaf must be what Entry makes
// of its own members, and the sealed part the one it commits to. The position
// is left for the caller to fill in. It fails with Invalid.
func ParseRecord(stored store.Record) (Record, error) {
	r := Record{Sealed: stored.Sealed, Leaf: stored.Leaf, LeafHash: tlog.RecordHash(stored.Leaf)}
	if len(stored.Leaf) < saltSize {
		return r, broken("it has no salt")
	}
	p := parser{rest: stored.Leaf[saltSize:]}
	p.prefix(`{"at":`)
	r.At = p.leadingInt(',')
	p.prefix(`,"body":`)
	p.suffix(`}`)
	version := p.trailingInt(':')
	p.suffix(`,"v":`)
	committed := p.sealed()
	p.suffix(`"`)
	r.Kind = string(p.trailingName())
	p.suffix(`,"kind":"`)
	r.Version, r.Body = int(version), p.rest
	switch {
	case p.bad || !kindName(r.Kind) || r.Version < 1 || int64(r.Version) != version:
		return r, broken("it is not the canonical JSON of at, body, kind, sealed and v")
	case !canonical(r.Body):
		return r, broken("its body is not a canonical JSON object")
	}
	if sum := sha256.Sum256(r.Sealed); len(r.Sealed) > 0 != (committed != nil) || committed != nil && [sha256.Size]byte(committed) != sum {
		return r, broken("the sealed part beside it is not the one it commits to")
	}
	return r, nil
}

func broken(rule string) error { return trust.Errorf(trust.Invalid, "leaf is broken: %s", rule) }

// parser takes known things off both ends of a leaf. The members behind the
// body hold no quote of their own, so that the last of each is the right one.
type parser struct {
	rest []byte
	bad  bool
}

func (p *parser) prefix(s string) {
	rest, ok := bytes.CutPrefix(p.rest, []byte(s))
	p.rest, p.bad = rest, p.bad || !ok
}

func (p *parser) suffix(s string) {
	rest, ok := bytes.CutSuffix(p.rest, []byte(s))
	p.rest, p.bad = rest, p.bad || !ok
}

func (p *parser) leadingInt(end byte) int64 {
	i := max(0, bytes.IndexByte(p.rest, end))
	digits := p.rest[:i]
	p.rest = p.rest[i:]
	return p.number(digits)
}

func (p *parser) trailingInt(begin byte) int64 {
	i := bytes.LastIndexByte(p.rest, begin) + 1
	digits := p.rest[i:]
	p.rest = p.rest[:i]
	return p.number(digits)
}

// number reads an integer as it is written, and in no other way.
func (p *parser) number(digits []byte) int64 {
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != string(digits) {
		p.bad = true
	}
	return n
}

// sealed takes off the member sealed, if it stands there, and gives its hash.
func (p *parser) sealed() []byte {
	const member, digits = `","sealed":"`, 2 * sha256.Size
	at := len(p.rest) - len(member) - digits - 1
	if at < 0 || !bytes.HasPrefix(p.rest[at:], []byte(member)) {
		return nil
	}
	text := p.rest[at+len(member) : len(p.rest)-1]
	sum, err := hex.AppendDecode(nil, text)
	if err != nil || !bytes.Equal(hex.AppendEncode(nil, sum), text) {
		p.bad = true
		return nil
	}
	p.rest = p.rest[:at+1]
	return sum
}

func (p *parser) trailingName() []byte {
	i := bytes.LastIndexByte(p.rest, '"') + 1
	name := p.rest[i:]
	p.rest = p.rest[:i]
	return name
}
