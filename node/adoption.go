package node

import "github.com/entente-id/entente/trust"

// Adoption is which version of the framework an organisation has adopted, as far as
// it said so. By is when it has to have adopted the one in force here, 0 where it has
// or no time is set.
type Adoption struct {
	Participant trust.ParticipantID `json:"participant"`
	Name        string              `json:"name"`
	Stage       AdoptionStage       `json:"stage"`
	Version     int                 `json:"version,omitzero"`
	Hash        string              `json:"hash,omitempty"`
	By          trust.Instant       `json:"by,omitzero"`
}

// AdoptionStage is how an organisation keeps up with the framework in force here.
type AdoptionStage string

const (
	Adopts  AdoptionStage = "adopted"
	Owes    AdoptionStage = "owed"   // it has not, and has time, or none is set
	Lags    AdoptionStage = "behind" // its time is over: it is held to the basic tier
	NoRules AdoptionStage = "none"   // no framework is in force here
)

// Adoptions tells who has adopted which version: this organisation first, then its
// partners by name.
func (n *Node) Adoptions() []Adoption {
	s, now := n.State(), n.Now()
	self := s.Participant.Self().Card
	own := Adoption{Participant: self.ID, Name: self.Name, Stage: NoRules}
	f := s.Framework.Current
	for _, adopted := range s.Framework.Adopted() {
		own.Stage, own.Version, own.Hash = Adopts, adopted.Version, adopted.Hash
	}
	all := []Adoption{own}
	for p := range s.Participant.Partners() {
		a := Adoption{Participant: p.Card.ID, Name: p.Card.Name, Stage: NoRules, Version: p.Adopted, Hash: p.AdoptedHash}
		if f != nil {
			a.By = trust.Instant(f.AdoptBy(p.Adopted, p.Confirmed))
			switch {
			case p.Adopted >= f.Version:
				a.Stage = Adopts
			case a.By != 0 && int64(a.By) <= now:
				a.Stage = Lags
			default:
				a.Stage = Owes
			}
		}
		all = append(all, a)
	}
	return all
}
