package node

import (
	"context"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/trust"
)

// AddClient registers an OAuth client of the token endpoint.
func (n *Node) AddClient(ctx context.Context, a Actor, d client.Document) error {
	_, err := n.write(ctx, a, func(c *change) error { return c.take(c.Client.Add(c.clientFacts(), d, a.ID)) })
	return err
}

// RenewClient gives a client other means to prove itself. What it had counts no
// more at the next request.
func (n *Node) RenewClient(ctx context.Context, a Actor, id string, m client.Means) error {
	_, err := n.write(ctx, a, func(c *change) error { return c.take(c.Client.Renew(id, m, a.ID)) })
	return err
}

// EndClient ends a client for good, and with it what was issued to it.
func (n *Node) EndClient(ctx context.Context, a Actor, id string) error {
	_, err := n.write(ctx, a, func(c *change) error { return c.take(c.Client.End(id, a.ID)) })
	return err
}

func (c *change) clientFacts() client.Facts {
	return client.Facts{
		Participant: func(id trust.ParticipantID) bool {
			_, known := c.Participant.Partner(id)
			return known || id == c.n.self
		},
		Service:          func(name string) bool { _, ok := c.Service.Service(name); return ok },
		EnforcementPoint: c.Service.HasEnforcementPoint,
	}
}

// ClientProof is what a client of the token endpoint shows of itself: an
// assertion, or the certificates of its TLS connection, and no more.
type ClientProof struct {
	ID           string // the client_id parameter; "" not stated
	Type         evidence.Assertion
	Assertion    []byte
	Certificates [][]byte // DER, leaf first
}

// Client finds the client that a proof is of. An assertion's jti is used up,
// durably, before that is said. False, whatever is wrong; our log says what.
func (n *Node) Client(ctx context.Context, p ClientProof) (id string, ok bool) {
	c, reason := n.admit(ctx, &p)
	if reason != "" {
		n.Log.Info("a client was not let in", "client", clipped(p.ID), "reason", reason)
		return "", false
	}
	return c.Document.ID, true
}

func (n *Node) admit(ctx context.Context, p *ClientProof) (client.Client, trust.Reason) {
	r := registry{n.State(), n}
	named, _ := r.RegisteredClient(p.ID)
	switch {
	case len(p.Assertion) == 0 && len(p.Certificates) == 0:
		return client.Client{}, trust.NoEvidence
	case p.Type == evidence.SPIFFEAssertion:
		return n.introduced(ctx, r, p, evidence.Proof{Kind: evidence.JWTSVID, Token: p.Assertion}, n.self.String())
	case len(p.Assertion) == 0 && named.Document.Method() == client.SPIFFE:
		leaf := &evidence.Shown{Certificate: p.Certificates[0]}
		return n.introduced(ctx, r, p, evidence.Proof{Kind: evidence.X509SVID, Token: slices.Concat(p.Certificates...), Shown: leaf}, "")
	case len(p.Assertion) > 0 && p.Type != evidence.JWTAssertion:
		return client.Client{}, trust.EvidenceKind
	}
	return n.proven(ctx, r, p)
}

// introduced finds the client that an SVID is of.
func (n *Node) introduced(ctx context.Context, r registry, p *ClientProof, svid evidence.Proof, audience string) (client.Client, trust.Reason) {
	ev, o := n.gather(ctx, r.Snapshot, &Ask{Evidence: []evidence.Proof{svid}}, n.Clock.Mark())
	c, reason := decision.Introduces(r.Snapshot, o, ev, audience)
	if reason == "" && p.ID != "" && p.ID != c.Document.ID {
		reason = trust.UnknownClient
	}
	return c, reason
}

// proven finds the client that a key or a certificate is of.
func (n *Node) proven(ctx context.Context, r registry, p *ClientProof) (client.Client, trust.Reason) {
	proof := evidence.ClientProof{ID: p.ID, Assertion: p.Assertion}
	if len(p.Assertion) == 0 {
		proof.Certificate = p.Certificates[0]
	}
	c, signed, fault := evidence.VerifyClient(proof, r, n.Now())
	if fault != nil {
		return c, fault.Reason
	}
	if reason := decision.Vouches(r.Snapshot, &c, n.Now()); reason != "" || signed == nil {
		return c, reason
	}
	body, err := canonical.Marshal(decision.ClientLeaf{Client: c.Document.ID, Signed: signed.Key})
	if err == nil {
		_, err = n.decisions.Append(ctx, ledger.Entry{Kind: decision.ClientKind.Name, Version: decision.ClientKind.Version, Body: body}, signed.Once)
	}
	switch trust.KindOf(err) {
	case "":
		return c, ""
	case trust.Conflict:
		return c, trust.Replayed
	case trust.Unavailable:
		return c, trust.QuotaFull
	default:
		n.Log.Error("a client's assertion could not be used up; the client was not let in", "error", err)
		return c, trust.CannotRecord
	}
}

// RegisteredClient gives a client that has not ended.
func (r registry) RegisteredClient(id string) (client.Client, bool) {
	c, ok := r.Client.Get(id)
	if !ok || c.Ended {
		return client.Client{}, false
	}
	return c, true
}

// clipped is a stranger's text as our log takes it.
func clipped(text string) string { return text[:min(len(text), 64)] }
