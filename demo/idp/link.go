package idp

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"time"

	"github.com/ory/fosite/token/jwt"

	"github.com/entente-id/entente/trust"
)

// Link lets somebody act for a subject of a provider, as docs/delegation.md says.
type Link struct {
	Subject            string // of this provider, who delegates
	ActorIssuer, Actor string // who may act
	Before             string // the principal's token, or the link before
	Audience           string
	Type, ID           string // of the resource; an empty ID is any
	Actions            []string
	Depth              int // how many links may follow
	Expires            time.Time
	Claims             map[string]any // of the provider's own
}

// SignLink signs whatever it is asked: whether a chain holds is for others to
// find out. It fails with Internal.
func (p *Provider) SignLink(l Link) (string, error) {
	before := crypto.SHA256.New()
	before.Write([]byte(l.Before))
	detail := map[string]any{"type": l.Type, "actions": l.Actions}
	if l.ID != "" {
		detail["identifier"] = l.ID
	}
	claims := jwt.MapClaims{
		"iss": p.issuer, "sub": l.Subject, "may_act": map[string]any{"iss": l.ActorIssuer, "sub": l.Actor},
		"parent": base64.RawURLEncoding.EncodeToString(before.Sum(nil)), "authorization_details": []any{detail},
		"aud": l.Audience, "depth": l.Depth, "iat": time.Now().Unix(), "exp": l.Expires.Unix(), "jti": rand.Text(),
	}
	maps.Copy(claims, l.Claims)
	link, _, err := p.keys.Generate(context.Background(), claims, &jwt.Headers{Extra: map[string]any{"typ": "entente-delegation+jwt"}})
	if err != nil {
		return "", trust.Errorf(trust.Internal, "signing a link of delegation: %w", err)
	}
	return link, nil
}
