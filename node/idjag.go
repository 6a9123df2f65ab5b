package node

import (
	"github.com/entente-id/entente/credential"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// Peer finds the partner whose node's issuer identifier iss is.
func (r registry) Peer(iss string, now int64) (trust.ParticipantID, []jose.Key, bool) {
	id, err := trust.ParseParticipantID(iss)
	if err != nil {
		return id, nil, false
	}
	p, ok := r.Participant.Partner(id)
	if !ok {
		return id, nil, false
	}
	return id, p.Keys(participant.TokenKey, now), true
}

// vouch signs the grant that an order of one of our own people came to. It is
// good no longer than the proof it stands on.
func (n *Node) vouch(s *state.Snapshot, j *judged, r *Exchange) (m minted, err error) {
	now := j.observed.Now
	signer, ends, err := n.tokenSigner(s, now)
	if err != nil {
		return m, err
	}
	if m.ID, err = n.newCredentialID(); err != nil {
		return m, err
	}
	m.Expires = min(now+min(j.decision.TTL, credential.MaxGrant), ends)
	m.ttl = m.Expires - now
	g := credential.Grant{
		Issuer: n.self.String(), Subject: n.pairwise(r.Partner.String(), j.observed.Subject), Audience: r.Partner.String(), Client: r.Client,
		ID: m.ID, Target: r.Target, Scope: r.Scope, Access: r.Access, Asserted: decision.Assert(s, &j.evidence.Evidence, r.Partner),
		Key: j.evidence.Binding.Holder, IssuedAt: now, ExpiresAt: m.Expires,
	}
	m.token, err = jose.SignPayload(signer, credential.GrantType, g.Append(nil))
	return m, err
}

// abroad observes the partner that a grant is for, in place of ourselves: it is
// its word on the agreement that must be fresh.
func (n *Node) abroad(j *judged, r *Exchange) {
	there := n.observed(r.Partner, j.observed.Subject, n.Clock.Mark())
	j.observed.PartnerAge, j.observed.StatementAge, j.observed.StatementEnd = there.PartnerAge, there.StatementAge, there.StatementEnd
}

// refusalAbroad says what a client may know of why it gets no grant: its own
// organisation's agreements are no secret to it.
func refusalAbroad(j *judged) Refusal {
	switch j.decision.Reason {
	case trust.ParticipantUnknown, trust.ParticipantSuspended, trust.NoAgreement, trust.AgreementEnded, trust.AgreementNotActive,
		trust.AgreementSuspended, trust.NeverProven, trust.Stale, trust.EdgeBroken:
		return BadTarget
	case trust.ResourceNotCovered, trust.ActionNotCovered, trust.PurposeNotCovered, trust.TooMuchAccess:
		return BadAccess
	default:
		return BadToken
	}
}

// sendRevocation tells a partner of an end, by both names that it may know the
// subject by.
func (c *change) sendRevocation(to trust.ParticipantID, subject trust.SubjectKey, m revocationMessage) error {
	if m.Kind == revocation.Subject {
		m.Pairwise = c.n.pairwise(to.String(), subject)
	}
	return c.send(to, edge.Safety, kindRevocation, subject, m)
}

// sendEngagement tells a partner of a new engagement, likewise.
func (c *change) sendEngagement(to trust.ParticipantID, subject trust.SubjectKey, m engagementMessage) error {
	m.Pairwise = c.n.pairwise(to.String(), subject)
	return c.send(to, edge.Safety, kindEngagement, subject, m)
}
