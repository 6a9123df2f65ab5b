package policy_test

import (
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/policy"
	"github.com/entente-id/entente/trust"
)

var at = trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: 1_790_000_000}

// R17: another policy between two calls changes the second.
func TestReplace(t *testing.T) {
	caller, q := base()
	q.Principal = policy.NewPrincipal(caller)
	var s policy.State
	if got := s.Set.Decide(q); got.Reason != trust.NoPolicy {
		t.Fatalf("before any policy: %+v", got)
	}
	s = replace(t, s, `permit (principal, action, resource);`)
	if got := s.Set.Decide(q); !got.Permit {
		t.Fatalf("after a permit: %+v", got)
	}
	before := s
	s = replace(t, s, `permit (principal, action, resource); forbid (principal, action, resource);`)
	if got := s.Set.Decide(q); got.Reason != trust.PolicyForbid {
		t.Errorf("after a forbid: %+v", got)
	}
	if got := before.Set.Decide(q); !got.Permit {
		t.Errorf("the state before changed: %+v", got)
	}
	if _, err := s.Replace(s.Source, policy.Schema{}, "op"); trust.KindOf(err) != trust.Conflict {
		t.Errorf("the same policy again gives %v, want conflict", err)
	}
	if events, err := s.Replace("permit (principal, action, resource) when { principal.x };", policy.Schema{}, "op"); trust.KindOf(err) != trust.Invalid || events != nil {
		t.Errorf("an attribute nobody supplies gives %v, %v, want invalid", events, err)
	}
	if got := s.Apply(foreign{}, at); got != s {
		t.Errorf("a foreign event changed the state")
	}
}

func replace(t *testing.T, s policy.State, source string) policy.State {
	t.Helper()
	events, err := s.Replace(source, policy.Schema{}, "op")
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	return s.Apply(events[0], at)
}

func TestStateRoundTrip(t *testing.T) {
	caller, q := base()
	q.Principal = policy.NewPrincipal(caller)
	full := replace(t, policy.State{}, `@id("all") permit (principal, action, resource);`)
	for _, s := range []policy.State{{}, full, full.Apply(policy.Applied{Source: "nonsense", Hash: "00"}, at)} {
		data, err := json.Marshal(s, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		var back policy.State
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if back.Source != s.Source || back.Hash != s.Hash || back.Since != s.Since || back.Set.Len() != s.Set.Len() {
			t.Errorf("state %+v came back as %+v", s, back)
		}
		if got, want := back.Set.Decide(q), s.Set.Decide(q); got.Reason != want.Reason {
			t.Errorf("state answers %+v, after its return %+v", want, got)
		}
	}
}

// A source that does not compile never gets in; if it stood in a ledger, it
// denies.
func TestBrokenSourceDenies(t *testing.T) {
	caller, q := base()
	q.Principal = policy.NewPrincipal(caller)
	s := policy.State{}.Apply(policy.Applied{Source: "permit", Hash: "00"}, at)
	if got := s.Set.Decide(q); got.Permit || got.Reason != trust.PolicyError {
		t.Errorf("outcome %+v, want %s", got, trust.PolicyError)
	}
}

type foreign struct{}

func (foreign) EventKind() trust.Kind { return trust.Kind{Name: "foreign.thing", Version: 1} }
