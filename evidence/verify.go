package evidence

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// Verify checks a proof at now (Unix seconds): who speaks for whom, by the
// registry; whether the registered key of the token's issuer signed it; whether
// its kind, times and claims are in order; and what class and assurance the
// subject has. cache may be nil.
//
// The values are what a caller that owes single use must burn. A Fault comes
// with the evidence as far as it was established.
func Verify(p Proof, r Registry, now int64, cache Signatures) (Evidence, []trust.Once, *Fault) {
	if p.Kind.Secret() {
		ev := Evidence{Kind: p.Kind}
		f := ev.secret(&p, r, now)
		return ev, nil, f
	}
	if p.Kind == X509SVID {
		ev := Evidence{Kind: X509SVID}
		if f := ev.certificate(&p, r, now); f != nil {
			return withoutClaims(ev), nil, f
		}
		return ev, nil, nil
	}
	rule, known := rules[p.Kind]
	if !known {
		return Evidence{}, nil, fault(trust.EvidenceKind, "evidence is of a kind that is not known here; access tokens, ID tokens and SVIDs are")
	}
	t, f := read(p.Token, rule, cache)
	if f != nil {
		return Evidence{Kind: p.Kind}, nil, f
	}
	ev := Evidence{Kind: p.Kind, Claims: t.claims}
	if home, ok := r.(Home); ok && p.Kind == AccessToken {
		if iss, _ := t.claims["iss"].(string); home.Issues(iss) {
			if f := ev.own(&t, rule, home, p.Shown, now, cache); f != nil {
				t.spend(cache)
				return withoutClaims(ev), nil, f
			}
			return ev, nil, nil
		}
	}
	if p.Kind == IDJAG {
		once, f := ev.granted(&t, rule, r, p.Shown, now, cache)
		if f != nil {
			return withoutClaims(ev), nil, f
		}
		return ev, once, nil
	}
	if p.Kind == Canary {
		if f := ev.canary(&t, rule, r, now, cache); f != nil {
			t.spend(cache)
			return withoutClaims(ev), nil, f
		}
		return ev, nil, nil
	}
	speaker, line, f := ev.identify(r)
	if f != nil {
		t.spend(cache)
		return withoutClaims(ev), nil, f
	}
	if line.Broker != nil && p.origin {
		t.spend(cache)
		return withoutClaims(ev), nil, brokersBroker(speaker.Issuer)
	}
	keys, f := ev.keys(&speaker)
	if f != nil {
		t.spend(cache)
		return withoutClaims(ev), nil, f
	}
	if f := ev.authenticate(&t, rule, keys, now, cache); f != nil {
		t.spend(cache)
		return withoutClaims(ev), nil, f
	}
	if f := ev.readClaims(rule, line, now); f != nil {
		return withoutClaims(ev), nil, f
	}
	if line.Broker != nil {
		if f := ev.trace(line, r, now, cache); f != nil {
			return withoutClaims(ev), nil, f
		}
	}
	if f := ev.show(p.Shown, now); f != nil {
		return withoutClaims(ev), nil, f
	}
	if ev.Kind.svid() {
		ev.Claims = ev.named()
	}
	ev.Class = classOf(line.Classes, ev.Claims, ev.path())
	ev.Assurance = r.Assurance(ev.Claims)
	if ev.Origin != nil { // R26: the lower, ladder by ladder
		ev.Assurance = framework.Min(ev.Assurance, ev.Origin.Assurance)
	}
	if ev.Delegated {
		ev.state(line, r)
	}
	return ev, ev.once(rule, t.signed), nil
}

// withoutClaims takes away what nobody vouches for.
func withoutClaims(ev Evidence) Evidence {
	ev.Claims = nil
	return ev
}

func fault(reason trust.Reason, text string) *Fault { return &Fault{Reason: reason, Text: text} }

// rule is what a kind of token must be. Their types exclude each other, so that
// no token can pass for one of another kind.
type rule struct {
	name      string
	types     []string
	form      *jose.Form
	required  []string // claims that are texts, beside iss, sub and aud
	singleUse bool     // a value to burn can be made of it
}

var rules = map[Kind]*rule{
	// RFC 9068, sections 2.1 and 2.2.
	AccessToken: {name: "access token", types: []string{"at+jwt"}, form: &form, required: []string{"client_id", "jti"}},
	// OpenID Connect Core 1.0, section 2.
	IDToken: {name: "ID token", types: []string{"", "jwt"}, form: &form, singleUse: true},
	// draft-ietf-oauth-identity-assertion-authz-grant, section 3.
	IDJAG:  {name: "grant (ID-JAG)", types: []string{IDJAGType}, form: &jagForm, required: []string{"client_id", "jti"}},
	Canary: {name: "canary's token", types: []string{CanaryType}, form: &canaryForm, required: []string{"jti"}},
	// SPIFFE JWT-SVID, sections 2 and 3; iat beside them, by which its age is told.
	JWTSVID: {name: "JWT-SVID", types: []string{"", "jwt", "jose"}, form: &svidForm},
}

// form lets tokens of every kind in, so that one of the wrong kind is refused
// after its issuer is known.
var form = jose.Form{Types: []string{"at+jwt", "", "jwt"}, Use: jose.ForToken, Thumbprints: true}

// token is a token that was read, and verified before if verified is set.
type token struct {
	header   jose.Header
	claims   map[string]any
	fresh    *jose.Unverified // nil when the cache knew it
	verified jose.Verified
	hash     [32]byte
	signed   []byte // header and payload as they were signed
	checked  bool   // the signature was looked at
}

// spend makes a refusal cost what a check of the signature does, also where there
// was no key to check it with: how long an answer takes tells nobody whether an
// issuer or a key is known here.
func (t *token) spend(cache Signatures) {
	switch {
	case t.fresh == nil || t.checked:
	case cache == nil:
		t.fresh.Spend(nil)
	default:
		cache.Spend(t.hash, t.fresh)
	}
}

func read(raw []byte, rule *rule, cache Signatures) (t token, f *Fault) {
	if len(raw) > jose.MaxToken {
		return t, fault(trust.EvidenceMalformed, "token is longer than 16 KiB")
	}
	t.signed = raw[:max(bytes.LastIndexByte(raw, '.'), 0)]
	if cache != nil {
		t.hash = sha256.Sum256(raw)
		if v, ok := cache.Get(t.hash); ok {
			t.header, t.claims, t.verified = v.Header(), v.Claims(), v
			return t, nil
		}
	}
	u, err := jose.ParseBytes(raw, *rule.form)
	if err != nil {
		return t, refusal(err)
	}
	t.header, t.claims, t.fresh = u.Header(), u.UnverifiedClaims(), u
	return t, nil
}

// refusal puts a fault of the token's form or signature into our words.
func refusal(err error) *Fault {
	switch jose.FaultOf(err) {
	case jose.HeaderMember, jose.HeaderCrit, jose.HeaderB64, jose.HeaderJKU, jose.HeaderJWK,
		jose.HeaderX5U, jose.HeaderX5C, jose.HeaderZip, jose.HeaderEnc:
		return fault(trust.TokenHeader, "token header has a member that may bring a key or ask for more than a signature; alg, kid and typ may stand there, and thumbprints")
	case jose.AlgUnknown, jose.AlgMismatch:
		return fault(trust.TokenAlgorithm, "token header names another algorithm than the registered key has")
	case jose.KidMissing, jose.KidUnknown:
		return fault(trust.UnknownKey, "token names no registered key of its issuer")
	case jose.Typ:
		return fault(trust.TokenType, "token header has a typ that is neither an access token's nor an ID token's")
	case jose.Signature:
		return fault(trust.BadSignature, "signature does not hold under the issuer's registered key")
	case jose.TooLarge, jose.Malformed, jose.Encrypted, jose.Base64, jose.HeaderJSON, jose.PayloadJSON:
		return fault(trust.EvidenceMalformed, "token is not three parts of strict base64url with strict JSON in them")
	default:
		return fault(trust.EvidenceMalformed, "token cannot be read")
	}
}

// authenticate looks at the key as it is registered now, also for a token whose
// signature was checked before.
func (ev *Evidence) authenticate(t *token, rule *rule, keys jose.KeySet, now int64, cache Signatures) *Fault {
	if !slices.Contains(rule.types, t.header.Type) {
		return fault(trust.TokenType, "token header has another typ than an "+rule.name+" has")
	}
	if t.header.KeyID == "" {
		return fault(trust.UnknownKey, "token header has no kid; keys are chosen by issuer and kid")
	}
	key, err := keys.Lookup(t.header.KeyID)
	if err != nil {
		return refusal(err)
	}
	if now >= key.Ends() {
		return fault(trust.AlgorithmEnded, "key that the token names is of a kind that is accepted no longer: "+string(key.Alg())+" with a short modulus")
	}
	if t.fresh != nil {
		t.checked = true
		if cache == nil {
			t.verified, err = t.fresh.Verify(key)
		} else {
			t.verified, err = cache.Verify(t.hash, t.fresh, key)
		}
		if err != nil {
			return refusal(err)
		}
	}
	if !key.Equal(t.verified.Key()) {
		return fault(trust.UnknownKey, "key that signed the token is registered no longer")
	}
	ev.KeyID, ev.Algorithm, ev.Thumbprint = key.KeyID(), string(key.Alg()), key.Thumbprint()
	ev.Hash = t.verified.Hash()
	ev.Ends = key.Ends()
	return nil
}

// once names the token by what was signed: whoever holds an ES256 token can
// write a second valid signature under it, and so a second token.
func (ev *Evidence) once(rule *rule, signed []byte) []trust.Once {
	if !rule.singleUse {
		return nil
	}
	sum := sha256.Sum256(signed)
	key := table.KeyOf("id_token", ev.Issuer.String(), string(sum[:]))
	return []trust.Once{{Key: key, Expires: ev.ExpiresAt, Edge: ev.Participant}}
}

// classOf gives the class of the first rule that matches.
func classOf(rules []participant.ClassRule, claims map[string]any, path string) trust.Class {
	for i := range rules {
		if rule := &rules[i]; matches(rule, claims, path) && holds(rule.When, claims) {
			return rule.Class
		}
	}
	return ""
}

// holds reports whether every condition holds: by a claim that is that one text,
// and no list.
func holds(when map[string]string, claims map[string]any) bool {
	for claim, want := range when {
		if text, ok := Text(claims[claim]); !ok || text != want {
			return false
		}
	}
	return true
}

func matches(rule *participant.ClassRule, claims map[string]any, path string) bool {
	switch {
	case rule.Path != "":
		return spiffe.PathMatches(rule.Path, path)
	case rule.Claim != "":
		return equals(claims[rule.Claim], rule.Equals)
	default:
		return true
	}
}

// equals compares as the framework's rules do: a text, an integer in decimal, or
// one member of a list.
func equals(value any, want string) bool {
	if list, ok := value.([]any); ok {
		return slices.ContainsFunc(list, func(v any) bool { text, ok := Text(v); return ok && text == want })
	}
	text, ok := Text(value)
	return ok && text == want
}
