package cli

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/internal/config"
	"github.com/entente-id/entente/internal/serve"
	"github.com/entente-id/entente/trust"
)

func (a *app) serveCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "serve", Short: "Run a node until it is told to stop",
		Long:    "Run a node until it gets SIGTERM or SIGINT. What it has acknowledged by then is durable. The log goes to standard error.",
		Example: "  entente serve -c /etc/entente/node.yaml",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := config.Load(file)
			if err != nil {
				return err
			}
			var level slog.Level
			if err := level.UnmarshalText([]byte(settings.Log.Level)); err != nil {
				return trust.Errorf(trust.Invalid, "log level %q is not debug, info, warn or error", settings.Log.Level)
			}
			return a.Serve(c.Context(), file, thisBuild().Version, serve.NewLogger(a.Err, level, settings.Log.Format))
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "node.yaml", "the node's configuration `file`")
	return c
}
