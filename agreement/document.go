// Package agreement holds trust agreements: what a host accepts from a home,
// countersigned by both. It decides which moves of an agreement's life are legal
// and what an agreement covers. It refuses to know how its bytes travel and
// which people act for a participant.
//
// An agreement is proposed, perhaps countered, agreed, active, perhaps
// suspended, ended. A command takes the event it is asked for and judges it. It
// returns that event, completed, and no error; or a Refused and an error that
// names agreement, stage and rule: record the event, report the error (R18). An
// error without an event is about nothing that could be recorded: bytes that are
// no revision, or an agreement that does not exist.
package agreement

import (
	"slices"

	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/trust"
)

// Document is an agreement as people write it. It carries what NIST SP 800-63C
// asks of a trust agreement beside scope, authority, owners, review and end.
type Document struct {
	Kind        string              `json:"kind"` // "Agreement"
	Name        string              `json:"name"`
	Home        trust.ParticipantID `json:"home"` // answers for the people
	Host        trust.ParticipantID `json:"host"` // owns the resources
	Tier        trust.Tier          `json:"tier"`
	Starts      trust.Instant       `json:"starts,omitzero"`
	Ends        trust.Instant       `json:"ends"`
	ReviewEvery trust.Span          `json:"review_every"`
	Accepts     []Accept            `json:"accepts"`
	Attributes  []Attribute         `json:"attributes,omitempty"`
	Privacy     Privacy             `json:"privacy"`
	Authority   Authority           `json:"authority"`
	Owners      Owners              `json:"owners"`
	BreakGlass  *BreakGlass         `json:"break_glass,omitempty"`
	Disputes    *Disputes           `json:"disputes,omitempty"`
}

// Accept is one line of what the host accepts.
type Accept struct {
	Class     trust.Class                          `json:"class"`
	Issuers   []trust.IssuerID                     `json:"issuers,omitempty"`  // the home's issuers; for people and service accounts
	Subjects  []string                             `json:"subjects,omitempty"` // exact identifiers; empty means any subject of the issuers
	Audience  string                               `json:"audience"`
	Roles     []string                             `json:"roles,omitempty"` // the partner's role codes that may be mapped
	Needs     map[framework.Ladder]framework.Level `json:"needs,omitempty"`
	Purposes  []trust.Purpose                      `json:"purposes"`
	Actions   []trust.Action                       `json:"actions"`
	Resources []ResourceScope                      `json:"resources"`
	Depth     int                                  `json:"delegation_depth,omitzero"`
	MaxTTL    trust.Span                           `json:"max_ttl,omitzero"`
	// MaxAuthAge is how long ago a person may have signed in, where the host
	// keeps shorter sessions than the class.
	MaxAuthAge trust.Span `json:"max_auth_age,omitzero"`
	// SingleUse makes each ID token good for one decision; an access token
	// under such a line is refused when the agreement is proposed or used.
	SingleUse bool      `json:"single_use,omitzero"`
	Approval  *Approval `json:"approval,omitempty"`
	// Workload is what the host's enforcement point has to have seen of what the
	// caller runs as and on, each exactly; what the caller's token says of it does
	// not count here (R22).
	Workload map[string]string `json:"workload,omitempty"`
}

// ResourceScope is a resource type, and optionally exact identifiers of it.
type ResourceScope struct {
	Type trust.ResourceType `json:"type"`
	IDs  []string           `json:"ids,omitempty"`
}

// Approval names the actions that need a live local approval, and by how many
// people.
type Approval struct {
	Actions []trust.Action `json:"actions"`
	People  int            `json:"people"`
	// TTL is for how long an approval counts; 0 is 15 minutes.
	TTL trust.Span `json:"ttl,omitzero"`
	// Once makes each approval good for one decision.
	Once bool `json:"once,omitzero"`
}

// approvedFor is for how many seconds an approval counts where the agreement does
// not say.
const approvedFor = 15 * 60

// Lasts is for how many seconds an approval counts.
func (a *Approval) Lasts() int64 {
	if a.TTL > 0 {
		return int64(a.TTL)
	}
	return approvedFor
}

// Attribute is a claim the home releases, where it stands and what for. From is
// a path such as "ward_ids" or "roles[id=$selected].code".
type Attribute struct {
	Name    string `json:"name"`
	From    string `json:"from,omitempty"` // empty: a claim of the same name
	Purpose string `json:"purpose"`
	// Context tells that it says what a workload runs as and on, such as the
	// digest of its image or its posture (R22), and not who it is: local policy
	// reads it from the context.
	Context bool `json:"context,omitzero"`
}

// Privacy is what NIST SP 800-63C asks: whom it concerns, how they are informed
// and who is the authorised party.
type Privacy struct {
	Population      string `json:"population"`
	Notice          string `json:"notice"`
	AuthorisedParty string `json:"authorised_party"`
}

// Authority says who does what. Nobody may do it for the other side: approval
// and override belong to the host.
type Authority struct {
	Issues      trust.RoleRef   `json:"issues"`
	Validates   trust.RoleRef   `json:"validates"`
	Approves    trust.RoleRef   `json:"approves"`
	Revokes     []trust.RoleRef `json:"revokes"`
	Overrides   trust.RoleRef   `json:"overrides,omitzero"`
	Adjudicates trust.RoleRef   `json:"adjudicates,omitzero"`
}

// Owners are the two roles that own an agreement.
type Owners struct {
	Home trust.RoleRef `json:"home"`
	Host trust.RoleRef `json:"host"`
}

// BreakGlass bounds emergency access; the BTG purpose is the switch. Uses is for
// how many decisions one breaking of the glass is good, 0 for any number.
type BreakGlass struct {
	TTL          trust.Span `json:"ttl"`
	ReviewWithin trust.Span `json:"review_within"`
	Uses         int        `json:"uses,omitzero"`
}

// Reviewer is the role of the host that reviews emergency access: the one that may
// override, or else the one that owns the agreement.
func (d *Document) Reviewer() string {
	if !d.Authority.Overrides.IsZero() {
		return d.Authority.Overrides.Role
	}
	return d.Owners.Host.Role
}

// Owner is the role that owns the agreement at a party.
func (d *Document) Owner(at trust.ParticipantID) string {
	if at == d.Home {
		return d.Owners.Home.Role
	}
	return d.Owners.Host.Role
}

// other gives the party that p is not.
func (d *Document) other(p trust.ParticipantID) trust.ParticipantID {
	if p == d.Home {
		return d.Host
	}
	return d.Home
}

// differs reports whether e is about another agreement than d: a counter keeps
// the name and the parties.
func (d *Document) differs(e Document) bool {
	return d.Name != e.Name || d.Home != e.Home || d.Host != e.Host
}

// Revocable reports whether somebody at self holds a role that revokes (R55).
// holders gives the local operators in a role.
func (a Authority) Revocable(self trust.ParticipantID, holders func(role string) []string) bool {
	return slices.ContainsFunc(a.Revokes, func(r trust.RoleRef) bool {
		return r.Participant == self && len(holders(r.Role)) > 0
	})
}
