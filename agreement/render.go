package agreement

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"regexp"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

var identifier = regexp.MustCompile(`^[0-9a-f]{32}$`)

// Render gives the bytes that both parties sign and their hex SHA-256. Only the
// proposer calls it, once; everybody else passes the bytes on. It fails with
// Invalid.
func Render(r Revision) (data []byte, hash string, err error) {
	if data, err = canonical.Marshal(r); err != nil {
		return nil, "", err
	}
	return data, hashOf(data), nil
}

// Parse reads a revision strictly: data must be exactly what Render would give
// for it, so that nobody can sign a member that others do not see. It fails with
// Invalid. It does not judge the document.
func Parse(data []byte) (Revision, error) {
	var r Revision
	if err := canonical.Decode(data, &r); err != nil {
		return Revision{}, trust.Errorf(trust.Invalid, "agreement revision: %w", err)
	}
	again, err := canonical.Marshal(r)
	switch {
	case err != nil:
		return Revision{}, err
	case !bytes.Equal(again, data):
		return Revision{}, trust.Errorf(trust.Invalid, "agreement revision is not in canonical form (RFC 8785)")
	case !identifier.MatchString(r.ID):
		return Revision{}, trust.Errorf(trust.Invalid, "agreement id %q is not 32 hexadecimal digits", r.ID)
	}
	return r, nil
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
