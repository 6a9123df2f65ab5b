package cli

import (
	"context"
	"encoding/pem"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

func (a *app) clientCommand() *cobra.Command {
	return a.group("client", "OAuth clients of this node's token endpoint", a.clientAdd(), a.clientList(), a.clientShow(), a.clientKeys(),
		a.act("end ID", "ID", "End a client for good, and what was issued to it", (*admin.Client).EndOAuthClient))
}

// means are the flags that say how a client proves itself.
type means struct {
	jwks         string
	certificates []string
	spiffe       string
	audience     string
}

func (m *means) flags(c *cobra.Command) {
	c.Flags().StringVar(&m.jwks, "jwks", "", "a file with its public key or keys (JWK or JWK set), for private_key_jwt; - is standard input")
	c.Flags().StringArrayVar(&m.certificates, "certificate", nil, "a file with its TLS certificate in PEM; may be repeated")
	c.Flags().StringVar(&m.audience, "audience", "", "what its assertions say in aud, where that cannot be this node's identifier: the token endpoint's URL")
	c.Flags().StringVar(&m.spiffe, "spiffe-id", "", "its SPIFFE ID, shown by JWT-SVID or X509-SVID")
}

func (a *app) means(m *means) (client.Means, error) {
	read := client.Means{SPIFFEID: m.spiffe, Audience: m.audience}
	ways := 0
	for _, given := range []bool{m.jwks != "", len(m.certificates) > 0, m.spiffe != ""} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return read, trust.Errorf(trust.Invalid, "a client proves itself in one way: give exactly one of --jwks, --certificate and --spiffe-id")
	}
	for _, path := range m.certificates {
		data, err := a.read(path)
		if err != nil {
			return read, err
		}
		block, rest := pem.Decode(data)
		if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
			return read, trust.Errorf(trust.Invalid, "%s is not one certificate in PEM and nothing else", path)
		}
		shown, err := client.ReadCertificate(block.Bytes)
		if err != nil {
			return read, trust.Errorf(trust.Invalid, "%s: %w", path, err)
		}
		read.Certificates = append(read.Certificates, shown.Thumbprint)
	}
	if m.jwks == "" {
		return read, nil
	}
	data, err := a.read(m.jwks)
	if err == nil {
		read.Keys, err = clientKeys(data)
	}
	if err != nil {
		return read, trust.Errorf(trust.Invalid, "%s: %w", m.jwks, err)
	}
	return read, nil
}

// clientKeys reads a JWK or a JWK set. A key of an algorithm that is not known
// here is refused, where a set of many would leave it out.
func clientKeys(data []byte) (jose.KeySet, error) {
	o, err := canonical.ParseObject(data)
	if err != nil {
		return jose.KeySet{}, err
	}
	list, set := o["keys"].([]any)
	if !set {
		key, err := jose.ParseKey(data)
		if err != nil {
			return jose.KeySet{}, err
		}
		return jose.NewKeySet(key)
	}
	keys, err := jose.ParseKeySet(data)
	if err == nil && len(keys.Keys()) != len(list) {
		err = trust.Errorf(trust.Invalid, "key set has keys of another use or algorithm than signatures by %v", jose.Algs())
	}
	return keys, err
}

func (a *app) clientAdd() *cobra.Command {
	var m means
	var whose string
	var services []string
	var signals client.Signals
	var receives bool
	c := &cobra.Command{
		Use: "add ID", Short: "Register a client",
		Long: `Register an OAuth client, which may ask for credentials of the services it names.
It proves itself in exactly one way, by a public key, a certificate or its SPIFFE
ID; a shared secret is none. Its identifier is never used again. With --signals it
may have streams that tell it when trust ends (Shared Signals), about the subjects
that it adds to them or, with --signals-all, about everybody.`,
		Example: "  entente client add ward-app --participant https://trust.rxw.example --service ward-records --jwks ward-app.jwks",
		Args:    args("ID"),
		RunE: func(c *cobra.Command, args []string) error {
			participant, err := trust.ParseParticipantID(whose)
			if err != nil {
				return err
			}
			read, err := a.means(&m)
			if err != nil {
				return err
			}
			d := client.Document{Kind: "Client", ID: args[0], Participant: participant, Services: services, Means: read}
			if receives {
				d.Signals = &signals
			} else if len(services) == 0 {
				return trust.Errorf(trust.Invalid, "a client has a --service that it asks credentials for, or --signals that it receives")
			} else if signals.All || len(signals.Push) > 0 {
				return trust.Errorf(trust.Invalid, "--signals-all and --push say more of --signals, which is not given")
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error { return n.AddOAuthClient(ctx, d) })
		},
	}
	c.Flags().StringVar(&whose, "participant", "", "whose it is: this participant, or a confirmed partner")
	c.Flags().StringArrayVar(&services, "service", nil, "the name of a service it may ask credentials for; may be repeated")
	c.Flags().BoolVar(&receives, "signals", false, "it may have streams of signals")
	c.Flags().BoolVar(&signals.All, "signals-all", false, "about everybody this organisation answers for")
	c.Flags().StringArrayVar(&signals.Push, "push", nil, "an https address that its streams may push to; may be repeated")
	_ = c.MarkFlagRequired("participant") // fails only for a flag that is not there
	m.flags(c)
	return c
}

func (a *app) clientKeys() *cobra.Command {
	var m means
	c := &cobra.Command{
		Use: "keys ID", Short: "Give a client other keys, in place of those it has",
		Long: `Give a client other keys, certificates or another SPIFFE ID, in place of what it has,
which counts no more from the next request on. For a change without a gap name the
old key beside the new one first, and leave it out later.`,
		Example: "  entente client keys ward-app --jwks ward-app.jwks",
		Args:    args("ID"),
		RunE: func(c *cobra.Command, args []string) error {
			read, err := a.means(&m)
			if err != nil {
				return err
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error { return n.RenewOAuthClient(ctx, args[0], read) })
		},
	}
	m.flags(c)
	return c
}

func (a *app) clientList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the clients", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.OAuthClients(ctx)
				if err != nil {
					return err
				}
				return a.show(clientView(list, list.Items...))
			})
		},
	}
}

func (a *app) clientShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a client", Args: args("ID"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				found, err := n.OAuthClient(ctx, args[0])
				if err != nil {
					return err
				}
				return a.show(clientView(found, found))
			})
		},
	}
}

// clientView shows clients; by what each proves itself, wide alone.
func clientView(data any, clients ...admin.OAuthClient) view {
	v := view{data: data, columns: []string{"ID", "STAGE", "PARTICIPANT", "SERVICES", "METHOD", "SIGNALS", "BY"}, narrow: 5}
	for _, c := range clients {
		stage, by := "active", append([]string{}, c.Certificates...)
		if c.Ended {
			stage = "ended"
		}
		for _, key := range c.Keys.Keys() {
			by = append(by, key.KeyID())
		}
		if c.SPIFFEID != "" {
			by = append(by, c.SPIFFEID)
		}
		v.names = append(v.names, c.ID)
		v.rows = append(v.rows, []string{c.ID, stage, c.Participant.String(), strings.Join(c.Services, ", "), string(c.Method), signalsOf(c), strings.Join(by, ", ")})
	}
	return v
}

// signalsOf says about whom a client may hear signals.
func signalsOf(c admin.OAuthClient) string {
	switch {
	case c.Signals == nil:
		return ""
	case c.Signals.All:
		return "all"
	default:
		return "named"
	}
}
