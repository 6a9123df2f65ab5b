package node

import (
	"context"

	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// IdentityRequest registers a subject that this organisation answers for, by its
// name at one of the organisation's own issuers. Owner is operator:ID or role:NAME,
// and Purpose says what it is for; what is no person is active only with both.
// Until is its end, 0 for none. Name and Purpose are sealed.
type IdentityRequest struct {
	Class   trust.Class   `json:"class"`
	Name    string        `json:"name"`
	Issuer  string        `json:"issuer"`
	Subject string        `json:"subject"`
	Owner   string        `json:"owner,omitempty"`
	Purpose string        `json:"purpose,omitempty"`
	Until   trust.Instant `json:"until,omitzero"`
}

// identityText is the sealed part of what names an identity or an account of it.
type identityText struct {
	Name    string `json:"name,omitempty"`
	Issuer  string `json:"issuer,omitempty"`
	Subject string `json:"subject,omitempty"`
	Purpose string `json:"purpose,omitempty"`
	Key     string `json:"key,omitempty"`
}

// RegisterIdentity takes a subject of ours into the register. It is not active yet.
func (n *Node) RegisterIdentity(ctx context.Context, a Actor, r IdentityRequest) (Identity, error) {
	owner, err := identity.ParseOwner(r.Owner)
	if err != nil {
		return Identity{}, err
	}
	if r.Name == "" {
		return Identity{}, trust.Errorf(trust.Invalid, "an identity has a name by which people find it; this one has none")
	}
	var number uint32
	_, err = n.write(ctx, a, func(c *change) error {
		account, err := c.ownAccount(r.Issuer, r.Subject)
		if err != nil {
			return err
		}
		facts := c.identityFacts()
		if facts.Ended(account) {
			return trust.Errorf(trust.Conflict, "the engagement of this account has ended; who comes back begins a new one first")
		}
		events, err := c.Identity.Register(facts, identity.Registered{
			Class: r.Class, Account: account, Owner: owner, Purpose: r.Purpose != "", Until: int64(r.Until), By: a.ID,
		}, c.now)
		number = uint32(c.Identity.Identities.Len()) + 1 //nolint:gosec // a ledger holds fewer
		return c.named(account, identityText{Name: r.Name, Issuer: r.Issuer, Subject: r.Subject, Purpose: r.Purpose}, events, err)
	})
	if err != nil {
		return Identity{}, err
	}
	return n.identityAt(ctx, number)
}

// ActivateIdentity lets an identity be used.
func (n *Node) ActivateIdentity(ctx context.Context, a Actor, id string) (Identity, error) {
	return n.changeIdentity(ctx, a, id, func(c *change, i identity.Identity) error {
		return c.take(c.Identity.Activate(c.identityFacts(), i.N, a.ID, c.now))
	})
}

// IdentityMove changes what an identity is for, or when it ends: at Until, or with
// Endless never. What is not said stays.
type IdentityMove struct {
	Purpose string        `json:"purpose,omitempty"`
	Until   trust.Instant `json:"until,omitzero"`
	Endless bool          `json:"endless,omitzero"`
}

// MoveIdentity changes what an identity is for, or its end.
func (n *Node) MoveIdentity(ctx context.Context, a Actor, id string, m IdentityMove) (Identity, error) {
	if m.Purpose == "" && m.Until == 0 && !m.Endless || m.Until != 0 && m.Endless {
		return Identity{}, trust.Errorf(trust.Invalid, "moving %s says a purpose, or one end; this says none, or two", id)
	}
	return n.changeIdentity(ctx, a, id, func(c *change, i identity.Identity) error {
		until := int64(m.Until)
		if m.Until == 0 && !m.Endless {
			until = i.Until
		}
		events, err := c.Identity.Move(c.identityFacts(), identity.Moved{N: i.N, Purpose: m.Purpose != "", Until: until, By: a.ID}, c.now)
		return c.named(i.First, identityText{Purpose: m.Purpose}, events, err)
	})
}

// HandOverIdentity gives an identity to another owner, operator:ID or role:NAME.
func (n *Node) HandOverIdentity(ctx context.Context, a Actor, id, owner, reason string) (Identity, error) {
	to, err := identity.ParseOwner(owner)
	if err != nil {
		return Identity{}, err
	}
	return n.changeIdentity(ctx, a, id, func(c *change, i identity.Identity) error {
		if reason == "" {
			return trust.Errorf(trust.Invalid, "a hand-over has a reason; this has none")
		}
		events, err := c.Identity.HandOver(c.identityFacts(), i.N, to, a.ID)
		if err := c.explained(i, reason, events, err); err != nil || c.refusal != nil {
			return err
		}
		return c.closeUnowned(i.N, a.ID, "handed over")
	})
}

// IdentityLink is another account of an identity, by Issuer and Subject, or another
// key, by its RFC 7638 thumbprint or any other name that nobody else's has; a key
// may stand in place of one that it Replaces.
type IdentityLink struct {
	Issuer   string `json:"issuer,omitempty"`
	Subject  string `json:"subject,omitempty"`
	Key      string `json:"key,omitempty"`
	Replaces string `json:"replaces,omitempty"`
}

// LinkIdentity gives an identity another account or key. It stays the same identity.
func (n *Node) LinkIdentity(ctx context.Context, a Actor, id string, l IdentityLink) (Identity, error) {
	if (l.Key == "") == (l.Subject == "") || l.Replaces != "" && l.Key == "" {
		return Identity{}, trust.Errorf(trust.Invalid, "%s is linked to an account, or to a key that may replace another; one of them is named", id)
	}
	return n.changeIdentity(ctx, a, id, func(c *change, i identity.Identity) error {
		if l.Key != "" {
			k := identity.KeyLinked{N: i.N, Key: n.identityKey(l.Key), By: a.ID}
			if l.Replaces != "" {
				k.Replaces = n.identityKey(l.Replaces)
			}
			events, err := c.Identity.LinkKey(c.identityFacts(), k)
			return c.named(i.First, identityText{Key: l.Key}, events, err)
		}
		account, err := c.ownAccount(l.Issuer, l.Subject)
		if err != nil {
			return err
		}
		events, err := c.Identity.LinkAccount(c.identityFacts(), i.N, account, a.ID)
		return c.named(account, identityText{Issuer: l.Issuer, Subject: l.Subject}, events, err)
	})
}

// SuspendIdentity stops every account of an identity, here and at each host, until
// two people let each go on. One operator is enough.
func (n *Node) SuspendIdentity(ctx context.Context, a Actor, id string, why Why) (Identity, error) {
	return n.changeIdentity(ctx, a, id, func(c *change, i identity.Identity) error {
		if events, err := c.Identity.Suspend(c.identityFacts(), i.N, a.ID); err != nil {
			return c.take(events, err)
		}
		return c.suspendAccounts(i, why, a.ID)
	})
}

// OffboardIdentity ends an identity for good, and with it the engagement of each of
// its accounts, here and at each host, as Revoke does. One authorised person is
// enough.
func (n *Node) OffboardIdentity(ctx context.Context, a Actor, id string, why Why) (out Revocation, err error) {
	if !mayRevoke(a) {
		return out, n.denyOperator(ctx, a)
	}
	number, err := identity.ParseID(id)
	if err != nil {
		return out, err
	}
	out.Position, err = n.change(ctx, func(c *change) error {
		if why.Reason == "" {
			return trust.Errorf(trust.Invalid, "offboarding %s has a reason; this has none", id)
		}
		events, err := c.Identity.Offboard(number, a.ID)
		i, _ := c.Identity.Get(number)
		if err := c.explained(i, why.Reason, events, err); err != nil || c.refusal != nil {
			return err
		}
		for account, link := range c.Identity.AccountsOf(i) {
			if _, alive := c.engagement(account); !alive {
				continue
			}
			name, err := c.accountName(account, link)
			if err != nil {
				return err
			}
			out.Partners, _, err = c.revoke(RevokeRequest{
				Kind: revocation.Subject, Issuer: name.Issuer, Subject: name.Subject, Reason: why.Reason, Incident: why.Incident,
			}, a.ID)
			if err != nil {
				return err
			}
		}
		return c.closeUnowned(number, a.ID, "offboarded")
	})
	return out, err
}

// IdentityReturn is how far a return has come. Asked is who asked first. Until
// then, in Until, another person must say so too; 0 once that happened, and
// Engagement has begun. Each partner approves it for itself.
type IdentityReturn struct {
	Asked      string           `json:"asked"`
	Until      trust.Instant    `json:"until,omitzero"`
	Engagement trust.Engagement `json:"engagement,omitzero"`
}

// ReturnIdentity lets an identity that was offboarded begin a new engagement with
// each of its accounts: the first operator asks, after a joiner check, and another
// person says so too. It is to be activated then as a new one.
func (n *Node) ReturnIdentity(ctx context.Context, a Actor, id, check string) (out IdentityReturn, err error) {
	number, err := identity.ParseID(id)
	if err != nil {
		return out, err
	}
	_, err = n.write(ctx, a, func(c *change) error {
		if check == "" {
			return trust.Errorf(trust.Invalid, "a return has the reference of its joiner check; this has none")
		}
		i, _ := c.Identity.Get(number)
		events, err := c.Identity.Return(c.identityFacts(), number, a.ID, c.now)
		if err := c.explained(i, check, events, err); err != nil || c.refusal != nil {
			return err
		}
		switch e := events[0].(type) {
		case identity.ReturnAsked:
			out = IdentityReturn{Asked: e.By, Until: trust.Instant(e.Until)}
		case identity.Returned:
			out = IdentityReturn{Asked: e.Asked, Engagement: e.Engagement}
			return c.bringBack(i, e, check)
		}
		return nil
	})
	return out, err
}

// bringBack opens a new engagement of each account by the word of who asked, and
// approves it here by that of the other.
func (c *change) bringBack(i identity.Identity, e identity.Returned, check string) error {
	for account, link := range c.Identity.AccountsOf(i) {
		name, err := c.accountName(account, link)
		if err != nil {
			return err
		}
		if _, err := c.openEngagement(name.Issuer, name.Subject, check, e.Asked); err != nil {
			return err
		}
		if err := c.take(c.Revocation.Approve(account, e.By)); err != nil {
			return err
		}
	}
	return nil
}

// returnsAlone: an account of an identity that is offboarded comes back with it, by
// the word of two. One that was erased is an account no more.
func (c *change) returnsAlone(issuer, subject string) error {
	account, err := c.ownAccount(issuer, subject)
	if err != nil || c.Erasure.Forgotten(account) {
		return nil //nolint:nilerr // who may open an engagement is asked where that is done
	}
	if i, ok := c.Identity.ByAccount(account); ok && c.Identity.Stage(i, c.identityFacts()) == identity.Gone {
		return trust.Errorf(trust.Conflict, "subject is an account of %s, which is offboarded; its return takes two people", i.ID())
	}
	return nil
}

// changeIdentity is write for one identity, which it gives as it is after that.
func (n *Node) changeIdentity(ctx context.Context, a Actor, id string, command func(*change, identity.Identity) error) (Identity, error) {
	var number uint32
	_, err := n.write(ctx, a, func(c *change) (err error) {
		if number, err = identity.ParseID(id); err != nil {
			return err
		}
		i, ok := c.Identity.Get(number)
		if !ok {
			return trust.Errorf(trust.NotFound, "%s is not known", id)
		}
		return command(c, i)
	})
	if err != nil {
		return Identity{}, err
	}
	return n.identityAt(ctx, number)
}

// named records events that name an identity, an account or a key in words, sealed
// for an account; or their refusal.
func (c *change) named(account trust.SubjectKey, text identityText, events []trust.Event, refusal error) error {
	if refusal != nil {
		return c.take(events, refusal)
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: account, text: text}); err != nil {
			return err
		}
	}
	return nil
}

// explained records events with a reason, or their refusal.
func (c *change) explained(i identity.Identity, reason string, events []trust.Event, refusal error) error {
	if refusal != nil {
		return c.take(events, refusal)
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: i.First, text: reasonText{reason}}); err != nil {
			return err
		}
	}
	return nil
}

// suspendAccounts stops every account of an identity that is not stopped already.
func (c *change) suspendAccounts(i identity.Identity, why Why, by string) error {
	for account, link := range c.Identity.AccountsOf(i) {
		if _, alive := c.engagement(account); !alive {
			continue
		}
		name, err := c.accountName(account, link)
		if err != nil {
			return err
		}
		_, err = c.suspend(SuspendRequest{
			Stoppable: Stoppable{Kind: suspension.Subject, Issuer: name.Issuer, Subject: name.Subject, Participant: c.n.self}, Why: why,
		}, by)
		if err != nil {
			return err
		}
	}
	return nil
}

// ownAccount is the key of one of our own subjects.
func (c *change) ownAccount(issuer, subject string) (account trust.SubjectKey, err error) {
	if subject == "" {
		return account, trust.Errorf(trust.Invalid, "an account is named by its identifier at %s", issuer)
	}
	_, line, owner, err := c.speaks(issuer)
	if err != nil {
		return account, err
	}
	if owner != c.n.self {
		return account, trust.Errorf(trust.Denied, "issuer %s speaks for %s; only its own organisation registers who it names", issuer, owner)
	}
	return c.n.Keys.Subject(owner.String(), line.Namespace(), subject), nil
}

// identityKey is how the ledger knows a key.
func (n *Node) identityKey(name string) trust.SubjectKey { return n.Keys.Commit("identity key", name) }

// identityFacts are what an identity rests on besides its own state.
func (c *change) identityFacts() identity.Facts {
	return identity.Facts{
		Ended: func(account trust.SubjectKey) bool {
			_, alive := c.engagement(account)
			return !alive
		},
		Suspended: func(account trust.SubjectKey) bool { return c.Suspension.SubjectSuspended(account, c.now) },
		Serves: func(o identity.Owner) bool {
			if o.Operator != "" {
				one, ok := c.Operator.Get(o.Operator)
				return ok && !one.Removed
			}
			return o.Role != "" && len(c.Operator.Holders(string(o.Role))) > 0
		},
		Same: c.Operator.SamePerson, Admin: c.Operator.Serves,
	}
}
