package node_test

import (
	"slices"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// founded makes two introduced nodes under one framework.
func founded(t *testing.T, w *nodetest.World, change func(*framework.Document)) (home, host *nodetest.Node) {
	t.Helper()
	return w.Found(change)
}

// wardOf is an active ward agreement in a world of its own; change, which may
// be nil, amends the agreement before it is signed.
func wardOf(t *testing.T, change func(*agreement.Document)) *nodetest.Ward {
	t.Helper()
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, nil)
	return w.NewWard(home, host, change)
}

// nurse gives a fresh token of the ward's issuer.
func nurse(ward *nodetest.Ward, subject string) []byte {
	return ward.Home.World.Token(ward.Issuer, subject, ward.Audience, nil)
}

// read asks at the host whether the token's bearer may read the record.
func read(t *testing.T, ward *nodetest.Ward, token []byte) trust.Reason {
	t.Helper()
	return answer(t, ward.Host, ward.Ask(token)).Reason
}

// answer asks, and sees that permit and reason agree.
func answer(t *testing.T, n *nodetest.Node, ask node.Ask) node.Answer {
	t.Helper()
	a := n.Decide(t.Context(), ask)
	if a.Permit != (a.Reason == trust.Permit) {
		t.Fatalf("permit %v for reason %s", a.Permit, a.Reason)
	}
	return a
}

// want sees that the token's bearer gets this reason.
func want(t *testing.T, ward *nodetest.Ward, token []byte, reason trust.Reason) {
	t.Helper()
	if got := read(t, ward, token); got != reason {
		t.Fatalf("the answer is %s, not %s", got, reason)
	}
}

// await waits until the token's bearer gets this reason.
func await(t *testing.T, ward *nodetest.Ward, token []byte, reason trust.Reason) {
	t.Helper()
	nodetest.Eventually(t, "the answer "+string(reason), func() bool { return read(t, ward, token) == reason })
}

// revoke ends a subject of the ward's home, at the home.
func revoke(t *testing.T, ward *nodetest.Ward, subject string) {
	t.Helper()
	revokeAt(t, ward.Home, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: subject, Reason: "left"})
}

func revokeAt(t *testing.T, n *nodetest.Node, r node.RevokeRequest) {
	t.Helper()
	if _, err := n.Revoke(t.Context(), n.Admin, r); err != nil {
		t.Fatal(err)
	}
}

// refused sees that err is of this kind.
func refused(t *testing.T, what string, err error, kind trust.ErrorKind) {
	t.Helper()
	if trust.KindOf(err) != kind {
		t.Errorf("%s: %v, a %q; expected %q", what, err, trust.KindOf(err), kind)
	}
}

func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// entries gives every entry of a log, or those of a kind such as "edge.broken/v1".
func entries(t *testing.T, n *nodetest.Node, log, kind string) []node.EntryView {
	t.Helper()
	var all []node.EntryView
	for from := uint64(0); ; {
		page, next, err := n.Entries(t.Context(), n.Admin, log, from, 512)
		done(t, err)
		all = append(all, page...)
		if from = next; next == 0 {
			break
		}
	}
	if kind == "" {
		return all
	}
	return slices.DeleteFunc(all, func(e node.EntryView) bool { return e.Kind != kind })
}

// newest gives the newest entry of a kind, read.
func newest[E trust.Event](t *testing.T, n *nodetest.Node) (e E, count int) {
	t.Helper()
	all := entries(t, n, "trust", e.EventKind().String())
	if len(all) > 0 {
		done(t, canonical.Decode(all[len(all)-1].Body, &e))
	}
	return e, len(all)
}

// next is the number of the message that to expects of from.
func next(from, to *nodetest.Node, lane edge.Lane) uint64 {
	_, last := to.State().Edge.Position(from.ID, lane)
	return last + 1
}

// forge signs, with from's own stream key, a message that from's node never
// queued.
func forge(t *testing.T, from, to *nodetest.Node, lane edge.Lane, number uint64, kind string, content any) []byte {
	t.Helper()
	jws, err := jose.Sign(from.Config.Keys.Signer(participant.StreamKey), "secevent+jwt", map[string]any{
		"iss": from.ID, "aud": to.ID, "iat": from.Now(), "jti": "forged",
		"edge":   map[string]any{"epoch": from.State().At.Position.Epoch, "lane": lane, "n": number},
		"events": map[string]any{"urn:entente:edge:" + kind + ":1": content},
	})
	done(t, err)
	return []byte(jws)
}

// quiet waits until everything queued between the nodes was applied.
func quiet(t *testing.T, a, b *nodetest.Node) {
	t.Helper()
	nodetest.Eventually(t, "all messages to arrive", func() bool {
		for _, lane := range edge.Lanes() {
			if next(a, b, lane) != a.State().Edge.Next(b.ID, lane) || next(b, a, lane) != b.State().Edge.Next(a.ID, lane) {
				return false
			}
		}
		return true
	})
}
