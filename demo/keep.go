package demo

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/entente-id/entente/trust"
)

// renewal is how often a kept demo signs its nurse in again, well within the
// life of a token.
const renewal = 5 * time.Minute

// linger tells what may be tried, and keeps a good token in a file, until ctx
// ends.
func (p *play) linger(ctx context.Context) error {
	if err := p.keepToken(ctx); err != nil && !interrupted(ctx) {
		return err
	}
	p.invite()
	for tick := time.Tick(renewal); ; {
		select {
		case <-ctx.Done():
			if interrupted(ctx) {
				return nil
			}
			return context.Cause(ctx)
		case <-tick:
			if err := p.keepToken(ctx); err != nil && ctx.Err() == nil {
				p.tell.say("the token was not renewed: %s", err)
			}
		}
	}
}

func (p *play) tokenFile() string { return filepath.Join(p.world.dir, "token") }

// keepToken signs the nurse who stays in and writes her token to the file.
func (p *play) keepToken(ctx context.Context) error {
	tokens, err := p.enter(ctx, p.bola, p.records["RJE"])
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.tokenFile(), []byte(tokens.Access), 0o600); err != nil {
		return trust.Errorf(trust.Unavailable, "writing the token: %w", err)
	}
	return nil
}

// invite tells where everything is and what may be tried.
func (p *play) invite() {
	w, say := p.world, p.tell.say
	entente := shortest(w.program)
	say("\nRunning until interrupted, in %s:", w.dir)
	for _, h := range w.hospitals() {
		say("  %s  node https://%s (partners, mutual TLS)  OpenID provider %s  ward records %s", h.code, h.relay.address(), h.issuer, p.records[h.code].url)
	}
	say("\nRead a record at RJE as a nurse of RXW; x-decision-id is the decision's reference:")
	say("  curl -i --cacert %s -H \"Authorization: Bearer $(cat %s)\" %s%s", w.caFile(), p.tokenFile(), p.records["RJE"].url, recordPath)
	say("Ask why, at the trust that decided:")
	say("  %s --operator %s explain REFERENCE", entente, w.rje.file(auditor+".json"))
	say("See an agreement, and the state of the edges:")
	say("  %s --operator %s agreement show rxw-staff-at-rje -o yaml", entente, w.rje.file(auditor+".json"))
	say("  %s --operator %s status", entente, w.rje.file(auditor+".json"))
	say("Offboard her at RXW, then read the record again:")
	say("  %s --operator %s revoke subject %s %s --reason left", entente, w.rxw.file(registrar+".json"), w.rxw.issuer, p.bola.subject)
	say("Stop the whole agreement from RJE's side:")
	say("  %s --operator %s suspend agreement rxw-staff-at-rje --reason 'lost laptop'", entente, w.rje.file(security+".json"))
	say("Recompute a ledger and believe nothing in it:")
	say("  %s ledger verify --from %s", entente, w.rje.dir)
}

// farewell tells what may be tried when nothing is left running.
func (p *play) farewell() {
	entente := shortest(p.world.program)
	p.tell.say("\nTry next:\n  %s demo --keep   leaves all this running, with commands to try on it\n  %s demo --json   the same as one JSON object\n  %s --help        everything a node can be told", entente, entente, entente)
}

// shortest is how a path is typed from here.
func shortest(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(here, path)
	switch {
	case err != nil || len(relative) >= len(path):
		return path
	case !strings.Contains(relative, "/"):
		return "./" + relative // else a shell would look for it elsewhere
	default:
		return relative
	}
}
