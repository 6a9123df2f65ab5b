package framework

import "github.com/entente-id/entente/trust"

// Signed is a framework document as it travels: the exact bytes and who signed
// them. A signature is Ed25519 by a governance key over Domain, a newline and
// Bytes.
type Signed struct {
	Bytes      []byte      `json:"bytes"`
	Signatures []Signature `json:"signatures"`
}

// Domain is the domain tag of a framework signature.
const Domain = "entente framework v1"

// Signature is one participant's governance signature.
type Signature struct {
	Participant trust.ParticipantID `json:"participant"`
	Value       []byte              `json:"value"`
}

// Received: a document arrived and awaits local acceptance. From is zero when a
// local operator brought it.
type Received struct {
	Signed  Signed              `json:"signed"`
	Hash    string              `json:"hash"` // hex SHA-256 of Signed.Bytes
	Version int                 `json:"version"`
	From    trust.ParticipantID `json:"from,omitzero"`
}

// Adopted: a local operator accepted a document; it is in force here.
type Adopted struct {
	Signed  Signed `json:"signed"`
	Hash    string `json:"hash"`
	Version int    `json:"version"`
	By      string `json:"by"`
}

// Refused: a document was refused, and why.
type Refused struct {
	Hash    string              `json:"hash"`
	Version int                 `json:"version"`
	Rule    string              `json:"rule"` // one of a fixed set of words
	From    trust.ParticipantID `json:"from,omitzero"`
}

// EventKind is framework.received.
func (Received) EventKind() trust.Kind { return trust.Kind{Name: "framework.received", Version: 1} }

// EventKind is framework.adopted.
func (Adopted) EventKind() trust.Kind { return trust.Kind{Name: "framework.adopted", Version: 1} }

// EventKind is framework.refused.
func (Refused) EventKind() trust.Kind { return trust.Kind{Name: "framework.refused", Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event { return []trust.Event{Received{}, Adopted{}, Refused{}} }
