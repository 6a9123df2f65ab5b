package keyring

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"io"
	"os"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// scryptWork is the cost of one guess at a passphrase: N=2^17 with r=8, 128 MiB
// and half a second, what OWASP asks for.
const scryptWork = 17

// CreateGovernance makes the key that certifies all others of a participant and
// writes it to path, armoured and encrypted under a passphrase (age, scrypt). It
// is meant to be moved off the machine; no running node reads it. It fails with
// Invalid for an empty passphrase and with Conflict when the file exists.
func CreateGovernance(path, passphrase string) (jose.Signer, error) {
	if _, err := os.Lstat(path); err == nil { // before half a second is spent
		return nil, exists(path)
	}
	private, err := newPrivate(jose.EdDSA)
	if err != nil {
		return nil, err
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "a governance key needs a passphrase")
	}
	recipient.SetWorkFactor(scryptWork)
	sealed, err := encrypt(private, recipient)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	w := armor.NewWriter(&text)
	if _, err := w.Write(sealed); err != nil {
		return nil, trust.Errorf(trust.Internal, "writing a governance key: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, trust.Errorf(trust.Internal, "writing a governance key: %w", err)
	}
	if err := writeSecret(path, text.Bytes()); err != nil {
		return nil, err
	}
	return governanceSigner(path, private)
}

// OpenGovernance reads a governance key. It fails with NotFound for a missing
// file, with Denied for another passphrase and with Invalid for a file that is
// no governance key.
func OpenGovernance(path, passphrase string) (jose.Signer, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, trust.Errorf(trust.Denied, "governance key %s needs its passphrase", path)
	}
	sealed, err := io.ReadAll(armor.NewReader(bytes.NewReader(text)))
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "governance key %s is no armoured age file", path) // no cause: it would quote the file
	}
	private, err := decrypt(sealed, identity)
	if err != nil {
		return nil, trust.Errorf(trust.Denied, "governance key %s does not open with this passphrase", path)
	}
	return governanceSigner(path, private)
}

func governanceSigner(path string, private []byte) (jose.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(private)
	if err == nil {
		if own, ok := key.(crypto.Signer); ok {
			signer, err := jose.NewSigner(own, "")
			if err == nil && signer.Key().Alg() == jose.EdDSA {
				return signer, nil
			}
		}
	}
	return nil, trust.Errorf(trust.Invalid, "file %s does not hold a governance key", path)
}
