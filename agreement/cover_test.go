package agreement_test

import (
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/trust"
)

func covering() *agreement.Agreement {
	d := document()
	narrow := d.Accepts[0]
	narrow.Subjects, narrow.Actions = []string{"nurse-1"}, []trust.Action{"read", "write"}
	d.Accepts = append(d.Accepts, narrow)
	return &agreement.Agreement{Revision: agreement.Revision{Document: d}}
}

func query() agreement.Query {
	return agreement.Query{
		Class: trust.Human, Issuer: issuer("https://idp.rxw.example"), Subject: "nurse-2", Audience: "https://records.rje.example",
		ResourceType: "WardRecord", ResourceID: "42", Action: "read", Purpose: "TREAT",
	}
}

func letter() agreement.Query {
	return agreement.Query{
		Class: trust.Workload, Issuer: issuer("https://spire.rxw.example"), Subject: "spiffe://rxw.example/discharge-letters",
		Audience: "https://letters.rje.example", ResourceType: "Letter", ResourceID: "1", Action: "write", Purpose: "TREAT",
	}
}

func TestCover(t *testing.T) {
	a := covering()
	nurse1 := query()
	nurse1.Subject = "nurse-1"
	restated := query()
	restated.Origin = restated.Issuer
	writes := nurse1
	writes.Action = "write"
	for _, tt := range []struct {
		name string
		q    agreement.Query
		line int
	}{
		{"a nurse", query(), 0},
		{"through a broker, both accepted", restated, 0},
		{"the first line of two", nurse1, 0},
		{"only the third line", writes, 2},
		{"a workload by subject, from any issuer", letter(), 1},
	} {
		line, reason := a.Cover(tt.q)
		if line != &a.Revision.Document.Accepts[tt.line] || reason != "" {
			t.Errorf("%s: line %+v, reason %q; want line %d", tt.name, line, reason, tt.line)
		}
		if reason, covers := a.Revision.Document.Accepts[tt.line].Covers(&tt.q); !covers || reason != "" {
			t.Errorf("%s: the line itself says %q", tt.name, reason)
		}
	}
}

// Matching is exact, and empty never matches. The reason is that of the line
// that came closest (R67, R68).
func TestCoverNearMisses(t *testing.T) {
	a := covering()
	for _, tt := range []struct {
		name   string
		from   func() agreement.Query
		change func(*agreement.Query)
		want   trust.Reason
	}{
		{"no class", query, func(q *agreement.Query) { q.Class = "" }, trust.ClassNotCovered},
		{"class in capitals", query, func(q *agreement.Query) { q.Class = "Human" }, trust.ClassNotCovered},
		{"another class", query, func(q *agreement.Query) { q.Class = trust.Agent }, trust.ClassNotCovered},
		{"no issuer", query, func(q *agreement.Query) { q.Issuer = trust.IssuerID{} }, trust.IssuerNotCovered},
		{"issuer with a slash", query, func(q *agreement.Query) { q.Issuer = issuer("https://idp.rxw.example/") }, trust.IssuerNotCovered},
		{"issuer with a longer name", query, func(q *agreement.Query) { q.Issuer = issuer("https://idp.rxw.example.evil.example") }, trust.IssuerNotCovered},
		{"no issuer where any will do", letter, func(q *agreement.Query) { q.Issuer = trust.IssuerID{} }, trust.IssuerNotCovered},
		{"an origin that is not accepted", query, func(q *agreement.Query) { q.Origin = issuer("https://other.rxw.example") }, trust.IssuerNotCovered},
		{"no subject", query, func(q *agreement.Query) { q.Subject = "" }, trust.SubjectNotCovered},
		{"beginning of a subject", letter, func(q *agreement.Query) { q.Subject = "spiffe://rxw.example/discharge" }, trust.SubjectNotCovered},
		{"a longer subject", letter, func(q *agreement.Query) { q.Subject += "/x" }, trust.SubjectNotCovered},
		{"subject in other case", letter, func(q *agreement.Query) { q.Subject = "spiffe://RXW.example/discharge-letters" }, trust.SubjectNotCovered},
		{"no audience", query, func(q *agreement.Query) { q.Audience = "" }, trust.ResourceNotCovered},
		{"another service's audience", query, func(q *agreement.Query) { q.Audience = "https://letters.rje.example" }, trust.ResourceNotCovered},
		{"no type", query, func(q *agreement.Query) { q.ResourceType = "" }, trust.ResourceNotCovered},
		{"beginning of a type", query, func(q *agreement.Query) { q.ResourceType = "Ward" }, trust.ResourceNotCovered},
		{"type in other case", query, func(q *agreement.Query) { q.ResourceType = "wardrecord" }, trust.ResourceNotCovered},
		{"no resource id", query, func(q *agreement.Query) { q.ResourceID = "" }, trust.ResourceNotCovered},
		{"one resource more", letter, func(q *agreement.Query) { q.ResourceID = "3" }, trust.ResourceNotCovered},
		{"a longer id", letter, func(q *agreement.Query) { q.ResourceID = "12" }, trust.ResourceNotCovered},
		{"no action", query, func(q *agreement.Query) { q.Action = "" }, trust.ActionNotCovered},
		{"action in capitals", query, func(q *agreement.Query) { q.Action = "READ" }, trust.ActionNotCovered},
		{"another's action", query, func(q *agreement.Query) { q.Action = "write" }, trust.ActionNotCovered},
		{"no purpose", query, func(q *agreement.Query) { q.Purpose = "" }, trust.PurposeNotCovered},
		{"beginning of a purpose", query, func(q *agreement.Query) { q.Purpose = "TREA" }, trust.PurposeNotCovered},
		{"purpose in other case", query, func(q *agreement.Query) { q.Purpose = "treat" }, trust.PurposeNotCovered},
		{"the closest of several lines", query, func(q *agreement.Query) { q.Subject, q.Action, q.Purpose = "nurse-1", "write", "ETREAT" }, trust.PurposeNotCovered},
	} {
		q := tt.from()
		tt.change(&q)
		if line, reason := a.Cover(q); line != nil || reason != tt.want {
			t.Errorf("%s: line %+v, reason %q; want %q", tt.name, line, reason, tt.want)
		}
	}
	writes := query()
	writes.Action = "write"
	if reason, covers := a.Revision.Document.Accepts[0].Covers(&writes); covers || reason != trust.ActionNotCovered {
		t.Errorf("one line alone says %q, want %q", reason, trust.ActionNotCovered)
	}
	empty := &agreement.Agreement{}
	if line, reason := empty.Cover(query()); line != nil || reason != trust.ClassNotCovered {
		t.Errorf("no lines: %+v, %q; want %q", line, reason, trust.ClassNotCovered)
	}
}
