package cli_test

import (
	"sync"
	"testing"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// R76, R79: what hangs from something is shown, ended and looked for again from
// the command line.
func TestUnwind(t *testing.T) {
	ward := twoTrusts(t)
	d := deskAt(t, ward.Host, nodetest.HostRoles()...)
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

// Open sessions are listed and ended, and credentials revoked, from the command line.
func TestSessionsAndCredentials(t *testing.T) {
	ward := twoTrusts(t)
	host := ward.Host
	d := deskAt(t, host)
	d.like(`^SESSION +AT +FROM +AGREEMENT +ACTION +RESOURCE +SINCE\n$`, "session", "list")
	opened := make(chan struct{})
	var once sync.Once
	go func() {
		_ = host.Watch(t.Context(), "pep", "", func(node.SessionEvent) error { once.Do(func() { close(opened) }); return nil })
	}()
	<-opened
	token := ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, nil)
	ask := ward.Ask(token)
	ask.Session = true
	session := host.Decide(t.Context(), ask)
	d.like(`\n`+session.Reference+` +pep +https://trust\.rxw\.example +staff +read +WardRecord +20`, "session", "list")
	d.like(`^`+session.Reference+`\n$`, "session", "list", "-o", "name")
	d.fails(2, `required flag\(s\) "reason" not set`, "session", "end", session.Reference)
	d.like(`^ENDED +POSITION\n`+session.Reference+` +1/\d+\n$`, "session", "end", session.Reference, "--reason", "left at the terminal")
	d.fails(1, `is not open`, "session", "end", session.Reference, "--reason", "again")
	issued := host.Exchange(t.Context(), node.Exchange{
		Client: "pep", Subject: ask.Evidence[0], Target: ward.Audience,
		Access: []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"}},
	})
	d.like(`^REVOKED +CREDENTIAL +CLIENT +EXPIRES +POSITION\ncredential +`+issued.ID+` +pep +20\S+ +1/\d+\n$`, "revoke", "credential", issued.Reference, "--reason", "in a log file")
	d.like(` ended before\n$`, "revoke", "credential", "--reason", "again", "--", issued.ID)
	d.fails(1, `is no live credential of this node`, "revoke", "credential", "x", "--reason", "again")
}

// R74: a leaked token names its owners from the command line; the token itself is
// not sent.
func TestALeak(t *testing.T) {
	ward := twoTrusts(t)
	d := deskAt(t, ward.Host)
	token := ward.Home.World.Token(ward.Issuer, "nurse-1", ward.Audience, nil)
	ward.Host.Decide(t.Context(), ward.Ask(token))
	found := d.file("found.txt", string(token)+"\n")
	d.like(`(?s)^leaked +a token of issuer \S+\nhome +https://trust\.rxw\.example\npermits +1\nbetween .*\naccepted +1 times at pep for WardRecord\nrevoked +no\non record +1/\d+\n\nAGREEMENT +SIDE +PARTICIPANT +OWNER +MAY REVOKE +OPERATORS\nstaff +home +https://trust\.rxw\.example +\S+.*\nstaff +host +https://trust\.rje\.example +`, "leak", "report", "--token", found, "--reason", "in a paste")
	d.like(`(?s)\nsuspended +whom it speaks for\n`, "leak", "report", "--token", found, "--reason", "in a paste", "--revoke")
	d.fails(1, `was presented to nobody that this ledger knows of`, "leak", "report", "x", "--reason", "in a paste")
	d.fails(2, `required flag\(s\) "reason" not set`, "leak", "report", "x")
}
