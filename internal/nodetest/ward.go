package nodetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"maps"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/trust"
)

// Nurse is the role code that the ward agreement maps.
const Nurse = "S8000:G8000:R8001"

// Issuer is a token issuer of a test: one ES256 key, published. With a
// discriminator it is a national one, which the framework registers.
type Issuer struct {
	URL           string
	Key           jose.Signer
	Discriminator *participant.Discriminator
	Classes       []participant.ClassRule // of its tokens; none: all are people
}

// NewIssuer publishes an issuer's key set in the world.
func (w *World) NewIssuer(url string) *Issuer {
	w.T.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(w.T, err)
	return w.AddIssuer(url, private, "")
}

// AddIssuer publishes an issuer with a given key. An empty kid becomes the
// key's thumbprint.
func (w *World) AddIssuer(url string, private *ecdsa.PrivateKey, kid string) *Issuer {
	w.T.Helper()
	i := &Issuer{URL: url, Key: Must(jose.NewSigner(private, kid))(w.T)}
	set := Must(jose.NewKeySet(i.Key.Key()))(w.T)
	w.Publish(url+"/jwks", Must(set.MarshalJSON())(w.T))
	return i
}

// Token signs an access token for subject at audience; with changes claims, a
// nil value removes one.
func (w *World) Token(i *Issuer, subject, audience string, with map[string]any) []byte {
	w.T.Helper()
	return w.token("at+jwt", i, subject, audience, with)
}

// IDToken signs an ID token, as Token does an access token.
func (w *World) IDToken(i *Issuer, subject, audience string, with map[string]any) []byte {
	w.T.Helper()
	return w.token("JWT", i, subject, audience, with)
}

func (w *World) token(typ string, i *Issuer, subject, audience string, with map[string]any) []byte {
	w.T.Helper()
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": i.URL, "sub": subject, "aud": audience, "iat": now, "exp": now + 600, "jti": rand.Text(), "client_id": "ward-app",
		"auth_time": now - 60, "id_assurance_level": "3", "authentication_assurance_level": "3",
		"role_code": Nurse, "ward_ids": []string{"w7"},
	}
	maps.Copy(claims, with)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return []byte(Must(jose.Sign(i.Key, typ, claims))(w.T))
}

// Framework is the rules of the tests, founded and signed by the given nodes.
func (w *World) Framework(founders ...*Node) framework.Signed {
	w.T.Helper()
	return w.Sign(w.Rules(founders...), founders...)
}

// Rules are version 1 of a framework founded by the given nodes.
func (w *World) Rules(founders ...*Node) framework.Document {
	d := framework.Document{
		Kind: "Framework", Name: "northern-health", Version: 1, Expires: trust.Instant(time.Now().Add(30 * 24 * time.Hour).Unix()),
		Governance: framework.Governance{Authority: founders[0].ID, Threshold: len(founders)},
		Assurance: framework.Assurance{
			Identity:       []framework.Level{"none", "low", "medium", "high"},
			Authentication: []framework.Level{"none", "low", "substantial", "high"},
			Mapping: []framework.LevelRule{
				{Claim: "id_assurance_level", Equals: "3", Gives: map[framework.Ladder]framework.Level{framework.Identity: "high"}},
				{Claim: "authentication_assurance_level", Equals: "3", Gives: map[framework.Ladder]framework.Level{framework.Authentication: "high"}},
			},
		},
		Tiers: map[trust.Tier]framework.TierRule{
			trust.Standard: {MaxStaleness: 60, RemovalTarget: 5, MaxCredentialTTL: 900, SenderConstraint: framework.SenderConstraintWhenOffered},
		},
		Classes: map[trust.Class]framework.ClassRule{
			trust.Human: {
				Needs:            map[framework.Ladder]framework.Level{framework.Identity: "medium", framework.Authentication: "substantial"},
				MaxTokenLifetime: 900, MaxAuthAge: 12 * 3600, DelegationDepth: 1, Tier: trust.Standard, ReviewEvery: 90 * 86400,
			},
		},
	}
	for _, f := range founders {
		d.Governance.Signers = append(d.Governance.Signers, framework.Signer{Participant: f.ID, Key: f.Governance.Key().GovernanceText()})
	}
	return d
}

// Sign renders a framework and lets nodes sign it.
func (w *World) Sign(d framework.Document, signers ...*Node) framework.Signed {
	w.T.Helper()
	data, _, err := framework.Draft(d, time.Now().Unix())
	check(w.T, err)
	signed := framework.Signed{Bytes: data}
	for _, f := range signers {
		signed.Signatures = append(signed.Signatures, Must(framework.Sign(f.Governance, f.ID, data))(w.T))
	}
	return signed
}

// Adopt brings a framework to a node and puts it in force there.
func (n *Node) Adopt(signed framework.Signed) {
	n.World.T.Helper()
	hash := Must(n.ReceiveFramework(n.World.T.Context(), n.Admin, signed))(n.World.T)
	check(n.World.T, n.AdoptFramework(n.World.T.Context(), n.Admin, hash))
}

// Introduce confirms two nodes to each other, fingerprints compared.
func (w *World) Introduce(a, b *Node) {
	w.T.Helper()
	for _, pair := range [][2]*Node{{a, b}, {b, a}} {
		inv, fingerprint, err := pair[0].Invitation(w.T.Context())
		check(w.T, err)
		Must(pair[1].Confirm(w.T.Context(), pair[1].Admin, inv, fingerprint))(w.T)
	}
}

// Ward is an active agreement: home's nurses read the ward records of host.
type Ward struct {
	Home, Host *Node
	Issuer     *Issuer
	Audience   string
	Agreement  string
}

// Found makes two introduced nodes under one framework; change, which may be
// nil, amends it before it is signed.
func (w *World) Found(change func(*framework.Document)) (home, host *Node) {
	w.T.Helper()
	home, host = w.New("trust.rxw.example", HomeRoles()...), w.New("trust.rje.example", HostRoles()...)
	d := w.Rules(home, host)
	if change != nil {
		change(&d)
	}
	signed := w.Sign(d, home, host)
	home.Adopt(signed)
	host.Adopt(signed)
	w.Introduce(home, host)
	return home, host
}

// HostRoles are the business roles that the host's admin of a Ward holds.
func HostRoles() []trust.Role { return []trust.Role{"ward_managers", "security", "records"} }

// HomeRoles are those of the home's admin.
func HomeRoles() []trust.Role { return []trust.Role{"registration_authority", "locum_desk"} }

// NewWard brings two introduced nodes with a framework to an active agreement
// with its service, mapping and policy.
func (w *World) NewWard(home, host *Node, change func(*agreement.Document)) *Ward {
	w.T.Helper()
	issuer := w.NewIssuer("https://idp." + home.ID.String()[len("https://"):])
	ward := w.Agree(home, host, []*Issuer{issuer}, change)
	ward.Furnish()
	return ward
}

// Agree brings two introduced nodes with a framework to an active agreement
// about people of the home's issuers.
func (w *World) Agree(home, host *Node, issuers []*Issuer, change func(*agreement.Document)) *Ward {
	w.T.Helper()
	ctx := w.T.Context()
	ward := &Ward{
		Home: home, Host: host, Issuer: issuers[0],
		Audience: "https://records." + host.ID.String()[len("https://"):], Agreement: "staff",
	}
	declared := participant.Document{Kind: "Participant", ID: home.ID}
	for _, i := range issuers {
		line := participant.Issuer{Issuer: i.id(w.T), JWKSURI: i.URL + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}}}
		if i.Classes != nil {
			line.Classes = i.Classes
		}
		if i.Discriminator != nil {
			line.JWKSURI, line.Discriminator = "", i.Discriminator
		}
		declared.Issuers = append(declared.Issuers, line)
	}
	check(w.T, home.Declare(ctx, home.Admin, declared))
	d := ward.Document(issuers...)
	if change != nil {
		change(&d)
	}
	ward.Agreement = d.Name
	Eventually(w.T, "both nodes to have heard each other", func() bool { return heard(home, host) && heard(host, home) })
	ward.sign(d)
	check(w.T, home.ActivateAgreement(ctx, home.Admin, d.Name))
	check(w.T, host.ActivateAgreement(ctx, host.Admin, d.Name))
	Eventually(w.T, "the host to know the issuers' keys", func() bool {
		for _, i := range issuers {
			if speaker, ok := host.State().Speaker(i.URL); !ok || len(speaker.Keys.Keys()) == 0 {
				return false
			}
		}
		return true
	})
	return ward
}

// Furnish gives the host the ward's service, mapping and policy.
func (d *Ward) Furnish() {
	w, host := d.Host.World, d.Host
	w.T.Helper()
	ctx := w.T.Context()
	Must(host.AddEnforcementPoint(ctx, host.Admin, "pep"))(w.T)
	check(w.T, host.RegisterService(ctx, host.Admin, service.Document{
		Kind: "Service", Name: "ward-records", Audience: d.Audience, EnforcementPoint: "pep",
		Resources: map[trust.ResourceType][]string{"WardRecord": {"ward"}},
	}))
	d.Map("nurse")
	Must(host.ApplyPolicy(ctx, host.Admin, WardPolicy))(w.T)
}

// Map grants nurses of the agreement the host's role ward-reader.
func (d *Ward) Map(name string) {
	w, host := d.Host.World, d.Host
	w.T.Helper()
	check(w.T, host.OfferMapping(w.T.Context(), host.Admin, d.Mapping(name)))
	check(w.T, host.ApproveMapping(w.T.Context(), host.Admin, name))
}

// Mapping maps nurses to ward-reader for as long as the agreement lasts.
func (d *Ward) Mapping(name string) mapping.Document {
	a, _ := d.Host.State().Agreement.ByName(d.Agreement)
	return mapping.Document{
		Kind: "Mapping", Name: name, Agreement: d.Agreement, To: "ward-reader", Expires: a.Revision.Document.Ends,
		From: mapping.From{Class: trust.Human, Attribute: "role_code", Equals: Nurse},
	}
}

// WardPolicy is the host's local policy.
const WardPolicy = `@id("ward-read")
permit (principal is Human in Role::"ward-reader", action == Action::"read", resource is WardRecord)
when { context.purpose == "TREAT" && principal has ward_ids && resource has ward && principal.ward_ids.contains(resource.ward) };
`

func heard(n, partner *Node) bool {
	for _, p := range n.Status(n.World.T.Context()).Partners {
		if p.ID == partner.ID {
			return p.Age >= 0
		}
	}
	return false
}

func (i *Issuer) id(t TB) trust.IssuerID { return Must(trust.ParseIssuerID(i.URL))(t) }

// Document is the agreement of the ward, about people of the given issuers.
func (d *Ward) Document(from ...*Issuer) agreement.Document {
	var issuers []trust.IssuerID
	for _, i := range from {
		issuers = append(issuers, i.id(d.Home.World.T))
	}
	role := func(n *Node, role string) trust.RoleRef { return trust.RoleRef{Participant: n.ID, Role: role} }
	return agreement.Document{
		Kind: "Agreement", Name: d.Agreement, Home: d.Home.ID, Host: d.Host.ID, Tier: trust.Standard,
		Ends: trust.Instant(time.Now().Add(20 * 24 * time.Hour).Unix()), ReviewEvery: 90 * 86400,
		Accepts: []agreement.Accept{{
			Class: trust.Human, Issuers: issuers, Audience: d.Audience, Roles: []string{Nurse},
			Purposes: []trust.Purpose{"TREAT"}, Actions: []trust.Action{"read"}, Resources: []agreement.ResourceScope{{Type: "WardRecord"}},
		}},
		Attributes: []agreement.Attribute{{Name: "role_code", Purpose: "role mapping"}, {Name: "ward_ids", Purpose: "ward check"}},
		Privacy:    agreement.Privacy{Population: "clinical staff", Notice: "https://notice.example", AuthorisedParty: "dpo"},
		Authority: agreement.Authority{
			Issues: role(d.Home, "registration_authority"), Validates: role(d.Host, "node"), Approves: role(d.Host, "ward_managers"),
			Revokes: []trust.RoleRef{role(d.Home, "registration_authority"), role(d.Host, "security")},
		},
		Owners: agreement.Owners{Home: role(d.Home, "locum_desk"), Host: role(d.Host, "records")},
	}
}

// sign lets the home propose and the host countersign over the edge.
func (d *Ward) sign(doc agreement.Document) {
	t := d.Home.World.T
	t.Helper()
	data, hash, err := d.Home.RenderAgreement(t.Context(), d.Home.Admin, doc, "")
	check(t, err)
	check(t, d.Home.OfferAgreement(t.Context(), d.Home.Admin, data, Must(jose.SignBytes(d.Home.Governance, agreement.Domain, data))(t)))
	d.await(d.Host, doc.Name, agreement.Proposed)
	check(t, d.Host.CountersignAgreement(t.Context(), d.Host.Admin, doc.Name, hash, Must(jose.SignBytes(d.Host.Governance, agreement.Domain, data))(t)))
	d.await(d.Home, doc.Name, agreement.Agreed)
}

func (d *Ward) await(n *Node, name string, stage agreement.Stage) {
	n.World.T.Helper()
	Eventually(n.World.T, "agreement "+name+" to be "+string(stage)+" at "+n.ID.String(), func() bool {
		a, ok := n.State().Agreement.ByName(name)
		return ok && a.Stage == stage
	})
}

// Ask is the question whether a bearer of token may read record 42.
func (d *Ward) Ask(token []byte) node.Ask {
	return node.Ask{
		Request: decision.Request{
			EnforcementPoint: "pep", SubjectID: "0", Action: "read", ResourceType: "WardRecord", ResourceID: "42",
			Properties: canonical.Object{"ward": "w7"}, Purpose: "TREAT",
		},
		Evidence: []evidence.Proof{{Kind: evidence.AccessToken, Token: token}},
	}
}
