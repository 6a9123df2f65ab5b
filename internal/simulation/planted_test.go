//go:build slow

package simulation_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/store"
)

// planted are faults that the histories have to find.
var planted = map[string]func(*fault){
	"a disk that acknowledges before it has written": func(f *fault) {
		f.syncs = 0
		f.crashed = func(d *disk) {
			for _, log := range []string{store.TrustLog, store.DecisionLog} {
				for t := d.logs[log]; len(t.batches) > t.copied && time.Since(t.batches[len(t.batches)-1].at) < time.Second; {
					d.lose(log)
				}
			}
		}
	},
	"a disk that forgets its last batch": func(f *fault) {
		f.crashed = func(d *disk) {
			if t := d.logs[store.TrustLog]; len(t.batches) > t.copied {
				d.lose(store.TrustLog)
			}
		}
	},
	"a partner that takes a message before it has it": func(f *fault) {
		f.serve = func(w *world, _, to *player, r node.Outgoing, next answers) (node.Incoming, error) {
			if r.Path != node.MessagesPath || to.current() == nil {
				return next()
			}
			w.all.Go(func() {
				time.Sleep(20 * time.Millisecond)
				_, _ = next()
			})
			return node.Incoming{Status: http.StatusAccepted}, nil
		}
	},
	"a clock that stands while the machine sleeps": func(f *fault) {
		f.source = func(m *machine) clock.Source { return drowsy{m} }
	},
	"a home whose word leaves out what is still under way": func(f *fault) {
		f.serve = func(_ *world, from, to *player, r node.Outgoing, next answers) (node.Incoming, error) {
			in, err := next()
			if r.Path == node.HeartbeatPath && err == nil && in.Status == http.StatusOK {
				in.Body = belittled(from, to, in.Body)
			}
			return in, err
		}
	},
}

// drowsy is a machine whose time since it started is Go's own, which sleeps with
// it.
type drowsy struct{ *machine }

func (d drowsy) Boot() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now().Sub(epoch) + time.Hour - d.slept
}

// belittled is a home's word with the heads that its partner has come to.
func belittled(asked, home *player, jws []byte) []byte {
	u, err := jose.Parse(string(jws), jose.Form{Types: []string{"secevent+jwt"}, MaxBytes: 1 << 20})
	r := asked.current()
	if err != nil || r == nil {
		return jws
	}
	claims := u.UnverifiedClaims()
	word, _ := claims["edge"].(canonical.Object)
	heads := canonical.Object{}
	for _, lane := range edge.Lanes() {
		_, applied := r.State().Edge.Position(home.ID, lane)
		heads[string(lane)] = applied
	}
	word["heads"] = heads
	out, err := jose.Sign(home.keys.Signer(participant.StreamKey), "secevent+jwt", claims)
	if err != nil {
		return jws
	}
	return []byte(out)
}

// usual is how many histories a usual run plays.
const usual = 2000

// Every planted fault is found within the histories of a usual run.
func TestPlantedFaultsAreFound(t *testing.T) {
	for name, plant := range planted {
		t.Run(name, func(t *testing.T) {
			f := none()
			plant(&f)
			for i := range usual {
				h := histories.Example(i)
				if err := playOut(t, h, f); err != nil {
					t.Logf("history %d: %s", i, err)
					return
				}
			}
			t.Errorf("%d histories find nothing", usual)
		})
	}
}
