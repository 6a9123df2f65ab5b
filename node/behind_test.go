package node_test

import (
	"testing"
	"time"

	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/signal"
	streams "github.com/entente-id/entente/stream"
)

// streaming makes a receiver of a node with a polled streams.
func streaming(t *testing.T, n *nodetest.Node) (*node.Receiver, string) {
	t.Helper()
	if _, known := n.State().Client.Get("gateway"); !known {
		done(t, n.AddClient(t.Context(), n.Admin, client.Document{
			Kind: "Client", ID: "gateway", Participant: n.ID, Signals: &client.Signals{All: true}, Means: client.Means{SPIFFEID: "spiffe://rxw.example/gateway"},
		}))
	}
	secret, _, ok := n.ReceiverToken("gateway", true)
	r, found := n.Receiver(secret)
	if !ok || !found {
		t.Fatal("the receiver is not let in")
	}
	v, err := r.CreateStream(t.Context(), node.StreamSettings{Delivery: streams.Delivery{Method: streams.Poll}, Requested: []string{string(signal.SessionRevoked)}})
	done(t, err)
	return r, v.ID
}

// A receiver that takes nothing for a week finds its stream paused, and told so;
// what it was owed is still there.
func TestAReceiverTooFarBehindIsPaused(t *testing.T) {
	ward := wardOf(t, nil)
	n := ward.Home
	_, id := streaming(t, n)
	revoke(t, ward, "nurse-1")
	look := func() streams.Stream {
		t.Helper()
		n.PauseBehind(t.Context())
		s, _ := n.State().Stream.Get(id)
		return *s
	}
	n.Clock.Shift(6 * 24 * time.Hour)
	if s := look(); s.Status != streams.Enabled {
		t.Errorf("after six days it is %s", s.Status)
	}
	n.Clock.Shift(8 * 24 * time.Hour)
	if s := look(); s.Status != streams.Paused || s.Rule != streams.Behind || s.MovedBy != streams.Transmitter {
		t.Errorf("after eight days it is %+v", s)
	}
	report, err := n.StreamReports(t.Context(), n.Admin, id)
	done(t, err)
	if len(report) != 1 || report[0].Owes != 1 || report[0].Rule != streams.Behind {
		t.Errorf("reported %+v", report)
	}
	secret, _, _ := n.ReceiverToken("gateway", true)
	r, _ := n.Receiver(secret)
	poll := func() node.PollAnswer {
		t.Helper()
		a, err := r.Poll(t.Context(), id, node.PollRequest{Immediately: true})
		done(t, err)
		return a
	}
	if got := poll(); len(got.Sets) != 1 {
		t.Errorf("a paused stream says %d things, and has one to say", len(got.Sets))
	}
	done(t, r.MoveStream(t.Context(), id, streams.Enabled, ""))
	if s := look(); s.Status != streams.Enabled {
		t.Errorf("it is %s again at once", s.Status)
	}
	if got := poll(); len(got.Sets) != 1 {
		t.Errorf("it gives %d events", len(got.Sets))
	}
	if s := look(); s.Status != streams.Enabled {
		t.Errorf("it is %s again at once", s.Status)
	}
}

// A poll that may wait is answered when there is something.
func TestAPollWaits(t *testing.T) {
	ward := wardOf(t, nil)
	r, id := streaming(t, ward.Home)
	answered := make(chan node.PollAnswer, 1)
	wait := func() {
		a, err := r.Poll(t.Context(), id, node.PollRequest{})
		if err != nil {
			t.Error(err)
		}
		answered <- a
	}
	go wait()
	revoke(t, ward, "nurse-1")
	if a := <-answered; len(a.Sets) != 1 || a.More {
		t.Errorf("answered %v", a)
	}
	var jtis []string
	again, err := r.Poll(t.Context(), id, node.PollRequest{Immediately: true})
	done(t, err)
	for jti := range again.Sets {
		jtis = append(jtis, jti)
	}
	none := 0
	rest, err := r.Poll(t.Context(), id, node.PollRequest{Max: &none, Acked: jtis})
	if done(t, err); len(rest.Sets) != 0 || rest.More {
		t.Errorf("after it was taken: %v", rest)
	}
}
