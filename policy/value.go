package policy

import (
	"github.com/cedar-policy/cedar-go/types"

	"github.com/entente-id/entente/canonical"
)

// record turns attributes into a Cedar record and adds our own to it; the map
// own is used up. A null is an absent attribute. bad names an attribute whose
// value Cedar cannot hold.
func record(attributes map[string]any, own types.RecordMap) (r types.Record, bad string) {
	if own == nil && len(attributes) > 0 {
		own = make(types.RecordMap, len(attributes))
	}
	for name, v := range attributes {
		if _, ours := own[types.String(name)]; ours || v == nil {
			continue
		}
		value, ok := valueOf(v)
		if !ok {
			return types.Record{}, name
		}
		own[types.String(name)] = value
	}
	if len(own) == 0 {
		return types.Record{}, ""
	}
	return types.NewRecord(own), ""
}

// valueOf turns a canonical value into Cedar's. Cedar has no null and no binary
// fractions.
func valueOf(v any) (types.Value, bool) {
	switch v := v.(type) {
	case string:
		return types.String(v), true
	case bool:
		return types.Boolean(v), true
	case int64:
		return types.Long(v), true
	case []any:
		return setOf(v)
	case canonical.Object:
		return recordOf(v)
	case map[string]any:
		return recordOf(v)
	default:
		return nil, false
	}
}

func setOf(members []any) (types.Value, bool) {
	values := make([]types.Value, len(members))
	for i, m := range members {
		v, ok := valueOf(m)
		if !ok {
			return nil, false
		}
		values[i] = v
	}
	return types.NewSet(values...), true
}

func recordOf(members map[string]any) (types.Value, bool) {
	r, bad := record(members, nil)
	return r, bad == ""
}
