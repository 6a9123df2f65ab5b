package evidence

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// Kinds of shared secrets, which anybody who has seen one can show. They count
// under an exception alone (R21).
const (
	APIKey Kind = "urn:entente:params:token-type:api_key"
	Basic  Kind = "urn:entente:params:token-type:basic" // RFC 7617, section 2: user-id and password, in base64
)

// SecretKinds lists the kinds of shared secrets.
func SecretKinds() []Kind { return []Kind{APIKey, Basic} }

// Secret reports whether a proof of this kind is a shared secret.
func (k Kind) Secret() bool { return k == APIKey || k == Basic }

// maxSecret bounds a shared secret, in bytes.
const maxSecret = 1024

// Secrets is a Registry that knows exceptions for shared secrets.
type Secrets interface {
	Registry
	// Exempt finds the exception that lets a secret in, also one that has ended.
	Exempt(secret string) (Exemption, bool)
}

// Exemption is what an exception says of the secret that it lets in.
type Exemption struct {
	Name           string // the exception's
	Kind           Kind   // of secret
	Participant    trust.ParticipantID
	Issuer         trust.IssuerID // which has the account
	Account        string
	Audience       string // of the one service that it is for; empty: there is none any more
	Since, Expires int64  // Unix seconds
	Ended          bool   // before it expires
}

// secret lets a shared secret in under a live exception: as a service account of
// the participant whose issuer has it, at the lowest rung of every ladder. Nobody
// signed anything, so nothing else is believed.
func (ev *Evidence) secret(p *Proof, r Registry, now int64) *Fault {
	account, secret, ok := readSecret(p)
	known, has := r.(Secrets)
	if !ok || !has {
		return fault(trust.SharedSecret, noException)
	}
	x, ok := known.Exempt(secret)
	if !ok || x.Kind != p.Kind || p.Kind == Basic && account != x.Account {
		return fault(trust.SharedSecret, noException)
	}
	ev.Exception = x.Name
	if x.Ended || now >= x.Expires || now < x.Since {
		return fault(trust.ExceptionEnded, "exception "+x.Name+", which let this shared secret in, has ended")
	}
	claimant, ok := answersFor(&x, r)
	if !ok {
		return fault(trust.UnknownIssuer, "issuer "+x.Issuer.String()+" of exception "+x.Name+" is no longer stated by its participant")
	}
	ev.Participant, ev.Issuer, ev.Namespace, ev.Subject = x.Participant, x.Issuer, claimant.Issuer.Namespace(), x.Account
	ev.Class, ev.Assurance, ev.Audience = trust.ServiceAccount, framework.Vector{}, x.Audience
	ev.IssuedAt, ev.ExpiresAt, ev.Hash = x.Since, x.Expires, sha256.Sum256(p.Token)
	ev.Claims = canonical.Object{"client_id": x.Account, "iss": x.Issuer.String(), "sub": x.Account}
	return nil
}

const noException = "evidence is a shared secret, which anybody who has seen it can show; no live exception lets it in"

// answersFor finds the exception's participant among those whom the issuer
// speaks for now.
func answersFor(x *Exemption, r Registry) (*participant.Claimant, bool) {
	speaker, _ := r.Speaker(x.Issuer.String())
	i := slices.IndexFunc(speaker.Candidates, func(c participant.Claimant) bool { return c.Participant == x.Participant })
	if i < 0 {
		return nil, false
	}
	return &speaker.Candidates[i], true
}

// readSecret gives the secret, and of basic credentials the account it is for.
func readSecret(p *Proof) (account, secret string, ok bool) {
	if len(p.Token) == 0 || len(p.Token) > maxSecret {
		return "", "", false
	}
	if p.Kind == APIKey {
		return "", string(p.Token), true
	}
	text, err := base64.StdEncoding.Strict().DecodeString(string(p.Token))
	if err != nil || strings.ContainsAny(string(p.Token), "\r\n") {
		return "", "", false
	}
	account, secret, ok = strings.Cut(string(text), ":")
	return account, secret, ok && account != "" && secret != ""
}
