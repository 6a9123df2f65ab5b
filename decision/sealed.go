package decision

import (
	"encoding/base64"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// Sealed is the plaintext of the sealed part of a decision's entry: with the
// leaf beside it, all that is needed to make the decision again. Of the claims
// it holds those that an agreement with the participant releases, no others.
type Sealed struct {
	Action       trust.Action       `json:"action,omitempty"`
	Actor        *Sealed            `json:"actor,omitempty"` // of a chain: its own proof
	Audience     string             `json:"audience,omitempty"`
	AuthTime     int64              `json:"auth_time,omitzero"`
	Bound        bool               `json:"bound,omitzero"` // to something that cannot be checked
	Certificate  string             `json:"bound_certificate,omitempty"`
	Key          string             `json:"bound_key,omitempty"`
	Chain        *SealedChain       `json:"chain,omitempty"`
	Claims       canonical.Object   `json:"claims,omitempty"`
	ClientID     string             `json:"client_id,omitempty"`
	Delegated    bool               `json:"delegated,omitzero"`
	Ends         int64              `json:"ends,omitzero"` // of what certificates stand on
	ExpiresAt    int64              `json:"expires_at,omitzero"`
	Fault        string             `json:"fault,omitempty"` // the text of the refusal of a proof
	Grant        *evidence.Grant    `json:"grant,omitempty"` // of a credential of our own
	IssuedAt     int64              `json:"issued_at,omitzero"`
	Keys         []string           `json:"keys,omitempty"` // that certificates stand on, but for the authority's
	KeyID        string             `json:"kid,omitempty"`
	Namespace    string             `json:"namespace,omitempty"`
	Order        *Order             `json:"order,omitempty"` // of the credential asked for
	Origin       *SealedOrigin      `json:"origin,omitempty"`
	Properties   canonical.Object   `json:"properties,omitempty"`
	Purpose      trust.Purpose      `json:"purpose,omitempty"`
	Reason       string             `json:"reason,omitempty"` // why it was asked, in the caller's words
	RequestID    string             `json:"request_id,omitempty"`
	Resource     string             `json:"resource,omitempty"`
	ResourceType trust.ResourceType `json:"resource_type,omitempty"`
	Shown        bool               `json:"shown,omitzero"` // all that it is bound to
	Subject      string             `json:"subject,omitempty"`
	SubjectID    string             `json:"subject_id,omitempty"` // as the request had it
	Ticket       string             `json:"ticket,omitempty"`
	Algorithm    string             `json:"token_alg,omitempty"`
	TokenHash    string             `json:"token_hash,omitempty"` // SHA-256 of the token, base64url
	Workload     canonical.Object   `json:"workload,omitempty"`   // as the enforcement point stated it
}

// SealedOrigin is what a brokered token's origin said, or the broker for it.
type SealedOrigin struct {
	ExpiresAt int64  `json:"expires_at"`
	IssuedAt  int64  `json:"issued_at"`
	KeyID     string `json:"kid,omitempty"`
	Namespace string `json:"namespace"`
	Subject   string `json:"subject"`
}

// AppendSealed appends the plaintext of the sealed part as JSON, members sorted.
// s is the snapshot that decided.
func AppendSealed(dst []byte, s *state.Snapshot, ev *Evidence, r *Request, requestID string) []byte {
	w := writer{dst: append(dst, '{')}
	w.text("action", string(r.Action))
	w.sealedActor(s, ev)
	w.text("audience", ev.Audience)
	w.number("auth_time", ev.AuthTime)
	w.flag("bound", ev.Binding.Other)
	w.text("bound_certificate", ev.Binding.Certificate)
	w.text("bound_key", ev.Binding.Key)
	w.sealedChain(ev)
	w.claims(s, ev)
	w.text("client_id", ev.ClientID)
	w.flag("delegated", ev.Delegated)
	w.number("ends", ev.Ends)
	w.number("expires_at", ev.ExpiresAt)
	if ev.Fault != nil {
		w.text("fault", ev.Fault.Text)
	}
	w.grant(ev.Grant)
	w.number("issued_at", ev.IssuedAt)
	list(&w, "keys", ev.Keys)
	w.text("kid", ev.KeyID)
	w.text("namespace", ev.Namespace)
	w.order(r.Order)
	w.origin(ev)
	w.object("properties", r.Properties)
	w.text("purpose", string(r.Purpose))
	w.text("reason", r.Reason)
	w.text("request_id", requestID)
	w.text("resource", r.ResourceID)
	w.text("resource_type", string(r.ResourceType))
	w.flag("shown", ev.Binding.Shown)
	w.text("subject", ev.Subject)
	w.text("subject_id", r.SubjectID)
	w.text("ticket", r.Ticket)
	w.text("token_alg", ev.Algorithm)
	w.hash("token_hash", ev.Hash)
	w.object("workload", r.Workload)
	return append(w.dst, '}')
}

// ParseSealed reads what AppendSealed wrote. It fails with Invalid.
func ParseSealed(plaintext []byte) (Sealed, error) {
	o, err := canonical.ParseObject(plaintext)
	if err != nil {
		return Sealed{}, err
	}
	var s Sealed
	if err := canonical.Decode(plaintext, &s); err != nil {
		return Sealed{}, err
	}
	s.values(o)
	return s, nil
}

// Replay gives back what Decide was asked, from the two parts of an entry.
func Replay(l Leaf, s Sealed) (Observed, Evidence, Request) {
	o := l.Observed.observed()
	o.Duty = l.Duty
	_ = o.Resource.UnmarshalText([]byte(l.Resource)) // one that is none matches nothing
	ev := Evidence{Evidence: evidence.Evidence{
		Participant: l.Participant, Issuer: l.Issuer, Namespace: s.Namespace, Subject: s.Subject, ClientID: s.ClientID,
		Class: l.Class, Kind: l.Evidence, Audience: s.Audience, IssuedAt: s.IssuedAt, ExpiresAt: s.ExpiresAt,
		AuthTime: s.AuthTime, KeyID: s.KeyID, Algorithm: s.Algorithm, Thumbprint: l.Key,
		Delegated: s.Delegated, Claims: s.Claims, Grant: s.Grant, Keys: s.Keys, Ends: s.Ends, Exception: l.Exception,
		Binding: evidence.Binding{Key: s.Key, Certificate: s.Certificate, Other: s.Bound, Shown: s.Shown},
	}}
	if l.Subject != nil {
		o.Subject = *l.Subject
	}
	if l.OriginSubject != nil {
		o.Origin = *l.OriginSubject
		ev.Origin = &evidence.Origin{Issuer: l.Origin, Thumbprint: l.OriginKey}
		if said := s.Origin; said != nil {
			ev.Origin.Namespace, ev.Origin.Subject, ev.Origin.KeyID = said.Namespace, said.Subject, said.KeyID
			ev.Origin.IssuedAt, ev.Origin.ExpiresAt = said.IssuedAt, said.ExpiresAt
		}
	}
	ev.Assurance = vector(l.Assurance)
	ev.Chain = replayChain(&l, &s, &o)
	if s.Fault != "" {
		ev.Fault = &evidence.Fault{Reason: l.Reason, Text: s.Fault}
	}
	if l.Evidence == evidence.IDToken || l.Evidence == evidence.IDJAG {
		ev.Once = []trust.Once{{Expires: s.ExpiresAt, Edge: l.Participant}} // its key is not kept
	}
	if s.Shown && s.Key != "" {
		ev.Binding.Once = &trust.Once{Edge: l.Participant} // nor is this one's
	}
	return o, ev, Request{
		EnforcementPoint: l.EnforcementPoint, SubjectID: s.SubjectID, Action: s.Action, ResourceType: s.ResourceType,
		ResourceID: s.Resource, Properties: s.Properties, Purpose: s.Purpose, Order: s.Order, Session: l.Session,
		Workload: s.Workload, Reason: s.Reason, Ticket: s.Ticket,
	}
}

// hash writes a SHA-256 in base64url; zero is none.
func (w *writer) hash(name string, sum [32]byte) {
	if sum != [32]byte{} {
		w.name(name)
		w.dst = append(base64.RawURLEncoding.AppendEncode(append(w.dst, '"'), sum[:]), '"')
	}
}

func (w *writer) origin(ev *Evidence) {
	if ev.Origin == nil || !ev.verified() {
		return
	}
	w.name("origin")
	w.dst = append(w.dst, '{')
	w.number("expires_at", ev.Origin.ExpiresAt)
	w.number("issued_at", ev.Origin.IssuedAt)
	w.text("kid", ev.Origin.KeyID)
	w.text("namespace", ev.Origin.Namespace)
	w.text("subject", ev.Origin.Subject)
	w.dst = append(w.dst, '}')
}

// vector reads the levels of a leaf.
func vector(levels []uint16) (v framework.Vector) {
	for i := range min(len(levels), len(v)) {
		v[i] = uint8(levels[i])
	}
	return v
}

func (w *writer) flag(name string, value bool) {
	if value {
		w.name(name)
		w.dst = append(w.dst, "true"...)
	}
}

// claims writes the claims that some agreement with the participant releases.
func (w *writer) claims(s *state.Snapshot, ev *Evidence) {
	if len(ev.Claims) > 0 {
		w.object("claims", released(s, &ev.Evidence, self(s)))
	}
}

// released gives the claims that the participant's agreements with a host
// release.
func released(s *state.Snapshot, ev *evidence.Evidence, host trust.ParticipantID) map[string]any {
	read := map[string]any{}
	for _, a := range s.Agreement.Between(ev.Participant, host) {
		for _, attribute := range a.Revision.Document.Attributes {
			for _, name := range reads(attribute.Name, attribute.From) {
				if v, ok := ev.Claims[name]; ok {
					read[name] = v
				}
			}
		}
	}
	return read
}

// reads names the claims that an attribute is taken from.
func reads(name, from string) []string {
	if from == "" {
		return []string{name}
	}
	path, err := evidence.ParsePath(from)
	if err != nil {
		return nil
	}
	return path.Reads()
}

func (w *writer) object(name string, members map[string]any) {
	if len(members) > 0 {
		w.name(name)
		w.dst = canonical.AppendValue(w.dst, members)
	}
}
