package node

import (
	"context"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// RevokeRequest says what to end. Subject needs Issuer and Subject, Key needs
// Issuer and KeyID, Issuer needs Issuer. KeyID is a kid or a thumbprint, also of
// a key that its issuer publishes no longer.
type RevokeRequest struct {
	Kind     revocation.TargetKind `json:"kind"`
	Issuer   string                `json:"issuer"`
	Subject  string                `json:"subject,omitempty"`
	KeyID    string                `json:"key_id,omitempty"`
	Reason   string                `json:"reason"`
	Incident string                `json:"incident,omitempty"`
}

// Revocation is an acknowledged one: durable here, in force on the next
// request, and queued for Partners.
type Revocation struct {
	Position   trust.Position        `json:"position"`
	Partners   []trust.ParticipantID `json:"partners"`
	Thumbprint string                `json:"thumbprint,omitempty"` // of the key that ended
}

// revokeText is the sealed part of a revocation. Message is what hosts are told,
// also one that agrees later.
type revokeText struct {
	Message  revocationMessage `json:"message"`
	Reason   string            `json:"reason"`
	Incident string            `json:"incident,omitempty"`
}

// Revoke ends a subject, a key or an issuer. Of the own organisation, the end
// holds here on the next request and travels to every partner on the safety
// lane; of a partner's, it holds here alone.
func (n *Node) Revoke(ctx context.Context, a Actor, r RevokeRequest) (Revocation, error) {
	var out Revocation
	if !mayRevoke(a) {
		return out, n.denyOperator(ctx, a)
	}
	at, err := n.change(ctx, func(c *change) (err error) {
		out.Partners, out.Thumbprint, err = c.revoke(r, a.ID)
		return err
	})
	out.Position = at
	return out, err
}

// revoke is Revoke inside the writer. It gives the partners that are told, and
// the key that ended.
func (c *change) revoke(r RevokeRequest, by string) (partners []trust.ParticipantID, thumbprint string, err error) {
	target, m, err := c.target(r)
	if err != nil {
		return nil, "", err
	}
	events, err := c.Revocation.Revoke(c.revocationFacts(target), revocation.Revoked{Target: target, By: by})
	if err != nil {
		return nil, "", err
	}
	text := revokeText{Message: m, Reason: r.Reason, Incident: r.Incident}
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: target.Subject, text: text}); err != nil {
			return nil, "", err
		}
	}
	if target.Participant != c.n.self || len(events) == 0 {
		return nil, target.Thumbprint, nil
	}
	for _, partner := range c.hosts() {
		if err := c.sendRevocation(partner, target.Subject, m); err != nil {
			return nil, "", err
		}
		partners = append(partners, partner)
	}
	return partners, target.Thumbprint, nil
}

// target finds what a request names among the registered issuers.
func (c *change) target(r RevokeRequest) (revocation.Target, revocationMessage, error) {
	none := func(err error) (revocation.Target, revocationMessage, error) {
		return revocation.Target{}, revocationMessage{}, err
	}
	if r.Reason == "" {
		return none(trust.Errorf(trust.Invalid, "a revocation has a reason; this one has none"))
	}
	speaker, line, owner, err := c.speaks(r.Issuer)
	if r.Kind == revocation.Key && trust.KindOf(err) == trust.Conflict {
		// It ends for everybody it speaks for; the entry names the first.
		owner, err = speaker.Candidates[0].Participant, nil
	}
	if err != nil {
		return none(err)
	}
	target := revocation.Target{Kind: r.Kind, Participant: owner}
	m := revocationMessage{Kind: r.Kind}
	switch r.Kind {
	case revocation.Subject:
		if r.Subject == "" {
			return none(trust.Errorf(trust.Invalid, "revoking a subject needs its identifier at %s", r.Issuer))
		}
		m.Namespace, m.Subject = line.Namespace(), r.Subject
		target.Subject = c.n.Keys.Subject(owner.String(), m.Namespace, r.Subject)
		current, _ := c.Revocation.Current(target.Subject)
		if opened, _, ok := c.Revocation.Opened(target.Subject); ok {
			current = max(current, opened)
		}
		target.Engagement, m.Engagement = current, current
	case revocation.Key:
		key, err := c.Participant.FindKey(r.Issuer, r.KeyID)
		if err != nil {
			return none(err)
		}
		target.Issuer, target.Thumbprint = speaker.Issuer, key.Thumbprint
		m.Issuer, m.Thumbprint = speaker.Issuer, key.Thumbprint
	case revocation.Issuer:
		target.Issuer, m.Issuer = speaker.Issuer, speaker.Issuer
	default:
		return none(trust.Errorf(trust.Invalid, "revocation kind %q is not subject, key or issuer", r.Kind))
	}
	return target, m, nil
}

// speaks finds an issuer and for whom it speaks: this organisation if it does,
// else the one partner that states it.
func (c *change) speaks(issuer string) (participant.Speaker, participant.Issuer, trust.ParticipantID, error) {
	speaker, ok := c.Participant.Speaker(issuer)
	if !ok {
		return speaker, participant.Issuer{}, trust.ParticipantID{}, trust.Errorf(trust.NotFound, "issuer %q is not registered by anybody here", issuer)
	}
	for _, claimant := range speaker.Candidates {
		if claimant.Participant == c.n.self || len(speaker.Candidates) == 1 {
			return speaker, claimant.Issuer, claimant.Participant, nil
		}
	}
	return speaker, participant.Issuer{}, trust.ParticipantID{}, trust.Errorf(trust.Conflict, "issuer %q speaks for %d participants and not for this one", issuer, len(speaker.Candidates))
}

// hosts are the partners that accept this organisation's people under an
// agreement that has not ended: those a revocation concerns.
func (c *change) hosts() []trust.ParticipantID {
	var out []trust.ParticipantID
	for p := range c.Participant.Partners() {
		for _, a := range c.Agreement.Between(c.n.self, p.Card.ID) {
			if a.Stage != agreement.Proposed && a.Stage != agreement.Countered && a.Stage != agreement.Ended {
				out = append(out, p.Card.ID)
				break
			}
		}
	}
	return out
}

// OpenEngagement vouches, after a joiner check, for a new engagement of one of
// the own people whose earlier one was revoked, and tells the hosts. Each host
// approves it for itself.
func (n *Node) OpenEngagement(ctx context.Context, a Actor, issuer, subject, check string) (trust.Engagement, error) {
	var number trust.Engagement
	_, err := n.write(ctx, a, func(c *change) (err error) {
		if err := c.returnsAlone(issuer, subject); err != nil {
			return err
		}
		number, err = c.openEngagement(issuer, subject, check, a.ID)
		return err
	})
	return number, err
}

// openEngagement is OpenEngagement inside the writer.
func (c *change) openEngagement(issuer, subject, check, by string) (number trust.Engagement, err error) {
	if check == "" || subject == "" {
		return 0, trust.Errorf(trust.Invalid, "a new engagement needs the subject and the reference of its joiner check")
	}
	_, line, owner, err := c.speaks(issuer)
	if err != nil {
		return 0, err
	}
	if owner != c.n.self {
		return 0, trust.Errorf(trust.Denied, "issuer %s speaks for %s; only the home opens an engagement", issuer, owner)
	}
	key := c.n.Keys.Subject(owner.String(), line.Namespace(), subject)
	ended, _ := c.Revocation.Ended(key)
	number = ended + 1
	opened := revocation.EngagementOpened{Participant: owner, Subject: key, Engagement: number, Since: c.now, By: by}
	events, err := c.Revocation.Open(c.revocationFacts(revocation.Target{}), opened, c.now)
	if err != nil {
		return 0, err
	}
	m := engagementMessage{Namespace: line.Namespace(), Subject: subject, Engagement: number, Since: c.now}
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: key, text: joinerText{m, check}}); err != nil {
			return 0, err
		}
	}
	for _, partner := range c.hosts() {
		// On the safety lane, so that it cannot overtake the end before it.
		if err := c.sendEngagement(partner, key, m); err != nil {
			return 0, err
		}
	}
	return number, nil
}

// joinerText is the sealed part of an opened engagement. Message is what hosts
// are told.
type joinerText struct {
	Message     engagementMessage `json:"message"`
	JoinerCheck string            `json:"joiner_check"`
}

// ApproveEngagement accepts a partner's subject back, in its new engagement: by who
// approves under an agreement with that partner.
func (n *Node) ApproveEngagement(ctx context.Context, a Actor, subject trust.SubjectKey) error {
	_, err := n.change(ctx, func(c *change) error {
		if err := c.mayReadmit(a); err != nil || c.refusal != nil {
			return err
		}
		if c.Suspension.SubjectSuspended(subject, c.now) {
			return trust.Errorf(trust.Conflict, "subject is suspended here; no new engagement of it is approved before it is resumed")
		}
		return c.take(c.Revocation.Approve(subject, a.ID))
	})
	return err
}

// revocationFacts tell whether a target's issuer speaks for its participant
// alone.
func (c *change) revocationFacts(t revocation.Target) revocation.Facts {
	facts := revocation.Facts{Self: c.n.self}
	if speaker, ok := c.Participant.Speaker(t.Issuer.String()); ok {
		facts.Sole = speaker.Discriminator == "" && len(speaker.Candidates) == 1 && speaker.Candidates[0].Participant == t.Participant
	}
	return facts
}
