package node

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/spiffe"
	"github.com/entente-id/entente/trust"
)

// document gets what an issuer publishes at its registered address.
func (n *Node) document(ctx context.Context, issuer trust.IssuerID, address string) ([]byte, error) {
	if !issuer.TrustDomain() {
		return n.Fetch.Get(ctx, address)
	}
	endpoint, err := n.State().Participant.Endpoint(issuer)
	if err != nil {
		return nil, err
	}
	if endpoint.Profile == participant.HTTPSWeb {
		return n.Fetch.Get(ctx, address)
	}
	id, err := spiffe.ParseID(endpoint.EndpointID)
	if err != nil {
		return nil, err
	}
	if endpoint.Last == nil {
		return nil, trust.Errorf(trust.Unavailable, "bundle of %s has to be given by an operator once; its endpoint proves itself by nothing else", issuer)
	}
	return n.Fetch.GetFrom(ctx, address, func(shown []*x509.Certificate) error {
		return endpoint.Last.VerifyServer(shown, id, n.Now())
	})
}

// GiveBundle takes the bundle by which a trust domain's endpoint can prove
// itself, from an operator who had it from the trust domain's people. It counts
// for SVIDs when it was read at that endpoint.
func (n *Node) GiveBundle(ctx context.Context, a Actor, domain trust.IssuerID, document []byte) error {
	_, err := n.write(ctx, a, func(c *change) error {
		return c.take(c.Participant.GiveBundle(domain, document, a.ID))
	})
	if err == nil {
		n.issuers.startAnew(domain.String(), n.bootTime())
	}
	return err
}

// PublishedBundle gives the bundle of one of this organisation's own trust
// domains for others to read. What is not known to be current is not given out:
// whoever holds an older one knows its age. It fails with NotFound and
// Unavailable.
func (n *Node) PublishedBundle(domain trust.IssuerID) ([]byte, error) {
	s := n.State()
	seen, err := s.Participant.OwnBundle(domain)
	if err != nil {
		return nil, err
	}
	bound := n.bundleBound()
	if age := n.bundleAge(domain.String(), n.Clock.Mark()); age < 0 || time.Duration(age)*time.Second > bound {
		return nil, trust.Errorf(trust.Unavailable, "bundle of %s was not read within %s", domain, bound)
	}
	return seen.Bundle.Publish(seen.Revision, max(int64(n.refreshOf(domain.String())/time.Second), 1))
}
