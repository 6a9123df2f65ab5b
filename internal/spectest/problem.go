package spectest

import (
	"net/http"
	"reflect"
	"strconv"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/trust"
)

const responseRef = "#/components/responses/"

// kinds are those of the problems of the admin interface, with what each says to
// a program.
var kinds = map[trust.ErrorKind]string{
	trust.Invalid:        "the request breaks a rule whatever the state",
	trust.NotFound:       "what it names is not known here",
	trust.Conflict:       "the state of what it names does not allow it",
	trust.Denied:         "whoever asks may not do that; the attempt is on record",
	trust.Unavailable:    "it cannot be done now; the same request may succeed later",
	trust.Internal:       "the node failed",
	wire.Unauthenticated: "no credential of an operator",
	wire.TooLarge:        "the body passes the limit",
	wire.Changed:         "what is to be replaced is not as If-Match says",
	wire.MediaWrong:      "the body has another content type than application/json",
}

// problems are the refusals as components, by status.
func problems(f *forms) map[string]*Response {
	problem := f.schema(reflect.TypeFor[wire.Problem]())
	all := map[string]*Response{}
	for kind, says := range kinds {
		status := wire.Status(kind)
		all[strconv.Itoa(status)] = &Response{
			Description: http.StatusText(status) + ", kind " + string(kind) + ": " + says,
			Content:     map[string]Media{wire.MediaType: {problem}},
		}
	}
	return all
}
