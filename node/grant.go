package node

import (
	"context"
	"encoding/base64"

	"github.com/entente-id/entente/credential"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// grant is an order that was granted, and may be for the identical order again:
// what its credentials rest on, and what they say alike. It never changes once
// it is remembered.
type grant struct {
	order   Exchange
	claims  credential.Claims // but for the identifier, the sealed ground and the times
	ground  []byte            // to be sealed into each
	footing *footing
	standing
}

func (n *Node) newGrant(s *state.Snapshot, j *judged, r *Exchange) *grant {
	ground := groundFor(s, &j.evidence.Evidence)
	ground.Agreement = j.decision.Agreement
	ground.carryChain(s, &j.evidence.Evidence, r)
	return &grant{
		order: *r,
		claims: credential.Claims{
			Issuer: n.self.String(), Subject: n.pairwise(r.Target, j.observed.Subject), Audience: r.Target, Client: r.Client,
			Scope: r.Scope, Access: r.Access, Key: holder(&j.evidence.Evidence),
			Actors: n.actors(&j.evidence.Evidence, r.Target),
		},
		ground:   ground.Append(nil),
		footing:  newFooting(j.evidence.Ground(), r.Client, s.Edge.Recovery.Epoch, &j.observed, j.decision.Agreement),
		standing: standing{rules: s.Rules, agreement: j.decision.Agreement, Ground: j.evidence.Ground(), made: j.observed, Bounds: j.decision.Bounds, served: servedBy(&j.evidence, &j.observed, &j.decision)},
	}
}

// pairwise is what a service is told of a subject: another identifier at each,
// so that two of them cannot find out that they speak of the same person.
func (n *Node) pairwise(audience string, subject trust.SubjectKey) string {
	sum := n.Keys.Commit("pairwise", audience+"\x00"+string(subject[:]))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// minted is a credential that is signed and not recorded yet.
type minted struct {
	decision.Issue
	token  string
	ttl    int64 // seconds
	access []evidence.Access
	bound  bool
}

func (m *minted) issued(reference string) Issued {
	return Issued{Token: m.token, ID: m.ID, TTL: m.ttl, Access: m.access, Bound: m.bound, Reason: trust.Permit, Reference: reference}
}

// mint draws a credential's identifier and signs it. It does not outlive the key
// that signs it.
func (n *Node) mint(s *state.Snapshot, g *grant, o *decision.Observed) (m minted, err error) {
	signer, ends, err := n.tokenSigner(s, o.Now)
	if err != nil {
		return m, err
	}
	claims := g.claims
	if claims.ID, err = n.newCredentialID(); err != nil {
		return m, err
	}
	claims.IssuedAt, claims.ExpiresAt = o.Now, min(o.Now+g.LifeAt(o), ends)
	if m.Place, err = n.place(o.Now); err != nil {
		return m, err
	}
	if m.Place.List != "" {
		claims.Status = credential.Place{URI: n.statusURI(m.Place.List), Index: m.Place.Index}
	}
	if claims.Ground, err = n.Keys.SealGround(claims.ID, g.ground); err != nil {
		return m, err
	}
	m.access, m.bound = claims.Access, claims.Key != ""
	m.ID, m.Expires, m.ttl = claims.ID, claims.ExpiresAt, claims.ExpiresAt-o.Now
	m.token, err = jose.SignPayload(signer, credential.Type, claims.Append(nil))
	return m, err
}

// issueAgain gives another credential on a remembered grant, which still holds
// on s, after recording that. It is false where trust was reduced meanwhile and
// that matters here.
func (n *Node) issueAgain(ctx context.Context, s *state.Snapshot, g *grant, r *Exchange, o *decision.Observed) (Issued, bool) {
	m, err := n.mint(s, g, o)
	if err != nil {
		return n.unissued(err), true
	}
	body := bodies.Get().(*[]byte)
	defer bodies.Put(body)
	entry := ledger.Entry{Kind: decision.ReissuedKind.Name, Version: decision.ReissuedKind.Version}
	if r.RequestID != "" {
		*body = decision.AppendSealedID((*body)[:0], r.RequestID)
		if entry.Sealed = n.sealDetails(ctx, o.Subject, *body); entry.Sealed == nil {
			return Issued{Reason: trust.CannotRecord, Refusal: Unavailable}, true
		}
	}
	*body = decision.AppendReissued((*body)[:0], &m.Issue, g.of, o, s.At.Position, m.ttl)
	entry.Body = *body
	at, err := n.decisions.Append(ctx, entry)
	if err != nil {
		return n.unissued(err), true
	}
	n.statuses.remember(&m.Issue, g.footing)
	if latest := n.State(); latest.Epoch != s.Epoch && !n.grantHolds(ctx, latest, g, r) {
		return Issued{}, false
	}
	return m.issued(n.Keys.Reference(at)), true
}

// grantHolds decides a recorded grant again on a later snapshot.
func (n *Node) grantHolds(ctx context.Context, s *state.Snapshot, g *grant, r *Exchange) bool {
	if s.Rules != g.rules || !r.Partner.IsZero() {
		return n.confirmsExchange(ctx, s, r)
	}
	return g.stillHolds(n, s, n.Clock.Mark(), new(decision.Observed))
}

func (n *Node) unissued(err error) Issued {
	n.Log.Error("a credential could not be issued; it was denied", "error", err)
	return Issued{Reason: trust.CannotRecord, Refusal: Unavailable}
}
