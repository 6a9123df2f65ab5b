package jose

import (
	"errors"

	"github.com/entente-id/entente/trust"
)

// Fault is why a token is refused. It is the cause within the error, so that a
// caller can map it to a reason of its own; see FaultOf.
type Fault string

const (
	TooLarge     Fault = "too_large"     // longer than its form allows
	Malformed    Fault = "malformed"     // not three parts
	Encrypted    Fault = "encrypted"     // five parts: a JWE
	Base64       Fault = "base64"        // a part is not strict base64url
	HeaderJSON   Fault = "header_json"   // the header is not a strict JSON object
	HeaderMember Fault = "header_member" // a header member we do not know, or of the wrong type
	HeaderCrit   Fault = "header_crit"
	HeaderB64    Fault = "header_b64"
	HeaderJKU    Fault = "header_jku"
	HeaderJWK    Fault = "header_jwk"
	HeaderX5U    Fault = "header_x5u"
	HeaderX5C    Fault = "header_x5c"
	HeaderZip    Fault = "header_zip"
	HeaderEnc    Fault = "header_enc"
	AlgUnknown   Fault = "alg_unknown"  // absent, none, symmetric or otherwise not ours
	AlgMismatch  Fault = "alg_mismatch" // not the algorithm of the key
	KidMissing   Fault = "kid_missing"  // no kid where there are several keys
	KidUnknown   Fault = "kid_unknown"  // a kid that is not that of the key, or of none in the set
	Typ          Fault = "typ"          // another kind of token than was asked for
	KeyUnfit     Fault = "key_unfit"    // the key that a proof brings is none, or none that may sign
	PayloadJSON  Fault = "payload_json" // the payload is not a strict JSON object
	Signature    Fault = "signature"    // the signature does not hold
)

func (f Fault) Error() string { return string(f) }

// FaultOf gives the fault in err's chain, or "".
func FaultOf(err error) Fault {
	f, _ := errors.AsType[Fault](err)
	return f
}

func refuse(f Fault) error {
	return trust.Errorf(trust.Invalid, "token is refused: %w", f)
}
