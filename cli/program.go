package cli

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/demo"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Program is what the command line stands on. All fields are required.
type Program struct {
	In       io.Reader
	Out, Err io.Writer
	Env      func(string) string
	Now      func() time.Time
	Rand     io.Reader // cryptographic

	// Serve runs the node that a configuration file describes until ctx ends.
	Serve func(ctx context.Context, config, version string, log *slog.Logger) error
	// Create begins the ledger of the node that a configuration file describes.
	Create func(ctx context.Context, config string, b node.Birth) error
	// Recover opens an epoch behind a loss, on the ledger of the node that a
	// configuration file describes, after the copy in from was put in its place.
	Recover func(ctx context.Context, config, from string, epoch uint32, reason string) (node.Reopening, error)
	// Demo plays the demonstration and tells whether no step failed.
	Demo func(ctx context.Context, c demo.Config) (passed bool, err error)
}

// app is one run of the program and the flags that every command has.
type app struct {
	Program
	output   string
	operator string
	socket   string
	timeout  time.Duration
	key      string
	noInput  bool
	parsed   bool // the command line was understood; what fails now is no usage error
}

// Run runs one command line, without the program's name, and gives the exit code.
func (p Program) Run(ctx context.Context, args []string) int {
	a := &app{Program: p}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(p.In)
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	err := root.ExecuteContext(ctx)
	if err != nil && !a.parsed {
		err = trust.Errorf(trust.Invalid, "%s", usage(err))
	}
	if err != nil {
		a.report(err)
	}
	return exitCode(err)
}

func (a *app) root() *cobra.Command {
	root := a.group("entente", "Trust between organisations, without a centre",
		a.initCommand(), a.serveCommand(), a.statusCommand(), a.clockCommand(), a.frameworkCommand(), a.participantCommand(),
		a.agreementCommand(), a.mappingCommand(), a.policyCommand(), a.serviceCommand(), a.clientCommand(), a.enforcementPointCommand(), a.exceptionCommand(), a.signalCommand(),
		a.operatorCommand(), a.engagementCommand(), a.explainCommand(), a.counterCommand(), a.findingCommand(), a.reconcileCommand(), a.keyCommand(), a.revokeCommand(), a.suspendCommand(),
		a.reduceCommand(), a.resumeCommand(), a.suspensionCommand(), a.noticeCommand(), a.disputeCommand(), a.drillCommand(),
		a.reachCommand(), a.unwindCommand(), a.sessionCommand(), a.leakCommand(),
		a.ruleCommand(), a.incidentCommand(), a.approvalCommand(), a.breakglassCommand(),
		a.eraseCommand(), a.holdCommand(),
		a.reviewCommand(),
		a.identityCommand(),
		a.ledgerCommand(), a.backupCommand(), a.recoverCommand(), a.recoveryCommand(), a.epochCommand(), a.evidenceCommand(), a.delegationCommand(), a.demoCommand(), a.versionCommand())
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if err := c.ValidateRequiredFlags(); err != nil {
			return err // otherwise it is looked at only after this
		}
		a.parsed = true
		return a.checkOutput()
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.output, "output", "o", "table", "how data is shown: table, wide, json, yaml or name")
	f.StringVar(&a.operator, "operator", "", "who asks: a context `file` as init writes it (default $XDG_CONFIG_HOME/entente/operator.json)")
	f.StringVar(&a.socket, "socket", "", "the node's admin socket, instead of the one in the context file")
	f.DurationVar(&a.timeout, "timeout", 30*time.Second, "how long to wait for the node")
	f.StringVar(&a.key, "idempotency-key", "", "a `word` that names this command: run again with it, it is answered as before and not carried out again")
	f.BoolVar(&a.noInput, "no-input", false, "never ask; fail where an answer would be needed")
	return root
}

// group is a command that only holds others.
func (a *app) group(use, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs}
	c.AddCommand(children...)
	var names []string
	for _, child := range children {
		names = append(names, child.Name())
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return trust.Errorf(trust.Invalid, "%s has no command %q; it has %s", c.CommandPath(), args[0], strings.Join(names, ", "))
		}
		return c.Help()
	}
	return c
}

// args refuses any other number of arguments than names.
func args(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		if len(given) != len(names) {
			return trust.Errorf(trust.Invalid, "%s takes %s; %d arguments were given",
				c.CommandPath(), orNothing(strings.Join(names, " ")), len(given))
		}
		return nil
	}
}

func orNothing(s string) string {
	if s == "" {
		return "no arguments"
	}
	return s
}

// usage puts an error of the command line's parser into one line.
func usage(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	if strings.HasPrefix(first, "unknown shorthand flag") {
		first += "; an argument that begins with - stands behind --" // one key identifier in 64 does
	}
	return first + "; --help tells more"
}
