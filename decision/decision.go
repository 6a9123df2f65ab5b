// Package decision answers one question: may this caller do this here, now? It
// is a pure function of a snapshot, what was observed, the evidence and the
// request. It decides nothing twice and refuses to know machines: it has no
// clock, no file and no network, so any recorded decision can be made again.
package decision

import (
	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/trust"
)

// Request is what an enforcement point asks, after the whole request was
// parsed. EnforcementPoint is the authenticated name of who asks.
type Request struct {
	EnforcementPoint string
	SubjectID        string // the request's subject.id, which must be the index of the evidence, "0", or the evidence's own subject
	Action           trust.Action
	ResourceType     trust.ResourceType
	ResourceID       string
	Properties       map[string]any // resource.properties, canonical values; only what the service registered counts
	Purpose          trust.Purpose
	// Reason is why, in the caller's words, and Ticket where that is written down:
	// for people, and sealed.
	Reason, Ticket string
	// Session is set when the caller's session stays open and the enforcement
	// point wants to be told when this permit ends (R81).
	Session bool
	// Workload is what the enforcement point saw of what the caller runs as and on,
	// canonical values; only what the service registered counts.
	Workload map[string]any
	// Order is set when a credential is asked for instead of an access.
	Order *Order
}

// Order is the credential that a client asks for. Each action on each resource
// of its access is decided as a request of its own, with an empty ResourceID for
// every resource of the type. Local policy, which reads the resource, is asked
// now only about one resource of which no enforcement point states an attribute;
// it is asked whenever the credential is used.
type Order struct {
	Client string            `json:"client"` // authenticated
	Target string            `json:"target"` // the audience of the one service it is for
	Access []evidence.Access `json:"access"`
	// Agreement, once the first access has been decided, is the one that carries
	// the others too: a credential stands and falls with a single agreement.
	Agreement string `json:"agreement,omitempty"`
	// Partner is whose authorization server a grant (evidence.IDJAG) is for, by
	// which one of our own people gets a credential there; zero asks for one of
	// ours. Target is then the audience of the partner's service.
	Partner trust.ParticipantID `json:"partner,omitzero"`
	// Introspected asks for nothing new: a service wants to know whether a
	// credential of ours that was shown to it is still good.
	Introspected bool `json:"introspected,omitzero"`
}

// Observed is what the shell saw when it asked: it stands in the leaf, so the
// decision can be replayed. Ages are in seconds; -1 is never.
type Observed struct {
	Now          int64            // Unix seconds
	Subject      trust.SubjectKey // the caller's key in this ledger; zero without identified evidence
	PartnerAge   int64            // since the last proven word of the participant
	StatementAge int64            // since the participant's statement was signed
	StatementEnd int64            // when it expires, Unix seconds; 0 none
	FeedAge      int64            // since the transmitter of the issuer proved that it is heard; 0 where it has none
	BundleAge    int64            // since the trust domain's bundle was read again; 0 where no bundle counts
	// what a permit that is given again seldom needs follows: those above are one
	// line of a processor's cache

	Origin  trust.SubjectKey // like Subject, at the origin of a brokered caller; zero without one
	Session trust.SubjectKey // likewise of the session that the token names; zero without one
	Device  trust.SubjectKey // likewise of its device
	Chain   []Observed       // likewise of each link's delegator, then of the actor; nil without a chain
	Nonce   Nonce            // the one in the caller's DPoP proof

	// Resource is the node's keyed hash of what is asked for; zero where no check
	// needed it, see Decision.Unseen.
	Resource trust.SubjectKey
	// Duty is the trust entry that was appended for this decision, see
	// Decision.Duty; zero for none.
	Duty   trust.Position
	Person trust.SubjectKey // somebody whom a remedy stops under every identifier, whom the evidence names; zero: nobody

	Unsure        bool // nobody has confirmed the time that Now says
	Monitored     bool // the subject is, by a remedy
	Spent         bool // and has had as many permits within the hour as that lets
	Unnamed       bool // the evidence lacks the claim by which it would name a Person
	Watched       bool // the enforcement point holds a watch stream, with room for a session
	Replayed      bool // the token was used before
	ProofReplayed bool // the DPoP proof was used before
	QuotaFull     bool // the participant can use no further value up now
}

// Nonce is what a node's nonce in a DPoP proof is worth.
type Nonce string

const (
	NoNonce    Nonce = ""
	FreshNonce Nonce = "fresh" // one that this enforcement point was given lately
	StaleNonce Nonce = "stale" // any other
)

// Evidence is what Decide takes beside a request: the verified evidence and the
// values it may use up, or what was established before the fault. It must have
// been verified against the same snapshot.
type Evidence struct {
	evidence.Evidence
	Once  []trust.Once
	Fault *evidence.Fault
}

// verified reports whether there is genuine evidence to look at.
func (ev *Evidence) verified() bool { return ev.Fault == nil && !ev.Participant.IsZero() }

// Result is how a check came out.
type Result string

const (
	Passed     Result = "pass"
	Failed     Result = "fail"
	NotNeeded  Result = "none"        // nothing to check
	NotReached Result = "not_reached" // an earlier check decided, or left nothing to look at
)

// Check is one line of the explanation. Text is for people, is written by
// Explain only, and never stands in a leaf.
type Check struct {
	Name   string
	Result Result
	Reason trust.Reason // set when failed
	Text   string
}

// The ten checks, in their fixed order.
const (
	Identify = iota
	Authenticate
	Classify
	Delegate
	Link
	Freshness
	Revocation
	Entitle
	LocalPolicy
	Obligations
	checks
)

// Names are the checks' names, in order.
var Names = [checks]string{"identify", "authenticate", "classify", "delegate", "link", "freshness", "revocation", "entitle", "local policy", "obligations"}

// Decision is the answer and everything it rests on.
type Decision struct {
	Permit  bool
	Reason  trust.Reason
	Decided int // index of the check that decided; checks-1 for a permit
	Checks  [checks]Check
	Tier    trust.Tier // the stricter of the class's and the agreement's, part of the reason (R30); empty before link
	// TTL is for how many seconds the answer may be relied on: nothing this
	// decision read ends sooner, and a revocation is not held up longer than
	// the tier's removal target. 0 is ask every time.
	TTL int64

	FrameworkVersion int
	Agreement        string // random id, empty for none
	AgreementName    string
	Revision         int
	Policy           string         // hash of the local policy
	Policies         []string       // ids that determined the local policy's answer
	Trust            trust.Position // the trust entry the snapshot stood at

	Roles []trust.Role // local roles after mapping, sorted
	Burn  []trust.Once // values this decision uses up, on permit and on deny
	// Actor is what the actor of a chain may on its own; nil without a chain, or
	// where the chain does not lead to anybody.
	Actor *Decision
	// Approval is the approval that the action waits for or is done by; empty for
	// none.
	Approval string
	// BreakGlass is the emergency access by which it is done, or whose review is
	// waited for; empty for none.
	BreakGlass string
	// Duty is what the trust log has to say before this decision is recorded, Need
	// what people are asked for by it, and Glass what somebody breaks the glass for.
	Duty  Duty
	Need  *approval.Need
	Glass *breakglass.Need
	// Unseen tells that a check needed Observed.Resource: ask again with it.
	Unseen bool
	// Hop is where in a chain the check failed: 1 whom the principal lets act, and
	// so on; 0 where it failed of the principal, or of no hop.
	Hop int
	Bounds
}

// Duty is what a decision brings about in the trust log.
type Duty string

// The duties.
const (
	NoDuty        Duty = ""
	AskApproval   Duty = "ask"   // of a denial: people are asked
	SpendApproval Duty = "spend" // of a permit: the approval is used up

	OpenBreakGlass Duty = "open" // of a denial, which it turns: somebody breaks the glass
	UseBreakGlass  Duty = "use"  // of a permit: one more use of emergency access is counted
)

// Bounds are until when, and how stale, a decision would be made again.
type Bounds struct {
	// Bound is the earliest instant (Unix seconds) at which any time this
	// decision read could turn it; before it, only freshness, revocation,
	// replay and the snapshot's rules can. With a fault it is now.
	Bound int64
	// MaxAge is the staleness bound that applied, in seconds; 0 before link.
	MaxAge int64
	// MaxBundleAge is the same of the bundles of trust domains; 0 where none counts.
	MaxBundleAge int64
	// MaxFeedAge is the same of the transmitters of issuers.
	MaxFeedAge int64
	// Limit is what bounds TTL apart from time and the age of the partner's
	// word; 0 for a decision that is to be asked for every time.
	Limit int64
}

// Narrow makes b hold no longer than o: the bounds of a decision that rests on
// several with the same evidence.
func (b *Bounds) Narrow(o *Bounds) {
	b.Bound, b.MaxAge, b.Limit = min(b.Bound, o.Bound), min(b.MaxAge, o.MaxAge), min(b.Limit, o.Limit)
	if b.MaxFeedAge == 0 || o.MaxFeedAge > 0 && o.MaxFeedAge < b.MaxFeedAge {
		b.MaxFeedAge = o.MaxFeedAge
	}
	if b.MaxBundleAge == 0 || o.MaxBundleAge > 0 && o.MaxBundleAge < b.MaxBundleAge {
		b.MaxBundleAge = o.MaxBundleAge
	}
}

// TTLAt gives the TTL of the same decision made with o.
func (b *Bounds) TTLAt(o *Observed) int64 {
	ttl := min(b.Limit, b.Bound-o.Now, b.MaxAge-o.Oldest())
	if b.MaxBundleAge > 0 {
		ttl = min(ttl, b.MaxBundleAge-o.oldestBundle())
	}
	if b.MaxFeedAge > 0 {
		ttl = min(ttl, b.MaxFeedAge-o.oldestFeed())
	}
	return max(ttl, 0)
}

// LifeAt gives the life in seconds of a credential of the same decision made
// with o. How old a partner's word is does not bound it: that is looked at again
// whenever it is used.
func (b *Bounds) LifeAt(o *Observed) int64 { return max(min(b.Limit, b.Bound-o.Now), 0) }

func (o *Observed) oldestFeed() int64 {
	age := o.FeedAge
	for i := range o.Chain {
		age = max(age, o.Chain[i].FeedAge)
	}
	return age
}

func (o *Observed) oldestBundle() int64 {
	age := o.BundleAge
	for i := range o.Chain {
		age = max(age, o.Chain[i].BundleAge)
	}
	return age
}

// Oldest is the greatest age of a partner's word that was looked at; -1 where
// one never came.
func (o *Observed) Oldest() int64 {
	age := o.PartnerAge
	for i := range o.Chain {
		hop := &o.Chain[i]
		if age < 0 || hop.PartnerAge < 0 {
			return -1
		}
		age = max(age, hop.PartnerAge)
	}
	return age
}
