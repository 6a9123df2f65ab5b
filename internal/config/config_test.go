package config_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/config"
	"github.com/entente-id/entente/trust"
)

const small = `entity: https://trust.rje.example
data: data
partners: {listen: ":8443"}
enforcement: {socket: pep.sock}
admin: {socket: admin.sock}
keys: {file: keys.age, unlock_file: unlock.key}
`

const full = `# everything there is
entity: https://trust.rje.example/node
data: /var/lib/entente
partners:
  listen: "127.0.0.1:8443"
  advertise: https://trust.rje.example:443
enforcement:
  socket: /run/entente/pep.sock
  listen: "[::1]:8444"
  advertise: https://auth.rje.example
clients: {listen: ":8446", certificate_file: tls.pem, key_file: tls.key}
admin:
  socket: /run/entente/admin.sock
keys:
  file: /etc/entente/keys.age
  unlock_file: ../secret/unlock.key
  ml_dsa_44: [log, statement]
pkcs11: {module: /usr/lib/softhsm/libsofthsm2.so, token: entente, pin_file: pin, uses: [token, tls]}
egress:
  proxy: http://proxy.example:3128
  allow: [10.0.0.0/8, "fd00::/8"]
  ca_file: ca.pem
  refresh: 90s
telemetry: {listen: "127.0.0.1:9100"}
heartbeat: {interval: 5s}
drill: {every: 1d}
log: {level: debug, format: json}
`

func TestUsableDefaults(t *testing.T) {
	c, err := config.Parse("node.yaml", []byte(small), "/etc/entente")
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []struct{ what, got, want string }{
		{"entity", c.Entity.String(), "https://trust.rje.example"},
		{"data", c.Data, "/etc/entente/data"},
		{"advertise", c.Partners.Advertise, "https://trust.rje.example:8443"},
		{"enforcement socket", c.Enforcement.Socket, "/etc/entente/pep.sock"},
		{"enforcement listener", c.Enforcement.Listen, ""},
		{"admin socket", c.Admin.Socket, "/etc/entente/admin.sock"},
		{"keys", c.Keys.File, "/etc/entente/keys.age"},
		{"unlock file", c.Keys.UnlockFile, "/etc/entente/unlock.key"},
		{"proxy", c.Egress.Proxy, ""},
		{"ca file", c.Egress.CAFile, ""},
		{"token", fmt.Sprint(c.PKCS11), "{   []}"},
		{"ML-DSA-44", fmt.Sprint(c.Keys.MLDSA44), "[]"},
		{"refresh", c.Egress.Refresh.String(), "5m"},
		{"heartbeat", c.Heartbeat.Every().String(), "2s"},
		{"drills", c.Drill.Between().String(), "0s"},
		{"log level", c.Log.Level, "info"},
		{"log format", c.Log.Format, ""},
	} {
		if check.got != check.want {
			t.Errorf("%s is %q, want %q", check.what, check.got, check.want)
		}
	}
}

// Of a token's default uses, those for ML-DSA-44 stay in the file.
func TestATokenLeavesWhatItCannotHold(t *testing.T) {
	content := strings.Replace(small, "unlock_file: unlock.key", "unlock_file: unlock.key, ml_dsa_44: [statement]", 1) + "pkcs11: {module: lib.so, token: a, pin_file: pin}\n"
	c, err := config.Parse("node.yaml", []byte(content), "/etc/entente")
	if err != nil || fmt.Sprint(c.PKCS11.Uses) != "[stream token tls]" {
		t.Errorf("in the token: %v, %v", c.PKCS11.Uses, err)
	}
}

func TestEveryMemberIsRead(t *testing.T) {
	c, err := config.Parse("node.yaml", []byte(full), "/etc/entente")
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		Data:        "/var/lib/entente",
		Partners:    config.Partners{Listen: "127.0.0.1:8443", Advertise: "https://trust.rje.example:443"},
		Enforcement: config.Enforcement{Socket: "/run/entente/pep.sock", Listen: "[::1]:8444", Advertise: "https://auth.rje.example"},
		Clients:     config.Clients{Listen: ":8446", CertificateFile: "/etc/entente/tls.pem", KeyFile: "/etc/entente/tls.key"},
		Admin:       config.Admin{Socket: "/run/entente/admin.sock"},
		Keys:        config.Keys{File: "/etc/entente/keys.age", UnlockFile: "/etc/secret/unlock.key", MLDSA44: []string{"log", "statement"}},
		PKCS11:      config.PKCS11{Module: "/usr/lib/softhsm/libsofthsm2.so", Token: "entente", PINFile: "/etc/entente/pin", Uses: []string{"token", "tls"}},
		Egress: config.Egress{
			Proxy: "http://proxy.example:3128", CAFile: "/etc/entente/ca.pem", Refresh: 90,
			Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")},
		},
		Telemetry: config.Telemetry{Listen: "127.0.0.1:9100"},
		Heartbeat: config.Heartbeat{Interval: 5},
		Drill:     config.Drill{Every: 86400},
		Log:       config.Log{Level: "debug", Format: "json"},
	}
	if want.Entity, err = trust.ParseParticipantID("https://trust.rje.example/node"); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%+v", c); got != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %s\nwant %+v", got, want)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"empty", "", `node.yaml: admin.socket is required
node.yaml: data is required
node.yaml: enforcement needs a socket or an address to listen on
node.yaml: entity is required
node.yaml: keys.file is required
node.yaml: keys.unlock_file is required
node.yaml: partners.listen is required`},
		{"many at once", `entity: http://trust.rje.example
data: ~/entente
surprise: 1
partners: {listen: "8443", port: 1}
enforcement: {listen: "0.0.0.0:8444"}
admin:
  socket: [a, b]
keys: {file: keys.age}
egress:
  allow:
    - 10.0.0.1/8
    - nowhere
  refresh: 2h
heartbeat: {interval: 90s}
log: {level: loud}
`, `node.yaml:1: entity is wrong: participant "http://trust.rje.example" is not an absolute https URL
node.yaml:2: data begins with ~, which only a shell knows; write the whole path
node.yaml:3: surprise is not known; the file has entity, data, partners, enforcement, clients, admin, keys, pkcs11, egress, telemetry, heartbeat, drill, log
node.yaml:4: partners.listen is not host:port with a port of 0 to 65535
node.yaml:4: partners.port is not known; partners has listen, advertise
node.yaml:5: enforcement.listen is not a loopback address; credentials would cross the network in plain text
node.yaml:7: admin.socket is not a single value
node.yaml:8: keys.unlock_file is required
node.yaml:11: egress.allow[0] is not a network in CIDR form without host bits
node.yaml:12: egress.allow[1] is wrong: netip.ParsePrefix("nowhere"): no '/'
node.yaml:13: egress.refresh is not between 1s and 1h
node.yaml:14: heartbeat.interval is not between 1s and 60s
node.yaml:15: log.level is not debug, info, warn or error`},
		{"a name that resolves", small + "telemetry: {listen: host}\n", `node.yaml:7: telemetry.listen is not host:port with a port of 0 to 65535`},
		{"ML-DSA-44 for what it is not for", strings.Replace(small, "unlock_file: unlock.key", "unlock_file: unlock.key, ml_dsa_44: [tls, log, log, stream]", 1) +
			"pkcs11: {module: lib.so, token: a, pin_file: pin, uses: [stream]}\n", `node.yaml:6: keys.ml_dsa_44[0] is not log, stream or statement
node.yaml:6: keys.ml_dsa_44[2] is there twice
node.yaml:6: keys.ml_dsa_44[3] is in pkcs11.uses too; a token's keys are for ES256`},
		{"half a token", small + "pkcs11: {module: lib.so, uses: [token, log, token]}\n", `node.yaml:7: pkcs11.pin_file is required where there is a token
node.yaml:7: pkcs11.token is required where there is a token
node.yaml:7: pkcs11.uses[1] is not stream, statement, token or tls
node.yaml:7: pkcs11.uses[2] is there twice`},
		{"a token without its library", small + "pkcs11: {token: entente}\n", `node.yaml:7: pkcs11.module is required where there is a token`},
		{"a second document", small + "---\nentity: x\n", `node.yaml: holds more than one document`},
		{"a document after an end", small + "...\nentity: x\n", `node.yaml: holds more than one document`},
		{"too large", small + strings.Repeat("#", 64<<10), `node.yaml: is larger than 65536 bytes`},
		{"a list", "- a\n", `node.yaml:1: is not a mapping of members to values`},
		{"a scalar for a mapping", strings.Replace(small, `{listen: ":8443"}`, "8443", 1), "node.yaml:3: partners is not a mapping of members to values"},
		{"a scalar for a list", small + "egress: {allow: 10.0.0.0/8}\n", `node.yaml:7: egress.allow is not a list`},
		{"an address on the network", strings.Replace(small, "socket: pep.sock", `listen: "pep.example:8444"`, 1), "node.yaml:4: enforcement.listen is not a loopback address; credentials would cross the network in plain text"},
		{"a proxy with credentials", small + "egress: {proxy: \"http://u:p@proxy.example:1\"}\n", `node.yaml:7: egress.proxy is not http://host:port or https://host:port without credentials or a path`},
		{"an address with a path", strings.Replace(small, `":8443"`, `":8443", advertise: "https://a.example/x"`, 1), "node.yaml:3: partners.advertise is not https://host:port without a path"},
		{"clients' address with a path", strings.Replace(small, "pep.sock", "pep.sock, advertise: \"https://a.example/x\"", 1), "node.yaml:4: enforcement.advertise is not https://host:port without a path"},
		{"an address alone", strings.Replace(small, "socket: pep.sock", "advertise: \"https://a.example\"", 1), "node.yaml:4: enforcement needs a socket or an address to listen on"},
		{"clients' certificate without its key", small + "clients: {listen: \":1\", certificate_file: a}\n", "node.yaml:7: clients has one of certificate_file and key_file; each needs the other"},
		{"clients' certificate without an address", small + "clients: {certificate_file: a, key_file: b}\n", "node.yaml:7: clients has a certificate but no address to listen on"},
		{"planes in one", strings.Replace(small, "pep.sock", "admin.sock", 1), "node.yaml:4: enforcement.socket is the admin socket too; the planes are apart"},
		{"an empty network", small + "egress: {allow: [\"\"]}\n", "node.yaml:7: egress.allow[0] is not a network in CIDR form without host bits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Parse("node.yaml", []byte(c.content), "/etc/entente")
			if trust.KindOf(err) != trust.Invalid || err.Error() != c.want {
				t.Errorf("got %s:\n%v\nwant\n%s", trust.KindOf(err), err, c.want)
			}
		})
	}
}

func TestWhatIsNoYAML(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"a member twice", small + "data: other\n", "node.yaml:7: "},
		{"an open quote", small + "log: {level: \"info\n", "node.yaml:"},
		{"a tab", "entity:\n\tx: 1\n", "node.yaml:"},
		{"an alias", strings.Replace(small, "data: data", "data: *d", 1), "node.yaml:2: "},
		{"an anchor", strings.Replace(small, "data: data", "data: &d data", 1), "node.yaml:2: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Parse("node.yaml", []byte(c.content), "/etc/entente")
			if trust.KindOf(err) != trust.Invalid || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %s: %v, want %s…", trust.KindOf(err), err, c.want)
			}
		})
	}
}

func TestPathsStartAtTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "node.yaml")
	if err := os.WriteFile(path, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(dir))
	c, err := config.Load(filepath.Join(filepath.Base(dir), "node.yaml"))
	if err != nil || c.Data != filepath.Join(dir, "data") {
		t.Errorf("data is %q, %v", c.Data, err)
	}
	if _, err := config.Load(path + ".missing"); trust.KindOf(err) != trust.NotFound {
		t.Errorf("a missing file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(full))
	f.Add([]byte("a: &a [*a]\n<<: *a"))
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := config.Parse("node.yaml", content, "/etc/entente")
		if err == nil && (c.Entity.IsZero() || !filepath.IsAbs(c.Data) || !filepath.IsAbs(c.Keys.File) || !strings.HasPrefix(c.Partners.Advertise, "https://")) {
			t.Errorf("accepted without what is required: %+v", c)
		}
		if err != nil && trust.KindOf(err) != trust.Invalid {
			t.Errorf("%s: %v", trust.KindOf(err), err)
		}
	})
}
