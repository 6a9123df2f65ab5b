package demo

import (
	"context"
	"time"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// RemovalOf is removalOf, for its test.
var RemovalOf = removalOf

// Ward is the demo's world once RXW's nurses may read at RJE, for tests that
// break it.
type Ward struct {
	play  *play
	nurse nurse
	token string
}

// OpenWard starts the nodes of a program below dir and brings the agreements
// about. Whatever it gives is to be closed.
func OpenWard(ctx context.Context, program, dir string, crash context.CancelCauseFunc) (*Ward, error) {
	w, err := newWorld(program, dir, crash)
	if err != nil {
		return nil, err
	}
	ward := &Ward{play: &play{world: w}}
	if err := w.open(ctx); err != nil {
		return ward, err
	}
	if _, err := w.found(ctx); err != nil {
		return ward, err
	}
	return ward, ward.play.agree(ctx)
}

// Close ends every process.
func (w *Ward) Close() { w.play.world.stop() }

// Employ gives RXW another nurse, who signs in.
func (w *Ward) Employ(ctx context.Context, login, subject string) error {
	w.nurse = w.play.world.rxw.enrol(login, subject)
	return w.SignIn(ctx)
}

// SignIn gives the nurse a fresh token.
func (w *Ward) SignIn(ctx context.Context) error {
	tokens, err := w.play.enter(ctx, w.nurse, w.play.records["RJE"])
	w.token = tokens.Access
	return err
}

// Ask shows the nurse's token at RJE and gives the answer's reason.
func (w *Ward) Ask(ctx context.Context) (trust.Reason, error) {
	o, err := w.play.records["RJE"].ask(ctx, w.token)
	return o.reason, err
}

// Revoke ends the nurse at RXW.
func (w *Ward) Revoke(ctx context.Context) error {
	rxw := w.play.world.rxw
	_, err := rxw.operators[registrar].Revoke(ctx, node.RevokeRequest{
		Kind: revocation.Subject, Issuer: rxw.issuer.String(), Subject: w.nurse.subject, Reason: "left",
	})
	return err
}

// Accepted reports whether RJE has accepted all that RXW has to say.
func (w *Ward) Accepted(ctx context.Context) (bool, error) {
	status, err := w.play.world.rxw.admin.Status(ctx)
	for _, p := range status.Partners {
		if p.ID == w.play.world.rje.id {
			for _, waiting := range p.Queued {
				if waiting > 0 {
					return false, err
				}
			}
		}
	}
	return err == nil, err
}

// Node is a hospital's, by code.
func (w *Ward) Node(code string) *Node {
	return map[string]*Node{"RXW": (*Node)(w.play.world.rxw), "RJE": (*Node)(w.play.world.rje)}[code]
}

// Node is the process of a hospital's node.
type Node hospital

// Kill ends the node on the spot (kill -9); Start starts it again.
func (n *Node) Kill()                           { n.node.kill() }
func (n *Node) Start(ctx context.Context) error { return (*hospital)(n).start(ctx) }

// Endpoint is the address at which partners reach the node.
func (n *Node) Endpoint() string { return n.endpoint }

// Hold freezes the node, whose connections stay open; Resume lets it go on.
func (n *Node) Hold()   { n.node.hold() }
func (n *Node) Resume() { n.node.resume() }

// SetClock moves the node's time of day.
func (n *Node) SetClock(ctx context.Context, ahead time.Duration) error {
	return n.admin.SetClock(ctx, ahead)
}
