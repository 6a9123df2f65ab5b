package revocation

import "github.com/entente-id/entente/trust"

// Revoked: a target has ended, for good. From is the participant that told us;
// zero means it was decided here. Reason and incident are in the sealed part.
type Revoked struct {
	Target Target              `json:"target"`
	Alias  trust.SubjectKey    `json:"alias,omitzero"` // the subject by its pairwise name, where a partner gave both
	From   trust.ParticipantID `json:"from,omitzero"`
	By     string              `json:"by,omitempty"`
}

// Bulk: many engagements of one participant's subjects have ended, for good, in
// one act. Who they are stands in the sealed part, under the data key of List;
// zero means that nothing is sealed. From is the participant that told us; zero
// means it was decided here.
type Bulk struct {
	Participant trust.ParticipantID `json:"participant"`
	Subjects    int                 `json:"subjects"` // how many; one that a partner named in two ways has two marks
	Marks       []byte              `json:"marks"`    // as Pack writes them
	List        trust.SubjectKey    `json:"list,omitzero"`
	From        trust.ParticipantID `json:"from,omitzero"`
	By          string              `json:"by,omitempty"`
}

// EngagementOpened: the home vouches, after a joiner check, for a new
// engagement of a subject whose earlier one ended. It changes nothing at a host
// until a local person approves it.
type EngagementOpened struct {
	Participant trust.ParticipantID `json:"participant"`
	Subject     trust.SubjectKey    `json:"subject"`
	Alias       trust.SubjectKey    `json:"alias,omitzero"` // likewise, by its pairwise name
	Engagement  trust.Engagement    `json:"engagement"`
	Since       int64               `json:"since"` // Unix seconds; tokens issued earlier belong to the ended one
	From        trust.ParticipantID `json:"from,omitzero"`
	By          string              `json:"by,omitempty"`
}

// EngagementApproved: a local person accepted the new engagement.
type EngagementApproved struct {
	Subject    trust.SubjectKey `json:"subject"`
	Engagement trust.Engagement `json:"engagement"`
	By         string           `json:"by"`
}

// CredentialRevoked: one of this node's own credentials has ended before its
// time, which is Expires (Unix seconds). By names the client that gave it back, or
// the operator who ended it; the identifier is random.
type CredentialRevoked struct {
	Credential string `json:"credential"`
	By         string `json:"by"`
	Expires    int64  `json:"expires,omitzero"`
}

// EventKind is revocation.credential_revoked.
func (CredentialRevoked) EventKind() trust.Kind { return kind("credential_revoked") }

// EventKind is revocation.revoked.
func (Revoked) EventKind() trust.Kind { return kind("revoked") }

// EventKind is revocation.bulk.
func (Bulk) EventKind() trust.Kind { return kind("bulk") }

// EventKind is revocation.engagement_opened.
func (EngagementOpened) EventKind() trust.Kind { return kind("engagement_opened") }

// EventKind is revocation.engagement_approved.
func (EngagementApproved) EventKind() trust.Kind { return kind("engagement_approved") }

func kind(verb string) trust.Kind { return trust.Kind{Name: "revocation." + verb, Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{Revoked{}, Bulk{}, EngagementOpened{}, EngagementApproved{}, CredentialRevoked{}, Unwound{}, SessionStopped{}, LeakReported{}}
}
