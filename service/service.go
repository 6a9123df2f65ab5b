// Package service knows this organisation's own services and the enforcement
// points that stand before them. It decides which service a resource belongs to
// and whose word about a resource's attributes counts. It refuses to know who
// may use a service.
package service

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"

	"github.com/entente-id/entente/trust"
)

// Document is a service as an app developer writes it.
type Document struct {
	Kind             string                          `json:"kind"` // "Service"
	Name             string                          `json:"name"`
	Audience         string                          `json:"audience"`
	EnforcementPoint string                          `json:"enforcement_point"`
	Resources        map[trust.ResourceType][]string `json:"resources"` // type to the attributes the enforcement point may state
	Actions          []trust.Action                  `json:"actions,omitempty"`
	// Workload names what the enforcement point may state of what a caller runs as
	// and on, such as image_digest or device_posture, because it sees it itself.
	Workload []string `json:"workload,omitempty"`
}

// EnforcementPoint stands before services and asks for decisions. Credential is
// the SHA-256 of its 256-bit random token.
type EnforcementPoint struct {
	Name       string   `json:"name"`
	Credential [32]byte `json:"credential"`
}

var (
	entityType = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}(::[A-Za-z_][A-Za-z0-9_]{0,63}){0,7}$`)
	attribute  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
)

// Check reports every fault of d at once, joined; each is Invalid and begins
// with the path of the member. It knows nothing of other services.
func (d Document) Check() error {
	var faults []error
	fault := func(path, format string, args ...any) {
		faults = append(faults, trust.Errorf(trust.Invalid, "%s: %w", path, fmt.Errorf(format, args...)))
	}
	if d.Kind != "Service" {
		fault("kind", "is %q, not Service", d.Kind)
	}
	if err := trust.CheckName("service", d.Name); err != nil {
		fault("name", "%w", err)
	}
	if u, err := url.Parse(d.Audience); err != nil || !u.IsAbs() || u.Fragment != "" || len(d.Audience) > 2048 {
		fault("audience", "%q is not an absolute URI without fragment", d.Audience)
	}
	if err := trust.CheckName("enforcement point", d.EnforcementPoint); err != nil {
		fault("enforcement_point", "%w", err)
	}
	if len(d.Resources) == 0 {
		fault("resources", "is empty; a service has at least one resource type")
	}
	for _, t := range slices.Sorted(maps.Keys(d.Resources)) {
		if !entityType.MatchString(string(t)) {
			fault("resources."+string(t), "is not a Cedar entity type")
		}
		for i, a := range d.Resources[t] {
			if !attribute.MatchString(a) || slices.Contains(d.Resources[t][:i], a) {
				fault("resources."+string(t), "attribute %q is not an identifier or stands twice", a)
			}
		}
	}
	for i, a := range d.Workload {
		if !attribute.MatchString(a) || slices.Contains(d.Workload[:i], a) {
			fault("workload", "attribute %q is not an identifier or stands twice", a)
		}
	}
	for i, a := range d.Actions {
		if a == "" || len(a) > 256 || slices.Contains(d.Actions[:i], a) {
			fault("actions", "%q is empty, too long or stands twice", a)
		}
	}
	return errors.Join(faults...)
}
