// Package pkcs11 keeps private keys in a token that speaks PKCS #11: a hardware
// security module, or SoftHSM. A key is made there and never leaves; what comes
// out are signatures and public halves.
//
// It decides how a token is found and opened. It refuses to know what a key is
// for. The module is a library of its vendor and needs cgo, so this is part of a
// program only if it was built with the tag pkcs11; any other one refuses to
// open a token and says why.
package pkcs11

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/entente-id/entente/trust"
)

// Config says which token, and how it is opened.
type Config struct {
	Module  string // the path of the vendor's library
	Label   string // of the token
	PINFile string // a file with the PIN, of the program's user alone
}

// maxPIN bounds a PIN in bytes.
const maxPIN = 256

// readPIN reads a PIN. The mode is that of the file actually opened. No error
// quotes it.
func readPIN(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", trust.Errorf(trust.NotFound, "there is no PIN file %s", path)
	}
	if err != nil {
		return "", trust.Errorf(trust.Unavailable, "opening PIN file %s: %w", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", trust.Errorf(trust.Unavailable, "reading PIN file %s: %w", path, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", trust.Errorf(trust.Denied, "PIN file %s has mode %04o; only its owner may have access (chmod 600)", path, mode)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxPIN+2))
	if err != nil {
		return "", trust.Errorf(trust.Unavailable, "reading PIN file %s: %w", path, err)
	}
	pin := strings.TrimRight(string(content), "\r\n")
	if pin == "" || len(pin) > maxPIN || strings.ContainsAny(pin, "\r\n") {
		return "", trust.Errorf(trust.Invalid, "PIN file %s does not hold one line of 1 to %d bytes", path, maxPIN)
	}
	return pin, nil
}
