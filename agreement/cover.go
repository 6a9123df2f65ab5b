package agreement

import (
	"slices"

	"github.com/entente-id/entente/trust"
)

// Query is what a caller asks under an agreement. Every member is compared byte
// by byte; an empty one matches nothing.
type Query struct {
	Class        trust.Class
	Issuer       trust.IssuerID
	Origin       trust.IssuerID // of a brokered caller: accepted as well as the issuer; zero: none
	Subject      string
	Audience     string // of the service that owns the resource
	ResourceType trust.ResourceType
	ResourceID   string
	EveryID      bool // every resource of the type, in place of ResourceID
	Action       trust.Action
	Purpose      trust.Purpose
}

// Cover gives the first line that covers q. When there is none it gives nil and
// the check that stopped the line that came closest: class, issuer, subject,
// resource (the service's audience counts with it), action, purpose.
func (a *Agreement) Cover(q Query) (*Accept, trust.Reason) {
	closest := -1
	for i := range a.Revision.Document.Accepts {
		line := &a.Revision.Document.Accepts[i]
		passed := line.passes(&q)
		if passed == len(stops) {
			return line, ""
		}
		closest = max(closest, passed)
	}
	if closest < 0 {
		return nil, trust.ClassNotCovered
	}
	return nil, stops[closest]
}

// Reaches reports whether a line of the agreement accepts a class at a service (an
// audience) for an action; what is empty stands for any.
func (a *Agreement) Reaches(class trust.Class, service string, action trust.Action) bool {
	return slices.ContainsFunc(a.Revision.Document.Accepts, func(l Accept) bool {
		return (class == "" || l.Class == class) && (service == "" || l.Audience == service) && (action == "" || slices.Contains(l.Actions, action))
	})
}

// Covers reports whether this line covers q, or else the check that stops it.
func (l *Accept) Covers(q *Query) (trust.Reason, bool) {
	passed := l.passes(q)
	if passed == len(stops) {
		return "", true
	}
	return stops[passed], false
}

// stops are the reasons of the checks in the order of passes.
var stops = [...]trust.Reason{
	trust.ClassNotCovered, trust.IssuerNotCovered, trust.SubjectNotCovered,
	trust.ResourceNotCovered, trust.ActionNotCovered, trust.PurposeNotCovered,
}

// passes counts the checks that q passes before the first it fails. A line
// without issuers or without subjects leaves that open; a document has at least
// one of the two.
func (l *Accept) passes(q *Query) int {
	switch {
	case q.Class == "" || l.Class != q.Class:
		return 0
	case q.Issuer.IsZero() || len(l.Issuers) > 0 && !slices.Contains(l.Issuers, q.Issuer),
		!q.Origin.IsZero() && len(l.Issuers) > 0 && !slices.Contains(l.Issuers, q.Origin):
		return 1
	case q.Subject == "" || len(l.Subjects) > 0 && !slices.Contains(l.Subjects, q.Subject):
		return 2
	case q.Audience == "" || l.Audience != q.Audience || !l.holds(q):
		return 3
	case q.Action == "" || !slices.Contains(l.Actions, q.Action):
		return 4
	case q.Purpose == "" || !slices.Contains(l.Purposes, q.Purpose):
		return 5
	default:
		return len(stops)
	}
}

func (l *Accept) holds(q *Query) bool {
	if q.ResourceType == "" || q.ResourceID == "" && !q.EveryID {
		return false
	}
	return slices.ContainsFunc(l.Resources, func(r ResourceScope) bool {
		return r.Type == q.ResourceType && (len(r.IDs) == 0 || !q.EveryID && slices.Contains(r.IDs, q.ResourceID))
	})
}

// SeenAs reports whether what an enforcement point saw (canonical values) has
// every member that is wanted, each that one text.
func SeenAs(seen map[string]any, wanted map[string]string) bool {
	for name, want := range wanted {
		if text, ok := seen[name].(string); !ok || text != want || want == "" {
			return false
		}
	}
	return true
}
