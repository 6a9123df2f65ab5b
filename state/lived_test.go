package state_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/erasure"
	"github.com/entente-id/entente/exception"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// lived lets a host live through everything that makes an entry, and gives the
// first entry of each kind. What no use case makes yet stands at the end.
func lived(t *testing.T) []entry {
	t.Helper()
	w := nodetest.NewWorld(t)
	home := w.New("trust.rxw.example", nodetest.HomeRoles()...)
	host := w.New("trust.rje.example", nodetest.HostRoles()...)
	signed := w.Framework(home, host)
	home.Adopt(signed)
	host.Adopt(signed)
	w.Introduce(home, host)
	ward := w.NewWard(home, host, nil)
	govern(t, host, signed)
	engage(t, ward)
	receive(t, host)
	must(t, host.CloseMapping(t.Context(), host.Admin, "nurse"))
	must(t, host.SuspendParticipant(t.Context(), host.Admin, home.ID, "odd queries"))
	return append(first(t, host), made(t, host, home)...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// govern does what an admin does at times, right and wrong.
func govern(t *testing.T, host *nodetest.Node, signed framework.Signed) {
	t.Helper()
	ctx := t.Context()
	if host.ActivateAgreement(ctx, host.Admin, "staff") == nil {
		t.Fatal("an agreement is put in force twice")
	}
	broken := framework.Signed{Bytes: slices.Clone(signed.Bytes)}
	broken.Bytes[1] ^= 1
	if _, err := host.ReceiveFramework(ctx, host.Admin, broken); err == nil {
		t.Fatal("a broken framework is received")
	}
	id, _, err := host.AddOperator(ctx, host.Admin, "somebody", []trust.Role{operator.Auditor})
	must(t, err)
	if host.RemoveOperator(ctx, node.Actor{ID: id}, id) == nil {
		t.Fatal("whoever is no admin removes an operator")
	}
	must(t, host.RemoveOperator(ctx, host.Admin, id))
	_, err = host.AddEnforcementPoint(ctx, host.Admin, "spare")
	must(t, err)
	must(t, host.RegisterService(ctx, host.Admin, service.Document{
		Kind: "Service", Name: "spare", Audience: "https://spare.rje.example", EnforcementPoint: "spare",
		Resources: map[trust.ResourceType][]string{"Spare": nil},
	}))
	app := client.Document{
		Kind: "Client", ID: "spare-app", Participant: host.ID, Services: []string{"spare"}, Means: client.Means{SPIFFEID: "spiffe://rje.example/spare"},
	}
	must(t, host.AddClient(ctx, host.Admin, app))
	must(t, host.RenewClient(ctx, host.Admin, "spare-app", client.Means{SPIFFEID: "spiffe://rje.example/spare/app"}))
	must(t, host.EndClient(ctx, host.Admin, "spare-app"))
	must(t, host.RemoveService(ctx, host.Admin, "spare"))
	must(t, host.RemoveEnforcementPoint(ctx, host.Admin, "spare"))
	own, err := trust.ParseIssuerID("https://idp.rje.example")
	must(t, err)
	must(t, host.Declare(ctx, host.Admin, participant.Document{Kind: "Participant", ID: host.ID, Issuers: []participant.Issuer{
		{Issuer: own, JWKSURI: "https://idp.rje.example/jwks", Classes: []participant.ClassRule{{Class: trust.Human}}},
	}}))
}

// receive lets a receiver open a stream, use it and end it.
func receive(t *testing.T, host *nodetest.Node) {
	t.Helper()
	ctx := t.Context()
	must(t, host.AddClient(ctx, host.Admin, client.Document{
		Kind: "Client", ID: "gateway", Participant: host.ID, Signals: &client.Signals{}, Means: client.Means{SPIFFEID: "spiffe://rje.example/gateway"},
	}))
	secret, _, _ := host.ReceiverToken("gateway", true)
	r, _ := host.Receiver(secret)
	polled := node.StreamSettings{Delivery: stream.Delivery{Method: stream.Poll}, Requested: []string{string(signal.SessionRevoked)}}
	v, err := r.CreateStream(ctx, polled)
	must(t, err)
	_, err = r.UpdateStream(ctx, v.ID, func(s *node.StreamSettings) { s.Description = "ours" })
	must(t, err)
	who := signal.SubjectOf("https://idp.rje.example", "nurse-7")
	must(t, r.AddSubject(ctx, v.ID, who))
	must(t, r.VerifyStream(ctx, v.ID, "state"))
	owed, err := r.Poll(ctx, v.ID, node.PollRequest{Immediately: true})
	must(t, err)
	for jti := range owed.Sets {
		_, err := r.Poll(ctx, v.ID, node.PollRequest{Immediately: true, Refused: map[string]node.Rejected{jti: {Code: "invalid_key"}}})
		must(t, err)
	}
	must(t, r.RemoveSubject(ctx, v.ID, who))
	must(t, r.MoveStream(ctx, v.ID, stream.Paused, "maintenance"))
	must(t, r.DeleteStream(ctx, v.ID))
}

// engage lets somebody leave and come back.
func engage(t *testing.T, ward *nodetest.Ward) {
	t.Helper()
	ctx := t.Context()
	_, err := ward.Home.Revoke(ctx, ward.Home.Admin, node.RevokeRequest{
		Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "nurse-1", Reason: "left",
	})
	must(t, err)
	_, err = ward.Home.OpenEngagement(ctx, ward.Home.Admin, ward.Issuer.URL, "nurse-1", "check-1")
	must(t, err)
	var pending []node.Engagement
	nodetest.Eventually(t, "the new engagement", func() bool {
		pending, err = ward.Host.Engagements(ctx)
		return err == nil && len(pending) == 1
	})
	must(t, ward.Host.ApproveEngagement(ctx, ward.Host.Admin, pending[0].Subject))
	_, err = ward.Home.RevokeMany(ctx, ward.Home.Admin, []node.Leaver{{Issuer: ward.Issuer.URL, Subject: "nurse-2"}, {Issuer: ward.Issuer.URL, Subject: "nurse-3"}}, "left", "", nil)
	must(t, err)
	nodetest.Eventually(t, "the bulk revocation", func() bool { return ward.Host.State().Revocation.Tombstones.Len() >= 5 })
}

// first gives the first entry of each kind in the node's trust log.
func first(t *testing.T, n *nodetest.Node) (all []entry) {
	t.Helper()
	seen := map[string]bool{}
	views, _, err := n.Entries(t.Context(), n.Admin, "trust", 0, 512)
	must(t, err)
	for _, v := range views {
		if seen[v.Kind] {
			continue
		}
		seen[v.Kind] = true
		name, _, _ := strings.Cut(v.Kind, "/")
		all = append(all, entry{
			At: int64(v.At), Epoch: v.Position.Epoch, N: v.Position.N, Kind: name, Version: 1, Body: v.Body,
		})
	}
	return all
}

// made are the entries of which a healthy pair of nodes has none.
func made(t *testing.T, host, home *nodetest.Node) (all []entry) {
	t.Helper()
	codec := state.NewCodec()
	banned := suspension.Target{Kind: suspension.Subject, Participant: home.ID, Subject: trust.SubjectKey{1}}
	third := nodetest.Must(trust.ParseParticipantID("https://trust.r0a.example"))(t)
	act := dispute.Act{ID: "00112233445566778899aabbccddeeff", From: home.ID}
	opened := dispute.Opened{
		Act: act, Opener: home.ID, Respondent: host.ID, Target: banned, Agreement: "0123456789abcdef0123456789abcdef",
		Rules: dispute.Rules{Stage: dispute.UsualStage, Mediator: third}, Since: 1_790_000_000, Ours: true,
	}
	others := dispute.Opened{
		Act: dispute.Act{ID: "ffeeddccbbaa99887766554433221100", From: home.ID}, Opener: home.ID, Respondent: third, Target: banned,
		Rules: dispute.Rules{Stage: dispute.UsualStage, Panel: []trust.ParticipantID{host.ID}}, Since: 1_790_000_000,
	}
	remedy := dispute.Remedy{Bar: 1_900_000_000, Conditions: 2, Monitor: 86400, Limit: 20, Claim: "staff_id", Person: trust.SubjectKey{5}}
	for i, e := range []trust.Event{
		participant.Renewed{Card: host.State().Participant.Self().Signed},
		participant.BundleSeen{
			Participant: home.ID, Issuer: nodetest.Must(trust.ParseIssuerID("spiffe://prod.rxw.example"))(t), Bundle: []byte(`{"keys":[]}`),
		},
		edge.Broken{From: home.ID, Lane: edge.Safety, Rule: "contradiction"},
		revocation.CredentialRevoked{Credential: "Zm9vYmFy", By: "pep"},
		exception.Granted{
			Name: "lab-feed-2026", Waives: exception.SharedSecret, Secret: exception.APIKey, Participant: home.ID,
			Issuer: nodetest.Must(trust.ParseIssuerID("https://idp.trust.rxw.example"))(t), Account: "lab-feed", Service: "ward-records",
			Owner: host.Admin.ID, Expires: time.Now().Unix() + 86400, Hash: []byte("0123456789abcdef"), By: host.Admin.ID,
		},
		exception.Ended{Name: "lab-feed-2026", By: host.Admin.ID},
		erasure.HoldPlaced{N: 1, Participant: home.ID, Subject: trust.SubjectKey{9}, Until: 1_900_000_000, By: host.Admin.ID},
		erasure.Refused{Subject: trust.SubjectKey{9}, Rule: erasure.RuleHold, By: "op-2"},
		erasure.HoldEnded{N: 1, By: host.Admin.ID},
		erasure.Asked{Participant: home.ID, Subject: trust.SubjectKey{9}, By: "op-2", Until: 1_800_000_000},
		erasure.ListKept{List: trust.SubjectKey{11}, Key: trust.SubjectKey{12}},
		erasure.Erased{
			Participant: home.ID, Subject: trust.SubjectKey{9}, Also: []trust.SubjectKey{{10}}, Lists: []trust.SubjectKey{{11}}, Asked: "op-2", By: host.Admin.ID,
		},
		identity.Registered{N: 1, Class: trust.Workload, Account: trust.SubjectKey{21}, Owner: identity.Owner{Role: "ward_managers"}, Purpose: true, Until: 1_900_000_000, By: host.Admin.ID},
		identity.Activated{N: 1, By: host.Admin.ID},
		identity.Moved{N: 1, Purpose: true, Until: 1_950_000_000, By: host.Admin.ID},
		identity.HandedOver{N: 1, Owner: identity.Owner{Operator: "op-2"}, By: host.Admin.ID},
		identity.Flagged{N: 1, Due: 1_800_000_000},
		identity.Owned{N: 1},
		identity.Stopped{N: 1, Rule: identity.RuleEnd},
		identity.AccountLinked{N: 1, Account: trust.SubjectKey{22}, By: host.Admin.ID},
		identity.KeyLinked{N: 1, Key: trust.SubjectKey{23}, Replaces: trust.SubjectKey{24}, By: host.Admin.ID},
		identity.Offboarded{N: 1, By: host.Admin.ID},
		identity.ReturnAsked{N: 1, By: host.Admin.ID, Until: 1_800_000_000},
		identity.Returned{N: 1, Engagement: 2, Asked: host.Admin.ID, By: "op-2"},
		identity.Refused{N: 1, Verb: "activate", Rule: identity.RuleOwner, By: host.Admin.ID},
		erasure.Found{Keys: []erasure.Count{{Key: trust.SubjectKey{13}, Times: 2}}},
		signal.TransmitterAdded{Document: signal.Document{
			Kind: "Transmitter", Name: "keycloak", Issuer: nodetest.Must(trust.ParseIssuerID("https://idp.trust.rxw.example"))(t), Delivery: signal.Push,
			Audience: host.ID.String(), StreamID: "s-1", VerifyURI: "https://idp.trust.rxw.example/ssf/verify",
		}, Secret: []byte("0123456789abcdef0123456789abcdef"), By: host.Admin.ID},
		signal.Received{Transmitter: "keycloak", Participant: home.ID, Type: signal.AccountDisabled, At: 1_780_000_000, Owner: trust.SubjectKey{7}, Marks: []signal.Placed{
			{Kind: signal.AtSubject, Key: trust.SubjectKey{7}, Mark: signal.Mark{SignedIn: 1_780_000_000, Account: signal.Switch{At: 1_780_000_000, Off: true}}},
			{Kind: signal.AtSession, Key: trust.SubjectKey{8}, Mark: signal.Mark{Caps: [4]signal.Cap{{At: 1_780_000_000, Level: 2}}}},
		}},
		signal.TransmitterRemoved{Name: "keycloak", By: host.Admin.ID},
		finding.Raised{
			Subject: finding.Subject{Partner: home.ID, Side: finding.Host, Kind: finding.MissingAtHome, From: 17, To: 18},
			ID:      "finding-1", Owner: "records", Due: time.Now().Unix() + finding.Due,
		},
		finding.Closed{ID: "finding-1", By: host.Admin.ID},
		incident.RuleSet{Rule: incident.Rule{
			Name: "odd-queries", When: incident.Volume, Per: incident.PerSubject, Count: 40, Within: 600, Do: incident.Suspend, What: incident.Subject, TLP: suspension.Amber,
		}, By: host.Admin.ID},
		incident.RuleRemoved{Name: "busy-person", By: host.Admin.ID},
		incident.Raised{
			N: 1, Figure: incident.Figure{Participant: home.ID, Subject: trust.SubjectKey{1}, Count: 40},
			Rule: incident.Rule{
				Name: "odd-queries", When: incident.Volume, Per: incident.PerSubject, Count: 40, Within: 600, Do: incident.Suspend, What: incident.Subject,
			},
			Target: banned,
		},
		incident.Lapsed{Of: incident.Review, Participant: home.ID, Agreement: "a1", Ended: 1_780_000_000},
		edge.ClockAhead{Seconds: 600},
		edge.ClockAccepted{Time: time.Now().Unix(), Seconds: 600, By: host.Admin.ID},
		edge.ClockAgreed{},
		operator.Trespassed{From: home.ID, Count: 2},
		edge.Unsupported{From: home.ID, Lane: edge.Governance, N: 3, Kind: "framework"},
		suspension.Suspended{Target: banned, Alias: trust.SubjectKey{2}, By: host.Admin.ID, Expires: 1_900_000_000},
		suspension.ResumeAsked{Target: banned, Of: trust.Position{Epoch: 1, N: 1006}, By: host.Admin.ID, Until: 1_800_000_000},
		suspension.Refused{Target: banned, Rule: suspension.RulePerson, By: host.Admin.ID},
		suspension.Lapsed{Target: banned, Of: trust.Position{Epoch: 1, N: 1006}, Ended: 1_900_000_000},
		suspension.Resumed{Target: suspension.Target{Kind: suspension.Edge, Participant: home.ID}, Asked: "op-2", By: host.Admin.ID},
		edge.Resumed{From: home.ID, By: host.Admin.ID},
		participant.Resumed{Participant: home.ID, By: host.Admin.ID},
		agreement.Resumed{ID: "00112233445566778899aabbccddeeff", From: home.ID},
		drill.Finished{
			Measured: drill.Measured{
				ID: "000102030405060708090a0b0c0d0e0f", Home: home.ID, Host: host.ID, Agreement: "0123456789abcdef0123456789abcdef", Class: trust.Human,
				Limit: 5_000_000, Begun: 1_790_000_000, Sent: 150, Accepted: 2100, Denied: 6_000_000, Waited: 6_000_000, Paused: 1000, Calls: 3,
			},
			Seen: &drill.Seen{Applied: 1700, Asked: 5_990_000, Denied: 5_995_000, Late: 2, Reason: trust.SubjectRevoked}, Signed: "a.b.c",
		},
		drill.Breach{
			ID: "000102030405060708090a0b0c0d0e0f", Home: home.ID, Host: host.ID, Agreement: "0123456789abcdef0123456789abcdef",
			Side: drill.Host, Took: 6_000_000, Limit: 5_000_000,
		},
		revocation.Unwound{
			Root: revocation.Root{Kind: revocation.RootAgreement, Agreement: "0123456789abcdef0123456789abcdef"},
			End:  trust.Position{Epoch: 1, N: 900}, Seen: trust.Position{Epoch: 1, N: 901}, Page: 1, Pages: 1, By: host.Admin.ID,
			Gone: []revocation.Limb{
				{Kind: revocation.LimbMapping, Name: "nurse", At: trust.Position{Epoch: 1, N: 901}},
				{Kind: revocation.LimbSession, Permit: trust.Position{Epoch: 1, N: 7}, Reason: trust.AgreementEnded, At: trust.Position{Epoch: 1, N: 9}},
			},
			Left: []revocation.Limb{{Kind: revocation.LimbCredential, Name: "Zm9vYmFy"}},
		},
		opened,
		dispute.Answered{Act: dispute.Act{ID: opened.ID, From: host.ID, By: host.Admin.ID}},
		dispute.Exhibited{Act: act, Of: home.ID, Log: "trust", N: 17, Leaf: "bGVhZg=="},
		dispute.Escalated{Act: act, To: dispute.Mediated, Thirds: []trust.ParticipantID{third}, Since: 1_790_000_000, Due: 1_791_209_600},
		dispute.Proposed{Act: dispute.Act{ID: opened.ID, From: third}, Hash: "0a", Remedy: remedy},
		dispute.Accepted{Act: act, Hash: "0a"},
		dispute.Ruled{Act: dispute.Act{ID: opened.ID, From: third}, Hash: "0a", Remedy: remedy},
		dispute.Settled{ID: opened.ID, In: dispute.Mediated, Hash: "0a", Remedy: remedy, Also: trust.SubjectKey{2}},
		dispute.Met{Act: dispute.Act{ID: opened.ID, From: host.ID, By: host.Admin.ID}, Condition: 1},
		dispute.Refused{Act: act, Verb: dispute.Meet, Rule: dispute.RuleStage},
		dispute.Seated{Opened: others, Stage: dispute.Panel, Thirds: []trust.ParticipantID{host.ID}, Due: 1_791_209_600},
		dispute.Ended{Act: others.Act},
		edge.LossProven{By: home.ID, Lane: edge.Safety, N: 4711},
		edge.Reopened{Epoch: 2, Partners: []trust.ParticipantID{home.ID}},
		edge.Restored{From: home.ID, Common: edge.Numbers{Safety: 17, Governance: 4}, Heads: edge.Numbers{Safety: 4711, Governance: 4}},
		edge.EpochTaken{From: home.ID, Epoch: 2},
		edge.EpochHeld{From: home.ID, Epoch: 3},
		edge.EpochAccepted{From: home.ID, Epoch: 3, By: host.Admin.ID},
		revocation.SessionStopped{Permit: trust.Position{Epoch: 1, N: 7}, By: host.Admin.ID},
		revocation.LeakReported{
			Token: "000102030405060708090a0b0c0d0e0f", Home: home.ID, Issuer: nodetest.Must(trust.ParseIssuerID("https://idp.trust.rxw.example"))(t),
			Subject: trust.SubjectKey{7}, Agreements: []string{"0123456789abcdef0123456789abcdef"}, Hosts: []trust.ParticipantID{host.ID}, Permits: 3, By: host.Admin.ID,
		},
		operator.Linked{ID: host.Admin.ID, Identity: operator.Identity{Participant: host.ID, Subject: trust.SubjectKey{5}}, By: host.Admin.ID},
		approval.Asked{Need: firewall(home), ID: "approval-1", Until: 1_800_000_000},
		approval.Said{ID: "approval-1", By: "op-1"},
		approval.Refused{ID: "approval-1", By: "op-2", Rule: approval.RuleCaller},
		approval.Granted{ID: "approval-1", By: "op-3", Ends: 1_800_000_900},
		approval.Withdrawn{ID: "approval-1", By: "op-1"},
		approval.Spent{ID: "approval-2"},
		approval.Declination{ID: "approval-3", By: "op-1"},
		breakglass.Opened{Need: glass(home), ID: "breakglass-1", N: 1, Ends: 1_800_001_800, Due: 1_800_259_200},
		breakglass.Used{ID: "breakglass-1"},
		breakglass.Closed{ID: "breakglass-1", By: "op-1"},
		breakglass.Refused{ID: "breakglass-1", By: "op-2", Rule: breakglass.RuleCaller},
		breakglass.Reviewed{ID: "breakglass-1", By: "op-3", Came: breakglass.Justified},
		breakglass.Lapsed{ID: "breakglass-2"},
		breakglass.Told{
			From: host.ID, Agreement: "0123456789abcdef0123456789abcdef", Subject: trust.SubjectKey{7}, ID: "breakglass-4", N: 4, Stage: breakglass.Overdue,
			Ends: 1_800_001_800, Due: 1_800_259_200,
		},
		review.Opened{ID: "review-1", N: 1, Scope: review.Scope{Partner: home.ID}, Due: 1_800_000_000, By: host.Admin.ID},
		review.Listed{ID: "review-1", Items: []review.Item{{Kind: review.Mapping, Name: "nurse", Since: 1_790_000_000}, {Kind: review.Client, Name: "ward-app"}, {Kind: review.Agreement, Name: "0123456789abcdef0123456789abcdef"}}},
		review.Answered{ID: "review-1", Item: review.Item{Kind: review.Agreement, Name: "0123456789abcdef0123456789abcdef"}, Said: review.Keep, By: "op-2"},
		review.Refused{ID: "review-1", Item: review.Item{Kind: review.Client, Name: "ward-app"}, By: host.Admin.ID, Rule: review.RuleSought},
		review.Unanswered{ID: "review-1", Item: review.Item{Kind: review.Mapping, Name: "nurse", Since: 1_790_000_000}},
		review.Closed{ID: "review-1"},
		edge.WithoutAsked{From: home.ID, Epoch: 2, By: host.Admin.ID, Until: 1_800_000_000},
		edge.WentOnWithout{From: home.ID, Epoch: 2, Asked: host.Admin.ID, By: "op-2"},
		edge.GreetingRefused{From: home.ID, Hello: edge.Hello{Versions: []uint32{2}, Kinds: []string{"revocation:2"}, Algorithms: []string{"EdDSA"}}, Rule: edge.RuleNoVersion},
		edge.Withheld{To: home.ID, Lane: edge.Governance, Kind: "dispute", Owner: trust.SubjectKey{7}},
	} {
		kind, body, err := codec.Encode(e)
		must(t, err)
		all = append(all, entry{At: time.Now().Unix(), Epoch: 1, N: 1000 + uint64(i), Kind: kind.Name, Version: kind.Version, Body: body})
	}
	return all
}

// glass is what somebody breaks the glass for.
func glass(home *nodetest.Node) breakglass.Need {
	return breakglass.Need{
		Agreement: "0123456789abcdef0123456789abcdef", Participant: home.ID, Subject: trust.SubjectKey{7}, Service: "https://records.rje.example", Action: "read",
		ResourceType: "WardRecord", Resource: trust.SubjectKey{1}, Role: "caldicott_guardian", TTL: 1800, Uses: 3, ReviewWithin: 259200,
	}
}

// firewall is a need for an approval.
func firewall(home *nodetest.Node) approval.Need {
	return approval.Need{
		Agreement: "0123456789abcdef0123456789abcdef", Participant: home.ID, Subject: trust.SubjectKey{7}, Service: "https://firewall.rje.example", Action: "firewall:write",
		ResourceType: "Firewall", Resource: trust.SubjectKey{1}, Role: "ward_managers", People: 2, TTL: 900,
	}
}
