package decision

import (
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// The kinds of entry about credentials. A decision that issues one is recorded
// with it, in one entry.
var (
	IssuedKind  = trust.Kind{Name: "credential.issued", Version: 1}
	RefusedKind = trust.Kind{Name: "credential.refused", Version: 1}
)

// CredentialLeaf is the body of both. Decision is the last of those that the
// order came down to: the one that refused it, or that of its last access.
type CredentialLeaf struct {
	Access   []LeafAccess `json:"access,omitempty"` // what it is good for; empty when refused
	Client   string       `json:"client"`
	Decision Leaf         `json:"decision"`
	Expires  int64        `json:"expires,omitzero"`
	ID       string       `json:"id,omitempty"` // its jti
	// Partner is set where the credential is a grant (evidence.IDJAG) for that
	// one's authorization server, and Target the audience of its service.
	Partner trust.ParticipantID `json:"partner,omitzero"`
	Status  Place               `json:"status,omitzero"`
	Target  string              `json:"target,omitempty"`
}

// LeafAccess is an evidence.Access without plain resources.
type LeafAccess struct {
	Actions      []trust.Action     `json:"actions"`
	Purpose      trust.Purpose      `json:"purpose"`
	ResourceType trust.ResourceType `json:"resource_type"`
	Resources    []string           `json:"resources,omitempty"` // 32 hexadecimal digits each; none is every one of the type
}

// Issue is a credential that was decided to be issued.
type Issue struct {
	ID      string
	Expires int64
	Place   Place
}

// Place is where a credential's status is published: an index in a list with a
// random name. The zero value is nowhere.
type Place struct {
	List  string `json:"list,omitempty"`
	Index uint32 `json:"index,omitzero"`
}

func (w *writer) place(p Place) {
	if p.List == "" {
		return
	}
	w.name("status")
	w.dst = append(w.dst, '{')
	w.number("index", int64(p.Index))
	w.text("list", p.List)
	w.dst = append(w.dst, '}')
}

// ParseIssue reads the issue of a credential from the body of an entry; false
// where it issues none.
func ParseIssue(k trust.Kind, body []byte) (Issue, bool) {
	switch k {
	case IssuedKind:
		c, err := ParseCredentialLeaf(body)
		return Issue{c.ID, c.Expires, c.Status}, err == nil && c.Partner.IsZero()
	case ReissuedKind:
		a, err := ParseAgain(k, body)
		return Issue{a.ID, a.Expires, a.Status}, err == nil
	default:
		return Issue{}, false
	}
}

// AppendIssued appends the body of an IssuedKind entry around the decision's
// leaf. resource gives the commitment to a resource.
func AppendIssued(dst []byte, i *Issue, o *Order, resource func(trust.ResourceType, string) [16]byte, leaf []byte) []byte {
	w := writer{dst: append(dst, `{"access":[`...)}
	for n := range o.Access {
		a := &o.Access[n]
		if n > 0 {
			w.dst = append(w.dst, ',')
		}
		w.dst = append(w.dst, '{')
		list(&w, "actions", a.Actions)
		w.text("purpose", string(a.Purpose))
		w.text("resource_type", string(a.Type))
		if len(a.IDs) > 0 {
			w.name("resources")
			for k, id := range a.IDs {
				w.dst = append(w.dst, "[,"[min(k, 1)])
				w.dst = appendHex(w.dst, resource(a.Type, id))
			}
			w.dst = append(w.dst, ']')
		}
		w.dst = append(w.dst, '}')
	}
	w.dst = append(w.dst, ']')
	w.text("client", o.Client)
	w.name("decision")
	w.dst = append(w.dst, leaf...)
	w.number("expires", i.Expires)
	w.text("id", i.ID)
	w.partner(o, i.Place)
	return append(w.dst, '}')
}

// AppendRefused appends the body of a RefusedKind entry around the decision's
// leaf.
func AppendRefused(dst []byte, o *Order, leaf []byte) []byte {
	w := writer{dst: append(dst, '{')}
	w.text("client", o.Client)
	w.name("decision")
	w.dst = append(w.dst, leaf...)
	w.partner(o, Place{})
	return append(w.dst, '}')
}

// ParseEntry reads the body of an entry of a decision log that says a decision
// whole, and gives it. It fails with Conflict for a kind that is not known, and with
// Invalid.
func ParseEntry(k trust.Kind, body []byte) (Leaf, error) {
	switch k {
	case EntryKind:
		return ParseLeaf(body)
	case IssuedKind, RefusedKind:
		c, err := ParseCredentialLeaf(body)
		return c.Decision, err
	default:
		return Leaf{}, trust.Errorf(trust.Conflict, "entry is %s; this binary knows %s, %s, %s, %s and %s", k, EntryKind, AgainKind, IssuedKind, ReissuedKind, RefusedKind)
	}
}

// ParseCredentialLeaf reads what AppendIssued and AppendRefused wrote. It fails
// with Invalid.
func ParseCredentialLeaf(body []byte) (CredentialLeaf, error) {
	var c CredentialLeaf
	if err := canonical.Decode(body, &c); err != nil {
		return CredentialLeaf{}, err
	}
	return c, c.Decision.check()
}

// Carry gives the claims of verified evidence that deciding on it again needs,
// and no others.
func Carry(s *state.Snapshot, ev *evidence.Evidence) canonical.Object {
	return carry(s, ev, self(s))
}

// CarryOrigin is Carry of what a broker's origin said: only its assurance is read
// again.
func CarryOrigin(s *state.Snapshot, origin *evidence.Origin) canonical.Object {
	if origin.Claims == nil {
		return nil
	}
	carried := canonical.Object{}
	carryLevels(s, origin.Claims, carried)
	return carried
}

// carryLevels takes over the claims that the framework's ladders are read from.
func carryLevels(s *state.Snapshot, claims, carried canonical.Object) {
	if f := s.Framework.Current; f != nil {
		for i := range f.Document.Assurance.Mapping {
			name := f.Document.Assurance.Mapping[i].Claim
			if v, ok := claims[name]; ok {
				carried[name] = v
			}
		}
	}
}

// Assert gives the claims of one of our own people that a partner's node reads
// in a grant: those that identity, class and assurance are read from, and what
// agreements with that partner release. Who it is there, another identifier says.
func Assert(s *state.Snapshot, ev *evidence.Evidence, partner trust.ParticipantID) canonical.Object {
	asserted := carry(s, ev, partner)
	for _, own := range []string{"sub", evidence.SessionClaim, evidence.DeviceClaim} {
		delete(asserted, own)
	}
	return asserted
}

func carry(s *state.Snapshot, ev *evidence.Evidence, host trust.ParticipantID) canonical.Object {
	carried := canonical.Object{}
	carry := func(name string) {
		if v, ok := ev.Claims[name]; ok {
			carried[name] = v
		}
	}
	if line := lineOf(s, ev); line != nil {
		for _, name := range evidence.Carried(line) {
			carry(name)
		}
	}
	carryLevels(s, ev.Claims, carried)
	for name := range released(s, ev, host) {
		carry(name)
	}
	return carried
}

// lineOf finds the statement's line that evidence was identified by.
func lineOf(s *state.Snapshot, ev *evidence.Evidence) *participant.Issuer {
	speaker, _ := s.Speaker(ev.Issuer.String())
	for i := range speaker.Candidates {
		if speaker.Candidates[i].Participant == ev.Participant {
			return &speaker.Candidates[i].Issuer
		}
	}
	return nil
}

// partner writes whose authorization server a grant is for; of a credential of
// our own the place of its status.
func (w *writer) partner(o *Order, p Place) {
	if o.Partner.IsZero() {
		w.place(p)
		return
	}
	w.text("partner", o.Partner.String())
	w.text("target", o.Target)
}

func (w *writer) grant(g *evidence.Grant) {
	if g == nil {
		return
	}
	w.name("grant")
	w.dst = append(w.dst, '{')
	w.access(g.Access)
	w.text("agreement", g.Agreement)
	if g.Epoch != 0 {
		w.number("epoch", int64(g.Epoch))
	}
	w.text("id", g.ID)
	w.text("target", g.Target)
	w.dst = append(w.dst, '}')
}

func (w *writer) order(o *Order) {
	if o == nil {
		return
	}
	w.name("order")
	w.dst = append(w.dst, '{')
	w.access(o.Access)
	w.text("agreement", o.Agreement)
	w.text("client", o.Client)
	w.flag("introspected", o.Introspected)
	w.text("partner", o.Partner.String())
	w.text("target", o.Target)
	w.dst = append(w.dst, '}')
}

func (w *writer) access(all []evidence.Access) {
	w.name("access")
	w.dst = append(w.dst, '[')
	for i := range all {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.dst = append(w.dst, '{')
		list(w, "actions", all[i].Actions)
		w.text("purpose", string(all[i].Purpose))
		list(w, "resource_ids", all[i].IDs)
		w.text("resource_type", string(all[i].Type))
		w.dst = append(w.dst, '}')
	}
	w.dst = append(w.dst, ']')
}
