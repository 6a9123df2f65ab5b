package delegation

import (
	"encoding/base64"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// maxTime is the end of the year 9999 in Unix seconds.
const maxTime = 253402300799

var strict = base64.RawURLEncoding.Strict()

// Read takes a link out of its claims. Absent is not allowed: every claim is
// required, in its type. It fails with Invalid and names the claim.
func Read(claims canonical.Object) (Link, error) {
	r := reader{claims: claims}
	l := Link{
		From:     Party{r.issuer(claims, "iss"), r.text(claims, "sub")},
		Audience: r.text(claims, "aud"), ID: r.text(claims, "jti"), Parent: r.hash("parent"),
		IssuedAt: r.date("iat"), ExpiresAt: r.date("exp"),
	}
	l.To, l.Key = r.mayAct()
	depth, ok := claims.Int("depth")
	if !ok || depth < 0 || depth >= MaxLinks {
		r.miss("depth")
	}
	l.Depth = int(depth)
	if l.Scope, ok = readScope(claims["authorization_details"]); !ok {
		r.miss("authorization_details")
	}
	if l.ExpiresAt <= l.IssuedAt {
		r.miss("exp")
	}
	for _, name := range []string{"act", "cnf", "nbf"} {
		if _, present := claims[name]; present {
			r.miss(name)
		}
	}
	if r.bad != "" {
		return Link{}, trust.Errorf(trust.Invalid, "claim %s is missing or not what a link of delegation has there", r.bad)
	}
	return l, nil
}

// PartyOf reads a party of a token: sub, and iss where that is not the token's own
// issuer (RFC 8693, sections 4.1 and 4.4). It is false where no one is named whole.
func PartyOf(o canonical.Object, own trust.IssuerID) (Party, bool) {
	sub, _ := o.Text("sub")
	p := Party{Issuer: own, Subject: sub}
	if value, there := o["iss"]; there {
		text, _ := value.(string)
		id, err := trust.ParseIssuerID(text)
		if err != nil {
			return Party{}, false
		}
		p.Issuer = id
	}
	return p, sub != ""
}

// MayAct gives the one whom a token of an issuer lets act; zero where it names
// nobody whole.
func MayAct(claims canonical.Object, own trust.IssuerID) Party {
	o, _ := claims["may_act"].(canonical.Object)
	p, ok := PartyOf(o, own)
	if !ok {
		return Party{}
	}
	return p
}

// ReadRoot takes what a first link is held to out of a principal's token, which
// it does not judge. It fails with Invalid and names the claim.
func ReadRoot(claims canonical.Object, hash [32]byte) (Root, error) {
	r := reader{claims: claims}
	root := Root{Principal: Party{r.issuer(claims, "iss"), r.text(claims, "sub")}, Hash: hash, ExpiresAt: r.date("exp")}
	if list, _ := claims["aud"].([]any); len(list) == 1 {
		root.Audience, _ = list[0].(string)
	}
	if root.Audience == "" {
		root.Audience = r.text(claims, "aud")
	}
	if _, there := claims["may_act"]; there {
		if root.MayAct = MayAct(claims, root.Principal.Issuer); root.MayAct.IsZero() {
			r.miss("may_act")
		}
	}
	if _, there := claims["act"]; there {
		r.miss("act")
	}
	if r.bad != "" {
		return Root{}, trust.Errorf(trust.Invalid, "claim %s is missing or not what a principal's token has there", r.bad)
	}
	return root, nil
}

// reader notes the first claim that is not as it must be.
type reader struct {
	claims canonical.Object
	bad    string
}

func (r *reader) miss(name string) {
	if r.bad == "" {
		r.bad = name
	}
}

func (r *reader) text(o canonical.Object, name string) string {
	v, ok := o.Text(name)
	if !ok || v == "" {
		r.miss(name)
	}
	return v
}

func (r *reader) issuer(o canonical.Object, name string) trust.IssuerID {
	id, err := trust.ParseIssuerID(r.text(o, name))
	if err != nil {
		r.miss(name)
	}
	return id
}

func (r *reader) date(name string) int64 {
	t, ok := r.claims.Int(name)
	if !ok || t <= 0 || t > maxTime {
		r.miss(name)
	}
	return t
}

func (r *reader) hash(name string) [32]byte {
	v, _ := r.claims.Text(name)
	sum, ok := hashOf(v)
	if !ok {
		r.miss(name)
	}
	return sum
}

// hashOf reads a SHA-256 in base64url. The decoder alone would leave line feeds
// out.
func hashOf(text string) (sum [32]byte, ok bool) {
	if len(text) != strict.EncodedLen(len(sum)) {
		return sum, false
	}
	n, err := strict.Decode(sum[:], []byte(text))
	return sum, err == nil && n == len(sum)
}

// mayAct reads who may act: an issuer and its subject, and perhaps the
// thumbprint of a key. Nothing else stands there.
func (r *reader) mayAct() (Party, string) {
	o, _ := r.claims["may_act"].(canonical.Object)
	to := Party{r.issuer(o, "iss"), r.text(o, "sub")}
	cnf, bound := o["cnf"]
	if !bound {
		if len(o) != 2 {
			r.miss("may_act")
		}
		return to, ""
	}
	key, _ := cnf.(canonical.Object)
	thumbprint, _ := key.Text("jkt")
	if _, ok := hashOf(thumbprint); !ok || len(key) != 1 || len(o) != 3 {
		r.miss("may_act")
	}
	return to, thumbprint
}
