package decision

import (
	"cmp"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// LeafHop is a link of a chain as a leaf has it.
type LeafHop struct {
	Assurance   []uint16            `json:"assurance"`
	Issuer      trust.IssuerID      `json:"issuer"`
	Key         string              `json:"key"` // RFC 7638 thumbprint
	Participant trust.ParticipantID `json:"participant"`
	Subject     trust.SubjectKey    `json:"subject"` // who delegated
}

// SealedChain is a chain as the sealed part has it, but for the actor.
type SealedChain struct {
	Fault  string       `json:"fault,omitempty"` // the text of the refusal of the chain
	Links  []SealedLink `json:"links,omitempty"`
	Reason trust.Reason `json:"reason,omitempty"` // of that refusal
	Stated bool         `json:"stated,omitzero"`
}

// SealedLink is a link as it was read.
type SealedLink struct {
	Audience  string           `json:"audience"`
	Depth     int              `json:"depth"`
	ExpiresAt int64            `json:"expires_at"`
	ID        string           `json:"id"`
	IssuedAt  int64            `json:"issued_at"`
	KeyID     string           `json:"kid"`
	Namespace string           `json:"namespace"`
	Scope     delegation.Scope `json:"scope"`
	Subject   string           `json:"subject"`
	To        string           `json:"to"`
	ToIssuer  trust.IssuerID   `json:"to_issuer"`
	ToKey     string           `json:"to_key,omitempty"`
}

// actor writes what the actor of a chain may on its own, as a leaf in the leaf.
// One that was not heard, since the principal was denied before, has its reason.
func (w *writer) actor(d *Decision, o *Observed, ev *Evidence, r *Request) {
	c := holding(ev)
	if c == nil || len(o.Chain) != len(c.Links)+1 {
		return
	}
	w.name("actor")
	index := Commit{Resource: w.resource}
	w.dst = AppendLeaf(w.dst, cmp.Or(d.Actor, &Decision{Reason: d.Reason}), &o.Chain[len(c.Links)], &Evidence{Evidence: c.Actor}, r, index)
}

// holding gives the chain beside which somebody is known to call, also one that
// does not lead there; nil where there is none.
func holding(ev *Evidence) *evidence.Chain {
	if !ev.verified() || ev.Chain == nil || ev.Chain.Fault != nil && !ev.Chain.Presented() {
		return nil
	}
	return ev.Chain
}

// chain writes who stands between the principal and the actor.
func (w *writer) chain(o *Observed, ev *Evidence) {
	if !ev.verified() || ev.Chain == nil || len(ev.Chain.Links) == 0 || len(o.Chain) < len(ev.Chain.Links) {
		return
	}
	w.name("chain")
	for i := range ev.Chain.Links {
		link := &ev.Chain.Links[i]
		w.dst = append(w.dst, "[,"[min(i, 1)], '{')
		w.levels("assurance", link.Assurance)
		w.text("issuer", link.From.Issuer.String())
		w.text("key", link.Thumbprint)
		w.text("participant", link.Participant.String())
		w.hex("subject", o.Chain[i].Subject)
		w.dst = append(w.dst, '}')
	}
	w.dst = append(w.dst, ']')
}

// seen writes what was observed of the chain.
func (w *writer) seen(chain []Observed) {
	if len(chain) == 0 {
		return
	}
	w.name("chain")
	for i := range chain {
		w.dst = append(w.dst, "[,"[min(i, 1)])
		w.sight(&chain[i])
	}
	w.dst = append(w.dst, ']')
}

// sealedActor writes what the sealed part keeps of the actor's proof.
func (w *writer) sealedActor(s *state.Snapshot, ev *Evidence) {
	if c := holding(ev); c != nil {
		w.name("actor")
		w.dst = AppendSealed(w.dst, s, &Evidence{Evidence: c.Actor}, &Request{}, "")
	}
}

func (w *writer) sealedChain(ev *Evidence) {
	if !ev.verified() || ev.Chain == nil {
		return
	}
	sealed := SealedChain{Stated: ev.Chain.Stated}
	if f := ev.Chain.Fault; f != nil {
		sealed.Fault, sealed.Reason = f.Text, f.Reason
	}
	for i := range ev.Chain.Links {
		l := &ev.Chain.Links[i]
		sealed.Links = append(sealed.Links, SealedLink{
			Audience: l.Audience, Depth: l.Depth, ExpiresAt: l.ExpiresAt, ID: l.ID, IssuedAt: l.IssuedAt, KeyID: l.KeyID, Namespace: l.Namespace,
			Scope: l.Scope, Subject: l.From.Subject, To: l.To.Subject, ToIssuer: l.To.Issuer, ToKey: l.Key,
		})
	}
	if text, err := canonical.Marshal(sealed); err == nil { // it was parsed, so it can be written
		w.name("chain")
		w.dst = append(w.dst, text...)
	}
}

// values takes claims and properties as values of the kinds that rules read.
func (s *Sealed) values(o canonical.Object) {
	s.Claims, _ = o["claims"].(canonical.Object)
	s.Properties, _ = o["properties"].(canonical.Object)
	if actor, ok := o["actor"].(canonical.Object); ok && s.Actor != nil {
		s.Actor.values(actor)
	}
}

// replayChain gives back the chain of a decision and what was observed of it.
func replayChain(l *Leaf, s *Sealed, o *Observed) *evidence.Chain {
	if s.Chain == nil {
		return nil
	}
	c := &evidence.Chain{Stated: s.Chain.Stated}
	if s.Chain.Reason != "" {
		c.Fault = &evidence.Fault{Reason: s.Chain.Reason, Text: s.Chain.Fault}
	}
	for i := range l.Observed.Chain {
		o.Chain = append(o.Chain, l.Observed.Chain[i].observed())
	}
	for i := range min(len(l.Chain), len(s.Chain.Links)) {
		hop, link := &l.Chain[i], &s.Chain.Links[i]
		c.Links = append(c.Links, evidence.Hop{
			Link: delegation.Link{
				From: delegation.Party{Issuer: hop.Issuer, Subject: link.Subject}, To: delegation.Party{Issuer: link.ToIssuer, Subject: link.To},
				Key: link.ToKey, Audience: link.Audience, Scope: link.Scope, IssuedAt: link.IssuedAt, ExpiresAt: link.ExpiresAt, Depth: link.Depth, ID: link.ID,
			},
			Participant: hop.Participant, Namespace: link.Namespace, Assurance: vector(hop.Assurance), KeyID: link.KeyID, Thumbprint: hop.Key,
		})
		if i < len(o.Chain) {
			o.Chain[i].Subject = hop.Subject
		}
	}
	if l.Actor != nil && s.Actor != nil && len(o.Chain) == len(c.Links)+1 {
		seen, actor, _ := Replay(*l.Actor, *s.Actor)
		c.Actor, c.Once = actor.Evidence, actor.Once
		o.Chain[len(c.Links)].Subject = seen.Subject
	}
	return c
}
