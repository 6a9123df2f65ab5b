package wire

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/trust"
)

// JSON is the content type of most bodies.
const JSON = "application/json"

// Body reads the whole body of a request, which has the content type media and
// at most limit bytes. It fails with MediaWrong, TooLarge, or Invalid when the
// client did not send what it announced.
func Body(w http.ResponseWriter, r *http.Request, media string, limit int64) ([]byte, error) {
	values := r.Header["Content-Type"]
	if len(values) != 1 || values[0] != media {
		if got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); len(values) != 1 || err != nil || got != media {
			return nil, trust.Errorf(MediaWrong, "the content type here is %s", media)
		}
	}
	if r.ContentLength > limit {
		return nil, trust.Errorf(TooLarge, "the body is larger than %d bytes", limit)
	}
	data, err := readAll(http.MaxBytesReader(w, r.Body, limit), r.ContentLength)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, trust.Errorf(TooLarge, "the body is larger than %d bytes", limit)
	}
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "the body ended before its announced length")
	}
	return data, nil
}

// readAll reads size bytes at once when the size is known.
func readAll(r io.Reader, size int64) ([]byte, error) {
	if size < 0 {
		return io.ReadAll(r)
	}
	data := make([]byte, size)
	_, err := io.ReadFull(r, data)
	return data, err
}

// Answer writes v as JSON.
func Answer(w http.ResponseWriter, status int, v any) error {
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return trust.Errorf(trust.Internal, "rendering an answer: %w", err)
	}
	w.Header().Set("Content-Type", JSON)
	w.WriteHeader(status)
	_, _ = w.Write(data) // the client may have gone
	return nil
}
