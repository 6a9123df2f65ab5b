package node

import (
	"context"
	"slices"
	"time"

	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// breakGlassText is the sealed part of breakglass.Opened, under the key of who
// breaks the glass.
type breakGlassText struct {
	Issuer    string `json:"issuer"`
	Namespace string `json:"namespace"`
	Subject   string `json:"subject"`
	Resource  string `json:"resource"`
	Point     string `json:"enforcement_point"`
	Reason    string `json:"reason"`
	Ticket    string `json:"ticket,omitempty"`
	RequestID string `json:"request_id,omitempty"`
}

// Review is what somebody finds who reviews emergency access, and why. With a TLP
// marking, the home of whoever is suspended by it is told the reason, under that
// marking.
type Review struct {
	Came   breakglass.Stage `json:"came"` // justified or unjustified
	Reason string           `json:"reason"`
	Ticket string           `json:"ticket,omitempty"`
	TLP    suspension.TLP   `json:"tlp,omitempty"`
}

// BreakGlass is emergency access, here or at a host: who it was, for what and why.
// What was written of a person who was erased is left out, as is what a host does
// not tell: the resource and the reason.
type BreakGlass struct {
	breakglass.Opening
	Stage     breakglass.Stage    `json:"stage"`
	Host      trust.ParticipantID `json:"host"`
	Agreement string              `json:"agreement_name"`
	Issuer    string              `json:"issuer,omitempty"`
	Caller    string              `json:"caller,omitempty"`
	Which     string              `json:"which,omitempty"` // the resource by its own name
	Reason    string              `json:"reason,omitempty"`
	Ticket    string              `json:"ticket,omitempty"`
}

// breakGlass lets somebody break the glass, and alerts who has to look, here and
// at home.
func (c *change) breakGlass(v *verdict, a *Ask) error {
	events, err := c.BreakGlass.Open(*v.decision.Glass, c.now)
	if err != nil {
		return err
	}
	ev := &v.evidence
	for _, e := range events {
		opened := e.(breakglass.Opened)
		text := breakGlassText{ev.Issuer.String(), ev.Namespace, ev.Subject, a.ResourceID, a.EnforcementPoint, a.Reason, a.Ticket, a.RequestID}
		if err := c.addSealed(e, sealed{owner: opened.Subject, text: text}); err != nil {
			return err
		}
		if err := c.lookAtGlass(opened.Participant, finding.Host, finding.BreakGlass, opened.N, opened.Role, opened.Due); err != nil {
			return err
		}
		if err := c.tellGlass(opened.ID, text.Namespace, text.Subject); err != nil {
			return err
		}
		c.n.Log.Warn("somebody broke the glass", "id", opened.ID, "partner", opened.Participant.String(), "agreement", opened.Agreement, "review_due", trust.Instant(opened.Due).String())
	}
	return nil
}

// lookAtGlass raises the finding by which people get to see emergency access.
func (c *change) lookAtGlass(partner trust.ParticipantID, side finding.Side, kind finding.Kind, number uint64, owner string, due int64) error {
	events, err := c.Finding.Raise(finding.Subject{Partner: partner, Side: side, Kind: kind, From: number, To: number}, owner, c.now)
	if err != nil {
		return err
	}
	for _, e := range events {
		raised := e.(finding.Raised)
		raised.Due = due
		if err := c.add(raised); err != nil {
			return err
		}
	}
	return nil
}

// looked closes the findings about emergency access here that was reviewed.
func (c *change) looked(o *breakglass.Opening, by string, r Review) error {
	for f := range c.Finding.All() {
		about := f.Kind == finding.BreakGlass || f.Kind == finding.BreakGlassOverdue
		if !about || !f.Open() || f.Side != finding.Host || f.Partner != o.Participant || f.From != o.N {
			continue
		}
		events, err := c.Finding.Close(f.ID, by)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{text: closingText{string(r.Came) + ": " + r.Reason}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ReviewBreakGlass is one person's review of emergency access here. What was not
// justified suspends who broke the glass, in the same commit, and tells their home;
// two people let them go on. A review that is not the operator's is refused with
// Denied, and recorded.
func (n *Node) ReviewBreakGlass(ctx context.Context, a Actor, id string, r Review) (BreakGlass, error) {
	return n.answerGlass(ctx, id, r, func(c *change) ([]trust.Event, error) {
		return c.BreakGlass.Review(c.glassFacts(), id, a.ID, r.Came, c.now)
	}, func(c *change, o *breakglass.Opening, who *breakGlassText) error {
		if err := c.looked(o, a.ID, r); err != nil {
			return err
		}
		if r.Came != breakglass.Unjustified {
			return nil
		}
		t := suspension.Target{Kind: suspension.Subject, Participant: o.Participant, Subject: o.Subject}
		if who == nil { // erased: nobody can be named to the home
			return c.take(c.Suspension.Suspend(suspension.Facts{Self: n.self}, suspension.Suspended{Target: t, By: a.ID}, c.now))
		}
		m := NoticeText{Kind: t.Kind, Participant: o.Participant, Namespace: who.Namespace, Subject: who.Subject, Why: Why{Reason: r.Reason, Incident: id, TLP: r.TLP}}
		_, err := c.suspendHere(t, m, a.ID)
		return err
	})
}

// EndBreakGlass ends emergency access here before its time; its review stays due.
func (n *Node) EndBreakGlass(ctx context.Context, a Actor, id string, w Word) (BreakGlass, error) {
	return n.answerGlass(ctx, id, Review{Reason: w.Reason, Ticket: w.Ticket}, func(c *change) ([]trust.Event, error) {
		return c.BreakGlass.Close(c.glassFacts(), id, a.ID, mayRevoke(a), c.now)
	}, nil)
}

// answerGlass records what somebody says of emergency access and what follows from
// that, and tells the home where it stands.
func (n *Node) answerGlass(ctx context.Context, id string, r Review, answer func(*change) ([]trust.Event, error),
	follows func(*change, *breakglass.Opening, *breakGlassText) error,
) (BreakGlass, error) {
	_, err := n.change(ctx, func(c *change) error {
		if r.Reason == "" || r.TLP != "" && !r.TLP.Valid() {
			return trust.Errorf(trust.Invalid, "emergency access is answered for with a reason and, if the home is told it, a marking of TLP 2.0; this has TLP %q", r.TLP)
		}
		events, err := answer(c)
		if err != nil {
			return c.take(events, err)
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{text: Word{r.Reason, r.Ticket}}); err != nil {
				return err
			}
		}
		o, _ := c.BreakGlass.Get(id)
		who, err := c.whoBroke(&o)
		if err == nil && follows != nil {
			err = follows(c, &o, who)
		}
		if err != nil || who == nil {
			return err
		}
		return c.tellGlass(id, who.Namespace, who.Subject)
	})
	if err != nil {
		return BreakGlass{}, err
	}
	o, _ := n.State().BreakGlass.Get(id)
	return n.glass(ctx, o)
}

// whoBroke opens what was written when the glass was broken; nil if who it was has
// been erased.
func (c *change) whoBroke(o *breakglass.Opening) (*breakGlassText, error) {
	r, err := c.n.trust.Entry(c.ctx, o.At.N)
	if err != nil {
		return nil, err
	}
	return unsealed[breakGlassText](c, o.Subject, r)
}

// glassFacts are what emergency access rests on besides its own state.
func (c *change) glassFacts() breakglass.Facts {
	f := c.approvalFacts()
	return breakglass.Facts{Holds: f.Holds, Local: f.Local, IsCaller: f.IsCaller}
}

// keepReviews sees until ctx ends that an overdue review does not go unnoticed.
// What may be opened under its agreement does not wait for that.
func (n *Node) keepReviews(ctx context.Context) {
	for ctx.Err() == nil {
		if due := n.State().BreakGlass.Lapse(n.Now()); len(due) > 0 {
			if _, err := n.change(ctx, (*change).lapseReviews); err != nil && ctx.Err() == nil {
				n.Log.Error("overdue reviews could not be recorded", "error", err)
			}
		}
		wait(ctx, nil, time.Second)
	}
}

func (c *change) lapseReviews() error {
	for _, e := range c.BreakGlass.Lapse(c.now) {
		if err := c.add(e); err != nil {
			return err
		}
		o, _ := c.BreakGlass.Get(e.(breakglass.Lapsed).ID)
		if err := c.lookAtGlass(o.Participant, finding.Host, finding.BreakGlassOverdue, o.N, o.Role, c.now); err != nil {
			return err
		}
		c.n.Log.Error("emergency access was not reviewed in time; nobody breaks the glass under its agreement", "id", o.ID, "agreement", o.Agreement)
		who, err := c.whoBroke(&o)
		if err != nil {
			return err
		}
		if who == nil {
			continue
		}
		if err := c.tellGlass(o.ID, who.Namespace, who.Subject); err != nil {
			return err
		}
	}
	return nil
}

// BreakGlasses lists the emergency access that an operator may see: here, in the
// order in which it was, then that of our own people at hosts. Admins and auditors
// see all, others what their roles review or own.
func (n *Node) BreakGlasses(ctx context.Context, a Actor) ([]BreakGlass, error) {
	out := []BreakGlass{}
	all, s := n.read(a) == nil, n.State()
	for o := range s.BreakGlass.All() {
		if !all && !slices.Contains(a.Roles, trust.Role(o.Role)) {
			continue
		}
		one, err := n.glass(ctx, o)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	for at := range s.BreakGlass.AllAbroad() {
		g, ok := s.Agreement.ByID(at.Agreement)
		if !all && (!ok || !slices.Contains(a.Roles, trust.Role(g.Revision.Document.Owners.Home.Role))) {
			continue
		}
		one, err := n.glassAbroad(ctx, at)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// glass opens what was written of emergency access here.
func (n *Node) glass(ctx context.Context, o breakglass.Opening) (BreakGlass, error) {
	out := BreakGlass{Opening: o, Stage: o.Stage(n.Now()), Host: n.self, Agreement: n.agreementName(o.Agreement)}
	var text breakGlassText
	ok, err := n.openGlass(ctx, o.At, o.Subject, &text)
	if ok {
		out.Issuer, out.Caller, out.Which, out.Reason, out.Ticket = text.Issuer, text.Subject, text.Resource, text.Reason, text.Ticket
	}
	return out, err
}

// glassAbroad opens what a host told.
func (n *Node) glassAbroad(ctx context.Context, at breakglass.Abroad) (BreakGlass, error) {
	out := BreakGlass{Stage: at.Stage, Host: at.From, Agreement: n.agreementName(at.Told.Agreement), Opening: breakglass.Opening{
		Opened: breakglass.Opened{
			Need: breakglass.Need{Agreement: at.Told.Agreement, Participant: n.self, Subject: at.Subject}, ID: at.ID, N: at.N, Ends: at.Ends, Due: at.Due,
		},
		At: at.At, Since: at.Since,
	}}
	var text breakGlassMessage
	ok, err := n.openGlass(ctx, at.At, at.Subject, &text)
	if ok {
		out.Caller, out.Service, out.Action, out.ResourceType = text.Subject, text.Service, text.Action, text.ResourceType
	}
	return out, err
}

// openGlass opens the sealed part of an entry; false if whose it is was erased.
func (n *Node) openGlass(ctx context.Context, at trust.Position, owner trust.SubjectKey, into any) (bool, error) {
	r, err := n.trust.Entry(ctx, at.N)
	if err != nil {
		return false, err
	}
	plain, err := n.Keys.Unseal(ctx, owner, r.Sealed)
	if trust.KindOf(err) == trust.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, canonical.Decode(plain, into)
}

func (n *Node) agreementName(id string) string {
	if a, ok := n.State().Agreement.ByID(id); ok {
		return a.Revision.Document.Name
	}
	return ""
}
