package participant

import "github.com/entente-id/entente/trust"

// Adopt takes a partner's word that it adopted a version of the framework. A lower
// version than it said before, or the same again, changes nothing: nobody goes back.
// It fails with NotFound for a participant that is no partner, with Invalid for a
// version or hash that is none.
func (s State) Adopt(partner trust.ParticipantID, framework string, version int) ([]trust.Event, error) {
	p, ok := s.Partner(partner)
	switch {
	case !ok:
		return nil, trust.Errorf(trust.NotFound, "participant %s is not a partner here", partner)
	case version < 1 || !isHash(framework):
		return nil, trust.Errorf(trust.Invalid, "version %d of framework %q, which %s says it adopted, is none", version, framework, partner)
	case version <= p.Adopted:
		return nil, nil
	default:
		return []trust.Event{Adopted{Participant: partner, Framework: framework, Version: version}}, nil
	}
}
