package evidence

import (
	"encoding/base64"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// AccessType is the type of the authorization details that name resources and
// actions here (RFC 9396, section 2).
const AccessType = "entente_access"

// Access is actions on resources of one type for one purpose. Without IDs it is
// every resource of the type.
type Access struct {
	Type    trust.ResourceType `json:"resource_type"`
	IDs     []string           `json:"resource_ids,omitempty"`
	Actions []trust.Action     `json:"actions"`
	Purpose trust.Purpose      `json:"purpose"`
}

// MaxSize bounds what one credential may name, as Size counts it: each is a
// decision.
const MaxSize = 64

const (
	maxDetails = 16
	maxNames   = 64 // actions or resources of one detail
	maxName    = 256
)

// ParseAccess reads authorization details of AccessType alone, from parsed JSON:
//
//	[{"type":"entente_access","resource_type":"WardRecord","resource_ids":["42"],"actions":["read"],"purpose":"TREAT"}]
//
// Another type, more than 64 in all, another member, and an absent or empty one but for resource_ids
// are refused (RFC 9396, section 5).
func ParseAccess(v any) ([]Access, bool) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 || len(list) > maxDetails {
		return nil, false
	}
	all := make([]Access, len(list))
	for i, detail := range list {
		o, ok := detail.(canonical.Object)
		if !ok || !all[i].read(o) {
			return nil, false
		}
	}
	return all, Size(all) <= MaxSize
}

// Size counts what access names: each action on each resource, or on all of a
// type, is one.
func Size(all []Access) (n int) {
	for i := range all {
		n += len(all[i].Actions) * max(len(all[i].IDs), 1)
	}
	return n
}

func (a *Access) read(o canonical.Object) bool {
	if kind, _ := o.Text("type"); kind != AccessType {
		return false
	}
	t, _ := o.Text("resource_type")
	purpose, _ := o.Text("purpose")
	a.Type, a.Purpose = trust.ResourceType(t), trust.Purpose(purpose)
	var ok bool
	if a.Actions, ok = texts[trust.Action](o["actions"]); !ok {
		return false
	}
	members := 4
	if ids, present := o["resource_ids"]; present {
		if a.IDs, ok = texts[string](ids); !ok {
			return false
		}
		members++
	}
	return len(o) == members && t != "" && len(t) <= maxName && purpose != "" && len(purpose) <= maxName
}

// texts reads a list of texts, none empty.
func texts[T ~string](v any) ([]T, bool) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 || len(list) > maxNames {
		return nil, false
	}
	all := make([]T, len(list))
	for i, e := range list {
		text, ok := e.(string)
		if !ok || text == "" || len(text) > maxName {
			return nil, false
		}
		all[i] = T(text)
	}
	return all, true
}

// AppendAccess appends authorization details as ParseAccess reads them.
func AppendAccess(dst []byte, all []Access) []byte {
	dst = append(dst, '[')
	for i := range all {
		a := &all[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"actions":`...)
		dst = appendTexts(dst, a.Actions)
		dst = append(dst, `,"purpose":`...)
		dst = canonical.AppendString(dst, string(a.Purpose))
		if len(a.IDs) > 0 {
			dst = append(dst, `,"resource_ids":`...)
			dst = appendTexts(dst, a.IDs)
		}
		dst = append(dst, `,"resource_type":`...)
		dst = canonical.AppendString(dst, string(a.Type))
		dst = append(dst, `,"type":"`+AccessType+`"}`...)
	}
	return append(dst, ']')
}

func appendTexts[T ~string](dst []byte, all []T) []byte {
	for i, text := range all {
		dst = append(dst, "[,"[min(i, 1)])
		dst = canonical.AppendString(dst, string(text))
	}
	return append(dst, ']')
}

// groundText is how a sealed ground stands in a credential.
var groundText = base64.RawURLEncoding.Strict()
