// Command bench measures what Entente costs beside the bare operations it is
// made of. It decides how operations are counted, timed and compared, and
// refuses to know a wall clock where CPU time will do: only ratios inside one
// run carry over to another machine.
//
// Lines for people go to standard error; the last thing on standard output is
// one line of JSON. A void run, on a machine too busy to be measured, says so
// there. With -gate it ends with 1, and so does a ratio below its bar.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime/pprof"
)

// size is how much is measured.
type size struct {
	Rounds    int // of each kind, taken in turn
	Callers   int
	Verifies  int // bare verifications a round
	Cold      int // decisions on new tokens a round
	Warm      int
	Exchanges int                   // of tokens seen before, a round
	Requests  int                   // over HTTP a round
	Appends   int                   // to the ledger, and to the raw file, a round
	Removals  [len(subscribers)]int // a round, by subscribers
	Tail      int                   // appends measured on a log of 1,000 and on one of 1,000,000 entries
}

var (
	full  = size{Rounds: 5, Callers: 256, Verifies: 3_000, Cold: 2_000, Warm: 100_000, Exchanges: 10_000, Requests: 40_000, Appends: 200_000, Removals: [...]int{1_000, 1_000, 1_000}, Tail: 20_000}
	short = size{Rounds: 3, Callers: 256, Verifies: 1_000, Cold: 2_000, Warm: 30_000, Exchanges: 5_000, Requests: 15_000, Appends: 50_000, Removals: [...]int{200, 100, 20}, Tail: 10_000}
)

// parts are measured one after another, each in a process of its own: none pays
// for the heap, the timers and the nodes that another has left behind.
var parts = []struct {
	name    string
	measure func(ctx context.Context, dir string, n size, r *report) error
}{
	{"http", measureHTTP},
	{"denials", measureDenials},
	{"decisions", measureDecisions},
	{"log", measureLog},
	{"growth", measureGrowth},
	{"removals", measureRemoval},
	{"bulk", measureBulk},
}

func main() {
	quick := flag.Bool("short", false, "measure less")
	gate := flag.Bool("gate", false, "end with 1 when a ratio is below its bar")
	dir := flag.String("dir", "", "where to write; a directory for temporary files if empty")
	part := flag.String("part", "", "measure nothing else, in this process: http, denials, decisions, log, growth, removals or bulk; the line of JSON is then every round")
	profile := flag.String("profile", "", "with -part, a file for its CPU profile")
	serve := flag.String("serve", "", "be a server under load: floor or decisions (used by bench itself)")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, options{*serve, *dir, *part, *profile, *quick, *gate}); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	serve, dir    string
	part, profile string
	short, gate   bool
}

func run(ctx context.Context, o options) error {
	if o.serve != "" {
		return child(ctx, o.serve, o.dir)
	}
	if o.profile != "" && o.part == "" {
		return fmt.Errorf("-profile is of one process; name its -part")
	}
	dir, err := os.MkdirTemp(o.dir, "entente-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.part != "" {
		return o.measure(ctx, dir)
	}
	var r report
	for _, p := range parts {
		if err := apart(ctx, p.name, dir, o.short, &r); err != nil {
			return err
		}
	}
	r.print(os.Stderr)
	if err := json.NewEncoder(os.Stdout).Encode(r.results()); err != nil {
		return err
	}
	switch short := r.short(); {
	case !o.gate:
	case r.Void != "":
		return fmt.Errorf("the run is void: %s", r.Void)
	case len(short) > 0:
		return fmt.Errorf("below the bar: %s", short)
	}
	return nil
}

// measure does one part in this process and writes what it took.
func (o options) measure(ctx context.Context, dir string) error {
	n := full
	if o.short {
		n = short
	}
	for _, p := range parts {
		if p.name != o.part {
			continue
		}
		var r report
		if err := profiled(o.profile, func() error { return p.measure(ctx, dir, n, &r) }); err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	return fmt.Errorf("there is no part named %q", o.part)
}

// apart does one part in a process of its own and adds what it took to r.
func apart(ctx context.Context, name, dir string, short bool, r *report) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "-part", name, "-dir", dir, fmt.Sprintf("-short=%t", short))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it removes what it has written
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("measuring %s: %w", name, err)
	}
	return json.Unmarshal(out, r)
}

// profiled does part and writes its CPU profile to path, if there is one.
func profiled(path string, part func() error) error {
	if path == "" {
		return part()
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	err = part()
	pprof.StopCPUProfile()
	return first(err, file.Close())
}
