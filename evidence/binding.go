package evidence

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// Binding is whose a token is beside its subject's: the holder's of the key or
// the certificate that its cnf claim names (RFC 7800). The zero value is a
// bearer's.
type Binding struct {
	Key         string // cnf.jkt, the RFC 7638 thumbprint of a key (RFC 9449, section 6.1)
	Certificate string // cnf["x5t#S256"], the SHA-256 of a certificate (RFC 8705, section 3.1)
	Other       bool   // cnf names something else, or nothing that can be read
	Shown       bool   // all that cnf names was shown with the token
	Holder      string // the thumbprint of the key that was shown where a credential is asked for, to bind it to; empty: none

	Nonce string      // in the DPoP proof that was shown; whether it is one of ours the node says
	Once  *trust.Once // what that proof uses up, whatever is decided; nil without one
}

// Bound reports whether the token counts only together with something else.
func (b *Binding) Bound() bool { return b.Key != "" || b.Certificate != "" || b.Other }

// readBinding takes the cnf claim. One that says more than can be checked here
// binds to something that nobody can show.
func readBinding(claims canonical.Object) (b Binding) {
	value, present := claims["cnf"]
	if !present {
		return b
	}
	cnf, ok := value.(canonical.Object)
	if !ok || len(cnf) == 0 {
		return Binding{Other: true}
	}
	for name, member := range cnf {
		hash, ok := member.(string)
		switch {
		case !ok || !isHash(hash):
			return Binding{Other: true}
		case name == "jkt":
			b.Key = hash
		case name == "x5t#S256":
			b.Certificate = hash
		default:
			return Binding{Other: true}
		}
	}
	return b
}

// isHash reports whether s is a SHA-256 in strict base64url.
func isHash(s string) bool {
	var sum [sha256.Size]byte
	if len(s) != base64.RawURLEncoding.EncodedLen(len(sum)) {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().Decode(sum[:], []byte(s))
	return err == nil
}

// show checks what was shown against what the token is bound to. Nothing shown,
// or half of it, is no fault: whether a token may do without, the decision says.
// A certificate beside a bearer's token shows nothing: TLS has more uses than
// this.
func (ev *Evidence) show(s *Shown, now int64) *Fault {
	b := &ev.Binding
	switch {
	case s == nil || b.Other:
		return nil
	case s.ForToken:
		return ev.ask(s, now)
	case b.Key == "" && len(s.DPoP) > 0:
		return fault(trust.ProofUnbound, "token is not bound to a key (cnf jkt); a DPoP proof beside it shows nothing")
	case !b.Bound(), b.Key != "" && len(s.DPoP) == 0, b.Certificate != "" && len(s.Certificate) == 0:
		return nil
	case b.Certificate != "" && hashText(s.Certificate) != b.Certificate:
		return fault(trust.ProofKey, "client's certificate is another than the token is bound to (cnf x5t#S256)")
	case b.Key != "":
		p, f := prove(s, b.Key, now)
		if f != nil {
			return f
		}
		if !p.of(ev.Hash) {
			return fault(trust.ProofToken, "DPoP proof is for another token (ath)")
		}
		once := p.Once(ev.Participant)
		b.Nonce, b.Once = p.Nonce, &once
	}
	b.Shown = true
	return nil
}

// ask checks a proof of possession where a credential is asked for: it is for
// that request, and for no token (RFC 9449, section 5). What the token is bound
// to was shown, if the same key made the proof; what is issued will be bound to it.
func (ev *Evidence) ask(s *Shown, now int64) *Fault {
	b := &ev.Binding
	if len(s.DPoP) == 0 {
		return nil
	}
	p, f := prove(s, b.Key, now)
	if f != nil {
		return f
	}
	if p.ath != "" {
		return fault(trust.ProofToken, "DPoP proof is for a token (ath); where one is asked for it is for none")
	}
	once := p.Once(ev.Participant)
	b.Nonce, b.Once, b.Holder = p.Nonce, &once, p.Key
	b.Shown = b.Key != "" && b.Certificate == ""
	return nil
}

func hashText(data []byte) string {
	sum := sha256.Sum256(data)
	return encodeHash(sum[:])
}

func encodeHash(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum) }
