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

func main() {
	quick := flag.Bool("short", false, "measure less")
	gate := flag.Bool("gate", false, "end with 1 when a ratio is below its bar")
	dir := flag.String("dir", "", "where to write; a directory for temporary files if empty")
	profile := flag.String("profile", "", "a file for a CPU profile of the decisions inside this process")
	serve := flag.String("serve", "", "be a server under load: floor or decisions (used by bench itself)")
	denied := flag.Bool("denials", false, "time denials and nothing else")
	removed := flag.Bool("removals", false, "time removals and nothing else")
	bulk := flag.Bool("bulk", false, "time a bulk revocation and nothing else")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, options{*serve, *dir, *profile, *denied, *removed, *bulk, *quick, *gate}); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	serve, dir, profile string
	denials, removals   bool
	bulk                bool
	short, gate         bool
}

func run(ctx context.Context, o options) error {
	if o.serve != "" {
		return child(ctx, o.serve, o.dir)
	}
	dir, err := os.MkdirTemp(o.dir, "entente-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	n := full
	if o.short {
		n = short
	}
	var r report
	if o.denials {
		err := measureDenials(ctx, dir, &r)
		r.printDenials(os.Stderr)
		return err
	}
	if o.removals {
		err := measureRemoval(ctx, dir, n, &r)
		r.printRemovals(os.Stderr)
		return err
	}
	if o.bulk {
		err := measureBulk(ctx, dir, &r)
		r.printBulk(os.Stderr)
		return err
	}
	for _, part := range []func() error{
		func() error { return measureHTTP(ctx, dir, n, &r) },
		func() error { return measureDenials(ctx, dir, &r) },
		func() error { return profiled(o.profile, func() error { return measureDecisions(ctx, dir, n, &r) }) },
		func() error { return measureLog(ctx, dir, n, &r) },
		func() error { return measureGrowth(ctx, dir, n, &r) },
		func() error { return measureRemoval(ctx, dir, n, &r) },
		func() error { return measureBulk(ctx, dir, &r) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	r.print(os.Stderr)
	line, err := json.Marshal(r.results())
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	switch short := r.short(); {
	case !o.gate:
	case r.void != "":
		return fmt.Errorf("the run is void: %s", r.void)
	case len(short) > 0:
		return fmt.Errorf("below the bar: %s", short)
	}
	return nil
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
