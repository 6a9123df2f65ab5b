package decision_test

import (
	"bytes"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/trust"
)

// A permit given again says only what differs, and is read as the whole.
func TestAgain(t *testing.T) {
	o := decision.Observed{Now: 1_790_000_000, PartnerAge: 2, StatementAge: 60, StatementEnd: 1_790_003_600, Subject: trust.SubjectKey{1}}
	of, at := trust.Position{Epoch: 1, N: 41}, trust.Position{Epoch: 1, N: 7}
	body := decision.AppendAgain(nil, of, &o, at, 30)
	again, err := decision.ParseAgain(decision.AgainKind, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{again, must(canonical.ParseObject(body))} {
		if data := must(canonical.Marshal(v)); !bytes.Equal(data, body) {
			t.Errorf("leaf is not canonical:\n%s\n%s", body, data)
		}
	}
	if again.Of != of {
		t.Errorf("it repeats %s; want %s", again.Of, of)
	}
	first := decision.Leaf{Outcome: "permit", Reason: trust.Permit, Agreement: "a", TTL: 99, Trust: trust.Position{Epoch: 1, N: 5}}
	whole, err := again.Leaf(first)
	if err != nil || whole.Agreement != "a" || whole.TTL != 30 || whole.Trust != at || whole.Observed.Now != o.Now || whole.Observed.PartnerAge != 2 {
		t.Errorf("whole leaf is %+v (%v)", whole, err)
	}
	first.Outcome = "deny"
	if _, err := again.Leaf(first); trust.KindOf(err) != trust.Invalid {
		t.Errorf("a denial is given again: %v", err)
	}
	reissued := decision.AppendReissued(nil, &decision.Issue{ID: "c-1", Expires: 1_790_000_030}, of, &o, at, 30)
	credential, err := decision.ParseAgain(decision.ReissuedKind, reissued)
	if err != nil || credential.ID != "c-1" || credential.Expires != 1_790_000_030 || credential.Of != of {
		t.Errorf("a credential given again is read as %+v (%v)", credential, err)
	}
	if data := must(canonical.Marshal(credential)); !bytes.Equal(data, reissued) {
		t.Errorf("leaf is not canonical:\n%s\n%s", reissued, data)
	}
	for _, broken := range []struct {
		kind trust.Kind
		body string
	}{
		{decision.AgainKind, `{}x`}, {decision.AgainKind, `{"of":{"epoch":1,"n":1,"m":2}}`}, {decision.AgainKind, `[]`}, {decision.AgainKind, `{"of":1}`},
		{decision.AgainKind, string(reissued)}, {decision.ReissuedKind, string(body)},
	} {
		if _, err := decision.ParseAgain(broken.kind, []byte(broken.body)); trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s as %s: %v", broken.body, broken.kind, err)
		}
	}
	sealed := must(decision.ParseSealed(decision.AppendSealedID(nil, "request-1")))
	if sealed.RequestID != "request-1" {
		t.Errorf("sealed part is %+v", sealed)
	}
}
