package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/demo"
)

func (a *app) demoCommand() *cobra.Command {
	var d demo.Config
	c := &cobra.Command{
		Use: "demo", Short: "Play three hospitals on this machine",
		Long: `Start three hospital trusts on loopback, each with its own node process, identity
provider and patient-record service; sign a framework and agreements; read
records; revoke; and show the reason and the time of every step.`,
		Example: "  entente demo\n  entente demo --keep\n  entente demo --json",
		Args:    args(),
		RunE: func(c *cobra.Command, _ []string) error {
			if d.JSON {
				a.output = "json"
			}
			d.JSON = a.output == "json"
			d.Out, d.Progress = a.Out, a.Err
			passed, err := a.Demo(c.Context(), d)
			if err == nil && !passed {
				err = failed{exitError, errors.New("a step of the demo did not go as expected")}
			}
			return err
		},
	}
	c.Flags().BoolVar(&d.Keep, "keep", false, "leave everything running until interrupted")
	c.Flags().BoolVar(&d.JSON, "json", false, "print one JSON object, as -o json does")
	return c
}
