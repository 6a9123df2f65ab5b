package node_test

import (
	"slices"
	"testing"
	"time"

	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// A node whose log, stream and statement keys are for ML-DSA-44 is understood by
// a partner whose own are not; both ledgers verify over the change there and back.
func TestANodeThatSignsWithMLDSA(t *testing.T) {
	quantum := []participant.KeyUse{participant.LogKey, participant.StreamKey, participant.StatementKey}
	on := true
	w := nodetest.NewWorld(t)
	w.Making = func(n *nodetest.Node) keyring.Making {
		if on && n.ID.String() == "https://trust.rxw.example" {
			return keyring.Making{MLDSA44: quantum}
		}
		return keyring.Making{}
	}
	home, host := founded(t, w, nil)
	ward := w.NewWard(home, host, nil)
	pass := func() {
		for range 4 {
			for _, n := range []*nodetest.Node{home, host} {
				done(t, n.SetClock(t.Context(), n.Admin, time.Until(n.Clock.Now())+30*time.Second))
			}
			nodetest.Eventually(t, "fresh words", func() bool { return fresh(t, home) && fresh(t, host) })
		}
	}
	signs := func(want jose.Alg) {
		t.Helper()
		for use, signer := range signers(home) {
			if got := signer.Key().Alg(); (got == jose.MLDSA44) != (want == jose.MLDSA44 && slices.Contains(quantum, use)) {
				t.Errorf("%s is signed with a key for %s", use, got)
			}
		}
	}
	speak := func(subject string) {
		t.Helper()
		revoke(t, ward, subject)
		await(t, ward, nurse(ward, subject), trust.SubjectRevoked)
		done(t, home.Declare(t.Context(), home.Admin, participant.Document{Kind: "Participant", ID: home.ID, Issuers: []participant.Issuer{{
			Issuer: issuerOf(t, ward.Issuer.URL), JWKSURI: ward.Issuer.URL + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}},
		}, {
			Issuer: issuerOf(t, "https://"+subject+".rxw.example"), JWKSURI: ward.Issuer.URL + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}},
		}}}))
		nodetest.Eventually(t, "the statement", func() bool {
			p, _ := host.State().Participant.Partner(home.ID)
			return slices.ContainsFunc(p.Issuers, func(i participant.Issuer) bool { return i.Issuer == issuerOf(t, "https://"+subject+".rxw.example") })
		})
		quiet(t, home, host)
	}
	signs(jose.EdDSA)
	knows(t, host, home, renew(t, home, participant.Rotation{Overlap: 300}))
	pass()
	signs(jose.MLDSA44)
	speak("leaver-1")
	await(t, ward, nurse(ward, "nurse-1"), trust.Permit)
	home.Stop()
	verified(t, home)
	on = false // an operator takes the option back: the keys there are stay good
	home.Start()
	signs(jose.MLDSA44)
	speak("leaver-2")
	knows(t, host, home, renew(t, home, participant.Rotation{Drop: true}))
	pass()
	signs(jose.EdDSA)
	speak("leaver-3")
	for _, n := range []*nodetest.Node{home, host} {
		n.Stop()
		verified(t, n)
		n.Start()
	}
}
