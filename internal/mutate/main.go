// Package main takes one check after another out of the code and sees the
// denial corpus fail, or the tests of a room: a check whose loss no case notices is
// not tested. It
// decides what a lost check looks like (the table in this folder names each by
// file, rule and exact source) and refuses to know what the checks are for.
//
// All mutants are built into one test binary of each folder, through the go
// command's overlay of changed files, and a variable of the environment chooses the
// one that lives. So there is one build, and as many runs as there are mutants.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	only := flag.String("only", "", "the mutants whose name matches")
	share := flag.Uint64("of", 1, "one mutant of so many")
	from := flag.Uint64("from", 0, "which of so many: all of them from 0 to one less, and again")
	jobs := flag.Int("j", runtime.GOMAXPROCS(0), "how many run at a time")
	dry := flag.Bool("n", false, "only see that the source has every check of the table")
	flag.Parse()
	err := dryRun()
	if !*dry && err == nil {
		err = run(*only, max(*share, 1), *from, *jobs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

const (
	corpus  = "internal/denial"
	choice  = "ENTENTE_MUTANT"
	perRun  = 2 * time.Minute
	atLeast = 60
)

// living are the tests of the corpus that a mutant has to get past, if it does
// not name its own.
const living = "^Test(Evidence|States|Requests|Messages|Statements|Grants|OwnCredentials)$"

func run(only string, share, from uint64, jobs int) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if len(table) < atLeast {
		return fmt.Errorf("the table has %d mutants; it is to have %d", len(table), atLeast)
	}
	begun := time.Now()
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var chosen []int
	for i, m := range table {
		if match.MatchString(m.name()) && uint64(i)%share == from%share {
			chosen = append(chosen, i)
		}
	}
	overlay, err := overlaid(dir)
	if err != nil {
		return err
	}
	awoken := map[[2]string]bool{}
	for _, i := range chosen {
		folder, tests := table[i].tests()
		if awoken[[2]string{folder, tests}] {
			continue
		}
		awoken[[2]string{folder, tests}] = true
		if err := build(dir, folder, overlay); err != nil {
			return err
		}
		if out, killed := try(dir, folder, tests, -1); killed {
			return fmt.Errorf("%s of %s fails before anything is taken out:\n%s", tests, folder, out)
		}
	}
	survivors := all(dir, chosen, jobs)
	fmt.Printf("%d mutants, %d survived, %s\n", len(chosen), len(survivors), time.Since(begun).Round(time.Second))
	if len(survivors) > 0 {
		return fmt.Errorf("no case of the corpus notices the loss of:\n  %s", strings.Join(survivors, "\n  "))
	}
	return nil
}

// dryRun finds every check of the table in the source.
func dryRun() error {
	_, err := sources()
	return err
}

// all runs the corpus against each mutant and gives those it did not notice.
func all(dir string, chosen []int, jobs int) (survivors []string) {
	var mu sync.Mutex
	var busy sync.WaitGroup
	work := make(chan int)
	for range max(jobs, 1) {
		busy.Go(func() {
			for i := range work {
				folder, tests := table[i].tests()
				out, killed := try(dir, folder, tests, i)
				mu.Lock()
				if killed {
					fmt.Printf("killed    %s\n          by %s\n", table[i].name(), first(out))
				} else {
					fmt.Printf("SURVIVED  %s\n", table[i].name())
					survivors = append(survivors, table[i].name())
				}
				mu.Unlock()
			}
		})
	}
	for _, i := range chosen {
		work <- i
	}
	close(work)
	busy.Wait()
	return survivors
}

// tests are those that have to notice a mutant, and their folder.
func (m mutant) tests() (folder, tests string) { return cmp.Or(m.in, corpus), cmp.Or(m.by, living) }

// overlaid writes every file that has a mutant, with all of them asleep in it, and
// gives the list of them.
func overlaid(dir string) (string, error) {
	files, err := sources()
	if err != nil {
		return "", err
	}
	replaced := map[string]string{}
	for path, text := range files {
		from, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		to := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(to, text, 0o600); err != nil {
			return "", err
		}
		replaced[from] = to
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	return list, nil
}

// binaryOf is where the test binary of a folder is.
func binaryOf(dir, folder string) string {
	return filepath.Join(dir, strings.ReplaceAll(folder, "/", "_")+".test")
}

// build makes the test binary of a folder, unless it is there.
func build(dir, folder, overlay string) error {
	binary := binaryOf(dir, folder)
	if _, err := os.Stat(binary); err == nil {
		return nil
	}
	c := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, "./"+folder)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("the mutants cannot be built: %w\n%s", err, out)
	}
	return nil
}

// try runs tests of a folder with mutant i alive, none for -1.
func try(dir, folder, tests string, i int) (out []byte, killed bool) {
	ctx, cancel := context.WithTimeout(context.Background(), perRun)
	defer cancel()
	c := exec.CommandContext(ctx, binaryOf(dir, folder), "-test.run", tests, "-test.short", "-test.failfast", "-test.timeout", perRun.String())
	c.Dir = folder
	c.Env = append(os.Environ(), choice+"="+strconv.Itoa(i))
	if i >= 0 { // what a mutant keeps from happening is not waited for long
		c.Env = append(c.Env, "NODETEST_PATIENCE=10s")
	}
	out, err := c.CombinedOutput()
	return out, err != nil || errors.Is(ctx.Err(), context.DeadlineExceeded)
}

var failing = regexp.MustCompile(`(?m)^\s+\w+_test\.go:\d+: (.*)$|^panic: (.*)$`)

// first gives the case that noticed.
func first(out []byte) string {
	m := failing.FindSubmatch(out)
	if m == nil {
		return string(bytes.TrimSpace(out[:min(len(out), 200)]))
	}
	line := string(bytes.Join(m[1:], nil))
	return line[:min(len(line), 160)]
}
