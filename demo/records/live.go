package records

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// LiveEnd is the last event of a live stream whose session is not permitted any
// more.
const LiveEnd = "ended"

const pulseEvery = 50 * time.Millisecond

var errRefused = errors.New("the request was refused")

// Run listens to what the node says about open sessions, until ctx ends. Without
// it no live stream is let in.
func (s *Service) Run(ctx context.Context) { s.sessions.Run(ctx) }

// live streams made-up vital signs as server-sent events for as long as the node
// permits the session, and says at the end that it does not any more. Refusals
// are those of a record.
func (s *Service) live(w http.ResponseWriter, r *http.Request) {
	session, release, err := s.sessions.Open(r.Context(), func(ctx context.Context) (string, error) {
		reference, ok := s.permitted(ctx, w, r, true)
		if !ok {
			return "", errRefused
		}
		return reference, nil
	})
	if err != nil {
		if !errors.Is(err, errRefused) {
			write(w, http.StatusServiceUnavailable, denial{Error: "access cannot be decided now"})
		}
		return
	}
	defer release()
	w.Header().Set("Content-Type", "text/event-stream")
	control, tick := http.NewResponseController(w), time.NewTicker(pulseEvery)
	defer tick.Stop()
	for beat := 0; ; beat++ {
		_, err := fmt.Fprintf(w, "event: pulse\ndata: %d\n\n", 70+beat%5)
		if err != nil || control.Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-session.Done():
			_, _ = fmt.Fprintf(w, "event: %s\ndata: {}\n\n", LiveEnd) // the caller may have gone
			return
		}
	}
}
