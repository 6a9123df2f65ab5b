package cli_test

import (
	"testing"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/trust"
)

// R37: drills are run and reported from the command line, with a picture.
func TestDrills(t *testing.T) {
	w := nodetest.NewWorld(t)
	home, host := w.Found(func(f *framework.Document) {
		tier := f.Tiers[trust.Standard]
		tier.RemovalTarget = 60 // kept, however slow the machine is
		f.Tiers[trust.Standard] = tier
	})
	ward := w.NewWard(home, host, nil)
	d := deskAt(t, ward.Home)
	d.like(`^AGREEMENT +FROM +AT +N +P50 +P95 +P99 +LIMIT +VERDICT +LATEST\nstaff +https://trust\.rxw\.example +https://trust\.rje\.example +0 +- +- +- +60000\.0 ms +unmeasured\n$`, "drill", "report")
	d.like(`(?s)^AGREEMENT .*\nstaff +\S+ +\S+ +3 +\d+\.\d ms +\d+\.\d ms +\d+\.\d ms +60000\.0 ms +kept +[▁▂▃▄▅▆▇█]{3}\n\nstaff, acknowledged → denied\n( +\d+\.\d ms  █* ?\d+\n)+$`, "drill", "run", "--partner", "https://trust.rje.example", "-n", "3")
	d.like(`"verdict": "kept"`, "drill", "run", "--partner", "https://trust.rje.example", "--class", "human", "--agreement", "staff", "-o", "json")
	d.like(`^staff\n$`, "drill", "report", "-o", "name")
	d.like(`(?s)"n": 4,.*"p99": \d+,`, "drill", "report", "--window", "1h", "--class", "human", "-o", "json")
	deskAt(t, ward.Host).like(`\nstaff +\S+ +\S+ +4 `, "drill", "report")
	d.fails(5, `no agreement other by which https://trust\.rje\.example accepts our callers is in force`, "drill", "run", "--partner", "https://trust.rje.example", "--agreement", "other")
	d.fails(5, `the framework has no class "agent"`, "drill", "run", "--partner", "https://trust.rje.example", "--class", "agent")
	d.fails(1, `participant https://trust\.r0a\.example is not a partner here`, "drill", "run", "--partner", "https://trust.r0a.example")
	d.fails(2, `-n is 0; at least one drill is run`, "drill", "run", "--partner", "https://trust.rje.example", "-n", "0")
	d.fails(2, `class "king" does not exist`, "drill", "report", "--class", "king")
}
