package decision_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write golden files and docs/reasons.md anew")

func TestHowLongAnAnswerMayBeReliedOn(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*scene)
		want   int64
	}{
		"removal target":       {func(*scene) {}, 5},
		"what is left of view": {func(sc *scene) { sc.observed.PartnerAge = 58 }, 2},
		"view at its bound":    {func(sc *scene) { sc.observed.PartnerAge = 60 }, 0},
		"the line's limit":     {func(sc *scene) { sc.line().MaxTTL = 3 }, 3},
		"the token's end":      {func(sc *scene) { sc.claim(object{"exp": now + 4}) }, 4},
		"the statement's end":  {func(sc *scene) { sc.observed.StatementEnd = now + 1 }, 1},
		"the credential's end": {func(sc *scene) { tier(sc, func(r *framework.TierRule) { r.MaxCredentialTTL = 2 }) }, 2},
		"single use":           {func(sc *scene) { sc.idToken(); sc.line().SingleUse = true }, 0},
	} {
		sc := newScene()
		c.change(sc)
		d := sc.decide()
		if !d.Permit || d.TTL != c.want {
			t.Errorf("%s: %s for %d s, want %d", name, d.Reason, d.TTL, c.want)
		}
		// A remembered decision is relied on no longer than one made anew.
		for later := range int64(8) {
			sc.observed.Now, sc.observed.PartnerAge = now+later, sc.observed.PartnerAge+1
			if again := sc.decide(); again.Permit && d.TTLAt(&sc.observed) != again.TTL {
				t.Errorf("%s, %d s later: for %d s, made anew %d", name, later, d.TTLAt(&sc.observed), again.TTL)
			}
		}
	}
}

// A value that owes single use is burned on permit and on deny, once the token
// stands before the service it is for.
func TestBurn(t *testing.T) {
	once := func(sc *scene) { sc.idToken(); sc.line().SingleUse = true }
	for name, c := range map[string]struct {
		change func(*scene)
		burns  bool
	}{
		"permit":                       {once, true},
		"denied later":                 {func(sc *scene) { once(sc); sc.request.Purpose = "HRESCH" }, true},
		"used before":                  {func(sc *scene) { once(sc); sc.observed.Replayed = true }, false},
		"no single use":                {func(sc *scene) { sc.idToken() }, false},
		"single use at another":        {func(sc *scene) { once(sc); sc.line().Audience = letters }, false},
		"agreement has ended":          {func(sc *scene) { once(sc); sc.stage = agreement.Ended }, false},
		"at another service":           {func(sc *scene) { once(sc); sc.claim(object{"aud": letters}) }, false},
		"expired":                      {func(sc *scene) { once(sc); sc.claim(object{"exp": now}) }, false},
		"access token cannot be burnt": {func(sc *scene) { sc.line().SingleUse = true }, false},
	} {
		sc := newScene()
		c.change(sc)
		d := sc.decide()
		if (len(d.Burn) == 1) != c.burns || c.burns && (d.Burn[0].Edge != rxw || d.Burn[0].Expires != now+214) {
			t.Errorf("%s: burns %v, want %t (%s)", name, d.Burn, c.burns, d.Reason)
		}
	}
}

// A DPoP proof is used up by whatever is decided, unless it was used before, and
// no permit beside one may be given again.
func TestBurnProof(t *testing.T) {
	once := func(sc *scene) { sc.idToken(); sc.line().SingleUse = true; prove(sc, nil) }
	for name, c := range map[string]struct {
		change func(*scene)
		burns  int
	}{
		"permit":                    {func(sc *scene) { prove(sc, nil) }, 1},
		"denied by the first check": {func(sc *scene) { prove(sc, nil); sc.observed.StatementEnd = now }, 1},
		"denied later":              {func(sc *scene) { prove(sc, nil); sc.request.Purpose = "HRESCH" }, 1},
		"stale nonce":               {func(sc *scene) { prove(sc, object{"nonce": "n"}); sc.observed.Nonce = decision.StaleNonce }, 1},
		"used before":               {func(sc *scene) { prove(sc, nil); sc.observed.ProofReplayed = true }, 0},
		"quota full":                {func(sc *scene) { prove(sc, nil); sc.observed.QuotaFull = true }, 0},
		"refused":                   {func(sc *scene) { prove(sc, object{"htm": "PUT"}) }, 0},
		"with a token of one use":   {once, 2},
		"with a token used before":  {func(sc *scene) { once(sc); sc.observed.Replayed = true }, 1},
		"no proof":                  {func(*scene) {}, 0},
	} {
		sc := newScene()
		c.change(sc)
		if d := sc.decide(); len(d.Burn) != c.burns || c.burns > 0 && (d.Burn[0].Edge != rxw || d.Burn[0].Expires != now+60 || d.TTL != 0 || d.Limit != 0) {
			t.Errorf("%s: burns %v, want %d (%s for %d s)", name, d.Burn, c.burns, d.Reason, d.TTL)
		}
	}
}

// The lines of an agreement, and the agreements of a pair, are alternatives: one
// that does not carry the request hides no other.
func TestLinesAndAgreementsAreAlternatives(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*scene)
		want   trust.Reason
	}{
		"a line for another role before it": {func(sc *scene) {
			sc.agreements[0].Accepts = slices.Insert(sc.agreements[0].Accepts, 0, sc.agreements[0].Accepts[0])
			sc.line().Roles = []string{"R0002"}
		}, trust.Permit},
		"a line that needs more before it": {func(sc *scene) {
			sc.agreements[0].Accepts = slices.Insert(sc.agreements[0].Accepts, 0, sc.agreements[0].Accepts[0])
			sc.line().Needs = needs(framework.Attestation, "workload")
		}, trust.Permit},
		"a single-use line before it": {func(sc *scene) {
			sc.agreements[0].Accepts = slices.Insert(sc.agreements[0].Accepts, 0, sc.agreements[0].Accepts[0])
			sc.line().SingleUse = true
		}, trust.Permit},
		"an ended agreement before it": {func(sc *scene) {
			sc.agreements = []agreement.Document{staffAgreement(), staffAgreement()}
			sc.agreements[0].Ends = trust.Instant(now)
			sc.mappings[0].Name = "of-the-second"
			sc.more = append(sc.more, mapping.Offered{Document: renamed(sc.mappings[0]), Agreement: agreementID(1)}, mapping.Approved{Name: "second"})
		}, trust.Permit},
		"mapping of another agreement": {func(sc *scene) {
			sc.agreements = []agreement.Document{staffAgreement(), staffAgreement()}
			sc.agreements[0].Ends = trust.Instant(now)
		}, trust.NoMapping},
		"the closest line gives the reason": {func(sc *scene) {
			sc.agreements[0].Accepts[1].Class, sc.agreements[0].Accepts[1].Subjects = trust.Human, nil
			sc.agreements[0].Accepts[1].Actions = []trust.Action{"write"}
			sc.request.Purpose = "HRESCH"
		}, trust.PurposeNotCovered},
		"a live agreement gives the reason": {func(sc *scene) {
			sc.agreements = []agreement.Document{staffAgreement(), staffAgreement()}
			sc.agreements[1].Ends = trust.Instant(now)
			sc.request.Action = "write"
		}, trust.ActionNotCovered},
	} {
		sc := newScene()
		c.change(sc)
		if d := sc.decide(); d.Reason != c.want {
			t.Errorf("%s: %s, want %s", name, d.Reason, c.want)
		}
	}
}

func renamed(d mapping.Document) mapping.Document {
	d.Name = "second"
	return d
}

// Evidence that nobody verified decides nothing, whatever stands in it.
func TestForgedEvidenceIsNone(t *testing.T) {
	sc := newScene()
	s := sc.snapshot()
	good := sc.verify(s)
	for name, c := range map[string]struct {
		ev   decision.Evidence
		want trust.Reason
	}{
		"zero":                   {decision.Evidence{}, trust.NoEvidence},
		"without a participant":  {decision.Evidence{Evidence: evidence.Evidence{Issuer: good.Issuer, Subject: "x", Class: trust.Human}}, trust.NoEvidence},
		"with a fault beside it": {decision.Evidence{Evidence: good.Evidence, Fault: &evidence.Fault{Reason: trust.BadSignature, Text: "x"}}, trust.BadSignature},
		"of somebody unknown":    {foreign(good), trust.ParticipantUnknown},
	} {
		if d := decision.Decide(s, sc.observed, c.ev, sc.request); d.Permit || d.Reason != c.want {
			t.Errorf("%s: %s, want %s", name, d.Reason, c.want)
		}
	}
	if d := decision.Decide(&state.Snapshot{}, sc.observed, good, sc.request); d.Permit {
		t.Error("a node that is not born permits")
	}
}

func foreign(ev decision.Evidence) decision.Evidence {
	ev.Participant = org("unknown")
	return ev
}

// What explain shows, for a permit and for three denials.
func TestExplainGolden(t *testing.T) {
	var out strings.Builder
	for _, c := range []struct {
		name   string
		change func(*scene)
	}{
		{"permit", func(*scene) {}},
		{"stale", func(sc *scene) { sc.observed.PartnerAge = 83 }},
		{"foreign audience", func(sc *scene) { sc.claim(object{"aud": "https://other.example"}) }},
		{"bad token", func(sc *scene) { sc.claim(object{"sub": 7}) }},
		{"no framework", dropped[framework.Adopted]},
	} {
		sc := newScene()
		c.change(sc)
		s := sc.snapshot()
		d := decision.Explain(s, sc.observed, sc.verify(s), sc.request)
		fmt.Fprintf(&out, "%s: %s\n", c.name, d.Reason)
		for i, check := range d.Checks {
			decided := ""
			if i == d.Decided {
				decided = " ←"
			}
			fmt.Fprintf(&out, "  %-11s %-12s %s%s\n", check.Result, check.Name, check.Text, decided)
		}
	}
	golden(t, "testdata/explain.txt", out.String())
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(must(os.ReadFile(path))); got != want {
		t.Errorf("%s is stale; run this test with -update:\n%s", path, got)
	}
}
