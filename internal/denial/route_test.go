package denial_test

import (
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/entente-id/entente/internal/archtest"
)

// rows says of every route of every listener which test of this corpus takes
// its proofs, or why it takes none.
var rows = map[string]string{
	"POST /access/v1/evaluation":             "TestEvidence",
	"GET /access/v1/watch":                   "tells ends; an enforcement point's credential opens it",
	"POST /access/v1/session/{id}/uses":      "records what an enforcement point reused; its credential opens it",
	"DELETE /access/v1/session/{id}":         "ends what an enforcement point opened; its credential opens it",
	"GET /.well-known/authzen-configuration": "public metadata; reads nothing",

	"POST /oauth/token":      "TestExchange", // and TestGrants and TestReceiverTokens, of the other grant types
	"POST /oauth/introspect": "TestOwnCredentials",
	"POST /oauth/revoke":     "TestOwnCredentials",

	"GET /oauth/statuslists/{name}":                         "public; reads a random name, node.TestStatusList",
	"GET /oauth/jwks":                                       "public keys; reads nothing",
	"GET /.well-known/oauth-authorization-server":           "public metadata; reads nothing",
	"GET /.well-known/oauth-authorization-server/{path...}": "public metadata; reads nothing",
	"GET /.well-known/oauth-protected-resource":             "public metadata; reads nothing",
	"GET /.well-known/oauth-protected-resource/{path...}":   "public metadata; reads nothing",

	"GET /.well-known/ssf-configuration":           "public metadata; reads nothing",
	"GET /.well-known/ssf-configuration/{path...}": "public metadata; reads nothing",
	"GET /ssf/jwks":                "public keys; reads nothing",
	"POST /ssf/v1/stream":          "TestReceivers",
	"GET /ssf/v1/stream":           "TestReceivers",
	"PATCH /ssf/v1/stream":         "TestReceivers",
	"PUT /ssf/v1/stream":           "TestReceivers",
	"DELETE /ssf/v1/stream":        "TestReceivers",
	"GET /ssf/v1/status":           "TestReceivers",
	"POST /ssf/v1/status":          "TestReceivers",
	"POST /ssf/v1/verify":          "TestReceivers",
	"POST /ssf/v1/subjects/add":    "TestReceivers",
	"POST /ssf/v1/subjects/remove": "TestReceivers",
	"POST /ssf/v1/poll/{id}":       "TestReceivers",

	"GET /spiffe/bundles/{domain}": "public keys; reads nothing",

	"POST /signals/{name}":        "TestSignals",
	"POST /signals/{name}/logout": "TestLogouts",

	"POST /edge/v1/messages":        "TestMessages",
	"POST /edge/v1/chunks":          "TestChunks",
	"GET /edge/v1/messages":         "gives a partner its own messages; who asks, mutual TLS says",
	"POST /edge/v1/received":        "gives a partner its own messages; who asks, mutual TLS says",
	"POST /edge/v1/heartbeat":       "answers a nonce; who asks, mutual TLS says",
	"POST /edge/v1/receipts":        "gives a home its own receipts; who asks, mutual TLS says",
	"POST /edge/v1/canary":          "TestCanaries",
	"POST /edge/v1/drills":          "TestDrillResults",
	"POST /edge/v1/reconciliations": "TestReconciliations",

	"POST /v1/explanations":                  "TestEvidence",
	"POST /v1/participants":                  "participant.TestParseCard",
	"POST /v1/cards":                         "participant.TestParseCard",
	"PUT /v1/card":                           "participant.TestParseCard",
	"POST /v1/frameworks":                    "TestFrameworks",
	"POST /v1/agreements":                    "agreement.TestEveryMoveAtEveryStage",
	"POST /v1/agreements/{name}/countersign": "agreement.TestEveryMoveAtEveryStage",

	"POST /v1/reach":          "tells what hangs from something; an operator's credential opens it",
	"POST /v1/unwindings":     "ends something with all that hangs from it; an operator's credential opens it",
	"GET /v1/unwindings/{id}": "reads an entry; an operator's credential opens it",

	"POST /v1/leaks": "reads records of what a hash names, and proves nothing; an operator's credential opens it",

	"GET /v1/sessions":                  "lists; an operator's credential opens it",
	"POST /v1/sessions/{reference}/end": "ends what an enforcement point opened; an operator's credential opens it",
	"POST /v1/credentials/revocations":  "ends a credential by its name; an operator's credential opens it",

	"GET /metrics": "counts; reads nothing",
	"GET /healthz": "alive; reads nothing",
	"GET /readyz":  "ready; reads nothing",
}

// operators are the routes that an operator's credential opens and that take no
// signed proof.
var operators = regexp.MustCompile(`^(GET|POST|DELETE|PUT|PATCH) /v1/(` + strings.Join([]string{
	`status`,
	`participants`,
	`participants/\{id\}`,
	`invitation`,
	`issuers`,
	`frameworks`,
	`frameworks/adoptions`,
	`frameworks/\{hash\}/adopt`,
	`agreements`,
	`agreements/render`,
	`agreements/\{name\}`,
	`agreements/\{name\}/(activate|suspend|end)`,
	`agreements/\{name\}/authority`,
	`mappings.*`,
	`policy.*`,
	`services.*`,
	`clients.*`,
	`enforcement-points.*`,
	`operators.*`,
	`exceptions.*`,
	`transmitters.*`,
	`streams.*`,
	`counters.*`,
	`findings.*`,
	`disputes.*`,
	`reconciliations`,
	`revocations`,
	`suspensions`,
	`drills`,
	`resumptions`,
	`notices`,
	`engagements.*`,
	`bundles`,
	`decisions/\{reference\}`,
	`ledger/.*`,
	`state`,
	`clock`,
	`clock/.*`,
	`declaration`,
	`keys`,
	`keys/accepted`,
	`rules.*`,
	`incidents`,
	`recovery`,
	`recovery/without`,
	`epochs`,
	`approvals.*`,
	`breakglass.*`,
	`reviews.*`,
	`erasures`,
	`holds.*`,
	`openapi\.json`,
	`identities.*`,
}, "|") + `)$`)

func TestEveryRouteHasARow(t *testing.T) {
	found := routes(t)
	for _, route := range slices.Sorted(maps.Keys(found)) {
		if _, ok := rows[route]; !ok && !(strings.HasPrefix(found[route], "api/admin/") && operators.MatchString(route)) {
			t.Errorf("%s: route %q has no row in the corpus: name the test that takes its proofs, or say why it takes none", found[route], route)
		}
	}
	for route, test := range rows {
		if _, ok := found[route]; !ok {
			t.Errorf("the corpus has a row for %q, which is no route", route)
		}
		if strings.HasPrefix(test, "Test") && !tests(t)[test] {
			t.Errorf("the row of %q names %s, which is no test of the corpus", route, test)
		}
	}
	if len(found) < 40 {
		t.Errorf("only %d routes were found; are they still written METHOD /path?", len(found))
	}
}

var pattern = regexp.MustCompile(`^(GET|HEAD|POST|PUT|PATCH|DELETE) /`)

// routes gives every text of the source that is a route, with its place: those
// of tests and clients left out.
func routes(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, p := range load(t).Packages {
		if !strings.HasPrefix(p.Room, "api/") && p.Room != "internal/serve" {
			continue
		}
		constants := map[string]string{}
		for range 2 { // a constant may stand before those it is made of
			eachFile(p, func(_ string, n ast.Node) {
				if spec, ok := n.(*ast.ValueSpec); ok {
					for i, name := range spec.Names {
						if i < len(spec.Values) {
							if text, ok := constant(spec.Values[i], constants); ok {
								constants[name.Name] = text
							}
						}
					}
				}
			})
		}
		eachFile(p, func(path string, n ast.Node) {
			if e, ok := n.(ast.Expr); ok {
				if text, ok := constant(e, constants); ok && pattern.MatchString(text) {
					found[text] = path
				}
			}
			if call, ok := n.(*ast.CallExpr); ok && registers(call) {
				if _, ok := constant(call.Args[0], constants); !ok && path != "api/admin/handler.go" {
					t.Errorf("%s registers a route under a name that is no constant; the corpus cannot see it", path)
				}
			}
		})
	}
	return found
}

func load(t *testing.T) *archtest.Source {
	t.Helper()
	source, err := archtest.Load("../..")
	check(t, err)
	return source
}

func eachFile(p *archtest.Package, f func(path string, n ast.Node)) {
	for _, file := range p.Files {
		if file.Test() {
			continue
		}
		ast.Inspect(file.Tree, func(n ast.Node) bool {
			f(file.Path, n)
			return true
		})
	}
}

// registers reports whether a call is mux.Handle or mux.HandleFunc.
func registers(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) != 2 {
		return false
	}
	on, ok := method.X.(*ast.Ident)
	return ok && strings.HasSuffix(on.Name, "mux") && (method.Sel.Name == "Handle" || method.Sel.Name == "HandleFunc")
}

// constant evaluates a text that is written as literals, constants and plus.
func constant(e ast.Expr, known map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		text, ok := known[e.Name]
		return text, ok
	case *ast.ParenExpr:
		return constant(e.X, known)
	case *ast.BinaryExpr:
		x, okX := constant(e.X, known)
		y, okY := constant(e.Y, known)
		return x + y, okX && okY && e.Op == token.ADD
	}
	return "", false
}

// tests gives the names of this corpus's tests.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, p := range load(t).Packages {
		if p.Room != "internal/denial" {
			continue
		}
		for _, f := range p.Files {
			for _, d := range f.Tree.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok {
					names[fn.Name.Name] = true
				}
			}
		}
	}
	return names
}
