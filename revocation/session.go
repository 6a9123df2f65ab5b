package revocation

import "github.com/entente-id/entente/trust"

// SessionStopped: an operator ended one open session, which the enforcement point
// has from the permit at Permit of the decision log. Its caller may ask for
// another: what the permit stood on has not ended. It changes no state. The reason
// is in the sealed part.
type SessionStopped struct {
	Permit trust.Position `json:"permit"`
	By     string         `json:"by"`
}

// StopSession ends an open session. It fails with Invalid.
func (s State) StopSession(e SessionStopped) ([]trust.Event, error) {
	if e.By == "" || e.Permit.Epoch == 0 {
		return nil, trust.Errorf(trust.Invalid, "the end of a session must name its permit and the operator who ends it")
	}
	return []trust.Event{e}, nil
}

// EventKind is revocation.session_stopped.
func (SessionStopped) EventKind() trust.Kind { return kind("session_stopped") }
