package node

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/policy"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/trust"
)

// OfferMapping proposes a mapping under an agreement; it waits for its approver.
func (n *Node) OfferMapping(ctx context.Context, a Actor, d mapping.Document) error {
	_, err := n.write(ctx, a, func(c *change) error {
		return c.take(c.Mapping.Offer(c.mappingFacts(), d, a.ID, c.now))
	})
	return err
}

// ApproveMapping grants a mapping. The operator must hold the role that the
// agreement names as approver; the admin role alone does not suffice, and is
// not needed.
func (n *Node) ApproveMapping(ctx context.Context, a Actor, name string) error {
	_, err := n.change(ctx, func(c *change) error {
		if err := c.mayMap(name, agreement.GrantMapping, a.ID); err != nil || c.refusal != nil {
			return err
		}
		return c.take(c.Mapping.Approve(c.mappingFacts(), name, a.ID, c.now))
	})
	return err
}

// CloseMapping ends a mapping: by who approves, revokes or owns under its
// agreement.
func (n *Node) CloseMapping(ctx context.Context, a Actor, name string) error {
	_, err := n.change(ctx, func(c *change) error {
		if err := c.mayMap(name, agreement.CloseMapping, a.ID); err != nil || c.refusal != nil {
			return err
		}
		return c.take(c.Mapping.Close(name, a.ID))
	})
	return err
}

func (c *change) mappingFacts() mapping.Facts {
	return mapping.Facts{Self: c.n.self, Agreements: c.Agreement, Holders: c.Operator.Holders}
}

// ApplyPolicy replaces the local policy. It gives the hash of the new one.
func (n *Node) ApplyPolicy(ctx context.Context, a Actor, source string) (string, error) {
	_, err := n.write(ctx, a, func(c *change) error {
		return c.take(c.Policy.Replace(source, c.policySchema(), a.ID))
	})
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:]), err
}

// policySchema is what a policy may read: what agreements release about a
// caller and what it runs as, and what enforcement points may state about a resource.
func (c *change) policySchema() policy.Schema {
	schema := policy.Schema{ResourceAttributes: map[trust.ResourceType][]string{}}
	for a := range c.Agreement.All() {
		if a.Stage == agreement.Ended || a.Revision.Document.Host != c.n.self {
			continue
		}
		for _, attribute := range a.Revision.Document.Attributes {
			if attribute.Context {
				schema.ContextAttributes = append(schema.ContextAttributes, attribute.Name)
			} else {
				schema.PrincipalAttributes = append(schema.PrincipalAttributes, attribute.Name)
			}
		}
	}
	for s := range c.Service.All() {
		schema.WorkloadAttributes = append(schema.WorkloadAttributes, s.Workload...)
		for t, attributes := range s.Resources {
			schema.ResourceAttributes[t] = append(schema.ResourceAttributes[t], attributes...)
		}
	}
	return schema
}

// RegisterService adds a service or changes it. A partner need not be asked.
func (n *Node) RegisterService(ctx context.Context, a Actor, d service.Document) error {
	_, err := n.write(ctx, a, func(c *change) error { return c.take(c.Service.Register(d, a.ID)) })
	return err
}

// RemoveService ends a service.
func (n *Node) RemoveService(ctx context.Context, a Actor, name string) error {
	_, err := n.write(ctx, a, func(c *change) error { return c.take(c.Service.Remove(name, a.ID)) })
	return err
}

// Credentials are 32 random bytes in base64url behind a prefix that tells what
// they are for.
const (
	operatorPrefix         = "ent_op_"
	enforcementPointPrefix = "ent_pep_"
	credentialBytes        = 32
)

// AddEnforcementPoint lets an enforcement point ask. Its credential is given
// here and never again; adding it again replaces it.
func (n *Node) AddEnforcementPoint(ctx context.Context, a Actor, name string) (string, error) {
	credential, hash, err := n.newCredential(enforcementPointPrefix)
	if err != nil {
		return "", err
	}
	_, err = n.write(ctx, a, func(c *change) error {
		if _, taken := c.Client.Get(name); taken {
			return trust.Errorf(trust.Conflict, "enforcement point %s has the name of a client; both call the token endpoint, so each has its own", name)
		}
		return c.take(c.Service.AddEnforcementPoint(name, hash, a.ID))
	})
	if err != nil {
		return "", err
	}
	return credential, nil
}

// RemoveEnforcementPoint takes an enforcement point's credential away.
func (n *Node) RemoveEnforcementPoint(ctx context.Context, a Actor, name string) error {
	_, err := n.write(ctx, a, func(c *change) error { return c.take(c.Service.RemoveEnforcementPoint(name, a.ID)) })
	return err
}

// operatorName is the sealed part of operator.Added.
type operatorName struct {
	Name string `json:"name"`
}

// AddOperator makes a local person an operator. The credential is given here
// and never again.
func (n *Node) AddOperator(ctx context.Context, a Actor, name string, roles []trust.Role) (id, credential string, err error) {
	credential, hash, err := n.newCredential(operatorPrefix)
	if err != nil {
		return "", "", err
	}
	id, err = NewOperatorID(n.Rand)
	if err != nil {
		return "", "", err
	}
	_, err = n.write(ctx, a, func(c *change) error {
		events, err := c.Operator.Add(id, roles, hash, a.ID)
		if err != nil {
			return err
		}
		for _, e := range events {
			if added, ok := e.(operator.Added); ok {
				added.Person = n.person(name)
				e = added
			}
			if err := c.addSealed(e, sealed{text: operatorName{name}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", "", err
	}
	return id, credential, nil
}

// person is what tells two accounts of one name from those of two people.
func (n *Node) person(name string) trust.SubjectKey {
	return n.Keys.Commit("person", strings.ToLower(strings.Join(strings.Fields(name), " ")))
}

// RemoveOperator ends an operator's rights at once.
func (n *Node) RemoveOperator(ctx context.Context, a Actor, id string) error {
	_, err := n.write(ctx, a, func(c *change) error { return c.take(c.Operator.Remove(id, a.ID)) })
	return err
}

func (n *Node) newCredential(prefix string) (credential string, hash [32]byte, err error) {
	return NewCredential(n.Rand, prefix)
}

// NewCredential draws a credential and gives it with the SHA-256 of its 32 bytes.
func NewCredential(rand io.Reader, prefix string) (credential string, hash [32]byte, err error) {
	secret := make([]byte, credentialBytes)
	if _, err := io.ReadFull(rand, secret); err != nil {
		return "", hash, trust.Errorf(trust.Internal, "drawing a credential: %w", err)
	}
	return prefix + base64.RawURLEncoding.EncodeToString(secret), sha256.Sum256(secret), nil
}

// NewOperatorID draws an opaque identifier, never reused.
func NewOperatorID(rand io.Reader) (string, error) {
	random := make([]byte, 6)
	if _, err := io.ReadFull(rand, random); err != nil {
		return "", trust.Errorf(trust.Internal, "drawing an identifier: %w", err)
	}
	return "op-" + hex.EncodeToString(random), nil
}
