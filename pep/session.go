package pep

import (
	"context"
	"errors"
	"net/http"

	"github.com/entente-id/entente/trust"
)

// ErrCut is why a session ends about which the node can say nothing any more:
// its stream was silent, broke, or may have missed an end.
var ErrCut = errors.New("pep: the node's watch stream does not vouch for the session any more")

// Ended is why a session ends that the node does not permit any more (R81). The
// reason is for the enforcement point's own eyes; Decision is the reference of
// the denial.
type Ended struct {
	Reason   trust.Reason
	Decision string
}

func (e *Ended) Error() string { return "pep: the session is permitted no longer: " + string(e.Reason) }

// Session is what a caller was let in to for longer than a call. Context ends
// when the node permits it no longer, with *Ended or ErrCut as its cause, or with
// the context that it was opened in. Whoever closes the session calls Release.
type Session struct {
	Context context.Context
	Release func()
}

// Open asks about a session, and lets it in where the answer is a permit; a
// denial is an answer without a session. It fails with Unavailable where no
// stream is open, where that broke while the node was asked, and as Ask does.
func (n *Node) Open(ctx context.Context, q Question) (Answer, Session, error) {
	cuts, live := n.watch.state()
	if !live {
		return Answer{}, Session{}, trust.Errorf(trust.Unavailable, "no watch stream of %s is open; a session waits for one", n.config.Node)
	}
	answer, err := n.ask(ctx, q, true)
	if err != nil || !answer.Permit {
		return answer, Session{}, err
	}
	session, cancel := context.WithCancelCause(ctx)
	if !n.watch.hold(answer.Reference, cuts, cancel) {
		cancel(ErrCut)
		return Answer{}, Session{}, trust.Errorf(trust.Unavailable, "the watch stream of %s broke while a session was asked for; ask again", n.config.Node)
	}
	return answer, Session{session, func() { n.release(answer.Reference, cancel) }}, nil
}

// release closes a session and gives it back; one that is not given back ends by
// itself.
func (n *Node) release(reference string, cancel context.CancelCauseFunc) {
	cancel(context.Canceled)
	if !n.watch.drop(reference) {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), n.config.Silence)
	defer stop()
	if answer, err := n.send(ctx, http.MethodDelete, sessionPath+reference, nil, "", ""); err == nil {
		_ = answer.Body.Close()
	}
}

// Live reports whether a stream is open.
func (n *Node) Live() bool {
	_, live := n.watch.state()
	return live
}
