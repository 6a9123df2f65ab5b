package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/signal"
)

func (a *app) signalCommand() *cobra.Command {
	return a.group("signal", "Signals that are heard from foreign transmitters, and sent to receivers (Shared Signals)", a.streamCommand(),
		a.group("transmitter", "The transmitters that are heard", a.transmitterAdd(), a.transmitterList(),
			a.act("verify NAME", "NAME", "Ask a transmitter for a verification event now", (*admin.Client).VerifyTransmitter),
			a.act("remove NAME", "NAME", "Hear a transmitter no longer; what its signals did stays", (*admin.Client).RemoveTransmitter)))
}

func (a *app) transmitterAdd() *cobra.Command {
	var file, tokenFile, discover string
	c := &cobra.Command{
		Use: "add", Short: "Hear a transmitter, and print the secret that it pushes with, once",
		Long: `Hear a transmitter of signals about the people of one issuer, by a document as in
docs/signals.md. The node makes the secret, 256 bits; the transmitter sends it as
a bearer token to /signals/NAME. It is printed here and never again.

With --discover the node reads the transmitter's configuration, opens the stream
there, pushed where the transmitter offers that, and tells it the secret itself:
the document says the name, the issuer and what is ours. Printed is the stream.`,
		Example: `  entente signal transmitter add -f keycloak.yaml > keycloak.secret
  entente signal transmitter add -f keycloak.yaml --discover https://idp.rxw.example --token-file token`,
		Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			var d signal.Document
			if err := a.document(file, "Transmitter", &d); err != nil {
				return err
			}
			t := admin.NewTransmitter{Document: d, Discover: discover}
			if tokenFile != "" {
				token, err := a.read(tokenFile)
				if err != nil {
					return err
				}
				t.Token = strings.TrimSpace(string(token))
			}
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				added, err := n.AddTransmitter(ctx, t)
				if err != nil {
					return err
				}
				return a.show(view{data: added, names: []string{added.Name}, text: cmp.Or(added.Secret, added.StreamID) + "\n"})
			})
		},
	}
	fileFlag(c, &file, "the transmitter document")
	c.Flags().StringVar(&discover, "discover", "", "the issuer `URL` of a transmitter, where the node is to open the stream by itself")
	c.Flags().StringVar(&tokenFile, "token-file", "", "a file with the bearer token that the transmitter wants to be asked with")
	return c
}

func (a *app) transmitterList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the transmitters that are heard", Args: args(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withNode(c.Context(), func(ctx context.Context, n *admin.Client) error {
				list, err := n.Transmitters(ctx)
				if err != nil {
					return err
				}
				v := view{data: list, columns: []string{"NAME", "ISSUER", "DELIVERY", "STREAM", "HEARD"}}
				for _, t := range list.Items {
					v.names = append(v.names, t.Name)
					v.rows = append(v.rows, []string{t.Name, t.Issuer.String(), string(t.Delivery), t.StreamID, age(t.Age)})
				}
				return a.show(v)
			})
		},
	}
}

// age tells how long ago a transmitter proved that it is heard.
func age(seconds int64) string {
	switch {
	case seconds < 0:
		return "never"
	case seconds == 0:
		return "no feed"
	default:
		return fmt.Sprintf("%ds ago", seconds)
	}
}
