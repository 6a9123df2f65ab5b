package admin

import (
	"net/http"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

const maxBody = 1 << 20 // bytes

// request is one call of an operator who was let in.
type request struct {
	*http.Request
	w     http.ResponseWriter
	actor node.Actor
}

// handler serves one node.
type handler struct {
	node Node
}

// allRoutes is the whole interface, noun by noun.
var allRoutes = []map[string]route{
	statusRoutes,
	participantRoutes,
	frameworkRoutes,
	agreementRoutes,
	mappingRoutes,
	policyRoutes,
	serviceRoutes,
	clientRoutes,
	operatorRoutes,
	approvalRoutes,
	breakGlassRoutes,
	reviewRoutes,
	exceptionRoutes,
	transmitterRoutes,
	streamRoutes,
	counterRoutes,
	findingRoutes,
	revocationRoutes,
	unwindRoutes,
	sessionRoutes,
	disputeRoutes,
	ruleRoutes,
	drillRoutes,
	erasureRoutes,
	identityRoutes,
	keyRoutes,
	decisionRoutes,
	ledgerRoutes,
	documentRoutes,
}

// New serves the admin interface of n. Who may reach it at all is the affair of
// the socket's permissions.
func New(n Node) http.Handler {
	s := &server{handler: handler{n}, repeats: repeats{by: map[keyed]*repeat{}}}
	mux := http.NewServeMux()
	for _, routes := range allRoutes {
		for pattern, route := range routes {
			mux.Handle(pattern, s.serve(route))
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		wire.Fail(w, trust.Errorf(trust.NotFound, "the admin interface has no %s %s", r.Method, r.URL.Path))
	})
	return mux
}

// body reads the request's body strictly into a T.
func body[T any](r request) (T, error) { return bodyUpTo[T](r, maxBody) }

// bodyUpTo is body with a limit of its own, in bytes.
func bodyUpTo[T any](r request, limit int64) (T, error) {
	var v T
	data, err := wire.Body(r.w, r.Request, wire.JSON, limit)
	if err != nil {
		return v, err
	}
	return v, canonical.Decode(data, &v)
}

// List is several things of one kind. Next, when there is more, is where the
// next page begins.
type List[T any] struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Items      []T    `json:"items"`
	Next       string `json:"next,omitempty"`
}

// Version is the version of every list's form.
const Version = "entente/v1"

func listOf[T any](kind string, items []T) List[T] {
	if items == nil {
		items = []T{}
	}
	return List[T]{APIVersion: Version, Kind: kind + "List", Items: items}
}
