//go:build !pkcs11

package pkcs11

import (
	"crypto"

	"github.com/entente-id/entente/trust"
)

// Token is never opened by a program that was built without PKCS #11.
type Token struct{}

// Open fails with Invalid: this program was built without PKCS #11.
func Open(c Config) (*Token, error) {
	if _, err := readPIN(c.PINFile); err != nil {
		return nil, err
	}
	return nil, errWithout
}

var errWithout = trust.Errorf(trust.Invalid, "this program was built without PKCS #11; make build-pkcs11 builds one that has it")

// Make fails as Open does.
func (*Token) Make(string) (crypto.Signer, error) { return nil, errWithout }

// Find fails as Open does.
func (*Token) Find(string) (crypto.Signer, error) { return nil, errWithout }

// Destroy fails as Open does.
func (*Token) Destroy(string) error { return errWithout }

// Close does nothing.
func (*Token) Close() error { return nil }
