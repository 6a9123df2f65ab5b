package spectest

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/docs"
)

// published is the document as it is served.
var published = sync.OnceValues(func() (*Document, error) { return Parse(docs.OpenAPI) })

// Watch gives an admin interface as h serves it, and fails the test on a route, a
// parameter, an accepted body or an answer that the published document does not
// describe.
func Watch(t testing.TB, h http.Handler) http.Handler {
	t.Helper()
	d, err := published()
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), broken{err}))
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		for _, fault := range d.Exchange(r, body, answer.Result(), answer.Body.Bytes()) {
			t.Errorf("%s %s: %s", r.Method, r.URL.Path, fault)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // the client may have gone
	})
}

// broken is the end of a body: as announced, or not.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	return 0, io.EOF
}

// Exchange gives everything in which a request that was served, and its answer,
// differ from the document.
func (d *Document) Exchange(r *http.Request, body []byte, answer *http.Response, data []byte) []string {
	method, path, ok := strings.Cut(r.Pattern, " ")
	if !ok { // no route
		return d.response(d.Components.Responses["404"], answer, data)
	}
	o := d.Paths[path][strings.ToLower(method)]
	if o == nil {
		return []string{"the document does not describe " + r.Pattern}
	}
	response := o.Responses[strconv.Itoa(answer.StatusCode)]
	if response != nil && response.Ref != "" {
		response = d.Components.Responses[strings.TrimPrefix(response.Ref, responseRef)]
	}
	if response == nil {
		return []string{"the document does not describe that it answers " + answer.Status}
	}
	faults := d.response(response, answer, data)
	if answer.StatusCode < http.StatusBadRequest {
		faults = append(faults, d.request(o, r, body)...)
	}
	return faults
}

// request checks a request that was accepted.
func (d *Document) request(o *Operation, r *http.Request, body []byte) []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(r.URL.Query())) {
		if !slices.ContainsFunc(o.Parameters, func(p *Parameter) bool { return p.In == "query" && p.Name == name }) {
			faults = append(faults, "parameter "+name+" is not described")
		}
	}
	switch {
	case o.Body != nil:
		for _, fault := range d.Check(o.Body.Content[wire.JSON].Schema, body) {
			faults = append(faults, "its body: "+fault)
		}
	case len(body) > 0:
		faults = append(faults, "it has a body, which is not described")
	}
	return faults
}

func (d *Document) response(of *Response, answer *http.Response, data []byte) []string {
	media := answer.Header.Get("Content-Type")
	form, ok := of.Content[media]
	if !ok {
		if len(of.Content) == 0 && len(data) == 0 {
			return nil
		}
		return []string{"the document does not describe an answer of type " + strconv.Quote(media)}
	}
	var faults []string
	for _, fault := range d.Check(form.Schema, data) {
		faults = append(faults, "its answer: "+fault)
	}
	return faults
}
