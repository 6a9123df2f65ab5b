package agreement_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/trust"
)

// staff are operators of one side, each named as the one role that it holds.
var staff = []string{
	"admin", "records", "locum_desk", "registration_authority", "node", "ward_managers", "security", "caldicott_guardian", "panel", "auditor",
}

// staffed is facts of a node with all of them.
func staffed(self trust.ParticipantID) agreement.Facts {
	f := facts(self)
	f.Holders = func(role string) []string {
		if slices.Contains(staff, role) {
			return []string{role}
		}
		return nil
	}
	return f
}

// R10, R47: every command at every stage, asked for by every role at both sides.
// The stage changes nothing: who may not, may not even ask.
func TestAuthority(t *testing.T) {
	const owner, keeper, desk = "locum_desk", "records", "registration_authority"
	commands := []struct {
		command    agreement.Command
		home, host []string
	}{
		{agreement.Offer, []string{owner}, []string{keeper}},
		{agreement.Countersign, []string{owner}, []string{keeper}},
		{agreement.Activate, []string{owner}, []string{keeper}},
		{agreement.Suspend, []string{owner, desk}, []string{keeper, "security"}},
		{agreement.Reduce, []string{owner, desk}, []string{keeper, "security"}},
		{agreement.Resume, []string{owner, desk}, []string{keeper, "security"}},
		{agreement.End, []string{owner, desk}, []string{keeper, "security"}},
		{agreement.GrantMapping, nil, []string{"ward_managers"}},
		{agreement.CloseMapping, []string{owner, desk}, []string{keeper, "ward_managers", "security"}},
		{agreement.ApproveEngagement, nil, []string{"ward_managers"}},
		{agreement.AnswerApproval, nil, []string{"ward_managers"}},
		{agreement.ReviewBreakGlass, nil, []string{"caldicott_guardian"}},
		{"something else", nil, nil},
	}
	for _, stage := range []agreement.Stage{agreement.Proposed, agreement.Countered, agreement.Agreed, agreement.Active, agreement.Suspended, agreement.Ended} {
		s := at(t, stage).state
		for _, c := range commands {
			for _, by := range staff {
				for self, may := range map[trust.ParticipantID][]string{home: c.home, host: c.host} {
					events, err := s.May(staffed(self), id, nil, c.command, by)
					if slices.Contains(may, by) {
						if events != nil || err != nil {
							t.Errorf("%s by %s at %s when %s: %v, %v", c.command, by, self, stage, events, err)
						}
						continue
					}
					refusedBy(t, events, err, trust.Denied, agreement.RuleAuthority)
					if r := events[0].(agreement.Refused); r.ID != id || r.Stage != stage || r.Move != string(c.command) || r.By != by || !strings.Contains(err.Error(), "rxw-staff-at-rje is "+string(stage)) {
						t.Errorf("%s by %s at %s: %+v, %v", c.command, by, self, r, err)
					}
				}
			}
		}
	}
}

// What is offered first is judged by its own document, a counter by what it
// answers: nobody makes themselves the owner by a counter.
func TestAuthorityOfAnOffer(t *testing.T) {
	mine := document()
	mine.Owners.Host = role(host, "security")
	if events, err := (agreement.State{}).May(staffed(host), id, &mine, agreement.Offer, "security"); events != nil || err != nil {
		t.Errorf("a first offer: %v, %v", events, err)
	}
	events, err := at(t, agreement.Proposed).state.May(staffed(host), id, &mine, agreement.Offer, "security")
	refusedBy(t, events, err, trust.Denied, agreement.RuleAuthority)
	if events, err := (agreement.State{}).May(staffed(host), id, nil, agreement.Suspend, "security"); events != nil || trust.KindOf(err) != trust.NotFound {
		t.Errorf("an unknown one: %v, %v", events, err)
	}
}

// Reducing trust never waits for a hiring: where nobody holds a role for it, an
// admin may. Nothing else is given to an admin like that.
func TestAuthorityNobodyHolds(t *testing.T) {
	gone := func(roles ...string) agreement.Facts {
		f := staffed(host)
		all := f.Holders
		f.Holders = func(role string) []string {
			if slices.Contains(roles, role) {
				return nil
			}
			return all(role)
		}
		return f
	}
	everybody := gone("records", "security", "ward_managers")
	s := at(t, agreement.Active).state
	for command, may := range map[agreement.Command]bool{
		agreement.Suspend: true, agreement.Reduce: true, agreement.End: true, agreement.CloseMapping: true,
		agreement.Resume: false, agreement.Activate: false, agreement.Offer: false, agreement.GrantMapping: false,
	} {
		if events, err := s.May(everybody, id, nil, command, "admin"); may != (err == nil && events == nil) {
			t.Errorf("%s by an admin: %v, %v", command, events, err)
		}
		events, err := s.May(everybody, id, nil, command, "auditor")
		if command == agreement.Activate || command == agreement.Offer {
			refusedBy(t, events, err, trust.Conflict, agreement.RuleOwner) // R40
			continue
		}
		refusedBy(t, events, err, trust.Denied, agreement.RuleAuthority)
	}
	events, err := s.May(gone("records"), id, nil, agreement.Suspend, "admin")
	refusedBy(t, events, err, trust.Denied, agreement.RuleAuthority)
}

func TestMatrix(t *testing.T) {
	d := document()
	want := map[agreement.Act]string{
		agreement.Own:        home.String() + "#locum_desk " + host.String() + "#records",
		agreement.Issue:      home.String() + "#registration_authority",
		agreement.Validate:   host.String() + "#node",
		agreement.Approve:    host.String() + "#ward_managers",
		agreement.Revoke:     home.String() + "#registration_authority " + host.String() + "#security",
		agreement.Override:   host.String() + "#caldicott_guardian",
		agreement.Adjudicate: third.String() + "#panel",
	}
	shown := func(d agreement.Document) map[agreement.Act]string {
		out := map[agreement.Act]string{}
		for _, row := range d.Matrix() {
			var roles []string
			for _, r := range row.Roles {
				roles = append(roles, r.String())
			}
			out[row.Act] = strings.Join(roles, " ")
		}
		return out
	}
	if got := shown(d); len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	check := func() {
		t.Helper()
		for act, roles := range shown(d) {
			if roles != want[act] {
				t.Errorf("%s is of %q, want %q", act, roles, want[act])
			}
		}
	}
	check()
	// Emergency access is reviewed by the owner where nobody may override, and by
	// nobody where there is none.
	d.Authority.Overrides, d.Authority.Adjudicates = trust.RoleRef{}, trust.RoleRef{}
	want[agreement.Override], want[agreement.Adjudicate] = host.String()+"#records", ""
	check()
	d.BreakGlass, want[agreement.Override] = nil, ""
	check()
}
