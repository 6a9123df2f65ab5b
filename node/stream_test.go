package node_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// A partner's word that was overtaken by its own next message on the way is no
// contradiction.
func TestAnOvertakenHeartbeatBreaksNothing(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	quiet(t, home, host)
	answered, overtaken, heard := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var beats int
	home.World.Intercept(func(from, _ *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
		if from == host && r.Path == node.HeartbeatPath {
			switch beats++; beats {
			case 1:
				close(answered)
				<-overtaken
			case 2:
				close(heard) // so the first has been taken in
			}
		}
		return in
	})
	<-answered
	revoke(t, ward, "somebody")
	quiet(t, home, host)
	close(overtaken)
	<-heard
	if rule, broken := host.State().Edge.Broken(home.ID); broken {
		t.Errorf("the edge is broken by %s", rule)
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
}

// A message twice has one effect, one too early waits for its predecessor.
func TestMessagesTwiceAndTooEarly(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	revoke(t, ward, "nurse-1")
	quiet(t, home, host)
	// The first said, when both had signed, that nothing had been ended before.
	messages, err := home.Messages(t.Context(), host.ID, edge.Safety, 1, 10)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d messages, %v", len(messages), err)
	}
	size := len(entries(t, host, "trust", ""))
	for range 3 {
		done(t, host.ReceiveMessage(t.Context(), home.ID, []byte(messages[0])))
	}
	if now := len(entries(t, host, "trust", "")); now != size {
		t.Errorf("a repeated message added %d entries", now-size)
	}
	_, ended := newest[revocation.Revoked](t, host)
	if ended != 1 {
		t.Errorf("one message ended the subject %d times", ended)
	}
	early := forge(t, home, host, edge.Safety, 4, "suspension", map[string]any{"participant": host.ID})
	err = host.ReceiveMessage(t.Context(), home.ID, early)
	if gap, ok := errors.AsType[*node.Gap](err); !ok || gap.Expected != 3 {
		t.Errorf("message 4 after message 2: %v", err)
	}
	want(t, ward, nurse(ward, "nurse-2"), trust.Permit)
}

// What is not signed by the partner for this edge changes nothing.
func TestForeignMessagesAreDenied(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	third := ward.Home.World.New("trust.rcb.example")
	quiet(t, home, host)
	content := map[string]any{"participant": host.ID}
	number := next(home, host, edge.Safety)
	size := len(entries(t, host, "trust", ""))
	good := forge(t, home, host, edge.Safety, number, "suspension", content)
	for name, err := range map[string]error{
		"an unknown sender":      host.ReceiveMessage(t.Context(), third.ID, forge(t, third, host, edge.Safety, 1, "suspension", content)),
		"another one's key":      host.ReceiveMessage(t.Context(), home.ID, forge(t, third, host, edge.Safety, number, "suspension", content)),
		"meant for another":      host.ReceiveMessage(t.Context(), home.ID, forge(t, home, third, edge.Safety, number, "suspension", content)),
		"another signature":      host.ReceiveMessage(t.Context(), home.ID, append(good[:len(good)-4:len(good)-4], "AAAA"...)),
		"a heartbeat as message": host.ReceiveMessage(t.Context(), home.ID, heartbeat(t, home, host)),
	} {
		if kind := trust.KindOf(err); kind != trust.Denied && kind != trust.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now := len(entries(t, host, "trust", "")); now != size {
		t.Errorf("foreign messages added %d entries", now-size)
	}
}

func heartbeat(t *testing.T, from, to *nodetest.Node) []byte {
	t.Helper()
	jws, err := from.Heartbeat(t.Context(), to.ID, "nonce")
	done(t, err)
	return []byte(jws)
}

// Other content under a used number, and an unknown safety message, break the
// edge: decisions stop, once, and delivery goes on.
func TestBreaks(t *testing.T) {
	for name, forged := range map[string]func(t *testing.T, home, host *nodetest.Node) []byte{
		"contradiction": func(t *testing.T, home, host *nodetest.Node) []byte {
			t.Helper()
			return forge(t, home, host, edge.Governance, 1, "framework", map[string]any{"other": true})
		},
		"unknown_safety_kind": func(t *testing.T, home, host *nodetest.Node) []byte {
			t.Helper()
			return forge(t, home, host, edge.Safety, next(home, host, edge.Safety), "unheard", map[string]any{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ward := wardOf(t, nil)
			home, host := ward.Home, ward.Host
			quiet(t, home, host)
			want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
			message := forged(t, home, host)
			for range 3 {
				_ = host.ReceiveMessage(t.Context(), home.ID, message) // what it answers differs
			}
			if broken, count := newest[edge.Broken](t, host); broken.Rule != name || broken.From != home.ID || count != 1 {
				t.Errorf("%d breaks are recorded, the last %+v", count, broken)
			}
			want(t, ward, nurse(ward, "nurse-1"), trust.EdgeBroken)
			if name == "unknown_safety_kind" {
				return // its number is used up, so the home's own next one contradicts
			}
			revoke(t, ward, "nurse-1")
			quiet(t, home, host)
		})
	}
}

// A head below what was applied before, and a lower epoch, break the edge.
func TestAHeadBelowTheProvenOneBreaks(t *testing.T) {
	for name, change := range map[string]func(word map[string]any){
		"head":  func(word map[string]any) { word["heads"] = map[string]any{"safety": 0, "governance": 0} },
		"epoch": func(word map[string]any) { word["epoch"] = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			ward := wardOf(t, nil)
			home, host := ward.Home, ward.Host
			quiet(t, home, host)
			want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
			home.World.Intercept(func(from, to *nodetest.Node, r node.Outgoing, in node.Incoming) node.Incoming {
				if from == host && r.Path == node.HeartbeatPath {
					in.Body = rewritten(t, to, in.Body, change)
				}
				return in
			})
			await(t, ward, nurse(ward, "nurse-1"), trust.EdgeBroken)
			home.World.Intercept(nil)
			if broken, count := newest[edge.Broken](t, host); broken.Rule != "head_below_proven" || count != 1 {
				t.Errorf("%d breaks are recorded, the last %+v", count, broken)
			}
		})
	}
}

// rewritten is a heartbeat with another word, signed again.
func rewritten(t *testing.T, from *nodetest.Node, body []byte, change func(map[string]any)) []byte {
	t.Helper()
	u, err := jose.Parse(string(body), jose.Form{Types: []string{"secevent+jwt"}, MaxBytes: 1 << 20})
	if err != nil {
		t.Error(err)
		return nil
	}
	claims := maps.Clone(u.UnverifiedClaims())
	word := maps.Clone(claims["edge"].(canonical.Object))
	change(word)
	claims["edge"] = word
	jws, err := jose.Sign(from.Config.Keys.Signer(participant.StreamKey), "secevent+jwt", claims)
	if err != nil {
		t.Error(err)
	}
	return []byte(jws)
}

// A governance message of a kind that is not known is recorded as unsupported,
// and the stream goes on.
func TestUnknownGovernanceKind(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	quiet(t, home, host)
	home.World.Cut(host, home) // the home knows of no such message, and would say so
	number := next(home, host, edge.Governance)
	done(t, host.ReceiveMessage(t.Context(), home.ID, forge(t, home, host, edge.Governance, number, "drill-plan", map[string]any{"n": 1})))
	if applied, _ := newest[edge.Applied](t, host); applied.N != number || !applied.Unsupported || !strings.Contains(applied.Kind, "drill-plan") {
		t.Errorf("it is recorded as %+v", applied)
	}
	if _, broken := host.State().Edge.Broken(home.ID); broken {
		t.Error("it broke the edge")
	}
	want(t, ward, nurse(ward, "nurse-1"), trust.Permit)
}
