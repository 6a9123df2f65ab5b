package records

import (
	"fmt"
	"net/http"
	"time"
)

// LiveEnd is the last event of a live stream whose session is not permitted any
// more.
const LiveEnd = "ended"

const pulseEvery = 50 * time.Millisecond

// live streams made-up vital signs as server-sent events for as long as the node
// permits the session, and says at the end that it does not any more.
func live(w http.ResponseWriter, r *http.Request) {
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
		case <-r.Context().Done():
			_, _ = fmt.Fprintf(w, "event: %s\ndata: {}\n\n", LiveEnd) // the caller may have gone
			return
		}
	}
}
