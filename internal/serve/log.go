package serve

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"golang.org/x/term"
)

// withheld stands in the log where a value might have been personal or secret.
const withheld = "[withheld]"

// NewLogger writes to out, as text or as JSON; an empty format is text on a
// terminal and JSON elsewhere. Only attributes whose names are listed here, with
// values of plain types, are written with their values: a log is read by more
// people than the ledger, so a new name has to be thought about once.
func NewLogger(out io.Writer, level slog.Level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: allow}
	if format == "text" || format == "" && isTerminal(out) {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// allowed are the names of attributes that hold neither secrets nor people.
func allowed() []string {
	return []string{
		slog.TimeKey, slog.LevelKey, slog.MessageKey,
		"address", "age", "agreement", "bytes", "check", "count", "drain", "entity", "epoch", "error", "fingerprint",
		"framework", "issuer", "kind", "lane", "listener", "log", "mapping", "n", "participant", "partner", "partners",
		"plane", "position", "reason", "service", "signal", "status", "took", "version",
	}
}

var allowedNames = allowed()

func allow(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && slices.Contains(allowedNames, a.Key) && plain(a.Value) {
		return a
	}
	return slog.String(a.Key, withheld)
}

// plain reports whether a value is one word, number or sentence and not a
// structure that may hold anything.
func plain(v slog.Value) bool {
	if v.Kind() != slog.KindAny {
		return v.Kind() != slog.KindGroup
	}
	switch v.Any().(type) {
	case error, fmt.Stringer, time.Time, *slog.Source, slog.Level:
		return true
	default:
		return false
	}
}
