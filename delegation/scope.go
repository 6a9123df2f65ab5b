package delegation

import (
	"slices"
	"strings"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// maxGrants bounds a scope, maxActions one grant of it.
const (
	maxGrants  = 32
	maxActions = 16
)

// Scope is what may be done: the union of its grants.
type Scope []Grant

// Grant is actions on one resource, or on every resource of a type where ID is
// empty. It is an authorization detail of RFC 9396.
type Grant struct {
	Type    trust.ResourceType `json:"type"`
	Actions []trust.Action     `json:"actions"`
	ID      string             `json:"identifier,omitempty"`
}

// String writes a grant as "read,write WardRecord/42", without an identifier
// where it is for any.
func (g Grant) String() string {
	actions := make([]string, len(g.Actions))
	for i, action := range g.Actions {
		actions[i] = string(action)
	}
	text := strings.Join(actions, ",") + " " + string(g.Type)
	if g.ID != "" {
		text += "/" + g.ID
	}
	return text
}

// ParseGrant reads what String writes. It fails with Invalid.
func ParseGrant(text string) (Grant, error) {
	actions, on, _ := strings.Cut(text, " ")
	typ, id, named := strings.Cut(on, "/")
	g := Grant{Type: trust.ResourceType(typ), ID: id}
	for action := range strings.SplitSeq(actions, ",") {
		if action == "" {
			typ = ""
		}
		g.Actions = append(g.Actions, trust.Action(action))
	}
	if typ == "" || named && id == "" || strings.Contains(on, " ") {
		return Grant{}, trust.Errorf(trust.Invalid, "scope %q is not ACTION,... TYPE or ACTION,... TYPE/ID", text)
	}
	return g, nil
}

// Covers reports whether an action on a resource is in the scope. Members are
// compared byte by byte; an empty one matches nothing.
func (s Scope) Covers(t trust.ResourceType, id string, action trust.Action) bool {
	return t != "" && id != "" && action != "" &&
		slices.ContainsFunc(s, func(g Grant) bool { return g.covers(t, id, action) })
}

// CoversEvery reports whether an action on every resource of a type is in it.
func (s Scope) CoversEvery(t trust.ResourceType, action trust.Action) bool {
	return t != "" && action != "" &&
		slices.ContainsFunc(s, func(g Grant) bool { return g.ID == "" && g.covers(t, "", action) })
}

func (g *Grant) covers(t trust.ResourceType, id string, action trust.Action) bool {
	return g.Type == t && (g.ID == "" || g.ID == id) && slices.Contains(g.Actions, action)
}

// Within reports whether everything in s is in the other scope too.
func (s Scope) Within(other Scope) bool {
	for _, g := range s {
		for _, action := range g.Actions {
			if !slices.ContainsFunc(other, func(o Grant) bool { return o.covers(g.Type, g.ID, action) }) {
				return false
			}
		}
	}
	return true
}

// readScope reads authorization_details: at least one grant, each with a type,
// its actions and perhaps an identifier, and nothing else.
func readScope(value any) (Scope, bool) {
	list, ok := value.([]any)
	if !ok || len(list) == 0 || len(list) > maxGrants {
		return nil, false
	}
	s := make(Scope, 0, len(list))
	for _, v := range list {
		detail, _ := v.(canonical.Object)
		g, ok := readGrant(detail)
		if !ok {
			return nil, false
		}
		s = append(s, g)
	}
	return s, true
}

func readGrant(detail canonical.Object) (g Grant, ok bool) {
	t, _ := detail.Text("type")
	id, named := detail.Text("identifier")
	_, present := detail["identifier"]
	actions, _ := detail["actions"].([]any)
	members := 2
	if present {
		members = 3
	}
	if t == "" || len(detail) != members || present && (!named || id == "") || len(actions) == 0 || len(actions) > maxActions {
		return g, false
	}
	g = Grant{Type: trust.ResourceType(t), ID: id}
	for _, v := range actions {
		action, _ := v.(string)
		if action == "" {
			return g, false
		}
		g.Actions = append(g.Actions, trust.Action(action))
	}
	return g, true
}
