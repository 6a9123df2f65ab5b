package node

import (
	"context"
	"encoding/base64"
	"io"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/exception"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// secretPrefix begins a shared secret that an exception lets in, so that a leaked
// one can be found; 32 random bytes in base64url follow.
const secretPrefix = "ent_key_"

// exceptionText is the sealed part of exception.Granted.
type exceptionText struct {
	Reason              string `json:"reason"`
	CompensatingControl string `json:"compensating_control"`
}

// AddException waives a check for a time, and gives the secret that it lets in:
// here and never again. The ledger keeps a keyed hash.
func (n *Node) AddException(ctx context.Context, a Actor, d exception.Document) (secret string, err error) {
	random := make([]byte, credentialBytes)
	if _, err := io.ReadFull(n.Rand, random); err != nil {
		return "", trust.Errorf(trust.Internal, "drawing a secret: %w", err)
	}
	secret = secretPrefix + base64.RawURLEncoding.EncodeToString(random)
	_, err = n.write(ctx, a, func(c *change) error {
		events, err := c.Exception.Grant(c.exceptionFacts(), d, n.secretHash(secret), a.ID, c.now)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{text: exceptionText{d.Reason, d.CompensatingControl}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// EndException ends an exception before its time: on the next request.
func (n *Node) EndException(ctx context.Context, a Actor, name string) error {
	_, err := n.write(ctx, a, func(c *change) error { return c.take(c.Exception.End(name, a.ID)) })
	return err
}

// Exception gives an exception with what an operator wrote about it.
func (n *Node) Exception(ctx context.Context, a Actor, name string) (x exception.Exception, reason, control string, err error) {
	if err := n.read(a); err != nil {
		return x, "", "", err
	}
	x, ok := n.State().Exception.Get(name)
	if !ok {
		return x, "", "", trust.Errorf(trust.NotFound, "exception %s is not known", name)
	}
	record, err := n.trust.Entry(ctx, x.At.N)
	if err != nil {
		return x, "", "", err
	}
	plain, err := n.Keys.Unseal(ctx, trust.SubjectKey{}, record.Sealed)
	if err != nil {
		return x, "", "", err
	}
	var text exceptionText
	err = canonical.Decode(plain, &text)
	return x, text.Reason, text.CompensatingControl, err
}

// exceptionFacts are what an exception rests on besides its own state.
func (c *change) exceptionFacts() exception.Facts {
	f := exception.Facts{
		Answers:    c.answers,
		IsService:  func(name string) bool { _, ok := c.Service.Service(name); return ok },
		IsOperator: func(id string) bool { o, ok := c.Operator.Get(id); return ok && !o.Removed },
	}
	if current := c.Framework.Current; current != nil {
		class, _ := current.Class(trust.ServiceAccount)
		tier, _ := current.Tier(class.Tier)
		f.Limit = int64(tier.MaxException)
	}
	return f
}

// answers reports whether an issuer speaks for a participant, for itself and not
// as a broker.
func (c *change) answers(p trust.ParticipantID, issuer trust.IssuerID) bool {
	speaker, _ := c.Speaker(issuer.String())
	return slices.ContainsFunc(speaker.Candidates, func(s participant.Claimant) bool {
		return s.Participant == p && s.Issuer.Broker == nil
	})
}

func (n *Node) secretHash(secret string) [16]byte { return n.Keys.Commit("shared secret", secret) }

// Exempt finds the exception that lets a shared secret in.
func (r registry) Exempt(secret string) (evidence.Exemption, bool) {
	x, ok := r.Exception.BySecret(r.n.secretHash(secret))
	if !ok {
		return evidence.Exemption{}, false
	}
	service, _ := r.Service.Service(x.Service)
	return evidence.Exemption{
		Name: x.Name, Kind: secretKinds[x.Secret], Participant: x.Participant, Issuer: x.Issuer, Account: x.Account,
		Audience: service.Audience, Since: x.Since, Expires: x.Expires, Ended: x.EndedAt != 0,
	}, x.Waives == exception.SharedSecret
}

var secretKinds = map[exception.Secret]evidence.Kind{exception.APIKey: evidence.APIKey, exception.Basic: evidence.Basic}
