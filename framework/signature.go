package framework

import (
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// Sign signs a framework's bytes for a participant with its governance key. It
// fails with Invalid, or as the signer fails.
func Sign(s jose.Signer, participant trust.ParticipantID, data []byte) (Signature, error) {
	value, err := jose.SignBytes(s, Domain, data)
	return Signature{Participant: participant, Value: value}, err
}

// signed decides whether enough participants signed. Version 1 needs all its
// signers, the founders. The next version needs the threshold of the version in
// force, by its signers and keys, and its own. The first here, which a
// confirmed invitation names, needs its own. Any signature that does not count
// refuses the whole.
func (s State) signed(d Document, signed Signed) *Refusal {
	required := []quorum{quorumOf(d)}
	switch {
	case d.Version == 1:
		required[0].threshold = len(required[0].keys)
	case s.Current != nil:
		required = append(required, quorumOf(s.Current.Document))
	}
	counted := make(map[trust.ParticipantID]bool)
	for _, signature := range signed.Signatures {
		if counted[signature.Participant] {
			return refusal(RepeatedSigner, "is signed twice by %s; the threshold counts participants", signature.Participant)
		}
		counted[signature.Participant] = true
		if err := count(required, signature, signed.Bytes); err != nil {
			return err
		}
	}
	for _, q := range required {
		if q.have < q.threshold {
			return refusal(Threshold, "is signed by %d of the %d participants that version %d asks for", q.have, q.threshold, q.version)
		}
	}
	return nil
}

// quorum is the signers of one version, how many must sign and how many have.
type quorum struct {
	version   int
	keys      map[trust.ParticipantID]string
	threshold int
	have      int
}

func quorumOf(d Document) quorum {
	q := quorum{version: d.Version, keys: make(map[trust.ParticipantID]string), threshold: d.Governance.Threshold}
	for _, s := range d.Governance.Signers {
		q.keys[s.Participant] = s.Key
	}
	return q
}

// count adds a signature to each quorum whose key for the participant it holds
// under; where a participant changes its key, that is one of the two.
func count(required []quorum, signature Signature, data []byte) *Refusal {
	known, holds := false, false
	for i := range required {
		q := &required[i]
		text, ok := q.keys[signature.Participant]
		if !ok {
			continue
		}
		known = true
		key, err := jose.ParseGovernanceKey(text)
		if err == nil && jose.VerifyBytes(key, Domain, data, signature.Value) == nil {
			holds = true
			q.have++
		}
	}
	switch {
	case !known:
		return refusal(UnknownSigner, "is signed by %s, who is no signer", signature.Participant)
	case !holds:
		return refusal(BadSignature, "has a signature of %s that does not hold", signature.Participant)
	}
	return nil
}
