package revocation_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// now is the time of the tests, Unix seconds.
const now = 1_780_000_000

const thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

func id(t testing.TB, s string) trust.ParticipantID {
	t.Helper()
	p, err := trust.ParseParticipantID(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func rxw(t testing.TB) trust.ParticipantID { return id(t, "https://rxw.example") }
func rje(t testing.TB) trust.ParticipantID { return id(t, "https://rje.example") }

func idp(t testing.TB) trust.IssuerID {
	t.Helper()
	i, err := trust.ParseIssuerID("https://idp.rxw.example")
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func subject(t testing.TB, n byte, engagement trust.Engagement) revocation.Target {
	return revocation.Target{Kind: revocation.Subject, Participant: rxw(t), Subject: trust.SubjectKey{n}, Engagement: engagement}
}

func key(t testing.TB, participant string) revocation.Target {
	return revocation.Target{Kind: revocation.Key, Participant: id(t, participant), Issuer: idp(t), Thumbprint: thumbprint}
}

func issuer(t testing.TB) revocation.Target {
	return revocation.Target{Kind: revocation.Issuer, Participant: rxw(t), Issuer: idp(t)}
}

func apply(t testing.TB, s revocation.State) func([]trust.Event, error) revocation.State {
	return func(events []trust.Event, err error) revocation.State {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			s = s.Apply(e, trust.Stamp{At: now})
		}
		return s
	}
}

// revoked is the state after the home said that the target has ended.
func revoked(t testing.TB, s revocation.State, target revocation.Target) revocation.State {
	t.Helper()
	return apply(t, s)(s.Revoke(revocation.Facts{Self: rje(t), Sole: true}, revocation.Revoked{Target: target, From: target.Participant}))
}

func opened(t testing.TB, engagement trust.Engagement, since int64) revocation.EngagementOpened {
	return revocation.EngagementOpened{Participant: rxw(t), Subject: trust.SubjectKey{1}, Engagement: engagement, Since: since, From: rxw(t)}
}

// verdict is that on a token of subject n, issued at iat.
func verdict(t testing.TB, s revocation.State, n byte, iat int64) trust.Reason {
	t.Helper()
	reason, ended := s.Verdict(rxw(t).String(), idp(t).String(), thumbprint, trust.SubjectKey{n}, iat)
	if ended != (reason != "") {
		t.Errorf("ended is %t with the reason %q", ended, reason)
	}
	return reason
}

func wants(t *testing.T, what string, kind trust.ErrorKind, events []trust.Event, err error) {
	t.Helper()
	if trust.KindOf(err) != kind || len(events) > 0 {
		t.Errorf("%s: got %v, %v; want %s", what, events, err, kind)
	}
}

// R35, R73, scenario 1: offboarded, issued anew, rehired.
func TestLifeOfASubject(t *testing.T) {
	var s revocation.State
	is := func(what string, iat int64, want trust.Reason) {
		t.Helper()
		if got := verdict(t, s, 1, iat); got != want {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	is("before anything", now, "")
	s = revoked(t, s, subject(t, 1, 1))
	is("offboarded", now-5, trust.SubjectRevoked)
	for i := range int64(1000) { // the identifier is issued again and again
		is("issued anew", now+i, trust.SubjectRevoked)
	}
	if got := verdict(t, s, 2, now); got != "" {
		t.Errorf("somebody else is %q", got)
	}
	s = apply(t, s)(s.Open(revocation.Facts{Self: rje(t)}, opened(t, 2, now+50), now))
	is("rehired, not approved here", now+60, trust.SubjectRevoked)
	if e, since := s.Current(trust.SubjectKey{1}); e != 1 || since != 0 {
		t.Errorf("current is %d since %d", e, since)
	}
	if e, since, ok := s.Opened(trust.SubjectKey{1}); e != 2 || since != now+50 || !ok {
		t.Errorf("opened is %d since %d, %t", e, since, ok)
	}
	s = apply(t, s)(s.Approve(trust.SubjectKey{1}, "o1"))
	is("approved", now+50, "")
	is("a token of the ended engagement", now+49, trust.EngagementEnded)
	if e, since := s.Current(trust.SubjectKey{1}); e != 2 || since != now+50 {
		t.Errorf("current is %d since %d", e, since)
	}
	before := s
	s = revoked(t, s, subject(t, 1, 1)) // it comes once more
	is("the first ended again", now+60, "")
	s = revoked(t, s, subject(t, 1, 2))
	is("offboarded again", now+60, trust.SubjectRevoked)
	if got := verdict(t, before, 1, now+60); got != "" {
		t.Errorf("the older state changed to %q", got)
	}
	if ended, ok := s.Ended(trust.SubjectKey{1}); ended != 2 || !ok {
		t.Errorf("ended is %d, %t", ended, ok)
	}
}

// Ending engagement n ends all up to n, whatever was known of them.
func TestEndingALaterEngagementEndsTheEarlier(t *testing.T) {
	s := revoked(t, revocation.State{}, subject(t, 1, 5))
	if events, err := s.Revoke(revocation.Facts{}, revocation.Revoked{Target: subject(t, 1, 4), By: "o1"}); events != nil || err != nil {
		t.Errorf("an earlier one gave %v, %v", events, err)
	}
	for _, n := range []trust.Engagement{1, 2, 5, 7} {
		events, err := s.Open(revocation.Facts{}, opened(t, n, now), now)
		wants(t, "opening another than the next", trust.Conflict, events, err)
	}
	s = apply(t, s)(s.Open(revocation.Facts{}, opened(t, 6, now), now))
	s = revoked(t, s, subject(t, 1, 6))
	events, err := s.Approve(trust.SubjectKey{1}, "o1")
	wants(t, "approving what ended meanwhile", trust.NotFound, events, err)
}

func TestOpen(t *testing.T) {
	s := revoked(t, revocation.State{}, subject(t, 1, 1))
	host := revocation.Facts{Self: rje(t)}
	open := func(f revocation.Facts, change func(*revocation.EngagementOpened)) ([]trust.Event, error) {
		o := opened(t, 2, now)
		change(&o)
		return s.Open(f, o, now)
	}
	for what, c := range map[string]struct {
		kind   trust.ErrorKind
		change func(*revocation.EngagementOpened)
	}{
		"from another participant": {trust.Denied, func(o *revocation.EngagementOpened) { o.From = id(t, "https://r0a.example") }},
		"by a local operator":      {trust.Denied, func(o *revocation.EngagementOpened) { o.From, o.By = trust.ParticipantID{}, "o1" }},
		"from nobody":              {trust.Invalid, func(o *revocation.EngagementOpened) { o.From = trust.ParticipantID{} }},
		"from two":                 {trust.Invalid, func(o *revocation.EngagementOpened) { o.By = "o1" }},
		"of nobody":                {trust.Invalid, func(o *revocation.EngagementOpened) { o.Subject = trust.SubjectKey{} }},
		"at no time":               {trust.Invalid, func(o *revocation.EngagementOpened) { o.Since = 0 }},
		"in the future":            {trust.Invalid, func(o *revocation.EngagementOpened) { o.Since = now + 61 }},
		"of a subject in its first": {trust.Conflict, func(o *revocation.EngagementOpened) {
			o.Subject, o.Engagement = trust.SubjectKey{9}, 1
		}},
		"not the next": {trust.Conflict, func(o *revocation.EngagementOpened) { o.Engagement = 3 }},
	} {
		events, err := open(host, c.change)
		wants(t, what, c.kind, events, err)
	}
	home := revocation.Facts{Self: rxw(t)}
	if events, err := open(home, func(o *revocation.EngagementOpened) { o.From, o.By = trust.ParticipantID{}, "o1" }); len(events) != 1 || err != nil {
		t.Errorf("at home: %v, %v", events, err)
	}
	s = apply(t, s)(s.Open(host, opened(t, 2, now), now))
	if events, err := s.Open(host, opened(t, 2, now), now); events != nil || err != nil {
		t.Errorf("the same again gave %v, %v", events, err)
	}
	events, err := s.Approve(trust.SubjectKey{1}, "")
	wants(t, "approved by nobody", trust.Invalid, events, err)
	s = apply(t, s)(s.Approve(trust.SubjectKey{1}, "o1"))
	if events, err := s.Open(host, opened(t, 2, now), now); events != nil || err != nil {
		t.Errorf("the same after approval gave %v, %v", events, err)
	}
	events, err = s.Open(host, opened(t, 2, now-1000), now)
	wants(t, "another beginning after approval", trust.Conflict, events, err)
	s = revoked(t, s, subject(t, 1, math.MaxUint32))
	events, err = s.Open(host, opened(t, 0, now), now)
	wants(t, "after the last number", trust.Conflict, events, err)
}

func TestKeysAndIssuers(t *testing.T) {
	s := revoked(t, revocation.State{}, key(t, "https://rxw.example"))
	if got := verdict(t, s, 1, now); got != trust.KeyRevoked {
		t.Errorf("got %q", got)
	}
	if s.KeyRevoked("https://idp.other.example", thumbprint) || s.KeyRevoked(idp(t).String(), "") {
		t.Error("another issuer's key is revoked")
	}
	s = revoked(t, s, issuer(t))
	if got := verdict(t, s, 1, now); got != trust.IssuerRevoked {
		t.Errorf("got %q", got)
	}
	if reason, ended := s.Verdict(rje(t).String(), idp(t).String(), "", trust.SubjectKey{1}, now); ended {
		t.Errorf("the issuer speaks for another participant: %s", reason)
	}
	for _, target := range []revocation.Target{key(t, "https://rxw.example"), issuer(t)} {
		if events, err := s.Revoke(revocation.Facts{}, revocation.Revoked{Target: target, By: "o1"}); events != nil || err != nil {
			t.Errorf("revoking a %s again gave %v, %v", target.Kind, events, err)
		}
	}
}

func TestRevokeRefuses(t *testing.T) {
	with := func(t revocation.Target, change func(*revocation.Target)) revocation.Target { change(&t); return t }
	type target = revocation.Target
	for what, c := range map[string]struct {
		kind   trust.ErrorKind
		target target
		from   trust.ParticipantID
		by     string
	}{
		"another's subject":        {trust.Denied, subject(t, 1, 1), rje(t), ""},
		"another's issuer":         {trust.Denied, issuer(t), rje(t), ""},
		"a key that many use":      {trust.Denied, key(t, "https://rxw.example"), rxw(t), ""},
		"from nobody":              {trust.Invalid, issuer(t), trust.ParticipantID{}, ""},
		"from two":                 {trust.Invalid, issuer(t), rxw(t), "o1"},
		"of no kind":               {trust.Invalid, target{Participant: rxw(t)}, rxw(t), ""},
		"of nobody's":              {trust.Invalid, with(issuer(t), func(x *target) { x.Participant = trust.ParticipantID{} }), trust.ParticipantID{}, "o1"},
		"a subject without one":    {trust.Invalid, with(subject(t, 1, 1), func(x *target) { x.Subject = trust.SubjectKey{} }), rxw(t), ""},
		"no engagement":            {trust.Invalid, subject(t, 1, 0), rxw(t), ""},
		"a subject and an issuer":  {trust.Invalid, with(subject(t, 1, 1), func(x *target) { x.Issuer = idp(t) }), rxw(t), ""},
		"a key without thumbprint": {trust.Invalid, with(key(t, "https://rxw.example"), func(x *target) { x.Thumbprint = "" }), rxw(t), ""},
		"half a thumbprint":        {trust.Invalid, with(key(t, "https://rxw.example"), func(x *target) { x.Thumbprint = thumbprint[:42] }), rxw(t), ""},
		"an issuer and a key":      {trust.Invalid, with(issuer(t), func(x *target) { x.Thumbprint = thumbprint }), rxw(t), ""},
		"an issuer and a subject":  {trust.Invalid, with(issuer(t), func(x *target) { x.Engagement = 1 }), rxw(t), ""},
	} {
		events, err := revocation.State{}.Revoke(revocation.Facts{Self: rje(t)}, revocation.Revoked{Target: c.target, From: c.from, By: c.by})
		wants(t, what, c.kind, events, err)
	}
	if events, err := (revocation.State{}).Revoke(revocation.Facts{}, revocation.Revoked{Target: key(t, "https://rxw.example"), By: "o1"}); len(events) != 1 || err != nil {
		t.Errorf("a local operator and a key that many use: %v, %v", events, err)
	}
}

// R35, R73: no order of events, repeated and reordered as they may come, gives
// an ended engagement back.
func TestNothingRevives(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var s revocation.State
		highest, before := trust.Engagement(0), trust.Engagement(1)
		for range rapid.IntRange(20, 60).Draw(r, "events") {
			n := trust.Engagement(rapid.IntRange(1, 3).Draw(r, "engagement"))
			switch rapid.IntRange(0, 2).Draw(r, "kind") {
			case 0:
				s, highest = s.Apply(revocation.Revoked{Target: subject(t, 1, n)}, trust.Stamp{At: now}), max(highest, n)
			case 1:
				s = s.Apply(opened(t, n, now+int64(n)), trust.Stamp{At: now})
			case 2:
				s = s.Apply(revocation.EngagementApproved{Subject: trust.SubjectKey{1}, Engagement: n}, trust.Stamp{At: now})
			}
			current, since := s.Current(trust.SubjectKey{1})
			ended, _ := s.Ended(trust.SubjectKey{1})
			reason := verdict(t, s, 1, since-1)
			if ended != highest || current <= highest && highest > 0 && reason != trust.SubjectRevoked {
				r.Fatalf("current %d, ended %d of %d, verdict %q", current, ended, highest, reason)
			}
			if current < before {
				r.Fatalf("engagement %d follows %d", current, before)
			}
			before = current
			if current > 1 && current > highest && reason != trust.EngagementEnded {
				r.Fatalf("a token older than engagement %d is %q", current, reason)
			}
		}
	})
}

// The fold itself goes back to no engagement, whatever the commands let through.
func TestApprovalOfAnEarlierEngagementChangesNothing(t *testing.T) {
	approve := func(s revocation.State, n trust.Engagement) revocation.State {
		s = s.Apply(opened(t, n, now), trust.Stamp{At: now})
		return s.Apply(revocation.EngagementApproved{Subject: trust.SubjectKey{1}, Engagement: n}, trust.Stamp{At: now})
	}
	if current, _ := approve(approve(revocation.State{}, 3), 2).Current(trust.SubjectKey{1}); current != 3 {
		t.Errorf("engagement 2 after 3: current is %d", current)
	}
	if current, _ := approve(revoked(t, revocation.State{}, subject(t, 1, 3)), 2).Current(trust.SubjectKey{1}); current != 1 {
		t.Errorf("engagement 2 after the end of 3: current is %d", current)
	}
}

func TestLargeStateReadsBack(t *testing.T) {
	s := many(t, 10_000)
	data, err := canonical.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var read revocation.State
	if err := canonical.Decode(data, &read); err != nil || read.Tombstones.Len() != 10_000 {
		t.Errorf("read %d tombstones, %v", read.Tombstones.Len(), err)
	}
}

func many(t testing.TB, n int) revocation.State {
	var s revocation.State
	target := subject(t, 0, 1)
	for i := range n {
		binary.BigEndian.PutUint64(target.Subject[:], uint64(i+1)*0x9e3779b97f4a7c15)
		s = s.Apply(revocation.Revoked{Target: target}, trust.Stamp{At: now})
	}
	return s
}

func BenchmarkApplyTo100kTombstones(b *testing.B) {
	s := many(b, 100_000)
	e := revocation.Revoked{Target: subject(b, 77, 1)}
	b.ReportAllocs()
	for b.Loop() {
		if s.Apply(e, trust.Stamp{At: now}).Tombstones.Len() != 100_001 {
			b.Fatal("not applied")
		}
	}
}

func BenchmarkVerdictOn100kTombstones(b *testing.B) {
	s := many(b, 100_000)
	participant, issuer := rxw(b).String(), idp(b).String()
	b.ReportAllocs()
	for b.Loop() {
		if _, ended := s.Verdict(participant, issuer, thumbprint, trust.SubjectKey{77}, now); ended {
			b.Fatal("ended")
		}
	}
}

// A credential that was given back stays so until it would have expired, and is
// forgotten some time after that.
func TestGivenBackCredentials(t *testing.T) {
	var s revocation.State
	give := func(id string, at, expires int64) {
		events, err := s.RevokeCredential(id, expires, "app")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			s = s.Apply(e, trust.Stamp{At: at})
		}
	}
	const life = 900
	alive := map[string]int64{}
	for i := range int64(200) {
		at, id := now+i*60, fmt.Sprint("credential-", i)
		give(id, at, at+life-i%7)
		alive[id] = at + life - i%7
		for id, expires := range alive {
			if at < expires && !s.CredentialRevoked(id) {
				t.Fatalf("at %d credential %s, which expires at %d, was forgotten", at, id, expires)
			}
		}
		if kept := s.Credentials.Expires.Len() + s.Past.Expires.Len(); kept > 3*life/60 {
			t.Fatalf("at %d there are %d marks", at, kept)
		}
	}
	if s.CredentialRevoked("credential-0") || s.CredentialRevoked("another") {
		t.Error("one that expired long ago, or never was, is still marked")
	}
	old := s.Apply(revocation.CredentialRevoked{Credential: "undated", By: "app"}, trust.Stamp{At: now})
	for _, at := range []int64{now + 86400, now + 2*86400, now + 3*86400} {
		old = old.Apply(revocation.CredentialRevoked{Credential: fmt.Sprint(at), By: "app", Expires: at + life}, trust.Stamp{At: at})
	}
	if !old.CredentialRevoked("undated") {
		t.Error("one whose entry says no expiry was forgotten within days")
	}
	before := s
	give("once", now+200*60, now+201*60)
	if events, err := s.RevokeCredential("once", now+201*60, "app"); events != nil || err != nil || before.CredentialRevoked("once") {
		t.Errorf("giving back again gave %v, %v", events, err)
	}
	for _, c := range []struct {
		id, by  string
		expires int64
	}{{"", "app", now}, {"c", "", now}, {"c", "app", 0}} {
		events, err := s.RevokeCredential(c.id, c.expires, c.by)
		wants(t, "an incomplete one", trust.Invalid, events, err)
	}
}
