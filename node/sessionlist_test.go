package node_test

import (
	"testing"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

var revoker = node.Actor{ID: "leavers", Roles: []trust.Role{"revoker"}}

// An operator ends one open session: its enforcement point is told, on record with
// a reason, and nobody else's ends (R81).
func TestAnOperatorEndsASession(t *testing.T) {
	ward := wardOf(t, nil)
	host, ctx := ward.Host, t.Context()
	if none, err := host.Sessions(ctx, host.Admin); err != nil || len(none) != 0 {
		t.Errorf("at first there are %v, %v", none, err)
	}
	s := watch(t, host, "pep", "")
	issued := exchange(t, ward, order(ward, nurse(ward, "nurse-1")))
	one, other := open(t, ward, []byte(issued.Token)), open(t, ward, nurse(ward, "nurse-2"))
	all, err := host.Sessions(ctx, host.Admin)
	if done(t, err); len(all) != 2 || all[0].Reference != one.Reference || all[1].Reference != other.Reference {
		t.Fatalf("open are %+v", all)
	}
	if got := all[0]; got.EnforcementPoint != "pep" || got.Home != ward.Home.ID || got.Agreement != ward.Agreement || got.Action != "read" ||
		got.ResourceType != "WardRecord" || got.Credential != issued.ID || got.Subject == (trust.SubjectKey{}) || got.Until <= got.Since || got.Subject == all[1].Subject {
		t.Errorf("the first is %+v", got)
	}
	_, err = host.Sessions(ctx, revoker)
	refused(t, "a list for a revoker", err, trust.Denied)
	_, err = host.EndSession(ctx, node.Actor{ID: "op-x"}, one.Reference, "x")
	refused(t, "an end by nobody in particular", err, trust.Denied)
	_, err = host.EndSession(ctx, host.Admin, one.Reference, "")
	refused(t, "an end without a reason", err, trust.Invalid)
	_, err = host.EndSession(ctx, host.Admin, "x", "x")
	refused(t, "the end of none", err, trust.NotFound)
	at, err := host.EndSession(ctx, revoker, one.Reference, "left at the terminal")
	done(t, err)
	if end := s.end(t, one.Reference); end.Reason != trust.SessionStopped || end.Decision != "" {
		t.Errorf("it ended by %+v", end)
	}
	if e, count := newest[revocation.SessionStopped](t, host); count != 1 || e.Permit != all[0].Permit || e.By != "leavers" || at.N == 0 {
		t.Errorf("on record is %+v", e)
	}
	_, err = host.EndSession(ctx, host.Admin, one.Reference, "again")
	refused(t, "the end of one that has ended", err, trust.NotFound)
	if left, err := host.Sessions(ctx, host.Admin); err != nil || len(left) != 1 || left[0].Reference != other.Reference {
		t.Errorf("left are %+v, %v", left, err)
	}
	want(t, ward, []byte(issued.Token), trust.Permit) // the caller may ask again
}

// A credential is ended by its identifier or by the reference of a record of it,
// with the sessions that were opened with it, and nothing beside.
func TestACredentialIsRevokedByReference(t *testing.T) {
	ward := wardOf(t, nil)
	host, ctx := ward.Host, t.Context()
	s := watch(t, host, "pep", "")
	r := order(ward, nurse(ward, "nurse-1"))
	first, again, used, other := exchange(t, ward, r), exchange(t, ward, r), exchange(t, ward, r), exchange(t, ward, r)
	session := open(t, ward, []byte(used.Token))
	why := node.Why{Reason: "in a log file", Incident: "INC-1"}
	_, err := host.RevokeCredential(ctx, node.Actor{ID: "op-x"}, first.ID, why)
	refused(t, "by nobody in particular", err, trust.Denied)
	_, err = host.RevokeCredential(ctx, host.Admin, first.ID, node.Why{})
	refused(t, "without a reason", err, trust.Invalid)
	permit := answer(t, host, ward.Ask(nurse(ward, "nurse-2")))
	for _, unknown := range []string{"", "x", permit.Reference, first.ID + "x"} {
		_, err = host.RevokeCredential(ctx, host.Admin, unknown, why)
		refused(t, "revoking "+unknown, err, trust.NotFound)
	}
	for id, issued := range map[string]node.Issued{first.ID: first, again.Reference: again, session.Reference: used} {
		ended, err := host.RevokeCredential(ctx, revoker, id, why)
		if done(t, err); ended.Credential != issued.ID || ended.Client != "pep" || ended.Position.N == 0 || int64(ended.Expires) <= host.Now() {
			t.Errorf("%s ended %+v", id, ended)
		}
		want(t, ward, []byte(issued.Token), trust.CredentialEnded)
		if status(t, host, issued) != 1 {
			t.Error("the status list says something else")
		}
		if twice, err := host.RevokeCredential(ctx, host.Admin, id, why); err != nil || twice.Position.Epoch != 0 {
			t.Errorf("revoked twice: %+v, %v", twice, err)
		}
	}
	if end := s.end(t, session.Reference); end.Reason != trust.CredentialEnded {
		t.Errorf("the session ended by %+v", end)
	}
	want(t, ward, []byte(other.Token), trust.Permit)
}
