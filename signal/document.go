package signal

import (
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/entente-id/entente/trust"
)

// Delivery is how a transmitter's tokens come here.
type Delivery string

const (
	Push   Delivery = "push"   // RFC 8935: it posts them
	Poll   Delivery = "poll"   // RFC 8936: we ask
	Logout Delivery = "logout" // OpenID Connect Back-Channel Logout 1.0: logout tokens, and no feed whose silence would tell anything
)

// HighRisk is what a high risk of a subject does here.
type HighRisk string

const (
	RecordRisk HighRisk = "record"
	DenyRisk   HighRisk = "deny" // until the transmitter says another
)

// Document is a transmitter as an operator writes it.
type Document struct {
	Kind     string         `json:"kind"`   // "Transmitter"
	Name     string         `json:"name"`   // in our own words
	Issuer   trust.IssuerID `json:"issuer"` // of the subjects that it speaks of: one that is stated here for a single participant
	Delivery Delivery       `json:"delivery"`
	// SignedBy is iss in its tokens, where that is not the issuer.
	SignedBy string `json:"signed_by,omitempty"`
	// JWKSURI is where its keys are, where they are not the issuer's own.
	JWKSURI  string `json:"jwks_uri,omitempty"`
	Audience string `json:"audience"` // aud in its tokens; of a logout token the client_id that the issuer knows us by
	// StreamID is the stream's, by which it is verified.
	StreamID string `json:"stream_id,omitempty"`
	// VerifyURI is where a verification is asked for (SSF 1.0, section 8.1.4), PollURI
	// where a poll stream is read.
	VerifyURI string   `json:"verify_uri,omitempty"`
	PollURI   string   `json:"poll_uri,omitempty"`
	Tenant    string   `json:"tenant,omitempty"`   // ours, where it serves several
	Critical  []string `json:"critical,omitempty"` // its critical_subject_members
	HighRisk  HighRisk `json:"high_risk,omitempty"`
}

// Signer gives iss in its tokens.
func (d *Document) Signer() string {
	if d.SignedBy != "" {
		return d.SignedBy
	}
	return d.Issuer.String()
}

// Feeds reports whether it sends a stream whose silence is told.
func (d *Document) Feeds() bool { return d.Delivery != Logout }

// Check reports every fault of d at once, joined; each is Invalid and begins with
// the path of the member.
func (d *Document) Check() error {
	var faults []error
	fault := func(path, format string, args ...any) {
		faults = append(faults, trust.Errorf(trust.Invalid, "%s: %w", path, fmt.Errorf(format, args...)))
	}
	if d.Kind != "Transmitter" {
		fault("kind", "is %q, not Transmitter", d.Kind)
	}
	if err := trust.CheckName("transmitter", d.Name); err != nil {
		fault("name", "%w", err)
	}
	if d.Issuer.IsZero() || d.Issuer.TrustDomain() {
		fault("issuer", "is not an issuer of tokens")
	}
	if d.Audience == "" || len(d.Audience) > maxName {
		fault("audience", "is empty or too long; tokens for everybody are for nobody")
	}
	if d.SignedBy != "" && !isHTTPS(d.SignedBy) {
		fault("signed_by", "%q is not an https URL", d.SignedBy)
	}
	for path, uri := range map[string]string{"jwks_uri": d.JWKSURI, "verify_uri": d.VerifyURI, "poll_uri": d.PollURI} {
		if uri != "" && !isHTTPS(uri) {
			fault(path, "%q is not an https URL", uri)
		}
	}
	if d.SignedBy != "" && d.JWKSURI == "" {
		fault("jwks_uri", "is missing; who signs is not the issuer, whose keys are known")
	}
	if (d.PollURI != "") != (d.Delivery == Poll) {
		fault("poll_uri", "belongs to delivery poll and to no other")
	}
	if stream := d.StreamID != "" && d.VerifyURI != ""; stream != d.Feeds() {
		fault("stream_id", "and verify_uri belong to a feed, whose silence must be told, and to no logout")
	}
	if !slices.Contains([]Delivery{Push, Poll, Logout}, d.Delivery) {
		fault("delivery", "is %q; it is push, poll or logout", d.Delivery)
	}
	if !slices.Contains([]HighRisk{"", RecordRisk, DenyRisk}, d.HighRisk) {
		fault("high_risk", "is %q; it is record or deny", d.HighRisk)
	}
	for _, member := range d.Critical {
		if !slices.Contains(Members(), Member(member)) {
			fault("critical", "%q is no member of a complex subject", member)
		}
	}
	return errors.Join(faults...)
}

func isHTTPS(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.Fragment == "" && len(s) <= maxName
}
