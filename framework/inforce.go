package framework

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// InForce is the framework that a local operator adopted. It is never changed.
// Since is from when on it holds, in Unix seconds. Its JSON holds the signed bytes
// only.
type InForce struct {
	Document Document
	Hash     string
	Version  int
	Signed   Signed
	Since    int64

	grants   grants
	brokered Vector
	issuers  map[trust.IssuerID]NationalIssuer
}

// inForce reads the signed bytes again, whose signatures were checked before
// they became an entry. It holds from its date on, but not before it was adopted.
func inForce(signed Signed, adopted int64) (*InForce, error) {
	f := &InForce{Hash: Hash(signed.Bytes), Signed: signed}
	if err := canonical.Decode(signed.Bytes, &f.Document); err != nil {
		return nil, err
	}
	f.Version, f.Since = f.Document.Version, max(adopted, int64(f.Document.Activates))
	f.grants = f.Document.Assurance.grants()
	f.brokered = f.Document.Assurance.vector(f.Document.Assurance.Brokered)
	f.issuers = make(map[trust.IssuerID]NationalIssuer, len(f.Document.Issuers))
	for _, issuer := range f.Document.Issuers {
		f.issuers[issuer.Issuer] = issuer
	}
	return f, nil
}

type stored struct {
	Signed Signed `json:"signed"`
	Since  int64  `json:"since"`
}

// MarshalJSONTo writes the signed bytes and since when they hold.
func (f *InForce) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, stored{f.Signed, f.Since})
}

// UnmarshalJSONFrom reads what MarshalJSONTo writes.
func (f *InForce) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var s stored
	if err := json.UnmarshalDecode(dec, &s); err != nil {
		return err
	}
	read, err := inForce(s.Signed, s.Since)
	if err != nil {
		return err
	}
	*f = *read
	return nil
}

// Alive reports whether f holds at now (Unix seconds): at exactly Expires it
// has ended.
func (f *InForce) Alive(now int64) bool { return now < int64(f.Document.Expires) }

// AdoptBy gives the time (Unix seconds) from which on a participant is behind that
// has adopted no later version than adopted and is known since a time; 0 for never.
func (f *InForce) AdoptBy(adopted int, since int64) int64 {
	if f.Document.Governance.AdoptWithin == 0 || adopted >= f.Version {
		return 0
	}
	return max(f.Since, since) + int64(f.Document.Governance.AdoptWithin)
}

// Class gives the rule of an identity class.
func (f *InForce) Class(c trust.Class) (ClassRule, bool) {
	rule, ok := f.Document.Classes[c]
	return rule, ok
}

// Tier gives the rule of a tier.
func (f *InForce) Tier(t trust.Tier) (TierRule, bool) {
	rule, ok := f.Document.Tiers[t]
	return rule, ok
}

// Issuer gives the registration of a national issuer.
func (f *InForce) Issuer(id trust.IssuerID) (NationalIssuer, bool) {
	issuer, ok := f.issuers[id]
	return issuer, ok
}

// Assess gives the assurance that a token's claims have by the mapping: on each
// ladder the best level of all rules that match, the lowest where none does. A
// claim matches as LevelRule says, by its exact name and value; numbers are
// int64, as canonical.Object has them.
func (f *InForce) Assess(claims map[string]any) Vector {
	var best Vector
	for claim, values := range f.grants {
		best = values.raise(best, claims[claim])
	}
	return best
}

// Brokered gives the most that a broker may assert where the origin's own signed
// word is absent.
func (f *InForce) Brokered() Vector { return f.brokered }

// Short gives the first ladder on which v is below needs. A level or ladder
// that the framework does not have counts as short.
func (f *InForce) Short(v Vector, needs map[Ladder]Level) (Ladder, bool) {
	known := 0
	for i, l := range ladders {
		need, ok := needs[l]
		if !ok {
			continue
		}
		known++
		if level, ok := f.Document.Assurance.level(l, need); !ok || v[i] < level {
			return l, true
		}
	}
	if known == len(needs) {
		return "", false
	}
	return unknown(needs), true
}

// unknown gives the first ladder by name that is none.
func unknown(needs map[Ladder]Level) (first Ladder) {
	for l := range needs {
		if !l.Valid() && (first == "" || l < first) {
			first = l
		}
	}
	return first
}

// Name gives the name of v's level on a ladder, empty where the framework has
// none.
func (f *InForce) Name(l Ladder, v Vector) Level {
	for i, ladder := range ladders {
		if rungs := f.Document.Assurance.rungs(l); ladder == l && int(v[i]) < len(rungs) {
			return rungs[v[i]]
		}
	}
	return ""
}

// Stricter gives, field by field, the strictest of the tiers; a credential also
// lives no longer than a token of the class may. An attestation level that the
// framework does not have is stricter than all, so that nobody reaches it.
// Without a tier everything is zero, under which nothing is fresh enough.
func (f *InForce) Stricter(class ClassRule, tiers ...TierRule) TierRule {
	var strict TierRule
	for i, t := range tiers {
		if i == 0 {
			strict = t
			strict.MaxBundleAge = t.BundleAge()
			continue
		}
		strict.MaxStaleness = min(strict.MaxStaleness, t.MaxStaleness)
		strict.RemovalTarget = min(strict.RemovalTarget, t.RemovalTarget)
		strict.MaxCredentialTTL = min(strict.MaxCredentialTTL, t.MaxCredentialTTL)
		strict.MaxBundleAge = min(strict.MaxBundleAge, t.BundleAge())
		strict.SenderConstraint = stricterConstraint(strict.SenderConstraint, t.SenderConstraint)
		strict.Attestation = f.stricterAttestation(strict.Attestation, t.Attestation)
		strict.Caps = stricterCaps(strict.Caps, t.Caps)
		strict.MaxException = min(strict.MaxException, t.MaxException)
	}
	strict.MaxCredentialTTL = min(strict.MaxCredentialTTL, class.MaxTokenLifetime)
	return strict
}

func (f *InForce) stricterAttestation(a, b Level) Level {
	levelA, knownA := f.Document.Assurance.level(Attestation, a)
	levelB, knownB := f.Document.Assurance.level(Attestation, b)
	switch {
	case b == "":
		return a
	case a == "":
		return b
	case !knownA || knownB && levelA >= levelB:
		return a
	default:
		return b
	}
}

func stricterConstraint(a, b SenderConstraint) SenderConstraint {
	if a.rank() >= b.rank() {
		return a
	}
	return b
}

// rank takes an unknown word for the strictest.
func (c SenderConstraint) rank() int {
	switch c {
	case SenderConstraintNone:
		return 0
	case SenderConstraintWhenOffered:
		return 1
	case SenderConstraintRequired:
		return 2
	default:
		return 3
	}
}

func stricterCaps(a, b *Caps) *Caps {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	return &Caps{
		RequestsPerSecond:   lowerCap(a.RequestsPerSecond, b.RequestsPerSecond),
		ScopesPerCredential: lowerCap(a.ScopesPerCredential, b.ScopesPerCredential),
	}
}

// lowerCap: 0 is no cap.
func lowerCap(a, b int) int {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}
