package demo

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/demo/records"
	"github.com/entente-id/entente/pep"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/trust"
)

// desk is one HTTP service of a trust, with the enforcement point before it.
type desk struct {
	host     *hospital
	name     string
	audience string
	resource trust.ResourceType
	evidence string // type of the bearer tokens it takes; empty is access tokens
	action   string // what calling it does; empty is read
	purpose  string // what for; empty is TREAT
	url      string
	point    string // credential of its enforcement point
}

// The services. An ID token's audience is the client that it was issued to, so
// the handover's is a client identifier too.
const (
	wardRecords = "ward-records"
	letters     = "letters"
	handover    = "handover"

	handoverAudience = "https://handover.rje.example"
)

// furnish registers a service with its enforcement point and lets it answer.
func (h *hospital) furnish(ctx context.Context, name, audience string, resource trust.ResourceType, evidence string) (*desk, error) {
	return h.provide(ctx, &desk{name: name, audience: audience, resource: resource, evidence: evidence})
}

// provide registers a service as furnish does, as its desk says.
func (h *hospital) provide(ctx context.Context, d *desk) (*desk, error) {
	d.host = h
	name, audience, resource, evidence := d.name, d.audience, d.resource, d.evidence
	added, err := h.admin.AddEnforcementPoint(ctx, name)
	if err != nil {
		return nil, err
	}
	d.point = added.Credential
	if err := h.admin.RegisterService(ctx, service.Document{
		Kind: "Service", Name: name, Audience: audience, EnforcementPoint: name,
		Resources: map[trust.ResourceType][]string{resource: {"ward"}},
	}); err != nil {
		return nil, err
	}
	l, url, err := h.world.authority.listen()
	if err != nil {
		return nil, err
	}
	d.url = url
	s, err := records.New(records.Config{
		Config: pep.Config{Node: "unix:" + h.file("pep.sock"), Credential: d.point}, Type: string(resource), Token: evidence, URL: url,
		Action: d.action, Purpose: d.purpose,
	})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	h.world.authority.serve(l, s.Handler())
	h.world.authority.beside(s.Run)
	return d, nil
}

// outcome is what a service answered, with the reason that its own trust knows.
type outcome struct {
	reason trust.Reason // trust.Permit for a permit
	took   time.Duration
}

// recordPath is the record that everybody asks for.
const recordPath = "/wards/w7/records/42"

// call reads the record with a bearer token and gives the decision's reference.
// It fails with Unavailable for anything that is neither a permit nor a denial.
func (d *desk) call(ctx context.Context, token string) (permit bool, reference string, took time.Duration, err error) {
	return d.callWith(ctx, showing{token: token})
}

// showing is what a caller shows to a service.
type showing struct {
	token string   // its own
	proof string   // a DPoP proof beside it; empty is none
	chain []string // whom it acts for: the principal's token, then the links
	txn   string   // joins this call with others; empty is none

	reason, ticket string // why, and where that is written down
	purpose        string // other than the service's own; empty is none
}

// callWith is call with more than a token.
func (d *desk) callWith(ctx context.Context, s showing) (permit bool, reference string, took time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+recordPath, nil)
	if err != nil {
		return false, "", 0, trust.Errorf(trust.Internal, "asking %s: %w", d.name, err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	if s.proof != "" {
		r.Header.Set("Authorization", "DPoP "+s.token)
		r.Header.Set("DPoP", s.proof)
	}
	if len(s.chain) > 0 {
		r.Header.Set(pep.ChainHeader, strings.Join(s.chain, ","))
	}
	for name, value := range map[string]string{"X-Request-ID": s.txn, "X-Reason": s.reason, "X-Ticket": s.ticket, "X-Purpose": s.purpose} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	began := time.Now()
	answer, err := d.host.world.http.Do(r)
	if err != nil {
		return false, "", 0, trust.Errorf(trust.Unavailable, "asking %s of %s: %w", d.name, d.host.code, err)
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	took = time.Since(began)
	if err != nil || answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusForbidden {
		return false, "", took, trust.Errorf(trust.Unavailable, "%s of %s answered %s", d.name, d.host.code, answer.Status)
	}
	return answer.StatusCode == http.StatusOK, answer.Header.Get(pep.DecisionHeader), took, nil
}

// ask reads the record and has the auditor explain the recorded decision.
func (d *desk) ask(ctx context.Context, token string) (outcome, error) {
	return d.askWith(ctx, showing{token: token})
}

// askWith is ask with more than a token, as callWith is call.
func (d *desk) askWith(ctx context.Context, s showing) (outcome, error) {
	permit, reference, took, err := d.callWith(ctx, s)
	if err != nil {
		return outcome{}, err
	}
	e, err := d.host.operators[auditor].Explain(ctx, reference)
	if err != nil {
		return outcome{}, err
	}
	if e.Permit != permit || permit != (e.Reason == trust.Permit) {
		return outcome{}, trust.Errorf(trust.Conflict, "decision %s is recorded as permit %t with reason %s and was answered as permit %t", reference, e.Permit, e.Reason, permit)
	}
	return outcome{e.Reason, took}, nil
}

// wouldPermit asks without a record, to learn when the network has settled.
func (d *desk) wouldPermit(ctx context.Context, s showing) (bool, error) {
	reason, err := d.wouldAnswer(ctx, s)
	return reason == trust.Permit, err
}

// wouldAnswer is wouldPermit for any answer.
func (d *desk) wouldAnswer(ctx context.Context, s showing) (trust.Reason, error) {
	type m = map[string]any
	var brought []m
	for i, text := range append(slices.Clone(s.chain), s.token) {
		kind := pep.AccessToken
		if i > 0 && i < len(s.chain) {
			kind = pep.Link
		}
		brought = append(brought, m{"type": kind, "value": text})
	}
	request, err := json.Marshal(m{
		"subject":  m{"type": "evidence", "id": "0"},
		"action":   m{"name": cmp.Or(d.action, "read")},
		"resource": m{"type": d.resource, "id": "42", "properties": m{"ward": "w7"}},
		"context":  m{"purpose": cmp.Or(d.purpose, "TREAT"), "evidence": brought},
	})
	if err != nil {
		return "", trust.Errorf(trust.Internal, "writing a request: %w", err)
	}
	e, err := d.host.operators[auditor].ExplainHypothetical(ctx, admin.Hypothetical{EnforcementPoint: d.name, Request: request})
	return e.Reason, err
}
