// Package archtest holds the rules of the code that a compiler does not check:
// which room may use which, that the core is pure, that what is exported is
// explained, and how large and how named things may be. It decides whether the
// source keeps to them and refuses to know what the source does.
package archtest

import "strings"

// Module is the path under which every room stands.
const Module = "github.com/entente-id/entente"

// Room is what one package may use.
type Room struct {
	Core    bool   // pure: no input or output, no clock, no randomness, no environment, no logger
	Uses    string // the rooms it may import beside trust, separated by spaces
	Outside string // the modules it may import beside the standard library, by the names below
}

// outside names the modules that some room may import; what tests import is
// not asked.
var outside = map[string]string{
	"age":        "filippo.io/age",
	"cedar":      "github.com/cedar-policy/cedar-go",
	"cobra":      "github.com/spf13/cobra",
	"crypto11":   "github.com/ThalesGroup/crypto11",
	"fosite":     "github.com/ory/fosite",
	"go-jose":    "github.com/go-jose/go-jose/v4",
	"json":       "github.com/go-json-experiment/json",
	"mldsa":      "filippo.io/mldsa",
	"nistec":     "filippo.io/nistec",
	"lipgloss":   "charm.land/lipgloss/v2",
	"oauth2":     "golang.org/x/oauth2",
	"prometheus": "github.com/prometheus/client_golang",
	"sqlite":     "modernc.org/sqlite",
	"sumdb":      "golang.org/x/mod",
	"sys":        "golang.org/x/sys",
	"term":       "golang.org/x/term",
	"yaml":       "github.com/goccy/go-yaml",
}

// nouns are the rooms that fold: none of them knows state, evidence or decision.
var nouns = strings.Join([]string{
	"framework",
	"participant",
	"operator",
	"revocation",
	"suspension",
	"service",
	"client",
	"policy",
	"agreement",
	"mapping",
	"exception",
	"erasure",
	"review",
	"identity",
	"edge",
	"drill",
	"signal",
	"finding",
	"stream",
	"dispute",
	"incident",
	"approval",
	"breakglass",
}, " ")

// core is every pure room.
var core = "canonical jose seal table spiffe delegation receipt signal " + nouns + " evidence state decision credential"

// apis are the adapters of the node's listeners.
const apis = "api/wire api/authzen api/oauth api/spiffe api/ssf api/edge api/signal api/admin"

// Rooms is the dependency diagram. A package without a row is refused, and so
// is a row without a package. Each may import trust, which imports nobody.
var Rooms = map[string]Room{
	"trust": {Core: true},

	"canonical": {Core: true, Outside: "json"},
	"jose":      {Core: true, Uses: "canonical", Outside: "mldsa nistec"},
	"seal":      {Core: true},
	"table":     {Core: true, Outside: "json"},
	"spiffe":    {Core: true, Uses: "canonical jose"},

	"framework":   {Core: true, Uses: "canonical jose", Outside: "json"},
	"participant": {Core: true, Uses: "canonical jose table spiffe framework", Outside: "json"},
	"operator":    {Core: true, Uses: "table"},
	"revocation":  {Core: true, Uses: "table"},
	"suspension":  {Core: true, Uses: "table"},
	"dispute":     {Core: true, Uses: "suspension table"},
	"service":     {Core: true, Uses: "table", Outside: "json"},
	"client":      {Core: true, Uses: "jose table spiffe", Outside: "json"},
	"policy":      {Core: true, Uses: "canonical", Outside: "json cedar"},
	"agreement":   {Core: true, Uses: "canonical jose table framework participant operator dispute", Outside: "json"},
	"mapping":     {Core: true, Uses: "table agreement", Outside: "json"},
	"exception":   {Core: true, Uses: "table"},
	"edge":        {Core: true, Uses: "table"},
	"erasure":     {Core: true, Uses: "table revocation"},
	"identity":    {Core: true, Uses: "table"},
	"signal":      {Core: true, Uses: "canonical table framework", Outside: "json"},
	"finding":     {Core: true, Uses: "table"},
	"incident":    {Core: true, Uses: "table suspension"},

	"receipt": {Core: true, Uses: "canonical", Outside: "sumdb"},
	"drill":   {Core: true, Uses: "table"},

	"approval": {Core: true, Uses: "table"},

	"breakglass": {Core: true, Uses: "table"},

	"review": {Core: true, Uses: "table agreement client mapping"},

	"stream": {Core: true, Uses: "table signal"},

	"delegation": {Core: true, Uses: "canonical jose"},

	"evidence": {Core: true, Uses: "canonical jose table spiffe delegation framework participant client"},
	"state":    {Core: true, Uses: "canonical jose " + nouns, Outside: "json"},
	"decision": {Core: true, Uses: "canonical delegation evidence state " + nouns},

	"credential": {Core: true, Uses: "canonical evidence"},

	"store":              {},
	"store/local":        {Uses: "store", Outside: "sqlite sumdb sys"},
	"store/local/faulty": {Uses: "store/local"},
	"store/storetest":    {Uses: "store", Outside: "sumdb"},
	"ledger":             {Uses: "store", Outside: "json sumdb"},

	"internal/clock":   {Outside: "sys"},
	"internal/fetch":   {},
	"internal/config":  {Outside: "yaml"},
	"internal/keyring": {Uses: "jose seal participant", Outside: "age json mldsa sqlite sumdb"},
	"internal/pkcs11":  {Outside: "crypto11"},

	"node": {Uses: core + " store ledger internal/clock internal/keyring", Outside: "json sumdb"},

	"api/wire":    {Outside: "json"},
	"api/authzen": {Uses: "canonical evidence decision node api/wire", Outside: "json"},
	"api/oauth":   {Uses: "canonical jose client evidence node api/wire", Outside: "json"},
	"api/spiffe":  {Uses: "api/wire"},
	"api/ssf":     {Uses: "canonical jose signal stream node api/wire", Outside: "json"},
	"api/edge":    {Uses: "canonical edge receipt node api/wire", Outside: "json"},
	"api/signal":  {Uses: "signal node api/wire"},
	"api/admin":   {Uses: core + " store node api/wire api/authzen docs", Outside: "json"},

	"docs": {},

	"internal/serve": {
		Uses:    core + " store store/local ledger node " + apis + " internal/clock internal/fetch internal/config internal/keyring internal/pkcs11",
		Outside: "json prometheus sumdb sys term",
	},
	"internal/spectest": {Uses: core + " node api/admin api/wire docs internal/archtest", Outside: "json"},
	"internal/nodetest": {Uses: core + " store store/local ledger node internal/clock internal/keyring", Outside: "sumdb"},

	"cli": {
		Uses:    core + " store store/local ledger node api/admin api/wire internal/config internal/keyring internal/serve demo",
		Outside: "cobra json lipgloss sumdb term yaml",
	},
	"cmd/entente": {Uses: "cli demo internal/serve"},

	"pep": {Outside: "json"},

	"demo":         {Uses: core + " node api/admin store store/local internal/config internal/keyring internal/serve pep demo/idp demo/records", Outside: "json lipgloss yaml"},
	"demo/idp":     {Outside: "fosite go-jose json oauth2"},
	"demo/records": {Uses: "pep", Outside: "json"},

	"bench":               {Uses: core + " store store/local ledger node api/authzen api/edge api/oauth internal/nodetest", Outside: "sumdb"},
	"internal/archtest":   {},
	"internal/denial":     {},
	"internal/mutate":     {},
	"internal/peer":       {},
	"internal/readmetest": {},
	"internal/simulation": {},
}

// mayUse reports whether room from may import room to.
func mayUse(from, to string) bool {
	return to == "trust" && from != "trust" || contains(Rooms[from].Uses, to)
}

// mayUseOutside reports whether room from may import the package path of
// another module.
func mayUseOutside(from, path string) bool {
	for _, name := range strings.Fields(Rooms[from].Outside) {
		if within(path, outside[name]) {
			return true
		}
	}
	return false
}

// within reports whether path is root or stands below it.
func within(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

func contains(list, word string) bool {
	for _, w := range strings.Fields(list) {
		if w == word {
			return true
		}
	}
	return false
}
