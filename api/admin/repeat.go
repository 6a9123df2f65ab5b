package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"sync"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/trust"
)

// KeyHeader names a request, so that it can be sent again without being carried
// out again (draft-ietf-httpapi-idempotency-key-header).
const KeyHeader = "Idempotency-Key"

const (
	keptFor    = 3600     // seconds
	maxKept    = 1000     // answers
	maxBytes   = 16 << 20 // of all answers
	maxKeySize = 512      // bytes
)

// repeats are the answers to requests that had a key. That none is carried out
// again holds for longer, and over a start: the node burns the key with what it
// records.
type repeats struct {
	mu    sync.Mutex
	by    map[keyed]*repeat
	done  []keyed // in the order in which they were answered
	bytes int     // of their answers
}

// keyed is a key, and the operator whose it is.
type keyed struct{ operator, key string }

type repeat struct {
	request [sha256.Size]byte
	over    chan struct{} // closed when the outcome stands
	at      int64         // when it was answered, Unix seconds
	outcome
}

// keyOf reads the key of a request; empty when it has none.
func keyOf(r *http.Request) (string, error) {
	values := r.Header[KeyHeader]
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	ok := len(values) == 1 && len(key) > 0 && len(key) <= maxKeySize
	for i := range len(key) {
		ok = ok && key[i] > ' ' && key[i] <= '~'
	}
	if !ok {
		return "", trust.Errorf(trust.Invalid, "an idempotency key is one word of at most %d visible ASCII characters", maxKeySize)
	}
	return key, nil
}

// once carries a request out unless one with its key was, and gives the answer of
// that. It is carried out even where whoever asked has gone.
func (s *server) once(ctx context.Context, r request, key string, carryOut func(context.Context) outcome) outcome {
	body, err := io.ReadAll(http.MaxBytesReader(r.w, r.Body, MaxLeavers))
	if err != nil {
		return outcome{err: trust.Errorf(wire.TooLarge, "the body cannot be read, or is larger than %d bytes", MaxLeavers)}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	id := keyed{r.actor.ID, key}
	one, first := s.repeats.begin(id, fingerprint(r.Request, body), s.node.Now())
	if one == nil {
		return outcome{err: trust.Errorf(trust.Conflict, "idempotency key %q was used for another request", key)}
	}
	if !first {
		select {
		case <-one.over:
			return one.outcome
		case <-ctx.Done():
			return outcome{err: trust.Errorf(trust.Unavailable, "the request with idempotency key %q is still being carried out", key)}
		}
	}
	defer s.repeats.end(id, one, s.node.Now)
	one.outcome = outcome{err: trust.Errorf(trust.Internal, "carrying out what idempotency key %q names", key)} // should it panic
	ctx, err = s.node.OnlyOnce(context.WithoutCancel(ctx), r.actor, key)
	if err != nil {
		one.outcome = outcome{err: err}
	} else {
		one.outcome = carryOut(ctx)
	}
	return one.outcome
}

// fingerprint is what has to be the same of a request that is sent again.
func fingerprint(r *http.Request, body []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	io.WriteString(h, r.Method+" "+r.URL.RequestURI()+"\n"+r.Header.Get("Content-Type")+"\n")
	h.Write(body)
	h.Sum(sum[:0])
	return sum
}

// begin gives what is known of a key, and whether the caller is the first; nil
// where it names another request.
func (s *repeats) begin(id keyed, request [sha256.Size]byte, now int64) (one *repeat, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.done) > 0 && (s.by[s.done[0]].at+keptFor <= now || len(s.done) > maxKept || s.bytes > maxBytes) {
		s.bytes -= len(s.by[s.done[0]].body)
		delete(s.by, s.done[0])
		s.done = s.done[1:]
	}
	if one = s.by[id]; one == nil {
		one = &repeat{request: request, over: make(chan struct{})}
		s.by[id] = one
		return one, true
	}
	if one.request != request {
		return nil, false
	}
	return one, false
}

// end keeps the outcome, unless the same request may yet succeed: a key that was
// burned says whether it was carried out.
func (s *repeats) end(id keyed, one *repeat, now func() int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(one.over)
	if kind := trust.KindOf(one.err); kind == trust.Unavailable || kind == trust.Internal {
		delete(s.by, id)
		return
	}
	one.at = now()
	s.done = append(s.done, id)
	s.bytes += len(one.body)
}
