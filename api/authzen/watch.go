package authzen

import (
	"net/http"
	"time"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

const (
	watchPath    = "/access/v1/watch"
	sessionPath  = "/access/v1/session/{id}"
	usesPath     = sessionPath + "/uses"
	streamType   = "text/event-stream"
	maxCursor    = 64 // bytes
	eventTimeout = 10 * time.Second
)

// watch answers with server-sent events (WHATWG HTML, section 9.2) for as long
// as the enforcement point listens: which of the permits that it asked for with
// context.session have ended. It goes on after Last-Event-ID. A client to whom
// an event cannot be written for ten seconds is cut off.
func (h handler) watch(w http.ResponseWriter, r *http.Request) error {
	name, ok := h.authenticate(r)
	if !ok {
		return trust.Errorf(wire.Unauthenticated, "the request carries no credential of an enforcement point")
	}
	cursor := r.Header.Get("Last-Event-ID")
	if len(cursor) > maxCursor {
		return trust.Errorf(trust.Invalid, "Last-Event-ID has %d bytes; a cursor of this stream has at most %d", len(cursor), maxCursor)
	}
	control := http.NewResponseController(w)
	begun := false
	err := h.node.Watch(r.Context(), name, cursor, func(e node.SessionEvent) error {
		if !begun {
			begun = true
			w.Header().Set("Content-Type", streamType)
			w.Header().Set("Cache-Control", "no-store")
		}
		if err := control.SetWriteDeadline(time.Now().Add(eventTimeout)); err != nil {
			return err
		}
		if _, err := w.Write(appendEvent(nil, e)); err != nil {
			return err
		}
		return control.Flush()
	})
	if begun {
		return nil // the stream has ended; there is nobody to tell why
	}
	return err
}

// appendEvent renders an event; its data are one line of JSON.
func appendEvent(b []byte, e node.SessionEvent) []byte {
	b = append(b, "id: "...)
	b = append(b, e.Cursor...)
	b = append(b, "\nevent: "...)
	b = append(b, e.Kind...)
	b = append(b, "\ndata: {"...)
	if e.Kind == node.SessionEnded {
		if e.Decision != "" {
			b = canonical.AppendString(append(b, `"decision":`...), e.Decision)
			b = append(b, ',')
		}
		b = canonical.AppendString(append(b, `"id":`...), e.Reference)
		b = canonical.AppendString(append(b, `,"reason":`...), string(e.Reason))
	}
	return append(b, "}\n\n"...)
}

// release ends a session that the enforcement point has closed itself.
func (h handler) release(w http.ResponseWriter, r *http.Request) error {
	name, ok := h.authenticate(r)
	if !ok {
		return trust.Errorf(wire.Unauthenticated, "the request carries no credential of an enforcement point")
	}
	if err := h.node.Release(name, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// reused records what the enforcement point answered by a session's permit without
// asking again: {"uses": [instants in Unix seconds]}.
func (h handler) reused(w http.ResponseWriter, r *http.Request) error {
	name, ok := h.authenticate(r)
	if !ok {
		return trust.Errorf(wire.Unauthenticated, "the request carries no credential of an enforcement point")
	}
	data, err := wire.Body(w, r, wire.JSON, maxBody)
	if err != nil {
		return err
	}
	var report struct {
		Uses []int64 `json:"uses"`
	}
	if err := canonical.Decode(data, &report); err != nil {
		return err
	}
	if err := h.node.Reused(r.Context(), name, r.PathValue("id"), report.Uses); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
