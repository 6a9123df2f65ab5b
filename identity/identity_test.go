package identity_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/trust"
)

const now = 1_780_000_000

var (
	feed  = trust.SubjectKey{1}
	nurse = trust.SubjectKey{2}
	other = trust.SubjectKey{3}
	old   = trust.SubjectKey{4}
	fresh = trust.SubjectKey{5}
	ward  = identity.Owner{Role: "ward_managers"}
	osei  = identity.Owner{Operator: "op-osei"}
)

// facts are what other rooms know: op-1b is the person behind op-1, op-gone serves
// no more, and of the owners everybody does but those in left.
func facts(ended, suspended []trust.SubjectKey, left ...identity.Owner) identity.Facts {
	person := func(id string) string { return strings.TrimSuffix(id, "b") }
	return identity.Facts{
		Ended:     func(k trust.SubjectKey) bool { return slices.Contains(ended, k) },
		Suspended: func(k trust.SubjectKey) bool { return slices.Contains(suspended, k) },
		Serves:    func(o identity.Owner) bool { return o != identity.Owner{} && !slices.Contains(left, o) },
		Same:      func(a, b string) bool { return person(a) == person(b) },
		Admin:     func(id string) bool { return id != "op-gone" },
	}
}

func fold(s identity.State, at int64, events ...trust.Event) identity.State {
	for _, e := range events {
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: 7}, At: at})
	}
	return s
}

func registered(class trust.Class) identity.Registered {
	return identity.Registered{N: 1, Class: class, Account: feed, Owner: ward, Purpose: true, By: "op-1"}
}

// came names what a command came to: the event, or the rule it was refused by with
// the kind of error where that is no conflict, or that kind alone.
func came(events []trust.Event, err error) string {
	kind := strings.ReplaceAll(string(trust.KindOf(err)), " ", "_")
	if len(events) == 0 {
		return kind
	}
	refused, is := events[0].(identity.Refused)
	switch {
	case is != (err != nil):
		return "an event that does not fit " + kind
	case is && kind != "conflict":
		return refused.Verb + ":" + refused.Rule + "/" + kind
	case is:
		return refused.Verb + ":" + refused.Rule
	}
	return strings.TrimPrefix(events[0].EventKind().Name, "identity.")
}

// Every command in every state an identity can be in: each legal move gives its
// event, each illegal one its rule (R6, R18, R47).
func TestEveryCommandInEveryState(t *testing.T) {
	account := registered(trust.ServiceAccount)
	active := []trust.Event{account, identity.Activated{N: 1, By: "op-1"}}
	with := func(events []trust.Event, more ...trust.Event) []trust.Event {
		return append(slices.Clone(events), more...)
	}
	unowned, aimless, dated := account, account, account
	unowned.Owner, aimless.Purpose, dated.Until = identity.Owner{}, false, now+10
	none := facts(nil, nil)
	commands := []string{"activate", "move", "handover", "link account", "link key", "suspend", "offboard", "return", "date"}
	for _, c := range []struct {
		name   string
		events []trust.Event
		facts  identity.Facts
		at     int64
		stage  identity.Stage
		want   string // of each command
	}{
		{"registered", []trust.Event{account}, none, now, identity.InRegister, "activated moved handed_over account_linked key_linked suspend:stage offboarded return:stage -"},
		{"nobody owns it", []trust.Event{unowned}, none, now, identity.InRegister, "activate:owner moved handed_over account_linked key_linked suspend:stage offboarded return:stage -"},
		{"who owns it has left", []trust.Event{account}, facts(nil, nil, ward), now, identity.InRegister, "activate:owner moved handed_over account_linked key_linked suspend:stage offboarded return:stage -"},
		{"it is for nothing", []trust.Event{aimless}, none, now, identity.InRegister, "activate:purpose moved handed_over account_linked key_linked suspend:stage offboarded return:stage -"},
		{"its end came before", []trust.Event{dated}, none, now + 10, identity.InRegister, "activate:end moved handed_over account_linked key_linked suspend:stage offboarded return:stage -"},
		{"a person without an owner", []trust.Event{identity.Registered{N: 1, Class: trust.Human, Account: feed, By: "op-1"}}, none, now, identity.InRegister, "activated moved handed_over account_linked key_linked suspend:stage offboarded return:stage -"},
		{"active", active, none, now, identity.Active, "activate:stage moved handed_over account_linked key_linked ok offboarded return:stage -"},
		{"active, and a person's owner has left", []trust.Event{registered(trust.Human), active[1]}, facts(nil, nil, ward), now, identity.Active, "activate:stage moved handed_over account_linked key_linked ok offboarded return:stage -"},
		{"suspended", active, facts(nil, []trust.SubjectKey{feed}), now, identity.Suspended, "activate:stage moved handed_over account_linked key_linked ok offboarded return:stage -"},
		{"its owner has left", active, facts(nil, nil, ward), now, identity.Active, "activate:stage moved handed_over account_linked key_linked ok offboarded return:stage flagged"},
		{"flagged", with(active, identity.Flagged{N: 1, Due: now + 5}), facts(nil, nil, ward), now + 4, identity.Active, "activate:stage moved handed_over account_linked key_linked ok offboarded return:stage -"},
		{"flagged, and the date has come", with(active, identity.Flagged{N: 1, Due: now + 5}), facts(nil, nil, ward), now + 5, identity.Active, "activate:stage moved handed_over account_linked key_linked ok offboarded return:stage stopped"},
		{"flagged, and its owner is back", with(active, identity.Flagged{N: 1, Due: now + 5}), none, now + 5, identity.Active, "activate:stage moved handed_over account_linked key_linked ok offboarded return:stage owned"},
		{"handed over in time", with(active, identity.Flagged{N: 1, Due: now + 5}, identity.HandedOver{N: 1, Owner: osei, By: "op-1"}), facts(nil, nil, ward), now + 5, identity.Active, "activate:stage moved handover:owner account_linked key_linked ok offboarded return:stage -"},
		{"stopped by a date", with(active, identity.Flagged{N: 1, Due: now + 5}, identity.Stopped{N: 1, Rule: identity.RuleOwner}), facts(nil, []trust.SubjectKey{feed}, ward), now + 5, identity.Suspended, "activate:stage moved handed_over account_linked key_linked ok offboarded return:stage -"},
		{"its end has come", []trust.Event{dated, active[1]}, none, now + 10, identity.Active, "activate:stage moved handed_over account_linked key_linked ok offboarded return:stage stopped"},
		{"its end was moved", []trust.Event{dated, active[1], identity.Stopped{N: 1, Rule: identity.RuleEnd}, identity.Moved{N: 1, Until: now + 11, By: "op-1"}}, none, now + 10, identity.Active, "activate:stage moved handed_over account_linked key_linked ok offboarded return:stage -"},
		{"its moved end has come", []trust.Event{dated, active[1], identity.Stopped{N: 1, Rule: identity.RuleEnd}, identity.Moved{N: 1, Until: now + 11, By: "op-1"}}, none, now + 11, identity.Active, "activate:stage moved handed_over account_linked key_linked ok offboarded return:stage stopped"},
		{"offboarded", with(active, identity.Offboarded{N: 1, By: "op-1"}), facts([]trust.SubjectKey{feed}, nil, ward), now, identity.Gone, "activate:stage move:stage handover:stage link:stage link:stage suspend:stage offboard:stage return_asked -"},
		{"every account has ended", active, facts([]trust.SubjectKey{feed}, nil, ward), now, identity.Gone, "activate:stage move:stage handover:stage link:stage link:stage suspend:stage offboarded return_asked -"},
		{"one account has ended", with(active, identity.AccountLinked{N: 1, Account: nurse, By: "op-1"}), facts([]trust.SubjectKey{feed}, nil), now, identity.Active, "activate:stage moved handed_over account_linked key_linked ok offboarded return:stage -"},
		{"its return is asked", with(active, identity.Offboarded{N: 1, By: "op-1"}, identity.ReturnAsked{N: 1, By: "op-2", Until: now + 1}), facts([]trust.SubjectKey{feed}, nil), now, identity.Gone, "activate:stage move:stage handover:stage link:stage link:stage suspend:stage offboard:stage returned -"},
		{"by the same person", with(active, identity.Offboarded{N: 1, By: "op-1"}, identity.ReturnAsked{N: 1, By: "op-1b", Until: now + 1}), facts([]trust.SubjectKey{feed}, nil), now, identity.Gone, "activate:stage move:stage handover:stage link:stage link:stage suspend:stage offboard:stage return:person/denied -"},
		{"asked too long ago", with(active, identity.Offboarded{N: 1, By: "op-1"}, identity.ReturnAsked{N: 1, By: "op-2", Until: now}), facts([]trust.SubjectKey{feed}, nil), now, identity.Gone, "activate:stage move:stage handover:stage link:stage link:stage suspend:stage offboard:stage return_asked -"},
		{"asked by who is gone", with(active, identity.Offboarded{N: 1, By: "op-1"}, identity.ReturnAsked{N: 1, By: "op-gone", Until: now + 1}), facts([]trust.SubjectKey{feed}, nil), now, identity.Gone, "activate:stage move:stage handover:stage link:stage link:stage suspend:stage offboard:stage return_asked -"},
		{"returned", with(active, identity.Offboarded{N: 1, By: "op-1"}, identity.Returned{N: 1, Engagement: 2, Asked: "op-2", By: "op-1"}), none, now, identity.InRegister, "activated moved handed_over account_linked key_linked suspend:stage offboarded return:stage -"},
	} {
		s := fold(identity.State{}, now, c.events...)
		i, _ := s.Get(1)
		if got := s.Stage(i, c.facts); got != c.stage {
			t.Errorf("%s: it is %s, want %s", c.name, got, c.stage)
		}
		got := []string{
			came(s.Activate(c.facts, 1, "op-1", c.at)),
			came(s.Move(c.facts, identity.Moved{N: 1, Purpose: true, Until: i.Until, By: "op-1"}, c.at)),
			came(s.HandOver(c.facts, 1, osei, "op-1")),
			came(s.LinkAccount(c.facts, 1, other, "op-1")),
			came(s.LinkKey(c.facts, identity.KeyLinked{N: 1, Key: fresh, By: "op-1"})),
			cmpOr(came(s.Suspend(c.facts, 1, "op-1")), "ok"),
			came(s.Offboard(1, "op-1")),
			came(s.Return(c.facts, 1, "op-1", c.at)),
			cmpOr(came(s.Date(c.facts, i, c.at), nil), "-"),
		}
		for k, want := range strings.Fields(c.want) {
			if got[k] != want {
				t.Errorf("%s: %s comes to %s, want %s", c.name, commands[k], got[k], want)
			}
		}
	}
}

func cmpOr(text, empty string) string {
	if text == "" {
		return empty
	}
	return text
}

// An account and a key are one identity's for ever, whoever registers or links
// them.
func TestWhatIsTaken(t *testing.T) {
	f := facts([]trust.SubjectKey{old}, nil)
	s := fold(
		identity.State{}, now, registered(trust.Workload),
		identity.Registered{N: 2, Class: trust.Human, Account: nurse, By: "op-1"},
		identity.KeyLinked{N: 1, Key: old, By: "op-1"},
		identity.KeyLinked{N: 1, Key: fresh, Replaces: old, By: "op-1"},
	)
	for name, c := range map[string][2]string{
		"registering what is registered":  {came(s.Register(f, registered(trust.Workload), now)), "register:taken"},
		"linking its own account":         {came(s.LinkAccount(f, 1, feed, "op-1")), ""},
		"linking another's account":       {came(s.LinkAccount(f, 2, feed, "op-1")), "link:taken"},
		"linking an account that ended":   {came(s.LinkAccount(f, 1, old, "op-1")), "link:stage"},
		"linking another's key":           {came(s.LinkKey(f, identity.KeyLinked{N: 2, Key: fresh, By: "op-1"})), "link:taken"},
		"linking what another's key was":  {came(s.LinkKey(f, identity.KeyLinked{N: 2, Key: old, By: "op-1"})), "link:taken"},
		"replacing another's key":         {came(s.LinkKey(f, identity.KeyLinked{N: 2, Key: other, Replaces: fresh, By: "op-1"})), "not_found"},
		"replacing its own":               {came(s.LinkKey(f, identity.KeyLinked{N: 1, Key: other, Replaces: fresh, By: "op-1"})), "key_linked"},
		"registering somebody":            {came(s.Register(f, identity.Registered{Class: trust.Agent, Account: other, By: "op-1"}, now)), "registered"},
		"by nobody":                       {came(s.Register(f, identity.Registered{Class: trust.Agent, Account: other}, now)), "invalid"},
		"of no class":                     {came(s.Register(f, identity.Registered{Class: "robot", Account: other, By: "op-1"}, now)), "invalid"},
		"without an account":              {came(s.Register(f, identity.Registered{Class: trust.Agent, By: "op-1"}, now)), "invalid"},
		"that has ended":                  {came(s.Register(f, identity.Registered{Class: trust.Agent, Account: other, Until: now, By: "op-1"}, now)), "invalid"},
		"owned by who is not here":        {came(s.Register(facts(nil, nil, osei), identity.Registered{Class: trust.Agent, Account: other, Owner: osei, By: "op-1"}, now)), "invalid"},
		"handed over to nobody":           {came(s.HandOver(f, 1, identity.Owner{}, "op-1")), "handover:owner"},
		"handed over to its owner":        {came(s.HandOver(f, 1, ward, "op-1")), "handover:owner"},
		"handed over to who has left":     {came(s.HandOver(facts(nil, nil, osei), 1, osei, "op-1")), "handover:owner"},
		"ending in the past":              {came(s.Move(f, identity.Moved{N: 1, Until: now, By: "op-1"}, now)), "invalid"},
		"linking no account":              {came(s.LinkAccount(f, 1, trust.SubjectKey{}, "op-1")), "invalid"},
		"linking no key":                  {came(s.LinkKey(f, identity.KeyLinked{N: 1, By: "op-1"})), "invalid"},
		"activated by nobody":             {came(s.Activate(f, 1, "", now)), "invalid"},
		"offboarding who is not there":    {came(s.Offboard(3, "op-1")), "not_found"},
		"suspending who is not there":     {came(s.Suspend(f, 3, "op-1")), "not_found"},
		"the return of who is not there":  {came(s.Return(f, 3, "op-1", now)), "not_found"},
		"handing over who is not there":   {came(s.HandOver(f, 3, osei, "op-1")), "not_found"},
		"moving who is not there":         {came(s.Move(f, identity.Moved{N: 3, By: "op-1"}, now)), "not_found"},
		"linking to who is not there":     {came(s.LinkAccount(f, 3, other, "op-1")), "not_found"},
		"linking a key to who is not":     {came(s.LinkKey(f, identity.KeyLinked{N: 3, Key: other, By: "op-1"})), "not_found"},
		"activating who is not there":     {came(s.Activate(f, 3, "op-1", now)), "not_found"},
		"what an unknown one comes to is": {came(fold(s, now, identity.Activated{N: 3}).Offboard(3, "op-1")), "not_found"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s comes to %q, want %q", name, c[0], c[1])
		}
	}
	if events, _ := s.Register(f, identity.Registered{Class: trust.Agent, Account: other, By: "op-1"}, now); events[0].(identity.Registered).N != 3 {
		t.Errorf("the third is %+v", events)
	}
}

// The rotation of a key keeps the identity, and a return its number, accounts and
// keys, in another engagement.
func TestWhatAnIdentityKeeps(t *testing.T) {
	s := fold(
		identity.State{}, now, registered(trust.Workload), identity.Activated{N: 1, By: "op-1"},
		identity.AccountLinked{N: 1, Account: other, By: "op-1"},
		identity.KeyLinked{N: 1, Key: old, By: "op-1"},
		identity.KeyLinked{N: 1, Key: fresh, Replaces: old, By: "op-1"},
		identity.Offboarded{N: 1, By: "op-1"}, identity.ReturnAsked{N: 1, By: "op-1", Until: now + 9},
		identity.Returned{N: 1, Engagement: 2, Asked: "op-1", By: "op-2"},
	)
	i, ok := s.ByKey(old)
	if same, also := s.ByAccount(other); !ok || !also || same != i || i.ID() != "identity-1" || i.Engagement != 2 || i.Class() != trust.Workload {
		t.Errorf("the key is that of %+v, the account of %+v", i, same)
	}
	var accounts, replaced []trust.SubjectKey
	for account := range s.AccountsOf(i) {
		accounts = append(accounts, account)
	}
	for key, link := range s.KeysOf(i) {
		if link.Until != 0 {
			replaced = append(replaced, key)
		}
	}
	if !slices.Equal(accounts, []trust.SubjectKey{other, feed}) || !slices.Equal(replaced, []trust.SubjectKey{old}) || s.OwnerOf(i) != ward {
		t.Errorf("accounts %v, replaced %v, owner %s", accounts, replaced, s.OwnerOf(i))
	}
	if _, asked := s.AskedFor(1); asked {
		t.Error("who is back is asked for still")
	}
	if !s.Idle(feed) || !s.Idle(other) || s.Idle(nurse) {
		t.Error("who is back is activated anew; who is in no register is not idle")
	}
	if s = fold(s, now, identity.Activated{N: 1, By: "op-1"}); s.Idle(feed) {
		t.Error("activated, it is idle")
	}
	if s = fold(s, now, identity.Offboarded{N: 1, By: "op-1"}); s.Idle(feed) {
		t.Error("who has ended is idle, and not revoked")
	}
}

func TestWordsForOwnersAndIdentities(t *testing.T) {
	for text, want := range map[string]identity.Owner{"": {}, "role:ward_managers": ward, "operator:op-osei": osei} {
		if got, err := identity.ParseOwner(text); err != nil || got != want || got.String() != text {
			t.Errorf("%q reads as %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"k.osei", "role:", "operator:K Osei", "role:Ward"} {
		if _, err := identity.ParseOwner(text); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%q is an owner: %v", text, err)
		}
	}
	if n, err := identity.ParseID("identity-17"); n != 17 || err != nil {
		t.Errorf("17 reads as %d, %v", n, err)
	}
	for _, id := range []string{"", "17", "identity-017", "identity-4294967296", "identity--1"} {
		if _, err := identity.ParseID(id); trust.KindOf(err) != trust.NotFound {
			t.Errorf("%q is an identity: %v", id, err)
		}
	}
}
