package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// governanceKey puts the key a of framework.txtar on the desk.
func (d desk) governanceKey() (path, passphrase string, key jose.Key) {
	d.t.Helper()
	archive, err := txtar.ParseFile("testdata/framework.txtar")
	if err != nil {
		d.t.Fatal(err)
	}
	for _, f := range archive.Files {
		if f.Name == "a.key" {
			path = d.file("a.key", string(f.Data))
		}
		if f.Name == "pass" {
			passphrase = d.file("pass", string(f.Data))
		}
	}
	key, err = jose.ParseGovernanceKey("ed25519:_QjtPHQpYzeEf-yxNkYI6NZtHnne3bmTGLC6MYT_Ndk")
	if err != nil {
		d.t.Fatal(err)
	}
	return path, passphrase, key
}

const agreementYAML = `
kind: Agreement
name: staff
home: https://trust.rxw.example
host: https://trust.rje.example
tier: standard
ends: 2027-03-31T12:00:00Z
review_every: 90d
accepts:
  - {class: human, audience: "https://records.rje.example", purposes: [TREAT], actions: [read], resources: [{type: WardRecord}]}
privacy: {population: staff, notice: "https://n.example", authorised_party: dpo}
authority:
  issues: https://trust.rxw.example#ra
  validates: https://trust.rje.example#node
  approves: https://trust.rje.example#ward_managers
  revokes: [https://trust.rje.example#security]
owners: {home: https://trust.rxw.example#desk, host: https://trust.rje.example#records}
`

// liar is a node that renders what change makes of the agreement it is given,
// and keeps what is submitted.
type liar struct {
	change    func(*admin.Rendered, *agreement.Revision)
	shown     *admin.Agreement
	submitted *admin.Offer
	signed    *admin.Countersignature
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var err error
	switch r.URL.Path {
	case "/v1/agreements/render":
		var d admin.Draft
		if err = json.NewDecoder(r.Body).Decode(&d); err == nil {
			rev := agreement.Revision{ID: "r1", Revision: 1, Framework: strings.Repeat("a", 64), Proposer: d.Document.Home, Document: d.Document}
			err = wire.Answer(w, http.StatusOK, l.render(rev))
		}
	case "/v1/agreements":
		err = json.NewDecoder(r.Body).Decode(&l.submitted)
	case "/v1/agreements/staff":
		err = wire.Answer(w, http.StatusOK, l.shown)
	case "/v1/agreements/staff/countersign":
		err = json.NewDecoder(r.Body).Decode(&l.signed)
	}
	if err != nil {
		wire.Fail(w, err)
	}
}

func (l *liar) render(rev agreement.Revision) admin.Rendered {
	var r admin.Rendered
	l.change(&r, &rev)
	if r.Bytes == nil {
		r.Bytes, _ = canonical.Marshal(rev)
	}
	if r.Hash == "" {
		sum := sha256.Sum256(r.Bytes)
		r.Hash = hex.EncodeToString(sum[:])
	}
	return r
}

// Nobody signs because a node says so: what it renders must be the document
// that was asked for, and nothing else is signed.
func TestProposeSignsOnlyWhatWasAsked(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*admin.Rendered, *agreement.Revision)
		code   int
	}{
		{"as asked", func(*admin.Rendered, *agreement.Revision) {}, 0},
		{"another host", func(_ *admin.Rendered, r *agreement.Revision) { r.Document.Host = r.Document.Home }, 6},
		{"a longer life", func(_ *admin.Rendered, r *agreement.Revision) { r.Document.Ends += 86400 }, 6},
		{"one more action", func(_ *admin.Rendered, r *agreement.Revision) {
			r.Document.Accepts[0].Actions = append(r.Document.Accepts[0].Actions, trust.Action("write"))
		}, 6},
		{"another hash", func(r *admin.Rendered, _ *agreement.Revision) { r.Hash = strings.Repeat("0", 64) }, 6},
		{"no agreement", func(r *admin.Rendered, _ *agreement.Revision) { r.Bytes = []byte(`{"kind":"Card"}`) }, 6},
	} {
		l := &liar{change: tt.change}
		d := newDesk(t, l, "x")
		path, passphrase, key := d.governanceKey()
		code, _, err := d.run("agreement", "propose", "-f", d.file("a.yaml", agreementYAML), "--governance-key", path, "--passphrase-file", passphrase)
		if code != tt.code || (l.submitted != nil) != (tt.code == 0) {
			t.Errorf("%s: exit %d, submitted %v: %s", tt.name, code, l.submitted != nil, err)
		}
		if tt.code != 0 && !strings.Contains(err, "entente: ") {
			t.Errorf("%s: says %q", tt.name, err)
		}
		if l.submitted != nil {
			if err := jose.VerifyBytes(key, agreement.Domain, l.submitted.Bytes, l.submitted.Signature); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}

func TestCountersignSignsOnlyWhatIsThere(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*admin.Agreement)
		args   []string
		code   int
	}{
		{"with --yes", func(*admin.Agreement) {}, []string{"--yes"}, 0},
		{"unasked", func(*admin.Agreement) {}, nil, 2},
		{"another hash than asked", func(*admin.Agreement) {}, []string{"--hash", strings.Repeat("0", 64)}, 6},
		{"a hash that is not that of the bytes", func(a *admin.Agreement) { a.Hash = strings.Repeat("0", 64) }, []string{"--yes"}, 6},
		{"another agreement's bytes", func(a *admin.Agreement) {
			a.Bytes = bytes.ReplaceAll(a.Bytes, []byte(`"staff"`), []byte(`"other"`))
			sum := sha256.Sum256(a.Bytes)
			a.Hash = hex.EncodeToString(sum[:])
		}, []string{"--yes"}, 6},
	} {
		l := &liar{change: func(*admin.Rendered, *agreement.Revision) {}}
		rendered := l.render(agreement.Revision{ID: "r1", Revision: 1, Document: agreement.Document{Kind: "Agreement", Name: "staff", ReviewEvery: 86400}})
		l.shown = &admin.Agreement{Name: "staff", Bytes: rendered.Bytes, Hash: rendered.Hash, SignedBy: []trust.ParticipantID{}}
		tt.change(l.shown)
		d := newDesk(t, l, "x")
		path, passphrase, key := d.governanceKey()
		code, _, err := d.run(append([]string{"agreement", "countersign", "staff", "--governance-key", path, "--passphrase-file", passphrase}, tt.args...)...)
		if code != tt.code || (l.signed != nil) != (tt.code == 0) {
			t.Errorf("%s: exit %d, signed %v: %s", tt.name, code, l.signed != nil, err)
		}
		if l.signed != nil {
			if err := jose.VerifyBytes(key, agreement.Domain, l.shown.Bytes, l.signed.Signature); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}
