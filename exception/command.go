package exception

import "github.com/entente-id/entente/trust"

// Facts is what other rooms know. Limit is for how many seconds an exception may
// live by the framework in force; 0 is not at all.
type Facts struct {
	Limit      int64
	Answers    func(trust.ParticipantID, trust.IssuerID) bool // the issuer speaks for the participant, as no broker
	IsService  func(name string) bool
	IsOperator func(id string) bool
}

// Grant waives a check from now (Unix seconds) until the document's end. hash is
// the keyed hash of the secret that it lets in. A name is never used again, so
// that an exception is never prolonged. It fails with Invalid, NotFound or
// Conflict.
func (s State) Grant(f Facts, d Document, hash [16]byte, by string, now int64) ([]trust.Event, error) {
	if by == "" {
		return nil, trust.Errorf(trust.Invalid, "exception %s is granted by nobody; an operator must be named", d.Name)
	}
	if err := d.Check(); err != nil {
		return nil, trust.Errorf(trust.Invalid, "exception %s is refused: %s", d.Name, err)
	}
	if err := d.checkFacts(f, now); err != nil {
		return nil, err
	}
	if _, used := s.Get(d.Name); used {
		return nil, trust.Errorf(trust.Conflict, "exception %s exists or did; a name is never used again, and an exception is not prolonged", d.Name)
	}
	if _, used := s.BySecret(hash); used || hash == [16]byte{} {
		return nil, trust.Errorf(trust.Conflict, "exception %s has no secret of its own; each needs one", d.Name)
	}
	return []trust.Event{Granted{
		Name: d.Name, Waives: d.Waives, Secret: d.Secret, Participant: d.Participant, Issuer: d.Issuer, Account: d.Account,
		Service: d.Service, Owner: d.Owner, Expires: int64(d.Expires), Hash: hash[:], By: by,
	}}, nil
}

func (d Document) checkFacts(f Facts, now int64) error {
	switch life := int64(d.Expires) - now; {
	case !f.Answers(d.Participant, d.Issuer):
		return trust.Errorf(trust.NotFound, "exception %s is for an account of %s, which is not stated as an issuer of %s", d.Name, d.Issuer, d.Participant)
	case !f.IsService(d.Service):
		return trust.Errorf(trust.NotFound, "exception %s is for service %s, which is not known", d.Name, d.Service)
	case !f.IsOperator(d.Owner):
		return trust.Errorf(trust.NotFound, "exception %s is owned by %s, who is no operator here", d.Name, d.Owner)
	case f.Limit <= 0:
		return trust.Errorf(trust.Conflict, "exception %s cannot be granted; the framework in force allows none for the tier of service accounts (max_exception)", d.Name)
	case life <= 0:
		return trust.Errorf(trust.Invalid, "exception %s ends at %s, which has passed", d.Name, d.Expires)
	case life > f.Limit:
		return trust.Errorf(trust.Invalid, "exception %s would live for %d s; the framework in force allows %d s (max_exception)", d.Name, life, f.Limit)
	default:
		return nil
	}
}

// End ends an exception before its time; one that has ended changes nothing. It
// fails with Invalid or NotFound.
func (s State) End(name, by string) ([]trust.Event, error) {
	if by == "" {
		return nil, trust.Errorf(trust.Invalid, "exception %s is ended by nobody; an operator must be named", name)
	}
	x, ok := s.Get(name)
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "exception %s is not known", name)
	}
	if x.EndedAt != 0 {
		return nil, nil
	}
	return []trust.Event{Ended{Name: name, By: by}}, nil
}
