package participant

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/entente-id/entente/trust"
)

// Preset is a named set of conditions on the tokens of a well-known issuer of
// workloads. It is written in a Document only: what a participant states are the
// conditions it stands for, so that partners see them and no table of ours
// decides for them.
//
// docs/issuers.md says in whose documentation each claim was read. None was tried
// on a token of theirs: declare, look at the conditions it came to, and try one.
type Preset struct {
	Preset string            `json:"preset"`
	With   map[string]string `json:"with"`
}

// preset is what a name stands for.
type preset struct {
	issuer string // the only one there is; empty: every customer has its own
	jwks   string // behind the issuer, or a whole address
	params map[string]param
	anyOf  []string // parameters of which one must be given, where there are any
	// derive completes the conditions from the parameters, where a claim is made of
	// several.
	derive func(with, when map[string]string)
}

// param is a parameter: the claim that must equal it, and its form.
type param struct {
	claim    string // empty: none by itself
	form     *regexp.Regexp
	optional bool
	// shared is set where an organisation has one value in all it runs: the issuer
	// then speaks of no other.
	shared bool
}

var (
	anyWord = regexp.MustCompile(`^[^\s*?]+$`)
	digits  = regexp.MustCompile(`^[0-9]{1,32}$`)
	pair    = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
	tree    = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$`)
	gitRef  = regexp.MustCompile(`^refs/(heads|tags)/[^\s*?]+$`)
	refType = regexp.MustCompile(`^(branch|tag)$`)
	label   = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	role    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$`)
	guid    = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

var presets = map[string]preset{
	// The owner's number is never given again, as the names of owners and
	// repositories are. A ref, an environment or a workflow is named, since anybody
	// who may push a branch runs on it.
	"github-actions": {
		issuer: "https://token.actions.githubusercontent.com", jwks: "/.well-known/jwks",
		params: map[string]param{
			"repository": {claim: "repository", form: pair}, "repository_owner_id": {claim: "repository_owner_id", form: digits, shared: true},
			"repository_id": {claim: "repository_id", form: digits, optional: true}, "ref": {claim: "ref", form: gitRef, optional: true},
			"environment": {claim: "environment", form: anyWord, optional: true}, "workflow": {claim: "job_workflow_ref", form: anyWord, optional: true},
		},
		anyOf: []string{"ref", "environment", "workflow"},
	},
	"gitlab-ci": {
		jwks: "/oauth/discovery/keys",
		params: map[string]param{
			"project_path": {claim: "project_path", form: tree}, "project_id": {claim: "project_id", form: digits},
			"ref": {claim: "ref", form: anyWord, optional: true}, "ref_type": {claim: "ref_type", form: refType, optional: true},
			"environment": {claim: "environment", form: anyWord, optional: true},
		},
		anyOf: []string{"ref", "environment"},
		derive: func(with, when map[string]string) {
			if with["ref"] != "" {
				when["ref_protected"] = "true" // or whoever may push names a branch so
				if with["ref_type"] == "" {
					when["ref_type"] = "branch"
				}
			}
			if with["environment"] != "" {
				when["environment_protected"] = "true" // likewise: a job names its environment itself
			}
		},
	},
	"kubernetes": {
		jwks:   "/openid/v1/jwks",
		params: map[string]param{"namespace": {form: label}, "service_account": {form: label}},
		derive: func(with, when map[string]string) {
			when["sub"] = "system:serviceaccount:" + with["namespace"] + ":" + with["service_account"]
		},
	},
	"aws": {jwks: "/.well-known/jwks.json", params: map[string]param{"role_arn": {claim: "sub", form: role}}},
	// The number and not the address, which may be given again.
	"gcp": {
		issuer: "https://accounts.google.com", jwks: "https://www.googleapis.com/oauth2/v3/certs",
		params: map[string]param{"unique_id": {claim: "sub", form: digits}},
		derive: func(with, when map[string]string) { when["azp"] = with["unique_id"] },
	},
	"azure": {
		params: map[string]param{
			"tenant": {claim: "tid", form: guid, shared: true}, "object_id": {claim: "oid", form: guid}, "client_id": {claim: "azp", form: guid},
		},
	},
}

// Presets lists the names there are.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// conditions checks a preset's parameters and gives what they stand for. Every
// one it needs is there and names one thing: no wildcard, and never the audience
// alone.
func (p Preset) conditions() (when map[string]string, err error) {
	kind, ok := presets[p.Preset]
	if !ok {
		return nil, trust.Errorf(trust.Invalid, "preset %q is none of %s", p.Preset, strings.Join(Presets(), ", "))
	}
	when = map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(p.With)) {
		param, known := kind.params[name]
		value := p.With[name]
		switch {
		case !known:
			return nil, trust.Errorf(trust.Invalid, "preset %s has no parameter %q; it has %s", p.Preset, name, strings.Join(slices.Sorted(maps.Keys(kind.params)), ", "))
		case strings.ContainsAny(value, "*?"):
			return nil, trust.Errorf(trust.Invalid, "preset %s: %s is %q; a workload is named exactly, without wildcards", p.Preset, name, value)
		case !param.form.MatchString(value):
			return nil, trust.Errorf(trust.Invalid, "preset %s: %s is %q, which is not of its form", p.Preset, name, value)
		}
		if param.claim != "" {
			when[param.claim] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(kind.params)) {
		if p.With[name] == "" && !kind.params[name].optional {
			return nil, trust.Errorf(trust.Invalid, "preset %s has no %s; trust on the audience alone is none", p.Preset, name)
		}
	}
	if len(kind.anyOf) > 0 && !slices.ContainsFunc(kind.anyOf, func(name string) bool { return p.With[name] != "" }) {
		return nil, trust.Errorf(trust.Invalid, "preset %s names none of %s; everything that the repository runs would be trusted", p.Preset, strings.Join(kind.anyOf, ", "))
	}
	if kind.derive != nil {
		kind.derive(p.With, when)
	}
	return when, nil
}

// render gives i with its presets in explicit conditions: a class rule for each,
// behind those that stand there already, the claims of which the issuer asserts
// the organisation's value alone, and the address of its keys. For an issuer that
// the framework registers, the discriminator is written by hand.
func (i Issuer) render() (Issuer, error) {
	if len(i.Presets) == 0 {
		return i, nil
	}
	all := i.Presets
	i.Presets, i.Classes, i.Namespaces = nil, slices.Clone(i.Classes), maps.Clone(i.Namespaces)
	if i.Namespaces == nil {
		i.Namespaces = map[string][]Namespace{}
	}
	for _, p := range all {
		when, err := p.conditions()
		if err != nil {
			return i, err
		}
		kind := presets[p.Preset]
		if i, err = i.at(p, kind); err != nil {
			return i, err
		}
		i.Classes = append(i.Classes, ClassRule{Class: trust.Workload, When: when})
		for _, param := range kind.params {
			own := Namespace{Equals: when[param.claim]}
			if param.shared && !slices.Contains(i.Namespaces[param.claim], own) {
				i.Namespaces[param.claim] = append(i.Namespaces[param.claim], own)
			}
		}
	}
	if len(i.Namespaces) == 0 {
		i.Namespaces = nil
	}
	return i, nil
}

// at sees that the line's issuer is the preset's, and fills in the address of its
// keys where none is written.
func (i Issuer) at(p Preset, kind preset) (Issuer, error) {
	want, jwks := kind.issuer, kind.jwks
	if p.Preset == "azure" {
		host := "https://login.microsoftonline.com/" + p.With["tenant"]
		want, jwks = host+"/v2.0", host+"/discovery/v2.0/keys"
	}
	switch {
	case want == "" && i.Issuer.IsZero():
		return i, trust.Errorf(trust.Invalid, "preset %s stands without an issuer; every customer of it has its own", p.Preset)
	case i.Issuer.IsZero():
		id, err := trust.ParseIssuerID(want)
		if err != nil {
			return i, err
		}
		i.Issuer = id
	case want != "" && i.Issuer.String() != want:
		return i, trust.Errorf(trust.Invalid, "preset %s is of issuer %s; the line states %s", p.Preset, want, i.Issuer)
	}
	if i.JWKSURI == "" && i.Discriminator == nil {
		if i.JWKSURI = jwks; strings.HasPrefix(jwks, "/") {
			i.JWKSURI = strings.TrimSuffix(i.Issuer.String(), "/") + jwks
		}
	}
	return i, nil
}
