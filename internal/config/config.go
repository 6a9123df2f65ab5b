// Package config reads the one file that tells a node where it stands on its
// machine. It decides what may be written there and what is assumed where
// nothing is; every fault in a file is reported at once, with its line. Secrets
// are named by file, never written here, and the environment is not read. It
// refuses to know anything that participants agree on: that lives in the ledger.
package config

import (
	"errors"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/entente-id/entente/trust"
)

// Config is a node's configuration, complete: paths are absolute and every value
// that was left out has its default. docs/configuration.md is generated from
// the comments of these fields.
type Config struct {
	// This organisation's entity identifier, an https URL. Required.
	Entity trust.ParticipantID `yaml:"entity"`
	// The directory that holds the ledger. Required.
	Data string `yaml:"data"`
	// The plane that partners' nodes reach, over mutual TLS.
	Partners Partners `yaml:"partners"`
	// The plane of this organisation's enforcement points.
	Enforcement Enforcement `yaml:"enforcement"`
	// The plane of OAuth clients that show a certificate.
	Clients Clients `yaml:"clients"`
	// The plane of this node's operators.
	Admin Admin `yaml:"admin"`
	// Where the node's secrets are.
	Keys Keys `yaml:"keys"`
	// A token, such as a hardware security module, in which the next online keys
	// are made and which they never leave. The program has to be built for it
	// (docs/keys.md).
	PKCS11 PKCS11 `yaml:"pkcs11"`
	// How the node fetches documents from issuers' registered addresses.
	Egress Egress `yaml:"egress"`
	// The plane of the monitoring system.
	Telemetry Telemetry `yaml:"telemetry"`
	// How the node asks partners for their word.
	Heartbeat Heartbeat `yaml:"heartbeat"`
	// How the node rehearses revocations at its partners.
	Drill Drill `yaml:"drill"`
	// What the node writes to standard error.
	Log Log `yaml:"log"`
}

// Partners is the plane between nodes.
type Partners struct {
	// The address to listen on, host:port; an empty host means all. Required.
	Listen string `yaml:"listen"`
	// The https address under which partners reach this plane, as the node's
	// card tells them. Default: the entity's host with the listener's port.
	Advertise string `yaml:"advertise"`
}

// Enforcement is the plane of enforcement points. One of both is required.
type Enforcement struct {
	// A unix socket, for enforcement points on this machine.
	Socket string `yaml:"socket"`
	// A loopback address, host:port. Callers send their credentials in plain
	// text, so no other address is accepted.
	Listen string `yaml:"listen"`
	// The https address, without a path, under which clients reach this plane
	// through whatever ends TLS before it; the node's metadata name it. Default:
	// the address to listen on.
	Advertise string `yaml:"advertise"`
}

// Base is the address, without a path, of this plane as metadata name it.
func (e Enforcement) Base() string {
	if e.Advertise != "" || e.Listen == "" {
		return e.Advertise
	}
	return "http://" + e.Listen
}

// Clients is the plane of OAuth clients that authenticate by mutual TLS. Others may
// use it too.
type Clients struct {
	// The address to listen on, host:port; an empty host means all. It serves the
	// token endpoint alone, and must be reached without anything that ends TLS
	// before it. Default: not served.
	Listen string `yaml:"listen"`
	// A file with the server's certificates in PEM, leaf first. Default: a
	// certificate around the node's own TLS key. Both files are read at the start.
	CertificateFile string `yaml:"certificate_file"`
	// The file with its private key in PEM.
	KeyFile string `yaml:"key_file"`
}

// Admin is the plane of operators.
type Admin struct {
	// The unix socket that the commands of this binary use. Required.
	Socket string `yaml:"socket"`
}

// Keys says where the secrets are.
type Keys struct {
	// The file with the node's online keys, encrypted; keyring.db stands beside
	// it. Required.
	File string `yaml:"file"`
	// The file with the age identity that opens it, readable by the node's user
	// alone; it may be mounted from a secret store. Required.
	UnlockFile string `yaml:"unlock_file"`
	// Whose next keys are for ML-DSA-44 (FIPS 204), which withstands quantum
	// computers: log, stream, statement. Partners need a version that knows it
	// before such a key begins. Default: none.
	MLDSA44 []string `yaml:"ml_dsa_44"`
}

// PKCS11 is a token that speaks PKCS #11.
type PKCS11 struct {
	// The path of the library that its vendor gives. Default: no token is used.
	Module string `yaml:"module"`
	// The token's label. Required with module.
	Token string `yaml:"token"`
	// A file with the PIN of the token's user, readable by the node's user alone;
	// it may be mounted from a secret store. Required with module.
	PINFile string `yaml:"pin_file"`
	// What the keys are for that are made in the token: stream, statement, token,
	// tls. Log keys are Ed25519, which few tokens have, and stay in the file.
	// Default: those of these four that are not for ML-DSA-44.
	Uses []string `yaml:"uses"`
}

// TokenUses are the uses whose keys a token can hold.
func TokenUses() []string { return []string{"stream", "statement", "token", "tls"} }

// Egress bounds what the node may fetch.
type Egress struct {
	// An http or https proxy for fetches. Default: none; the environment's
	// proxy variables are not read.
	Proxy string `yaml:"proxy"`
	// Networks that are reachable though they are private, in CIDR form, for
	// issuers inside this organisation. Default: none.
	Allow []netip.Prefix `yaml:"allow"`
	// A file of PEM certificates that are trusted for fetches beside the
	// system's.
	CAFile string `yaml:"ca_file"`
	// The time between two fetches of an issuer's keys, 1s to 1h: a key that its
	// issuer publishes no longer is refused after that. Default: 5m.
	Refresh trust.Span `yaml:"refresh"`
}

// Telemetry is the plane of the monitoring system.
type Telemetry struct {
	// The address, host:port, for /metrics, /healthz and /readyz. Default: not
	// served.
	Listen string `yaml:"listen"`
}

// Heartbeat says how the node asks partners for their word.
type Heartbeat struct {
	// The time between two questions to one partner, 1s to 60s. It has to be
	// well below the staleness that the framework's tiers allow. Default: 2s.
	Interval trust.Span `yaml:"interval"`
}

// Drill says how revocations are rehearsed.
type Drill struct {
	// The mean time between two drills of each link by which a partner accepts this
	// organisation's callers, 1m to 90d; each comes at a random time. Default: none
	// but those that somebody runs.
	Every trust.Span `yaml:"every"`
}

// Log says what is logged.
type Log struct {
	// debug, info, warn or error. Default: info.
	Level string `yaml:"level"`
	// text or json. Default: text on a terminal, json elsewhere.
	Format string `yaml:"format"`
}

// Load reads and checks a file. Relative paths in it start at its own folder. It
// fails with NotFound when there is no such file and with Invalid for what is
// wrong in it; the text has a line for every fault.
func Load(path string) (Config, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return Config{}, trust.Errorf(trust.NotFound, "there is no configuration file %s", path)
	}
	if err != nil {
		return Config{}, trust.Errorf(trust.Unavailable, "reading configuration: %w", err)
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, trust.Errorf(trust.Unavailable, "finding the folder of %s: %w", path, err)
	}
	return Parse(path, content, folder)
}

// Parse reads and checks a file's content; name is what errors call it, folder
// where its relative paths start. It fails with Invalid.
func Parse(name string, content []byte, folder string) (Config, error) {
	var c Config
	lines, faults := decode(content, &c)
	if !lines.broken[""] { // else nothing was read, and all would be missing
		faults = append(faults, c.faults(lines)...)
	}
	if len(faults) > 0 {
		return Config{}, faults.err(name)
	}
	c.settle(folder)
	return c, nil
}

// settle fills in the defaults and makes paths absolute.
func (c *Config) settle(folder string) {
	for _, path := range []*string{&c.Data, &c.Enforcement.Socket, &c.Clients.CertificateFile, &c.Clients.KeyFile, &c.Admin.Socket, &c.Keys.File, &c.Keys.UnlockFile, &c.PKCS11.Module, &c.PKCS11.PINFile, &c.Egress.CAFile} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
	if c.Partners.Advertise == "" {
		c.Partners.Advertise = advertised(c.Entity, c.Partners.Listen)
	}
	if c.PKCS11.Module != "" && len(c.PKCS11.Uses) == 0 {
		c.PKCS11.Uses = slices.DeleteFunc(TokenUses(), func(use string) bool { return slices.Contains(c.Keys.MLDSA44, use) })
	}
	if c.Heartbeat.Interval == 0 {
		c.Heartbeat.Interval = 2
	}
	if c.Egress.Refresh == 0 {
		c.Egress.Refresh = 300
	}
	if c.Log.Level == "" {
		c.Log.Level = "info"
	}
}

func advertised(entity trust.ParticipantID, listen string) string {
	u, err := url.Parse(entity.String())
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: "https", Host: joinPort(u.Hostname(), listen)}).String()
}

// Between is the mean time between two drills of a link; 0 holds none.
func (d Drill) Between() time.Duration { return time.Duration(d.Every) * time.Second }

// Every is the time between two heartbeats.
func (h Heartbeat) Every() time.Duration { return time.Duration(h.Interval) * time.Second }
