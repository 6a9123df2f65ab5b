package config

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// checker collects what is wrong with values that could be read.
type checker struct {
	lines
	faults faults
}

// add notes a fault of a member that has none yet.
func (c *checker) add(member, text string) {
	if !c.unread(member) {
		c.faults = append(c.faults, fault{c.of(member), member, text})
	}
}

// when notes a fault if it is one.
func (c *checker) when(wrong bool, member, text string) {
	if wrong {
		c.add(member, text)
	}
}

func (c *Config) faults(at lines) faults {
	check := &checker{lines: at}
	c.checkRequired(check)
	c.checkAddresses(check)
	c.checkPaths(check)
	c.checkValues(check)
	c.PKCS11.check(check)
	c.checkPostQuantum(check)
	return check.faults
}

func (c *Config) checkRequired(check *checker) {
	for member, value := range map[string]string{
		"entity": c.Entity.String(), "data": c.Data, "partners.listen": c.Partners.Listen, "admin.socket": c.Admin.Socket,
		"keys.file": c.Keys.File, "keys.unlock_file": c.Keys.UnlockFile,
	} {
		check.when(value == "", member, "is required")
	}
	unread := check.unread("enforcement.socket") || check.unread("enforcement.listen")
	check.when(c.Enforcement.Socket == "" && c.Enforcement.Listen == "" && !unread, "enforcement", "needs a socket or an address to listen on")
}

func (c *Config) checkAddresses(check *checker) {
	for member, address := range map[string]string{
		"partners.listen": c.Partners.Listen, "enforcement.listen": c.Enforcement.Listen, "telemetry.listen": c.Telemetry.Listen,
		"clients.listen": c.Clients.Listen,
	} {
		switch {
		case address == "":
		case !isAddress(address):
			check.add(member, "is not host:port with a port of 0 to 65535")
		case member == "enforcement.listen" && !isLoopback(address):
			check.add(member, "is not a loopback address; credentials would cross the network in plain text")
		}
	}
	advertise, proxy := c.Partners.Advertise, c.Egress.Proxy
	check.when(advertise != "" && !isOrigin(advertise, "https"), "partners.advertise", "is not https://host:port without a path")
	clients := c.Enforcement.Advertise
	check.when(clients != "" && !isOrigin(clients, "https"), "enforcement.advertise", "is not https://host:port without a path")
	check.when(proxy != "" && !isOrigin(proxy, "http", "https"), "egress.proxy", "is not http://host:port or https://host:port without credentials or a path")
	for i, p := range c.Egress.Allow {
		check.when(!p.IsValid() || p != p.Masked(), "egress.allow["+strconv.Itoa(i)+"]", "is not a network in CIDR form without host bits")
	}
}

func (c *Config) checkPaths(check *checker) {
	for member, path := range map[string]string{
		"data": c.Data, "enforcement.socket": c.Enforcement.Socket, "admin.socket": c.Admin.Socket,
		"keys.file": c.Keys.File, "keys.unlock_file": c.Keys.UnlockFile, "egress.ca_file": c.Egress.CAFile,
		"clients.certificate_file": c.Clients.CertificateFile, "clients.key_file": c.Clients.KeyFile,
		"pkcs11.module": c.PKCS11.Module, "pkcs11.pin_file": c.PKCS11.PINFile,
	} {
		check.when(strings.HasPrefix(path, "~"), member, "begins with ~, which only a shell knows; write the whole path")
	}
	check.when((c.Clients.CertificateFile == "") != (c.Clients.KeyFile == ""), "clients", "has one of certificate_file and key_file; each needs the other")
	check.when(c.Clients.Listen == "" && c.Clients.CertificateFile != "", "clients", "has a certificate but no address to listen on")
	check.when(c.Admin.Socket != "" && c.Admin.Socket == c.Enforcement.Socket, "enforcement.socket", "is the admin socket too; the planes are apart")
}

func (c *Config) checkValues(check *checker) {
	check.when(c.Egress.Refresh < 0 || c.Egress.Refresh > 3600, "egress.refresh", "is not between 1s and 1h")
	check.when(c.Heartbeat.Interval < 0 || c.Heartbeat.Interval > 60, "heartbeat.interval", "is not between 1s and 60s")
	check.when(c.Drill.Every != 0 && (c.Drill.Every < 60 || c.Drill.Every > 90*86400), "drill.every", "is not between 1m and 90d")
	check.when(!slices.Contains([]string{"", "debug", "info", "warn", "error"}, c.Log.Level), "log.level", "is not debug, info, warn or error")
	check.when(!slices.Contains([]string{"", "text", "json"}, c.Log.Format), "log.format", "is not text or json")
}

// checkPostQuantum: keys for ML-DSA-44 are made in the file.
func (c *Config) checkPostQuantum(check *checker) {
	for i, use := range c.Keys.MLDSA44 {
		member := "keys.ml_dsa_44[" + strconv.Itoa(i) + "]"
		check.when(!slices.Contains([]string{"log", "stream", "statement"}, use), member, "is not log, stream or statement")
		check.when(slices.Contains(c.Keys.MLDSA44[:i], use), member, "is there twice")
		check.when(slices.Contains(c.PKCS11.Uses, use), member, "is in pkcs11.uses too; a token's keys are for ES256")
	}
}

// check: all of a token or nothing.
func (p PKCS11) check(check *checker) {
	if p.Module == "" {
		check.when(p.Token != "" || p.PINFile != "" || len(p.Uses) > 0, "pkcs11.module", "is required where there is a token")
		return
	}
	check.when(p.Token == "", "pkcs11.token", "is required where there is a token")
	check.when(p.PINFile == "", "pkcs11.pin_file", "is required where there is a token")
	for i, use := range p.Uses {
		member := "pkcs11.uses[" + strconv.Itoa(i) + "]"
		check.when(!slices.Contains(TokenUses(), use), member, "is not stream, statement, token or tls")
		check.when(slices.Contains(p.Uses[:i], use), member, "is there twice")
	}
}

func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	n, numErr := strconv.ParseUint(port, 10, 16)
	return err == nil && numErr == nil && strconv.FormatUint(n, 10) == port
}

// isLoopback takes the name localhost and literal addresses: any other name may
// resolve to anything by tomorrow.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// isOrigin accepts scheme://host or scheme://host:port and nothing more.
func isOrigin(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	return err == nil && slices.Contains(schemes, u.Scheme) && u.Hostname() != "" && s == u.Scheme+"://"+u.Host
}

// joinPort puts the port of address behind host.
func joinPort(host, address string) string {
	_, port, _ := net.SplitHostPort(address)
	return net.JoinHostPort(host, port)
}
