package fetch

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/entente-id/entente/trust"
)

// refusedV4 and refusedV6 are the networks of the IANA special-purpose address
// registries that are not ordinary public hosts.
var refusedV4 = prefixes(
	"0.0.0.0/8",       // this network
	"10.0.0.0/8",      // private
	"100.64.0.0/10",   // carrier-grade NAT
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local, cloud metadata
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // 6to4 relays
	"192.168.0.0/16",  // private
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, broadcast
)

var refusedV6 = prefixes(
	"2001::/23",     // protocol assignments: Teredo, benchmarks, ORCHID
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4
	"3fff::/20",     // documentation
)

// publicV6 is all of IPv6 that is global unicast. Outside it lie loopback,
// link-local, unique local, multicast, the IPv4-mapped form and NAT64.
var publicV6 = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

func within(list []netip.Prefix, ip netip.Addr) bool {
	for _, p := range list {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// public reports whether ip may be dialled without being allowed by name.
func public(ip netip.Addr) bool {
	if ip.Is4() {
		return !within(refusedV4, ip)
	}
	return publicV6.Contains(ip) && !within(refusedV6, ip) // no prefix contains a zoned address
}

func (c *Client) permit(host string, ip netip.Addr) error {
	if public(ip) || within(c.config.Allow, ip) {
		return nil
	}
	return trust.Errorf(trust.Denied, "host %q has the address %s, which is not public; only listed ones may be dialled", host, ip)
}

// numeric reports whether a name ends in a number, as 2130706433, 0177.0.0.1
// and 0x7f.1 do: no public name does, and the system's resolver may take it for
// an IPv4 address.
func numeric(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	digits, hexadecimal := strings.CutPrefix(last, "0x")
	alphabet := "0123456789"
	if hexadecimal {
		alphabet += "abcdef"
	}
	return strings.Trim(digits, alphabet) == ""
}

// resolve asks the system, which gives IPv4 in its IPv6-mapped form.
func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for i := range list {
		list[i] = list[i].Unmap()
	}
	return list, err
}

// dial resolves once, refuses the host if any answer may not be dialled, and
// connects to one of the very addresses it has checked.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "address to dial is malformed: %w", err)
	}
	list, err := c.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	// Each address has its share of the time, so that a dead one leaves some.
	dialer := net.Dialer{Timeout: c.config.Timeout / time.Duration(len(list))}
	for _, ip := range list {
		var conn net.Conn
		if conn, err = dialer.DialContext(ctx, network, net.JoinHostPort(ip.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, trust.Errorf(trust.Unavailable, "host %q cannot be reached: %w", host, err)
}

func (c *Client) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, c.permit(host, ip)
	}
	list, err := c.config.Resolve(ctx, host)
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "host %q cannot be resolved: %w", host, err)
	}
	if len(list) == 0 {
		return nil, trust.Errorf(trust.Unavailable, "host %q has no address", host)
	}
	for _, ip := range list {
		if err := c.permit(host, ip); err != nil {
			return nil, err
		}
	}
	return list, nil
}
