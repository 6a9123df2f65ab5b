package node_test

import (
	"reflect"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/trust"
)

// One assertion, brought to two nodes, leaves the same record of its
// verification at both; whose subject it is, each says in words of its own (R19).
func TestTwoNodesVerifyAlike(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, one := founded(t, w, nil)
	issuer := w.NewIssuer("https://idp.rxw.example")
	ward := w.Agree(home, one, []*nodetest.Issuer{issuer}, nil)
	ward.Furnish()
	two := w.New("trust.two.example", nodetest.HostRoles()...)
	w.Introduce(home, two)
	two.Adopt(home.State().Framework.Current.Signed)
	other := w.Agree(home, two, []*nodetest.Issuer{issuer}, func(d *agreement.Document) {
		d.Name, d.Accepts[0].Audience = "other", ward.Audience
	})
	other.Audience = ward.Audience
	other.Furnish()

	type verified struct {
		issuer, key, participant, class, kind, checks string
		assurance                                     []uint16
	}
	type seen struct {
		verified
		subject trust.SubjectKey
		who     string
		results []decision.Result
	}
	look := func(ward *nodetest.Ward, token []byte) seen {
		a := answer(t, ward.Host, ward.Ask(token))
		made := entries(t, ward.Host, "decisions", "decision.made/v1")
		leaf, err := decision.ParseLeaf(made[len(made)-1].Body)
		done(t, err)
		e, err := ward.Host.Explain(t.Context(), ward.Host.Admin, a.Reference)
		done(t, err)
		s := seen{verified: verified{
			leaf.Issuer.String(), leaf.Key, leaf.Participant.String(), string(leaf.Class), string(leaf.Evidence), leaf.Checks, leaf.Assurance,
		}, who: e.Who}
		if leaf.Subject != nil {
			s.subject = *leaf.Subject
		}
		for _, c := range e.Checks[:decision.Link] {
			s.results = append(s.results, c.Result)
		}
		return s
	}
	forged := nurse(ward, "nurse-1")
	forged[len(forged)-2] ^= 1
	for name, token := range map[string][]byte{"genuine": nurse(ward, "nurse-1"), "forged": forged} {
		a, b := look(ward, token), look(other, token)
		if !reflect.DeepEqual(a.verified, b.verified) || a.who != b.who || !reflect.DeepEqual(a.results, b.results) {
			t.Errorf("%s: verified as\n%+v\n%+v", name, a, b)
		}
		if name == "genuine" && (a.subject == b.subject || a.who == "" || a.key == "") {
			t.Errorf("the subject is %s at both; %+v", a.subject, a)
		}
	}
}
