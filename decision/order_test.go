package decision_test

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// ordering are orders for a credential, and requests that bring one.
var ordering = []deviation{
	{"credential for every record", order, trust.Permit},
	{"credential for one record", func(sc *scene) { order(sc); sc.request.ResourceID = "42" }, trust.Permit},
	{"credential for every record, where one is agreed", func(sc *scene) { order(sc); sc.line().Resources[0].IDs = []string{"42"} }, trust.ResourceNotCovered},
	{"credential for the record that is agreed", func(sc *scene) {
		order(sc)
		sc.line().Resources[0].IDs, sc.request.ResourceID = []string{"42"}, "42"
	}, trust.Permit},
	{"credential for more than the tier allows", func(sc *scene) {
		order(sc)
		tier(sc, func(t *framework.TierRule) { t.Caps = &framework.Caps{ScopesPerCredential: 1} })
		sc.request.Order.Access[0].IDs = []string{"42", "43"}
	}, trust.TooMuchAccess},
	{"credential for as much as the tier allows", func(sc *scene) {
		order(sc)
		tier(sc, func(t *framework.TierRule) { t.Caps = &framework.Caps{ScopesPerCredential: 1} })
	}, trust.Permit},
	{"credential for a service that is not there", func(sc *scene) { order(sc); sc.request.Order.Target = "https://other.example" }, trust.UnknownResource},
	{"credential for another service's resources", func(sc *scene) { order(sc); sc.request.Order.Target = letters }, trust.UnknownResource},
	{"credential at another enforcement point", func(sc *scene) { order(sc); sc.request.EnforcementPoint = "nginx-2" }, trust.AudienceOtherService},
	{"credential on a token for this node", func(sc *scene) { order(sc); sc.claim(object{"aud": rje.String()}) }, trust.Permit},
	{"access on a token for this node", func(sc *scene) { sc.claim(object{"aud": rje.String()}) }, trust.AudienceForeign},
	{"credential on a token for another service", func(sc *scene) { order(sc); sc.claim(object{"aud": letters}) }, trust.AudienceOtherService},
	{"credential on a token of single use", func(sc *scene) { order(sc); sc.idToken(); sc.line().SingleUse = true }, trust.SingleUseKind},
	{"credential under another agreement", func(sc *scene) { order(sc); sc.request.Order.Agreement = agreementID(1) }, trust.NoAgreement},
	{"credential that local policy will refuse", func(sc *scene) { order(sc); sc.policy = "" }, trust.Permit},
	{"credential for one record that local policy may refuse when it is used", func(sc *scene) { order(sc); sc.request.ResourceID, sc.policy = "42", "" }, trust.Permit},
	{"credential for one record of which nothing is stated", func(sc *scene) { plainOrder(sc, "42") }, trust.Permit},
	{"R41 credential for one record that local policy forbids", func(sc *scene) { plainOrder(sc, "vip") }, trust.PolicyForbid},
	{"R41 credential for one record that local policy does not permit", func(sc *scene) { plainOrder(sc, "42"); sc.policy = "" }, trust.NoPolicy},
	{"credential for all, of which local policy forbids one", func(sc *scene) { plainOrder(sc, "") }, trust.Permit},

	{"grant redeemed", func(sc *scene) { order(sc); redeem(sc) }, trust.Permit},
	{"grant for one record redeemed for all", func(sc *scene) { order(sc); redeem(sc); sc.grant.Access[0].IDs = []string{"42"} }, trust.NotGranted},
	{"grant for another service", func(sc *scene) { order(sc); redeem(sc); sc.grant.Target = letters }, trust.NotGranted},
	{"grant for another authorization server", func(sc *scene) { order(sc); redeem(sc); sc.claim(object{"aud": r0a.String()}) }, trust.AudienceForeign},
	{"grant of another client", func(sc *scene) { order(sc); redeem(sc); sc.claim(object{"client_id": "another"}) }, trust.GrantClient},
	{"grant in the place of a token", func(sc *scene) { redeem(sc); sc.claim(object{"aud": records}) }, trust.GrantClient},
	{"grant that was used", func(sc *scene) { order(sc); redeem(sc); sc.observed.Replayed = true }, trust.Replayed},
	{"grant of a partner that may use up no more", func(sc *scene) { order(sc); redeem(sc); sc.observed.QuotaFull = true }, trust.QuotaFull},
	{"grant for a partner on somebody else's person", func(sc *scene) { order(sc); sc.request.Order.Partner = r0a }, trust.NotOurs},

	{"R67 granted", func(sc *scene) {
		granted(sc, evidence.Access{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"})
	}, trust.Permit},
	{"R67 granted this one", func(sc *scene) {
		granted(sc, evidence.Access{Type: "WardRecord", IDs: []string{"42"}, Actions: []trust.Action{"read"}, Purpose: "TREAT"})
	}, trust.Permit},
	{"R68 granted another", func(sc *scene) {
		granted(sc, evidence.Access{Type: "WardRecord", IDs: []string{"43"}, Actions: []trust.Action{"read"}, Purpose: "TREAT"})
	}, trust.NotGranted},
	{"R68 granted another action", func(sc *scene) {
		granted(sc, evidence.Access{Type: "WardRecord", Actions: []trust.Action{"write"}, Purpose: "TREAT"})
	}, trust.NotGranted},
	{"R68 granted for another purpose", func(sc *scene) {
		granted(sc, evidence.Access{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "BTG"})
	}, trust.NotGranted},
	{"R68 granted another type", func(sc *scene) {
		granted(sc, evidence.Access{Type: "Letter", Actions: []trust.Action{"read"}, Purpose: "TREAT"})
	}, trust.NotGranted},
	{"granted nothing", func(sc *scene) { granted(sc) }, trust.NotGranted},
	{"granted under another agreement", func(sc *scene) {
		granted(sc, evidence.Access{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"})
		sc.grant.Agreement = agreementID(1)
	}, trust.NoAgreement},
	{"credential given back", func(sc *scene) {
		granted(sc, evidence.Access{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"})
		sc.more = append(sc.more, revocation.CredentialRevoked{Credential: sc.grant.ID, By: "app"})
	}, trust.CredentialEnded},
	{"another credential given back", func(sc *scene) {
		granted(sc, evidence.Access{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"})
		sc.more = append(sc.more, revocation.CredentialRevoked{Credential: "other", By: "app"})
	}, trust.Permit},
	{"credential for a client", func(sc *scene) { orderBy(sc, rxw, false, "ward-records") }, trust.Permit},
	{"credential for a client of ours", func(sc *scene) { orderBy(sc, rje, false, "ward-records") }, trust.Permit},
	{"credential for another partner's client", func(sc *scene) { orderBy(sc, org("rcb"), false, "ward-records") }, trust.ForeignClient},
	{"credential for a client of another service", func(sc *scene) { orderBy(sc, rxw, false, "letters") }, trust.AudienceOtherService},
	{"credential for a client that has ended", func(sc *scene) { orderBy(sc, rxw, true, "ward-records") }, trust.AudienceOtherService},
	{"credential of a client", func(sc *scene) {
		granted(sc, evidence.Access{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"})
		registerClient(sc, rxw, false, "ward-records")
	}, trust.Permit},
	{"credential of a client that has ended", func(sc *scene) {
		granted(sc, evidence.Access{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"})
		registerClient(sc, rxw, true, "ward-records")
	}, trust.ClientEnded},
	{"credential of a client that is suspended", func(sc *scene) {
		granted(sc, evidence.Access{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"})
		registerClient(sc, rxw, false, "ward-records")
		suspended(suspension.Target{Kind: suspension.Client, Client: "ward-app"}, 0)(sc)
	}, trust.ClientSuspended},
	{"R12 partner's token for a client that has ended", func(sc *scene) { registerClient(sc, rxw, true, "ward-records") }, trust.Permit},
	{"credential for all on one for one", func(sc *scene) {
		order(sc)
		granted(sc, evidence.Access{Type: "WardRecord", IDs: []string{"42"}, Actions: []trust.Action{"read"}, Purpose: "TREAT"})
	}, trust.NotGranted},
}

// order turns the request into one for a credential for every record.
func order(sc *scene) {
	sc.request.ResourceID, sc.request.Properties = "", nil
	sc.request.Order = &decision.Order{Client: "nginx-1", Target: records, Access: []evidence.Access{
		{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"},
	}}
}

// plainOrder is order for one record, where no enforcement point states anything
// about records.
func plainOrder(sc *scene, id string) {
	order(sc)
	sc.request.ResourceID = id
	sc.service.Resources = map[trust.ResourceType][]string{"WardRecord": nil}
	sc.policy = `permit (principal, action, resource); forbid (principal, action, resource == WardRecord::"vip");`
}

// orderBy lets a registered client ask for it.
func orderBy(sc *scene, whose trust.ParticipantID, ended bool, services ...string) {
	order(sc)
	registerClient(sc, whose, ended, services...)
	sc.request.Order.Client, sc.request.EnforcementPoint = "ward-app", "ward-app"
}

// registerClient makes ward-app a client of some participant, or one that was.
func registerClient(sc *scene, whose trust.ParticipantID, ended bool, services ...string) {
	sc.more = append(sc.more, client.Added{Document: client.Document{
		Kind: "Client", ID: "ward-app", Participant: whose, Services: services, Means: client.Means{SPIFFEID: "spiffe://rxw.example/app"},
	}})
	if ended {
		sc.more = append(sc.more, client.Ended{ID: "ward-app"})
	}
}

// redeem turns the evidence into a partner's grant for the client that asks.
func redeem(sc *scene) {
	sc.vouched = true
	sc.claim(object{"aud": rje.String(), "client_id": "nginx-1"})
	sc.grant = &evidence.Grant{ID: "Zm9v", Target: records, Access: []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"}}}
}

// granted turns the evidence into a credential of our own for some access.
func granted(sc *scene, access ...evidence.Access) {
	sc.grant = &evidence.Grant{ID: "Zm9vYmFy", Agreement: agreementID(0), Access: access}
}

// A credential lives as long as tier, line and whatever was read allow; how fresh
// the partner's word is does not bound it, since it is looked at again.
func TestLifeOfACredential(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*scene)
		want   int64
	}{
		"token":     {func(*scene) {}, 214},
		"tier":      {func(sc *scene) { sc.claim(object{"exp": now + 800}) }, 800},
		"class":     {func(sc *scene) { sc.claim(object{"exp": now + 840}) }, 840},
		"line":      {func(sc *scene) { sc.line().MaxTTL = 30 }, 30},
		"agreement": {func(sc *scene) { sc.agreements[0].Ends = trust.Instant(now + 7) }, 7},
		"mapping":   {func(sc *scene) { sc.mappings[0].Expires = trust.Instant(now + 8) }, 8},
		"partner":   {func(sc *scene) { sc.observed.PartnerAge = 60 }, 214},
		"no token":  {func(sc *scene) { sc.token = []byte{} }, 0},
	} {
		sc := newScene()
		order(sc)
		c.change(sc)
		if d := sc.decide(); d.TTL != c.want {
			t.Errorf("%s: lives %d s (%s), want %d", name, d.TTL, d.Reason, c.want)
		}
	}
}

// Both kinds of credential entry are canonical and read back; a leaf of another
// kind does not.
func TestCredentialLeaves(t *testing.T) {
	sc := newScene()
	order(sc)
	sc.request.Order.Access[0].IDs = []string{"42", "43"}
	sc.request.Order.Access = append(sc.request.Order.Access, evidence.Access{Type: "WardRecord", Actions: []trust.Action{"list", "read"}, Purpose: "BTG"})
	s := sc.snapshot()
	ev := sc.verify(s)
	d := decision.Decide(s, sc.observed, ev, sc.request)
	leaf := decision.AppendLeaf(nil, &d, &sc.observed, &ev, &sc.request, commit)
	resource := func(_ trust.ResourceType, id string) [16]byte { return [16]byte{id[0], id[1]} }
	issued := decision.AppendIssued(nil, &decision.Issue{ID: "Zm9v", Expires: now + 60}, sc.request.Order, resource, leaf)
	refused := decision.AppendRefused(nil, sc.request.Order, leaf)
	for kind, body := range map[trust.Kind][]byte{decision.IssuedKind: issued, decision.RefusedKind: refused, decision.EntryKind: leaf} {
		if again := must(canonical.Marshal(must(canonical.ParseObject(body)))); string(again) != string(body) {
			t.Errorf("%s is not canonical:\n%s\n%s", kind, body, again)
		}
		if got, err := decision.ParseEntry(kind, body); err != nil || got.Reason != trust.Permit {
			t.Errorf("%s reads back as %+v, %v", kind, got, err)
		}
		other := trust.Kind{Name: kind.Name, Version: 2}
		if _, err := decision.ParseEntry(other, body); trust.KindOf(err) != trust.Conflict {
			t.Errorf("%s: %v", other, err)
		}
	}
	if _, err := decision.ParseEntry(decision.IssuedKind, leaf); trust.KindOf(err) != trust.Invalid {
		t.Errorf("a decision is read as a credential: %v", err)
	}
	c := must(decision.ParseCredentialLeaf(issued))
	want := []decision.LeafAccess{
		{Actions: []trust.Action{"read"}, Purpose: "TREAT", ResourceType: "WardRecord", Resources: []string{"34320000000000000000000000000000", "34330000000000000000000000000000"}},
		{Actions: []trust.Action{"list", "read"}, Purpose: "BTG", ResourceType: "WardRecord"},
	}
	if !reflect.DeepEqual(c.Access, want) || c.ID != "Zm9v" || c.Expires != now+60 || c.Client != "nginx-1" {
		t.Errorf("reads back as %+v", c)
	}
}

// A credential carries what deciding again reads, and no name.
func TestCarry(t *testing.T) {
	sc := newScene()
	sc.claim(object{"iss": cis2.String()})
	s := sc.snapshot()
	ev := sc.verify(s)
	carried := decision.Carry(s, &ev.Evidence)
	for _, name := range []string{"iss", "sub", "auth_time", "org_code", "kind", "ward_ids", "nhsid_nrbac_roles", "selected_roleid", "id_assurance_level"} {
		if _, there := ev.Claims[name]; there && carried[name] == nil {
			t.Errorf("claim %s is left behind", name)
		}
	}
	for _, name := range []string{"name", "jti", "exp", "aud", "client_id"} {
		if carried[name] != nil {
			t.Errorf("claim %s is carried; nothing reads it", name)
		}
	}
}

// Whatever is asked for, what is issued lies within one line of the agreement,
// and lives no longer than token, tier, agreement and mapping.
func TestNothingBeyondTheAgreement(t *testing.T) {
	word := func(t *rapid.T, name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
	rapid.Check(t, func(t *rapid.T) {
		sc := newScene()
		order(sc)
		line := sc.line()
		line.Actions = rapid.SliceOfNDistinct(rapid.SampledFrom([]trust.Action{"read", "write", "list"}), 1, 3, rapid.ID).Draw(t, "actions")
		line.Purposes = rapid.SliceOfNDistinct(rapid.SampledFrom([]trust.Purpose{"TREAT", "HRESCH", "HPAYMT"}), 1, 3, rapid.ID).Draw(t, "purposes")
		line.Resources[0].IDs = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"42", "43", "44"}), 0, 3, rapid.ID).Draw(t, "ids")
		line.MaxTTL = trust.Span(rapid.Int64Range(0, 300).Draw(t, "line's"))
		sc.mappings[0].Expires = trust.Instant(now + rapid.Int64Range(1, 400).Draw(t, "mapping's"))
		sc.agreements[0].Ends = trust.Instant(now + rapid.Int64Range(1, 400).Draw(t, "agreement's"))
		sc.claim(object{"exp": now + rapid.Int64Range(1, 800).Draw(t, "token's")})
		a := &sc.request.Order.Access[0]
		a.Actions = []trust.Action{trust.Action(word(t, "action", "read", "write", "list", "admin"))}
		a.Purpose = trust.Purpose(word(t, "purpose", "TREAT", "HRESCH", "HPAYMT", "MARKETING"))
		sc.request.Action, sc.request.Purpose = a.Actions[0], a.Purpose
		if id := word(t, "id", "", "42", "43", "45"); id != "" {
			a.IDs, sc.request.ResourceID = []string{id}, id
		}
		d := sc.decide()
		ids := line.Resources[0].IDs
		within := slices.Contains(line.Actions, sc.request.Action) && slices.Contains(line.Purposes, a.Purpose) &&
			(len(ids) == 0 || sc.request.ResourceID != "" && slices.Contains(ids, sc.request.ResourceID))
		if d.Permit != within {
			t.Fatalf("permit %t (%s) for %+v under %+v", d.Permit, d.Reason, *a, *line)
		}
		if !d.Permit {
			return
		}
		ends := min(sc.claims["exp"].(int64), int64(sc.mappings[0].Expires), int64(sc.agreements[0].Ends), now+900)
		if line.MaxTTL > 0 {
			ends = min(ends, now+int64(line.MaxTTL))
		}
		if d.TTL <= 0 || now+d.TTL > ends {
			t.Fatalf("lives %d s, and its ground %d s", d.TTL, ends-now)
		}
	})
}
