package signal

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// Configuration is what a transmitter says of itself (SSF 1.0, section 7.1), as
// far as a receiver here needs it.
type Configuration struct {
	Version      string   `json:"spec_version"`
	Issuer       string   `json:"issuer"`
	Keys         string   `json:"jwks_uri"`
	Methods      []string `json:"delivery_methods_supported"`
	Streams      string   `json:"configuration_endpoint"`
	Status       string   `json:"status_endpoint"`
	Verification string   `json:"verification_endpoint"`
	Critical     []string `json:"critical_subject_members"`
	Schemes      []Scheme `json:"authorization_schemes"`
}

// Scheme is a way to authenticate at a transmitter (SSF 1.0, section 7.1.1).
type Scheme struct {
	URN string `json:"spec_urn"`
}

// methods are the deliveries as Shared Signals names them (SSF 1.0, section 6.1).
var methods = map[Delivery]string{Push: "urn:ietf:rfc:8935", Poll: "urn:ietf:rfc:8936"}

// PushPath begins where transmitters push to a node; the name of one follows.
const PushPath = "/signals/"

// bearers are the schemes by which a token is sent as a bearer.
var bearers = []string{"urn:ietf:rfc:6749", "urn:ietf:rfc:6750"}

// ConfigurationURL is where a transmitter's configuration stands: before the path
// of its issuer (SSF 1.0, section 7.2). It fails with Invalid.
func ConfigurationURL(issuer string) (string, error) {
	u, err := url.Parse(issuer)
	if err != nil || !isHTTPS(issuer) || u.RawQuery != "" || u.ForceQuery {
		return "", trust.Errorf(trust.Invalid, "issuer %q of a transmitter is not an https URL without query and fragment", issuer)
	}
	return "https://" + u.Host + "/.well-known/ssf-configuration" + strings.TrimSuffix(u.EscapedPath(), "/"), nil
}

// ReadConfiguration reads what the transmitter of an issuer says of itself. It
// fails with Invalid, and names every fault at once, each by its member.
func ReadConfiguration(text []byte, issuer string) (Configuration, error) {
	var c Configuration
	if err := canonical.DecodeLoose(text, &c); err != nil {
		return c, trust.Errorf(trust.Invalid, "configuration of transmitter %s cannot be read: %w", issuer, err)
	}
	var faults []error
	fault := func(member, format string, args ...any) {
		faults = append(faults, trust.Errorf(trust.Invalid, "%s: %w", member, fmt.Errorf(format, args...)))
	}
	if c.Version != "1_0" {
		fault("spec_version", "is %q, not 1_0", c.Version)
	}
	if c.Issuer != issuer {
		fault("issuer", "is %q, not %q, which was asked for", c.Issuer, issuer)
	}
	for member, uri := range map[string]string{
		"jwks_uri": c.Keys, "configuration_endpoint": c.Streams, "verification_endpoint": c.Verification,
	} {
		if !isHTTPS(uri) {
			fault(member, "%q is not an https URL", uri)
		}
	}
	if c.Status != "" && !isHTTPS(c.Status) {
		fault("status_endpoint", "%q is not an https URL", c.Status)
	}
	if len(c.Schemes) > 0 && !slices.ContainsFunc(c.Schemes, func(s Scheme) bool { return slices.Contains(bearers, s.URN) }) {
		fault("authorization_schemes", "has none by which a bearer token is sent (RFC 6749, RFC 6750)")
	}
	for _, member := range c.Critical {
		if !slices.Contains(Members(), Member(member)) {
			fault("critical_subject_members", "%q is no member of a complex subject that is understood here", member)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return c, trust.Errorf(trust.Invalid, "configuration of transmitter %s is refused: %s", issuer, err)
	}
	return c, nil
}

// Begin gives d with what the transmitter says; what only its stream says is
// still missing. Where d names no delivery it is push, or else poll. It fails with
// Invalid where d says itself what is found, or the delivery is not offered.
func (c *Configuration) Begin(d Document) (Document, error) {
	for path, said := range map[string]string{
		"signed_by": d.SignedBy, "jwks_uri": d.JWKSURI, "stream_id": d.StreamID, "verify_uri": d.VerifyURI, "poll_uri": d.PollURI,
	} {
		if said != "" {
			return d, trust.Errorf(trust.Invalid, "%s: is what the transmitter says; leave it out", path)
		}
	}
	if d.Delivery == "" {
		d.Delivery = Poll
		if slices.Contains(c.Methods, methods[Push]) {
			d.Delivery = Push
		}
	}
	if method, ok := methods[d.Delivery]; !ok || !slices.Contains(c.Methods, method) {
		return d, trust.Errorf(trust.Invalid, "delivery_methods_supported: is %q, which has no %s", c.Methods, d.Delivery)
	}
	if c.Issuer != d.Issuer.String() {
		d.SignedBy = c.Issuer
	}
	d.JWKSURI, d.VerifyURI = c.Keys, c.Verification
	d.Critical = append(slices.Clone(d.Critical), c.Critical...)
	return d, nil
}

// Opening is a request for a stream (SSF 1.0, section 8.1.1.1).
type Opening struct {
	Events   []Type          `json:"events_requested"`
	Delivery OpeningDelivery `json:"delivery"`
}

// OpeningDelivery is how a stream's tokens are to come. Endpoint and Authorization
// are of a push.
type OpeningDelivery struct {
	Method        string `json:"method"`
	Endpoint      string `json:"endpoint_url,omitempty"`
	Authorization string `json:"authorization_header,omitempty"`
}

// Opening asks for a stream of all events that are known here, pushed to endpoint
// or polled.
func (d *Document) Opening(endpoint, authorization string) Opening {
	o := Opening{Delivery: OpeningDelivery{Method: methods[d.Delivery]}}
	for _, t := range Types() {
		if t != Verification && t != StreamUpdated {
			o.Events = append(o.Events, t)
		}
	}
	slices.Sort(o.Events)
	if d.Delivery == Push {
		o.Delivery.Endpoint, o.Delivery.Authorization = endpoint, authorization
	}
	return o
}

// opened is a stream as its transmitter answers (SSF 1.0, section 8.1.1).
type opened struct {
	ID        string          `json:"stream_id"`
	Issuer    string          `json:"iss"`
	Audience  any             `json:"aud"`
	Delivered []Type          `json:"events_delivered"`
	Delivery  OpeningDelivery `json:"delivery"`
}

// Deleting gives the stream that a transmitter opened, and the address by which it is
// deleted (SSF 1.0, section 8.1.1.5); "" where the answer names none.
func (c *Configuration) Deleting(answer []byte) (stream, address string) {
	var s opened
	u, err := url.Parse(c.Streams)
	if err != nil || canonical.DecodeLoose(answer, &s) != nil || s.ID == "" || len(s.ID) > maxName {
		return "", ""
	}
	query := u.Query()
	query.Set("stream_id", s.ID)
	u.RawQuery = query.Encode()
	return s.ID, u.String()
}

// Opened gives d with what the transmitter answered to o. It fails with Invalid,
// by the member, where that is another stream than was asked for.
func (d Document) Opened(o Opening, answer []byte) (Document, error) {
	var s opened
	if err := canonical.DecodeLoose(answer, &s); err != nil {
		return d, trust.Errorf(trust.Invalid, "stream of transmitter %s cannot be read: %w", d.Name, err)
	}
	if list, ok := s.Audience.([]any); ok && len(list) == 1 {
		s.Audience = list[0]
	}
	audience, _ := s.Audience.(string)
	asked := func(t Type) bool { return slices.Contains(o.Events, t) }
	switch {
	case s.ID == "" || len(s.ID) > maxName:
		return d, trust.Errorf(trust.Invalid, "stream_id: is empty or too long")
	case s.Issuer != d.Signer():
		return d, trust.Errorf(trust.Invalid, "iss: is %q, not %q", s.Issuer, d.Signer())
	case audience == "" || d.Audience != "" && audience != d.Audience:
		return d, trust.Errorf(trust.Invalid, "aud: is not one audience, or not that of the document, %q", d.Audience)
	case s.Delivery.Method != o.Delivery.Method:
		return d, trust.Errorf(trust.Invalid, "delivery.method: is %q, not %q, which was asked for", s.Delivery.Method, o.Delivery.Method)
	case d.Delivery == Push && s.Delivery.Endpoint != o.Delivery.Endpoint:
		return d, trust.Errorf(trust.Invalid, "delivery.endpoint_url: is %q, not %q, which was asked for", s.Delivery.Endpoint, o.Delivery.Endpoint)
	case d.Delivery == Poll && !isHTTPS(s.Delivery.Endpoint):
		return d, trust.Errorf(trust.Invalid, "delivery.endpoint_url: %q is not an https URL", s.Delivery.Endpoint)
	case s.Delivered != nil && !slices.ContainsFunc(s.Delivered, asked):
		return d, trust.Errorf(trust.Invalid, "events_delivered: has none of those that were asked for")
	}
	d.StreamID, d.Audience = s.ID, audience
	if d.Delivery == Poll {
		d.PollURI = s.Delivery.Endpoint
	}
	return d, nil
}
