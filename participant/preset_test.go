package participant_test

import (
	"maps"
	"testing"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

const (
	tenant = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
	object = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"
)

// sound is a use of every preset, what it is stated as, and what must not be
// left out of it.
var sound = map[string]struct {
	issuer string // empty: the preset knows it
	with   map[string]string
	stated string
	needed []string
}{
	"github-actions": {"", map[string]string{"repository": "rxw/deploy", "repository_owner_id": "65", "environment": "production"},
		`{"classes":[{"class":"workload","when":{"environment":"production","repository":"rxw/deploy","repository_owner_id":"65"}}],` +
			`"issuer":"https://token.actions.githubusercontent.com","jwks_uri":"https://token.actions.githubusercontent.com/.well-known/jwks",` +
			`"namespaces":{"repository_owner_id":["65"]}}`,
		[]string{"repository", "repository_owner_id", "environment"}},
	"gitlab-ci": {"https://gitlab.rxw.example", map[string]string{"project_path": "rxw/ops/deploy", "project_id": "22", "ref": "main"},
		`{"classes":[{"class":"workload","when":{"project_id":"22","project_path":"rxw/ops/deploy","ref":"main","ref_protected":"true","ref_type":"branch"}}],` +
			`"issuer":"https://gitlab.rxw.example","jwks_uri":"https://gitlab.rxw.example/oauth/discovery/keys"}`,
		[]string{"project_path", "project_id", "ref"}},
	"kubernetes": {"https://k8s.rxw.example", map[string]string{"namespace": "letters", "service_account": "sender"},
		`{"classes":[{"class":"workload","when":{"sub":"system:serviceaccount:letters:sender"}}],"issuer":"https://k8s.rxw.example","jwks_uri":"https://k8s.rxw.example/openid/v1/jwks"}`,
		[]string{"namespace", "service_account"}},
	"aws": {"https://abc123.tokens.sts.global.api.aws", map[string]string{"role_arn": "arn:aws:iam::123456789012:role/letters"},
		`{"classes":[{"class":"workload","when":{"sub":"arn:aws:iam::123456789012:role/letters"}}],` +
			`"issuer":"https://abc123.tokens.sts.global.api.aws","jwks_uri":"https://abc123.tokens.sts.global.api.aws/.well-known/jwks.json"}`,
		[]string{"role_arn"}},
	"gcp": {"", map[string]string{"unique_id": "113774264463038321964"},
		`{"classes":[{"class":"workload","when":{"azp":"113774264463038321964","sub":"113774264463038321964"}}],"issuer":"https://accounts.google.com","jwks_uri":"https://www.googleapis.com/oauth2/v3/certs"}`,
		[]string{"unique_id"}},
	"azure": {"", map[string]string{"tenant": tenant, "object_id": object, "client_id": object},
		`{"classes":[{"class":"workload","when":{"azp":"` + object + `","oid":"` + object + `","tid":"` + tenant + `"}}],` +
			`"issuer":"https://login.microsoftonline.com/` + tenant + `/v2.0","jwks_uri":"https://login.microsoftonline.com/` + tenant + `/discovery/v2.0/keys",` +
			`"namespaces":{"tid":["` + tenant + `"]}}`,
		[]string{"tenant", "object_id", "client_id"}},
}

func with(preset string, issuer string, params map[string]string, t *testing.T) participant.Document {
	line := participant.Issuer{Presets: []participant.Preset{{Preset: preset, With: params}}}
	if issuer != "" {
		line.Issuer = issuerID(t, issuer)
	}
	return participant.Document{Kind: "Participant", ID: id(t, "rxw"), Issuers: []participant.Issuer{line}}
}

// A preset is stated as the conditions it stands for, and nothing in it may be
// left out, empty, a wildcard or of another form (R24).
func TestPresets(t *testing.T) {
	s := met(t, "rje")
	if len(sound) != len(participant.Presets()) {
		t.Errorf("%d presets are tried of %v", len(sound), participant.Presets())
	}
	for name, c := range sound {
		events, err := s.Declare(facts(t), with(name, c.issuer, c.with, t), by)
		if err != nil || len(events) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text, err := canonical.Marshal(events[0].(participant.Declared).Issuers[0])
		if err != nil || string(text) != c.stated {
			t.Errorf("%s is stated as\n%s\nwant\n%s (%v)", name, text, c.stated, err)
		}
		for _, param := range c.needed {
			for _, value := range []string{"", "*", c.with[param] + "*", c.with[param] + "?", "x y", " "} {
				changed := maps.Clone(c.with)
				if changed[param] = value; value == "" {
					delete(changed, param)
				}
				events, err := s.Declare(facts(t), with(name, c.issuer, changed, t), by)
				wants(t, name+" with "+param+" "+value, trust.Invalid, events, err)
			}
		}
		for what, changed := range map[string]map[string]string{"nothing": nil, "an audience": {"audience": "https://x.example"}} {
			events, err := s.Declare(facts(t), with(name, c.issuer, changed, t), by)
			wants(t, name+" with "+what, trust.Invalid, events, err)
		}
	}
	for what, d := range map[string]participant.Document{
		"an unknown preset":     with("jenkins", "https://ci.rxw.example", map[string]string{"job": "x"}, t),
		"another's issuer":      with("gcp", "https://accounts.evil.example", sound["gcp"].with, t),
		"no issuer":             with("kubernetes", "", sound["kubernetes"].with, t),
		"another tenant's":      with("azure", "https://login.microsoftonline.com/"+object+"/v2.0", sound["azure"].with, t),
		"a role of any account": with("aws", sound["aws"].issuer, map[string]string{"role_arn": "arn:aws:iam:::role/x"}, t),
	} {
		events, err := s.Declare(facts(t), d, by)
		wants(t, what, trust.Invalid, events, err)
	}
}

// Whoever may push names a job's environment: a protected one has to be named.
func TestAProtectedEnvironment(t *testing.T) {
	s := met(t, "rje")
	named := map[string]string{"project_path": "rxw/ops/deploy", "project_id": "22", "environment": "production"}
	events, err := s.Declare(facts(t), with("gitlab-ci", "https://gitlab.rxw.example", named, t), by)
	if err != nil || len(events) != 1 {
		t.Fatal(err)
	}
	when := events[0].(participant.Declared).Issuers[0].Classes[0].When
	if len(when) != 4 || when["environment"] != "production" || when["environment_protected"] != "true" {
		t.Errorf("stated as %v", when)
	}
}

// Partners are told conditions and never presets.
func TestAPresetIsNeverStated(t *testing.T) {
	s := met(t, "rje")
	line := own(t, "rje")
	line.Presets = []participant.Preset{{Preset: "gcp", With: sound["gcp"].with}}
	events, err := s.Accept(facts(t), id(t, "rje"), statement(t, "rje", line), now)
	wants(t, "a statement with a preset", trust.Invalid, events, err)
	line.Presets, line.Classes = nil, []participant.ClassRule{{Class: trust.Workload, When: map[string]string{"sub": ""}}}
	events, err = s.Accept(facts(t), id(t, "rje"), statement(t, "rje", line), now)
	wants(t, "a condition that is empty", trust.Invalid, events, err)
}
