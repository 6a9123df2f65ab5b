package decision

import (
	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/trust"
)

// canary reports whether the caller is the made-up identity of a drill. It goes
// through the same checks as anybody, but for what is asked of a real one: it has
// no assurance, acts for nobody, is bound to nothing and has no role. In exchange
// it reaches nothing but the canary resource of one agreement.
func (h *hearing) canary() bool { return h.ev.Kind == evidence.Canary }

// astray reports whether a canary is somewhere else than at the canary resource,
// or comes from another than the partner that made it up.
func (h *hearing) astray() bool {
	return h.canary() && (h.r.Order != nil || h.principal != nil || h.ev.Chain != nil || h.r.Session || h.r.ResourceType != agreement.CanaryResource ||
		h.r.EnforcementPoint != agreement.CanaryPoint(h.ev.Participant))
}

// canaryService owns the canary resource: the node itself.
func (h *hearing) canaryService() service.Document {
	return service.Document{
		Name: "canary", Audience: agreement.CanaryAudience(h.self), EnforcementPoint: h.r.EnforcementPoint,
		Resources: map[trust.ResourceType][]string{agreement.CanaryResource: nil},
	}
}

// coverCanary asks the line that an agreement has for canaries.
func (h *hearing) coverCanary(a *agreement.Agreement, q *agreement.Query) trust.Reason {
	line, reason := a.Canary(q)
	if line != nil {
		h.lines = append(h.lines, line)
	}
	return reason
}
