package node

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// LeakRequest reports that something leaked: Leaked is the SHA-256 of a token
// (base64url or hexadecimal), the identifier (jti) of a credential of this node,
// the reference of a decision on it, or a txn or reference that a host told us.
// With Revoke a credential of this node ends in the same act, and whoever another
// token speaks for is suspended.
type LeakRequest struct {
	Leaked string `json:"leaked"`
	Revoke bool   `json:"revoke,omitzero"`
	Why
}

// Leak says whose it is, where it was accepted, and who has to act (R74). Permits
// are those found in this ledger and in what hosts told us, in the time there was;
// Partial says that there were more records.
type Leak struct {
	Position  trust.Position          `json:"position"`
	Report    revocation.LeakReported `json:"report"`
	First     trust.Instant           `json:"first,omitzero"` // permit
	Last      trust.Instant           `json:"last,omitzero"`
	Services  []AcceptedService       `json:"services"` // where it was accepted here
	Abroad    []AcceptedAbroad        `json:"abroad"`   // where it was accepted at partners, as they told
	Owners    []LeakOwner             `json:"owners"`   // who has to act, on both sides
	Ended     *EndedCredential        `json:"ended,omitempty"`
	Suspended bool                    `json:"suspended,omitzero"` // whom it speaks for
}

// AcceptedAbroad is a partner at which something was accepted.
type AcceptedAbroad struct {
	Host    trust.ParticipantID `json:"host"`
	Permits int                 `json:"permits"`
}

// LeakOwner is one side of an agreement under which something was accepted: the
// role that owns it there and those that may revoke. Operators are the local ones
// in these roles; a partner's people the partner knows.
type LeakOwner struct {
	Agreement   string              `json:"agreement"` // its name
	Side        string              `json:"side"`      // home or host
	Participant trust.ParticipantID `json:"participant"`
	Owner       string              `json:"owner"`
	Revokes     []string            `json:"revokes"`
	Operators   []string            `json:"operators"`
}

// leakFor bounds how long a report reads.
const leakFor = 5 * time.Second

// leaked is what is looked for, and what was found of it.
type leaked struct {
	hash       string // SHA-256 of the token, base64url; empty: not known
	token      string // this ledger's hash of it
	credential string
	classes    map[trust.Class]bool // by which hosts told of it
	named      Stoppable
	out        Leak
}

// ReportLeak finds whose a leaked token or credential is, where it was accepted
// and who has to act on both sides, records that, and ends it where asked to. One
// of which there is no record is NotFound.
func (n *Node) ReportLeak(ctx context.Context, a Actor, r LeakRequest) (Leak, error) {
	if !mayRevoke(a) {
		return Leak{}, n.denyOperator(ctx, a)
	}
	if r.Reason == "" {
		return Leak{}, trust.Errorf(trust.Invalid, "a report of a leak says where it was found; this one has no reason")
	}
	l := leaked{classes: map[trust.Class]bool{}}
	l.out = Leak{Services: []AcceptedService{}, Abroad: []AcceptedAbroad{}, Owners: []LeakOwner{}}
	if err := n.nameLeak(ctx, a, &l, r.Leaked); err != nil {
		return l.out, err
	}
	if err := n.traceLeak(ctx, &l); err != nil {
		return l.out, err
	}
	report := &l.out.Report
	if report.Home.IsZero() {
		return l.out, trust.Errorf(trust.NotFound, "%.60q was presented to nobody that this ledger knows of", r.Leaked)
	}
	report.Credential, report.By = l.credential, a.ID
	slices.Sort(report.Classes)
	if l.credential == "" {
		report.Token = l.token
	}
	s := n.State()
	l.owners(n, s)
	at, err := n.change(ctx, func(c *change) error {
		known := c.Revocation.Leaked(report)
		events, err := c.Revocation.ReportLeak(*report)
		if err := c.addAll(events, err, sealed{text: r.Why}); err != nil {
			return err
		}
		if r.Revoke {
			if err := c.endLeaked(&l, a.ID, r.Why); err != nil {
				return err
			}
		}
		if known {
			return nil
		}
		return c.leaked(report, l.named)
	})
	l.out.Position = at
	return l.out, err
}

// endLeaked ends a credential of this node, and suspends whom another token speaks
// for.
func (c *change) endLeaked(l *leaked, by string, why Why) error {
	switch {
	case l.out.Ended != nil:
		return c.endCredential(l.out.Ended, by, why)
	case l.credential != "":
		return nil // it has expired
	case l.named.Subject == "":
		return trust.Errorf(trust.Conflict, "the leaked token's subject is not known here by name; it is revoked by one (entente revoke subject)")
	default:
		_, err := c.suspend(SuspendRequest{Stoppable: l.named, Why: why}, by)
		l.out.Suspended = err == nil
		return err
	}
}

// nameLeak finds by what the leaked thing stands in records.
func (n *Node) nameLeak(ctx context.Context, a Actor, l *leaked, name string) error {
	if at, ok := n.Keys.ParseReference(name); ok {
		record, err := n.decisions.Entry(ctx, at.N)
		if err != nil {
			return err
		}
		if issued, ok := n.issuedIn(ctx, &record); ok {
			l.credential = issued.Credential
			return nil
		}
		leaf, details, _, err := n.recorded(ctx, record)
		if err != nil {
			return err
		}
		l.token, l.credential, l.hash = leaf.Token, leaf.Credential, details.TokenHash
		return nil
	}
	if raw, err := hex.DecodeString(name); err == nil && len(raw) == 32 {
		name = base64.RawURLEncoding.EncodeToString(raw)
	}
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(name); err == nil && len(raw) == 32 {
		l.byHash(n, name, raw)
		return nil
	}
	if told, err := n.CountersOf(ctx, Actor{ID: a.ID, Roles: []trust.Role{"auditor"}}, name); err == nil && told[0].Token != "" {
		if raw, err := base64.RawURLEncoding.DecodeString(told[0].Token); err == nil {
			l.byHash(n, told[0].Token, raw)
			return nil
		}
	}
	l.credential = name
	return nil
}

func (l *leaked) byHash(n *Node, hash string, raw []byte) {
	sum := n.Keys.Commit("token", string(raw))
	l.hash, l.token = hash, hex.EncodeToString(sum[:])
}

// owners names who has to act, on both sides of every agreement that it was
// accepted under.
func (l *leaked) owners(n *Node, s *state.Snapshot) {
	for a := range s.Agreement.All() {
		if !slices.Contains(l.out.Report.Agreements, a.ID) && !l.abroad(n, a) {
			continue
		}
		if !slices.Contains(l.out.Report.Agreements, a.ID) {
			l.out.Report.Agreements = append(l.out.Report.Agreements, a.ID)
		}
		d := &a.Revision.Document
		for side, owner := range map[string]trust.RoleRef{"home": d.Owners.Home, "host": d.Owners.Host} {
			o := LeakOwner{Agreement: d.Name, Side: side, Participant: owner.Participant, Owner: owner.Role, Revokes: []string{}, Operators: []string{}}
			for _, r := range d.Authority.Revokes {
				if r.Participant == owner.Participant {
					o.Revokes = append(o.Revokes, r.Role)
				}
			}
			if owner.Participant == n.self {
				for _, role := range append([]string{owner.Role}, o.Revokes...) {
					o.Operators = append(o.Operators, s.Operator.Holders(role)...)
				}
				slices.Sort(o.Operators)
				o.Operators = slices.Compact(o.Operators)
			}
			l.out.Owners = append(l.out.Owners, o)
		}
	}
	slices.Sort(l.out.Report.Agreements)
	slices.SortFunc(l.out.Owners, func(x, y LeakOwner) int {
		return slices.Compare([]string{x.Agreement, x.Side}, []string{y.Agreement, y.Side})
	})
}

// abroad: what a host told of does not name the agreement; it is one by which the
// host accepts a class that it told of.
func (l *leaked) abroad(n *Node, a *agreement.Agreement) bool {
	return a.Home() == n.self && slices.Contains(l.out.Report.Hosts, a.Host()) &&
		slices.ContainsFunc(a.Revision.Document.Accepts, func(line agreement.Accept) bool { return l.classes[line.Class] })
}
