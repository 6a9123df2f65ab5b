package delegation

import (
	"maps"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// claims is a link as it is written.
type claims struct {
	Issuer   trust.IssuerID `json:"iss"`
	Subject  string         `json:"sub"`
	MayAct   mayAct         `json:"may_act"`
	Parent   string         `json:"parent"`
	Scope    Scope          `json:"authorization_details"`
	Audience string         `json:"aud"`
	Depth    int            `json:"depth"`
	IssuedAt int64          `json:"iat"`
	Expires  int64          `json:"exp"`
	ID       string         `json:"jti"`
}

type mayAct struct {
	Issuer       trust.IssuerID `json:"iss"`
	Subject      string         `json:"sub"`
	Confirmation *confirmation  `json:"cnf,omitempty"`
}

type confirmation struct {
	Thumbprint string `json:"jkt"`
}

// Sign writes a link with the key of the delegator's issuer. More are that
// issuer's own claims; none may stand for one of the link's. What Read would not
// take is not signed. It fails with Invalid.
func Sign(s jose.Signer, l Link, more map[string]any) (string, error) {
	c := claims{
		Issuer: l.From.Issuer, Subject: l.From.Subject, MayAct: mayAct{Issuer: l.To.Issuer, Subject: l.To.Subject},
		Parent: strict.EncodeToString(l.Parent[:]), Scope: l.Scope, Audience: l.Audience, Depth: l.Depth,
		IssuedAt: l.IssuedAt, Expires: l.ExpiresAt, ID: l.ID,
	}
	if l.Key != "" {
		c.MayAct.Confirmation = &confirmation{l.Key}
	}
	text, err := canonical.Marshal(c)
	if err != nil {
		return "", err
	}
	all, err := canonical.ParseObject(text)
	if err != nil {
		return "", err
	}
	for name := range more {
		if _, taken := all[name]; taken {
			return "", trust.Errorf(trust.Invalid, "claim %q is the link's own; it is not stated twice", name)
		}
	}
	maps.Copy(all, more)
	if _, err := Read(all); err != nil {
		return "", err
	}
	return jose.Sign(s, Type, all)
}

// Allows reports why l could not stand behind the principal's token, nil when it
// could: the rules of Verify but for signatures, the time of day and who else
// stands in the chain.
func (r Root) Allows(l Link) *Fault {
	if f := r.end().allows(&l); f != nil {
		return f
	}
	return r.names(&l)
}

// Allows reports why l could not stand behind parent, whose hash is given.
func (parent Link) Allows(hash [32]byte, l Link) *Fault {
	e := parent.end(hash, nil)
	return e.allows(&l)
}

func (e *end) allows(l *Link) *Fault {
	if f := e.joined(l, e.key); f != nil {
		return f
	}
	if f := e.narrows(l); f != nil {
		return f
	}
	if l.To == l.From {
		return cycle()
	}
	return nil
}
