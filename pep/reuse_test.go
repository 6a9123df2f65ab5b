package pep_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/pep"
)

// reusing is a node whose stream is live and whose next permit is id, to be relied
// on for ttl seconds.
func reusing(t *testing.T, id string, ttl int) (*fake, *pep.Node) {
	t.Helper()
	f := newFake(t)
	f.next, f.ttl = id, ttl
	n := run(t, f, time.Minute)
	f.say("r-0", "alive", "{}")
	eventually(t, "the stream", n.Live)
	return f, n
}

func (f *fake) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.questions)
}

func ask(t *testing.T, n *pep.Node, q pep.Question) pep.Answer {
	t.Helper()
	answer, err := n.AskOrReuse(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// The identical question is answered again without asking, and each such use is
// reported; any other is asked.
func TestReuse(t *testing.T) {
	f, n := reusing(t, "one", 3600)
	q := pep.Question{Action: "read", Resource: "42", Evidence: []pep.Evidence{{Type: pep.AccessToken, Value: "ey"}}}
	for range 3 {
		if a := ask(t, n, q); !a.Permit || a.Reference != "one" {
			t.Fatalf("answered %+v", a)
		}
	}
	if f.asked() != 1 || !strings.Contains(f.questions[0], `"session":true`) {
		t.Errorf("asked %v", f.questions)
	}
	for _, other := range []pep.Question{
		{Action: "write", Resource: "42", Evidence: q.Evidence},
		{Action: "read", Resource: "42"},
		{Action: "read", Resource: "42", Evidence: q.Evidence, Properties: map[string]any{"ward": "w7"}},
	} {
		before := f.asked()
		if ask(t, n, other); f.asked() != before+1 {
			t.Errorf("%+v was not asked", other)
		}
	}
	proven := q
	proven.Proof = pep.Proof{DPoP: "p", Method: "GET", URL: "https://x.example"}
	before := f.asked()
	if ask(t, n, proven); ask(t, n, proven).Reference != "one" || f.asked() != before+2 {
		t.Error("a question with a proof of one call was answered by an older one")
	}
	var reported []string
	eventually(t, "the report", func() bool {
		f.set(func() { reported = slices.Clone(f.reported) })
		return reportedUses(reported) >= 2
	})
	if reportedUses(reported) != 2 {
		t.Errorf("reported %v", reported)
	}
}

// reportedUses counts what is reported of session one; a second may lie between
// one use and the next.
func reportedUses(reports []string) (n int) {
	for _, r := range reports {
		if uses, ok := strings.CutPrefix(r, `/access/v1/session/one/uses {"uses":[`); ok {
			n += strings.Count(uses, ",") + 1
		}
	}
	return n
}

// What a permit rests on is gone, or nobody vouches for it: it is asked again.
func TestReuseEnds(t *testing.T) {
	for name, c := range map[string]struct {
		ttl  int
		then func(*fake)
	}{
		"its end is told":          {3600, func(f *fake) { f.say("r-1", "ended", `{"id":"one","reason":"revocation.subject"}`) }},
		"ends may be missed":       {3600, func(f *fake) { f.say("r-1", "reset", "{}") }},
		"nothing may be relied on": {0, func(*fake) {}},
	} {
		t.Run(name, func(t *testing.T) {
			f, n := reusing(t, "one", c.ttl)
			if !ask(t, n, pep.Question{}).Permit {
				t.Fatal("denied")
			}
			c.then(f)
			f.set(func() { f.next = "" })
			eventually(t, "a denial", func() bool { return !ask(t, n, pep.Question{}).Permit })
		})
	}
}

// Without a stream every call is asked.
func TestNoReuseWithoutAStream(t *testing.T) {
	f := newFake(t)
	f.next, f.ttl, f.status = "one", 3600, http.StatusServiceUnavailable
	n := run(t, f, time.Minute)
	for range 3 {
		ask(t, n, pep.Question{})
	}
	if f.asked() != 3 || strings.Contains(f.questions[0], "session") {
		t.Errorf("asked %v", f.questions)
	}
}

// What cannot be reported stays owed, over refusals that may pass, and is told at
// the end of Run.
func TestWhatIsOwedIsReported(t *testing.T) {
	f, n := reusing(t, "one", 3600)
	ask(t, n, pep.Question{})
	f.set(func() { f.status = http.StatusServiceUnavailable })
	ask(t, n, pep.Question{})
	reports := func(least int) func() bool {
		return func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return len(f.reported) >= least
		}
	}
	eventually(t, "a report that is refused", reports(1))
	f.set(func() { f.status = http.StatusOK })
	eventually(t, "it to be told again", reports(2))
	f.set(func() {
		if f.reported[0] != f.reported[len(f.reported)-1] {
			t.Errorf("reported %v", f.reported)
		}
	})
}
