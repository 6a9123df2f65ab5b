package node

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// How long before the end of something a person is told, and told urgently.
const (
	keySoon, keyUrgent             = 30 * 86400, 7 * 86400
	frameworkSoon, frameworkUrgent = 30 * 86400, 7 * 86400
	// A statement is renewed when a quarter of its life is over.
	statementSoon, statementUrgent = 12 * 3600, 6 * 3600

	lookAgain = 10 * time.Minute
	tellAgain = 24 * time.Hour
)

// Warning is something of this node's own that ends soon, or has ended.
type Warning struct {
	Of     string        `json:"of"` // "log key", "statement", "framework"
	Ends   trust.Instant `json:"ends"`
	Urgent bool          `json:"urgent,omitzero"`
	Text   string        `json:"text"` // what to do
}

// Warnings tells what of this node's own ends soon: its keys without another that
// follows, its statement, the framework.
func (n *Node) Warnings() []Warning {
	s, now := n.State(), n.Now()
	var all []Warning
	warn := func(of string, ends, soon, urgent int64, remedy string) {
		if ends-now > soon {
			return
		}
		verb := "ends"
		if ends <= now {
			verb = "ended"
		}
		text := fmt.Sprintf("the %s %s at %s, and nothing follows it: %s", of, verb, trust.Instant(ends), remedy)
		all = append(all, Warning{of, trust.Instant(ends), ends-now <= urgent, text})
	}
	card := s.Participant.Self().Card
	for _, use := range participant.KeyUses() {
		warn(string(use)+" key", card.Until(use, now), keySoon, keyUrgent, "entente key rotate makes the next")
	}
	if w := n.views.dates(n.self); w.statementEnds != 0 {
		warn("statement", w.statementEnds, statementSoon, statementUrgent, "the node's log says why it was not renewed")
	}
	if f := s.Framework.Current; f != nil {
		warn("framework", int64(f.Document.Expires), frameworkSoon, frameworkUrgent, "its founders sign the next")
	}
	return all
}

// KeysEnd gives the time until the first use has no key of this node any more;
// it is negative since then.
func (n *Node) KeysEnd() time.Duration {
	card, now := n.State().Participant.Self().Card, n.Now()
	end := int64(math.MaxInt64)
	for _, use := range participant.KeyUses() {
		end = min(end, card.Until(use, now))
	}
	return time.Duration(end-now) * time.Second
}

// keepWarning writes warnings to the log: each when it comes up or becomes
// urgent, and once a day.
func (n *Node) keepWarning(ctx context.Context) {
	told := map[string]clock.Mark{}
	for ctx.Err() == nil {
		for _, w := range n.Warnings() {
			key := fmt.Sprint(w.Of, w.Ends, w.Urgent)
			if at, ok := told[key]; ok && n.Clock.Since(at) < tellAgain {
				continue
			}
			told[key] = n.Clock.Mark()
			if w.Urgent {
				n.Log.Error("something of this node's own ends", "of", w.Of, "ends", w.Ends.String(), "text", w.Text)
			} else {
				n.Log.Warn("something of this node's own ends", "of", w.Of, "ends", w.Ends.String(), "text", w.Text)
			}
		}
		wait(ctx, nil, lookAgain)
	}
}
