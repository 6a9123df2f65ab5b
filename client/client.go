// Package client knows the OAuth clients of this node's token endpoint: whose
// each is, which of our services it may ask a credential for, and how it proves
// itself, which is never a shared secret. It decides what may be registered and
// what has ended. It refuses to know how a proof is verified and what a
// credential says.
package client

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/trust"
)

// Document is a client as an admin registers it.
type Document struct {
	Kind        string              `json:"kind"` // "Client"
	ID          string              `json:"id"`   // its client_id
	Participant trust.ParticipantID `json:"participant"`
	Services    []string            `json:"services"` // by name: those it may name as target
	Signals     *Signals            `json:"signals,omitzero"`
	Means
}

// Signals lets a client open streams of security event tokens here.
type Signals struct {
	All  bool     `json:"all,omitzero"`   // about everybody this organisation answers for; else about the subjects that it names
	Push []string `json:"push,omitempty"` // https addresses that its streams may push to
}

// Means is how a client proves itself: in exactly one of these ways, so that
// nobody chooses a weaker one for it.
type Means struct {
	Keys         jose.KeySet `json:"jwks,omitzero"`          // private_key_jwt (RFC 7523, section 2.2)
	Audience     string      `json:"audience,omitempty"`     // that its assertions may have in place of our identifier; empty: none
	Certificates []string    `json:"certificates,omitempty"` // of TLS clients, by x5t#S256 (RFC 8705, section 2.2)
	SPIFFEID     string      `json:"spiffe_id,omitempty"`    // shown by an SVID
}

// Method is a way to prove oneself.
type Method string

const (
	PrivateKeyJWT Method = "private_key_jwt"
	SelfSignedTLS Method = "self_signed_tls_client_auth"
	SPIFFE        Method = "spiffe"
)

// most bounds each list of a document: enough for several replicas and for keys
// that overlap.
const most = 16

// Method gives the way of m, "" of none.
func (m Means) Method() Method {
	switch {
	case len(m.Keys.Keys()) > 0:
		return PrivateKeyJWT
	case len(m.Certificates) > 0:
		return SelfSignedTLS
	case m.SPIFFEID != "":
		return SPIFFE
	default:
		return ""
	}
}

// Check reports every fault of d at once, joined; each is Invalid and begins
// with the path of the member. It knows nothing of other clients.
func (d Document) Check() error {
	var faults []error
	fault := func(path, format string, args ...any) {
		faults = append(faults, trust.Errorf(trust.Invalid, "%s: %w", path, fmt.Errorf(format, args...)))
	}
	if d.Kind != "Client" {
		fault("kind", "is %q, not Client", d.Kind)
	}
	if err := trust.CheckName("client", d.ID); err != nil {
		fault("id", "%w", err)
	}
	if d.Participant.IsZero() {
		fault("participant", "is empty; a client is somebody's")
	}
	if n := len(d.Services); n == 0 && d.Signals == nil || n > most || n != len(distinct(d.Services)) {
		fault("services", "is not a list of 1 to %d different services, or of none for a receiver of signals", most)
	}
	if d.Signals != nil {
		if n := len(d.Signals.Push); n > most || n != len(distinct(d.Signals.Push)) {
			fault("signals.push", "is not a list of up to %d different addresses", most)
		}
		for _, address := range d.Signals.Push {
			if !endpoint(address) {
				fault("signals.push", "%.60q is not an https URL without user information, query or fragment", address)
			}
		}
	}
	if err := d.Means.Check(); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// Check fails with Invalid for means that are none, several or unfit.
func (m Means) Check() error {
	var faults []error
	fault := func(path, format string, args ...any) {
		faults = append(faults, trust.Errorf(trust.Invalid, "%s: %w", path, fmt.Errorf(format, args...)))
	}
	ways := 0
	for _, has := range []bool{len(m.Keys.Keys()) > 0, len(m.Certificates) > 0, m.SPIFFEID != ""} {
		if has {
			ways++
		}
	}
	if ways != 1 {
		fault("jwks, certificates, spiffe_id", "%d of them are set; a client proves itself in one way, and by public keys alone", ways)
	}
	if n := len(m.Keys.Keys()); n > most {
		fault("jwks", "has %d keys; the most is %d", n, most)
	}
	for _, key := range m.Keys.Keys() {
		if key.KeyID() == "" {
			fault("jwks", "has a key without a kid; an assertion names its key")
		}
	}
	if m.Audience != "" && (len(m.Keys.Keys()) == 0 || !endpoint(m.Audience)) {
		fault("audience", "%.60q is not an https URL without query or fragment beside keys; it is for back ends that name the token endpoint in their assertions", m.Audience)
	}
	if n := len(m.Certificates); n > most || n != len(distinct(m.Certificates)) {
		fault("certificates", "is not a list of up to %d different certificates", most)
	}
	for _, sum := range m.Certificates {
		if raw, err := base64.RawURLEncoding.Strict().DecodeString(sum); err != nil || len(raw) != sha256.Size {
			fault("certificates", "%.60q is not the SHA-256 of a certificate in base64url (x5t#S256)", sum)
		}
	}
	if m.SPIFFEID != "" {
		if id, err := spiffe.ParseID(m.SPIFFEID); err != nil {
			fault("spiffe_id", "%w", err)
		} else if id.Path() == "" {
			fault("spiffe_id", "%s is a trust domain; a client is a workload in one", id)
		}
	}
	return errors.Join(faults...)
}

// endpoint accepts an absolute https URL without query or fragment.
func endpoint(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && len(s) <= 2048 && !strings.ContainsAny(s, "?# ")
}

func distinct(all []string) []string { return slices.Compact(slices.Sorted(slices.Values(all))) }

// Certificate is what counts of a TLS client's certificate.
type Certificate struct {
	Thumbprint string       // x5t#S256 (RFC 8705, section 3.1)
	Window     trust.Window // in which it, and its kind of key, are good
}

// ReadCertificate reads a certificate in DER. It fails with Invalid for what is
// none and for one whose key is unfit to sign.
func ReadCertificate(der []byte) (Certificate, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return Certificate{}, trust.Errorf(trust.Invalid, "certificate cannot be read: %w", err)
	}
	key, err := jose.FitKey(c.PublicKey, jose.ForCertificate)
	if err != nil {
		return Certificate{}, trust.Errorf(trust.Invalid, "certificate is refused: %w", err)
	}
	sum := sha256.Sum256(der)
	window := trust.Window{NotBefore: c.NotBefore.Unix(), NotAfter: min(c.NotAfter.Unix()+1, key.Ends())} // notAfter is its last second
	return Certificate{base64.RawURLEncoding.EncodeToString(sum[:]), window}, nil
}
