package agreement_test

import (
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/trust"
)

// Every agreement lets canaries of its own classes in, at its own canary resource,
// and nowhere else.
func TestCanary(t *testing.T) {
	issuer, err := trust.ParseIssuerID("https://trust.rxw.example")
	if err != nil {
		t.Fatal(err)
	}
	home, _ := trust.ParseParticipantID("https://trust.rxw.example")
	host, _ := trust.ParseParticipantID("https://trust.rje.example")
	a := &agreement.Agreement{ID: "a1"}
	a.Revision.Document = agreement.Document{Home: home, Host: host, Accepts: []agreement.Accept{{Class: trust.Human}, {Class: trust.Workload}}}
	good := agreement.Query{
		Class: trust.Workload, Issuer: issuer, Subject: "bird", Audience: agreement.CanaryAudience(host), ResourceType: agreement.CanaryResource,
		ResourceID: "a1", Action: agreement.CanaryAction, Purpose: agreement.CanaryPurpose,
	}
	if line, reason := a.Canary(&good); line == nil || reason != "" || line.Class != trust.Workload || line.MaxTTL != 0 || line.Approval != nil {
		t.Fatalf("a canary is let in by %+v, %s", line, reason)
	}
	for name, c := range map[string]struct {
		change func(*agreement.Query)
		want   trust.Reason
	}{
		"a class that it does not accept": {func(q *agreement.Query) { q.Class = trust.Agent }, trust.ClassNotCovered},
		"no class":                        {func(q *agreement.Query) { q.Class = "" }, trust.ClassNotCovered},
		"the canaries of another host":    {func(q *agreement.Query) { q.Audience = agreement.CanaryAudience(home) }, trust.ResourceNotCovered},
		"another agreement":               {func(q *agreement.Query) { q.ResourceID = "a2" }, trust.ResourceNotCovered},
		"every canary":                    {func(q *agreement.Query) { q.ResourceID, q.EveryID = "", true }, trust.ResourceNotCovered},
		"a record":                        {func(q *agreement.Query) { q.ResourceType = "WardRecord" }, trust.ResourceNotCovered},
		"to write":                        {func(q *agreement.Query) { q.Action = "write" }, trust.ActionNotCovered},
		"to treat":                        {func(q *agreement.Query) { q.Purpose = "TREAT" }, trust.PurposeNotCovered},
	} {
		q := good
		c.change(&q)
		if line, reason := a.Canary(&q); line != nil || reason != c.want {
			t.Errorf("%s: %+v, %s; want %s", name, line, reason, c.want)
		}
	}
}
