package node

import (
	"context"
	"slices"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/credential"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/trust"
)

// Unwound is what an unwinding found, and where that is on record (R79). Position
// is of the first page of its entries in the trust log, Hash the leaf hash of that
// page. Gone had ended with the root when it was looked for again, Left had not;
// nothing is left when that is empty.
type Unwound struct {
	Position  trust.Position    `json:"position"`
	Hash      string            `json:"hash"` // base64
	Root      revocation.Root   `json:"root"`
	End       trust.Position    `json:"end,omitzero"` // of the entry that ended the root; zero: it had ended before
	Seen      trust.Position    `json:"seen"`         // of the state on which it was looked for
	Gone      []revocation.Limb `json:"gone"`
	Left      []revocation.Limb `json:"left"`
	Uncounted bool              `json:"uncounted,omitzero"` // credentials live that this node does not remember
	Partners  []Told            `json:"partners"`
}

// Told is a partner that is told of an end, and whether it has taken that.
type Told struct {
	Participant trust.ParticipantID `json:"participant"`
	Taken       bool                `json:"taken,omitzero"`
	number      uint64              // of the message
}

// settling is how long an unwinding waits for partners to take what they are told.
const settling = 2 * time.Second

// Unwind ends a root for good, with everything that hangs from it, tells the
// partners that it concerns, looks again whether anything is left, and records
// what it found. One operator is enough. Done again it finds nothing, and says so.
func (n *Node) Unwind(ctx context.Context, a Actor, r Root, why Why) (Unwound, error) {
	out := Unwound{Gone: []revocation.Limb{}, Left: []revocation.Limb{}, Partners: []Told{}}
	if !mayUnwind(a, r.Kind) {
		return out, n.denyOperator(ctx, a)
	}
	if why.Reason == "" {
		return out, trust.Errorf(trust.Invalid, "an unwinding has a reason; this one has none")
	}
	before := n.State()
	fallen, err := n.fell(ctx, a, r, why)
	if err != nil {
		return out, err
	}
	ctx = context.WithoutCancel(ctx) // it has ended; whoever waits for the rest
	out.Root, out.End = fallen.root, fallen.end
	n.tellLimbs(ctx, &out, before, &fallen)
	n.awaitTaken(ctx, fallen.told)
	out.Partners = append(out.Partners, fallen.told...)
	return out, n.recordUnwound(ctx, a, &out)
}

// fallen is a root that was ended, and what ended with it.
type fallen struct {
	root     revocation.Root
	end      trust.Position
	at       map[revocation.Limb]trust.Position // of what ended by an entry of its own
	told     []Told
	sessions map[string]*permit // that stood on it
	ends     map[string]sessionEnd
}

// fell ends the root and what is recorded to hang from it in one act, and then the
// sessions that stand on it. Nobody else looks at sessions meanwhile, so that each
// that stood on it is seen.
func (n *Node) fell(ctx context.Context, a Actor, r Root, why Why) (fallen, error) {
	n.sessions.looking.Lock()
	defer n.sessions.looking.Unlock()
	var f fallen
	_, err := n.change(ctx, func(c *change) (err error) {
		f = fallen{at: map[revocation.Limb]trust.Position{}}
		if _, known := c.Agreement.ByName(r.Name); r.Kind == revocation.RootAgreement && !known {
			return c.noAgreement(a, r.Name)
		}
		if f.root, err = c.root(r); err != nil {
			return err
		}
		if r.Kind == revocation.RootAgreement {
			if err := c.mayUnder(f.root.Agreement, agreement.End, a.ID); err != nil || c.refusal != nil {
				return err
			}
		}
		limbs, first := n.limbs(c.Snapshot, &f.root, c.now), c.next.Position
		if err := c.fellRoot(&f.root, r, a.ID, why); err != nil || c.refusal != nil {
			return err
		}
		if c.next.Position != first {
			f.end = first
		}
		for _, l := range limbs {
			at := c.next.Position
			if err := c.fellLimb(l, a.ID); err != nil || c.refusal != nil {
				return err
			}
			if c.next.Position != at {
				f.at[l] = at
			}
		}
		for p := range c.to {
			f.told = append(f.told, Told{Participant: p, number: c.Edge.Next(p, edge.Safety) - 1})
		}
		return nil
	})
	if err != nil {
		return f, err
	}
	slices.SortFunc(f.told, func(x, y Told) int { return byName(x.Participant, y.Participant) })
	f.sessions = n.sessionsOf(&f.root)
	f.ends = n.lookAt(context.WithoutCancel(ctx), f.sessions)
	return f, nil
}

// fellRoot ends the root itself. One that has ended changes nothing.
func (c *change) fellRoot(root *revocation.Root, r Root, by string, why Why) error {
	switch root.Kind {
	case revocation.RootSubject, revocation.RootKey, revocation.RootIssuer:
		_, _, err := c.revoke(r.revoke(why), by)
		return err
	case revocation.RootAgreement:
		if a, ok := c.Agreement.ByID(root.Agreement); ok && a.Stage != agreement.Ended {
			return c.moveAgreement(a, agreement.Ended, by, why.Reason, edge.Safety)
		}
	case revocation.RootClient:
		if client, ok := c.Client.Get(root.Client); ok && !client.Ended {
			events, err := c.Client.End(root.Client, by)
			return c.addAll(events, err, sealed{text: reasonText{why.Reason}})
		}
	}
	return nil
}

// fellLimb ends what does not end by itself with the root.
func (c *change) fellLimb(l revocation.Limb, by string) error {
	switch l.Kind {
	case revocation.LimbMapping:
		return c.take(c.Mapping.Close(l.Name, by))
	case revocation.LimbException:
		return c.take(c.Exception.End(l.Name, by))
	case revocation.LimbStream:
		return c.take(c.Stream.Delete(stream.Deleted{ID: l.Name, By: by}))
	case revocation.LimbRoot, revocation.LimbCredential, revocation.LimbSession:
	}
	return nil
}

// tellLimbs tells of everything that hung from the root on the state before
// whether it has ended on the one there is now.
func (n *Node) tellLimbs(ctx context.Context, out *Unwound, before *state.Snapshot, f *fallen) {
	s, now := n.State(), n.Now()
	out.Seen = s.At.Position
	left := n.limbs(s, &f.root, now)
	out.Left = append(out.Left, left...)
	for _, l := range n.limbs(before, &f.root, now) {
		if slices.Contains(left, l) {
			continue
		}
		at := l
		at.At = f.at[l]
		if l.Kind == revocation.LimbRoot {
			at.At = f.end
		}
		if l.Kind == revocation.LimbStream {
			if err := n.forget(ctx, l.Name); err != nil {
				n.Log.Warn("what a stream still owed could not be forgotten", "error", err)
			}
		}
		out.Gone = append(out.Gone, at)
	}
	n.tellCredentials(ctx, out, before, s, now)
	open := n.sessionsOf(&f.root)
	for _, reference := range byPermit(f.sessions) {
		p, end := f.sessions[reference], f.ends[reference]
		l := revocation.Limb{Kind: revocation.LimbSession, Permit: p.of, Reason: end.reason, At: end.denial}
		if _, stands := open[reference]; stands {
			out.Left = append(out.Left, l)
		} else {
			out.Gone = append(out.Gone, l)
		}
	}
}

// tellCredentials tells the same of credentials.
func (n *Node) tellCredentials(ctx context.Context, out *Unwound, before, s *state.Snapshot, now int64) {
	rows, uncounted := n.credentialsOf(ctx, &out.Root, now)
	out.Uncounted = uncounted
	for i := range rows {
		row := &rows[i]
		l := revocation.Limb{Kind: revocation.LimbCredential, Name: row.id}
		status, reason := row.verdict(s, now)
		switch {
		case status != credential.Invalid:
			out.Left = append(out.Left, l)
		case row.status(before, now) != credential.Invalid:
			l.Reason, l.At = reason, out.End
			out.Gone = append(out.Gone, l)
		}
	}
}

// awaitTaken waits a little for partners to take what they are told.
func (n *Node) awaitTaken(ctx context.Context, told []Told) {
	ctx, stop := context.WithTimeout(ctx, settling)
	defer stop()
	for i := range told {
		t := &told[i]
		for {
			acked, err := n.cursor(ctx, t.Participant, edge.Safety)
			if t.Taken = err == nil && acked >= t.number; t.Taken || ctx.Err() != nil {
				break
			}
			wait(ctx, nil, 5*time.Millisecond)
		}
	}
}

// recordUnwound records what was found, page by page in one commit.
func (n *Node) recordUnwound(ctx context.Context, a Actor, out *Unwound) error {
	at, err := n.change(ctx, func(c *change) error {
		for _, page := range pagesOf(out, a.ID) {
			events, err := c.Revocation.Unwind(page)
			if err != nil {
				return err
			}
			if err := c.add(events...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	record, err := n.trust.Entry(ctx, at.N)
	if err != nil {
		return err
	}
	out.Position, out.Hash = at, record.LeafHash.String()
	return nil
}

// pagesOf divides what was found into entries; there is one at least.
func pagesOf(u *Unwound, by string) (pages []revocation.Unwound) {
	gone, left := u.Gone, u.Left
	for len(pages) == 0 || len(gone)+len(left) > 0 {
		page := revocation.Unwound{Root: u.Root, End: u.End, Seen: u.Seen, Uncounted: u.Uncounted, By: by, Page: len(pages) + 1}
		k := min(len(gone), revocation.MaxLimbs)
		page.Gone, gone = gone[:k], gone[k:]
		k = min(len(left), revocation.MaxLimbs-k)
		page.Left, left = left[:k], left[k:]
		pages = append(pages, page)
	}
	for i := range pages {
		pages[i].Pages = len(pages)
	}
	return pages
}

// Unwinding reads back what an unwinding found and looks once more: Gone is as
// recorded, Left what hangs from the root now. It is named by the number of its
// first entry in the trust log; another entry is NotFound.
func (n *Node) Unwinding(ctx context.Context, a Actor, number uint64) (Unwound, error) {
	out := Unwound{Gone: []revocation.Limb{}, Left: []revocation.Limb{}, Partners: []Told{}}
	if err := n.read(a); err != nil {
		return out, err
	}
	for page, pages := 1, 1; page <= pages; page++ {
		record, err := n.trust.Entry(ctx, number+uint64(page-1))
		if err != nil {
			return out, err
		}
		u, ok := unwoundIn(&record)
		if !ok || u.Page != page {
			return out, trust.Errorf(trust.NotFound, "entry %d is not the first of an unwinding", number)
		}
		if pages = u.Pages; page == 1 {
			out.Position, out.Hash = record.Position, record.LeafHash.String()
			out.Root, out.End, out.Seen, out.Uncounted = u.Root, u.End, u.Seen, u.Uncounted
		}
		out.Gone = append(out.Gone, u.Gone...)
	}
	s, now := n.State(), n.Now()
	out.Left = append(out.Left, n.limbs(s, &out.Root, now)...)
	rows, _ := n.credentialsOf(ctx, &out.Root, now)
	for i := range rows {
		if rows[i].status(s, now) != credential.Invalid {
			out.Left = append(out.Left, revocation.Limb{Kind: revocation.LimbCredential, Name: rows[i].id})
		}
	}
	open := n.sessionsOf(&out.Root)
	for _, reference := range byPermit(open) {
		out.Left = append(out.Left, revocation.Limb{Kind: revocation.LimbSession, Permit: open[reference].of})
	}
	return out, nil
}

func unwoundIn(r *ledger.Record) (u revocation.Unwound, ok bool) {
	k := u.EventKind()
	return u, r.Kind == k.Name && r.Version == k.Version && canonical.Decode(r.Body, &u) == nil
}
