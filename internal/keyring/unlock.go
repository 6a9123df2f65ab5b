package keyring

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"github.com/entente-id/entente/trust"
)

// CreateUnlock writes a new age identity to a file of mode 0600 and gives the
// recipient to Create a keyring for. It fails with Conflict when the file
// exists.
func CreateUnlock(path string) (age.Recipient, error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "making an unlock identity: %w", err)
	}
	content := "# This identity unlocks a node's keys. Whoever reads it can speak for the node.\n" + identity.String() + "\n"
	if err := writeSecret(path, []byte(content)); err != nil {
		return nil, err
	}
	return identity.Recipient(), nil
}

// readUnlock reads the identity. The mode is that of the file actually opened.
func readUnlock(path string) (age.Identity, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, trust.Errorf(trust.NotFound, "there is no unlock file %s", path)
	}
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "opening unlock file %s: %w", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "reading unlock file %s: %w", path, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, trust.Errorf(trust.Denied, "unlock file %s has mode %04o; only its owner may have access (chmod 600)", path, mode)
	}
	content, err := io.ReadAll(io.LimitReader(f, 1<<16))
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "reading unlock file %s: %w", path, err)
	}
	identity, ok := parseUnlock(string(content))
	if !ok {
		return nil, trust.Errorf(trust.Invalid, "unlock file %s does not hold one age X25519 identity", path) // no cause: it would quote the secret
	}
	return identity, nil
}

func parseUnlock(content string) (age.Identity, bool) {
	var found []age.Identity
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		identity, err := age.ParseX25519Identity(line)
		if err != nil {
			return nil, false
		}
		found = append(found, identity)
	}
	if len(found) != 1 {
		return nil, false
	}
	return found[0], true
}

// syncFolder makes a new file's name durable.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
