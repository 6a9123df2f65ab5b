package denial_test

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// scene is a thing that was ended or stopped, and the proofs that count no more.
type scene struct {
	name   string
	do     func(w *world, t *testing.T)
	proofs []spoil
	undo   func(w *world, t *testing.T)
}

// subject makes a draft speak of somebody else.
func subject(name string) func(*draft) { return func(d *draft) { d.claims["sub"] = name } }

func as(steps ...func(*draft)) func(*draft) {
	return func(d *draft) {
		for _, step := range steps {
			step(d)
		}
	}
}

// withKey signs with another key of an issuer.
func withKey(i *issuer, n int) func(*draft) {
	return func(d *draft) {
		s := i.signers[n]
		d.header["alg"], d.header["kid"], d.signer = string(s.key.Alg()), s.key.KeyID(), s
	}
}

func unchanged(*draft) {}

// scenes are played one after another in one world; those that stop everything
// stand last, or are undone.
func (w *world) scenes() []scene {
	revoke := func(at func(*world) *nodetest.Node, r node.RevokeRequest) func(*world, *testing.T) {
		return func(w *world, t *testing.T) {
			t.Helper()
			r.Reason = "left"
			_, err := at(w).Revoke(t.Context(), at(w).Admin, r)
			check(t, err)
		}
	}
	home, host := func(w *world) *nodetest.Node { return w.home }, func(w *world) *nodetest.Node { return w.host }
	policy := func(text string) func(*world, *testing.T) {
		return func(w *world, t *testing.T) {
			t.Helper()
			_, err := w.host.ApplyPolicy(t.Context(), w.host.Admin, text)
			check(t, err)
		}
	}
	stop := func(what node.Stoppable) func(*world, *testing.T) {
		return func(w *world, t *testing.T) {
			t.Helper()
			_, err := w.host.Suspend(t.Context(), w.host.Admin, node.SuspendRequest{Stoppable: what, Why: node.Why{Reason: "odd"}})
			check(t, err)
		}
	}
	resume := func(at func(*world) *nodetest.Node, what node.Stoppable) func(*world, *testing.T) {
		return func(w *world, t *testing.T) {
			t.Helper()
			second := node.Actor{ID: must(addAdmin(t, at(w))), Roles: []trust.Role{operator.Admin}}
			_, err := at(w).Resume(t.Context(), at(w).Admin, what, "fine")
			check(t, err)
			if _, err := at(w).Resume(t.Context(), at(w).Admin, what, "fine"); trust.KindOf(err) != trust.Denied {
				t.Errorf("the same person resumes a %s: %v", what.Kind, err)
			}
			_, err = at(w).Resume(t.Context(), second, what, "fine")
			check(t, err)
		}
	}
	reading := node.Stoppable{Kind: suspension.Coverage, Agreement: w.ward.Agreement, Action: "read"}
	people, service := node.Stoppable{Kind: suspension.Coverage, Class: trust.Human}, node.Stoppable{Kind: suspension.Coverage, Service: w.ward.Audience}
	const rule = "disabled thing still works"
	one := func(name string, want trust.Reason, do func(*draft)) spoil { return spoil{rule, name, do, want} }
	other := one("control: another person", "", subject("nurse-9"))
	confined := as(from(w.confined), func(d *draft) { d.claims["kind"], d.claims[orgClaim] = "person", "RXW" })
	return []scene{
		{"subject ended by its home", revoke(home, node.RevokeRequest{Kind: revocation.Subject, Issuer: w.idp.URL, Subject: "nurse-2"}), []spoil{
			one("its token", trust.SubjectRevoked, subject("nurse-2")), one("issued again", trust.SubjectRevoked, as(subject("nurse-2"), func(d *draft) { d.claims["iat"] = w.host.Now() })),
			one("by another issuer of the home", trust.SubjectRevoked, as(from(w.second), subject("nurse-2"))),
			one("with another key", trust.SubjectRevoked, as(subject("nurse-2"), withKey(w.idp, 1))), other,
		}, nil},
		{"subject ended by the host alone", revoke(host, node.RevokeRequest{Kind: revocation.Subject, Issuer: w.idp.URL, Subject: "nurse-3"}), []spoil{
			one("its token", trust.SubjectRevoked, subject("nurse-3")), other,
		}, nil},
		{"key ended", revoke(home, node.RevokeRequest{Kind: revocation.Key, Issuer: w.doomed.URL, KeyID: "key-ES256"}), []spoil{
			one("signed with it", trust.KeyRevoked, from(w.doomed)),
			one("signed with it long ago", trust.KeyRevoked, as(from(w.doomed), func(d *draft) { d.claims["iat"] = w.host.Now() - 400 })),
			one("control: its issuer's other key", "", as(from(w.doomed), withKey(w.doomed, 1))), other,
		}, nil},
		{"issuer ended", revoke(home, node.RevokeRequest{Kind: revocation.Issuer, Issuer: w.second.URL}), []spoil{
			one("its token", trust.IssuerRevoked, from(w.second)), other,
		}, nil},
		{"issuer stated no more", func(w *world, t *testing.T) {
			t.Helper()
			declare(w.home, line(w.idp, nil), line(w.doomed, nil), line(w.second, nil))
		}, []spoil{
			one("its token", trust.UnknownIssuer, confined), one("the national one", trust.UnknownParticipant, as(from(w.national), func(d *draft) { d.claims[orgClaim] = "RXW" })), other,
		}, nil},
		{"policy that forbids", policy(nodetest.WardPolicy + "@id(\"closed\")\nforbid (principal, action, resource);\n"), []spoil{one("a good token", trust.PolicyForbid, unchanged)}, policy(nodetest.WardPolicy)},
		{"time leapt, and nobody confirmed it", func(w *world, t *testing.T) {
			t.Helper()
			w.Cut(w.host, w.home)
			w.Cut(w.host, w.third)
			nodetest.Eventually(t, "the last word under way", func() bool { return w.silent(t) })
			w.host.Clock.Jump(40 * time.Second)
		}, []spoil{one("a good token", trust.ClockUnsure, unchanged)}, func(w *world, _ *testing.T) {
			w.host.Clock.Jump(0)
			w.Heal(w.host, w.home)
			w.Heal(w.host, w.third)
		}},
		{"time was far ahead of the partners'", func(w *world, t *testing.T) {
			t.Helper()
			w.host.Clock.Jump(40 * time.Second)
			nodetest.Eventually(t, "deny mode", func() bool { return w.host.State().Edge.Clock.Denies })
			w.host.Clock.Jump(0)
			nodetest.Eventually(t, "the time to be right", func() bool { return w.host.Clock.Mark().Sure })
		}, []spoil{one("a good token", trust.ClockAhead, unchanged)}, func(w *world, t *testing.T) {
			t.Helper()
			_, err := w.host.AcceptClock(t.Context(), w.host.Admin, "repaired")
			check(t, err)
		}},
		{"partner not heard", func(w *world, t *testing.T) {
			t.Helper()
			w.Cut(w.home, w.host)
			w.Cut(w.host, w.home)
			w.host.Clock.Shift(2 * time.Minute)
		}, []spoil{one("a good token", trust.Stale, unchanged)}, func(w *world, _ *testing.T) {
			w.Heal(w.home, w.host)
			w.Heal(w.host, w.home)
			w.home.Clock.Shift(2 * time.Minute)
		}},
		{"subject suspended by the host alone", stop(node.Stoppable{Kind: suspension.Subject, Issuer: w.idp.URL, Subject: "nurse-4"}), []spoil{
			one("its token", trust.SubjectSuspended, subject("nurse-4")), one("by another key", trust.SubjectSuspended, as(subject("nurse-4"), withKey(w.idp, 1))), other,
		}, nil},
		w.disputed(),
		{"agreement reduced by the home", func(w *world, t *testing.T) {
			t.Helper()
			_, err := w.home.Suspend(t.Context(), w.home.Admin, node.SuspendRequest{Stoppable: reading, Why: node.Why{Reason: "odd"}})
			check(t, err)
			nodetest.Eventually(t, "the host to be refused, which did not reduce it", func() bool {
				_, err := w.host.Resume(t.Context(), w.host.Admin, reading, "fine")
				return trust.KindOf(err) == trust.Denied
			})
		}, []spoil{one("a good token", trust.Reduced, unchanged)}, resume(home, reading)},
		{"class suspended", stop(people), []spoil{one("a good token", trust.ClassSuspended, unchanged)}, resume(host, people)},
		{"service suspended", stop(service), []spoil{one("a good token", trust.ServiceSuspended, unchanged)}, resume(host, service)},
		{"agreement suspended", func(w *world, t *testing.T) {
			t.Helper()
			check(t, w.host.SuspendAgreement(t.Context(), w.host.Admin, w.ward.Agreement, "audit"))
		}, []spoil{one("a good token", trust.AgreementSuspended, unchanged)}, nil},
		{"participant suspended", func(w *world, t *testing.T) {
			t.Helper()
			check(t, w.host.SuspendParticipant(t.Context(), w.host.Admin, w.home.ID, "breach"))
		}, []spoil{one("a good token", trust.ParticipantSuspended, unchanged)}, nil},
	}
}

// silent reports whether the host has heard of nobody for a while.
func (w *world) silent(t *testing.T) bool {
	t.Helper()
	return !slices.ContainsFunc(w.host.Status(t.Context()).Partners, func(p node.PartnerStatus) bool { return p.Age <= 1 })
}

func addAdmin(t *testing.T, n *nodetest.Node) (string, error) {
	t.Helper()
	id, _, err := n.AddOperator(t.Context(), n.Admin, rand.Text(), n.Admin.Roles)
	return id, err
}

func TestStates(t *testing.T) {
	w := newWorld(t)
	known := profiles(w)
	var asked tally
	for _, s := range w.scenes() {
		s.do(w, t)
		for _, kind := range evidence.Kinds() {
			uniform, _ := w.called(kind, "rubbish")
			for _, p := range s.proofs {
				if testing.Short() && t.Failed() {
					return
				}
				p.name = s.name + ", " + p.name
				mint := func() string {
					d := w.good(known[kind])
					p.do(d)
					return d.token()
				}
				want := p.want
				if want == "" {
					want = trust.Permit
				}
				nodetest.Eventually(t, p.name+" to give "+string(want), func() bool {
					reason, err := w.decided(kind, mint())
					return err == nil && reason == want
				})
				w.try(t, &asked, kind, p, mint(), uniform)
			}
		}
		if s.undo != nil {
			s.undo(w, t)
			nodetest.Eventually(t, "a permit after "+s.name, func() bool {
				reason, _ := w.decided(evidence.AccessToken, w.good(known[evidence.AccessToken]).token())
				return reason == trust.Permit
			})
		}
	}
	asked.report(t)
}

// request changes a question around a good proof.
type request struct {
	name string
	do   func(q object, good string)
	want trust.Reason
}

func in(q object, name string) object { return q[name].(object) }

// requests: what an enforcement point says about who is calling counts for
// nothing, and what it asks must be covered.
func requests() []request {
	proofs := func(list ...any) func(object, string) {
		return func(q object, good string) {
			for _, p := range list {
				if o, ok := p.(object); ok && o["value"] == "GOOD" {
					o["value"] = good
				}
			}
			in(q, "context")["evidence"] = list
		}
	}
	good := func(kind string) any { return object{"type": kind, "value": "GOOD"} }
	access := string(evidence.AccessToken)
	return []request{
		{"no evidence", func(q object, _ string) { delete(in(q, "context"), "evidence") }, trust.NoEvidence},
		{"an empty list of evidence", proofs(), trust.NoEvidence},
		{"two pieces", proofs(good(access), good(access)), trust.NotTheActor},
		{"a good one behind rubbish", proofs(object{"type": access, "value": "rubbish"}, good(access)), trust.EvidenceMalformed},
		{"no type", proofs(object{"value": "GOOD"}), trust.EvidenceKind},
		{"an unknown type", proofs(good("urn:ietf:params:oauth:token-type:saml2")), trust.EvidenceKind},
		{"a jwt", proofs(good("urn:ietf:params:oauth:token-type:jwt")), trust.EvidenceKind},
		{"a refresh token", proofs(good("urn:ietf:params:oauth:token-type:refresh_token")), trust.EvidenceKind},
		{"the type in capitals", proofs(good(strings.ToUpper(access))), trust.EvidenceKind},
		{"the type's last part", proofs(good("access_token")), trust.EvidenceKind},
		{"the type with a space", proofs(good(access + " ")), trust.EvidenceKind},
		{"evidence of another kind", proofs(good(string(evidence.IDToken))), trust.TokenType},
		{"evidence in place of the value", func(q object, good string) {
			in(q, "context")["evidence"] = []any{object{"type": access, "token": good}}
		}, trust.EvidenceMalformed},
		{"another subject", func(q object, _ string) { in(q, "subject")["id"] = "nurse-9" }, trust.SubjectMismatch},
		{"a subject in capitals", func(q object, _ string) { in(q, "subject")["id"] = "NURSE-1" }, trust.SubjectMismatch},
		{"the next piece of evidence", func(q object, _ string) { in(q, "subject")["id"] = "1" }, trust.SubjectMismatch},
		{"a subject's properties", func(q object, _ string) { in(q, "subject")["properties"] = object{"role": "admin"} }, ""},
		{"the subject by name", func(q object, _ string) { in(q, "subject")["id"] = "nurse-1" }, ""},
		{"another action", func(q object, _ string) { in(q, "action")["name"] = "write" }, trust.ActionNotCovered},
		{"the action in capitals", func(q object, _ string) { in(q, "action")["name"] = "Read" }, trust.ActionNotCovered},
		{"the action and more", func(q object, _ string) { in(q, "action")["name"] = "read write" }, trust.ActionNotCovered},
		{"another purpose", func(q object, _ string) { in(q, "context")["purpose"] = "HRESCH" }, trust.PurposeNotCovered},
		{"no purpose", func(q object, _ string) { delete(in(q, "context"), "purpose") }, trust.PurposeNotCovered},
		{"two purposes", func(q object, _ string) { in(q, "context")["purpose"] = "TREAT HRESCH" }, trust.PurposeNotCovered},
		{"break-glass", func(q object, _ string) { in(q, "context")["purpose"] = "BTG" }, trust.PurposeNotCovered},
		{"a resource of nobody", func(q object, _ string) { in(q, "resource")["type"] = "Unheard" }, trust.UnknownResource},
		{"a resource in lower case", func(q object, _ string) { in(q, "resource")["type"] = "wardrecord" }, trust.UnknownResource},
		{"another service's resource", func(q object, _ string) { in(q, "resource")["type"] = "Prescription" }, trust.AudienceOtherService},
		{"another ward", func(q object, _ string) { in(q, "resource")["properties"] = object{"ward": "w9"} }, trust.PolicyDenies},
		{"no ward", func(q object, _ string) { delete(in(q, "resource"), "properties") }, trust.PolicyDenies},
		{"a ward that is a list", func(q object, _ string) { in(q, "resource")["properties"] = object{"ward": []any{"w7"}} }, trust.PolicyDenies},
	}
}

func TestRequests(t *testing.T) {
	w := newWorld(t)
	p := profiles(w)[evidence.AccessToken]
	for _, r := range requests() {
		q := question(evidence.AccessToken, "")
		token := w.good(p).token()
		in(q, "context")["evidence"] = []any{object{"type": string(evidence.AccessToken), "value": token}}
		r.do(q, token)
		want := r.want
		if want == "" {
			want = trust.Permit
		}
		body := must(json.Marshal(q))
		answer := post(w.ask, "/access/v1/evaluation", w.point, body)
		var got told
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || answer.Code != http.StatusOK || got.Context.Reason != want || got.Decision != (want == trust.Permit) {
			t.Errorf("%s: %d %s, want %s", r.name, answer.Code, answer.Body, want)
		}
		answer = post(w.console, "/v1/explanations", w.admin, must(json.Marshal(object{"enforcement_point": "pep", "request": q})))
		var e node.Explanation
		if err := json.Unmarshal(answer.Body.Bytes(), &e); err != nil || e.Reason != want {
			t.Errorf("%s: explanation gives %s (%v), want %s", r.name, e.Reason, err, want)
		}
	}
	malformed(t, w, w.good(p).token())
}

// malformed are no questions: 400, and nothing is recorded.
func malformed(t *testing.T, w *world, token string) {
	t.Helper()
	good := string(must(json.Marshal(question(evidence.AccessToken, token), json.Deterministic(true))))
	for name, body := range map[string]string{
		"empty": "", "null": "null", "a list": "[" + good + "]", "cut off": good[:len(good)-1], "twice": good + good, "subject twice": `{"subject":{"type":"x","id":"0"},` + good[1:],
		"Subject beside it": `{"Subject":{"type":"x","id":"0"},` + good[1:], "half a surrogate": strings.Replace(good, "TREAT", `\ud800`, 1),
		"depth 1,000": `{"x":` + nest("[", "]", 1000) + "," + good[1:], "not UTF-8": strings.Replace(good, "TREAT", "\xff", 1),
		"no subject": strings.Replace(good, `"subject"`, `"subjekt"`, 1), "an id that is a number": strings.Replace(good, `"id":"42"`, `"id":42`, 1),
		"an empty action": strings.Replace(good, `"read"`, `""`, 1), "evidence as a text": strings.Replace(good, `[{"type":"urn`, `"x","y":[{"type":"urn`, 1),
		"a value that is a number": strings.Replace(good, `"value":"`+token+`"`, `"value":1`, 1), "a value twice": strings.Replace(good, `"value"`, `"value":"x","value"`, 1),
	} {
		if answer := post(w.ask, "/access/v1/evaluation", w.point, []byte(body)); answer.Code != http.StatusBadRequest {
			t.Errorf("%s: answers %d %s, want 400", name, answer.Code, answer.Body)
		}
	}
	for _, credential := range []string{"", "x", w.admin, w.point + "x", strings.ToUpper(w.point), w.point[:len(w.point)-1]} {
		if answer := post(w.ask, "/access/v1/evaluation", credential, []byte(good)); answer.Code != http.StatusUnauthorized {
			t.Errorf("credential %.4q…: answers %d, want 401", credential, answer.Code)
		}
	}
}
