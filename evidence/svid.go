package evidence

import (
	"crypto/sha256"
	"maps"
	"strings"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/trust"
)

// SVIDKinds lists the proofs that a SPIFFE trust domain vouches for. No standard
// registers token types for them.
func SVIDKinds() []Kind { return []Kind{JWTSVID, X509SVID} }

func (k Kind) svid() bool { return k == JWTSVID || k == X509SVID }

// svidForm lets a JWT-SVID in: its algorithms are those of its standard (SPIFFE
// JWT-SVID, section 2.1), and an access token's typ is refused after its trust
// domain is known.
var svidForm = jose.Form{Types: []string{"", "jwt", "jose", "at+jwt"}, Use: jose.ForSVID}

// speaker gives what the token's issuer is registered by: iss, or of a SPIFFE ID
// in sub the trust domain. A JWT-SVID may have an iss; it says nothing.
func (ev *Evidence) speaker() (string, *Fault) {
	if !ev.Kind.svid() {
		iss, ok := ev.Claims.Text("iss")
		if !ok || iss == "" {
			return "", fault(trust.EvidenceMalformed, "token has no iss; nobody can be asked who speaks")
		}
		return iss, nil
	}
	sub, _ := ev.Claims.Text("sub")
	id, err := spiffe.ParseID(sub)
	if err != nil || id.Path() == "" {
		return "", fault(trust.EvidenceMalformed, "SVID has no SPIFFE ID with a path; nobody can be asked who speaks")
	}
	return id.TrustDomain().String(), nil
}

// keys gives the keys that the issuer signs with: published at its registered
// address, or in its trust domain's own bundle (R44).
func (ev *Evidence) keys(s *participant.Speaker) (jose.KeySet, *Fault) {
	switch {
	case !ev.Kind.svid():
		return s.Keys, nil
	case s.Bundle == nil || s.Bundle.Empty():
		return jose.KeySet{}, fault(trust.UntrustedDomain, "bundle of "+s.Issuer.String()+" was not seen yet, or says that nothing of it is to be trusted")
	default:
		return s.Bundle.Keys(), nil
	}
}

// named gives claims in which iss is the trust domain, verified like any issuer,
// whatever the SVID says itself: rules read it there.
func (ev *Evidence) named() canonical.Object {
	claims := maps.Clone(ev.Claims)
	claims["iss"] = ev.Issuer.String()
	return claims
}

// path gives the path of an SVID's SPIFFE ID, "" of everything else.
func (ev *Evidence) path() string {
	if !ev.Issuer.TrustDomain() {
		return ""
	}
	return strings.TrimPrefix(ev.Subject, ev.Issuer.String())
}

// certificate verifies an X509-SVID: the chain of which the enforcement point
// verified the handshake. The chain itself is public, so it is bound to its leaf:
// it counts only beside what shows that the caller holds that. It is for nobody
// in particular; whoever ended the handshake is who it was shown to.
func (ev *Evidence) certificate(p *Proof, r Registry, now int64) *Fault {
	chain, err := spiffe.ParseChain(p.Token)
	if err != nil {
		return certificateFault(err)
	}
	ev.Claims = canonical.Object{"iss": chain.ID().TrustDomain().String(), "sub": chain.ID().String()}
	speaker, line, f := ev.identify(r)
	if f != nil {
		return f
	}
	if _, f := ev.keys(&speaker); f != nil {
		return f
	}
	svid, err := speaker.Bundle.Verify(chain, spiffe.Client, now)
	if err != nil {
		return certificateFault(err)
	}
	leaf := chain.Fingerprint()
	ev.Subject, ev.IssuedAt, ev.ExpiresAt, ev.Ends = svid.ID.String(), svid.NotBefore, svid.NotAfter, svid.Ends
	ev.Thumbprint, ev.KeyID, ev.Keys, ev.Algorithm = svid.Authority, svid.Authority, svid.Keys, svid.Algorithm
	ev.Hash, ev.Binding.Certificate = sha256.Sum256(p.Token), encodeHash(leaf[:])
	if f := ev.show(p.Shown, now); f != nil {
		return f
	}
	ev.Class = classOf(line.Classes, ev.Claims, ev.path())
	ev.Assurance = r.Assurance(ev.Claims)
	return nil
}

// certificateFault puts a refusal of a chain into our words.
func certificateFault(err error) *Fault {
	f := spiffe.FaultOf(err)
	text := strings.TrimSuffix(err.Error(), ": "+string(f))
	switch f {
	case spiffe.Certificate:
		return fault(trust.CertificateUnfit, text)
	case spiffe.Untrusted:
		return fault(trust.UntrustedDomain, text)
	case spiffe.NoPath, spiffe.Foreign:
		return fault(trust.UnknownAuthority, text)
	case spiffe.Expired:
		return fault(trust.TokenExpired, text)
	case spiffe.NotYetValid:
		return fault(trust.TokenNotYetValid, text)
	default:
		return fault(trust.EvidenceMalformed, text)
	}
}
