package service

import "github.com/entente-id/entente/trust"

// Registered: a service exists or was changed.
type Registered struct {
	Document Document `json:"document"`
	By       string   `json:"by"`
}

// Removed: a service is gone.
type Removed struct {
	Name string `json:"name"`
	By   string `json:"by"`
}

// EnforcementPointAdded: an enforcement point may ask; Credential is the
// SHA-256 of its 256-bit random token. Adding it again replaces the credential.
type EnforcementPointAdded struct {
	Name       string `json:"name"`
	Credential []byte `json:"credential"`
	By         string `json:"by"`
}

// EnforcementPointRemoved: it may ask no longer.
type EnforcementPointRemoved struct {
	Name string `json:"name"`
	By   string `json:"by"`
}

// EventKind is service.registered.
func (Registered) EventKind() trust.Kind { return kind("registered") }

// EventKind is service.removed.
func (Removed) EventKind() trust.Kind { return kind("removed") }

// EventKind is service.enforcement_point_added.
func (EnforcementPointAdded) EventKind() trust.Kind { return kind("enforcement_point_added") }

// EventKind is service.enforcement_point_removed.
func (EnforcementPointRemoved) EventKind() trust.Kind { return kind("enforcement_point_removed") }

func kind(verb string) trust.Kind { return trust.Kind{Name: "service." + verb, Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event {
	return []trust.Event{Registered{}, Removed{}, EnforcementPointAdded{}, EnforcementPointRemoved{}}
}
