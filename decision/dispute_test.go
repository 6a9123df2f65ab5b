package decision_test

import (
	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// settled is a dispute with RXW about a subject, which a remedy holds.
func settled(n byte, r dispute.Remedy) func(*scene) {
	opened := dispute.Opened{Act: dispute.Act{ID: "d", From: rxw}, Opener: rxw, Target: subjectOf(n), Ours: true}
	return both(happened(opened), happened(dispute.Settled{ID: "d", Remedy: r}))
}

// named is what the shell saw in the evidence of the person that a claim names.
func named(person byte) func(*scene) {
	return func(sc *scene) { sc.observed.Person = trust.SubjectKey{person} }
}

var (
	barring = dispute.Remedy{Claim: "staff_id", Person: trust.SubjectKey{9}}
	goesOn  = happened(suspension.Resumed{Target: subjectOf(4), Asked: "a", By: "b"})
)

// disputing: what remedies forbid of those who are not stopped.
var disputing = []deviation{
	{"R57 a barred person under another identifier", both(settled(4, barring), named(9)), trust.PersonBarred},
	{"another person", both(settled(4, barring), named(8)), trust.Permit},
	{"nobody is named", settled(4, barring), trust.Permit},
	{"a barred person who went on", both(both(settled(4, barring), goesOn), named(9)), trust.Permit},
	{"R57 a person whose evidence lacks the claim", func(sc *scene) { sc.observed.Unnamed = true }, trust.PersonUnnamed},
	{"R57 monitored, and asked for too much", func(sc *scene) { sc.observed.Monitored, sc.observed.Spent = true, true }, trust.MonitoringSpent},
	{"monitored", func(sc *scene) { sc.observed.Monitored = true }, trust.Permit},
}
