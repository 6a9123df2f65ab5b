package decision_test

import (
	"reflect"
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// drawn is a scene with up to three deviations at once.
func drawn(t *rapid.T) *scene {
	sc := newScene()
	for _, c := range rapid.SliceOfN(rapid.SampledFrom(deviations()), 0, 3).Draw(t, "deviations") {
		attempt(sc, c.change)
	}
	return sc
}

// attempt changes the scene as far as what an earlier deviation took away allows.
func attempt(sc *scene, change func(*scene)) {
	defer func() { _ = recover() }()
	change(sc)
}

// The same question has the same answer, also from a snapshot that came back
// from its checkpoint.
func TestDecisionIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sc := drawn(t)
		s := sc.snapshot()
		ev := sc.verify(s)
		first := decision.Decide(s, sc.observed, ev, sc.request)
		var restored state.Snapshot
		if err := json.Unmarshal(must(json.Marshal(s)), &restored); err != nil {
			t.Fatal(err)
		}
		for _, snapshot := range []*state.Snapshot{s, &restored} {
			if again := decision.Decide(snapshot, sc.observed, ev, sc.request); !reflect.DeepEqual(again, first) {
				t.Fatalf("decided\n%+v and then\n%+v", first, again)
			}
		}
	})
}

// Whatever reduces trust never turns a denial into a permit.
func TestReductionsNeverPermit(t *testing.T) {
	reductions := []trust.Event{
		revocation.Revoked{Target: revocation.Target{Kind: revocation.Subject, Participant: rxw, Subject: trust.SubjectKey{7, 15, 3}, Engagement: 1}},
		revocation.Revoked{Target: revocation.Target{Kind: revocation.Key, Participant: rxw, Issuer: idp, Thumbprint: key().Key().Thumbprint()}},
		revocation.Revoked{Target: revocation.Target{Kind: revocation.Issuer, Participant: rxw, Issuer: idp}},
		revocation.EngagementOpened{Participant: rxw, Subject: trust.SubjectKey{7, 15, 3}, Engagement: 2, Since: now, From: rxw},
		participant.Suspended{Participant: rxw, By: "admin"},
		participant.Suspended{Participant: rje, From: rxw},
		suspension.Suspended{Target: subjectOf(3), By: "admin", Expires: now + 7},
		suspension.Suspended{Target: subjectOf(3), From: rxw},
		suspension.Suspended{Target: suspension.Target{Kind: suspension.Coverage, Action: "read"}, By: "admin", Expires: now + 7},
		suspension.ResumeAsked{Target: subjectOf(3), By: "admin", Until: now + 7},
		agreement.Moved{ID: agreementID(0), To: agreement.Suspended, By: "admin"},
		agreement.Moved{ID: agreementID(0), To: agreement.Ended, From: rxw},
		mapping.Closed{Name: "rxw-nurse", By: "admin"},
		edge.Broken{From: rxw, Lane: edge.Governance, Rule: "number"},
		service.Removed{Name: "ward-records", By: "admin"},
		participant.KeysSeen{Issuer: idp, Keys: []byte(`{"keys":[]}`)},
	}
	rapid.Check(t, func(t *rapid.T) {
		sc := drawn(t)
		before := sc.decide()
		e := rapid.SampledFrom(reductions).Draw(t, "reduction")
		sc.more = append(sc.more, e)
		if after := sc.decide(); after.Permit && !before.Permit {
			t.Fatalf("%T turned %s into a permit", e, before.Reason)
		}
	})
}

// Before its bound time alone turns no decision, so that a verdict may be kept
// until then.
func TestTimeTurnsNothingBeforeTheBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sc := drawn(t)
		if rapid.Bool().Draw(t, "soon") {
			sc.agreements[0].Ends = trust.Instant(now + rapid.Int64Range(-2, 300).Draw(t, "ends"))
			sc.agreements[0].Starts = trust.Instant(now + rapid.Int64Range(-2, 300).Draw(t, "starts"))
			sc.framework.Expires = trust.Instant(now + rapid.Int64Range(-2, 300).Draw(t, "expires"))
			sc.claim(object{"auth_time": now - 12*3600 + rapid.Int64Range(-2, 300).Draw(t, "signed in")})
			for i := range sc.mappings {
				sc.mappings[i].Expires = trust.Instant(now + rapid.Int64Range(-2, 300).Draw(t, "mapping"))
			}
		}
		s := sc.snapshot()
		ev := sc.verify(s)
		d := decision.Decide(s, sc.observed, ev, sc.request)
		if ev.Fault != nil || ev.Chain != nil && ev.Chain.Fault != nil {
			if d.Bound != now {
				t.Fatalf("a fault holds until %d", d.Bound)
			}
			return
		}
		later := sc.observed
		later.Now = rapid.Int64Range(now, min(d.Bound-1, now+1000)).Draw(t, "later")
		if again := decision.Decide(s, later, ev, sc.request); again.Reason != d.Reason {
			t.Fatalf("%s became %s %d s later, before the bound in %d s", d.Reason, again.Reason, later.Now-now, d.Bound-now)
		}
		if d.Permit && d.TTL > d.Bound-now {
			t.Fatalf("may be relied on for %d s, turns in %d s", d.TTL, d.Bound-now)
		}
	})
}

// An agreement that ends at 12:00:00Z denies at 12:00:00, with a token that is
// good for ten more minutes (scenario 9).
func TestAgreementEndsOnTheSecond(t *testing.T) {
	for at, want := range map[int64]trust.Reason{int64(ends) - 1: trust.Permit, int64(ends): trust.AgreementEnded} {
		sc := newScene()
		sc.observed.Now, sc.observed.StatementEnd = at, at+3600
		sc.mappings[0].Expires = ends + 3600
		sc.claim(object{"iat": at - 60, "exp": at + 600, "auth_time": at - 60})
		if d := sc.decide(); d.Reason != want || d.Permit && (d.Bound != int64(ends) || d.TTL != 1) {
			t.Errorf("%s: %s until %d for %d s, want %s", trust.Instant(at), d.Reason, d.Bound, d.TTL, want)
		}
	}
}

// Every entry that the permit rests on is needed: without any one of them it is
// a denial (R4, R40).
func TestEveryEntryIsNeeded(t *testing.T) {
	idle := map[int]bool{}
	for i, e := range newScene().events() {
		switch e := e.(type) {
		case participant.Declared, service.EnforcementPointAdded:
			idle[i] = true
		case participant.Confirmed:
			idle[i] = string(e.Card.Bytes) == string(card(r0a).Bytes)
		case participant.KeysSeen:
			idle[i] = e.Issuer != idp
		case service.Registered:
			idle[i] = e.Document.Name == "letters"
		}
	}
	for i := range newScene().events() {
		sc, n := newScene(), -1
		sc.drop = func(trust.Event) bool { n++; return n == i }
		if d := sc.decide(); d.Permit != idle[i] {
			t.Errorf("without entry %d (%T) it is %s", i, sc.events()[i], d.Reason)
		}
	}
}
