package node

import (
	"context"
	"slices"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/trust"
)

// EndedCredential is one of this node's own that was revoked: by its identifier
// (jti), with the client it was issued to and when it would have expired. Position
// is of the entry that ended it; zero where it had ended before.
type EndedCredential struct {
	Position   trust.Position `json:"position,omitzero"`
	Credential string         `json:"credential"`
	Client     string         `json:"client"`
	Expires    trust.Instant  `json:"expires"`
}

// RevokeCredential ends one credential of this node's own, by its identifier (jti)
// or by the reference of a record: of its issue, or of a decision on it. It holds
// on the next request, and sessions that were opened with it end. One that is not
// known or has expired is NotFound.
func (n *Node) RevokeCredential(ctx context.Context, a Actor, id string, why Why) (EndedCredential, error) {
	if !mayRevoke(a) {
		return EndedCredential{}, n.denyOperator(ctx, a)
	}
	if why.Reason == "" {
		return EndedCredential{}, trust.Errorf(trust.Invalid, "a revocation has a reason; this one has none")
	}
	found, err := n.credentialOf(ctx, id)
	if err != nil {
		return found, err
	}
	found.Position, err = n.change(ctx, func(c *change) error { return c.endCredential(&found, a.ID, why) })
	return found, err
}

func (c *change) endCredential(e *EndedCredential, by string, why Why) error {
	events, err := c.Revocation.RevokeCredential(e.Credential, int64(e.Expires), by)
	return c.addAll(events, err, sealed{text: why})
}

// credentialOf finds a live credential.
func (n *Node) credentialOf(ctx context.Context, id string) (EndedCredential, error) {
	unknown := trust.Errorf(trust.NotFound, "%.40q is no live credential of this node, nor the reference of a record of one", id)
	if at, ok := n.Keys.ParseReference(id); ok {
		record, err := n.decisions.Entry(ctx, at.N)
		if err != nil {
			return EndedCredential{}, err
		}
		if found, ok := n.issuedIn(ctx, &record); ok {
			return found, n.live(&found, unknown)
		}
		leaf, _, _, err := n.recorded(ctx, record)
		if err != nil || leaf.Credential == "" {
			return EndedCredential{}, unknown
		}
		id = leaf.Credential
	}
	since := n.Now() - longestCredential(n.State())
	for end := n.decisions.Size(); end > 0; {
		from := end - min(end, readAtOnce)
		records, err := n.decisions.Read(ctx, from, int(end-from))
		if err != nil {
			return EndedCredential{}, err
		}
		end = from
		for i := range slices.Backward(records) {
			if records[i].At < since {
				return EndedCredential{}, unknown
			}
			if found, ok := n.issuedIn(ctx, &records[i]); ok && found.Credential == id {
				return found, n.live(&found, unknown)
			}
		}
	}
	return EndedCredential{}, unknown
}

func (n *Node) live(e *EndedCredential, unknown error) error {
	if int64(e.Expires) <= n.Now() {
		return unknown
	}
	return nil
}

// issuedIn gives the credential that an entry issues; false where it issues none.
func (n *Node) issuedIn(ctx context.Context, r *ledger.Record) (EndedCredential, bool) {
	issue, ok := decision.ParseIssue(trust.Kind{Name: r.Kind, Version: r.Version}, r.Body)
	if !ok {
		return EndedCredential{}, false
	}
	leaf, _, _, err := n.recorded(ctx, *r)
	if err != nil {
		return EndedCredential{}, false
	}
	return EndedCredential{Credential: issue.ID, Client: leaf.EnforcementPoint, Expires: trust.Instant(issue.Expires)}, true
}
