package decision

import (
	"maps"
	"reflect"
	"slices"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/policy"
	"github.com/entente-id/entente/trust"
)

// entitle is the eighth check: what the caller is in our own terms. The first
// covering line under which a granted mapping gives a role is the one that
// counts. An action that the line has approved by people waits for them.
func (h *hearing) entitle() verdict {
	switch {
	case h.line == nil:
		return unreached
	case h.abroad(), // what he is there, the partner says
		h.canary(): // it is nothing here
		return unneeded
	}
	h.release()
	if h.contradicted() {
		return fail(trust.WorkloadConflict)
	}
	granted := h.granted()
	for _, line := range h.lines {
		if roles := rolesUnder(line, granted); len(roles) > 0 {
			h.line, h.d.Roles = line, roles
			if h.r.Purpose == agreement.Emergency {
				return h.breakGlass()
			}
			if line.Approval != nil && slices.Contains(line.Approval.Actions, h.r.Action) {
				return h.approved()
			}
			return pass
		}
	}
	if len(granted) > 0 {
		return fail(trust.RoleNotCovered)
	}
	return fail(trust.NoMapping)
}

// release takes out of the claims what the agreement releases, and no more.
func (h *hearing) release() {
	released := h.agreement.Revision.Document.Attributes
	h.attributes = make(map[string]any, len(released))
	for i := range released {
		v, ok := find(&released[i], h.ev.Claims)
		switch {
		case ok && released[i].Context && released[i].Name == workload:
			// what the enforcement point saw stands there, and nothing else
		case ok && released[i].Context:
			if h.context == nil {
				h.context = make(map[string]any)
			}
			h.context[released[i].Name] = v
		case ok:
			h.attributes[released[i].Name] = v
		}
	}
}

func find(a *agreement.Attribute, claims map[string]any) (any, bool) {
	if a.From == "" {
		v := claims[a.Name]
		return v, v != nil
	}
	path, err := evidence.ParsePath(a.From)
	if err != nil {
		return nil, false
	}
	return path.Find(claims)
}

// granted gives the live mappings of the agreement that the caller meets.
func (h *hearing) granted() []*mapping.Mapping {
	var met []*mapping.Mapping
	for _, m := range h.s.Mapping.For(h.agreement.ID) {
		if m.Alive(h.o.Now) && m.Matches(h.ev.Class, h.attributes, h.workload) {
			met = append(met, m)
			h.until(int64(m.Document.Expires))
		}
	}
	return met
}

// lets reports whether a line lets a mapping in. A line that names roles lets in
// only mappings from one of these.
func lets(line *agreement.Accept, m *mapping.Mapping) bool {
	return len(line.Roles) == 0 || slices.Contains(line.Roles, m.Document.From.Equals)
}

func rolesUnder(line *agreement.Accept, granted []*mapping.Mapping) []trust.Role {
	var roles []trust.Role
	for _, m := range granted {
		if lets(line, m) {
			roles = append(roles, m.Document.To)
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// localPolicy is the ninth check. A local forbid beats every agreement.
func (h *hearing) localPolicy() verdict {
	if (h.abroad() || h.canary()) && h.line != nil { // the partner asks its own; behind the canary resource there is nothing to protect
		return unneeded
	}
	if h.attributes == nil {
		return unreached
	}
	if h.r.Order != nil && !h.wholeResource() {
		return unneeded
	}
	ev := h.ev
	h.outcome = h.s.Policy.Set.Decide(policy.Query{
		Principal: policy.NewPrincipal(policy.Caller{
			Class:       ev.Class,
			ID:          ev.Participant.String() + "#" + ev.Namespace + "#" + ev.Subject,
			Participant: ev.Participant,
			Roles:       h.d.Roles,
			Assurance:   h.levelNames(),
			Attributes:  h.attributes,
		}),
		Action:   h.r.Action,
		Resource: policy.Resource{Type: h.r.ResourceType, ID: h.r.ResourceID, Attributes: h.stated()},
		Context:  policy.Context{Purpose: h.r.Purpose, BreakGlass: h.glass, Attributes: h.around()},
	})
	h.d.Policies = h.outcome.Policies
	if !h.outcome.Permit {
		if h.outcome.Reason == trust.PolicyDenies && h.couldBreakGlass() {
			return fail(trust.BreakGlassAvailable)
		}
		return fail(h.outcome.Reason)
	}
	return pass
}

// wholeResource reports whether an order says all that local policy may read of
// a resource: it names one, of which no enforcement point states an attribute.
func (h *hearing) wholeResource() bool {
	return h.r.ResourceID != "" && h.service != nil && len(h.service.Resources[h.r.ResourceType]) == 0
}

// around is the context beside the purpose: what the agreement releases as such,
// what the enforcement point saw, and who acts for whom, which nothing released can stand in for.
func (h *hearing) around() map[string]any {
	parties := h.onBehalf()
	if len(h.context) == 0 && len(h.workload) == 0 {
		return parties
	}
	all := make(map[string]any, len(h.context)+len(parties)+1)
	maps.Copy(all, h.context)
	maps.Copy(all, parties)
	if len(h.workload) > 0 {
		all[workload] = canonical.Object(h.workload)
	}
	return all
}

// workload is the name in the context under which policies find what the
// enforcement point saw of the caller, apart from what its token says.
const workload = "workload"

// seen gives what the service registered this enforcement point to state of what
// the caller runs as and on; the rest does not exist. Along a chain who calls is
// the actor.
func (h *hearing) seen() map[string]any {
	if len(h.r.Workload) == 0 || len(h.service.Workload) == 0 || h.ev.Chain != nil {
		return nil
	}
	seen := make(map[string]any, len(h.service.Workload))
	for _, name := range h.service.Workload {
		if v, ok := h.r.Workload[name]; ok {
			seen[name] = v
		}
	}
	return seen
}

// contradicted reports whether the caller's token says otherwise than the
// enforcement point sees: then neither counts.
func (h *hearing) contradicted() bool {
	for name, seen := range h.workload {
		for _, said := range [...]map[string]any{h.context, h.attributes} {
			if v, ok := said[name]; ok && !reflect.DeepEqual(v, seen) {
				return true
			}
		}
	}
	return false
}

var ladders = framework.Ladders()

func (h *hearing) levelNames() map[string]string {
	names := make(map[string]string, len(h.assurance))
	for _, ladder := range ladders {
		if level := h.s.Framework.Current.Name(ladder, h.assurance); level != "" {
			names[string(ladder)] = string(level)
		}
	}
	return names
}

// stated gives the resource's attributes that its service registered this
// enforcement point to state; others do not exist.
func (h *hearing) stated() map[string]any {
	registered := h.service.Resources[h.r.ResourceType]
	stated := make(map[string]any, len(registered))
	for _, name := range registered {
		if v, ok := h.r.Properties[name]; ok {
			stated[name] = v
		}
	}
	return stated
}

// obligations is the last check: for how long the permit may be relied on. It is
// reached only when every other check passed or had nothing to look at.
func (h *hearing) obligations() verdict {
	for i := range Obligations {
		if r := h.d.Checks[i].Result; r != Passed && r != NotNeeded {
			return unreached
		}
	}
	if h.r.Order != nil {
		return h.credential()
	}
	if h.r.Session && !h.o.Watched {
		return fail(trust.Unwatched)
	}
	if !h.line.SingleUse && h.ev.Binding.Once == nil && !h.spends && !h.o.Monitored && (h.actor == nil || !h.actor.o.Monitored) {
		h.d.Limit = h.limit()
		if h.actor != nil {
			h.d.Limit = min(h.d.Limit, h.actor.d.Limit)
		}
		h.d.TTL = h.d.TTLAt(h.o)
	}
	return pass
}

// credential bounds a credential's life: by tier and agreement, and by whatever
// of this decision ends first. What is not a matter of time, a revocation or a
// partner that falls silent, is looked at again whenever it is used.
func (h *hearing) credential() verdict {
	if caps := h.tier.Caps; caps != nil && caps.ScopesPerCredential > 0 && evidence.Size(h.r.Order.Access) > caps.ScopesPerCredential {
		return fail(trust.TooMuchAccess)
	}
	h.d.Limit = int64(h.tier.MaxCredentialTTL)
	if own := int64(h.line.MaxTTL); own > 0 {
		h.d.Limit = min(h.d.Limit, own)
	}
	if h.actor != nil {
		h.d.Limit = min(h.d.Limit, h.actor.d.Limit)
	}
	h.d.TTL = h.d.LifeAt(h.o)
	return pass
}

func (h *hearing) limit() int64 {
	limit := min(int64(h.tier.MaxCredentialTTL), int64(h.tier.RemovalTarget))
	if own := int64(h.line.MaxTTL); own > 0 {
		limit = min(limit, own)
	}
	return max(limit, 0)
}
