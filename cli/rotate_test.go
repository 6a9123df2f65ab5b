package cli_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
)

// A card is drafted by the node, signed offline, and adopted.
func TestKeysAreRotated(t *testing.T) {
	w := nodetest.NewWorld(t)
	n := w.New("trust.rxw.example")
	d := deskAt(t, n)
	draft, card := filepath.Join(d.dir, "card.draft"), filepath.Join(d.dir, "card.signed")
	d.like(`^USE +FROM +UNTIL +KEY\n((log|stream|statement|token|tls) +20\S+Z +20\S+Z +[\w-]{43}\n){7}$`, "key", "rotate", draft, "--use", "tls,log", "--overlap", "1d")
	d.fails(2, `overlaps by 1s`, "key", "rotate", draft, "--overlap", "1s")
	d.fails(2, `the use "ssh"`, "key", "rotate", draft, "--use", "ssh")
	d.fails(2, `in the past`, "key", "rotate", draft, "--begin", "2020-01-01T00:00:00Z")

	// The desk's key is not this organisation's.
	path, passphrase, _ := d.governanceKey()
	d.fails(2, `not signed by its governance key`, "participant", "renew", draft, "--out", card, "--governance-key", path, "--passphrase-file", passphrase)
	var drafted node.CardDraft
	if err := canonical.Decode([]byte(d.read(draft)), &drafted); err != nil {
		t.Fatal(err)
	}
	signed, err := participant.SignCard(n.Governance, drafted.Card)
	if err != nil {
		t.Fatal(err)
	}
	text, err := canonical.Marshal(signed)
	if err != nil {
		t.Fatal(err)
	}
	before := n.Config.Keys.Signer(participant.StreamKey).Key()
	d.ok("key", "adopt", d.file("card.signed", string(text)))
	d.like(`(?m)^https://trust\.rxw\.example +tls +\S+ +current (?s:.*)tls +\S+ +current `, "key", "list")
	if len(n.State().Participant.Self().Card.Keys) != 7 || !n.Config.Keys.Signer(participant.StreamKey).Key().Equal(before) {
		t.Error("other keys than those of the log and of TLS were rotated")
	}
	d.fails(2, `is no signed card`, "key", "adopt", draft)
	d.like(`holds`, "ledger", "verify", "--from", n.Dir)
}

// The offline half, with a governance key under its passphrase.
func TestACardIsSignedOffline(t *testing.T) {
	w := nodetest.NewWorld(t)
	n := w.New("trust.rxw.example")
	d := deskAt(t, n)
	path, passphrase, key := d.governanceKey()
	signer, err := keyring.OpenGovernance(path, strings.TrimSpace(d.read(passphrase)))
	if err != nil {
		t.Fatal(err)
	}
	card := n.State().Participant.Self().Card
	card.GovernanceKey = key.GovernanceText()
	data, err := participant.DraftCard(card)
	if err != nil {
		t.Fatal(err)
	}
	replaces, err := participant.SignCard(signer, data)
	if err != nil {
		t.Fatal(err)
	}
	draft := func(issuedLater int) string {
		next := card
		for range issuedLater {
			next.Issued++
		}
		data, err := participant.DraftCard(next)
		if err != nil {
			t.Fatal(err)
		}
		text, err := canonical.Marshal(node.CardDraft{Replaces: replaces, Card: data})
		if err != nil {
			t.Fatal(err)
		}
		return d.file("card.draft", string(text))
	}
	out := filepath.Join(d.dir, "card.signed")
	renew := func(draft string) []string {
		return []string{"participant", "renew", draft, "--out", out, "--governance-key", path, "--passphrase-file", passphrase}
	}
	d.like(`^USE +FROM +UNTIL +KEY\nlog +`, renew(draft(1))...)
	var signed participant.SignedCard
	if err := canonical.Decode([]byte(d.read(out)), &signed); err != nil {
		t.Fatal(err)
	}
	if c, err := participant.ParseCard(signed); err != nil || c.Issued != card.Issued+1 {
		t.Errorf("the card is %+v, %v", c, err)
	}
	d.fails(5, `was issued at`, renew(draft(0))...)
}
