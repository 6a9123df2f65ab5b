package node_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

// renew rotates a node's keys: drafted at the node, signed offline, adopted.
func renew(t *testing.T, n *nodetest.Node, r participant.Rotation) participant.Card {
	t.Helper()
	draft, err := n.DraftCard(t.Context(), n.Admin, r)
	done(t, err)
	signed, err := participant.SignCard(n.Governance, draft.Card)
	done(t, err)
	done(t, n.RenewCard(t.Context(), n.Admin, signed))
	card, err := participant.ParseCard(signed)
	done(t, err)
	return card
}

// knows waits until a node has a partner's card.
func knows(t *testing.T, n, partner *nodetest.Node, card participant.Card) {
	t.Helper()
	nodetest.Eventually(t, "the card to arrive", func() bool {
		p, ok := n.State().Participant.Partner(partner.ID)
		return ok && p.Card.Issued == card.Issued
	})
}

// signers gives the keys a node signs with now.
func signers(n *nodetest.Node) map[participant.KeyUse]jose.Signer {
	out := map[participant.KeyUse]jose.Signer{}
	for _, use := range participant.KeyUses() {
		out[use] = n.Config.Keys.Signer(use)
	}
	return out
}

// All online keys of two nodes rotate, with days between the steps: announced,
// used, and gone. No request fails, no message is lost, and both ledgers verify
// over it (R72).
func TestOnlineKeysRotate(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	stop := make(chan struct{})
	var calls atomic.Int64
	var workers sync.WaitGroup
	for i := range 2 {
		token := nurse(ward, fmt.Sprintf("nurse-%d", i))
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				calls.Add(1)
				if a := host.Decide(t.Context(), ward.Ask(token)); !a.Permit {
					t.Errorf("call %d during the rotation is denied: %s", calls.Load(), a.Reason)
				}
			}
		})
	}
	workers.Go(func() { // whoever exchanges meanwhile gets a credential, and it is good
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			calls.Add(1)
			issued := host.Exchange(t.Context(), order(ward, nurse(ward, "nurse-9")))
			if issued.Token == "" {
				t.Errorf("exchange %d during the rotation is refused: %+v", calls.Load(), issued)
				continue
			}
			if a := host.Decide(t.Context(), ward.Ask([]byte(issued.Token))); !a.Permit {
				t.Errorf("a credential that was issued during the rotation is denied: %s", a.Reason)
			}
		}
	})
	var offset time.Duration
	pass := func(d time.Duration) { // in steps that leave each node the time to hear the other
		for ; d > 0; d -= 40 * time.Second {
			offset += min(d, 40*time.Second)
			for _, n := range []*nodetest.Node{home, host} {
				done(t, n.SetClock(t.Context(), n.Admin, offset))
			}
			nodetest.Eventually(t, "fresh words", func() bool { return fresh(t, home) && fresh(t, host) })
		}
	}
	left := 0
	leave := func() { // a message from each node to the other
		left++
		revoke(t, ward, fmt.Sprintf("leaver-%d", left))
		done(t, host.Declare(t.Context(), host.Admin, participant.Document{Kind: "Participant", ID: host.ID, Issuers: []participant.Issuer{{
			Issuer: issuerOf(t, fmt.Sprintf("https://idp-%d.rje.example", left)), JWKSURI: "https://idp.rje.example/jwks",
			Classes: []participant.ClassRule{{Class: trust.Human}},
		}}}))
	}
	before := map[*nodetest.Node]map[participant.KeyUse]jose.Signer{home: signers(home), host: signers(host)}
	leave()

	begins := trust.Instant(home.Now() + 60)
	for _, pair := range [][2]*nodetest.Node{{home, host}, {host, home}} {
		card := renew(t, pair[0], participant.Rotation{Begins: begins, Overlap: 300, Life: 86400})
		knows(t, pair[1], pair[0], card)
		if len(card.Keys) != 2*len(participant.KeyUses()) {
			t.Errorf("the card has %d keys", len(card.Keys))
		}
	}
	used := func(n *nodetest.Node, isNew bool) {
		t.Helper()
		for use, signer := range signers(n) {
			if was := before[n][use].Key(); signer.Key().Equal(was) == isNew {
				t.Errorf("%s signs as %s with the key %s; before, it was %s", n.ID, use, signer.Key().KeyID(), was.KeyID())
			}
		}
	}
	used(home, false)
	leave()
	pass(80 * time.Second) // they are good now, and not used yet: a partner's clock may be behind
	used(host, false)
	leave()
	pass(80 * time.Second)
	used(home, true)
	used(host, true)
	leave()
	quiet(t, home, host)
	// What the old key signs is believed until it ends, and no longer.
	number := next(home, host, edge.Governance)
	old := forgeBy(t, before[home][participant.StreamKey], home, host, edge.Governance, number+5)
	_, isGap := host.ReceiveMessage(t.Context(), home.ID, old).(*node.Gap)
	if !isGap {
		t.Error("in the overlap, the old stream key is not believed")
	}
	pass(240 * time.Second)
	refused(t, "the old stream key after its end", host.ReceiveMessage(t.Context(), home.ID, old), trust.Denied)
	leave()
	quiet(t, home, host)
	close(stop)
	workers.Wait()
	t.Logf("%d calls during the rotation, none of them failed", calls.Load())
	if calls.Load() < 50 {
		t.Errorf("only %d calls were made during the rotation", calls.Load())
	}
	for i := range left {
		want(t, ward, nurse(ward, fmt.Sprintf("leaver-%d", i+1)), trust.SubjectRevoked)
	}
	if p, _ := home.State().Participant.Partner(host.ID); len(p.Issuers) != 1 || p.Issuers[0].Issuer != issuerOf(t, fmt.Sprintf("https://idp-%d.rje.example", left)) {
		t.Errorf("the last statement of the host names %+v", p.Issuers)
	}

	// A second rotation destroys what has ended; the ledger verifies over all of it.
	renew(t, home, participant.Rotation{Overlap: 300})
	leave()
	for _, n := range []*nodetest.Node{home, host} {
		n.Stop()
		verified(t, n)
		n.Start()
	}
	leave()
	quiet(t, home, host)
}

func fresh(t *testing.T, n *nodetest.Node) bool {
	t.Helper()
	return !slices.ContainsFunc(n.Status(t.Context()).Partners, func(p node.PartnerStatus) bool { return p.Age < 0 || p.Age > 5 })
}

func issuerOf(t *testing.T, url string) trust.IssuerID {
	t.Helper()
	id, err := trust.ParseIssuerID(url)
	done(t, err)
	return id
}

func verified(t *testing.T, n *nodetest.Node) {
	t.Helper()
	r, _, err := local.OpenReader(filepath.Join(n.Dir, "data"), local.Options{})
	done(t, err)
	defer r.Close()
	_, err = node.VerifyLedger(t.Context(), r, nil, nil)
	done(t, err)
}

// forgeBy is forge with a key of the caller's.
func forgeBy(t *testing.T, by jose.Signer, from, to *nodetest.Node, lane edge.Lane, number uint64) []byte {
	t.Helper()
	jws, err := jose.Sign(by, "secevent+jwt", map[string]any{
		"iss": from.ID, "aud": to.ID, "iat": from.Now(), "jti": "forged",
		"edge":   map[string]any{"epoch": from.State().At.Position.Epoch, "lane": lane, "n": number},
		"events": map[string]any{"urn:entente:edge:news:1": map[string]any{}},
	})
	done(t, err)
	return []byte(jws)
}

// An emergency: the online keys were copied. The new card drops them while the
// partner cannot be reached; when it can, the card comes first, under a key that
// the partner still knows, and from then on the copied ones are worth nothing.
func TestCopiedKeysAreDropped(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	quiet(t, home, host)
	copied := signers(home)
	home.World.Cut(home, host)
	card := renew(t, home, participant.Rotation{Drop: true})
	for use, signer := range signers(home) {
		if signer.Key().Equal(copied[use].Key()) != (use == participant.LogKey) {
			// The log's key may finish what is on its way down.
			t.Errorf("%s is signed with %s", use, signer.Key().KeyID())
		}
	}
	revoke(t, ward, "nurse-1")
	home.World.Heal(home, host)
	knows(t, host, home, card)
	await(t, ward, nurse(ward, "nurse-1"), trust.SubjectRevoked)
	quiet(t, home, host)
	number := next(home, host, edge.Safety)
	forged := forgeBy(t, copied[participant.StreamKey], home, host, edge.Safety, number)
	refused(t, "a copied key", host.ReceiveMessage(t.Context(), home.ID, forged), trust.Denied)
	await(t, ward, nurse(ward, "nurse-2"), trust.Permit)
	home.Stop()
	verified(t, home)
	home.Start()
	for use, signer := range signers(home) {
		if signer.Key().Equal(copied[use].Key()) && use != participant.LogKey {
			t.Errorf("after a restart, %s is signed with a dropped key", use)
		}
	}
}

// A card that another key signed, an older one, and one whose keys are not held
// change nothing, here and at a partner.
func TestCardsThatAreRefused(t *testing.T) {
	ward := wardOf(t, nil)
	home, host := ward.Home, ward.Host
	first := home.State().Participant.Self().Signed
	draft, err := home.DraftCard(t.Context(), home.Admin, participant.Rotation{})
	done(t, err)
	foreign, err := participant.SignCard(host.Governance, draft.Card)
	done(t, err)
	refused(t, "another's signature", home.RenewCard(t.Context(), home.Admin, foreign), trust.Invalid)
	refused(t, "an operator without the role", home.RenewCard(t.Context(), node.Actor{ID: "op"}, foreign), trust.Denied)
	_, err = home.DraftCard(t.Context(), node.Actor{ID: "op"}, participant.Rotation{})
	refused(t, "a draft for an operator without the role", err, trust.Denied)

	other, err := host.DraftCard(t.Context(), host.Admin, participant.Rotation{})
	done(t, err)
	theirs, err := participant.SignCard(host.Governance, other.Card)
	done(t, err)
	refused(t, "another's card", home.RenewCard(t.Context(), home.Admin, theirs), trust.Conflict)

	card := renew(t, home, participant.Rotation{})
	knows(t, host, home, card)
	refused(t, "an older card", home.RenewCard(t.Context(), home.Admin, first), trust.Conflict)
	quiet(t, home, host)
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	number := next(home, host, edge.Governance)
	done(t, host.ReceiveMessage(t.Context(), home.ID, forge(t, home, host, edge.Governance, number, "card", map[string]any{"card": first})))
	if applied, _ := newest[edge.Applied](t, host); applied.N != number || !applied.Refused {
		t.Errorf("an older card at a partner is recorded as %+v", applied)
	}
	if p, _ := host.State().Participant.Partner(home.ID); p.Card.Issued != card.Issued {
		t.Error("an older card replaced a newer one")
	}

	// Keys that this node never made.
	card.Issued += 10
	key := newKey(t, "")
	for i := range card.Keys {
		if card.Keys[i].Use == participant.TLSKey {
			card.Keys[i].Key = key.Key()
			break
		}
	}
	data, err := participant.DraftCard(card)
	done(t, err)
	signed, err := participant.SignCard(home.Governance, data)
	done(t, err)
	refused(t, "keys that are not held", home.RenewCard(t.Context(), home.Admin, signed), trust.NotFound)
}
