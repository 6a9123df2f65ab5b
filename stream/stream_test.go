package stream_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/trust"
)

const push = "https://gateway.example/events"

var (
	facts = stream.Facts{
		Sends:   func(t signal.Type) bool { return t == signal.SessionRevoked || t == signal.AccountDisabled },
		MayPush: func(client, endpoint string) bool { return client == "gateway" && endpoint == push },
	}
	polled = stream.Delivery{Method: stream.Poll}
	pushed = stream.Delivery{Method: stream.Push, Endpoint: push}
)

// apply applies events at entries from n on.
func apply(t *testing.T, s stream.State, n uint64) func([]trust.Event, error) stream.State {
	return func(events []trust.Event, err error) stream.State {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range events {
			s = s.Apply(e, trust.Stamp{Position: trust.Position{Epoch: 1, N: n + uint64(i)}, At: int64(n)})
		}
		return s
	}
}

func wants(t *testing.T, what string, kind trust.ErrorKind, events []trust.Event, err error) {
	t.Helper()
	if trust.KindOf(err) != kind || len(events) > 0 {
		t.Errorf("%s: got %v, %v; want %s", what, events, err, kind)
	}
}

func created(t *testing.T) stream.State {
	t.Helper()
	return apply(t, stream.State{}, 7)(stream.State{}.Create(facts, stream.Created{
		ID: "s1", Client: "gateway", Delivery: polled, Events: []signal.Type{signal.SessionRevoked, "urn:other", signal.AccountDisabled, signal.SessionRevoked},
	}))
}

func TestCreate(t *testing.T) {
	s, ok := created(t).Get("s1")
	if !ok || s.Status != stream.Enabled || s.From != 7 || !s.Has(signal.AccountDisabled) || s.Has("urn:other") || len(s.Events) != 2 {
		t.Errorf("got %+v, %v", s, ok)
	}
	for name, c := range map[string]struct {
		stream.Created
		want trust.ErrorKind
	}{
		"without identifier":           {stream.Created{Client: "gateway", Delivery: polled}, trust.Invalid},
		"without receiver":             {stream.Created{ID: "s2", Delivery: polled}, trust.Invalid},
		"again":                        {stream.Created{ID: "s1", Client: "gateway", Delivery: polled}, trust.Conflict},
		"without method":               {stream.Created{ID: "s2", Client: "gateway"}, trust.Invalid},
		"another method":               {stream.Created{ID: "s2", Client: "gateway", Delivery: stream.Delivery{Method: "urn:x", Endpoint: push}}, trust.Invalid},
		"polled at an address":         {stream.Created{ID: "s2", Client: "gateway", Delivery: stream.Delivery{Method: stream.Poll, Endpoint: push}}, trust.Invalid},
		"pushed nowhere":               {stream.Created{ID: "s2", Client: "gateway", Delivery: stream.Delivery{Method: stream.Push}}, trust.Denied},
		"pushed to another's address":  {stream.Created{ID: "s2", Client: "other", Delivery: pushed}, trust.Denied},
		"pushed below its own address": {stream.Created{ID: "s2", Client: "gateway", Delivery: stream.Delivery{Method: stream.Push, Endpoint: push + "/x"}}, trust.Denied},
	} {
		events, err := created(t).Create(facts, c.Created)
		wants(t, name, c.want, events, err)
	}
	many := created(t)
	for i := range 7 {
		many = apply(t, many, 8)(many.Create(facts, stream.Created{ID: fmt.Sprint("t", i), Client: "gateway", Delivery: pushed}))
	}
	events, err := many.Create(facts, stream.Created{ID: "t8", Client: "gateway", Delivery: polled})
	wants(t, "a ninth", trust.Conflict, events, err)
	if n := len(many.Of("gateway")); n != 8 || len(many.Of("other")) != 0 {
		t.Errorf("the receiver has %d streams", n)
	}
}

func TestUpdateAndDelete(t *testing.T) {
	s := created(t)
	s = apply(t, s, 9)(s.Update(facts, stream.Updated{ID: "s1", Delivery: pushed, Events: []signal.Type{"urn:other"}}))
	if got, _ := s.Get("s1"); got.Delivery != pushed || len(got.Events) != 0 || got.Settings != 9 || got.From != 7 {
		t.Errorf("got %+v", got)
	}
	events, err := s.Update(facts, stream.Updated{ID: "s1", Delivery: stream.Delivery{Method: stream.Push, Endpoint: "https://x.example"}})
	wants(t, "to an address that is not registered", trust.Denied, events, err)
	events, err = s.Update(facts, stream.Updated{ID: "s9", Delivery: polled})
	wants(t, "one that is not", trust.NotFound, events, err)
	before := s
	s = apply(t, s, 10)(s.Delete(stream.Deleted{ID: "s1"}))
	if _, ok := s.Get("s1"); ok {
		t.Error("it is still there")
	}
	if _, ok := before.Get("s1"); !ok {
		t.Error("the older state changed")
	}
	events, err = s.Delete(stream.Deleted{ID: "s1"})
	wants(t, "deleting it again", trust.NotFound, events, err)
	if after := s.Apply(stream.Moved{ID: "s1", To: stream.Enabled}, trust.Stamp{}); !reflect.DeepEqual(after, s) {
		t.Error("an event revives it")
	}
}

// What an operator stopped, only an operator starts; what happened while a stream
// was disabled is never sent.
func TestMove(t *testing.T) {
	byReceiver := func(to stream.Status) stream.Moved {
		return stream.Moved{ID: "s1", To: to, Party: stream.Receiver}
	}
	byOperator := func(to stream.Status) stream.Moved {
		return stream.Moved{ID: "s1", To: to, Party: stream.Operator, By: "o1"}
	}
	byRule := stream.Moved{ID: "s1", To: stream.Paused, Party: stream.Transmitter, Rule: stream.Behind}
	s := created(t)
	for name, m := range map[string]stream.Moved{
		"to nowhere": byReceiver("off"), "by nobody": {ID: "s1", To: stream.Paused}, "by an operator without name": {ID: "s1", To: stream.Paused, Party: stream.Operator},
		"by no rule": {ID: "s1", To: stream.Paused, Party: stream.Transmitter}, "by a receiver's rule": {ID: "s1", To: stream.Paused, Party: stream.Receiver, Rule: stream.Behind},
	} {
		events, err := s.Move(m)
		wants(t, name, trust.Invalid, events, err)
	}
	if events, err := s.Move(byReceiver(stream.Enabled)); events != nil || err != nil {
		t.Errorf("what it has already gave %v, %v", events, err)
	}
	s = apply(t, s, 10)(s.Move(byRule))
	if got, _ := s.Get("s1"); got.Status != stream.Paused || got.Rule != stream.Behind || got.Moved != 10 || got.From != 7 {
		t.Errorf("got %+v", got)
	}
	s = apply(t, s, 11)(s.Move(byReceiver(stream.Enabled)))
	if got, _ := s.Get("s1"); got.Status != stream.Enabled || got.From != 7 || got.Rule != "" {
		t.Errorf("got %+v", got)
	}
	s = apply(t, s, 12)(s.Move(byReceiver(stream.Disabled)))
	s = apply(t, s, 13)(s.Move(byOperator(stream.Disabled)))
	for _, m := range []stream.Moved{byReceiver(stream.Enabled), byRule, byReceiver(stream.Paused)} {
		events, err := s.Move(m)
		wants(t, "what an operator stopped", trust.Denied, events, err)
	}
	s = apply(t, s, 14)(s.Move(byOperator(stream.Paused)))
	s = apply(t, s, 15)(s.Move(byOperator(stream.Enabled)))
	if got, _ := s.Get("s1"); got.From != 14 || got.Status != stream.Enabled {
		t.Errorf("got %+v", got)
	}
	events, err := s.Move(stream.Moved{ID: "s9", To: stream.Paused, Party: stream.Receiver})
	wants(t, "one that is not", trust.NotFound, events, err)
}

func TestSubjects(t *testing.T) {
	s := created(t)
	one := trust.SubjectKey{1}
	s = apply(t, s, 20)(s.AddSubject("s1", one))
	if got, _ := s.Get("s1"); func() bool { n, ok := got.Added(one); return !ok || n != 20 }() {
		t.Errorf("got %+v", got)
	}
	if events, err := s.AddSubject("s1", one); events != nil || err != nil {
		t.Errorf("adding it again gave %v, %v", events, err)
	}
	s = apply(t, s, 21)(s.RemoveSubject("s1", one))
	if got, _ := s.Get("s1"); func() bool { _, ok := got.Added(one); return ok }() {
		t.Error("it was not removed")
	}
	if events, err := s.RemoveSubject("s1", one); events != nil || err != nil {
		t.Errorf("removing it again gave %v, %v", events, err)
	}
	events, err := s.AddSubject("s9", one)
	wants(t, "to a stream that is not", trust.NotFound, events, err)
	events, err = s.RemoveSubject("s9", one)
	wants(t, "from a stream that is not", trust.NotFound, events, err)
}
