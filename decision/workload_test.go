package decision_test

import (
	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/trust"
)

// R22: what an enforcement point sees of what the caller runs as and on.
var witnessing = []deviation{
	{"R22 device seen as policy wants it", witnessed("managed", nil), trust.Permit},
	{"R14 R22 device seen otherwise", witnessed("rooted", nil), trust.PolicyForbid},
	{"R22 device not seen", witnessed(nil, nil), trust.PolicyForbid},
	{"R22 device stated by a point that may not", witnessed("managed", func(sc *scene) { sc.service.Workload = nil }), trust.PolicyForbid},
	{"R22 device stated for another service's point", witnessed("managed", func(sc *scene) {
		sc.service.Workload, sc.other.Workload = nil, []string{"device"}
	}), trust.PolicyForbid},
	{"R22 device that the token alone asserts", witnessed(nil, func(sc *scene) { asserts(sc, "device", "managed") }), trust.PolicyForbid},
	{"R22 a token's context called workload", witnessed(nil, func(sc *scene) { asserts(sc, "workload", object{"device": "managed"}) }), trust.PolicyForbid},
	{"R22 device asserted and seen alike", witnessed("managed", func(sc *scene) { asserts(sc, "device", "managed") }), trust.Permit},
	{"R22 device asserted otherwise than seen", witnessed("managed", func(sc *scene) { asserts(sc, "device", "rooted") }), trust.WorkloadConflict},
	{"R22 device asserted in a list", witnessed("managed", func(sc *scene) { asserts(sc, "device", []any{"managed"}) }), trust.WorkloadConflict},
	{"R22 device asserted otherwise, and seen by a point that may not", witnessed("managed", func(sc *scene) {
		sc.service.Workload = nil
		asserts(sc, "device", "rooted")
	}), trust.PolicyForbid},
	{"R22 device that the agreement wants seen", witnessed("managed", func(sc *scene) { sc.line().Workload = map[string]string{"device": "managed"} }), trust.Permit},
	{"R22 device that the agreement wants seen, another", witnessed("managed", func(sc *scene) { sc.line().Workload = map[string]string{"device": "hardened"} }), trust.WorkloadNotSeen},
	{"R22 device that the agreement wants seen, asserted alone", witnessed(nil, func(sc *scene) {
		sc.line().Workload = map[string]string{"device": "managed"}
		asserts(sc, "device", "managed")
	}), trust.WorkloadNotSeen},
	{"R22 device that the mapping wants seen", witnessed("managed", func(sc *scene) { sc.mappings[0].From.Workload = map[string]string{"device": "managed"} }), trust.Permit},
	{"R22 device that the mapping wants seen, another", witnessed("managed", func(sc *scene) { sc.mappings[0].From.Workload = map[string]string{"device": "hardened"} }), trust.NoMapping},
}

// witnessed has the enforcement point see the caller's device, which local policy
// wants to be managed; nil sees nothing.
func witnessed(device any, change func(*scene)) func(*scene) {
	return func(sc *scene) {
		sc.service.Workload = []string{"device"}
		sc.policy += `@id("device") forbid (principal, action, resource) unless { context has workload && context.workload has device && context.workload.device == "managed" };`
		if device != nil {
			sc.request.Workload = object{"device": device, "other": "x"}
		}
		if change != nil {
			change(sc)
		}
	}
}

// asserts has the caller's token say something that the agreement releases as
// context.
func asserts(sc *scene, name string, value any) {
	sc.agreements[0].Attributes = append(sc.agreements[0].Attributes, agreement.Attribute{Name: name, Purpose: "posture", Context: true})
	sc.claim(object{name: value})
}
