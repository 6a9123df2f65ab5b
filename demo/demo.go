// Package demo plays three hospital trusts on one machine: each with its own
// node process, OpenID provider and patient-record service, over real sockets
// and with real tokens. It decides which steps are played, what each must come
// to, and how that is told. It refuses to know how a node reaches a decision: it
// uses what any operator, application or auditor could use, and nothing more.
package demo

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/entente-id/entente/trust"
)

// Config says how the demo is played.
type Config struct {
	// Executable is the entente binary that the nodes run; empty is the one that
	// is running.
	Executable string
	// Dir is where the demo makes its directory, which it removes unless something
	// failed. Empty is the system's temporary directory. Sockets are made in it,
	// so its path must be short.
	Dir string
	// Keep leaves everything running after the last step until ctx ends.
	Keep bool
	// JSON writes one Report to Out at the end, in place of lines as they happen.
	JSON bool
	// Out takes what the demo tells.
	Out io.Writer
	// Progress takes lines for a person while Out waits for JSON. It is used only
	// if it is a terminal.
	Progress io.Writer
}

// Run plays the demo and tells whether no step failed. Whatever happens, every
// process it started has ended when it returns. An error says that the demo
// could not be played or told; a step that went wrong is none.
func Run(ctx context.Context, c Config) (passed bool, err error) {
	if c.Executable == "" {
		if c.Executable, err = os.Executable(); err != nil {
			return false, trust.Errorf(trust.Unavailable, "finding this program: %w", err)
		}
	}
	dir, err := os.MkdirTemp(c.Dir, "entente-demo-")
	if err != nil {
		return false, trust.Errorf(trust.Unavailable, "making the demo's directory: %w", err)
	}
	failed := false
	defer func() {
		if !failed { // then the nodes' logs are worth reading
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w, err := newWorld(c.Executable, dir, cancel)
	if err != nil {
		return false, err
	}
	defer w.stop()
	p := &play{world: w, tell: newTeller(c)}
	p.tell.begin(dir)
	p.run(ctx)
	if interrupted(ctx) {
		return false, trust.Errorf(trust.Unavailable, "the demo was interrupted")
	}
	err = p.finish()
	failed = !p.report.Passed
	switch {
	case err != nil:
		return false, err
	case c.Keep && ctx.Err() == nil:
		return p.report.Passed, p.linger(ctx)
	case failed:
		p.tell.say("The nodes' logs are %s", filepath.Join(dir, "*", "node.log"))
	default:
		p.farewell()
	}
	return p.report.Passed, nil
}

// interrupted tells an interrupt from a node that ended by itself.
func interrupted(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), context.Canceled)
}
