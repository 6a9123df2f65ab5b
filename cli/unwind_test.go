package cli_test

import "testing"

// R76, R79: what hangs from something is shown, ended and looked for again from
// the command line.
func TestUnwind(t *testing.T) {
	ward := twoTrusts(t)
	d := deskAt(t, ward.Host)
	issuer := ward.Issuer.URL
	d.like(`(?s)^counts +yes\nagreements +staff\nclasses +human\nservices +https://records\S+\npartners +none\nsessions +0 open\n.*permits +0, of 0 subjects, in the last day\n$`, "reach", "subject", issuer, "nurse-1")
	d.like(`"alive": true`, "reach", "agreement", "staff", "-o", "json")
	d.like(`(?s)^WHAT +WHICH +STATE +REASON +BY ENTRY\nroot +subject +ended +\d/\d+\n\n0 left; on record at \d/\d+, leaf hash \S+\n$`, "unwind", "subject", issuer, "nurse-1", "--reason", "left", "--yes")
	d.like(`(?s)^counts +no longer\n`, "reach", "subject", issuer, "nurse-1")
	deskAt(t, ward.Home).like(`(?s)partner +https://trust\.rje\.example +(told|has taken it)`, "unwind", "subject", issuer, "nurse-2", "--reason", "left", "--yes")
	at := d.ok("unwind", "agreement", "staff", "--reason", "over", "--yes", "-o", "name")
	d.like(`(?s)\nmapping +nurse +ended +\d/\d+\n\n0 left`, "unwind", "check", at[:len(at)-1])
	d.like(`(?s)\n0 left`, "unwind", "agreement", "staff", "--reason", "to be sure", "--yes")
	d.fails(1, `entry 0 is not the first of an unwinding`, "unwind", "check", "1/0")
	d.fails(2, `"x" is not a position`, "unwind", "check", "x")
	d.fails(1, `client "x" is not registered here`, "reach", "client", "x")
}
