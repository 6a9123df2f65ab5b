package delegation

import (
	"fmt"
	"slices"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// Root is what the principal's verified token says.
type Root struct {
	Principal Party
	Hash      [32]byte // SHA-256 of the token
	Audience  string
	ExpiresAt int64
	MayAct    Party // the only one whom the token lets act; zero where it does not say
}

// Vouch checks the form of a link and that a registered key of the issuer which
// it names signed it.
type Vouch func(link []byte) (jose.Verified, *Fault)

// Form is what a link is read by.
var Form = jose.Form{Types: []string{Type}, Use: jose.ForLink, MaxBytes: MaxBytes}

// Verify walks a chain from the principal's token to its last link at now (Unix
// seconds). Each link must be signed for whom the one before it names, commit to
// it, and give no more than it: not in scope, audience, time or depth. Nobody
// stands in a chain twice. It gives the links up to the one at fault.
func Verify(root Root, links [][]byte, vouch Vouch, now int64) ([]Link, *Fault) {
	if len(links) == 0 || len(links) > MaxLinks {
		return nil, &Fault{trust.ChainDepth, fmt.Sprintf("chain has %d links; it has 1 to %d", len(links), MaxLinks)}
	}
	chain := make([]Link, 0, len(links))
	before := root.end()
	for i, raw := range links {
		link, f := before.follow(raw, vouch, now)
		if f == nil && i == 0 {
			f = root.names(&link)
		}
		if f != nil {
			return chain, &Fault{f.Reason, fmt.Sprintf("link %d of %d %s", i+1, len(links), f.Text)}
		}
		chain = append(chain, link)
	}
	return chain, nil
}

func fault(reason trust.Reason, text string) *Fault { return &Fault{reason, text} }

func cycle() *Fault {
	return fault(trust.ChainCycle, "leads back to somebody who stands in the chain already")
}

// names: the first link is to whom the principal's token lets act, if it says.
func (r Root) names(first *Link) *Fault {
	if !r.MayAct.IsZero() && first.To != r.MayAct {
		return fault(trust.NotTheActor, "names another than the principal's token lets act (may_act)")
	}
	return nil
}

// end is where a chain stands: who is next, and what may be passed on to them.
type end struct {
	first    bool // nothing but the token stands before
	next     Party
	key      string
	hash     [32]byte
	audience string
	expires  int64
	depth    int   // links that may follow
	scope    Scope // nil: whatever the principal may
	parties  []Party
}

func (r Root) end() *end {
	return &end{
		first: true, next: r.Principal, hash: r.Hash, audience: r.Audience, expires: r.ExpiresAt, depth: MaxLinks,
		parties: []Party{r.Principal},
	}
}

func (l *Link) end(hash [32]byte, parties []Party) *end {
	return &end{
		next: l.To, key: l.Key, hash: hash, audience: l.Audience, expires: l.ExpiresAt, depth: l.Depth, scope: l.Scope,
		parties: parties,
	}
}

// follow judges one link and moves the end behind it.
func (e *end) follow(raw []byte, vouch Vouch, now int64) (Link, *Fault) {
	if len(raw) > MaxBytes {
		return Link{}, fault(trust.LinkMalformed, fmt.Sprintf("is longer than %d bytes", MaxBytes))
	}
	v, f := vouch(raw)
	if f != nil {
		return Link{}, f
	}
	l, err := Read(v.Claims())
	if err != nil {
		return Link{}, fault(trust.LinkMalformed, "is refused: "+err.Error())
	}
	if f := e.joined(&l, v.Key().Thumbprint()); f != nil {
		return l, f
	}
	if f := e.narrows(&l); f != nil {
		return l, f
	}
	switch {
	case now >= l.ExpiresAt:
		return l, fault(trust.LinkExpired, "has expired")
	case l.IssuedAt > now+Leeway:
		return l, fault(trust.LinkNotYetValid, "is from more than 30 s in our future")
	case slices.Contains(e.parties, l.To):
		return l, cycle()
	}
	*e = *l.end(v.Hash(), append(e.parties, l.To))
	return l, nil
}

// joined: the link comes from whom the chain has led to, is signed with the key
// that they are held to, and commits to all that stands before it.
func (e *end) joined(l *Link, signedBy string) *Fault {
	switch {
	case l.From != e.next && e.first:
		return fault(trust.LinkPrincipal, "is of another principal than the token")
	case l.From != e.next:
		return fault(trust.LinkHop, "is of another than the link before it lets act")
	case l.Parent != e.hash:
		return fault(trust.LinkParent, "commits to something else than what stands before it")
	case e.key != "" && e.key != signedBy:
		return fault(trust.LinkKey, "is signed with another key than the link before it names")
	default:
		return nil
	}
}

// narrows: the link passes nothing on that it was not given.
func (e *end) narrows(l *Link) *Fault {
	switch {
	case l.Audience != e.audience:
		return fault(trust.LinkAudience, "is for another audience than what stands before it")
	case l.ExpiresAt > e.expires:
		return fault(trust.LinkExpiry, "expires later than what stands before it")
	case l.Depth >= e.depth:
		return fault(trust.ChainDepth, fmt.Sprintf("lets %d more follow it; %d could, with itself", l.Depth, e.depth))
	case e.scope != nil && !l.Scope.Within(e.scope):
		return fault(trust.LinkScope, "lets more be done than the link before it")
	default:
		return nil
	}
}
