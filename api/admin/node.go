package admin

import (
	"context"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

// Node is all that this interface asks of the shell. *node.Node is one; every
// error is a trust.Error, and the node records what it refuses.
type Node interface {
	Reader
	Participants
	Agreements
	Locals
	OAuthClients
	People
	Exceptions
	Transmitters
	Streams
	Counters
	Findings
	Revocations
	Suspensions
	Unwindings
	Disputes
	Sessions
	Approvals
	BreakGlasses
	Reviews
	Drills
	Erasures
	Identities
	Rules
	Keys
	Records
}

var _ Node = (*node.Node)(nil)

// Reader shows the node as it is.
type Reader interface {
	Operator(credential []byte) (node.Actor, bool)
	OnlyOnce(ctx context.Context, a node.Actor, name string) (context.Context, error)
	State() *state.Snapshot
	Self() trust.ParticipantID
	Now() int64
	Status(ctx context.Context) node.Status
	Trespass(ctx context.Context, from trust.ParticipantID)
	SetClock(ctx context.Context, a node.Actor, offset time.Duration) error
	SetMachineClock(ctx context.Context, a node.Actor, ahead time.Duration) error
	AcceptClock(ctx context.Context, a node.Actor, reason string) (node.ClockStatus, error)
	Recovery(ctx context.Context, a node.Actor) (node.Recovery, error)
	GoOnWithout(ctx context.Context, a node.Actor, partner trust.ParticipantID, reason string) (node.Resumption, error)
	AcceptEpoch(ctx context.Context, a node.Actor, partner trust.ParticipantID, epoch uint32, reason string) (trust.Position, error)
}

// Participants are the use cases about partners and the framework.
type Participants interface {
	Speech() edge.Speech
	Invitation(ctx context.Context) (participant.Invitation, string, error)
	Confirm(ctx context.Context, a node.Actor, inv participant.Invitation, fingerprint string) (trust.ParticipantID, error)
	Declare(ctx context.Context, a node.Actor, d participant.Document) error
	GiveBundle(ctx context.Context, a node.Actor, domain trust.IssuerID, document []byte) error
	ReceiveFramework(ctx context.Context, a node.Actor, signed framework.Signed) (hash string, err error)
	AdoptFramework(ctx context.Context, a node.Actor, hash string) error
	Adoptions() []node.Adoption
}

// Agreements are the use cases about agreements.
type Agreements interface {
	RenderAgreement(ctx context.Context, a node.Actor, d agreement.Document, id string) (data []byte, hash string, err error)
	OfferAgreement(ctx context.Context, a node.Actor, data, signature []byte) error
	Authority(a node.Actor, name string) ([]node.AuthorityLine, error)
	CountersignAgreement(ctx context.Context, a node.Actor, name, hash string, signature []byte) error
	ActivateAgreement(ctx context.Context, a node.Actor, name string) error
	SuspendAgreement(ctx context.Context, a node.Actor, name, reason string) error
	EndAgreement(ctx context.Context, a node.Actor, name, reason string) error
}

// Locals are the use cases about this organisation's own rules and services.
type Locals interface {
	OfferMapping(ctx context.Context, a node.Actor, d mapping.Document) error
	ApproveMapping(ctx context.Context, a node.Actor, name string) error
	CloseMapping(ctx context.Context, a node.Actor, name string) error
	ApplyPolicy(ctx context.Context, a node.Actor, source string) (hash string, err error)
	RegisterService(ctx context.Context, a node.Actor, d service.Document) error
	RemoveService(ctx context.Context, a node.Actor, name string) error
	AddEnforcementPoint(ctx context.Context, a node.Actor, name string) (credential string, err error)
	RemoveEnforcementPoint(ctx context.Context, a node.Actor, name string) error
}

// OAuthClients are the use cases about clients of the token endpoint.
type OAuthClients interface {
	AddClient(ctx context.Context, a node.Actor, d client.Document) error
	RenewClient(ctx context.Context, a node.Actor, id string, m client.Means) error
	EndClient(ctx context.Context, a node.Actor, id string) error
}

// People are the use cases about local operators.
type People interface {
	AddOperator(ctx context.Context, a node.Actor, name string, roles []trust.Role) (id, credential string, err error)
	RemoveOperator(ctx context.Context, a node.Actor, id string) error
	LinkOperator(ctx context.Context, a node.Actor, id, issuer, subject string, of trust.ParticipantID) error
}

// Revocations are the use cases that end things, and begin engagements again.
type Revocations interface {
	Revoke(ctx context.Context, a node.Actor, r node.RevokeRequest) (node.Revocation, error)
	RevokeMany(ctx context.Context, a node.Actor, leavers []node.Leaver, reason, incident string, progress func(done, total int)) (node.BulkRevocation, error)
	OpenEngagement(ctx context.Context, a node.Actor, issuer, subject, check string) (trust.Engagement, error)
	ApproveEngagement(ctx context.Context, a node.Actor, subject trust.SubjectKey) error
	Engagements(ctx context.Context) ([]node.Engagement, error)
}

// Unwindings are the use cases that end something with all that hangs from it.
type Unwindings interface {
	Reach(ctx context.Context, a node.Actor, r node.Root) (node.Reach, error)
	Unwind(ctx context.Context, a node.Actor, r node.Root, why node.Why) (node.Unwound, error)
	Unwinding(ctx context.Context, a node.Actor, n uint64) (node.Unwound, error)
	RevokeCredential(ctx context.Context, a node.Actor, id string, why node.Why) (node.EndedCredential, error)
	ReportLeak(ctx context.Context, a node.Actor, r node.LeakRequest) (node.Leak, error)
}

// Sessions are the use cases about what enforcement points have open.
type Sessions interface {
	Sessions(ctx context.Context, a node.Actor) ([]node.OpenSession, error)
	EndSession(ctx context.Context, a node.Actor, reference, reason string) (trust.Position, error)
}

// Suspensions are the use cases that stop things for a time, and let them go on.
type Suspensions interface {
	Suspend(ctx context.Context, a node.Actor, r node.SuspendRequest) (node.Suspension, error)
	Resume(ctx context.Context, a node.Actor, w node.Stoppable, reason string) (node.Resumption, error)
	Suspensions(ctx context.Context, a node.Actor) ([]node.Suspended, error)
	Notices(ctx context.Context, a node.Actor) ([]node.Suspended, error)
}

// Keys are the use cases about keys, the node's own and issuers'.
type Keys interface {
	ListKeys(ctx context.Context, a node.Actor) ([]node.KeyView, error)
	Accepted(ctx context.Context, a node.Actor, issuer, key string, from uint64) (node.Accepted, error)
	DraftCard(ctx context.Context, a node.Actor, r participant.Rotation) (node.CardDraft, error)
	RenewCard(ctx context.Context, a node.Actor, signed participant.SignedCard) error
}

// Records show what the ledger holds; the node checks the reader's role.
type Records interface {
	Explain(ctx context.Context, a node.Actor, reference string) (node.Explanation, error)
	ExplainHypothetical(ctx context.Context, a node.Actor, ask node.Ask) (node.Explanation, error)
	Entries(ctx context.Context, a node.Actor, log string, from uint64, limit int) (entries []node.EntryView, next uint64, err error)
	Checkpoint(log string) []byte
	StateAt(ctx context.Context, a node.Actor, at time.Time) (*state.Snapshot, error)
}
