package exception_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/exception"
	"github.com/entente-id/entente/trust"
)

// now is the time of the tests, Unix seconds.
const now = 1_780_000_000

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	rxw = must(trust.ParseParticipantID("https://rxw.example"))
	idp = must(trust.ParseIssuerID("https://idp.rxw.example"))
)

func labFeed() exception.Document {
	return exception.Document{
		Kind: "Exception", Name: "lab-feed-2026", Waives: exception.SharedSecret, Secret: exception.APIKey, Participant: rxw, Issuer: idp,
		Account: "lab-feed", Service: "ward-records", Owner: "op-1", Reason: "the analyser speaks nothing newer",
		CompensatingControl: "a tunnel of its own", Expires: now + 86400,
	}
}

func facts() exception.Facts {
	return exception.Facts{
		Limit:      7 * 86400,
		Answers:    func(p trust.ParticipantID, i trust.IssuerID) bool { return p == rxw && i == idp },
		IsService:  func(name string) bool { return name == "ward-records" },
		IsOperator: func(id string) bool { return id == "op-1" },
	}
}

var hash = [16]byte{1}

func granted(t *testing.T) exception.State {
	t.Helper()
	events, err := exception.State{}.Grant(facts(), labFeed(), hash, "op-1", now)
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	return exception.State{}.Apply(events[0], trust.Stamp{Position: trust.Position{Epoch: 1, N: 9}, At: now})
}

// R21: an exception lives from its grant to its end, or until somebody ends it.
func TestLife(t *testing.T) {
	s := granted(t)
	x, ok := s.Get("lab-feed-2026")
	bySecret, found := s.BySecret(hash)
	if !ok || !found || bySecret.Name != x.Name || x.Since != now || x.At.N != 9 || x.Account != "lab-feed" {
		t.Fatalf("got %+v", x)
	}
	for at, alive := range map[int64]bool{now: true, now + 86399: true, now + 86400: false, now + 90000: false} {
		if x.Alive(at) != alive {
			t.Errorf("at %d it is alive: %t", at-now, !alive)
		}
	}
	events, err := s.End("lab-feed-2026", "op-2")
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	ended := s.Apply(events[0], trust.Stamp{At: now + 5})
	if x, _ := ended.BySecret(hash); x.Alive(now+5) || x.EndedBy != "op-2" || x.EndedAt != now+5 {
		t.Errorf("ended it is %+v", x)
	}
	if events, err := ended.End("lab-feed-2026", "op-2"); events != nil || err != nil {
		t.Errorf("ending it again gave %v, %v", events, err)
	}
	if _, err := ended.Grant(facts(), labFeed(), [16]byte{2}, "op-1", now); trust.KindOf(err) != trust.Conflict {
		t.Errorf("the name is granted again: %v", err)
	}
	if names := slices.Collect(ended.All()); len(names) != 1 {
		t.Errorf("all are %v", names)
	}
	if _, err := s.End("another", "op-1"); trust.KindOf(err) != trust.NotFound {
		t.Errorf("ending what there is not: %v", err)
	}
	if _, err := s.End("lab-feed-2026", ""); trust.KindOf(err) != trust.Invalid {
		t.Errorf("ended by nobody: %v", err)
	}
}

func TestGrantRefuses(t *testing.T) {
	type document = exception.Document
	for name, c := range map[string]struct {
		kind   trust.ErrorKind
		text   string
		change func(*document)
	}{
		"another kind":          {trust.Invalid, "kind: ", func(d *document) { d.Kind = "exception" }},
		"no name":               {trust.Invalid, "name: ", func(d *document) { d.Name = "" }},
		"a signature":           {trust.Invalid, `waives: "signature" is never waived`, func(d *document) { d.Waives = "signature" }},
		"a tombstone":           {trust.Invalid, `waives: "tombstone" is never waived`, func(d *document) { d.Waives = "tombstone" }},
		"a revocation":          {trust.Invalid, "waives: ", func(d *document) { d.Waives = "revocation" }},
		"nothing":               {trust.Invalid, "waives: ", func(d *document) { d.Waives = "" }},
		"no sort of secret":     {trust.Invalid, "secret: ", func(d *document) { d.Secret = "" }},
		"another sort":          {trust.Invalid, "secret: ", func(d *document) { d.Secret = "password" }},
		"no participant":        {trust.Invalid, "participant: ", func(d *document) { d.Participant = trust.ParticipantID{} }},
		"no issuer":             {trust.Invalid, "issuer: ", func(d *document) { d.Issuer = trust.IssuerID{} }},
		"a trust domain":        {trust.Invalid, "issuer: ", func(d *document) { d.Issuer = must(trust.ParseIssuerID("spiffe://rxw.example")) }},
		"a person's address":    {trust.Invalid, "account: ", func(d *document) { d.Account = "a.n@rxw.example" }},
		"no reason":             {trust.Invalid, "reason: ", func(d *document) { d.Reason = "" }},
		"a long reason":         {trust.Invalid, "reason: ", func(d *document) { d.Reason = strings.Repeat("x", 2001) }},
		"nothing instead":       {trust.Invalid, "compensating_control: ", func(d *document) { d.CompensatingControl = "" }},
		"no owner":              {trust.Invalid, "owner: ", func(d *document) { d.Owner = "" }},
		"no end":                {trust.Invalid, "expires: ", func(d *document) { d.Expires = 0 }},
		"an end that has been":  {trust.Invalid, "has passed", func(d *document) { d.Expires = now }},
		"a longer life":         {trust.Invalid, "max_exception", func(d *document) { d.Expires = now + 7*86400 + 1 }},
		"another's issuer":      {trust.NotFound, "not stated", func(d *document) { d.Participant = must(trust.ParseParticipantID("https://r0a.example")) }},
		"an unknown service":    {trust.NotFound, "service letters", func(d *document) { d.Service = "letters" }},
		"an owner who has left": {trust.NotFound, "no operator here", func(d *document) { d.Owner = "op-2" }},
	} {
		d := labFeed()
		c.change(&d)
		events, err := exception.State{}.Grant(facts(), d, hash, "op-1", now)
		if events != nil || trust.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, %v", name, events, err)
		}
	}
	d := labFeed()
	d.Expires = now + 7*86400
	if _, err := (exception.State{}).Grant(facts(), d, hash, "op-1", now); err != nil {
		t.Errorf("the longest life: %v", err)
	}
	none := facts()
	none.Limit = 0
	if _, err := (exception.State{}).Grant(none, labFeed(), hash, "op-1", now); trust.KindOf(err) != trust.Conflict {
		t.Errorf("where the framework allows none: %v", err)
	}
	d.Name = "other"
	for name, h := range map[string][16]byte{"another's": hash, "none": {}} {
		if _, err := granted(t).Grant(facts(), d, h, "op-1", now); trust.KindOf(err) != trust.Conflict {
			t.Errorf("the secret is %s: %v", name, err)
		}
	}
	if _, err := (exception.State{}).Grant(facts(), labFeed(), hash, "", now); trust.KindOf(err) != trust.Invalid {
		t.Errorf("granted by nobody: %v", err)
	}
	if err := (exception.Document{}).Check(); err == nil || len(strings.Split(err.Error(), "\n")) < 10 {
		t.Errorf("not all faults at once: %v", err)
	}
}
