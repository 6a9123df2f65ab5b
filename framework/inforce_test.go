package framework_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

func inForce(t testing.TB) *framework.InForce {
	t.Helper()
	return adopted(t, framework.State{}, document(t), "rxw", "rje", "r0a").Current
}

// Scenario 9: at exactly its end it has ended.
func TestExpiredFrameworkIsNotInForce(t *testing.T) {
	f := inForce(t)
	for at, want := range map[int64]bool{now: true, now + 999: true, now + 1000: false, now + 1001: false} {
		if f.Alive(at) != want {
			t.Errorf("at %d: alive is %t", at, !want)
		}
	}
}

func TestAssess(t *testing.T) {
	f := inForce(t)
	for claims, want := range map[string]framework.Vector{
		`{}`:                               {},
		`{"id_assurance_level":"3"}`:       {3},
		`{"id_assurance_level":3}`:         {3}, // national issuers send both
		`{"id_assurance_level":3.0}`:       {},
		`{"id_assurance_level":3e0}`:       {},
		`{"id_assurance_level":true}`:      {},
		`{"id_assurance_level":null}`:      {},
		`{"id_assurance_level":"03"}`:      {},
		`{"id_assurance_level":" 3"}`:      {},
		`{"id_assurance_level":""}`:        {},
		`{"id_assurance_level":{"3":3}}`:   {},
		`{"ID_Assurance_Level":"3"}`:       {},
		`{"id_assurance_level":["2","3"]}`: {3},
		`{"id_assurance_level":[2]}`:       {2},
		`{"id_assurance_level":[["3"]]}`:   {},
		`{"id_assurance_level":2,"eduperson_assurance":["x","https://refeds.org/assurance/IAP/medium"],"aal":"3"}`: {2, 3},
		`{"eduperson_assurance":"https://refeds.org/assurance/IAP/medium/"}`:                                       {},
	} {
		object, err := canonical.ParseObject([]byte(claims))
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Assess(object); got != want {
			t.Errorf("%s: got %v, want %v", claims, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	f := inForce(t)
	type needs = map[framework.Ladder]framework.Level
	for _, c := range []struct {
		v     framework.Vector
		needs needs
		want  framework.Ladder
		short bool
	}{
		{framework.Vector{2, 2}, needs{"identity": "medium", "authentication": "substantial"}, "", false},
		{framework.Vector{3, 1}, needs{"identity": "medium", "authentication": "substantial"}, "authentication", true},
		{framework.Vector{1, 1}, needs{"identity": "medium", "authentication": "substantial"}, "identity", true},
		{framework.Vector{3, 3, 3, 3}, needs{"identity": "supreme"}, "identity", true},
		{framework.Vector{3, 3, 3, 3}, needs{"identity": ""}, "identity", true},
		{framework.Vector{3, 3, 3, 3}, needs{"federation": "none"}, "federation", true}, // the framework has no such ladder
		{framework.Vector{3, 3, 3, 3}, needs{"identity": "low", "zeal": "low", "valour": "low"}, "valour", true},
		{framework.Vector{}, nil, "", false},
		{framework.Vector{}, needs{"identity": "none"}, "", false},
	} {
		if ladder, short := f.Short(c.v, c.needs); ladder != c.want || short != c.short {
			t.Errorf("%v against %v: got %q, %t", c.v, c.needs, ladder, short)
		}
	}
}

func TestName(t *testing.T) {
	f := inForce(t)
	v := framework.Vector{3, 1, 2, 9}
	for ladder, want := range map[framework.Ladder]framework.Level{
		framework.Identity: "high", framework.Authentication: "low", framework.Federation: "", framework.Attestation: "", "zeal": "",
	} {
		if got := f.Name(ladder, v); got != want {
			t.Errorf("%s: got %q, want %q", ladder, got, want)
		}
	}
}

// R26: the assurance of a path never exceeds that of any hop on any ladder.
func TestMinIsTheLowestOnEachLadder(t *testing.T) {
	vector := rapid.Custom(func(t *rapid.T) (v framework.Vector) {
		for i := range v {
			v[i] = rapid.Uint8Max(15).Draw(t, "level")
		}
		return v
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := vector.Draw(t, "a"), vector.Draw(t, "b")
		m := framework.Min(a, b)
		for i := range m {
			if m[i] > a[i] || m[i] > b[i] || m[i] != a[i] && m[i] != b[i] {
				t.Fatalf("the lowest of %v and %v is not %v", a, b, m)
			}
		}
	})
}

// R30, R31
func TestStricterFieldByField(t *testing.T) {
	f := inForce(t)
	high, _ := f.Tier(trust.High)
	standard, _ := f.Tier(trust.Standard)
	basic, _ := f.Tier(trust.Basic)
	human, _ := f.Class(trust.Human)
	workload, _ := f.Class(trust.Workload)
	check := func(what string, got, want framework.TierRule) {
		t.Helper()
		caps := func(r framework.TierRule) framework.Caps {
			if r.Caps == nil {
				return framework.Caps{}
			}
			return *r.Caps
		}
		if caps(got) != caps(want) {
			t.Errorf("%s: caps %+v, want %+v", what, got.Caps, want.Caps)
		}
		got.Caps, want.Caps = nil, nil
		if got != want {
			t.Errorf("%s: got %+v, want %+v", what, got, want)
		}
	}
	mixed := framework.TierRule{MaxStaleness: 10, RemovalTarget: 1, MaxCredentialTTL: 300, SenderConstraint: "required", Attestation: "workload", Caps: basic.Caps, MaxBundleAge: 900}
	check("basic and high", f.Stricter(human, basic, high), mixed)
	check("high and basic", f.Stricter(human, high, basic), mixed)
	alone := standard
	alone.MaxBundleAge = framework.DefaultBundleAge
	check("one alone", f.Stricter(human, standard), alone)
	alone.MaxBundleAge = 90
	check("a bound on bundles", f.Stricter(human, alone, standard), alone)
	check("a bound on bundles, turned", f.Stricter(human, standard, alone), alone)
	patient := framework.TierRule{MaxStaleness: 3600}
	if got := f.Stricter(human, patient).MaxBundleAge; got != 3600 {
		t.Errorf("where nothing is said, and a partner's word counts for an hour, a bundle counts for %s", got)
	}
	if got := f.Stricter(workload, standard).MaxCredentialTTL; got != 600 {
		t.Errorf("a credential lives %s, longer than a token of the class", got)
	}
	check("none", f.Stricter(human), framework.TierRule{})
	stronger, unknown := high, high
	stronger.Attestation, unknown.Attestation, unknown.SenderConstraint = "node_and_workload", "beyond", "beyond"
	for what, c := range map[string]struct {
		a, b framework.TierRule
		want framework.Level
	}{
		"the higher level":            {high, stronger, "node_and_workload"},
		"the higher level, turned":    {stronger, high, "node_and_workload"},
		"an unknown level":            {stronger, unknown, "beyond"},
		"an unknown level, turned":    {unknown, stronger, "beyond"},
		"a level before none":         {standard, high, "workload"},
		"a level before none, turned": {high, standard, "workload"},
	} {
		if got := f.Stricter(human, c.a, c.b).Attestation; got != c.want {
			t.Errorf("%s: got %q", what, got)
		}
	}
	if got := f.Stricter(human, unknown, high).SenderConstraint; got != "beyond" {
		t.Errorf("an unknown constraint gave way to %q", got)
	}
	capped := framework.TierRule{Caps: &framework.Caps{RequestsPerSecond: 3}}
	if got := f.Stricter(human, basic, capped).Caps; *got != (framework.Caps{RequestsPerSecond: 3, ScopesPerCredential: 2}) {
		t.Errorf("caps %+v", got)
	}
}

func TestIssuer(t *testing.T) {
	f := inForce(t)
	id, _ := trust.ParseIssuerID("https://cis2.example")
	if issuer, ok := f.Issuer(id); !ok || issuer.Discriminator != "org_code" {
		t.Errorf("got %+v", issuer)
	}
	other, _ := trust.ParseIssuerID("https://cis2.example/")
	if _, ok := f.Issuer(other); ok {
		t.Error("an issuer with a slash more is another one")
	}
}

func BenchmarkAssess(b *testing.B) {
	f := inForce(b)
	claims := canonical.Object{"id_assurance_level": "3", "aal": int64(3), "sub": "x"}
	for b.Loop() {
		if f.Assess(claims) != (framework.Vector{3, 3}) {
			b.Fatal("not assessed")
		}
	}
}
