package node

import (
	"context"
	"time"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/ledger"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/store"
	"github.com/entente-id/entente/trust"
)

// Status is how a node is.
type Status struct {
	Entity    trust.ParticipantID `json:"entity"`
	Name      string              `json:"name"`
	Demo      bool                `json:"demo,omitzero"`
	Time      trust.Instant       `json:"time"`
	Clock     ClockStatus         `json:"clock"`
	Framework *FrameworkStatus    `json:"framework,omitzero"`
	Logs      []LogStatus         `json:"logs"`
	Partners  []PartnerStatus     `json:"partners"`
	Warnings  []Warning           `json:"warnings,omitempty"`
	// Exceptions are those that end soon, or whose owner is no operator any more.
	Exceptions []ExceptionStatus `json:"exceptions,omitempty"`
}

// ExceptionStatus is an exception that somebody has to look after.
type ExceptionStatus struct {
	Name    string        `json:"name"`
	Service string        `json:"service"`
	Owner   string        `json:"owner"`
	Unowned bool          `json:"unowned,omitzero"`
	Expires trust.Instant `json:"expires"`
}

// expiringSoon is for how many seconds before its end an exception is shown.
const expiringSoon = 14 * 86400

// FrameworkStatus is the framework in force.
type FrameworkStatus struct {
	Name    string        `json:"name"`
	Version int           `json:"version"`
	Hash    string        `json:"hash"`
	Expires trust.Instant `json:"expires"`
}

// LogStatus is the head of a log; Root is base64, empty before the first entry.
type LogStatus struct {
	Log  string `json:"log"`
	Size uint64 `json:"size"`
	Root string `json:"root,omitzero"`
}

// PartnerStatus is an edge as this node sees it. Age is in seconds since the
// partner's last proven word, -1 for none since the start. Queued counts the
// messages the partner has not acknowledged.
type PartnerStatus struct {
	ID        trust.ParticipantID  `json:"id"`
	Name      string               `json:"name"`
	Age       int64                `json:"age"`
	Suspended bool                 `json:"suspended,omitzero"`
	Broken    bool                 `json:"broken,omitzero"`
	Queued    map[edge.Lane]uint64 `json:"queued"`
	Applied   map[edge.Lane]uint64 `json:"applied"`
}

// Status tells how the node is.
func (n *Node) Status(ctx context.Context) Status {
	s := n.State()
	self := s.Participant.Self().Card
	out := Status{Entity: n.self, Name: self.Name, Demo: n.demo, Time: trust.Instant(n.Now()), Clock: n.clockStatus(s), Partners: []PartnerStatus{}, Warnings: n.Warnings()}
	if f := s.Framework.Current; f != nil {
		out.Framework = &FrameworkStatus{f.Document.Name, f.Version, f.Hash, f.Document.Expires}
	}
	out.Logs = []LogStatus{
		logStatus(store.TrustLog, n.trust.Checkpoint()),
		logStatus(store.DecisionLog, n.decisions.Checkpoint()),
	}
	for p := range s.Participant.Partners() {
		status := PartnerStatus{
			ID: p.Card.ID, Name: p.Card.Name, Age: -1, Suspended: p.Suspended,
			Queued: map[edge.Lane]uint64{}, Applied: map[edge.Lane]uint64{},
		}
		_, status.Broken = s.Edge.Broken(p.Card.ID)
		if age, ok := n.views.age(p.Card.ID, n.Clock); ok {
			status.Age = int64((age + time.Second - 1) / time.Second)
		}
		for _, lane := range edge.Lanes() {
			acked, err := n.cursor(ctx, p.Card.ID, lane)
			if err != nil {
				n.Log.Warn("a delivery cursor could not be read", "partner", p.Card.ID.String(), "error", err)
			}
			acked = max(acked, s.Edge.Proven(p.Card.ID).Of(lane))
			status.Queued[lane] = s.Edge.Next(p.Card.ID, lane) - 1 - acked
			_, status.Applied[lane] = s.Edge.Position(p.Card.ID, lane)
		}
		out.Partners = append(out.Partners, status)
	}
	out.Exceptions = n.exceptionStatus(s)
	return out
}

func (n *Node) exceptionStatus(s *state.Snapshot) (all []ExceptionStatus) {
	now := n.Now()
	for x := range s.Exception.All() {
		owner, known := s.Operator.Get(x.Owner)
		unowned := !known || owner.Removed
		if x.Alive(now) && (unowned || x.Expires-now <= expiringSoon) {
			all = append(all, ExceptionStatus{x.Name, x.Service, x.Owner, unowned, trust.Instant(x.Expires)})
		}
	}
	return all
}

func logStatus(log string, checkpoint []byte) LogStatus {
	if len(checkpoint) == 0 {
		return LogStatus{Log: log}
	}
	c, err := ledger.ReadCheckpoint(checkpoint)
	if err != nil {
		return LogStatus{Log: log}
	}
	return LogStatus{Log: log, Size: c.Size, Root: c.Root.String()}
}

// Ready reports nil when the node can decide, or what it lacks.
func (n *Node) Ready() error {
	s := n.State()
	if s.Framework.Current == nil {
		return trust.Errorf(trust.Unavailable, "no framework is in force")
	}
	if !s.Framework.Current.Alive(n.Now()) {
		return trust.Errorf(trust.Unavailable, "framework %d has expired", s.Framework.Current.Version)
	}
	return nil
}

// Engagement is an opened engagement that awaits its approval here.
type Engagement struct {
	Subject    trust.SubjectKey `json:"subject"`
	Engagement trust.Engagement `json:"engagement"`
	Since      trust.Instant    `json:"since"`
}

// Engagements lists the engagements that await approval.
func (n *Node) Engagements(context.Context) ([]Engagement, error) {
	out := []Engagement{}
	for key, opening := range n.State().Revocation.Openings.All() {
		out = append(out, Engagement{trust.SubjectKey(key), opening.Engagement, trust.Instant(opening.Since)})
	}
	return out, nil
}

// bootTime is a time that only goes forward, for cool-downs.
func (n *Node) bootTime() time.Time { return time.Unix(0, 0).Add(n.Clock.Since(n.started)) }

// Stalest is the greatest age that any tier of the framework in force allows,
// 0 without one.
func (n *Node) Stalest() time.Duration {
	var stalest trust.Span
	if f := n.State().Framework.Current; f != nil {
		for _, tier := range f.Document.Tiers {
			stalest = max(stalest, tier.MaxStaleness)
		}
	}
	return time.Duration(stalest) * time.Second
}
