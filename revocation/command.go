package revocation

import (
	"math"

	"github.com/entente-id/entente/table"
	"github.com/entente-id/entente/trust"
)

// maxAhead is how far ahead of our clock a partner's may be, in seconds.
const maxAhead = 60

// Facts is what other rooms know. Self is this node's participant. Sole says
// that nobody but the target's participant speaks through the target's issuer.
type Facts struct {
	Self trust.ParticipantID
	Sole bool
}

// Revoke ends a target, for good. One local operator, or the participant that
// answers for the target, is enough; what has ended already changes nothing. A
// key that also speaks for others is revoked only here, not by a partner. It
// fails with Invalid or Denied.
func (s State) Revoke(f Facts, r Revoked) ([]trust.Event, error) {
	t := r.Target
	if err := checkOrigin("revocation", r.From, r.By); err != nil {
		return nil, err
	}
	if err := t.Check(); err != nil {
		return nil, err
	}
	if !r.From.IsZero() && r.From != t.Participant {
		return nil, trust.Errorf(trust.Denied, "participant %s revokes a %s of %s; only who answers for it may", r.From, t.Kind, t.Participant)
	}
	if t.Kind == Key && !r.From.IsZero() && !f.Sole {
		return nil, trust.Errorf(trust.Denied, "participant %s revokes a key of issuer %s, which it does not have for itself; only a local operator may", r.From, t.Issuer)
	}
	also := t
	also.Subject = r.Alias
	if s.has(t) && (r.Alias == trust.SubjectKey{} || s.has(also)) {
		return nil, nil
	}
	return []trust.Event{r}, nil
}

// RevokeCredential ends one of the node's own credentials, which expires at
// expires (Unix seconds); one that has ended changes nothing. It fails with
// Invalid.
func (s State) RevokeCredential(id string, expires int64, by string) ([]trust.Event, error) {
	if id == "" || by == "" || expires <= 0 {
		return nil, trust.Errorf(trust.Invalid, "revocation of a credential must name it, its expiry and the client that gives it back")
	}
	if s.CredentialRevoked(id) {
		return nil, nil
	}
	return []trust.Event{CredentialRevoked{Credential: id, By: by, Expires: expires}}, nil
}

func (s State) has(t Target) bool {
	switch t.Kind {
	case Subject:
		ended, _ := s.Ended(t.Subject)
		return ended >= t.Engagement
	case Key:
		return s.KeyRevoked(t.Issuer.String(), t.Thumbprint)
	case Issuer:
		return s.IssuerRevoked(t.Participant.String(), t.Issuer.String())
	}
	return false
}

// Open vouches for a new engagement of a subject: the one after the last that
// ended. Only the home opens it: o.From is the participant, or we are. The same
// opening again changes nothing. It fails with Invalid, Denied or Conflict. now
// is Unix seconds.
func (s State) Open(f Facts, o EngagementOpened, now int64) ([]trust.Event, error) {
	if err := checkOrigin("new engagement", o.From, o.By); err != nil {
		return nil, err
	}
	home := o.From
	if home.IsZero() {
		home = f.Self
	}
	ended, _ := s.Ended(o.Subject)
	back, _ := s.Returns.Get(table.Key(o.Subject))
	switch {
	case o.Participant.IsZero() || o.Subject == trust.SubjectKey{} || o.Since <= 0 || o.Since > now+maxAhead:
		return nil, trust.Errorf(trust.Invalid, "engagement %d must name a participant and a subject and begin by now", o.Engagement)
	case home != o.Participant:
		return nil, trust.Errorf(trust.Denied, "engagement %d with %s is opened by %s; only the home opens one", o.Engagement, o.Participant, home)
	case ended == 0 || ended == math.MaxUint32 || o.Engagement != ended+1:
		return nil, trust.Errorf(trust.Conflict, "engagement %d does not follow the last that ended, %d; a new one is its next", o.Engagement, ended)
	case back.Engagement == o.Engagement && back.Since != o.Since:
		return nil, trust.Errorf(trust.Conflict, "engagement %d is approved already with another beginning", o.Engagement)
	case back.Engagement == o.Engagement:
		return nil, nil
	}
	if opening, ok := s.Openings.Get(table.Key(o.Subject)); ok && opening == (Opening{o.Engagement, o.Since, o.Alias}) {
		return nil, nil
	}
	return []trust.Event{o}, nil
}

// Approve accepts, by a local person, the engagement that the subject's home
// opened. It fails with Invalid or NotFound.
func (s State) Approve(subject trust.SubjectKey, by string) ([]trust.Event, error) {
	if by == "" {
		return nil, trust.Errorf(trust.Invalid, "engagement is approved by nobody; a local person must be named")
	}
	opening, ok := s.Openings.Get(table.Key(subject))
	if !ok {
		return nil, trust.Errorf(trust.NotFound, "no engagement of this subject awaits approval; its home opens one first")
	}
	return []trust.Event{EngagementApproved{Subject: subject, Engagement: opening.Engagement, By: by}}, nil
}

func checkOrigin(what string, from trust.ParticipantID, by string) error {
	if from.IsZero() == (by == "") {
		return trust.Errorf(trust.Invalid, "%s comes from a partner or a local operator; exactly one must be named", what)
	}
	return nil
}
