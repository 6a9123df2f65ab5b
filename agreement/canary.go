package agreement

import (
	"slices"

	"github.com/entente-id/entente/trust"
)

// What a drill's canary may ask for, and all it may: the canary resource of the
// agreement that is drilled, which the host's own node answers for and behind
// which there is nothing.
const (
	CanaryResource trust.ResourceType = "Canary"
	CanaryAction   trust.Action       = "read"
	CanaryPurpose  trust.Purpose      = "DRILL"
)

// CanaryAudience is whom a canary's token is for at a host.
func CanaryAudience(host trust.ParticipantID) string { return host.String() + "/canary" }

// CanaryPoint is the enforcement point of a host's canary resource, by the
// partner that calls it, as mutual TLS proved. No registered enforcement point
// can have such a name.
func CanaryPoint(partner trust.ParticipantID) string { return "canary of " + partner.String() }

// Canary gives the line that every agreement has without stating it: canaries of
// the classes it accepts, at its own canary resource. There is none for a class
// that it does not accept.
func (a *Agreement) Canary(q *Query) (*Accept, trust.Reason) {
	d := &a.Revision.Document
	if !slices.ContainsFunc(d.Accepts, func(l Accept) bool { return l.Class == q.Class }) {
		return nil, trust.ClassNotCovered
	}
	line := &Accept{
		Class: q.Class, Audience: CanaryAudience(d.Host), Purposes: []trust.Purpose{CanaryPurpose},
		Actions: []trust.Action{CanaryAction}, Resources: []ResourceScope{{Type: CanaryResource, IDs: []string{a.ID}}},
	}
	if reason, ok := line.Covers(q); !ok {
		return nil, reason
	}
	return line, ""
}
