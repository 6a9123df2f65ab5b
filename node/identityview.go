package node

import (
	"context"

	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/trust"
)

// Identity is one, where it stands, and what was written of it, which is gone once
// it was erased.
type Identity struct {
	identity.Identity
	Stage    identity.Stage
	Owner    identity.Owner
	Text     IdentityText
	Accounts []IdentityAccount
	Keys     []IdentityKey
	Asked    identity.Request // for a return, while that counts
}

// IdentityText is what people call an identity and what it is for.
type IdentityText struct{ Name, Purpose string }

// IdentityAccount is an account, by its name where that was not erased.
type IdentityAccount struct {
	Key     trust.SubjectKey `json:"key"`
	Issuer  string           `json:"issuer,omitempty"`
	Subject string           `json:"subject,omitempty"`
	Ended   bool             `json:"ended,omitzero"`
	Stopped bool             `json:"stopped,omitzero"`
}

// IdentityKey is a key, by the name that it was linked by. Replaced is when another
// came in its place; 0 for one that counts.
type IdentityKey struct {
	Name     string        `json:"name,omitempty"`
	Replaced trust.Instant `json:"replaced,omitzero"`
}

// identitiesAtOnce is how many identities are on one page.
const identitiesAtOnce = 500

// Identities lists the identities in the order in which they were registered, those
// that have ended too: at most a page behind the one that after names, empty for
// the first. Next is what names the end of the page; empty where no more follow.
func (n *Node) Identities(ctx context.Context, a Actor, after string) (page []Identity, next string, err error) {
	if err := n.read(a); err != nil {
		return nil, "", err
	}
	var number uint32
	if after != "" {
		if number, err = identity.ParseID(after); err != nil {
			return nil, "", err
		}
	}
	c := n.looking(ctx)
	for i := range c.Identity.From(number) {
		if len(page) == identitiesAtOnce {
			return page, page[len(page)-1].ID(), nil
		}
		one, err := c.identity(i)
		if err != nil {
			return nil, "", err
		}
		page = append(page, one)
	}
	return page, "", nil
}

// Identity finds an identity by its identifier.
func (n *Node) Identity(ctx context.Context, a Actor, id string) (Identity, error) {
	if err := n.read(a); err != nil {
		return Identity{}, err
	}
	number, err := identity.ParseID(id)
	if err != nil {
		return Identity{}, err
	}
	return n.identityAt(ctx, number)
}

// looking is a look at the newest state, by the words that commands use.
func (n *Node) looking(ctx context.Context) *change {
	return &change{Snapshot: n.State(), now: n.Now(), n: n, ctx: ctx}
}

func (n *Node) identityAt(ctx context.Context, number uint32) (Identity, error) {
	c := n.looking(ctx)
	i, ok := c.Identity.Get(number)
	if !ok {
		return Identity{}, trust.Errorf(trust.NotFound, "%s is not known", identity.ID(number))
	}
	return c.identity(i)
}

func (c *change) identity(i identity.Identity) (Identity, error) {
	facts := c.identityFacts()
	out := Identity{Identity: i, Stage: c.Identity.Stage(i, facts), Owner: c.Identity.OwnerOf(i)}
	if asked, ok := c.Identity.AskedFor(i.N); ok && c.now < asked.Until {
		out.Asked = asked
	}
	first, err := c.identityText(i.First, i.At)
	if err != nil {
		return out, err
	}
	out.Text = IdentityText{first.Name, first.Purpose}
	if i.Purpose != (trust.Position{}) && i.Purpose != i.At {
		moved, err := c.identityText(i.First, i.Purpose)
		if err != nil {
			return out, err
		}
		out.Text.Purpose = moved.Purpose
	}
	for account, link := range c.Identity.AccountsOf(i) {
		name, err := c.identityText(account, link.At)
		if err != nil {
			return out, err
		}
		out.Accounts = append(out.Accounts, IdentityAccount{account, name.Issuer, name.Subject, facts.Ended(account), facts.Suspended(account)})
	}
	for _, link := range c.Identity.KeysOf(i) {
		name, err := c.identityText(i.First, link.At)
		if err != nil {
			return out, err
		}
		out.Keys = append(out.Keys, IdentityKey{name.Key, trust.Instant(link.Until)})
	}
	return out, nil
}

// accountName is the name of an account, for whoever is told of it. It fails with
// Conflict where that was erased.
func (c *change) accountName(account trust.SubjectKey, link identity.Link) (identityText, error) {
	text, err := c.identityText(account, link.At)
	if err == nil && text.Subject == "" {
		err = trust.Errorf(trust.Conflict, "the name of an account of %s was erased; hosts cannot be told of it", identity.ID(link.N))
	}
	return text, err
}

// identityText reads what stands beside an entry, sealed for an account; nothing
// where that was erased.
func (c *change) identityText(account trust.SubjectKey, at trust.Position) (identityText, error) {
	r, err := c.n.trust.Entry(c.ctx, at.N)
	if err != nil {
		return identityText{}, err
	}
	text, err := unsealed[identityText](c, account, r)
	if err != nil || text == nil {
		return identityText{}, err
	}
	return *text, nil
}
