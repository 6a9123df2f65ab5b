package policy

import (
	"encoding/binary"
	"slices"
	"strconv"
	"sync"

	"github.com/cedar-policy/cedar-go/types"

	"github.com/entente-id/entente/canonical"
)

// What was made before for Cedar. Cedar clones, sorts and hashes every record,
// which costs more than evaluating a policy, while few different ones are in use
// at a time. They change no answer.
var (
	callers   remembered[types.Entity] // without their identifiers
	resources remembered[types.Record]
	contexts  remembered[types.Record]
)

// remembered keeps values by all that they were made of.
type remembered[V any] struct {
	mu   sync.RWMutex
	made map[string]V
}

// Of each kind maxRemembered are kept before all are forgotten; what has a
// longer key than maxKey bytes is not.
const (
	maxRemembered = 4096
	maxKey        = 1024
)

// of gives the value with a key, made anew unless it is remembered; bad names
// an attribute that Cedar cannot hold. With ok false there is no key.
func (m *remembered[V]) of(key []byte, ok bool, make func() (V, string)) (v V, bad string) {
	if !ok || len(key) > maxKey {
		return make()
	}
	m.mu.RLock()
	v, known := m.made[string(key)]
	m.mu.RUnlock()
	if known {
		return v, ""
	}
	if v, bad = make(); bad != "" {
		return v, bad
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.made == nil || len(m.made) == maxRemembered {
		m.made = map[string]V{}
	}
	m.made[string(key)] = v
	return v, ""
}

// A key is written so that no two different lists of parts give the same bytes:
// lengths stand before what they count, and each value begins with its kind.
func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTexts(b []byte, texts map[string]string) []byte {
	var space [8]string
	names := space[:0]
	for name := range texts {
		names = append(names, name)
	}
	slices.Sort(names)
	b = binary.AppendUvarint(b, uint64(len(names)))
	for _, name := range names {
		b = appendText(appendText(b, name), texts[name])
	}
	return b
}

// appendAttributes is false where a value is none that Cedar can hold.
func appendAttributes(b []byte, attributes map[string]any) (_ []byte, ok bool) {
	var space [16]string
	names := space[:0]
	for name := range attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	b = binary.AppendUvarint(b, uint64(len(names)))
	for _, name := range names {
		if b, ok = appendValue(appendText(b, name), attributes[name]); !ok {
			return b, false
		}
	}
	return b, true
}

func appendValue(b []byte, v any) (_ []byte, ok bool) {
	switch v := v.(type) {
	case nil:
		return append(b, '0'), true
	case string:
		return appendText(append(b, 's'), v), true
	case bool:
		return strconv.AppendBool(append(b, 'b'), v), true
	case int64:
		return binary.AppendVarint(append(b, 'i'), v), true
	case []any:
		b = binary.AppendUvarint(append(b, 'l'), uint64(len(v)))
		for _, e := range v {
			if b, ok = appendValue(b, e); !ok {
				return b, false
			}
		}
		return b, true
	case canonical.Object:
		return appendAttributes(append(b, 'o'), v)
	case map[string]any:
		return appendAttributes(append(b, 'o'), v)
	default:
		return b, false
	}
}
