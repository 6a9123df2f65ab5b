package node

import (
	"context"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/clock"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// rememberSignals is for how many seconds the same token again is told from a new
// one. What comes again later has no effect that it did not have.
const rememberSignals = 7 * 86400

// signalText is the sealed part of a signal. Message is what hosts are told, also
// one that agrees later; ID is the token's jti.
type signalText struct {
	Message signalMessage `json:"message"`
	ID      string        `json:"id,omitempty"`
}

// ReceiveSignal takes a security event token that a transmitter sent. When it
// returns nil, the token and its effect are durable, so the transmitter may forget
// it (RFC 8935, section 2.2). The same token again changes nothing. Errors are a
// *signal.Refusal for what is wrong with the token, and Unavailable.
func (n *Node) ReceiveSignal(ctx context.Context, name string, jws []byte) error {
	t, ok := n.State().Signal.Transmitter(name)
	if !ok || t.Delivery != signal.Push {
		return trust.Errorf(trust.NotFound, "transmitter %s that pushes is not known", name)
	}
	return n.takeSignal(ctx, &t, jws, "")
}

// takeSignal takes a token, which must be the one called id unless that is empty.
func (n *Node) takeSignal(ctx context.Context, t *signal.Transmitter, jws []byte, id string) error {
	token, err := n.readSignal(t, jws)
	if err != nil {
		return err
	}
	if id != "" && token.ID != id {
		return signal.Refuse(signal.InvalidRequest, "security event token of transmitter %s is called otherwise than it says", t.Name)
	}
	if token.Type == signal.Verification || token.Type == signal.StreamUpdated {
		return n.aboutStream(t, &token)
	}
	about, refusal := signal.Resolve(token.Subject, t.Critical)
	if refusal != nil {
		return refusal
	}
	return n.applySignal(ctx, t, &token, about)
}

// readSignal verifies a token: that the transmitter's registered key signed it,
// for us, and that it is one.
func (n *Node) readSignal(t *signal.Transmitter, jws []byte) (signal.Token, error) {
	u, err := jose.ParseBytes(jws, jose.Form{Types: []string{signal.SETType}, Use: jose.ForToken, Thumbprints: true})
	if err != nil {
		return signal.Token{}, signal.Refuse(signal.InvalidRequest, "security event token cannot be read: %w", err)
	}
	return n.readToken(t, u, signal.Read)
}

// readToken verifies a token of either kind and reads its claims.
func (n *Node) readToken(t *signal.Transmitter, u *jose.Unverified, read func(canonical.Object, int64) (signal.Token, *signal.Refusal)) (signal.Token, error) {
	if iss, _ := u.UnverifiedClaims().Text("iss"); iss != t.Signer() {
		return signal.Token{}, signal.Refuse(signal.InvalidIssuer, "security event token is of another issuer than transmitter %s has", t.Name)
	}
	v, err := n.verifySignal(t, u)
	if err != nil {
		return signal.Token{}, err
	}
	token, refusal := read(v.Claims(), n.Now())
	switch {
	case refusal != nil:
		return token, refusal
	case token.Audience != t.Audience:
		return token, signal.Refuse(signal.InvalidAudience, "security event token of transmitter %s is for somebody else", t.Name)
	}
	return token, nil
}

// verifySignal checks a signature by the keys that are registered for a
// transmitter.
func (n *Node) verifySignal(t *signal.Transmitter, u *jose.Unverified) (jose.Verified, error) {
	s := n.State()
	kid := u.Header().KeyID
	keys := n.transmitterKeys(s, t)
	key, err := keys.Lookup(kid)
	if kid == "" || err != nil || n.Now() >= key.Ends() || s.Revocation.KeyRevoked(t.Issuer.String(), key.Thumbprint()) {
		n.issuers.hurry(t.Issuer.String(), n.bootTime())
		return jose.Verified{}, signal.Refuse(signal.InvalidKey, "security event token names no key of transmitter %s", t.Name)
	}
	v, err := u.Verify(key)
	if err != nil {
		return jose.Verified{}, signal.Refuse(signal.AuthenticationFailed, "security event token of transmitter %s fails its signature: %w", t.Name, err)
	}
	return v, nil
}

// applySignal records a signal with its effect, and tells hosts of one about our
// own people, in one commit.
func (n *Node) applySignal(ctx context.Context, t *signal.Transmitter, token *signal.Token, about signal.About) error {
	once := trust.Once{Key: table.KeyOf("set", token.Issuer, token.ID), Expires: n.Now() + rememberSignals}
	_, err := n.changeOnce(ctx, func(c *change) error {
		_, line, owner, err := c.speaks(t.Issuer.String())
		if err != nil {
			return signal.Refuse(signal.AccessDenied, "transmitter %s: %w", t.Name, err)
		}
		m := signalMessage{Type: token.Type, At: token.At, Issuer: t.Issuer, Namespace: line.Namespace(), Session: about.Session, Device: about.Device, Narrowed: about.Narrowed}
		for _, user := range about.Users {
			if user.Issuer != t.Issuer.String() {
				return signal.Refuse(signal.AccessDenied, "transmitter %s signals about a subject of another issuer; only who answers for it may", t.Name)
			}
			m.Subjects = append(m.Subjects, user.ID)
		}
		if about.Tenant != "" && about.Tenant != t.Tenant {
			return signal.Refuse(signal.AccessDenied, "transmitter %s signals about a tenant that is not ours", t.Name)
		}
		effect, refusal := token.Effect(c.signalFacts(t))
		if refusal != nil {
			return refusal
		}
		m.Mark, m.Raises = effect.Mark, effect.Raises
		return c.signalled(signal.Received{Transmitter: t.Name, Participant: owner, Type: token.Type.Known(), At: token.At}, m, token.ID, effect.Ends)
	}, once)
	if trust.KindOf(err) == trust.Conflict {
		return nil // it came before, and is durable
	}
	return err
}

// signalFacts are what an effect rests on besides the event.
func (c *change) signalFacts(t *signal.Transmitter) *signal.Facts {
	return &signal.Facts{Assess: c.Assurance, Speaks: c.speaksOf, HighRisk: t.HighRisk == signal.DenyRisk}
}

// speaksOf reports whether the framework in force reads a ladder from a claim.
func (c *change) speaksOf(claim string, ladder framework.Ladder) bool {
	if c.Framework.Current == nil {
		return false
	}
	return slices.ContainsFunc(c.Framework.Current.Document.Assurance.Mapping, func(r framework.LevelRule) bool {
		return r.Claim == claim && r.Gives[ladder] != ""
	})
}

// signalled records a signal of a transmitter of ours, ends what it ends, and
// passes it on.
func (c *change) signalled(r signal.Received, m signalMessage, id string, ends bool) error {
	keys := c.keysOf(r.Participant, &m)
	r.Marks = signal.Place(keys, signal.Effect{Mark: m.Mark, Raises: m.Raises})
	if len(keys.Subjects) > 0 {
		r.Owner = keys.Subjects[0]
	}
	events, err := c.Signal.Record(r)
	if err != nil {
		return err
	}
	for _, e := range events {
		if err := c.addSealed(e, sealed{owner: r.Owner, text: signalText{m, id}}); err != nil {
			return err
		}
	}
	if ends {
		if err := c.endSubjects(r, &m); err != nil {
			return err
		}
	}
	if r.Participant != c.n.self || len(r.Marks) == 0 {
		return nil
	}
	for _, partner := range c.hosts() {
		if err := c.sendSignal(partner, r.Owner, m); err != nil {
			return err
		}
	}
	return nil
}

// endSubjects ends, for good, the engagement that the subjects of a signal were
// in when it happened.
func (c *change) endSubjects(r signal.Received, m *signalMessage) error {
	if len(m.Subjects) == 0 || m.Session != "" || m.Device != "" {
		return signal.Refuse(signal.InvalidRequest, "signal %s is about no user alone", r.Type)
	}
	for _, subject := range m.Subjects {
		key := c.n.Keys.Subject(r.Participant.String(), m.Namespace, subject)
		current, since := c.Revocation.Current(key)
		if r.At < since {
			continue // it was about the engagement before
		}
		end := revocationMessage{Kind: revocation.Subject, Namespace: m.Namespace, Subject: subject, Engagement: current}
		target := revocation.Target{Kind: revocation.Subject, Participant: r.Participant, Subject: key, Engagement: current}
		events, err := c.Revocation.Revoke(c.revocationFacts(target), revocation.Revoked{Target: target, By: "transmitter " + r.Transmitter})
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := c.addSealed(e, sealed{owner: key, text: revokeText{Message: end, Reason: string(r.Type)}}); err != nil {
				return err
			}
		}
		if r.Participant != c.n.self || len(events) == 0 {
			continue
		}
		for _, partner := range c.hosts() {
			if err := c.sendRevocation(partner, key, end); err != nil {
				return err
			}
		}
	}
	return nil
}

// keysOf gives where in this ledger what a message is about stands, for the
// participant that answers for it.
func (c *change) keysOf(who trust.ParticipantID, m *signalMessage) signal.Keys {
	k := signal.Keys{Participant: who, Narrowed: m.Narrowed, Tenants: signal.IssuerKey(who.String(), m.Issuer.String())}
	for _, subject := range m.Subjects {
		k.Subjects = append(k.Subjects, c.n.Keys.Subject(who.String(), m.Namespace, subject))
	}
	if m.Pairwise != "" {
		k.Subjects = append(k.Subjects, c.n.Keys.Subject(who.String(), evidence.Pairwise, m.Pairwise))
	}
	k.Session, k.Device = c.n.namedKeys(who, m.Issuer, m.Session, m.Device)
	return k
}

// namedKeys give what this ledger knows a session and a device of an issuer by;
// zero for none.
func (n *Node) namedKeys(who trust.ParticipantID, issuer trust.IssuerID, session, device string) (s, d trust.SubjectKey) {
	if session != "" {
		s = n.Keys.Subject(who.String(), "session "+issuer.String(), session)
	}
	if device != "" {
		d = n.Keys.Subject(who.String(), "device "+issuer.String(), device)
	}
	return s, d
}

// recognise notes the session and the device that a genuine token names, how old
// the word of its issuer's transmitter is, and what remedies of disputes want
// to know of its subject.
func (n *Node) recognise(s *state.Snapshot, ev *evidence.Evidence, o *decision.Observed, now clock.Mark) {
	o.FeedAge = n.feedAge(s, ev.Issuer.String(), now)
	if session, device := ev.Session(), ev.Device(); session != "" || device != "" {
		o.Session, o.Device = n.namedKeys(ev.Participant, ev.Issuer, session, device)
	}
	if len(s.Dispute.Claims) > 0 {
		o.Person, o.Unnamed = n.whom(s, ev)
	}
	n.monitor(s, o)
}

// sendSignal tells a host of a signal, by both names that it may know a subject
// by.
func (c *change) sendSignal(to trust.ParticipantID, subject trust.SubjectKey, m signalMessage) error {
	if len(m.Subjects) > 0 {
		m.Pairwise = c.n.pairwise(to.String(), subject)
	}
	return c.send(to, edge.Safety, kindSignal, subject, m)
}

// receiveSignal: the home was told something of its own people, or of everybody
// of an issuer that speaks for it.
func receiveSignal(c *change, from *participant.Partner, content []byte) error {
	m, err := parse[signalMessage](content)
	if err != nil {
		return err
	}
	speaks := false
	for _, line := range from.Issuers {
		speaks = speaks || line.Issuer == m.Issuer
	}
	switch {
	case !speaks:
		return trust.Errorf(trust.Denied, "participant %s signals by issuer %s, which it does not state", from.Card.ID, m.Issuer)
	case m.At <= 0 || m.Mark.Newest() > c.now+signal.Leeway:
		return trust.Errorf(trust.Invalid, "participant %s signals what is still to come", from.Card.ID)
	}
	r := signal.Received{From: from.Card.ID, Participant: from.Card.ID, Type: m.Type.Known(), At: m.At}
	keys := c.keysOf(from.Card.ID, &m)
	if len(keys.Subjects) > 0 {
		c.about = keys.Subjects[0]
	}
	r.Marks = signal.Place(keys, signal.Effect{Mark: m.Mark, Raises: m.Raises})
	return c.record(c.Signal.Record(r))
}
