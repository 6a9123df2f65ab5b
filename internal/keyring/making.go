package keyring

import (
	"crypto"
	"crypto/rand"
	"slices"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Making says how a keyring makes keys from now on. The zero value makes those of
// the usual algorithms, in the file. What was made before stays as it is.
type Making struct {
	Token   Token                // nil: there is none
	InToken []participant.KeyUse // whose next keys are made in the token
	MLDSA44 []participant.KeyUse // whose next keys are for ML-DSA-44, in the file
}

// Token is where private keys are made and used that never leave it, such as a
// hardware security module. Its keys are on P-256. What it cannot do now fails
// with Unavailable.
type Token interface {
	// Make makes a key under an identifier that no other key has.
	Make(id string) (crypto.Signer, error)
	// Find gives a key. It fails with NotFound when there is none.
	Find(id string) (crypto.Signer, error)
	// Destroy ends a key for good. It fails with NotFound when there is none.
	Destroy(id string) error
	Close() error
}

// newRecord makes a key of a use, where it belongs.
func (m Making) newRecord(use participant.KeyUse, window trust.Window) (privateRecord, error) {
	r := privateRecord{Use: use, Window: window}
	if !slices.Contains(m.InToken, use) {
		var err error
		alg := algorithm(use)
		if slices.Contains(m.MLDSA44, use) {
			alg = jose.MLDSA44
		}
		r.Private, err = newPrivate(alg)
		return r, err
	}
	if m.Token == nil {
		return r, trust.Errorf(trust.Invalid, "%s keys are to be made in a token, and there is none", use)
	}
	id := rand.Text()
	made, err := m.Token.Make(id)
	if err != nil {
		return r, err
	}
	signer, err := jose.NewSigner(made, "")
	if err != nil {
		return r, err
	}
	r.Token, r.Public = id, signer.Key()
	return r, nil
}

// find gives the private half of a record that is in a token, where its public
// half is the one that the file has.
func (m Making) find(r privateRecord) (crypto.Signer, error) {
	if m.Token == nil {
		return nil, trust.Errorf(trust.Invalid, "it is in a token, and the configuration names none")
	}
	private, err := m.Token.Find(r.Token)
	if err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(private, "")
	if err != nil {
		return nil, err
	}
	if !signer.Key().Equal(r.Public) {
		return nil, trust.Errorf(trust.Invalid, "the token has another key under its identifier")
	}
	return private, nil
}

// forget destroys the private half of a record that is in a token.
func (m Making) forget(r privateRecord) error {
	if m.Token == nil || r.Token == "" {
		return nil
	}
	err := m.Token.Destroy(r.Token)
	if trust.KindOf(err) == trust.NotFound {
		return nil // it was destroyed before the file could say so
	}
	return err
}
