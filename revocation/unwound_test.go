package revocation_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// unwound is a page that says something in every member.
func unwound(t testing.TB) revocation.Unwound {
	at := func(n uint64) trust.Position { return trust.Position{Epoch: 1, N: n} }
	return revocation.Unwound{
		Root: revocation.Root{Kind: revocation.RootSubject, Participant: rxw(t), Subject: trust.SubjectKey{1}},
		End:  at(5), Seen: at(6), Page: 1, Pages: 2, Uncounted: true, By: "o1",
		Gone: []revocation.Limb{
			{Kind: revocation.LimbException, Name: "lab-feed", At: at(6)},
			{Kind: revocation.LimbSession, Permit: at(7), Reason: trust.SubjectRevoked, At: at(9)},
		},
		Left: []revocation.Limb{{Kind: revocation.LimbCredential, Name: "Zm9vYmFy"}},
	}
}

// What an unwinding found is recorded of a root that is named as one, by
// somebody, page by page; it changes nothing (R79).
func TestUnwind(t *testing.T) {
	ofKey := key(t, "https://rxw.example")
	for name, c := range map[string]struct {
		change func(*revocation.Unwound)
		want   trust.ErrorKind
	}{
		"a subject":   {func(*revocation.Unwound) {}, ""},
		"the last":    {func(u *revocation.Unwound) { u.Page = 2 }, ""},
		"nothing":     {func(u *revocation.Unwound) { u.Gone, u.Left = nil, nil }, ""},
		"as many":     {func(u *revocation.Unwound) { u.Gone = make([]revocation.Limb, revocation.MaxLimbs-1) }, ""},
		"by nobody":   {func(u *revocation.Unwound) { u.By = "" }, trust.Invalid},
		"page 0":      {func(u *revocation.Unwound) { u.Page = 0 }, trust.Invalid},
		"behind":      {func(u *revocation.Unwound) { u.Page = 3 }, trust.Invalid},
		"too many":    {func(u *revocation.Unwound) { u.Gone = make([]revocation.Limb, revocation.MaxLimbs) }, trust.Invalid},
		"no subject":  {func(u *revocation.Unwound) { u.Root.Subject = trust.SubjectKey{} }, trust.Invalid},
		"whose?":      {func(u *revocation.Unwound) { u.Root.Participant = trust.ParticipantID{} }, trust.Invalid},
		"and more":    {func(u *revocation.Unwound) { u.Root.Client = "ward-app" }, trust.Invalid},
		"a host":      {func(u *revocation.Unwound) { u.Root.Kind = "host" }, trust.Invalid},
		"a key":       {func(u *revocation.Unwound) { u.Root = rootOf(ofKey) }, ""},
		"no print":    {func(u *revocation.Unwound) { u.Root = rootOf(ofKey); u.Root.Thumbprint = "x" }, trust.Invalid},
		"an issuer":   {func(u *revocation.Unwound) { u.Root = rootOf(issuer(t)) }, ""},
		"no issuer":   {func(u *revocation.Unwound) { u.Root = rootOf(issuer(t)); u.Root.Issuer = trust.IssuerID{} }, trust.Invalid},
		"one paper":   {func(u *revocation.Unwound) { u.Root = revocation.Root{Kind: revocation.RootAgreement, Agreement: "a1"} }, ""},
		"no paper":    {func(u *revocation.Unwound) { u.Root = revocation.Root{Kind: revocation.RootAgreement} }, trust.Invalid},
		"a client":    {func(u *revocation.Unwound) { u.Root = revocation.Root{Kind: revocation.RootClient, Client: "app"} }, ""},
		"no client":   {func(u *revocation.Unwound) { u.Root = revocation.Root{Kind: revocation.RootClient} }, trust.Invalid},
		"two at once": {func(u *revocation.Unwound) { u.Root = rootOf(issuer(t)); u.Root.Thumbprint = ofKey.Thumbprint }, trust.Invalid},
	} {
		u := unwound(t)
		c.change(&u)
		events, err := revocation.State{}.Unwind(u)
		if trust.KindOf(err) != c.want || (err == nil) != (len(events) == 1) {
			t.Errorf("%s: %v, %v", name, events, err)
		}
		if err == nil && !reflect.DeepEqual(revocation.State{}.Apply(events[0], trust.Stamp{At: now}), revocation.State{}) {
			t.Errorf("%s changes the state", name)
		}
	}
}

func rootOf(t revocation.Target) revocation.Root {
	return revocation.Root{Kind: revocation.RootKind(t.Kind), Participant: t.Participant, Issuer: t.Issuer, Thumbprint: t.Thumbprint}
}

// A report of a leak says of what, of whose and by whom; the end of a session,
// which and by whom. Neither changes the state (R74, R81).
func TestReportsAndSessions(t *testing.T) {
	good := revocation.LeakReported{Token: "000102030405060708090a0b0c0d0e0f", Home: rxw(t), By: "o1"}
	for name, c := range map[string]struct {
		change func(*revocation.LeakReported)
		want   trust.ErrorKind
	}{
		"a token":      {func(*revocation.LeakReported) {}, ""},
		"a credential": {func(l *revocation.LeakReported) { l.Token, l.Credential = "", "Zm9v" }, ""},
		"both":         {func(l *revocation.LeakReported) { l.Credential = "Zm9v" }, trust.Invalid},
		"neither":      {func(l *revocation.LeakReported) { l.Token = "" }, trust.Invalid},
		"the token":    {func(l *revocation.LeakReported) { l.Token = "eyJhbGciOiJFUzI1NiJ9" }, trust.Invalid},
		"a short hash": {func(l *revocation.LeakReported) { l.Token = "0001" }, trust.Invalid},
		"nobody's":     {func(l *revocation.LeakReported) { l.Home = trust.ParticipantID{} }, trust.Invalid},
		"by nobody":    {func(l *revocation.LeakReported) { l.By = "" }, trust.Invalid},
	} {
		l := good
		c.change(&l)
		events, err := revocation.State{}.ReportLeak(l)
		if trust.KindOf(err) != c.want || (err == nil) != (len(events) == 1) {
			t.Errorf("%s: %v, %v", name, events, err)
		}
	}
	at := trust.Position{Epoch: 1, N: 7}
	for _, e := range []revocation.SessionStopped{{Permit: at}, {By: "o1"}} {
		if _, err := (revocation.State{}).StopSession(e); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%+v: %v", e, err)
		}
	}
	if e := (revocation.SessionStopped{Permit: at, By: "o1"}); !reflect.DeepEqual(revocation.State{}.Apply(e, trust.Stamp{At: now}), revocation.State{}) {
		t.Errorf("%s changes the state", e.EventKind())
	}
	var s revocation.State
	for i := range revocation.MaxLeaks + 5 { // each twice; it counts from the first report on
		l := good
		l.Token = fmt.Sprintf("%032x", i)
		if s.Leaked(&l) {
			t.Fatalf("leak %d is known before it is reported", i)
		}
		s = s.Apply(l, trust.Stamp{At: now + int64(i)}).Apply(l, trust.Stamp{At: now + 5000})
	}
	if n := len(s.Leaks); n != revocation.MaxLeaks || s.Leaks[0].At != now+5 || s.Leaks[n-1].At != now+int64(n)+4 {
		t.Errorf("%d leaks are known, from %d on", n, s.Leaks[0].At)
	}
}
