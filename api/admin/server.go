package admin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// server lets operators in, has routes serve them, and writes what they answer.
type server struct {
	handler
	repeats   repeats
	replacing sync.Mutex // what is replaced is looked at first
}

// outcome is what a request came to: a rendered answer, nothing, or an error.
type outcome struct {
	body []byte
	tag  string // of the answer to a GET
	err  error
}

var errStranger = trust.Errorf(wire.Unauthenticated, "the request carries no credential of an operator")

func (s *server) serve(to route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := s.admit(w, r, to)
		if o.err != nil {
			wire.Fail(w, o.err)
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		if o.tag != "" {
			h.Set("ETag", o.tag)
		}
		if o.body == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		h.Set("Content-Type", wire.JSON)
		_, _ = w.Write(o.body) // the client may have gone
	})
}

// admit lets an operator in, and carries out what is asked: once, where the
// request has a key.
func (s *server) admit(w http.ResponseWriter, r *http.Request, to route) outcome {
	secret, ok := wire.Bearer(r, wire.Operator)
	var actor node.Actor
	if ok {
		actor, ok = s.node.Operator(secret[:])
	}
	if !ok {
		s.node.Trespass(r.Context(), trust.ParticipantID{})
		return outcome{err: errStranger}
	}
	asked := request{r, w, actor}
	carryOut := func(ctx context.Context) outcome { return s.carryOut(ctx, asked, to) }
	if r.Method != http.MethodPost {
		return carryOut(r.Context())
	}
	key, err := keyOf(r)
	switch {
	case err != nil:
		return outcome{err: err}
	case key == "":
		return carryOut(r.Context())
	default:
		return s.once(r.Context(), asked, key, carryOut)
	}
}

func (s *server) carryOut(ctx context.Context, r request, to route) outcome {
	if to.current != nil {
		s.replacing.Lock()
		defer s.replacing.Unlock()
		if err := s.unchanged(ctx, r, to.current); err != nil {
			return outcome{err: err}
		}
	}
	answer, err := to.serve(s.handler, ctx, r)
	if err == nil && to.page != nil {
		answer, err = to.page(answer, r.URL.Query())
	}
	return render(r, answer, err)
}

// unchanged refuses to replace what is not, or no longer, as whoever asks has seen
// it (RFC 9110, section 13.1.1).
func (s *server) unchanged(ctx context.Context, r request, current serve) error {
	wanted := r.Header.Values("If-Match")
	if len(wanted) == 0 {
		return nil
	}
	answer, err := current(s.handler, ctx, r)
	is := render(r, answer, err)
	if trust.KindOf(is.err) == trust.NotFound {
		return trust.Errorf(wire.Changed, "what is to be replaced is not there: %w", is.err)
	}
	if is.err != nil {
		return is.err
	}
	for tag := range strings.SplitSeq(strings.Join(wanted, ","), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == tagOf(is.body) {
			return nil
		}
	}
	return trust.Errorf(wire.Changed, "what is to be replaced is now %s, and not as If-Match says", tagOf(is.body))
}

// render writes an answer as JSON.
func render(r request, answer any, err error) outcome {
	if err != nil || answer == nil {
		return outcome{err: err}
	}
	body, err := json.Marshal(answer, json.Deterministic(true))
	if err != nil {
		return outcome{err: trust.Errorf(trust.Internal, "rendering an answer: %w", err)}
	}
	o := outcome{body: body}
	if r.Method == http.MethodGet {
		o.tag = tagOf(body)
	}
	return o
}

// tagOf is the entity tag of an answer (RFC 9110, section 8.8.3).
func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}
