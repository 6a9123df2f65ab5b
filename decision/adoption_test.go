package decision_test

import (
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// adopting is who has adopted the framework, and in time.
var adopting = []deviation{
	{"R29 its home has not adopted the framework in time", func(sc *scene) { sc.framework.Governance.AdoptWithin = 1000 }, trust.NotAdopted},
	{"its home has one second left to adopt the framework", func(sc *scene) { sc.framework.Governance.AdoptWithin = 1001 }, trust.Permit},
	{"its home has adopted the framework", func(sc *scene) {
		sc.framework.Governance.AdoptWithin = 1000
		sc.more = append(sc.more, participant.Adopted{Participant: rxw, Framework: "00", Version: sc.framework.Version})
	}, trust.Permit},
	{"R29 its home has adopted an older framework", func(sc *scene) {
		sc.framework.Governance.AdoptWithin = 1000
		sc.more = append(sc.more, participant.Adopted{Participant: rxw, Framework: "00", Version: sc.framework.Version - 1})
	}, trust.NotAdopted},
	{"R29 another has adopted the framework", func(sc *scene) {
		sc.framework.Governance.AdoptWithin = 1000
		sc.more = append(sc.more, participant.Adopted{Participant: r0a, Framework: "00", Version: sc.framework.Version})
	}, trust.NotAdopted},
	{"R29 what is on the basic tier goes on", func(sc *scene) {
		sc.framework.Governance.AdoptWithin = 1000
		retier(sc, trust.Human, trust.Basic)
		sc.agreements[0].Tier = trust.Basic
	}, trust.Permit},
	{"R29 an agreement on a higher tier does not", func(sc *scene) {
		sc.framework.Governance.AdoptWithin = 1000
		retier(sc, trust.Human, trust.Basic)
	}, trust.NotAdopted},
}
