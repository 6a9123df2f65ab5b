package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/internal/spectest"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

// Opening an epoch is confirmed, and what is put in place is verified before.
func TestRecover(t *testing.T) {
	n := nodetest.NewWorld(t).New("trust.rxw.example")
	d := deskAt(t, n)
	backup := n.Backup()
	d.fails(2, `needs --yes`, "recover", "--from", backup, "--reason", "disk broke")
	d.fails(2, `"reason" not set`, "recover", "--from", backup, "--yes")
	d.like(`^EPOCH +POSITION +SUSPENDED EDGE\n`, "recover", "--from", backup, "--reason", "disk broke", "--yes")
	d.like(`"epoch": 5`, "recover", "--from", backup, "--epoch", "5", "--reason", "disk broke", "--yes", "-o", "json")
	segments, err := filepath.Glob(filepath.Join(backup, "trust", "*"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("the backup has %v, %v", segments, err)
	}
	for _, path := range segments {
		if err := os.Truncate(path, 10); err != nil {
			t.Fatal(err)
		}
	}
	if code, out, _ := d.run("recover", "--from", backup, "--reason", "disk broke", "--yes"); code == 0 {
		t.Errorf("a damaged backup is put in place: %s", out)
	}
}

// Scenario 7: what was lost is listed, and an operator of the partner accepts the
// epoch.
func TestRecovery(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.New("trust.rxw.example", nodetest.HomeRoles()...), w.New("trust.rje.example", nodetest.HostRoles()...)
	signed := w.Framework(home, host)
	home.Adopt(signed)
	host.Adopt(signed)
	w.Introduce(home, host)
	atHome, atHost := deskAt(t, home), deskAt(t, host)
	nodetest.Eventually(t, "statements", func() bool {
		_, has := host.State().Edge.Position(home.ID, edge.Governance)
		return has == home.State().Edge.Next(host.ID, edge.Governance)-1
	})
	backup := home.Backup()
	atHome.ok("suspend", "participant", host.ID.String(), "--reason", "odd queries", "--yes")
	nodetest.Eventually(t, "the suspension", func() bool { p, _ := host.State().Participant.Partner(home.ID); return p.SuspendsUs })
	atHome.like(`^PARTNER +STAGE .*\n$`, "recovery")

	home.Stop()
	home.Recover(backup)
	home.Start()
	atHome.ok("recovery", "--wait")
	nodetest.Eventually(t, "the epoch to be held", func() bool { return host.State().Edge.Held(home.ID) == 2 })
	atHome.like(`https://trust\.rje\.example +fetched +safety +1 to \d+ +1\n`, "recovery")
	atHome.like(`1 suspension`, "recovery", "-o", "wide")
	if p, _ := home.State().Participant.Partner(host.ID); !p.Suspended {
		t.Error("the suspension is gone")
	}
	atHost.like(`https://trust\.rxw\.example +2, to be accepted`, "recovery")
	accept := []string{"epoch", "accept", home.ID.String(), "--reason", "they called"}
	atHost.fails(2, `needs --yes`, append(accept, "--epoch", "2")...)
	atHost.fails(5, `held is 2`, append(accept, "--epoch", "3", "--yes")...)
	atHost.like(`https://trust\.rxw\.example +2 +1/\d+`, append(accept, "--epoch", "2", "--yes")...)
	nodetest.Eventually(t, "the home to know", func() bool { return home.State().Edge.Stage(host.ID) == edge.Accepted })
}

// Two people let a recovered node go on without a partner that never answers.
func TestGoingOnWithoutAPartner(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, third := w.New("trust.rxw.example"), w.New("trust.rcb.example")
	w.Introduce(home, third)
	first := deskAt(t, home)
	_, credential, err := home.AddOperator(t.Context(), home.Admin, "k.osei", []trust.Role{operator.Admin})
	if err != nil {
		t.Fatal(err)
	}
	other := newDesk(t, spectest.Watch(t, admin.New(home)), credential)
	backup := home.Backup()
	third.Stop()
	w.Cut(home, third)
	home.Stop()
	home.Recover(backup)
	home.Start()
	without := []string{"recovery", "without", third.ID.String(), "--reason", "closed since May"}
	first.fails(2, `needs --yes`, without...)
	without = append(without, "--yes")
	if code, out, said := first.run(without...); code != 0 || !strings.Contains(out, "op-") {
		t.Errorf("the first word: %d, %s%s", code, out, said)
	}
	first.like(`"asked": "op-`, "recovery", "-o", "json")
	first.fails(3, `takes two`, without...)
	other.like(`https://trust\.rcb\.example +op-\S+ +– +2/\d+`, without...)
	first.like(`https://trust\.rcb\.example +forgone`, "recovery")
	other.fails(5, `forgone`, without...)
}
