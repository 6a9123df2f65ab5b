package signal

import (
	"slices"

	"github.com/entente-id/entente/trust"
)

// Speaks is what other rooms know of an issuer: which participant alone it
// speaks for. It fails with NotFound or Conflict.
type Speaks func(trust.IssuerID) (trust.ParticipantID, error)

// Add lets a transmitter's signals count, about the subjects of its issuer. secret
// is the SHA-256 of what it authenticates itself with. An issuer has one
// transmitter: two could not be told to agree. It fails with Invalid, NotFound or
// Conflict.
func (s State) Add(speaks Speaks, d Document, secret [32]byte, by string) ([]trust.Event, error) {
	if by == "" {
		return nil, trust.Errorf(trust.Invalid, "transmitter %s is added by nobody; an operator must be named", d.Name)
	}
	if err := d.Check(); err != nil {
		return nil, trust.Errorf(trust.Invalid, "transmitter %s is refused: %s", d.Name, err)
	}
	if _, err := speaks(d.Issuer); err != nil {
		return nil, trust.Errorf(trust.KindOf(err), "transmitter %s is of an issuer that does not speak for one participant: %w", d.Name, err)
	}
	if _, taken := s.Transmitter(d.Name); taken {
		return nil, trust.Errorf(trust.Conflict, "transmitter %s exists; remove it first", d.Name)
	}
	if other, taken := s.Feed(d.Issuer.String()); taken {
		return nil, trust.Errorf(trust.Conflict, "issuer %s has transmitter %s; an issuer has one", d.Issuer, other.Name)
	}
	if secret == [32]byte{} {
		return nil, trust.Errorf(trust.Conflict, "transmitter %s has no secret; each needs one", d.Name)
	}
	d.Critical = slices.Compact(slices.Sorted(slices.Values(d.Critical)))
	return []trust.Event{TransmitterAdded{Document: d, Secret: secret[:], By: by}}, nil
}

// Remove lets a transmitter's signals count no longer; what they did stays. It
// fails with Invalid or NotFound.
func (s State) Remove(name, by string) ([]trust.Event, error) {
	if by == "" {
		return nil, trust.Errorf(trust.Invalid, "transmitter %s is removed by nobody; an operator must be named", name)
	}
	if _, ok := s.Transmitter(name); !ok {
		return nil, trust.Errorf(trust.NotFound, "transmitter %s is not known", name)
	}
	return []trust.Event{TransmitterRemoved{Name: name, By: by}}, nil
}

// Keys are where in this ledger what an event is about stands.
type Keys struct {
	Participant              trust.ParticipantID
	Subjects                 []trust.SubjectKey // every name of the one subject
	Session, Device, Tenants trust.SubjectKey   // zero: none; Tenants is everybody of the issuer
	Narrowed                 bool
}

// Place says where an effect's mark is joined. What is narrower than can be told
// here falls on more when it takes something away, and on nothing when it gives
// something back.
func Place(k Keys, e Effect) []Placed {
	m := e.Mark
	if m == (Mark{}) || k.Narrowed && e.Raises {
		return nil
	}
	var all []Placed
	at := func(kind PlaceKind, key trust.SubjectKey, m Mark) {
		if key != (trust.SubjectKey{}) && m != (Mark{}) {
			all = append(all, Placed{kind, key, m})
		}
	}
	switch none := (trust.SubjectKey{}); {
	case k.Session != none:
		at(AtSession, k.Session, m)
		m = Mark{Sessionless: e.taken()}
	case k.Device != none && m.Device != (Switch{}):
		at(AtDevice, k.Device, m)
		m = Mark{Deviceless: e.taken()}
	case k.Device != none && len(k.Subjects) == 0:
		at(AtDevice, k.Device, m)
	}
	for _, key := range k.Subjects {
		at(AtSubject, key, m)
	}
	if len(k.Subjects) == 0 && k.Session == (trust.SubjectKey{}) && k.Device == (trust.SubjectKey{}) {
		at(AtIssuer, k.Tenants, m)
	}
	return all
}

// taken is the instant at which something was taken away; 0 where nothing was.
func (e *Effect) taken() int64 {
	if e.Raises {
		return 0
	}
	return e.Mark.Newest()
}

// Record gives the event of a signal that was judged, and nothing for one that
// changes nothing and came over the edge again.
func (s State) Record(r Received) ([]trust.Event, error) {
	if r.Participant.IsZero() || (r.Transmitter == "") == r.From.IsZero() {
		return nil, trust.Errorf(trust.Invalid, "a signal comes from a transmitter or a partner, about a participant's subject; exactly one must be named")
	}
	if !r.From.IsZero() && r.From != r.Participant {
		return nil, trust.Errorf(trust.Denied, "participant %s signals about a subject of %s; only who answers for it may", r.From, r.Participant)
	}
	return []trust.Event{r}, nil
}
