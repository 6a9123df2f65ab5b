package evidence

import (
	"encoding/base64"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

const (
	// ProofAge is for how many seconds from its iat on a DPoP proof counts. It
	// lies at most Leeway in our future.
	ProofAge = 60

	maxProof = 8 << 10 // bytes; a key of 8192 bits and its signature fit
	maxText  = 512     // bytes of a jti, and of a nonce
)

// proofForm is check 4 of RFC 9449, section 4.3.
var proofForm = jose.Form{Types: []string{"dpop+jwt"}, Use: jose.ForProof, MaxBytes: maxProof}

// Possession is what a DPoP proof shows: that whoever made it holds a key, made
// it now and for this request.
type Possession struct {
	Key   string // the RFC 7638 thumbprint
	Nonce string // as the proof repeats it; whether it is one of ours the node says

	jti, ath string
	expires  int64
}

// Prove checks a DPoP proof by itself, by RFC 9449, section 4.3, at now (Unix
// seconds). What is left to the caller: that the request had one DPoP field (1),
// the nonce (10), the token that it is for (12), and that Once is used once.
func Prove(s *Shown, now int64) (Possession, *Fault) { return prove(s, "", now) }

// prove is Prove by a known key, unless that is empty: no other is even tried.
func prove(s *Shown, key string, now int64) (p Possession, f *Fault) {
	proof, err := jose.ParseSelfSigned(s.DPoP, proofForm) // 2, 4, 5, 7
	if err != nil {
		return p, refusedProof(err)
	}
	p.Key = proof.Key().Thumbprint()
	if key != "" && p.Key != key { // 12b
		return p, fault(trust.ProofKey, "DPoP proof is by another key than the token is bound to (cnf jkt)")
	}
	if now >= proof.Key().Ends() { // 5
		return p, fault(trust.ProofBroken, "DPoP proof is by a key of a kind that is accepted no longer")
	}
	claims, err := proof.Verify() // 6
	if err != nil {
		return p, refusedProof(err)
	}
	return p, p.read(claims, s, now)
}

// read checks the claims (3) against the request and the time.
func (p *Possession) read(claims canonical.Object, s *Shown, now int64) *Fault {
	var ok bool
	if p.jti, ok = claims.Text("jti"); !ok || p.jti == "" || len(p.jti) > maxText {
		return fault(trust.ProofBroken, "DPoP proof has no jti of at most 512 bytes; it is required")
	}
	if value, present := claims["nonce"]; present {
		if p.Nonce, ok = value.(string); !ok || p.Nonce == "" || len(p.Nonce) > maxText {
			return fault(trust.ProofBroken, "DPoP proof has a nonce that is not a text of at most 512 bytes")
		}
	}
	p.ath, _ = claims.Text("ath")
	method, ok := claims.Text("htm")
	if !ok || method == "" || method != s.Method { // 8; methods are compared with their case (RFC 9110, section 9.1)
		return fault(trust.ProofRequest, "DPoP proof is for another method (htm) than the request has")
	}
	if url, _ := claims.Text("htu"); !sameURL(url, s.URL) { // 9
		return fault(trust.ProofRequest, "DPoP proof is for another URL (htu) than the request has")
	}
	issued, ok := claims["iat"].(int64)
	switch { // 11
	case !ok || issued <= 0 || issued > maxTime:
		return fault(trust.ProofBroken, "DPoP proof has no iat in whole seconds; it is required")
	case now >= issued+ProofAge:
		return fault(trust.ProofTime, "DPoP proof is a minute old or older; one is made for each request")
	case issued > now+Leeway:
		return fault(trust.ProofTime, "DPoP proof was made more than 30 s in our future")
	}
	p.expires = issued + ProofAge
	return nil
}

// Once is the value that every acceptance of the proof burns, counted against an
// edge. It is the key's: nobody uses up another's.
func (p *Possession) Once(edge trust.ParticipantID) trust.Once {
	return trust.Once{Key: table.KeyOf("dpop", p.Key, p.jti), Expires: p.expires, Edge: edge}
}

// of reports whether the proof is for the token with this hash (12a).
func (p *Possession) of(token [32]byte) bool {
	return p.ath == base64.RawURLEncoding.EncodeToString(token[:])
}

func refusedProof(err error) *Fault {
	switch jose.FaultOf(err) {
	case jose.Typ:
		return fault(trust.ProofBroken, "DPoP proof has another typ than dpop+jwt")
	case jose.AlgUnknown, jose.AlgMismatch:
		return fault(trust.ProofBroken, "DPoP proof has an algorithm that is not known here, or not its key's")
	case jose.KeyUnfit:
		return fault(trust.ProofBroken, "DPoP proof brings no public key (jwk) that is fit to sign it")
	case jose.Signature:
		return fault(trust.ProofBroken, "signature of the DPoP proof does not hold under the key it brings")
	case jose.HeaderMember, jose.HeaderCrit, jose.HeaderB64, jose.HeaderJKU, jose.HeaderJWK,
		jose.HeaderX5U, jose.HeaderX5C, jose.HeaderZip, jose.HeaderEnc:
		return fault(trust.ProofBroken, "DPoP proof has a header with more than alg, jwk and typ")
	case jose.KidMissing, jose.KidUnknown, jose.TooLarge, jose.Malformed, jose.Encrypted, jose.Base64, jose.HeaderJSON, jose.PayloadJSON:
		return fault(trust.ProofBroken, "DPoP proof is not three parts of strict base64url with strict JSON in them, in 8 KiB")
	default:
		return fault(trust.ProofBroken, "DPoP proof cannot be read")
	}
}
