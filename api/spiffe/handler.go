// Package spiffe publishes the bundles of this organisation's own SPIFFE trust
// domains, so that others can verify its workloads (SPIFFE Federation, section
// 5). It decides where a bundle stands and refuses to know what is in it. A
// bundle is public: nobody is asked who reads it.
package spiffe

import (
	"net/http"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/trust"
)

// Path is below what the bundles stand, each under the bare name of its trust
// domain.
const Path = "/spiffe/bundles/"

const bundlePath = Path + "{domain}"

// Node is what this protocol asks of the shell.
type Node interface {
	// PublishedBundle gives the bundle document of an own trust domain.
	PublishedBundle(domain trust.IssuerID) ([]byte, error)
}

// New serves the bundles of n.
func New(n Node) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+bundlePath, func(w http.ResponseWriter, r *http.Request) {
		document, err := bundle(n, r.PathValue("domain"))
		if err != nil {
			wire.Fail(w, err)
			return
		}
		w.Header().Set("Content-Type", wire.JSON)
		w.Header().Set("Cache-Control", "no-store") // a removed authority is gone at the next look
		_, _ = w.Write(document)                    // the reader may have gone
	})
	return mux
}

func bundle(n Node, name string) ([]byte, error) {
	domain, err := trust.ParseIssuerID("spiffe://" + name)
	if err != nil || !domain.TrustDomain() {
		return nil, trust.Errorf(trust.NotFound, "no trust domain has this name")
	}
	return n.PublishedBundle(domain)
}
