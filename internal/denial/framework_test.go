package denial_test

import (
	"errors"
	"testing"
	"time"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Scenario 11: what may become the framework, and from when on; who does not follow
// in time gets what is on the basic tier alone.
func TestFrameworks(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(func(d *framework.Document) { d.Governance.AdoptWithin = 600 })
	ward := w.NewWard(home, host, nil)
	ctx, rules := t.Context(), w.Rules(home, host)
	brings := func(what string, rule framework.Rule, signed framework.Signed) string {
		t.Helper()
		hash, err := host.ReceiveFramework(ctx, host.Admin, signed)
		refused, _ := errors.AsType[*framework.Refusal](err)
		if rule == "" && err != nil || rule != "" && (refused == nil || refused.Rule != rule) {
			t.Errorf("%s: %v", what, err)
		}
		return hash
	}
	next := func(change func(*framework.Document)) framework.Document {
		d, current := rules, host.State().Framework.Current
		d.Version, d.Previous, d.Governance.AdoptWithin = current.Version+1, current.Hash, 600
		change(&d)
		return d
	}
	decides := func(version int) {
		t.Helper()
		nodetest.Eventually(t, "an answer by the framework", func() bool {
			e, err := host.Explain(ctx, host.Admin, host.Decide(ctx, ward.Ask(w.Token(ward.Issuer, "910000000001", ward.Audience, nil))).Reference)
			check(t, err)
			return e.Framework == version
		})
	}

	looser := next(func(d *framework.Document) {
		d.Governance.Threshold, d.Governance.Signers = 1, d.Governance.Signers[:1]
	})
	brings("one who asks for itself alone", framework.Threshold, w.Sign(looser, home))
	brings("the same one twice", framework.RepeatedSigner, w.Sign(next(func(*framework.Document) {}), home, home))
	brings("one that builds on something else", framework.PreviousMismatch, w.Sign(next(func(d *framework.Document) { d.Previous = framework.Hash(nil) }), home, host))

	date := trust.Instant(time.Now().Add(5 * time.Minute).Unix())
	second := w.Sign(next(func(d *framework.Document) { d.Activates = date }), home, host)
	check(t, host.AdoptFramework(ctx, host.Admin, brings("the next", "", second)))
	brings("a rival of what was adopted", framework.NotNewer, w.Sign(next(func(d *framework.Document) { d.Summary = "a rival" }), home, host))
	decides(1)
	home.Clock.Shift(5 * time.Minute)
	host.Clock.Shift(5 * time.Minute)
	decides(2)

	home.Clock.Shift(16 * time.Minute)
	host.Clock.Shift(16 * time.Minute)
	if all := host.Adoptions(); all[1].Stage != node.Lags {
		t.Errorf("who adopted is %+v", all)
	}
	reads := func() trust.Reason {
		now := host.Now()
		token := w.Token(ward.Issuer, "910000000001", ward.Audience, map[string]any{"iat": now, "exp": now + 60, "auth_time": now})
		return host.Decide(ctx, ward.Ask(token)).Reason
	}
	if got := reads(); got != trust.NotAdopted {
		t.Errorf("its home has not adopted in time: %s", got)
	}
	check(t, home.AdoptFramework(ctx, home.Admin, framework.Hash(second.Bytes)))
	nodetest.Eventually(t, "a permit", func() bool { return reads() == trust.Permit })
	first := framework.Hash(w.Sign(rules, home, host).Bytes)
	if events, err := host.State().Participant.Adopt(home.ID, first, 1); events != nil || err != nil {
		t.Errorf("back to an older version: %v, %v", events, err)
	}
}
