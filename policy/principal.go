package policy

import (
	"encoding/binary"

	"github.com/cedar-policy/cedar-go/types"

	"github.com/entente-id/entente/trust"
)

// The types of the principals a policy may speak of, by class.
var principalTypes = map[trust.Class]types.EntityType{
	trust.Human:          "Human",
	trust.ServiceAccount: "ServiceAccount",
	trust.Workload:       "Workload",
	trust.Agent:          "Agent",
}

const (
	roleType   types.EntityType = "Role"
	actionType types.EntityType = "Action"
)

// Caller is what policies may know of who asks.
type Caller struct {
	Class       trust.Class
	ID          string              // unique among the participant's subjects of this class
	Participant trust.ParticipantID // who answers for the caller
	Roles       []trust.Role        // local, after mapping
	Assurance   map[string]string   // ladder to the name of the level reached
	// Attributes are those the agreement releases, as canonical values. One
	// called participant or assurance is hidden by ours.
	Attributes map[string]any
}

// Principal is a caller in Cedar's form: made once, good for any number of
// decisions at the same time, worth keeping beside a verified token.
type Principal struct {
	entity types.Entity
	fault  *fault
}

// NewPrincipal prepares a caller. It is total: a caller Cedar cannot express
// gives a Principal for which every decision is a policy.error.
func NewPrincipal(c Caller) *Principal {
	t, ok := principalTypes[c.Class]
	if !ok {
		return &Principal{fault: &fault{text: "the caller has no identity class"}}
	}
	var space [512]byte
	key := appendTexts(appendText(space[:0], c.Participant.String()), c.Assurance)
	key = binary.AppendUvarint(key, uint64(len(c.Roles)))
	for _, role := range c.Roles {
		key = appendText(key, string(role))
	}
	key, ok = appendAttributes(key, c.Attributes)
	entity, bad := callers.of(key, ok, c.entity)
	if bad != "" {
		return &Principal{fault: unfit(bad)}
	}
	entity.UID = types.NewEntityUID(t, types.String(c.ID))
	return &Principal{entity: entity}
}

// entity gives a caller without its identifier; bad names an attribute that
// Cedar cannot hold.
func (c *Caller) entity() (e types.Entity, bad string) {
	assurance := make(types.RecordMap, len(c.Assurance))
	for ladder, level := range c.Assurance {
		assurance[types.String(ladder)] = types.String(level)
	}
	attributes, bad := record(c.Attributes, types.RecordMap{
		"participant": types.String(c.Participant.String()),
		"assurance":   types.NewRecord(assurance),
	})
	parents := make([]types.EntityUID, len(c.Roles))
	for i, role := range c.Roles {
		parents[i] = types.NewEntityUID(roleType, types.String(role))
	}
	return types.Entity{Parents: types.NewEntityUIDSet(parents...), Attributes: attributes}, bad
}

// fault is why a query could not be put to Cedar.
type fault struct {
	attribute string
	text      string
}

func unfit(attribute string) *fault {
	return &fault{attribute, "attribute " + attribute + " has a value that Cedar has no type for"}
}
