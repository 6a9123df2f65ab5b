package decision_test

import (
	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

func suspended(t suspension.Target, expires int64) func(*scene) {
	return happened(suspension.Suspended{Target: t, By: "admin", Expires: expires})
}

func saidBy(t suspension.Target, from trust.ParticipantID) func(*scene) {
	return happened(suspension.Suspended{Target: t, From: from})
}

// subjectOf is a person of RXW's; 3 calls.
func subjectOf(n byte) suspension.Target {
	return suspension.Target{Kind: suspension.Subject, Participant: rxw, Subject: trust.SubjectKey{7, 15, n}}
}

// suspending: what is stopped for a time, by whom, and until when.
var suspending = []deviation{
	{"R46 subject suspended", suspended(subjectOf(3), 0), trust.SubjectSuspended},
	{"R42 identity registered, not activated", happened(identity.Registered{N: 1, Class: trust.Human, Account: trust.SubjectKey{7, 15, 3}}), trust.IdentityIdle},
	{"identity activated", followed(identity.Registered{N: 1, Class: trust.Human, Account: trust.SubjectKey{7, 15, 3}}, identity.Activated{N: 1}), trust.Permit},
	{"subject suspended for a second more", suspended(subjectOf(3), now+1), trust.SubjectSuspended},
	{"subject's suspension is over this second", suspended(subjectOf(3), now), trust.Permit},
	{"another subject suspended", suspended(subjectOf(4), 0), trust.Permit},
	{"subject suspended by its home", saidBy(subjectOf(3), rxw), trust.SubjectSuspended},
	{"subject suspended by somebody else", saidBy(subjectOf(3), r0a), trust.Permit},
	{"subject suspended and resumed", both(suspended(subjectOf(3), 0), happened(suspension.Resumed{Target: subjectOf(3), Asked: "a", By: "b"})), trust.Permit},
	{"subject suspended, resumed by its home alone", both(suspended(subjectOf(3), 0), happened(suspension.Resumed{Target: subjectOf(3), From: rxw})), trust.SubjectSuspended},
	{"R38 action taken out of the agreement", suspended(suspension.Target{Kind: suspension.Coverage, Agreement: agreementID(0), Action: "read"}, 0), trust.Reduced},
	{"R38 action taken out by the partner", saidBy(suspension.Target{Kind: suspension.Coverage, Agreement: agreementID(0), Action: "read"}, rxw), trust.Reduced},
	{"action taken out until this second", suspended(suspension.Target{Kind: suspension.Coverage, Agreement: agreementID(0), Action: "read"}, now), trust.Permit},
	{"another action taken out", suspended(suspension.Target{Kind: suspension.Coverage, Agreement: agreementID(0), Action: "write"}, 0), trust.Permit},
	{"action of another class taken out", suspended(suspension.Target{Kind: suspension.Coverage, Agreement: agreementID(0), Action: "read", Class: trust.Agent}, 0), trust.Permit},
	{"class of another agreement taken out", suspended(suspension.Target{Kind: suspension.Coverage, Agreement: agreementID(7), Class: trust.Human}, 0), trust.Permit},
	{"class suspended", suspended(suspension.Target{Kind: suspension.Coverage, Class: trust.Human}, 0), trust.ClassSuspended},
	{"another class suspended", suspended(suspension.Target{Kind: suspension.Coverage, Class: trust.Agent}, 0), trust.Permit},
	{"class of the participant suspended", suspended(suspension.Target{Kind: suspension.Coverage, Class: trust.Human, Participant: rxw}, 0), trust.ClassSuspended},
	{"class of another participant suspended", suspended(suspension.Target{Kind: suspension.Coverage, Class: trust.Human, Participant: r0a}, 0), trust.Permit},
	{"service suspended", suspended(suspension.Target{Kind: suspension.Coverage, Service: records}, 0), trust.ServiceSuspended},
	{"another service suspended", suspended(suspension.Target{Kind: suspension.Coverage, Service: records + "/x"}, 0), trust.Permit},
	{"participant suspended and resumed", both(happened(participant.Suspended{Participant: rxw, By: "a"}), happened(participant.Resumed{Participant: rxw, By: "b"})), trust.Permit},
	{"agreement suspended and resumed", both(happened(agreement.Moved{ID: agreementID(0), To: agreement.Suspended, By: "a"}), happened(agreement.Resumed{ID: agreementID(0), By: "b"})), trust.Permit},
	{"agreement suspended by both and resumed by one", both(both(happened(agreement.Moved{ID: agreementID(0), To: agreement.Suspended, By: "a"}), happened(agreement.Moved{ID: agreementID(0), To: agreement.Suspended, From: rxw})), happened(agreement.Resumed{ID: agreementID(0), By: "b"})), trust.AgreementSuspended},
	{"broken edge resumed", both(happened(edge.Broken{From: rxw, Lane: edge.Safety, Rule: "content"}), happened(edge.Resumed{From: rxw, By: "b"})), trust.Permit},
}
