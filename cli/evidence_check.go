package cli

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// checked is what became of one token. What stands behind Text is there only of
// a token that is verified.
type checked struct {
	Line     int         `json:"line,omitzero"`
	Verified bool        `json:"verified"`
	Reason   string      `json:"reason,omitempty"`
	Text     string      `json:"text,omitempty"`
	Checks   []checkLine `json:"checks"`

	Kind       evidence.Kind    `json:"kind,omitempty"`
	Issuer     trust.IssuerID   `json:"issuer,omitzero"`
	Subject    string           `json:"subject,omitempty"`
	Audience   string           `json:"audience,omitempty"`
	Class      trust.Class      `json:"class,omitempty"`
	IssuedAt   trust.Instant    `json:"issued_at,omitzero"`
	ExpiresAt  trust.Instant    `json:"expires_at,omitzero"`
	Algorithm  string           `json:"algorithm,omitempty"`
	KeyID      string           `json:"key_id,omitempty"`
	Thumbprint string           `json:"thumbprint,omitempty"`
	Hash       string           `json:"hash,omitempty"` // SHA-256 of the token
	Claims     canonical.Object `json:"claims,omitempty"`
	Payload    *string          `json:"payload,omitzero"` // base64url, of a signature alone
}

// checkLine is one check: passed, failed or not reached.
type checkLine struct {
	Name   string          `json:"name"`
	Result decision.Result `json:"result"`
	Reason string          `json:"reason,omitempty"`
	Text   string          `json:"text,omitempty"`
}

func (c checked) verdict() string {
	if c.Verified {
		return "verified"
	}
	return "refused"
}

// text shows a token that was checked alone.
func (c checked) text() string {
	var rows [][]string
	for _, l := range c.Checks {
		rows = append(rows, []string{clean(l.Name), clean(string(l.Result)), clean(l.Reason), clean(l.Text)})
	}
	text := c.verdict() + "\n\n" + plain(rows)
	if c.Claims != nil {
		// The claims were parsed strictly, so they can be written.
		claims, _ := json.Marshal(c.Claims, json.Deterministic(true), jsontext.WithIndent("  "))
		text += "\n" + clean(string(claims)) + "\n"
	}
	return text
}

// decide fills in the results: every check before the failing one passed unless
// it is listed as not reached, those behind it were not reached.
func (c *checked) decide(names []string, failing, reason, text string) {
	c.Verified, c.Reason, c.Text = reason == "", reason, text
	result := decision.Passed
	for _, name := range names {
		l := checkLine{Name: name, Result: result}
		if name == failing && reason != "" {
			l.Result, l.Reason, l.Text = decision.Failed, reason, text
			result = decision.NotReached
		}
		c.Checks = append(c.Checks, l)
	}
}

// readKeys reads one JWK or a JWK Set, in which at least one key must be fit to
// verify.
func readKeys(data []byte) (jose.KeySet, error) {
	o, err := canonical.ParseObject(data)
	if err != nil {
		return jose.KeySet{}, err
	}
	list, isSet := o["keys"]
	if !isSet {
		key, err := jose.ParseKey(data)
		if err != nil {
			return jose.KeySet{}, err
		}
		return jose.NewKeySet(key)
	}
	set, err := jose.ParseKeySet(data)
	if err == nil && len(set.Keys()) == 0 {
		err = trust.Errorf(trust.Invalid, "the key set has no key that is fit to verify%s", unfitKeys(list))
	}
	return set, err
}

// unfitKeys says of each key of a set why it was left out.
func unfitKeys(list any) string {
	var text strings.Builder
	keys, _ := list.([]any)
	for _, k := range keys {
		jwk, err := json.Marshal(k)
		if err == nil {
			_, err = jose.ParseKey(jwk)
		}
		if err != nil {
			text.WriteString("; " + err.Error())
		}
	}
	return text.String()
}

// signatureChecks are the steps of --signature-only.
var signatureChecks = []string{"form", "header", "key", "signature"}

func checkSignature(token []byte, keys jose.KeySet) (c checked) {
	header, payload, err := jose.CheckSignature(token, keys)
	if err != nil {
		fault := jose.FaultOf(err)
		c.decide(signatureChecks, stepOf(fault), string(fault), signatureText(fault))
		return c
	}
	c.decide(signatureChecks, "", "", "")
	text := base64.RawURLEncoding.EncodeToString(payload)
	c.Algorithm, c.KeyID, c.Payload = string(header.Alg), header.KeyID, &text
	return c
}

// stepOf says which step finds a fault.
func stepOf(f jose.Fault) string {
	switch f {
	case jose.TooLarge, jose.Malformed, jose.Encrypted, jose.Base64, jose.PayloadJSON:
		return "form"
	case jose.AlgMismatch, jose.KidMissing, jose.KidUnknown:
		return "key"
	case jose.Signature:
		return "signature"
	default:
		return "header"
	}
}

func signatureText(f jose.Fault) string {
	switch f {
	case jose.TooLarge:
		return "the token is longer than 16 KiB"
	case jose.Malformed:
		return "the token is not three parts with a dot between them"
	case jose.Encrypted:
		return "the token is encrypted; only signed ones are taken"
	case jose.Base64:
		return "a part is not strict base64url: no padding, no other alphabet, no stray bits"
	case jose.HeaderJSON:
		return "the header is not one strict JSON object"
	case jose.AlgUnknown:
		return "the header's alg is not ES256, EdDSA, RS256 or PS256"
	case jose.AlgMismatch:
		return "the header's alg is not the one of the key"
	case jose.KidMissing:
		return "the header names no kid, and there are several keys"
	case jose.KidUnknown:
		return "the header's kid is that of no key that was given"
	case jose.Signature:
		return "the signature does not hold under the key"
	default:
		return "the header has more than the texts alg, kid and typ; nothing in a token brings or names a key"
	}
}

// offline is a registry of issuers by their iss, without a framework.
type offline map[string]participant.Speaker

func (o offline) Speaker(iss string) (participant.Speaker, bool) {
	s, ok := o[iss]
	return s, ok
}

func (o offline) Assurance(map[string]any) framework.Vector { return framework.Vector{} }

func (o offline) Brokered() framework.Vector { return framework.Vector{} }

// nobody stands for the participant, whom no token names.
const nobody = "https://participant.invalid"

// add registers an issuer.
func (o offline) add(speaker participant.Speaker, classes ...participant.ClassRule) error {
	home, err := trust.ParseParticipantID(nobody)
	speaker.Candidates = []participant.Claimant{{
		Participant: home, Issuer: participant.Issuer{Issuer: speaker.Issuer, Classes: classes},
	}}
	o[speaker.Issuer.String()] = speaker
	return err
}

// evidenceChecker gives the whole check of evidence, whose registry is made once.
func (a *app) evidenceChecker(f checkFlags, keys jose.KeySet) (func([]byte) checked, error) {
	for name, value := range map[string]string{"--issuer": f.issuer, "--audience": f.audience} {
		if value == "" {
			return nil, trust.Errorf(trust.Invalid, "%s is missing; only --signature-only does without", name)
		}
	}
	issuer, err := trust.ParseIssuerID(f.issuer)
	if err != nil {
		return nil, err
	}
	at, err := a.moment(f.at)
	if err != nil {
		return nil, err
	}
	tried, err := kindsOf(f.kind, evidence.Kinds())
	if err != nil {
		return nil, err
	}
	registry, err := registryOf(participant.Speaker{Issuer: issuer, Keys: keys}, f.class, trust.Human)
	if err != nil {
		return nil, err
	}
	return func(token []byte) checked {
		proofs := make([]evidence.Proof, len(tried))
		for i, kind := range tried {
			proofs[i] = evidence.Proof{Kind: kind, Token: token}
		}
		return checkProofs(proofs, registry, f.audience, at)
	}, nil
}

// registryOf makes a registry that knows one issuer, all of whose tokens speak
// of one class.
func registryOf(speaker participant.Speaker, class string, usual trust.Class) (offline, error) {
	c := cmp.Or(trust.Class(class), usual)
	if !c.Valid() {
		return nil, trust.Errorf(trust.Invalid, "class %q is not one of %v", class, trust.Classes())
	}
	registry := offline{}
	return registry, registry.add(speaker, participant.ClassRule{Class: c})
}

// evidenceChecks are the first checks of a decision, by their names.
var evidenceChecks = []string{decision.Names[decision.Identify], decision.Names[decision.Authenticate], decision.Names[decision.Classify]}

// checkProofs checks one token, as each kind of proof that it may be.
func checkProofs(proofs []evidence.Proof, r evidence.Registry, audience string, at int64) (c checked) {
	var ev evidence.Evidence
	var fault *evidence.Fault
	for _, proof := range proofs {
		ev, _, fault = evidence.Verify(proof, r, at, nil)
		if fault == nil || fault.Reason != trust.TokenType {
			break
		}
	}
	if fault == nil && ev.Kind != evidence.X509SVID && (ev.Audience != audience || audience == "") {
		fault = &evidence.Fault{Reason: trust.AudienceForeign, Text: "token is for another audience than the one given; audiences are compared byte by byte"}
	}
	if fault != nil {
		failing, _, _ := strings.Cut(string(fault.Reason), ".")
		c.decide(evidenceChecks, failing, string(fault.Reason), fault.Text)
		if ev.Issuer.IsZero() && failing != evidenceChecks[0] {
			c.Checks[0].Result = decision.NotReached // refused before anybody could be read from it
		}
		return c
	}
	c.decide(evidenceChecks, "", "", "")
	c.Kind, c.Issuer, c.Subject, c.Audience, c.Class = ev.Kind, ev.Issuer, ev.Subject, ev.Audience, ev.Class
	c.IssuedAt, c.ExpiresAt = trust.Instant(ev.IssuedAt), trust.Instant(ev.ExpiresAt)
	c.Algorithm, c.KeyID, c.Thumbprint = ev.Algorithm, ev.KeyID, ev.Thumbprint
	c.Checks[0].Text, c.Checks[2].Text = c.Issuer.String(), string(c.Class)
	c.Checks[1].Text = ev.Algorithm + " by key " + ev.KeyID + ", until " + c.ExpiresAt.String()
	c.Hash, c.Claims = hex.EncodeToString(ev.Hash[:]), ev.Claims
	return c
}
