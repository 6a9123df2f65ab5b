package demo

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/entente-id/entente/trust"
)

// world is the three trusts and what they stand on.
type world struct {
	program   string
	dir       string
	authority *authority
	http      *http.Client // of the applications
	crash     context.CancelCauseFunc

	rxw, rje, r0a *hospital
}

// newWorld makes an empty world below dir. Crash is called when a node ends
// that nobody stopped.
func newWorld(program, dir string, crash context.CancelCauseFunc) (*world, error) {
	a, err := newAuthority()
	if err != nil {
		return nil, err
	}
	w := &world{program: program, dir: dir, authority: a, http: a.client(), crash: crash}
	if err := os.WriteFile(w.caFile(), a.pem, 0o644); err != nil {
		return nil, trust.Errorf(trust.Unavailable, "writing the demo authority's certificate: %w", err)
	}
	w.rxw = &hospital{world: w, code: "RXW", name: "RXW Hospitals"}
	w.rje = &hospital{world: w, code: "RJE", name: "RJE Hospitals"}
	w.r0a = &hospital{world: w, code: "R0A", name: "R0A Hospitals"}
	return w, nil
}

func (w *world) caFile() string { return filepath.Join(w.dir, "ca.pem") }

func (w *world) hospitals() []*hospital { return []*hospital{w.rxw, w.rje, w.r0a} }

// open makes all three trusts, side by side.
func (w *world) open(ctx context.Context) error {
	return w.each(func(h *hospital) error { return h.open(ctx) })
}

// each runs f for all three at once.
func (w *world) each(f func(*hospital) error) error {
	all := w.hospitals()
	errs := make([]error, len(all))
	var running sync.WaitGroup
	for i, h := range all {
		running.Go(func() { errs[i] = f(h) })
	}
	running.Wait()
	return errors.Join(errs...)
}

// stop ends every process and server.
func (w *world) stop() {
	_ = w.each(func(h *hospital) error { h.leave(); return nil }) // there is no error
	_ = w.authority.close()                                       // the listeners go with this process anyway
	w.http.CloseIdleConnections()
}

// patience is how long anything may take that other processes bring about.
const patience = time.Minute

// until waits for a condition. It fails with Unavailable when patience ends, or
// as the condition does.
func until(ctx context.Context, what string, condition func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		ok, err := condition(ctx)
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return trust.Errorf(trust.Unavailable, "waited in vain for %s: %w", what, context.Cause(ctx))
		case <-time.After(10 * time.Millisecond):
		}
	}
}
