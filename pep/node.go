// Package pep is for policy enforcement points written in Go: it asks a node
// about every call, and keeps the sessions that it let in no longer than the node
// permits. It decides nothing and verifies nothing.
package pep

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/trust"
)

const (
	evaluationPath = "/access/v1/evaluation"
	watchPath      = "/access/v1/watch"
	sessionPath    = "/access/v1/session/"

	defaultTimeout = 5 * time.Second
	defaultSilence = 3 * time.Second
	maxAnswer      = 1 << 16 // bytes
)

// Config says how a node is reached.
type Config struct {
	// Node is the enforcement listener: "https://host:port", or
	// "unix:/path/of/the/socket".
	Node string
	// Credential is the enforcement point's own bearer credential.
	Credential string
	// Client carries the trusted roots for an https node, and has no timeout of its
	// own; nil is the system's. It is not changed, and not used for a socket.
	Client *http.Client
	// Timeout bounds one question; 0 is five seconds.
	Timeout time.Duration
	// Silence is for how long the node may say nothing before every session is
	// cut; 0 is three seconds. A node says something every second.
	Silence time.Duration
}

// Node is the way to a node, as one enforcement point. Its methods may be called
// by any goroutine.
type Node struct {
	config Config
	base   string
	client *http.Client

	watch watch
	reuse reuse
}

// New makes the way to a node; Run keeps its stream. It fails with Invalid where
// the address is neither https nor a socket, or the credential is missing.
func New(c Config) (*Node, error) {
	if c.Credential == "" {
		return nil, trust.Errorf(trust.Invalid, "the enforcement point has no credential; a node answers only one that it knows")
	}
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.Silence = cmp.Or(c.Silence, defaultSilence)
	n := &Node{config: c, watch: newWatch(), reuse: newReuse()}
	client := http.Client{}
	if path, ok := strings.CutPrefix(c.Node, "unix:"); ok {
		n.base = "http://node"
		client.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}
	} else {
		if u, err := url.Parse(c.Node); err != nil || u.Scheme != "https" || u.Host == "" {
			return nil, trust.Errorf(trust.Invalid, "node address %q is neither https://host:port nor unix:/path", c.Node)
		}
		n.base = strings.TrimSuffix(c.Node, "/")
		if c.Client != nil {
			client = *c.Client
		}
	}
	// The caller's token goes to the node and nowhere it might point us.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	n.client = &client
	return n, nil
}

// Run holds the node's watch stream, and reports what was reused, until ctx ends;
// then every session is cut. Without it no session is let in and nothing is
// reused.
func (n *Node) Run(ctx context.Context) {
	reporting := make(chan struct{})
	go func() { defer close(reporting); n.keepReporting(ctx) }()
	n.keepWatching(ctx)
	<-reporting
}

// Question is what an enforcement point asks about one call.
type Question struct {
	Action       string
	ResourceType string
	Resource     string
	Properties   map[string]any // of the resource, as far as the node takes this enforcement point's word
	Workload     map[string]any // that the caller runs as and on, likewise
	Purpose      string
	Reason       string     // why, in the caller's words, for whoever approves or reviews it; may be empty, as Ticket
	Ticket       string     // where that is written down
	Evidence     []Evidence // the caller's; of a chain the principal's first
	Proof        Proof      // shown beside the caller's evidence
	RequestID    string     // joins the records of both sides; may be empty
}

// Evidence is a token and its type, as in RFC 8693, section 3.
type Evidence struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Proof is what was seen beside a token that is bound to a key: a DPoP proof with
// the method and the URL that it came with, or the client's certificate (DER).
// Empty is nothing.
type Proof struct {
	DPoP        string `json:"dpop,omitempty"`
	Method      string `json:"htm,omitempty"`
	URL         string `json:"htu,omitempty"`
	Certificate []byte `json:"x5c,omitempty"`
}

func (p Proof) empty() bool { return p.DPoP == "" && len(p.Certificate) == 0 }

// Answer is a node's. Reference may be shown to the caller, who can quote it. The
// reason may not: it is for this organisation's own eyes.
type Answer struct {
	Permit    bool
	Reference string
	Reason    trust.Reason
	TTL       time.Duration // for how long a permit may be relied on; 0 is for this call
	Nonce     string        // for the caller's next DPoP proof (RFC 9449, section 9); may be empty
}

// evaluation is a question of the AuthZEN Authorization API 1.0, section 6.1. The
// caller's proof rides in the context, and the subject only points at it.
type evaluation struct {
	Subject  entity `json:"subject"`
	Action   action `json:"action"`
	Resource entity `json:"resource"`
	Context  about  `json:"context"`
}

type entity struct {
	Type       string         `json:"type"`
	ID         string         `json:"id"`
	Properties map[string]any `json:"properties,omitempty"`
}

type action struct {
	Name string `json:"name"`
}

type about struct {
	Purpose  string         `json:"purpose"`
	Reason   string         `json:"reason,omitempty"`
	Ticket   string         `json:"ticket,omitempty"`
	Evidence []Evidence     `json:"evidence"`
	Proof    *Proof         `json:"proof,omitempty"`
	Session  bool           `json:"session,omitzero"`
	Workload map[string]any `json:"workload,omitempty"`
}

// body renders a question; the same one always gives the same bytes.
func (q Question) body(session bool) ([]byte, error) {
	e := evaluation{
		Subject: entity{Type: "evidence", ID: "0"}, Action: action{q.Action},
		Resource: entity{q.ResourceType, q.Resource, q.Properties},
		Context:  about{Purpose: q.Purpose, Reason: q.Reason, Ticket: q.Ticket, Evidence: q.Evidence, Session: session, Workload: q.Workload},
	}
	if !q.Proof.empty() {
		e.Context.Proof = &q.Proof
	}
	body, err := json.Marshal(e, json.Deterministic(true))
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "asking the node: %w", err)
	}
	return body, nil
}

// Ask puts one question. A denial is an answer. Whatever is not a clear yes or
// no, in time, is an error of kind Unavailable: nothing may be let in on it.
func (n *Node) Ask(ctx context.Context, q Question) (Answer, error) {
	return n.ask(ctx, q, false)
}

func (n *Node) ask(ctx context.Context, q Question, session bool) (Answer, error) {
	body, err := q.body(session)
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, n.config.Timeout)
	defer cancel()
	answer, err := n.send(ctx, http.MethodPost, evaluationPath, body, "X-Request-ID", q.RequestID)
	if err != nil {
		return Answer{}, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return Answer{}, trust.Errorf(trust.Unavailable, "the node answered %d; only 200 is a decision", answer.StatusCode)
	}
	return readAnswer(io.LimitReader(answer.Body, maxAnswer))
}

// send carries one request with the enforcement point's credential, and with a
// header field if that has a value. It fails with Unavailable.
func (n *Node) send(ctx context.Context, method, path string, body []byte, name, value string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, n.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "asking the node: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+n.config.Credential)
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	if value != "" {
		r.Header.Set(name, value)
	}
	answer, err := n.client.Do(r)
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "asking the node: %w", err)
	}
	return answer, nil
}

// readAnswer parses a decision (AuthZEN 1.0, section 6.2). An absent one is none.
func readAnswer(r io.Reader) (Answer, error) {
	var a struct {
		Decision *bool `json:"decision"`
		Context  struct {
			ID     string       `json:"id"`
			Reason trust.Reason `json:"reason"`
			TTL    int64        `json:"ttl"`
			Nonce  string       `json:"dpop_nonce"`
		} `json:"context"`
	}
	if err := json.UnmarshalRead(r, &a); err != nil {
		return Answer{}, trust.Errorf(trust.Unavailable, "reading the node's answer: %w", err)
	}
	if a.Decision == nil {
		return Answer{}, trust.Errorf(trust.Unavailable, "the node's answer holds no decision")
	}
	return Answer{*a.Decision, a.Context.ID, a.Context.Reason, time.Duration(a.Context.TTL) * time.Second, a.Context.Nonce}, nil
}
