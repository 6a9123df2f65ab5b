package denial_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/api/oauth"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/exception"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/trust"
)

// allowExceptions lets a framework have service accounts that show secrets.
func allowExceptions(d *framework.Document) {
	d.Classes[trust.ServiceAccount] = framework.ClassRule{
		Needs: map[framework.Ladder]framework.Level{framework.Authentication: "none"}, MaxTokenLifetime: 900, Tier: trust.Standard, ReviewEvery: 90 * 86400,
	}
	tier := d.Tiers[trust.Standard]
	tier.MaxException = 30 * 86400
	d.Tiers[trust.Standard] = tier
}

// acceptFeeds lets an agreement cover service accounts of its first issuer.
func acceptFeeds(d *agreement.Document) {
	feed := d.Accepts[0]
	feed.Class, feed.Roles, feed.Issuers = trust.ServiceAccount, nil, feed.Issuers[:1]
	d.Accepts = append(d.Accepts, feed)
}

// feeds lets service accounts read what nurses do.
func (w *world) feeds(t *testing.T) {
	t.Helper()
	m := w.ward.Mapping("feeds")
	m.From, m.To = mapping.From{Class: trust.ServiceAccount}, "feed"
	check(t, w.host.OfferMapping(t.Context(), w.host.Admin, m))
	check(t, w.host.ApproveMapping(t.Context(), w.host.Admin, "feeds"))
	_, err := w.host.ApplyPolicy(t.Context(), w.host.Admin, nodetest.WardPolicy+
		`@id("feed") permit (principal is ServiceAccount in Role::"feed", action == Action::"read", resource is WardRecord);`)
	check(t, err)
}

// except grants an exception and gives its secret.
func (w *world) except(t *testing.T, name string, change func(*exception.Document)) string {
	t.Helper()
	d := exception.Document{
		Kind: "Exception", Name: name, Waives: exception.SharedSecret, Secret: exception.APIKey, Participant: w.home.ID,
		Issuer: must(trust.ParseIssuerID(w.idp.URL)), Account: name, Service: "ward-records", Owner: w.host.Admin.ID,
		Reason: "old", CompensatingControl: "a tunnel", Expires: trust.Instant(w.host.Now() + 86400),
	}
	if change != nil {
		change(&d)
	}
	return must(w.host.AddException(t.Context(), w.host.Admin, d))
}

func basicOf(account, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(account + ":" + secret))
}

// shared is a secret that a caller shows, and what every path says to it.
type shared struct {
	name  string
	kind  evidence.Kind
	token string
	want  trust.Reason
}

// sharedCases are the secrets of one world. That of an exception which expires
// waits until it has.
func (w *world) sharedCases(t *testing.T) []shared {
	key, password := w.except(t, "feed", nil), w.except(t, "letters", func(d *exception.Document) { d.Secret = exception.Basic })
	issuer := func(i *issuer, of *nodetest.Node) func(*exception.Document) {
		return func(d *exception.Document) { d.Issuer, d.Participant = must(trust.ParseIssuerID(i.URL)), of.ID }
	}
	ended := w.except(t, "ended", nil)
	check(t, w.host.EndException(t.Context(), w.host.Admin, "ended"))
	left := w.except(t, "left", nil)
	_, err := w.host.Revoke(t.Context(), w.host.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: w.idp.URL, Subject: "left", Reason: "left"})
	check(t, err)
	brief := w.except(t, "brief", func(d *exception.Document) { d.Expires = trust.Instant(w.host.Now() + 2) })
	defer nodetest.Eventually(t, "the brief exception to expire", func() bool { return w.host.Now() >= w.exceptionEnd("brief") })
	all := []shared{
		{"control: API key under an exception", evidence.APIKey, key, ""},
		{"control: basic credentials under an exception", evidence.Basic, basicOf("letters", password), ""},
		{"API key of an ended exception", evidence.APIKey, ended, trust.ExceptionEnded},
		{"API key of an expired exception", evidence.APIKey, brief, trust.ExceptionEnded},
		{"API key of an account that has ended", evidence.APIKey, left, trust.SubjectRevoked},
		{"API key for another service", evidence.APIKey, w.except(t, "pills", func(d *exception.Document) { d.Service = "pharmacy" }), trust.AudienceOtherService},
		{"API key of an issuer that the agreement does not name", evidence.APIKey, w.except(t, "second", issuer(w.second, w.home)), trust.IssuerNotCovered},
		{"API key of a participant without an agreement", evidence.APIKey, w.except(t, "foreign", issuer(w.foreign, w.third)), trust.NoAgreement},
		{"API key as an access token", evidence.AccessToken, key, trust.EvidenceMalformed},
		{"API key as an ID token", evidence.IDToken, key, trust.EvidenceMalformed},
	}
	refuse := func(kind evidence.Kind, secrets map[string]string) {
		for name, secret := range secrets {
			all = append(all, shared{name, kind, secret, trust.SharedSecret})
		}
	}
	good := w.good(profiles(w)[evidence.AccessToken]).token()
	refuse(evidence.APIKey, map[string]string{
		"API key, cut": key[:len(key)-1], "API key, longer": key + "A", "API key twice": key + key, "API key in capitals": strings.ToUpper(key), "API key with a space": key + " ",
		"API key with a line end": key + "\n", "API key, padded": key + "=", "API key without its prefix": strings.TrimPrefix(key, "ent_key_"), "the prefix alone": "ent_key_",
		"an enforcement point's credential": w.point, "an operator's credential": w.admin, "the account": "feed", "no key": "", "a null byte": "\x00", "two KiB": strings.Repeat("A", 2048),
		"a good access token as an API key": good, "a password as an API key": password, "basic credentials as an API key": basicOf("letters", password),
	})
	refuse(evidence.Basic, map[string]string{
		"an API key as a password": basicOf("feed", key), "an API key for basic credentials": key, "password of another account": basicOf("feed", password),
		"password of no account": basicOf("", password), "account in capitals": basicOf("LETTERS", password), "account with a space": basicOf("letters ", password),
		"no password": basicOf("letters", ""), "password, cut": basicOf("letters", password[:len(password)-1]), "password, longer": basicOf("letters", password+"A"),
		"no colon":        base64.StdEncoding.EncodeToString([]byte("letters" + password)),
		"not in base64":   "letters:" + password,
		"unpadded base64": strings.TrimRight(basicOf("letters", password), "="), "with a line end": basicOf("letters", password) + "\n",
		"with its scheme": "Basic " + basicOf("letters", password), "empty": "", "a good access token as basic credentials": good,
	})
	return all
}

func (w *world) exceptionEnd(name string) int64 {
	x, _ := w.host.State().Exception.Get(name)
	return x.Expires
}

// R21: a shared secret counts under a live exception alone; outside, why it does
// not looks the same, and no path gives a credential for one.
func TestSecrets(t *testing.T) {
	w := newWorld(t)
	w.feeds(t)
	h := oauth.New(w.host)
	all := w.sharedCases(t)
	uniform := map[evidence.Kind]string{}
	for _, kind := range evidence.SecretKinds() {
		uniform[kind] = w.exchanged(h, kind, "rubbish").Body.String()
	}
	rubbish, _ := w.called(evidence.APIKey, "rubbish")
	var asked tally
	for _, s := range all {
		if testing.Short() && t.Failed() {
			return
		}
		want := s.want
		if want == "" {
			want = trust.Permit
		}
		for path, ask := range map[string]func(evidence.Kind, string) (trust.Reason, error){"evaluation": w.decided, "explanation": w.explained} {
			asked.one(path)
			if reason, err := ask(s.kind, s.token); reason != want {
				t.Errorf("%s: %s gives %q (%v), want %s", s.name, path, reason, err, want)
			}
		}
		if s.kind == evidence.APIKey && sayable(s.token) {
			asked.one("service")
			if seen, reason := w.called(s.kind, s.token); reason != want || (seen == rubbish) != (want != trust.Permit) {
				t.Errorf("%s: service gives %q, want %s; a stranger sees\n%s\nand with rubbish\n%s", s.name, reason, want, seen, rubbish)
			}
		}
		if !s.kind.Secret() || s.token == "" {
			continue
		}
		asked.one("exchange")
		if answer := w.exchanged(h, s.kind, s.token); answer.Code != http.StatusBadRequest || answer.Body.String() != uniform[s.kind] {
			t.Errorf("%s: exchange answers %d %s, rubbish gets %s", s.name, answer.Code, answer.Body, uniform[s.kind])
		}
	}
	asked.report(t)
}

// A framework that allows less later ends what it allowed before.
func TestSecretsOfAStricterFramework(t *testing.T) {
	w := newWorld(t)
	w.feeds(t)
	long := w.except(t, "feed", func(d *exception.Document) { d.Expires = trust.Instant(w.host.Now() + 20*86400) })
	if reason, err := w.decided(evidence.APIKey, long); reason != trust.Permit {
		t.Fatalf("before: %s, %v", reason, err)
	}
	d := w.host.State().Framework.Current.Document
	d.Version, d.Previous = 2, w.host.State().Framework.Current.Hash
	tier := d.Tiers[trust.Standard]
	tier.MaxException = 10 * 86400
	d.Tiers[trust.Standard] = tier
	w.host.Adopt(w.Sign(d, w.home, w.host))
	if reason, err := w.decided(evidence.APIKey, long); reason != trust.ExceptionTooLong {
		t.Errorf("after: %s, %v", reason, err)
	}
}
