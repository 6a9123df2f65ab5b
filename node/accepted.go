package node

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

const (
	acceptedPage     = 50_000 // entries of the decision log that one question reads
	acceptedSubjects = 1_000  // subjects that one answer lists
)

// Accepted is what an issuer's key had been accepted for, as far as the decision
// log was read: from entry From on and before entry Read, of Size. Next is where
// to go on, 0 at the end.
type Accepted struct {
	Issuer   string               `json:"issuer"`
	Key      participant.KnownKey `json:"key"`
	Revoked  bool                 `json:"revoked,omitzero"`
	From     uint64               `json:"from"`
	Read     uint64               `json:"read"`
	Size     uint64               `json:"size"`
	Next     uint64               `json:"next,omitzero"`
	Permits  int                  `json:"permits"`
	Denials  int                  `json:"denials"`        // of tokens whose signature held
	First    trust.Instant        `json:"first,omitzero"` // permit
	Last     trust.Instant        `json:"last,omitzero"`  // permit
	Services []AcceptedService    `json:"services"`       // by enforcement point and resource type
	Subjects []AcceptedSubject    `json:"subjects"`       // the first to be found come first
	More     bool                 `json:"more_subjects,omitzero"`
}

// AcceptedService is where permits were given.
type AcceptedService struct {
	EnforcementPoint string             `json:"enforcement_point"`
	ResourceType     trust.ResourceType `json:"resource_type,omitempty"`
	Permits          int                `json:"permits"`
}

// AcceptedSubject is who was permitted, as this ledger knows it. Reference is of
// the last such decision, for explain to say more.
type AcceptedSubject struct {
	Subject   trust.SubjectKey `json:"subject"`
	Permits   int              `json:"permits"`
	First     trust.Instant    `json:"first"`
	Last      trust.Instant    `json:"last"`
	Reference string           `json:"reference"`
}

// Accepted reads a stretch of the decision log for what a key of an issuer was
// accepted for. The key is named by kid or thumbprint and may be gone or
// revoked. An unknown one is NotFound.
func (n *Node) Accepted(ctx context.Context, a Actor, issuer, key string, from uint64) (Accepted, error) {
	if err := n.read(a); err != nil {
		return Accepted{}, err
	}
	s := n.State()
	known, err := s.Participant.FindKey(issuer, key)
	if err != nil {
		return Accepted{}, err
	}
	out := Accepted{
		Issuer: issuer, Key: known, Revoked: s.Revocation.KeyRevoked(issuer, known.Thumbprint),
		From: from, Read: from, Size: n.decisions.Size(), Services: []AcceptedService{}, Subjects: []AcceptedSubject{},
	}
	tally := &tally{n: n, out: &out, mark: []byte(`"key":"` + known.Thumbprint + `"`), firsts: map[uint64]*decision.Leaf{}}
	for out.Read < out.Size && out.Read-from < acceptedPage {
		records, err := n.decisions.Read(ctx, out.Read, readAtOnce)
		if err != nil {
			return Accepted{}, err
		}
		for _, r := range records {
			if err := tally.count(ctx, r); err != nil {
				return Accepted{}, err
			}
		}
		if len(records) == 0 {
			break
		}
		out.Read += uint64(len(records))
	}
	if out.Read < out.Size {
		out.Next = out.Read
	}
	return out, nil
}

// tally counts the decisions on tokens of one key.
type tally struct {
	n      *Node
	out    *Accepted
	mark   []byte                    // stands in each of their leaves; spares parsing the others
	firsts map[uint64]*decision.Leaf // permits of the key, and nil for others that were asked for
}

// count adds one decision, if it is on a token of the key. A permit given again
// counts as the one it repeats.
func (t *tally) count(ctx context.Context, r ledger.Record) error {
	leaf, uses, err := t.leaf(ctx, r)
	switch {
	case err != nil || leaf == nil:
		return err
	case !leaf.Permit():
		t.out.Denials++
		return nil
	}
	one := Accepted{Permits: uses, First: trust.Instant(r.At), Last: trust.Instant(r.At)}
	one.Services = []AcceptedService{{leaf.EnforcementPoint, leaf.ResourceType, uses}}
	if leaf.Subject != nil {
		one.Subjects = []AcceptedSubject{{*leaf.Subject, uses, one.First, one.Last, t.n.Keys.Reference(r.Position)}}
	}
	t.out.add(one)
	return nil
}

// leaf gives what was decided, and for how many calls; nil if it was on another
// key's token.
func (t *tally) leaf(ctx context.Context, r ledger.Record) (leaf *decision.Leaf, calls int, err error) {
	kind := trust.Kind{Name: r.Kind, Version: r.Version}
	if _, again := decision.Repeats(kind); again {
		again, err := decision.ParseAgain(kind, r.Body)
		if err != nil {
			return nil, 0, err
		}
		leaf, err := t.first(ctx, again.Of.N)
		return leaf, 1, err
	}
	if kind == decision.ReusedKind {
		reused, err := decision.ParseReused(r.Body)
		if err != nil {
			return nil, 0, err
		}
		leaf, err := t.first(ctx, reused.Of.N)
		return leaf, len(reused.Uses), err
	}
	var found *decision.Leaf
	if bytes.Contains(r.Body, t.mark) {
		leaf, err := decision.ParseEntry(kind, r.Body)
		if err != nil {
			return nil, 0, err
		}
		if leaf.Key == t.out.Key.Thumbprint && leaf.Issuer.String() == t.out.Issuer {
			found = &leaf
		}
	}
	if found != nil || r.Position.N < t.out.From {
		t.firsts[r.Position.N] = found
	}
	return found, 1, nil
}

// first gives the permit at n, which a later entry repeats or uses.
func (t *tally) first(ctx context.Context, n uint64) (*decision.Leaf, error) {
	first, known := t.firsts[n]
	if known || n >= t.out.From {
		return first, nil
	}
	record, err := t.n.decisions.Entry(ctx, n)
	if err != nil {
		return nil, err
	}
	first, _, err = t.leaf(ctx, record)
	return first, err
}

// Add takes in what was read behind a.
func (a *Accepted) Add(later Accepted) {
	a.add(later)
	a.Read, a.Size, a.Next, a.Revoked = later.Read, later.Size, later.Next, later.Revoked
}

func (a *Accepted) add(later Accepted) {
	a.Permits, a.Denials = a.Permits+later.Permits, a.Denials+later.Denials
	a.First, a.Last = cmp.Or(a.First, later.First), cmp.Or(later.Last, a.Last)
	a.More = a.More || later.More
	for _, s := range later.Services {
		i := slices.IndexFunc(a.Services, func(o AcceptedService) bool {
			return o.EnforcementPoint == s.EnforcementPoint && o.ResourceType == s.ResourceType
		})
		if i < 0 {
			a.Services = append(a.Services, s)
		} else {
			a.Services[i].Permits += s.Permits
		}
	}
	for _, s := range later.Subjects {
		i := slices.IndexFunc(a.Subjects, func(o AcceptedSubject) bool { return o.Subject == s.Subject })
		switch {
		case i >= 0:
			o := &a.Subjects[i]
			o.Permits, o.Last, o.Reference = o.Permits+s.Permits, s.Last, s.Reference
		case len(a.Subjects) < acceptedSubjects:
			a.Subjects = append(a.Subjects, s)
		default:
			a.More = true
		}
	}
}
