package cli_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/internal/spectest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

// desk is where an operator of a node sits: a directory with the context file.
type desk struct {
	t   *testing.T
	dir string
}

// newDesk serves a handler on a unix socket and gives an operator's desk.
func newDesk(t *testing.T, h http.Handler, credential string) desk {
	t.Helper()
	d := desk{t, t.TempDir()}
	socket := filepath.Join(d.dir, "admin.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	d.file("operator.json", fmt.Sprintf(`{"socket":%q,"name":"l.marsh","credential":%q}`, socket, credential))
	return d
}

// deskAt is a desk of a new admin of a node.
func deskAt(t *testing.T, n *nodetest.Node, roles ...trust.Role) desk {
	t.Helper()
	_, credential, err := n.AddOperator(t.Context(), n.Admin, "l.marsh", append(roles, operator.Admin))
	if err != nil {
		t.Fatal(err)
	}
	return newDesk(t, spectest.Watch(t, admin.New(n)), credential)
}

// file writes a file on the desk and gives its path.
func (d desk) file(name, content string) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// run runs a command line and gives its exit code and what it wrote.
func (d desk) run(args ...string) (code int, out, err string) {
	var stdout, stderr bytes.Buffer
	p := program()
	p.In, p.Out, p.Err, p.Now = strings.NewReader(""), &stdout, &stderr, time.Now
	code = p.Run(d.t.Context(), append([]string{"--operator", filepath.Join(d.dir, "operator.json")}, args...))
	return code, stdout.String(), stderr.String()
}

// ok runs a command line that must succeed and gives its standard output.
func (d desk) ok(args ...string) string {
	d.t.Helper()
	code, out, err := d.run(args...)
	if code != 0 || err != "" {
		d.t.Fatalf("%s: exit %d, %s", strings.Join(args, " "), code, err)
	}
	return out
}

// like runs a command line whose standard output must match.
func (d desk) like(pattern string, args ...string) {
	d.t.Helper()
	if out := d.ok(args...); !regexp.MustCompile(pattern).MatchString(out) {
		d.t.Errorf("%s printed\n%s\nwhich is not like %s", strings.Join(args, " "), out, pattern)
	}
}

func twoTrusts(t *testing.T) *nodetest.Ward {
	t.Helper()
	w := nodetest.NewWorld(t)
	home, host := w.Found(nil)
	return w.NewWard(home, host, nil)
}

func TestWhatANodeShows(t *testing.T) {
	ward := twoTrusts(t)
	d := deskAt(t, ward.Host)
	d.like(`^trust\.rje\.example  https://trust\.rje\.example  DEMO.*\nwarning +the framework ends at \S+, and nothing follows it: .*\nframework  northern-health version 1, [0-9a-f]{12}, until .*\ntrust +\d+ entries, root \S+\ndecisions +0 entries\n\nPARTNER +NAME +STAGE +LAST WORD +TO SEND\nhttps://trust\.rxw\.example +trust\.rxw\.example +ok +\d+s ago +\d+\n$`, "status")
	d.like(`^NAME +VERSION +STAGE +HASH +EXPIRES +HOLDS FROM\nnorthern-health +1 +in_force `, "framework", "list")
	d.like(`(?m)^  name: northern-health$`, "framework", "show", "-o", "yaml")
	d.like(`^ID +NAME +STAGE +ISSUERS +CONFIRMED\nhttps://trust\.rje\.example +\S+ +self +0 +–\nhttps://trust\.rxw\.example +\S+ +partner +1 +20`, "participant", "list")
	d.fails(1, `trust domain spiffe://prod\.rxw\.example is stated by nobody`, "participant", "bundle", "prod.rxw.example", "-f", d.file("bundle.json", `{"keys":[]}`))
	d.like(`"kind": "ParticipantList"`, "participant", "list", "-o", "json")
	d.like(`^ID +NAME(?s:.*)FINGERPRINT\n.*([A-Z2-7]{4}-){7}[A-Z2-7]{4}\n\nedge +version 1, as it states\nsignatures +ES256, .*\nlacks +–\nadds +–\n$`, "participant", "show", "https://trust.rxw.example", "-o", "wide")
	d.like(`^NAME +STAGE +REV +HOME +HOST +TIER +ENDS\nstaff +active +1 +https://trust\.rxw\.example +https://trust\.rje\.example +standard +20`, "agreement", "list")
	d.like(`(?m)^  - class: human$`, "agreement", "show", "staff", "-o", "yaml")
	d.like(`^staff\n$`, "agreement", "list", "-o", "name")
	d.like(`^ACT +PARTICIPANT +ROLE +HELD BY +COMMANDS\nown +https://trust\.rxw\.example +locum_desk +offer, .*\nown +https://trust\.rje\.example +records +op-admin +offer, `, "agreement", "authority", "staff")
	d.like(`^NAME +STAGE +AGREEMENT +FROM +TO +EXPIRES\nnurse +granted +staff +human role_code=S8000:G8000:R8001 +ward-reader +20`, "mapping", "list")
	d.like(`^@id\("ward-read"\)\n`, "policy", "show")
	d.like(`^NAME +AUDIENCE +ENFORCEMENT POINT +RESOURCES\nward-records +\S+ +pep +WardRecord\n$`, "service", "list")
	d.like(`^NAME +SERVICES\npep +ward-records\n$`, "enforcement-point", "list")
	d.like(`(?m)^op-[0-9a-f]{12} +admin +yes$`, "operator", "list")
	d.like(`^KEY +ENGAGEMENT +SINCE\n$`, "engagement", "list")
	d.like(`^POSITION +TIME +KIND\n1/0 +20\S+ +participant\.born/v1\n1/1 +20\S+ +operator\.added/v1\n$`, "ledger", "list", "--limit", "2")
	d.like(`^trust\.rje\.example/trust\n\d+\n`, "ledger", "checkpoint")
	d.like(`^trust 1/\d+ of 20(?s:.*)\nframework northern-health version 1(?s:.*)\nstaff +active(?s:.*)\nnurse +granted`, "ledger", "show")
}

func TestWhatANodeIsTold(t *testing.T) {
	ward := twoTrusts(t)
	home, host := deskAt(t, ward.Home, nodetest.HomeRoles()...), deskAt(t, ward.Host, nodetest.HostRoles()...)

	host.like(`^ent_pep_[A-Za-z0-9_-]{43}\n$`, "enforcement-point", "add", "nginx-2")
	host.ok("service", "apply", "-f", host.file("service.yaml", `
kind: Service
name: letters
audience: https://letters.rje.example
enforcement_point: nginx-2
resources: {Letter: []}
`))
	host.ok("service", "remove", "letters")
	host.ok("enforcement-point", "remove", "nginx-2")
	host.like(`"credential": "ent_op_`, "operator", "add", "a.khan", "--role", "auditor")
	named := []string{"operator", "add", "b.khan", "--role", "auditor", "--idempotency-key", "first-auditor"}
	if first := host.ok(named...); host.ok(named...) != first {
		t.Error("a command that was run again under its key is answered otherwise")
	}
	if code, _, err := host.run("operator", "add", "c.khan", "--role", "auditor", "--idempotency-key", "first-auditor"); code != 5 {
		t.Errorf("another command under the key: exit %d, %s", code, err)
	}
	host.like(`^[0-9a-f]{64}\n$`, "policy", "apply", "-f", host.file("local.cedar", `@id("none") forbid (principal, action, resource);`))

	host.ok("mapping", "propose", "-f", host.file("mapping.yaml", `
kind: Mapping
name: second
agreement: staff
from: {class: human, attribute: role_code, equals: "S8000:G8000:R8001"}
to: ward-reader
expires: `+time.Now().Add(24*time.Hour).UTC().Format(time.RFC3339)+"\n"))
	host.ok("mapping", "grant", "second")
	host.ok("mapping", "end", "second")
	if code, _, err := host.run("mapping", "end", "second"); code != 5 || !strings.HasPrefix(err, "entente: mapping") {
		t.Errorf("ending it twice: exit %d, %s", code, err)
	}

	home.like(`^REVOKED +POSITION +SENT TO\nsubject +1/\d+ +https://trust\.rje\.example\n$`,
		"revoke", "subject", ward.Issuer.URL, "nurse-9", "--reason", "left")
	home.like(`^2\n$`, "engagement", "open", ward.Issuer.URL, "nurse-9", "--joiner-check", "HR-1")
	var key string
	nodetest.Eventually(t, "the engagement to arrive", func() bool {
		key = strings.TrimSpace(host.ok("engagement", "list", "-o", "name"))
		return key != ""
	})
	host.ok("engagement", "approve", key)

	host.ok("agreement", "suspend", "staff", "--reason", "drill")
	host.ok("agreement", "end", "staff", "--reason", "over", "--yes")
	host.ok("suspend", "participant", "https://trust.rxw.example", "--reason", "breach", "--yes")
	if code, _, err := host.run("agreement", "activate", "staff"); code == 0 {
		t.Errorf("an ended agreement was activated: %s", err)
	}
	if code, _, _ := host.run("agreement", "show", "nothing"); code != 1 {
		t.Errorf("an unknown agreement: exit %d, want 1", code)
	}
}

// A list ends as one act; again, nothing does.
func TestLeavers(t *testing.T) {
	ward := twoTrusts(t)
	home := deskAt(t, ward.Home)
	file := home.file("leavers.csv", "\ufeffissuer,subject\r\n"+ward.Issuer.URL+",nurse-1\r\n"+ward.Issuer.URL+",\"nurse-2\"\r\n"+ward.Issuer.URL+",nurse-1\r\n")
	args := []string{"revoke", "subject", "--from", file, "--reason", "left", "--incident", "HR-1", "--yes"}
	home.like(`^\{\n  "position": \{\n    "epoch": 1,\n    "n": \d+\n  \},\n  "subjects": 2,\n  "ended": 2,\n  "partners": \[\n    "https://trust\.rje\.example"\n  \]\n\}\n$`, append(args, "-o", "json")...)
	home.like(`^REVOKED +ENDED BEFORE +POSITION +SENT TO\n0 +2 +–`, args...)
	stranger := home.file("strangers.csv", "subject\nnurse-3\n")
	home.fails(1, `leaver 1: issuer "https://nobody\.example" is not registered by anybody here`, "revoke", "subject", "https://nobody.example", "--from", stranger, "--reason", "left", "--yes")
}

func TestClients(t *testing.T) {
	ward := twoTrusts(t)
	d := deskAt(t, ward.Host)
	const key = `{"kty":"EC","crv":"P-256","kid":"k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	jwk, jwks := d.file("app.jwk", key), d.file("app.jwks", `{"keys":[`+key+`]}`)
	add := func(more ...string) []string {
		return append([]string{"client", "add", "ward-app", "--participant", "https://trust.rxw.example", "--service", "ward-records"}, more...)
	}
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no means":              {add(), 2, "exactly one of --jwks"},
		"two ways":              {add("--jwks", jwk, "--spiffe-id", "spiffe://rxw.example/app"), 2, "exactly one of --jwks"},
		"a secret":              {add("--jwks", d.file("oct", `{"kty":"oct","k":"AAAA"}`)), 2, "is symmetric"},
		"a private key":         {add("--jwks", d.file("private", strings.Replace(key, `"kid"`, `"d":"AA","kid"`, 1))), 2, "private member d"},
		"a key for encryption":  {add("--jwks", d.file("enc", `{"keys":[`+strings.Replace(key, `"kid"`, `"use":"enc","kid"`, 1)+`]}`)), 2, "of another use or algorithm"},
		"no certificate":        {add("--certificate", jwk), 2, "is not one certificate in PEM"},
		"another participant":   {[]string{"client", "add", "x", "--participant", "https://nobody.example", "--service", "ward-records", "--jwks", jwk}, 1, "neither this one nor a confirmed partner"},
		"an unknown service":    {[]string{"client", "add", "x", "--participant", "https://trust.rxw.example", "--service", "y", "--jwks", jwk}, 1, "service y of client x is not known"},
		"a client that is none": {[]string{"client", "show", "nobody"}, 1, "client nobody is not known"},
	} {
		if code, _, err := d.run(tt.args...); code != tt.code || !strings.Contains(err, tt.says) {
			t.Errorf("%s: exit %d, %s", name, code, err)
		}
	}
	d.ok(add("--jwks", jwk)...)
	d.like(`^ID +STAGE +PARTICIPANT +SERVICES +METHOD\nward-app +active +https://trust\.rxw\.example +ward-records +private_key_jwt\n$`, "client", "list")
	d.like(`ward-app .* private_key_jwt +k1\n$`, "client", "show", "ward-app", "-o", "wide")
	d.like(`"method": "private_key_jwt"`, "client", "show", "ward-app", "-o", "json")
	if code, _, err := d.run(add("--jwks", jwks)...); code != 5 || !strings.Contains(err, "client ward-app is registered already; an identifier is never reused") {
		t.Errorf("adding it twice: exit %d, %s", code, err)
	}
	d.ok("client", "keys", "ward-app", "--jwks", jwks, "--audience", "https://auth.rje.example/oauth/token")
	d.ok("client", "keys", "ward-app", "--certificate", d.file("app.pem", certificatePEM(t)))
	d.like(`self_signed_tls_client_auth +[A-Za-z0-9_-]{43}\n$`, "client", "show", "ward-app", "-o", "wide")
	d.ok("client", "keys", "ward-app", "--spiffe-id", "spiffe://rxw.example/app")
	d.ok("client", "end", "ward-app")
	d.like(`^ward-app\n$`, "client", "list", "-o", "name")
	d.like(`"ended": true`, "client", "show", "ward-app", "-o", "json")
	if code, _, err := d.run("client", "end", "ward-app"); code != 5 || !strings.Contains(err, "client ward-app has ended; that is for good") {
		t.Errorf("ending it twice: exit %d, %s", code, err)
	}
}

func certificatePEM(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestInvitationTravels(t *testing.T) {
	w := nodetest.NewWorld(t)
	a, b := deskAt(t, w.New("trust.rxw.example")), deskAt(t, w.New("trust.rje.example"))
	file := filepath.Join(b.dir, "rxw.json")
	print := strings.TrimSpace(a.ok("participant", "invite", file))
	if code, _, err := b.run("participant", "confirm", file); code != 2 || !strings.Contains(err, "needs --fingerprint") {
		t.Errorf("without a fingerprint: exit %d, %s", code, err)
	}
	if code, _, err := b.run("participant", "confirm", file, "--fingerprint", "AAAA-BBBB"); code != 3 {
		t.Errorf("with another fingerprint: exit %d, %s", code, err)
	}
	b.ok("participant", "confirm", file, "--fingerprint", strings.ToLower(print))
	b.like(`(?m)^https://trust\.rxw\.example +\S+ +partner `, "participant", "list")
	a.like(`^\{"card":`, "participant", "invite", "-")
}

func TestExplain(t *testing.T) {
	ward := twoTrusts(t)
	d := deskAt(t, ward.Host)
	token := ward.Host.World.Token(ward.Issuer, "nurse-1", ward.Audience, nil)
	permitted := ward.Host.Decide(t.Context(), ward.Ask(token))
	d.like(`^PERMIT  permit {21}human [0-9a-f]{4}… of trust\.rxw\.example → read WardRecord/42 at pep
      20\S+Z · framework 1 · agreement staff rev 1 · policy [0-9a-f]{4} · trust 1/\d+

  ✓ identify       idp\.trust\.rxw\.example speaks for trust\.rxw\.example .*
  ✓ authenticate   ES256, .*
  ✓ classify       human · .*
  – delegate       no chain
  ✓ link           .*
  ✓ freshness      .*
  ✓ revocation     .*
  ✓ entitle        .*
  ✓ local policy   .*
  . obligations    .*
  decision 1/0, reference [a-z2-7]{26}
$`, "explain", permitted.Reference)

	question := ward.Ask(token)
	question.Purpose = "HRESCH"
	denied := ward.Host.Decide(t.Context(), question)
	d.like(`^DENY  link\.purpose  (?s:.*)\n  ✗ link           .*      ← decided here; the rest recomputed\n`, "explain", denied.Reference)
	d.like(`^link\.purpose\n$`, "explain", denied.Reference, "-o", "name")
	d.like(`(?m)^reason: link\.purpose$`, "explain", denied.Reference, "-o", "yaml")

	request := d.file("request.json", `{"subject":{"type":"evidence","id":"0"},"action":{"name":"read"},
		"resource":{"type":"WardRecord","id":"42"},"context":{"purpose":"TREAT"}}`)
	d.like(`^DENY  identify\.no_evidence +an unidentified caller → (?s:.*)  hypothetical: nothing was recorded\n$`,
		"explain", "-f", request, "--enforcement-point", "pep")
	if code, _, err := d.run("explain", "nothing"); code != 1 || !strings.Contains(err, "is of no decision here") {
		t.Errorf("an unknown reference: exit %d, %s", code, err)
	}
}

// A decision on a chain is shown with who acts for whom, and where it was refused.
func TestExplainAChain(t *testing.T) {
	a := nodetest.NewAgency(t)
	d := deskAt(t, a.Host)
	for _, c := range []struct {
		want string
		ask  node.Ask
	}{
		{`^PERMIT  permit +human ([0-9a-f]{4}…) of trust\.rxw\.example → read (?s:.*)

  human [0-9a-f]{4}… of trust\.rxw\.example
  └─ [0-9a-f]{4}… of trust\.rxw\.example +read WardRecord · until 20\S+Z · 1 more may follow
     └─ agent [0-9a-f]{4}… of trust\.rxw\.example  read WardRecord · until 20\S+Z · nobody may follow · called

  ✓ identify `, a.Chain("agent-a", "agent-b")},
		{`(?m)^  └─ a subject of agents\.rxw\.example +read WardRecord · .*
     └─ agent [0-9a-f]{4}… of trust\.rxw\.example  called  ✗$`, another(a)},
	} {
		d.like(c.want, "explain", a.Host.Decide(t.Context(), c.ask).Reference)
	}
	d.like(`"failed": true`, "explain", a.Host.Decide(t.Context(), another(a)).Reference, "-o", "json")
}

// another calls in place of whom the chain lets act.
func another(a nodetest.Agency) node.Ask {
	ask := a.Chain("agent-a")
	ask.Evidence[2].Token = a.Home.World.Token(a.Agents, "agent-b", a.Audience, nil)
	return ask
}
