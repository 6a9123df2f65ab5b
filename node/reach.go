package node

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// Reach is the blast radius of a root: what hangs from it now. Alive says that
// the root itself counts still. Agreements, Classes and Services (audiences; of a
// client, names) are where it is accepted, Partners who is told when it ends.
// Sessions are open, Credentials of this node's own live. Permits and Subjects
// were counted from the newest decision back to a day ago; Partial says that
// there was no time for all of them, or that credentials live which this node
// does not remember.
type Reach struct {
	Alive       bool                  `json:"alive,omitzero"`
	Agreements  []string              `json:"agreements"`
	Classes     []trust.Class         `json:"classes"`
	Services    []string              `json:"services"`
	Partners    []trust.ParticipantID `json:"partners"`
	Sessions    int                   `json:"sessions"`
	Credentials int                   `json:"credentials"`
	Mappings    []string              `json:"mappings"`
	Exceptions  []string              `json:"exceptions"`
	Streams     []string              `json:"streams"`
	Permits     int                   `json:"permits"`
	Subjects    int                   `json:"subjects"`
	Partial     bool                  `json:"partial,omitzero"`
}

// lookFor bounds a look at what hangs from something: whoever asked hears of it
// within two seconds (R76).
const lookFor = 1500 * time.Millisecond

const recently = 24 * 3600 // seconds

// Reach looks at what hangs from a root, within two seconds, and changes
// nothing. It fails with NotFound for a root that is not known.
func (n *Node) Reach(ctx context.Context, a Actor, r Root) (Reach, error) {
	if err := n.read(a); err != nil && !mayRevoke(a) {
		return Reach{}, err
	}
	s, now := n.State(), n.Now()
	root, err := (&change{Snapshot: s, now: now, n: n}).root(r)
	if err != nil {
		return Reach{}, err
	}
	ctx, stop := context.WithTimeout(ctx, lookFor)
	defer stop()
	out := Reach{Agreements: []string{}, Classes: []trust.Class{}, Services: []string{}, Partners: []trust.ParticipantID{}, Mappings: []string{}, Exceptions: []string{}, Streams: []string{}}
	out.add(n.limbs(s, &root, now))
	out.covered(s, &root, &r, now)
	out.Partners = n.toldOf(s, &root)
	out.Sessions = len(n.sessionsOf(&root))
	rows, uncounted := n.credentialsOf(context.WithoutCancel(ctx), &root, now)
	out.Credentials = living(rows, s, now)
	if err := n.countPermits(ctx, &root, now-recently, &out); err != nil {
		out.Partial = true
	}
	out.Partial = out.Partial || uncounted
	return out, nil
}

func (r *Reach) add(limbs []revocation.Limb) {
	for _, l := range limbs {
		switch l.Kind {
		case revocation.LimbRoot:
			r.Alive = true
		case revocation.LimbMapping:
			r.Mappings = append(r.Mappings, l.Name)
		case revocation.LimbException:
			r.Exceptions = append(r.Exceptions, l.Name)
		case revocation.LimbStream:
			r.Streams = append(r.Streams, l.Name)
		case revocation.LimbCredential:
			r.Credentials++
		case revocation.LimbSession:
			r.Sessions++
		}
	}
}

// covered tells where the root is accepted.
func (r *Reach) covered(s *state.Snapshot, root *revocation.Root, named *Root, now int64) {
	if c, ok := s.Client.Get(root.Client); ok {
		r.Services = slices.Clone(c.Document.Services)
		return
	}
	for a := range s.Agreement.All() {
		d := &a.Revision.Document
		for i := range d.Accepts {
			if line := &d.Accepts[i]; !a.Ended(now) && accepts(a, line, root, named) {
				r.Agreements = append(r.Agreements, d.Name)
				r.Classes = append(r.Classes, line.Class)
				r.Services = append(r.Services, line.Audience)
			}
		}
	}
	slices.Sort(r.Agreements)
	slices.Sort(r.Classes)
	slices.Sort(r.Services)
	r.Agreements, r.Classes, r.Services = slices.Compact(r.Agreements), slices.Compact(r.Classes), slices.Compact(r.Services)
}

func accepts(a *agreement.Agreement, line *agreement.Accept, root *revocation.Root, named *Root) bool {
	if root.Agreement != "" {
		return a.ID == root.Agreement
	}
	speaks := slices.ContainsFunc(line.Issuers, func(i trust.IssuerID) bool { return i.String() == named.Issuer })
	return (speaks || len(line.Issuers) == 0 && a.Home() == root.Participant) &&
		(named.Subject == "" || a.Home() == root.Participant && (len(line.Subjects) == 0 || slices.Contains(line.Subjects, named.Subject)))
}

// toldOf are the partners that are told when a root ends.
func (n *Node) toldOf(s *state.Snapshot, root *revocation.Root) []trust.ParticipantID {
	if a, ok := s.Agreement.ByID(root.Agreement); ok {
		return []trust.ParticipantID{a.Other(n.self)}
	}
	hosts := []trust.ParticipantID{}
	if root.Participant == n.self {
		hosts = append(hosts, (&change{Snapshot: s, n: n}).hosts()...)
	}
	return hosts
}

// mark is what stands in the leaf of whatever was permitted by a root.
func mark(r *revocation.Root) []byte {
	switch r.Kind {
	case revocation.RootSubject:
		text, _ := r.Subject.MarshalText() // it never fails
		return []byte(`"` + string(text) + `"`)
	case revocation.RootKey:
		return []byte(`"` + r.Thumbprint + `"`)
	case revocation.RootIssuer:
		return []byte(`"` + r.Issuer.String() + `"`)
	case revocation.RootAgreement:
		return []byte(`"agreement":"` + r.Agreement + `"`)
	case revocation.RootClient:
		return []byte(`"client":"` + r.Client + `"`)
	}
	return nil
}

// countPermits counts what was permitted by a root since then (Unix seconds), from
// the newest decision back. What repeats a permit counts as that one.
func (n *Node) countPermits(ctx context.Context, root *revocation.Root, since int64, out *Reach) error {
	seen, mark := map[trust.SubjectKey]bool{}, mark(root)
	for end := n.decisions.Size(); end > 0; {
		from := end - min(end, readAtOnce)
		records, err := n.decisions.Read(ctx, from, int(end-from))
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		end = from
		for _, r := range slices.Backward(records) {
			if r.At < since {
				return nil
			}
			if !bytes.Contains(r.Body, mark) {
				continue
			}
			leaf, err := decision.ParseEntry(trust.Kind{Name: r.Kind, Version: r.Version}, r.Body)
			if err != nil || !leaf.Permit() || leaf.Subject == nil {
				continue
			}
			out.Permits++
			if !seen[*leaf.Subject] {
				seen[*leaf.Subject] = true
				out.Subjects++
			}
		}
	}
	return nil
}
