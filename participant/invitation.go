package participant

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// ParseInvitation reads an invitation and the card in it, as ParseCard does. It
// fails with Invalid.
func ParseInvitation(data []byte) (Invitation, Card, error) {
	var inv Invitation
	if len(data) > 2*maxCard {
		return inv, Card{}, trust.Errorf(trust.Invalid, "invitation has %d bytes; the most is %d", len(data), 2*maxCard)
	}
	if err := canonical.Decode(data, &inv); err != nil {
		return Invitation{}, Card{}, trust.Errorf(trust.Invalid, "invitation cannot be read: %w", err)
	}
	card, err := inv.card()
	if err != nil {
		return Invitation{}, Card{}, err
	}
	return inv, card, nil
}

func (i Invitation) card() (Card, error) {
	if i.Framework != "" && !isHash(i.Framework) {
		return Card{}, trust.Errorf(trust.Invalid, "invitation names a framework that is not a hex SHA-256")
	}
	return ParseCard(i.Card)
}

// Fingerprint gives what two people read to each other before they believe an
// invitation: 160 bits over the governance key, the framework's hash and the
// origins of both logs, in groups of four characters. It fails with Invalid for
// an invitation that does not hold.
func Fingerprint(i Invitation) (string, error) {
	card, err := i.card()
	if err != nil {
		return "", err
	}
	return fingerprint(card, i.Framework), nil
}

func fingerprint(c Card, framework string) string {
	var covered []byte
	for _, part := range []string{"entente fingerprint v1", c.GovernanceKey, framework, c.TrustOrigin, c.DecisionOrigin} {
		covered = binary.BigEndian.AppendUint64(covered, uint64(len(part)))
		covered = append(covered, part...)
	}
	sum := sha256.Sum256(covered)
	text := base32.StdEncoding.EncodeToString(sum[:20])
	groups := make([]string, 0, len(text)/4)
	for i := 0; i < len(text); i += 4 {
		groups = append(groups, text[i:i+4])
	}
	return strings.Join(groups, "-")
}

// sameFingerprint compares a fingerprint as a person gives it: case, dashes and
// spaces do not count.
func sameFingerprint(given, computed string) bool {
	bare := strings.NewReplacer("-", "", " ", "")
	return bare.Replace(strings.ToUpper(given)) == bare.Replace(computed)
}
