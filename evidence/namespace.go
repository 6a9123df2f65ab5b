package evidence

import (
	"slices"
	"strings"

	"github.com/entente-id/entente/participant"
)

// addresses are the claims in which an issuer names people by an address: OpenID
// Connect Core 1.0, section 5.1, and what directories send beside it.
var addresses = []string{"email", "preferred_username", "unique_name", "upn"}

// scopes are the claims that hold words with a space between them (RFC 8693,
// section 4.2), each of which is asserted.
var scopes = []string{"scope", "scp"}

// foreignTo gives the first claim by name in which a token speaks of what its issuer is
// not registered for (R50): one that the issuer is confined in and that is not
// there, or says anything else than it may; or an address outside the issuer's
// domains.
func foreignTo(line *participant.Issuer, claims map[string]any) (claim string, foreign bool) {
	for name, allowed := range line.Namespaces {
		if !within(name, claims[name], func(text string) bool { return participant.HoldsAny(allowed, text) }) && (!foreign || name < claim) {
			claim, foreign = name, true
		}
	}
	if foreign || len(line.Domains) == 0 {
		return claim, foreign
	}
	for _, claim := range addresses {
		value, there := claims[claim]
		if !there {
			continue
		}
		bare := claim == "preferred_username" // may be a name that is no address
		ours := func(text string) bool { return bare && !strings.Contains(text, "@") || line.InDomains(text) }
		if !within(claim, value, ours) {
			return claim, true
		}
	}
	return "", false
}

// within reports whether a claim asserts something, and all of it is allowed:
// one text or a list of texts, and of a scope every word.
func within(claim string, value any, allowed func(string) bool) bool {
	switch v := value.(type) {
	case string:
		if !slices.Contains(scopes, claim) {
			return v != "" && allowed(v)
		}
		for word := range strings.SplitSeq(v, " ") {
			if word == "" || !allowed(word) {
				return false
			}
		}
		return true
	case []any:
		foreign := func(e any) bool { text, ok := e.(string); return !ok || !within(claim, text, allowed) }
		return len(v) > 0 && !slices.ContainsFunc(v, foreign)
	default:
		return false
	}
}
