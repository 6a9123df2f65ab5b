package node

import (
	"context"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// Introspection is what a service may know of a credential that is still good.
type Introspection struct {
	Issuer, Subject, Audience, Client, ID string
	ExpiresAt                             int64
	Key, Certificate                      string // what the service has to see the caller hold; see evidence.Binding
	Access                                []evidence.Access
}

// Introspect decides on a credential again, on everything that it was granted
// (R17), and records that. It is false for whatever is no credential of this
// node for a service behind the enforcement point, or would not be issued any
// more, and for what cannot be recorded.
func (n *Node) Introspect(ctx context.Context, client string, token []byte) (Introspection, bool) {
	s := n.State()
	r := Exchange{again: true, Client: client, Subject: evidence.Proof{Kind: evidence.AccessToken, Token: token}}
	j := n.gatherExchange(ctx, s, &r, n.Clock.Mark())
	ev := &j.evidence
	if ev.Fault == nil && ev.Grant != nil && tells(s, client, ev) {
		r.Target, r.Access = ev.Audience, ev.Grant.Access
		j.decide(s, &r)
	} else {
		j.request = decision.Request{EnforcementPoint: client, SubjectID: "0"}
		j.decision = decision.Decide(s, j.observed, j.evidence, j.request)
	}
	v := &verdict{rules: s.Rules, observed: j.observed, evidence: j.evidence, decision: j.decision}
	if _, err := n.record(ctx, s, v, &Ask{Request: j.request}); err != nil {
		n.Log.Error("an introspection could not be recorded; the credential is inactive", "error", err)
		return Introspection{}, false
	}
	if ev.Grant == nil || !j.decision.Permit || n.State().Epoch != s.Epoch && !n.confirmsExchange(ctx, n.State(), &r) {
		return Introspection{}, false
	}
	return Introspection{
		Issuer: n.self.String(), Subject: n.pairwise(ev.Audience, j.observed.Subject), Audience: ev.Audience, Client: ev.ClientID,
		ID: ev.Grant.ID, ExpiresAt: ev.ExpiresAt, Key: ev.Binding.Key, Certificate: ev.Binding.Certificate, Access: ev.Grant.Access,
	}, true
}

// tells reports whether an introspecting client may know of a credential: a
// registered client of those that were issued to it, an enforcement point of all
// that are for services behind it.
func tells(s *state.Snapshot, client string, ev *decision.Evidence) bool {
	_, registered := s.Client.Get(client)
	return !registered || ev.ClientID == client
}

// GiveBack ends a credential that was issued to the client, durably and on the
// next request. Of anything else it changes nothing, and does not tell.
func (n *Node) GiveBack(ctx context.Context, client string, token []byte) error {
	ev, _, fault := evidence.Verify(evidence.Proof{Kind: evidence.AccessToken, Token: token}, registry{n.State(), n}, n.Now(), n.tokens)
	if fault != nil || ev.Grant == nil || ev.ClientID != client {
		return nil
	}
	_, err := n.change(ctx, func(c *change) error {
		events, err := c.Revocation.RevokeCredential(ev.Grant.ID, ev.ExpiresAt, client)
		if err != nil {
			return err
		}
		return c.add(events...)
	})
	if err != nil {
		return trust.Errorf(trust.KindOf(err), "ending a credential: %w", err)
	}
	return nil
}
