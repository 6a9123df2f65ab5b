package denial_test

import (
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/api/authzen"
	"github.com/entente-id/entente/demo/records"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/internal/spectest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/pep"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/trust"
)

const (
	nationalURL = "https://cis2.example"
	pharmacy    = "https://pharmacy.rje.example"
	orgClaim    = "org_code"
)

// world is two nodes with an agreement, a third without one, and their issuers.
type world struct {
	*nodetest.World
	home, host, third *nodetest.Node
	ward              *nodetest.Ward

	idp      *issuer // of the home; four keys
	second   *issuer // of the home; the same kid
	confined *issuer // of the home; speaks of one organisation's people
	doomed   *issuer // of the home; for what will be revoked
	national *issuer // of the framework, for home and third
	foreign  *issuer // of the third
	stranger *issuer // of nobody
	agents   *issuer // of the home; its agents act for people

	ask     http.Handler                   // AuthZEN, as an enforcement point has it
	point   string                         // its credential
	fronts  map[evidence.Kind]http.Handler // a service before the node, as a stranger has it
	console http.Handler                   // the admin interface
	admin   string                         // its operator's credential
	answers *answers
}

// issuer is a token issuer with one or more keys.
type issuer struct {
	*nodetest.Issuer
	signers []*signer
}

func (w *world) issuer(url string, algs ...jose.Alg) *issuer {
	i := &issuer{Issuer: &nodetest.Issuer{URL: url}}
	var keys []jose.Key
	for _, alg := range algs {
		s := newSigner(alg, "key-"+string(alg), false)
		i.signers, keys = append(i.signers, s), append(keys, s.key)
	}
	i.Key = i.signers[0]
	w.Publish(url+"/jwks", must(must(jose.NewKeySet(keys...)).MarshalJSON()))
	return i
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: nodetest.NewWorld(t), fronts: map[evidence.Kind]http.Handler{}, answers: newAnswers()}
	w.idp = w.issuer("https://idp.rxw.example", jose.Algs()...)
	w.second = w.issuer("https://second.rxw.example", jose.ES256)
	w.confined = w.issuer("https://confined.rxw.example", jose.ES256)
	w.doomed = w.issuer("https://doomed.rxw.example", jose.ES256, jose.EdDSA)
	w.national = w.issuer(nationalURL, jose.ES256)
	w.foreign = w.issuer("https://idp.rcb.example", jose.ES256)
	w.stranger = w.issuer("https://idp.nobody.example", jose.ES256)
	w.agents = w.issuer("https://agents.rxw.example", jose.ES256, jose.EdDSA)
	w.agents.Classes = []participant.ClassRule{{Class: trust.Agent}}
	w.idp.Classes = []participant.ClassRule{{Class: trust.Agent, Claim: "entity", Equals: "agent"}, {Class: trust.Human}}
	w.found()
	w.agree()
	w.furnish(t)
	return w
}

// found introduces three nodes under one framework.
func (w *world) found() {
	w.home = w.New("trust.rxw.example", nodetest.HomeRoles()...)
	w.host = w.New("trust.rje.example", nodetest.HostRoles()...)
	w.third = w.New("trust.rcb.example")
	rules := w.Rules(w.home, w.host)
	rules.Issuers = []framework.NationalIssuer{{Issuer: must(trust.ParseIssuerID(nationalURL)), JWKSURI: nationalURL + "/jwks", Discriminator: orgClaim}}
	allowExceptions(&rules)
	human := rules.Classes[trust.Human]
	human.DelegationDepth = 3
	rules.Classes[trust.Human] = human
	rules.Classes[trust.Agent] = framework.ClassRule{
		Needs: human.Needs, MaxTokenLifetime: human.MaxTokenLifetime, Principal: framework.Required, Tier: human.Tier, ReviewEvery: human.ReviewEvery,
	}
	signed := w.Sign(rules, w.home, w.host)
	w.home.Adopt(signed)
	w.host.Adopt(signed)
	w.Introduce(w.home, w.host)
	w.Introduce(w.third, w.host)
	hash := framework.Hash(signed.Bytes)
	nodetest.Eventually(w.T, "the framework to reach the third", func() bool {
		_, ok := w.third.State().Framework.Pending(hash)
		return ok
	})
	check(w.T, w.third.AdoptFramework(w.T.Context(), w.third.Admin, hash))
}

// line is what a statement says of an issuer.
func line(i *issuer, change func(*participant.Issuer)) participant.Issuer {
	l := participant.Issuer{
		Issuer: must(trust.ParseIssuerID(i.URL)), JWKSURI: i.URL + "/jwks", Classes: []participant.ClassRule{{Class: trust.Human}},
	}
	if change != nil {
		change(&l)
	}
	return l
}

// spokenBy states the national issuer for one organisation.
func (w *world) spokenBy(value string) *nodetest.Issuer {
	i := *w.national.Issuer
	i.Discriminator = &participant.Discriminator{Claim: orgClaim, Value: value}
	return &i
}

// agree brings home and host to an agreement about people of the home's
// issuers, and lets the third state its own without one.
func (w *world) agree() {
	w.ward = w.Agree(w.home, w.host, []*nodetest.Issuer{
		w.idp.Issuer, w.second.Issuer, w.confined.Issuer, w.doomed.Issuer, w.spokenBy("RXW"), w.agents.Issuer,
	}, func(d *agreement.Document) {
		acceptFeeds(d)
		last := len(d.Accepts[0].Issuers) - 1
		agents := d.Accepts[0]
		agents.Class, agents.Issuers, agents.Roles = trust.Agent, []trust.IssuerID{agents.Issuers[0], agents.Issuers[last]}, nil
		d.Accepts[0].Issuers, d.Accepts[0].Depth = d.Accepts[0].Issuers[:last], 2
		d.Accepts[0].Needs = map[framework.Ladder]framework.Level{framework.Authentication: "high"}
		d.Accepts = append(d.Accepts, agents)
		// The discriminator must be released, or no line of a role could be.
		d.Attributes = append(d.Attributes, agreement.Attribute{Name: orgClaim, Purpose: "told apart"})
	})
	declare(w.home, line(w.idp, func(l *participant.Issuer) { l.Classes = w.idp.Classes }), line(w.second, nil), line(w.doomed, nil),
		line(w.agents, func(l *participant.Issuer) { l.Classes = w.agents.Classes }),
		line(w.confined, func(l *participant.Issuer) {
			l.Namespaces = map[string][]participant.Namespace{orgClaim: participant.Exactly("RXW")}
			l.Domains = []string{"rxw.example"}
			l.Classes = []participant.ClassRule{{Class: trust.Human, Claim: "kind", Equals: "person"}, {Class: trust.Workload, Claim: "kind", Equals: "program"}}
		}),
		participant.Issuer{Issuer: must(trust.ParseIssuerID(nationalURL)), Discriminator: &participant.Discriminator{Claim: orgClaim, Value: "RXW"}, Classes: []participant.ClassRule{{Class: trust.Human}}})
	declare(w.third, line(w.foreign, nil),
		participant.Issuer{Issuer: must(trust.ParseIssuerID(nationalURL)), Discriminator: &participant.Discriminator{Claim: orgClaim, Value: "RCB"}, Classes: []participant.ClassRule{{Class: trust.Human}}})
	nodetest.Eventually(w.T, "the statements to arrive", func() bool {
		confined, ok := w.host.State().Speaker(w.confined.URL)
		foreign, heard := w.host.State().Speaker(w.foreign.URL)
		national, _ := w.host.State().Speaker(nationalURL)
		return ok && heard && len(confined.Candidates[0].Issuer.Classes) == 2 && len(foreign.Keys.Keys()) == 1 && len(national.Candidates) == 2
	})
	nodetest.Eventually(w.T, "word from the third", func() bool {
		for _, p := range w.host.Status(w.T.Context()).Partners {
			if p.ID == w.third.ID {
				return p.Age >= 0
			}
		}
		return false
	})
}

func declare(n *nodetest.Node, issuers ...participant.Issuer) {
	check(n.World.T, n.Declare(n.World.T.Context(), n.Admin, participant.Document{Kind: "Participant", ID: n.ID, Issuers: issuers}))
}

// furnish opens every way to ask the host.
func (w *world) furnish(t *testing.T) {
	t.Helper()
	w.ward.Furnish()
	m := w.ward.Mapping("agents")
	m.From, m.To = mapping.From{Class: trust.Agent}, "ward-agent"
	check(t, w.host.OfferMapping(t.Context(), w.host.Admin, m))
	check(t, w.host.ApproveMapping(t.Context(), w.host.Admin, m.Name))
	must(w.host.ApplyPolicy(t.Context(), w.host.Admin, nodetest.WardPolicy+`
@id("agents") permit (principal is Agent in Role::"ward-agent", action == Action::"read", resource is WardRecord) when { context has acts_for };`))
	check(t, w.host.RegisterService(t.Context(), w.host.Admin, service.Document{
		Kind: "Service", Name: "pharmacy", Audience: pharmacy, EnforcementPoint: "pep",
		Resources: map[trust.ResourceType][]string{"Prescription": nil},
	}))
	w.point = must(w.host.AddEnforcementPoint(t.Context(), w.host.Admin, "pep"))
	w.ask = w.answers.hear(authzen.New(w.host.Node, "https://node.rje.example"))
	socket := w.socket(t)
	for _, kind := range append(evidence.Kinds(), evidence.APIKey) {
		s := must(records.New(records.Config{Config: pep.Config{Node: socket, Credential: w.point}, Token: string(kind)}))
		w.fronts[kind] = s.Handler()
	}
	w.console = spectest.Watch(t, admin.New(w.host.Node))
	_, credential, err := w.host.AddOperator(t.Context(), w.host.Admin, "auditor", []trust.Role{operator.Auditor})
	check(t, err)
	w.admin = credential
}

// socket is where a service reaches the node.
func (w *world) socket(t *testing.T) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l := must(net.Listen("unix", socket))
	server := &http.Server{Handler: w.ask, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return "unix:" + socket
}

func check(t nodetest.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
