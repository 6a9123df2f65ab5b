package demo_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/demo"
)

// steps is how many each scenario has.
var steps = map[int]int{1: 19, 2: 18, 3: 15, 4: 12, 5: 18, 6: 19, 7: 16, 8: 11, 9: 10, 10: 21, 11: 8}

// built is the real program, made once for all tests.
var built struct {
	once sync.Once
	path string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.path != "" {
		_ = os.RemoveAll(filepath.Dir(built.path)) // the system clears what is left
	}
	os.Exit(code)
}

func program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		dir, err := os.MkdirTemp("", "entente-program-")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "entente")
		build := exec.Command("go", "build", "-o", built.path, "github.com/entente-id/entente/cmd/entente")
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as the Makefile builds it
		if said, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, said)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// room is a directory whose path is short enough for sockets.
func room(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "demo-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// endpoints are where the nodes below a directory listen, running or not.
func endpoints(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "node.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if m := listens.FindSubmatch(text); m != nil {
			found = append(found, string(m[1]))
		}
	}
	return found
}

var listens = regexp.MustCompile(`partners: \{listen: "([^"]+)"`)

// running counts the endpoints that somebody listens on.
func running(endpoints []string) (n int) {
	for _, e := range endpoints {
		if c, err := net.Dial("tcp", e); err == nil {
			_ = c.Close()
			n++
		}
	}
	return n
}

// begin runs the demo in a room.
func begin(t *testing.T, dir string, args ...string) (*exec.Cmd, *jsontext.Decoder, *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute) // it takes a minute on an idle machine
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, program(t), append([]string{"demo"}, args...)...)
	c.Env = append(os.Environ(), "TMPDIR="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := &bytes.Buffer{}
	c.Stderr = said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, jsontext.NewDecoder(out), said
}

func TestDemo(t *testing.T) {
	dir := room(t)
	c, out, said := begin(t, dir, "--json", "--keep")
	var r demo.Report
	if err := json.UnmarshalDecode(out, &r, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("reading the report: %v\n%s", err, said)
	}
	nodes := endpoints(t, dir)
	if kept := running(nodes); kept != 3 {
		t.Errorf("%d nodes run after the last step, want 3", kept)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if more, err := out.ReadToken(); err == nil {
		t.Errorf("standard output has more than one object: %s", more)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("demo ends with %v\n%s", err, said)
	}
	if left := running(nodes); left > 0 {
		t.Errorf("%d nodes outlive the demo", left)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the demo leaves %v, %v", left, err)
	}
	checkSteps(t, r)
	checkSummary(t, r)
}

func checkSteps(t *testing.T, r demo.Report) {
	t.Helper()
	if len(r.Scenarios) != len(steps) {
		t.Fatalf("%d scenarios, want %d", len(r.Scenarios), len(steps))
	}
	for _, scenario := range r.Scenarios {
		if len(scenario.Steps) != steps[scenario.ID] {
			t.Errorf("scenario %d has %d steps, want %d", scenario.ID, len(scenario.Steps), steps[scenario.ID])
		}
		for i, s := range scenario.Steps {
			if s.ID != fmt.Sprintf("%d.%d", scenario.ID, i+1) || s.Name == "" || s.State != demo.Passed || s.Got != s.Expected {
				t.Errorf("step %d of scenario %d is %+v", i+1, scenario.ID, s)
			}
		}
		if !scenario.Passed {
			t.Errorf("scenario %d is not passed", scenario.ID)
		}
	}
}

func checkSummary(t *testing.T, r demo.Report) {
	t.Helper()
	if m := r.Revocation; m.N != 100 || m.P50 <= 0 || m.P99 < m.P50 {
		t.Errorf("revocation is %+v, want 100 drills", m)
	}
	if m := r.Offboarded; m.N != 21 || m.P50 <= 0 || m.P99 < m.P50 {
		t.Errorf("offboarding is %+v, want 21 runs", m)
	}
	if len(r.Links) != 2 || r.Links[0].N != 100 || r.Links[0].P99 != r.Revocation.P99 || r.Links[1].Verdict != "kept" || r.Links[1].Limit != 5000 {
		t.Errorf("the links are %+v", r.Links)
	}
	if len(r.Ledgers) != 3 || !r.Passed {
		t.Errorf("%d ledgers, passed %t", len(r.Ledgers), r.Passed)
	}
	for _, l := range r.Ledgers {
		if !l.Verified || l.Trust == 0 || l.Root == "" {
			t.Errorf("ledger %+v", l)
		}
	}
}

func TestInterruptedWhileItPlays(t *testing.T) { endsWith(t, syscall.SIGINT) }

// endsWith ends a demo by a signal while it plays: its nodes end too.
func endsWith(t *testing.T, signal syscall.Signal) {
	t.Helper()
	dir := room(t)
	c, _, _ := begin(t, dir)
	await(t, "three nodes", func() bool { return running(endpoints(t, dir)) == 3 })
	nodes := endpoints(t, dir)
	if err := c.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil {
		t.Errorf("a demo that was ended by %s exits with 0", signal)
	}
	await(t, "the nodes' end", func() bool { return running(nodes) == 0 })
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// A demo whose nodes cannot be made fails, says so and leaves nothing running.
func TestAStepThatFails(t *testing.T) {
	for _, asJSON := range []bool{true, false} {
		var out bytes.Buffer
		dir := room(t)
		passed, err := demo.Run(t.Context(), demo.Config{Executable: "/bin/false", Dir: dir, JSON: asJSON, Out: &out, Progress: &out})
		if passed || err != nil {
			t.Errorf("passed %t, %v", passed, err)
		}
		if !asJSON {
			if text := out.String(); !strings.Contains(text, "NO 1.1") || !strings.Contains(text, "Not everything") || strings.Contains(text, "\x1b") {
				t.Errorf("told:\n%s", text)
			}
			continue
		}
		var r demo.Report
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Passed || len(r.Scenarios) != 1 || len(r.Scenarios[0].Steps) != 1 || r.Scenarios[0].Steps[0].State != demo.Failed {
			t.Errorf("report is %+v", r)
		}
	}
}
