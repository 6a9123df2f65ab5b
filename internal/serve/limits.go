package serve

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/entente-id/entente/api/admin"
)

// Limits bound what one connection may cost. Every server here has all of them.
type Limits struct {
	ReadHeader time.Duration // from the first byte of a request to the end of its header; also bounds a TLS handshake
	Read       time.Duration // to the end of the body
	Write      time.Duration // from the end of the header to the end of the answer
	Idle       time.Duration // between two requests
	Header     int           // bytes of a request's header
	Body       int64         // bytes of a request's body
}

// DefaultLimits are the limits of every listener unless its plane says otherwise.
func DefaultLimits() Limits {
	return Limits{
		ReadHeader: 5 * time.Second, Read: 15 * time.Second, Write: 30 * time.Second, Idle: 2 * time.Minute,
		Header: 16 << 10, Body: 1 << 20,
	}
}

// AdminLimits are those of the admin plane, where one request may name everybody
// who leaves.
func AdminLimits() Limits {
	l := DefaultLimits()
	l.Body = admin.MaxLeavers
	return l
}

// NewServer makes a server of a handler under limits. A body past its limit
// fails with *http.MaxBytesError where the handler reads it. What net/http has
// to say about single connections goes to the log at debug level: it is the
// peer's doing and would let it fill our log.
func NewServer(h http.Handler, l Limits, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           http.MaxBytesHandler(h, l.Body),
		ReadHeaderTimeout: l.ReadHeader,
		ReadTimeout:       l.Read,
		WriteTimeout:      l.Write,
		IdleTimeout:       l.Idle,
		MaxHeaderBytes:    l.Header,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
