package spiffe

import (
	"errors"

	"github.com/entente-id/entente/trust"
)

// Fault is why a certificate chain is refused. It is the cause within the error,
// so that a caller can map it to a reason of its own; see FaultOf.
type Fault string

const (
	Malformed   Fault = "malformed"    // not one to six certificates in DER or PEM, or with no SPIFFE ID to go by
	Certificate Fault = "certificate"  // a certificate that no SVID, or no authority above one, may be
	Untrusted   Fault = "untrusted"    // the trust domain's bundle has no authority
	NoPath      Fault = "no_path"      // leads to no authority of the trust domain
	Expired     Fault = "expired"      // the leaf, or whatever it stands on, has expired
	NotYetValid Fault = "not_yet"      // the leaf's time is yet to come
	Foreign     Fault = "trust_domain" // asked of another trust domain's bundle
)

func (f Fault) Error() string { return string(f) }

// FaultOf gives the fault in err's chain, or "".
func FaultOf(err error) Fault {
	f, _ := errors.AsType[Fault](err)
	return f
}

func refuse(f Fault, text string) error {
	return trust.Errorf(trust.Invalid, "X509-SVID %s: %w", text, f)
}
