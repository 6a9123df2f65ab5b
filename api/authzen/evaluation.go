package authzen

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// evaluation is a request of section 6.1. What it does not list is ignored, as
// the standard asks; subject.properties above all, since an enforcement point's
// word about a caller counts for nothing.
type evaluation struct {
	Subject struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"subject"`
	Action struct {
		Name string `json:"name"`
	} `json:"action"`
	Resource struct {
		Type       string         `json:"type"`
		ID         string         `json:"id"`
		Properties jsontext.Value `json:"properties"`
	} `json:"resource"`
	Context struct {
		Purpose  string `json:"purpose"`
		Reason   string `json:"reason"` // for people, as Ticket
		Ticket   string `json:"ticket"`
		Evidence []struct {
			Type  string `json:"type"`
			Value string `json:"value"`
		} `json:"evidence"`
		Proof    jsontext.Value `json:"proof"`
		Session  bool           `json:"session"`
		Workload jsontext.Value `json:"workload"`
	} `json:"context"`
}

// maxWords bounds a reason and a ticket, in bytes.
const maxWords = 1000

// Parse reads the body of an evaluation request. It fails with Invalid for what is not strict JSON, for
// a member of the wrong type and for an absent or empty required one.
func Parse(data []byte) (node.Ask, error) {
	var e evaluation
	if err := canonical.DecodeLoose(data, &e); err != nil {
		return node.Ask{}, err
	}
	for _, m := range [...]struct{ name, value string }{
		{"subject.type", e.Subject.Type}, {"subject.id", e.Subject.ID}, {"action.name", e.Action.Name},
		{"resource.type", e.Resource.Type}, {"resource.id", e.Resource.ID},
	} {
		if m.value == "" {
			return node.Ask{}, trust.Errorf(trust.Invalid, "the request has no %s; an evaluation needs it", m.name)
		}
	}
	ask := node.Ask{Request: decision.Request{
		SubjectID:    e.Subject.ID,
		Action:       trust.Action(e.Action.Name),
		ResourceType: trust.ResourceType(e.Resource.Type),
		ResourceID:   e.Resource.ID,
		Purpose:      trust.Purpose(e.Context.Purpose),
		Session:      e.Context.Session,
		Reason:       e.Context.Reason,
		Ticket:       e.Context.Ticket,
	}}
	if len(ask.Reason) > maxWords || len(ask.Ticket) > maxWords {
		return node.Ask{}, trust.Errorf(trust.Invalid, "the request's reason or ticket is longer than %d bytes", maxWords)
	}
	for _, m := range [...]struct {
		text jsontext.Value
		into *map[string]any
	}{{e.Resource.Properties, &ask.Properties}, {e.Context.Workload, &ask.Workload}} {
		if len(m.text) == 0 || m.text.Kind() == jsontext.KindNull {
			continue
		}
		members, err := canonical.ParseObject(m.text)
		if err != nil {
			return node.Ask{}, err
		}
		*m.into = members
	}
	shown, err := parseShown(e.Context.Proof)
	if err != nil {
		return node.Ask{}, err
	}
	for _, proof := range e.Context.Evidence {
		ask.Evidence = append(ask.Evidence, evidence.Proof{Kind: evidence.Kind(proof.Type), Token: []byte(proof.Value), Shown: shown})
	}
	return ask, nil
}

// appendAnswer renders the response of section 6.2. The reason goes to our own
// enforcement points only; the reference is what a caller may be shown.
func appendAnswer(b []byte, a node.Answer) []byte {
	b = append(b, `{"decision":`...)
	b = strconv.AppendBool(b, a.Permit)
	b = append(b, `,"context":{`...)
	if a.Nonce != "" { // base64url; for the caller's next proof (RFC 9449, section 9)
		b = append(b, `"dpop_nonce":"`...)
		b = append(b, a.Nonce...)
		b = append(b, `",`...)
	}
	b = append(b, `"id":"`...)
	b = append(b, a.Reference...)
	b = append(b, `","reason":"`...)
	b = append(b, a.Reason...)
	b = append(b, `","ttl":`...)
	b = strconv.AppendInt(b, a.TTL, 10)
	return append(b, `}}`...)
}
