package canonical

import (
	"maps"
	"slices"
	"strconv"
)

// AppendValue appends a value of the kinds an Object holds as JSON that reads
// back as the same value: members are sorted, and a float64 keeps its exponent,
// so that it never reads back as an integer. Anything else cannot come out of a
// parser and is null.
func AppendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return AppendString(dst, v)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return AppendInt(dst, v)
	case float64:
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	case Object:
		return appendMembers(dst, v)
	case map[string]any:
		return appendMembers(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendValue(dst, e)
		}
		return append(dst, ']')
	default:
		return append(dst, "null"...)
	}
}

func appendMembers(dst []byte, members map[string]any) []byte {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(members)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, name), ':')
		dst = AppendValue(dst, members[name])
	}
	return append(dst, '}')
}
