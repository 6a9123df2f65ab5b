package node_test

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/exception"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// laboratory is a ward whose records a laboratory's feed reads, which knows
// nothing but shared secrets.
func laboratory(t *testing.T) *nodetest.Ward {
	t.Helper()
	w := nodetest.NewWorld(t)
	home, host := founded(t, w, func(d *framework.Document) {
		d.Classes[trust.ServiceAccount] = framework.ClassRule{
			Needs: map[framework.Ladder]framework.Level{framework.Authentication: "none"}, MaxTokenLifetime: 900, Tier: trust.Standard, ReviewEvery: 90 * 86400,
		}
		tier := d.Tiers[trust.Standard]
		tier.MaxException = 30 * 86400
		tier.MaxStaleness = 40 * 86400 // clocks are moved
		d.Tiers[trust.Standard] = tier
	})
	ward := w.NewWard(home, host, func(d *agreement.Document) {
		feed := d.Accepts[0]
		feed.Class, feed.Roles = trust.ServiceAccount, nil
		d.Accepts = append(d.Accepts, feed)
	})
	ctx := t.Context()
	m := ward.Mapping("lab")
	m.From, m.To = mapping.From{Class: trust.ServiceAccount}, "lab-reader"
	done(t, host.OfferMapping(ctx, host.Admin, m))
	done(t, host.ApproveMapping(ctx, host.Admin, "lab"))
	_, err := host.ApplyPolicy(ctx, host.Admin, nodetest.WardPolicy+
		`@id("lab") permit (principal is ServiceAccount in Role::"lab-reader", action == Action::"read", resource is WardRecord);`)
	done(t, err)
	return ward
}

// labFeed is an exception for the laboratory's feed.
func labFeed(ward *nodetest.Ward, name string) exception.Document {
	issuer, err := trust.ParseIssuerID(ward.Issuer.URL)
	if err != nil {
		panic(err)
	}
	return exception.Document{
		Kind: "Exception", Name: name, Waives: exception.SharedSecret, Secret: exception.APIKey, Participant: ward.Home.ID, Issuer: issuer,
		Account: "lab-feed", Service: "ward-records", Owner: ward.Host.Admin.ID, Reason: "the analyser is from 2011",
		CompensatingControl: "a tunnel of its own", Expires: trust.Instant(ward.Host.Now() + 10*86400),
	}
}

func shownSecret(ward *nodetest.Ward, kind evidence.Kind, secret string) node.Ask {
	ask := ward.Ask([]byte(secret))
	ask.Evidence[0].Kind = kind
	return ask
}

// R21: a shared secret counts under a live, recorded exception that expires, and
// the decision says so.
func TestASharedSecretUnderAnException(t *testing.T) {
	ward := laboratory(t)
	host, ctx := ward.Host, t.Context()
	add := func(d exception.Document) string {
		t.Helper()
		secret, err := host.AddException(ctx, host.Admin, d)
		if err != nil || !strings.HasPrefix(secret, "ent_key_") || len(secret) != len("ent_key_")+43 {
			t.Fatalf("secret %q, %v", secret, err)
		}
		return secret
	}
	get := func(ask node.Ask, want trust.Reason) node.Answer {
		t.Helper()
		a := answer(t, host, ask)
		if a.Reason != want {
			t.Fatalf("the answer is %+v, not %s", a, want)
		}
		return a
	}
	secret := add(labFeed(ward, "lab-feed-1"))
	ask := shownSecret(ward, evidence.APIKey, secret)
	first := get(ask, trust.Permit)
	get(ask, trust.Permit) // remembered
	get(shownSecret(ward, evidence.APIKey, secret[:len(secret)-1]), trust.SharedSecret)
	get(shownSecret(ward, evidence.Basic, base64.StdEncoding.EncodeToString([]byte("lab-feed:"+secret))), trust.SharedSecret)

	all := entries(t, host, "decisions", decision.EntryKind.String())
	if leaf, err := decision.ParseLeaf(all[0].Body); err != nil || leaf.Exception != "lab-feed-1" || leaf.Class != trust.ServiceAccount || leaf.Evidence != evidence.APIKey {
		t.Errorf("the leaf is %+v, %v", leaf, err)
	}
	e, err := host.Explain(ctx, host.Admin, first.Reference)
	if err != nil || !e.Permit || e.Exception != "lab-feed-1" || !strings.Contains(e.Checks[decision.Authenticate].Text, "exception lab-feed-1") || e.Class != trust.ServiceAccount {
		t.Errorf("explained as %+v, %v", e, err)
	}
	if x, reason, control, err := host.Exception(ctx, host.Admin, "lab-feed-1"); err != nil || reason != "the analyser is from 2011" || control != "a tunnel of its own" || x.By != host.Admin.ID {
		t.Errorf("shown as %+v, %q, %q, %v", x, reason, control, err)
	}
	if got := host.Status(ctx).Exceptions; len(got) != 1 || got[0].Name != "lab-feed-1" || got[0].Unowned {
		t.Errorf("status shows %+v", got)
	}
	neverWritten(t, host, secret)

	host.Stop()
	host.Start()
	heardOf(t, host, ward.Home)
	get(ask, trust.Permit)
	done(t, host.EndException(ctx, host.Admin, "lab-feed-1"))
	get(ask, trust.ExceptionEnded) // at the next request

	d := labFeed(ward, "lab-feed-2")
	d.Secret = exception.Basic
	basic := shownSecret(ward, evidence.Basic, base64.StdEncoding.EncodeToString([]byte("lab-feed:"+add(d))))
	get(basic, trust.Permit)
	revoke(t, ward, "lab-feed") // the home ends the account
	nodetest.Eventually(t, "the revocation", func() bool { return host.Decide(ctx, basic).Reason == trust.SubjectRevoked })

	d = labFeed(ward, "lab-feed-3")
	d.Account = "lab-feed-b"
	ask = shownSecret(ward, evidence.APIKey, add(d))
	get(ask, trust.Permit)
	host.Clock.Shift(10*24*time.Hour + time.Second)
	if got := answer(t, host, ask).Reason; got != trust.ExceptionEnded && got != trust.StatementExpired {
		t.Errorf("ten days later the answer is %s", got)
	}
}

// neverWritten sees that no file of a node holds a secret.
func neverWritten(t *testing.T, n *nodetest.Node, secret string) {
	t.Helper()
	done(t, filepath.WalkDir(n.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && bytes.Contains(text, []byte(secret[len("ent_key_"):])) {
			t.Errorf("%s holds the secret", path)
		}
		return err
	}))
}

// No credential is issued on a shared secret, nobody acts by one, and whoever is
// no admin waives nothing.
func TestWhatNoExceptionDoes(t *testing.T) {
	ward := laboratory(t)
	host, ctx := ward.Host, t.Context()
	secret, err := host.AddException(ctx, host.Admin, labFeed(ward, "lab-feed-1"))
	done(t, err)
	issued := host.Exchange(ctx, node.Exchange{
		Client: "pep", Subject: evidence.Proof{Kind: evidence.APIKey, Token: []byte(secret)}, Target: ward.Audience,
		Access: []evidence.Access{{Type: "WardRecord", Actions: []trust.Action{"read"}, Purpose: "TREAT"}},
	})
	if issued.Token != "" || issued.Reason != trust.EvidenceKind {
		t.Errorf("an exchange gives %+v", issued)
	}
	for name, proofs := range map[string][]evidence.Proof{
		"a principal": {{Kind: evidence.APIKey, Token: []byte(secret)}, {Kind: evidence.AccessToken, Token: nurse(ward, "nurse-1")}},
		"an actor":    {{Kind: evidence.AccessToken, Token: nurse(ward, "nurse-1")}, {Kind: evidence.APIKey, Token: []byte(secret)}},
	} {
		ask := ward.Ask(nil)
		ask.Evidence = proofs
		if got := answer(t, host, ask).Reason; got != trust.SharedSecret {
			t.Errorf("as %s: %s", name, got)
		}
	}
	auditor := node.Actor{ID: "op-auditor", Roles: []trust.Role{"auditor"}}
	_, err = host.AddException(ctx, auditor, labFeed(ward, "lab-feed-2"))
	refused(t, "an auditor's exception", err, trust.Denied)
	refused(t, "an auditor's end", host.EndException(ctx, auditor, "lab-feed-1"), trust.Denied)
	long := labFeed(ward, "lab-feed-3")
	long.Expires += 21 * 86400
	_, err = host.AddException(ctx, host.Admin, long)
	refused(t, "an exception beyond the framework's limit", err, trust.Invalid)
	for name, change := range map[string]func(*exception.Document){
		"another's issuer":   func(d *exception.Document) { d.Participant = host.ID },
		"an unknown service": func(d *exception.Document) { d.Service = "letters" },
		"an unknown owner":   func(d *exception.Document) { d.Owner = "op-nobody" },
	} {
		d := labFeed(ward, "lab-feed-4")
		change(&d)
		_, err = host.AddException(ctx, host.Admin, d)
		refused(t, name, err, trust.NotFound)
	}
}
