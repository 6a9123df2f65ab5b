package evidence

import (
	"encoding/base64"

	"github.com/entente-id/entente/canonical"
)

// Ground is what a credential carries, for this node alone, of the evidence that
// it was issued on: what verifying that evidence again, without its signature,
// needs.
type Ground struct {
	Agreement  string           // random id; empty of an actor's
	Claims     canonical.Object // iss, sub, auth_time and what identity, class, assurance and attributes are read from
	IssuedAt   int64
	KeyID      string
	Thumbprint string
	Peer       string        // issuer identifier of the partner's node that vouched (IDJAG); empty: the subject's issuer did
	SVID       bool          // it was a JWT-SVID
	Origin     *GroundOrigin // of a brokered token
	// Of a principal for whom somebody acts:
	Actor     *Ground
	Links     []string // as they were signed
	Hash      [32]byte // of the principal's token, which the first link commits to
	Audience  string   // of that token
	ExpiresAt int64    // likewise
	// Epoch is the one that the issuer's ledger opened last behind a loss, 0 for none.
	Epoch uint32
}

// GroundOrigin is what a Ground carries of a broker's origin.
type GroundOrigin struct {
	Issuer, Namespace, Subject string
	IssuedAt, ExpiresAt        int64
	KeyID, Thumbprint          string           // empty: the broker's word alone
	Claims                     canonical.Object // that assurance is read from
}

func (o *Ground) kind() Kind {
	if o.SVID {
		return JWTSVID
	}
	return AccessToken
}

// Append appends the ground as JSON.
func (o *Ground) Append(dst []byte) []byte {
	return canonical.AppendValue(dst, o.object())
}

func (o *Ground) object() canonical.Object {
	g := canonical.Object{"claims": o.Claims, "iat": o.IssuedAt, "key": o.Thumbprint, "kid": o.KeyID}
	put := func(name, value string) {
		if value != "" {
			g[name] = value
		}
	}
	put("agreement", o.Agreement)
	put("peer", o.Peer)
	if o.SVID {
		g["svid"] = true
	}
	if o.Epoch != 0 {
		g["epoch"] = int64(o.Epoch)
	}
	if from := o.Origin; from != nil {
		g["origin"] = canonical.Object{
			"claims": from.Claims, "exp": from.ExpiresAt, "iat": from.IssuedAt, "iss": from.Issuer, "key": from.Thumbprint, "kid": from.KeyID,
			"namespace": from.Namespace, "sub": from.Subject,
		}
		if from.Claims == nil {
			delete(g["origin"].(canonical.Object), "claims")
		}
	}
	if o.Actor != nil {
		g["actor"] = o.Actor.object()
		g["aud"], g["exp"], g["hash"] = o.Audience, o.ExpiresAt, base64.RawURLEncoding.EncodeToString(o.Hash[:])
		links := make([]any, len(o.Links))
		for i, link := range o.Links {
			links[i] = link
		}
		g["links"] = links
	}
	return g
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
	return o, o.read(members) && o.Agreement != ""
}

func (o *Ground) read(members canonical.Object) bool {
	o.Agreement, _ = members.Text("agreement")
	o.Claims, _ = members["claims"].(canonical.Object)
	o.IssuedAt, _ = members.Int("iat")
	o.Thumbprint, _ = members.Text("key")
	o.KeyID, _ = members.Text("kid")
	o.Peer, _ = members.Text("peer")
	o.SVID, _ = members["svid"].(bool)
	epoch, _ := members.Int("epoch")
	o.Epoch = uint32(epoch)
	if from, ok := members["origin"].(canonical.Object); ok {
		o.Origin = &GroundOrigin{}
		o.Origin.read(from)
	}
	if actor, ok := members["actor"].(canonical.Object); ok {
		o.Actor = &Ground{}
		if !o.Actor.read(actor) || o.Actor.Actor != nil || !o.readChain(members) {
			return false
		}
	}
	return o.IssuedAt > 0 && o.Thumbprint != "" && o.KeyID != ""
}

func (o *GroundOrigin) read(members canonical.Object) {
	o.Issuer, _ = members.Text("iss")
	o.Namespace, _ = members.Text("namespace")
	o.Subject, _ = members.Text("sub")
	o.IssuedAt, _ = members.Int("iat")
	o.ExpiresAt, _ = members.Int("exp")
	o.KeyID, _ = members.Text("kid")
	o.Thumbprint, _ = members.Text("key")
	o.Claims, _ = members["claims"].(canonical.Object)
}

func (o *Ground) readChain(members canonical.Object) bool {
	o.Audience, _ = members.Text("aud")
	o.ExpiresAt, _ = members.Int("exp")
	hash, _ := members.Text("hash")
	sum, err := base64.RawURLEncoding.DecodeString(hash)
	list, ok := members["links"].([]any)
	if err != nil || len(sum) != len(o.Hash) || !ok {
		return false
	}
	copy(o.Hash[:], sum)
	for _, link := range list {
		text, ok := link.(string)
		if !ok {
			return false
		}
		o.Links = append(o.Links, text)
	}
	return true
}
