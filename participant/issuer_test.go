package participant_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

func TestDeclare(t *testing.T) {
	s := met(t, "rje")
	document := participant.Document{Kind: "Participant", ID: id(t, "rxw"), Issuers: []participant.Issuer{own(t, "rxw"), national(t, "RXW")}}
	s = apply(t, s)(s.Declare(facts(t), document, by))
	if len(s.Declared()) != 2 || s.Declared()[0].Issuer.String() != "https://cis2.example" {
		t.Errorf("declared %+v; want both, sorted", s.Declared())
	}
	if events, err := s.Declare(facts(t), document, by); events != nil || err != nil {
		t.Errorf("declaring it again gave %v, %v", events, err)
	}
	speaker, ok := s.Speaker("https://idp.rxw.example")
	if !ok || len(speaker.Candidates) != 1 || speaker.Candidates[0].Participant != id(t, "rxw") {
		t.Errorf("the own issuer speaks as %+v", speaker)
	}
	foreign := document
	foreign.ID = id(t, "rje")
	events, err := s.Declare(facts(t), foreign, by)
	wants(t, "for another", trust.Denied, events, err)
	events, err = s.Declare(facts(t), participant.Document{ID: id(t, "rxw")}, by)
	wants(t, "of no kind", trust.Invalid, events, err)
	events, err = s.Declare(facts(t), document, "")
	wants(t, "by nobody", trust.Invalid, events, err)
	s = apply(t, s)(s.Declare(facts(t), participant.Document{Kind: "Participant", ID: id(t, "rxw")}, by))
	if _, ok := s.Speaker("https://idp.rxw.example"); ok || len(s.Declared()) != 0 {
		t.Error("an issuer that is declared no longer still speaks")
	}
}

func TestIssuersThatAreRefused(t *testing.T) {
	s := met(t, "rje", "r0a")
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje", own(t, "rje"), national(t, "RJE")), now))
	changed := func(i participant.Issuer, change func(*participant.Issuer)) []participant.Issuer {
		change(&i)
		return []participant.Issuer{i}
	}
	type issuer = participant.Issuer
	for what, c := range map[string]struct {
		kind    trust.ErrorKind
		issuers []issuer
	}{
		"no issuer":                {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.Issuer = trust.IssuerID{} })},
		"no keys":                  {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.JWKSURI = "" })},
		"keys over http":           {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.JWKSURI = "http://idp.r0a.example/jwks" })},
		"keys with a password":     {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.JWKSURI = "https://u:p@idp.r0a.example/jwks" })},
		"no classes":               {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.Classes = nil })},
		"an unknown class":         {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.Classes = []participant.ClassRule{{Class: "robot"}} })},
		"half a class rule":        {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.Classes = []participant.ClassRule{{Class: "human", Claim: "x"}} })},
		"a rule never reached":     {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.Classes = append(i.Classes, i.Classes...) })},
		"an empty namespace":       {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.Namespaces = map[string][]participant.Namespace{"org_code": {}} })},
		"a broker without origin":  {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.Broker = &participant.Broker{Subject: "x"} })},
		"an assertion for nobody":  {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.Broker = &participant.Broker{Assertion: "origin"} })},
		"an audience for nothing":  {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.Broker = &participant.Broker{Origin: "origin", Audience: "hub"} })},
		"two things in one claim":  {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.Broker = &participant.Broker{Origin: "sub"} })},
		"the broker as its origin": {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.Broker = &participant.Broker{Origin: "iss"} })},
		"a bad subject space":      {trust.Invalid, changed(own(t, "r0a"), func(i *issuer) { i.Subjects = "My People" })},
		"the same twice":           {trust.Invalid, []issuer{own(t, "r0a"), own(t, "r0a")}},
		"keys and discriminator":   {trust.Invalid, changed(national(t, "R0A"), func(i *issuer) { i.JWKSURI = "https://cis2.example/jwks" })},
		"an empty discriminator":   {trust.Invalid, changed(national(t, ""), func(*issuer) {})},
		"another claim":            {trust.Denied, changed(national(t, "R0A"), func(i *issuer) { i.Discriminator.Claim = "ods" })},
		"a national issuer as its own": {trust.Denied, changed(own(t, "r0a"), func(i *issuer) {
			i.Issuer = issuerID(t, "https://cis2.example")
		})},
		"a discriminator of an issuer nobody registered": {trust.Denied, changed(national(t, "R0A"), func(i *issuer) {
			i.Issuer = issuerID(t, "https://idp.r0a.example")
		})},
		"a discriminator without a claim, of an issuer nobody registered": {trust.Denied, changed(national(t, "R0A"), func(i *issuer) {
			i.Issuer, i.Discriminator.Claim = issuerID(t, "https://idp.r0a.example"), ""
		})},
		"a partner's issuer":           {trust.Conflict, []issuer{own(t, "rje")}},
		"a partner's value":            {trust.Conflict, []issuer{national(t, "RJE")}},
		"a partner's issuer elsewhere": {trust.Conflict, changed(own(t, "rje"), func(i *issuer) { i.JWKSURI = "https://idp.r0a.example/jwks" })},
	} {
		events, err := s.Accept(facts(t), id(t, "r0a"), statement(t, "r0a", c.issuers...), now)
		wants(t, "stated: "+what, c.kind, events, err)
		events, err = s.Declare(facts(t), participant.Document{Kind: "Participant", ID: id(t, "rxw"), Issuers: c.issuers}, by)
		wants(t, "declared: "+what, c.kind, events, err)
	}
	events, err := s.Accept(participant.Facts{}, id(t, "r0a"), statement(t, "r0a", national(t, "R0A")), now)
	wants(t, "a national issuer without a framework", trust.Denied, events, err)
}

func TestAccept(t *testing.T) {
	s := met(t, "rje")
	for what, c := range map[string]struct {
		kind   trust.ErrorKind
		from   string
		change func(*participant.Statement)
	}{
		"a stranger's":         {trust.Denied, "r0a", func(*participant.Statement) {}},
		"of another":           {trust.Denied, "rje", func(s *participant.Statement) { s.Iss = id(t, "r0a") }},
		"about another":        {trust.Denied, "rje", func(s *participant.Statement) { s.Sub = id(t, "r0a") }},
		"expired":              {trust.Invalid, "rje", func(s *participant.Statement) { s.Iat, s.Exp = now-10, now }},
		"of the future":        {trust.Invalid, "rje", func(s *participant.Statement) { s.Iat = now + 61 }},
		"of no time":           {trust.Invalid, "rje", func(s *participant.Statement) { s.Iat = 0 }},
		"longer than a day":    {trust.Invalid, "rje", func(s *participant.Statement) { s.Exp = now + 24*3600 + 1 }},
		"ending as it begins":  {trust.Invalid, "rje", func(s *participant.Statement) { s.Iat, s.Exp = now+10, now+10 }},
		"with a bad issuer":    {trust.Invalid, "rje", func(s *participant.Statement) { s.Metadata.Entente.Issuers[0].Classes = nil }},
		"our own, from us":     {trust.Denied, "rxw", func(*participant.Statement) {}},
		"ours, from a partner": {trust.Denied, "rje", func(s *participant.Statement) { s.Iss, s.Sub = id(t, "rxw"), id(t, "rxw") }},
	} {
		st := statement(t, c.from, own(t, c.from))
		c.change(&st)
		events, err := s.Accept(facts(t), id(t, c.from), st, now)
		wants(t, what, c.kind, events, err)
	}
	day := statement(t, "rje", own(t, "rje"))
	day.Iat, day.Exp = now+60, now+60+24*3600
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), day, now))
	if p, _ := s.Partner(id(t, "rje")); p.StatementExpires != day.Exp || len(p.Issuers) != 1 {
		t.Errorf("got %+v", p)
	}
	day.Iat, day.Exp = day.Iat+1, day.Exp+1
	if events, err := s.Accept(facts(t), id(t, "rje"), day, now+1); events != nil || err != nil {
		t.Errorf("a renewal of the same content gave %v, %v", events, err)
	}
}

func TestEmptyStatementIsRecordedOnce(t *testing.T) {
	s := met(t, "rje")
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje"), now))
	if p, _ := s.Partner(id(t, "rje")); p.StatementExpires == 0 {
		t.Error("the first statement was not recorded")
	}
	if events, err := s.Accept(facts(t), id(t, "rje"), statement(t, "rje"), now); events != nil || err != nil {
		t.Errorf("the same again gave %v, %v", events, err)
	}
}

// One national issuer, many trusts: which one is told by the claim.
func TestNationalIssuerHasOneClaimantForEachValue(t *testing.T) {
	s := met(t, "rje", "r0a")
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje", national(t, "RJE"), national(t, "RJF")), now))
	s = apply(t, s)(s.Accept(facts(t), id(t, "r0a"), statement(t, "r0a", national(t, "R0A")), now))
	s = apply(t, s)(s.SeeKeys(facts(t), issuerID(t, "https://cis2.example"), "https://cis2.example/jwks", jwks(t, "cis2")))
	speaker, ok := s.Speaker("https://cis2.example")
	if !ok || speaker.Discriminator != "org_code" || speaker.JWKSURI != "" || len(speaker.Keys.Keys()) != 1 {
		t.Fatalf("got %+v", speaker)
	}
	want := map[string]string{"RJE": "rje", "RJF": "rje", "R0A": "r0a"}
	for _, c := range speaker.Candidates {
		if c.Participant != id(t, want[c.Value]) || c.Issuer.Discriminator.Value != c.Value {
			t.Errorf("%s speaks for %s", c.Value, c.Participant)
		}
		delete(want, c.Value)
	}
	if len(want) > 0 {
		t.Errorf("nobody has %v", want)
	}
	for _, iss := range []string{"", "https://cis2.example/", "https://CIS2.example", "https://idp.rje.example"} {
		if _, ok := s.Speaker(iss); ok {
			t.Errorf("%q has a speaker", iss)
		}
	}
}

// The own issuers count like a partner's: two that state one leave it ambiguous,
// without keys, whichever came first. The commands refuse this; the fold does
// not depend on it.
func TestIssuerOfTwoIsAmbiguousAndHasNoKeys(t *testing.T) {
	s := met(t, "rje", "r0a")
	line, elsewhere := own(t, "rje"), own(t, "rje")
	elsewhere.JWKSURI = "https://idp.r0a.example/jwks"
	state := func(s participant.State, name string, issuers ...participant.Issuer) participant.State {
		return s.Apply(participant.Stated{Participant: id(t, name), Issuers: issuers, Expires: now + 1}, trust.Stamp{})
	}
	see := func(s participant.State, name string) participant.State {
		return s.Apply(participant.KeysSeen{Issuer: line.Issuer, Keys: jwks(t, name)}, trust.Stamp{})
	}
	keys := func(s participant.State) int {
		speaker, _ := s.Speaker(line.Issuer.String())
		return len(speaker.Keys.Keys())
	}
	squatted := see(state(s, "r0a", elsewhere), "r0a's")
	if keys(squatted) != 1 {
		t.Fatal("no keys at first")
	}
	both := state(squatted, "rje", line)
	speaker, _ := both.Speaker(line.Issuer.String())
	if len(speaker.Candidates) != 2 || speaker.Discriminator != "" || keys(both) != 0 || keys(see(both, "more")) != 0 {
		t.Errorf("got %+v", speaker)
	}
	// Keys that were fetched at the squatter's address never become the owner's.
	alone := state(both, "r0a")
	if speaker, _ = alone.Speaker(line.Issuer.String()); speaker.JWKSURI != line.JWKSURI || keys(alone) != 0 {
		t.Errorf("got %+v with %d keys", speaker, keys(alone))
	}
	if keys(see(alone, "rje's")) != 1 {
		t.Error("the owner's own keys do not count")
	}
	mixed := national(t, "RJE")
	mixed.Issuer = line.Issuer
	if speaker, _ = state(state(s, "rje", line), "r0a", mixed).Speaker(line.Issuer.String()); len(speaker.Candidates) != 2 || speaker.Discriminator != "" {
		t.Errorf("own keys beside a discriminator: %+v", speaker)
	}
}

// A refresh replaces: a key that is published no longer is gone.
func TestSeeKeysReplaces(t *testing.T) {
	s := met(t, "rje")
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje", own(t, "rje")), now))
	issuer, address := own(t, "rje").Issuer, own(t, "rje").JWKSURI
	kids := func() []string {
		var kids []string
		speaker, _ := s.Speaker(issuer.String())
		for _, k := range speaker.Keys.Keys() {
			kids = append(kids, k.KeyID())
		}
		return kids
	}
	see := func(name string) { s = apply(t, s)(s.SeeKeys(facts(t), issuer, address, jwks(t, name))) }
	see("one")
	first := kids()
	see("two")
	if second := kids(); len(first) != 1 || len(second) != 1 || first[0] == second[0] {
		t.Errorf("%v was followed by %v", first, second)
	}
	if events, err := s.SeeKeys(facts(t), issuer, address, jwks(t, "two")); events != nil || err != nil {
		t.Errorf("seeing the same again gave %v, %v", events, err)
	}
	s = apply(t, s)(s.SeeKeys(facts(t), issuer, address, []byte(`{"keys":[]}`)))
	if len(kids()) != 0 {
		t.Errorf("withdrawn keys stay: %v", kids())
	}
	for what, c := range map[string]struct {
		kind    trust.ErrorKind
		issuer  trust.IssuerID
		address string
		data    string
	}{
		"another address":                    {trust.Conflict, issuer, address + "2", `{"keys":[]}`},
		"an unknown issuer":                  {trust.NotFound, own(t, "r0a").Issuer, own(t, "r0a").JWKSURI, `{"keys":[]}`},
		"a national one at a stated address": {trust.Conflict, national(t, "x").Issuer, address, `{"keys":[]}`},
		"no key set":                         {trust.Invalid, issuer, address, `{}`},
		"a symmetric key":                    {trust.Invalid, issuer, address, `{"keys":[{"kty":"oct","k":"AA"}]}`},
	} {
		events, err := s.SeeKeys(facts(t), c.issuer, c.address, []byte(c.data))
		wants(t, what, c.kind, events, err)
	}
}

// Keys of a registered issuer may be seen before anybody states it.
func TestNationalKeysWaitForTheFirstClaimant(t *testing.T) {
	s := met(t, "rje")
	issuer := national(t, "x").Issuer
	s = apply(t, s)(s.SeeKeys(facts(t), issuer, "https://cis2.example/jwks", jwks(t, "cis2")))
	if _, ok := s.Speaker(issuer.String()); ok {
		t.Error("it speaks for nobody")
	}
	if events, err := s.SeeKeys(facts(t), issuer, "https://cis2.example/jwks", jwks(t, "cis2")); events != nil || err != nil {
		t.Errorf("seeing the same again gave %v, %v", events, err)
	}
	s = apply(t, s)(s.Accept(facts(t), id(t, "rje"), statement(t, "rje", national(t, "RJE")), now))
	if speaker, _ := s.Speaker(issuer.String()); len(speaker.Keys.Keys()) != 1 {
		t.Errorf("got %+v", speaker)
	}
}

// Whatever the order of events, the indexes are those that the state rebuilds
// from what it stores.
func TestIndexesFollowFromTheStoredState(t *testing.T) {
	names := []string{"rje", "r0a"}
	start := met(t, names...)
	issuers := []participant.Issuer{own(t, "rje"), own(t, "r0a"), national(t, "RJE"), national(t, "R0A")}
	elsewhere := own(t, "rje")
	elsewhere.JWKSURI = "https://elsewhere.example/jwks"
	domains := []participant.Issuer{domain(t, "rje"), domain(t, "r0a")}
	issuers = append(append(issuers, elsewhere), domains...)
	bundles := [][]byte{bundleOf(t, 1, "one"), bundleOf(t, 2, "two"), bundleOf(t, 3, "")}
	sets := [][]byte{jwks(t, "one"), jwks(t, "two")}
	rapid.Check(t, func(r *rapid.T) {
		s := start
		for range rapid.IntRange(1, 8).Draw(r, "events") {
			some := rapid.SliceOfNDistinct(rapid.SampledFrom(issuers), 0, 3, func(i participant.Issuer) string {
				return i.Issuer.String() + i.JWKSURI
			}).Draw(r, "issuers")
			var e trust.Event
			switch rapid.IntRange(0, 3).Draw(r, "kind") {
			case 3:
				e = participant.BundleSeen{
					Participant: id(t, rapid.SampledFrom(names).Draw(r, "who")), Issuer: rapid.SampledFrom(domains).Draw(r, "domain").Issuer,
					Bundle: rapid.SampledFrom(bundles).Draw(r, "bundle"),
				}
			case 0:
				e = participant.Stated{Participant: id(t, rapid.SampledFrom(names).Draw(r, "who")), Issuers: some, Expires: now}
			case 1:
				e = participant.Declared{Issuers: some, By: by}
			case 2:
				e = participant.KeysSeen{Issuer: rapid.SampledFrom(issuers).Draw(r, "issuer").Issuer, Keys: rapid.SampledFrom(sets).Draw(r, "keys")}
			}
			s = s.Apply(e, trust.Stamp{At: now})
		}
		data, err := canonical.Marshal(s)
		if err != nil {
			r.Fatal(err)
		}
		var read participant.State
		if err := canonical.Decode(data, &read); err != nil {
			r.Fatal(err)
		}
		for _, issuer := range issuers {
			a, okA := s.Speaker(issuer.Issuer.String())
			b, okB := read.Speaker(issuer.Issuer.String())
			textA, errA := canonical.Marshal(a)
			textB, errB := canonical.Marshal(b)
			if okA != okB || errA != nil || errB != nil || string(textA) != string(textB) {
				r.Fatalf("folded %s\nread   %s", textA, textB)
			}
		}
	})
}
