package review_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/trust"
)

const (
	now = 1_780_000_000
	due = now + 86400
	one = "review-1"
)

var (
	nurse  = review.Item{Kind: review.Mapping, Name: "nurse", Since: now - 9}
	app    = review.Item{Kind: review.Client, Name: "ward-app"}
	staff  = review.Item{Kind: review.Agreement, Name: "a1"}
	listed = []review.Item{nurse, app, staff}
)

// known: op-1 asked for everything and op-1b is the same person; op-2 answers, op-3
// holds another role.
func known() review.Facts {
	person := func(id string) string { return strings.TrimSuffix(id, "b") }
	return review.Facts{
		Find: func(review.Item) (review.Holding, bool) {
			return review.Holding{Role: "records", Sought: []string{"op-1"}}, true
		},
		Holds: func(by, role string) bool { return role == "records" && by != "op-3" },
		Same:  func(a, b string) bool { return person(a) == person(b) },
	}
}

func fold(s review.State, events ...trust.Event) review.State {
	for i, e := range events {
		s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: uint64(i)}, At: now})
	}
	return s
}

func opened() []trust.Event {
	return []trust.Event{review.Opened{ID: one, N: 1, Due: due, By: "op-1"}, review.Listed{ID: one, Items: listed}}
}

func answered(i review.Item, said review.Said) review.Answered {
	return review.Answered{ID: one, Item: i, Said: said, By: "op-2"}
}

// What each command comes to in each state that an item can be in. A refusal is
// named by the rule that is recorded, or by the kind of error where nothing is.
func TestEveryCommandInEveryState(t *testing.T) {
	gone := func(f *review.Facts) {
		f.Find = func(review.Item) (review.Holding, bool) { return review.Holding{}, false }
	}
	all := func(said review.Said) []trust.Event {
		return []trust.Event{answered(nurse, said), answered(app, said), answered(staff, said)}
	}
	states := []struct {
		name   string
		events []trust.Event // behind the opening
		facts  func(*review.Facts)
		at     int64
		answer string // by op-1, op-1b, op-3 and op-2; each of the three answers
		lapse  string
		close  string
	}{
		{"waiting", nil, nil, due - 1, "sought sought role answered", "", ""},
		{"waiting, and the date has come", nil, nil, due, "conflict conflict conflict conflict", "unanswered", ""},
		{"it holds no more", nil, gone, now, "conflict conflict conflict conflict", "", "closed"},
		{"kept", []trust.Event{answered(nurse, review.Keep)}, nil, now, "conflict conflict conflict conflict", "", ""},
		{"reduced", []trust.Event{answered(nurse, review.Reduce)}, nil, due, "conflict conflict conflict conflict", "", ""},
		{"removed", []trust.Event{answered(nurse, review.Remove)}, nil, due, "conflict conflict conflict conflict", "", ""},
		{"lapsed", []trust.Event{review.Unanswered{ID: one, Item: nurse}}, nil, due, "conflict conflict conflict conflict", "", ""},
		{"ended otherwise", []trust.Event{mapping.Closed{Name: "nurse", By: "op-1"}}, nil, due, "conflict conflict conflict conflict", "", ""},
		{"all are kept", all(review.Keep), nil, now, "conflict conflict conflict conflict", "", "closed"},
		{"all lapsed", []trust.Event{
			review.Unanswered{ID: one, Item: nurse}, review.Unanswered{ID: one, Item: app}, review.Unanswered{ID: one, Item: staff},
		}, nil, due, "conflict conflict conflict conflict", "", "closed"},
		{"closed", append(all(review.Remove), review.Closed{ID: one}), nil, due, "conflict conflict conflict conflict", "", ""},
	}
	for _, c := range states {
		s := fold(review.State{}, append(opened(), c.events...)...)
		f := known()
		if c.facts != nil {
			c.facts(&f)
		}
		for _, said := range []review.Said{review.Keep, review.Reduce, review.Remove} {
			var got []string
			for _, by := range []string{"op-1", "op-1b", "op-3", "op-2"} {
				got = append(got, came(s.Answer(f, one, nurse.Kind, nurse.Name, said, by, c.at)))
			}
			if strings.Join(got, " ") != c.answer {
				t.Errorf("%s: %s comes to %v, want %s", c.name, said, got, c.answer)
			}
		}
		if got := came(s.Lapse(one, nurse, c.at), nil); got != c.lapse {
			t.Errorf("%s: lapsing comes to %q, want %q", c.name, got, c.lapse)
		}
		if got := came(s.Close(f, one), nil); got != c.close {
			t.Errorf("%s: closing comes to %q, want %q", c.name, got, c.close)
		}
	}
}

// came names what a command came to.
func came(events []trust.Event, err error) string {
	if len(events) == 0 {
		return string(trust.KindOf(err))
	}
	if r, refused := events[0].(review.Refused); refused {
		return r.Rule
	}
	return strings.TrimPrefix(events[0].EventKind().Name, "review.")
}

// What is not to be asked, or not of anything there is, is refused.
func TestWhatIsAsked(t *testing.T) {
	s, f := fold(review.State{}, opened()...), known()
	full := s
	for range review.MaxOpen {
		full = fold(full, review.Opened{ID: "review-x", Due: due})
	}
	open := func(s review.State, scope review.Scope, due int64, items []review.Item, by string) string {
		return came(s.Open(scope, due, items, by, now))
	}
	for what, got := range map[string][2]string{
		"a campaign":      {"opened", open(s, review.Scope{Kind: review.Mapping}, due, listed, "op-1")},
		"of no date":      {"invalid", open(s, review.Scope{}, 0, listed, "op-1")},
		"due now":         {"invalid", open(s, review.Scope{}, now, listed, "op-1")},
		"due too late":    {"invalid", open(s, review.Scope{}, now+review.MaxRun+1, listed, "op-1")},
		"of no kind":      {"invalid", open(s, review.Scope{Kind: "people"}, due, listed, "op-1")},
		"by nobody":       {"invalid", open(s, review.Scope{}, due, listed, "")},
		"about nothing":   {"conflict", open(s, review.Scope{}, due, nil, "op-1")},
		"one too many":    {"conflict", open(full, review.Scope{}, due, listed, "op-1")},
		"no answer":       {"invalid", came(s.Answer(f, one, nurse.Kind, nurse.Name, "perhaps", "op-2", now))},
		"nobody answers":  {"invalid", came(s.Answer(f, one, nurse.Kind, nurse.Name, review.Keep, "", now))},
		"another review":  {"not_found", came(s.Answer(f, "review-9", nurse.Kind, nurse.Name, review.Keep, "op-2", now))},
		"another item":    {"not_found", came(s.Answer(f, one, nurse.Kind, "porter", review.Keep, "op-2", now))},
		"another kind":    {"not_found", came(s.Answer(f, one, review.Client, nurse.Name, review.Keep, "op-2", now))},
		"lapse elsewhere": {"", came(s.Lapse("review-9", nurse, due), nil)},
		"close elsewhere": {"", came(s.Close(f, "review-9"), nil)},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %q, want %q", what, got[1], got[0])
		}
	}
	many := make([]review.Item, 2*review.MaxListed+1)
	events, err := s.Open(review.Scope{}, due, many, "op-1", now)
	if err != nil || len(events) != 4 || events[0].(review.Opened).ID != "review-2" || len(events[3].(review.Listed).Items) != 1 {
		t.Errorf("many are listed by %d entries, %v", len(events), err)
	}
}

// A campaign counts what became of its items, whoever ended them, and keeps that
// when it is over; what is named twice counts once.
func TestWhatACampaignComesTo(t *testing.T) {
	s := fold(review.State{}, opened()...)
	if _, over := s.Due(due - 1); over {
		t.Error("it is due before its date")
	}
	if c, over := s.Due(due); !over || c.ID != one || c.Left() != 3 || !c.Open() {
		t.Errorf("due is %+v", c)
	}
	s = fold(s, answered(nurse, review.Reduce), mapping.Closed{Name: "nurse", By: "op-2"}, review.Unanswered{ID: one, Item: nurse})
	s = fold(s, client.Ended{ID: "ward-app", By: "op-1"})
	if points := s.Of(one); len(points) != 3 || points[0].Stage != review.Reduced || points[0].By != "op-2" || points[1].Stage != review.Ended || points[2].Stage != review.Waiting {
		t.Errorf("the items are %+v", points)
	}
	s = fold(s, agreement.Moved{ID: "a1", To: agreement.Suspended})
	if c, _ := s.Get(one); c.Left() != 1 || c.Reduced != 1 || c.Ended != 1 {
		t.Errorf("what is suspended has ended: %+v", c)
	}
	s = fold(s, agreement.Moved{ID: "a1", To: agreement.Ended})
	if c, over := s.Due(now); !over || c.ID != one {
		t.Error("nothing waits, and it goes on")
	}
	s = fold(s, review.Closed{ID: one}, review.Closed{ID: one}, review.Listed{ID: one, Items: listed})
	c, _ := s.Get(one)
	if c.Open() || c.Left() != 0 || c.Ended != 2 || len(s.Of(one)) != 0 || s.Points.Len() != 0 || len(s.Running) != 0 {
		t.Errorf("it came to %+v", c)
	}
	for one := range s.All() {
		if one != c {
			t.Errorf("listed is %+v", one)
		}
	}
}

// Who asked for a client or an agreement here, and when an agreement was kept.
func TestWhoAskedAndWhatStays(t *testing.T) {
	rxw, _ := trust.ParseParticipantID("https://trust.rxw.example")
	role := trust.RoleRef{Participant: rxw, Role: "records"}
	data, _, err := agreement.Render(agreement.Revision{
		ID: "00112233445566778899aabbccddeeff", Revision: 1, Proposer: rxw, Document: agreement.Document{
			Kind: "Agreement", Name: "staff", Home: rxw, Host: rxw, ReviewEvery: 60, Accepts: []agreement.Accept{}, Authority: agreement.Authority{
				Issues: role, Validates: role, Approves: role, Revokes: []trust.RoleRef{},
			}, Owners: agreement.Owners{Home: role, Host: role},
		},
	})
	if _, parsed := agreement.Parse(data); err != nil || parsed != nil {
		t.Fatal(err, parsed)
	}
	s := fold(review.State{},
		agreement.Offered{Bytes: data, By: "op-1"}, agreement.Offered{Bytes: data, From: rxw}, agreement.Offered{Bytes: []byte("{}"), By: "op-9"},
		agreement.Countersigned{ID: "00112233445566778899aabbccddeeff", By: "op-2"}, agreement.Countersigned{ID: "00112233445566778899aabbccddeeff", From: rxw, By: "op-7"},
		agreement.Countersigned{ID: "00112233445566778899aabbccddeeff", By: "op-2"},
		client.Added{Document: client.Document{ID: "ward-app"}, By: "op-3"})
	if who := s.SoughtBy(review.Agreement, "00112233445566778899aabbccddeeff"); strings.Join(who, " ") != "op-1 op-2" {
		t.Errorf("the agreement was sought by %v", who)
	}
	if who := s.SoughtBy(review.Client, "ward-app"); strings.Join(who, " ") != "op-3" {
		t.Errorf("the client was sought by %v", who)
	}
	s = fold(s, append(opened(), answered(nurse, review.Keep))...)
	if s.ConfirmedAt("a1") != 0 {
		t.Error("what nobody kept is kept")
	}
	if s = fold(s, answered(staff, review.Keep)); s.ConfirmedAt("a1") != now {
		t.Errorf("the agreement was kept at %d", s.ConfirmedAt("a1"))
	}
}
