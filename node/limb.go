package node

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/entente-id/entente/credential"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// limbs gives what hangs from a root on s and has not ended, but for credentials
// and sessions.
func (n *Node) limbs(s *state.Snapshot, r *revocation.Root, now int64) (all []revocation.Limb) {
	c := &change{Snapshot: s, now: now, n: n}
	if c.alive(r) {
		all = append(all, revocation.Limb{Kind: revocation.LimbRoot})
	}
	if r.Kind == revocation.RootAgreement {
		for _, m := range s.Mapping.For(r.Agreement) {
			if m.Stage != mapping.Ended {
				all = append(all, revocation.Limb{Kind: revocation.LimbMapping, Name: m.Document.Name})
			}
		}
	}
	for x := range s.Exception.All() {
		if x.Alive(now) && c.lets(x.Participant, x.Issuer, x.Account, r) {
			all = append(all, revocation.Limb{Kind: revocation.LimbException, Name: x.Name})
		}
	}
	if r.Kind == revocation.RootClient {
		for _, t := range s.Stream.Of(r.Client) {
			all = append(all, revocation.Limb{Kind: revocation.LimbStream, Name: t.ID})
		}
	}
	return all
}

// alive reports whether the root itself counts still.
func (c *change) alive(r *revocation.Root) bool {
	switch r.Kind {
	case revocation.RootSubject:
		_, alive := c.engagement(r.Subject)
		return alive
	case revocation.RootKey:
		return !c.Revocation.KeyRevoked(r.Issuer.String(), r.Thumbprint)
	case revocation.RootIssuer:
		return !c.Revocation.IssuerRevoked(r.Participant.String(), r.Issuer.String())
	case revocation.RootAgreement:
		a, ok := c.Agreement.ByID(r.Agreement)
		return ok && !a.Ended(c.now)
	case revocation.RootClient:
		client, ok := c.Client.Get(r.Client)
		return ok && !client.Ended
	}
	return false
}

// lets reports whether an exception for this account lets the root in.
func (c *change) lets(p trust.ParticipantID, issuer trust.IssuerID, account string, r *revocation.Root) bool {
	switch r.Kind {
	case revocation.RootSubject:
		_, line, err := c.voice(issuer.String(), p)
		return err == nil && r.Participant == p && r.Subject == c.n.Keys.Subject(p.String(), line.Namespace(), account)
	case revocation.RootIssuer:
		return r.Participant == p && r.Issuer == issuer
	case revocation.RootKey, revocation.RootAgreement, revocation.RootClient:
	}
	return false
}

// credentialsOf gives the credentials that stand on a root and have not expired,
// ended or not. True where some may live that are not remembered.
func (n *Node) credentialsOf(ctx context.Context, r *revocation.Root, now int64) (rows []statusRow, uncounted bool) {
	l := n.statuses
	l.former.Do(func() { n.restoreStatuses(ctx, n.State(), now) })
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, list := range l.lists {
		for i := range list.rows {
			row := &list.rows[i]
			if now < row.expires && bears(r, &row.ground, &row.made, row.agreement) {
				rows = append(rows, *row)
			}
		}
	}
	return rows, now < l.unplaced
}

// living counts those that have not ended on s.
func living(rows []statusRow, s *state.Snapshot, now int64) (count int) {
	for i := range rows {
		if rows[i].status(s, now) != credential.Invalid {
			count++
		}
	}
	return count
}

// byPermit sorts sessions by when they were permitted.
func byPermit(open map[string]*permit) []string {
	return slices.SortedFunc(maps.Keys(open), func(x, y string) int { return open[x].of.Compare(open[y].of) })
}

// sessionsOf gives the open sessions that stand on a root, by reference.
func (n *Node) sessionsOf(r *revocation.Root) map[string]*permit {
	open := n.sessions.all(time.Now())
	for reference, p := range open {
		if !bears(r, &p.Ground, &p.made, p.agreement) {
			delete(open, reference)
		}
	}
	return open
}
