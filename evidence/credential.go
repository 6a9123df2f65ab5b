package evidence

import (
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Home is a Registry that issues credentials of its own. Verify takes them like
// any other access token, and gives the evidence that they were issued on,
// narrowed to what was granted.
type Home interface {
	Registry
	// Issues reports whether iss is this node's own issuer identifier.
	Issues(iss string) bool
	// TokenKey gives the key of this node's own credentials with this kid, valid
	// at now.
	TokenKey(kid string, now int64) (jose.Key, bool)
	// OpenGround gives what the credential id carries for this node alone.
	OpenGround(id string, sealed []byte) ([]byte, error)
}

// GroundClaim is the claim that carries, encrypted to the node itself, what one
// of its own credentials was issued on. DetailsClaim says what it is good for
// (RFC 9396, section 9.1).
const (
	GroundClaim  = "entente_ground"
	DetailsClaim = "authorization_details"
)

// Grant is what one of our own credentials adds to the evidence that it was
// issued on: it counts for this access and under this agreement alone. A
// partner's grant (IDJAG) says for which access, at which service of ours.
type Grant struct {
	ID        string   `json:"id"`                  // its jti
	Agreement string   `json:"agreement,omitempty"` // the agreement's random id
	Target    string   `json:"target,omitempty"`    // the audience of the service; empty: as the token's own audience says
	Access    []Access `json:"access"`
}

// Covers reports whether an action for a purpose on a resource was granted; an
// empty id is every resource of the type. Empty words match nothing.
func (g *Grant) Covers(action trust.Action, t trust.ResourceType, id string, purpose trust.Purpose) bool {
	return slices.ContainsFunc(g.Access, func(a Access) bool {
		return t != "" && a.Type == t && purpose != "" && a.Purpose == purpose && action != "" && slices.Contains(a.Actions, action) &&
			(len(a.IDs) == 0 || id != "" && slices.Contains(a.IDs, id))
	})
}

// own verifies a credential that this node issued: first itself, then, as of
// now, the evidence that it was issued on.
func (ev *Evidence) own(t *token, rule *rule, home Home, shown *Shown, now int64, cache Signatures) *Fault {
	key, ok := home.TokenKey(t.header.KeyID, now)
	if !ok {
		return fault(trust.UnknownKey, "credential names no key of our own that is valid now")
	}
	keys, err := jose.NewKeySet(key)
	if err != nil {
		return fault(trust.UnknownKey, "credential names no key of our own that is valid now")
	}
	if f := ev.authenticate(t, rule, keys, now, cache); f != nil {
		return f
	}
	if f := ev.readClaims(rule, &participant.Issuer{}, now); f != nil {
		return f
	}
	grant, ground, f := ev.openGround(home)
	if f != nil {
		return f
	}
	if f := ev.restore(grant, ground, home, now); f != nil {
		return f
	}
	return ev.show(shown, now)
}

func (ev *Evidence) openGround(home Home) (*Grant, *Ground, *Fault) {
	id, _ := ev.Claims.Text("jti")
	sealed, _ := ev.Claims.Text(GroundClaim)
	access, ok := ParseAccess(ev.Claims[DetailsClaim])
	ground, known := openGround(home, id, sealed)
	if !ok || !known {
		return nil, nil, fault(trust.ClaimMissing, "credential of our own does not say what it was issued on and for; it is required")
	}
	return &Grant{ID: id, Agreement: ground.Agreement, Access: access}, &ground, nil
}

// restore puts the original evidence in the credential's place. Its issuer must
// still be stated for the same participant, and its key still be registered:
// what would be refused if it came today is refused though it came before.
func (ev *Evidence) restore(g *Grant, o *Ground, home Home, now int64) *Fault {
	first := Evidence{Claims: o.Claims, Kind: ev.Kind}
	speaker, line, f := first.identify(home)
	if f != nil {
		return f
	}
	if line.Broker != nil {
		return fault(trust.NoOrigin, "credential of our own was issued on a token of an issuer that is a broker now; it does not carry whom that one restated")
	}
	keys := speaker.Keys
	if o.Peer != "" {
		var who trust.ParticipantID
		if who, keys, f = peer(home, o.Peer, now); f != nil {
			return f
		}
		if who != first.Participant {
			return fault(trust.ForeignOrigin, "credential of our own was issued on the word of a partner for which the subject's issuer does not speak any more")
		}
		first.Namespace, first.Peer = Pairwise, o.Peer
	}
	key, err := keys.Lookup(o.KeyID)
	if err != nil || key.Thumbprint() != o.Thumbprint {
		return fault(trust.UnknownKey, "key that signed the token this credential was issued on is registered no longer")
	}
	subject, named := o.Claims.Text("sub")
	if !named || subject == "" {
		return fault(trust.ClaimMissing, "credential of our own was issued on a token without a subject")
	}
	first.Subject, first.ClientID, first.Audience = subject, ev.ClientID, ev.Audience
	first.IssuedAt, first.ExpiresAt = o.IssuedAt, ev.ExpiresAt
	first.AuthTime, _ = o.Claims.Int("auth_time")
	first.KeyID, first.Algorithm, first.Thumbprint = key.KeyID(), string(key.Alg()), key.Thumbprint()
	first.Delegated, first.Binding, first.Hash = ev.Delegated, ev.Binding, ev.Hash
	first.Class, first.Assurance = classOf(line.Classes, o.Claims, ""), home.Assurance(o.Claims)
	first.Grant = g
	*ev = first
	return nil
}

// Ground is what a credential carries, for this node alone, of the evidence that
// it was issued on: what verifying that evidence again, without its signature,
// needs.
type Ground struct {
	Agreement  string           // random id
	Claims     canonical.Object // iss, sub, auth_time and what identity, class, assurance and attributes are read from
	IssuedAt   int64
	KeyID      string
	Thumbprint string
	Peer       string // issuer identifier of the partner's node that vouched (IDJAG); empty: the subject's issuer did
}

// Append appends the ground as JSON.
func (o *Ground) Append(dst []byte) []byte {
	dst = append(dst, `{"agreement":`...)
	dst = canonical.AppendString(dst, o.Agreement)
	dst = append(dst, `,"claims":`...)
	dst = canonical.AppendValue(dst, o.Claims)
	dst = append(dst, `,"iat":`...)
	dst = canonical.AppendInt(dst, o.IssuedAt)
	dst = append(dst, `,"key":`...)
	dst = canonical.AppendString(dst, o.Thumbprint)
	dst = append(dst, `,"kid":`...)
	dst = canonical.AppendString(dst, o.KeyID)
	if o.Peer != "" {
		dst = append(dst, `,"peer":`...)
		dst = canonical.AppendString(dst, o.Peer)
	}
	return append(dst, '}')
}

func openGround(home Home, id, encoded string) (o Ground, ok bool) {
	sealed, err := groundText.DecodeString(encoded)
	if err != nil || id == "" {
		return o, false
	}
	plaintext, err := home.OpenGround(id, sealed)
	if err != nil {
		return o, false
	}
	members, err := canonical.ParseObject(plaintext)
	if err != nil {
		return o, false
	}
	o.Agreement, _ = members.Text("agreement")
	o.Claims, _ = members["claims"].(canonical.Object)
	o.IssuedAt, _ = members.Int("iat")
	o.Thumbprint, _ = members.Text("key")
	o.KeyID, _ = members.Text("kid")
	o.Peer, _ = members.Text("peer")
	return o, o.Agreement != "" && o.IssuedAt > 0 && o.Thumbprint != "" && o.KeyID != ""
}

// Carried names the claims that a ground of this issuer carries, beside what an
// agreement releases and a framework reads: those that say who speaks for whom.
func Carried(line *participant.Issuer) []string {
	names := []string{"iss", "sub", "auth_time"}
	if line.Discriminator != nil {
		names = append(names, line.Discriminator.Claim)
	}
	for claim := range line.Namespaces {
		names = append(names, claim)
	}
	for i := range line.Classes {
		if line.Classes[i].Claim != "" {
			names = append(names, line.Classes[i].Claim)
		}
		for claim := range line.Classes[i].When {
			names = append(names, claim)
		}
	}
	return names
}
