package records

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
	defaultTimeout = 5 * time.Second
	maxAnswer      = 1 << 16 // bytes
)

// evaluation is a question of the AuthZEN Authorization API 1.0, 6.1. The
// caller's proof rides in the context, and the subject only points at it.
type evaluation struct {
	Subject  entity       `json:"subject"`
	Action   action       `json:"action"`
	Resource entity       `json:"resource"`
	Context  circumstance `json:"context"`
}

type entity struct {
	Type       string            `json:"type"`
	ID         string            `json:"id"`
	Properties map[string]string `json:"properties,omitempty"`
}

type action struct {
	Name string `json:"name"`
}

type circumstance struct {
	Purpose  string     `json:"purpose"`
	Evidence []evidence `json:"evidence"`
	Proof    *proof     `json:"proof,omitempty"`
	Session  bool       `json:"session,omitzero"`
}

// proof is what the service saw beside a token that is bound to a key.
type proof struct {
	DPoP   string `json:"dpop"`
	Method string `json:"htm"`
	URL    string `json:"htu"`
}

type evidence struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// answer is what the service takes from the node's: the verdict and the
// reference. The reason is not read, so it cannot leak.
type answer struct {
	Permit bool
	ID     string
	Nonce  string // for the caller's next proof
}

// node is the way to the trust's node.
type node struct {
	client     *http.Client
	base       string
	credential string
	timeout    time.Duration
}

func newNode(c Config) (node, error) {
	n := node{credential: c.Credential, timeout: cmp.Or(c.Timeout, defaultTimeout)}
	client := http.Client{}
	if path, ok := strings.CutPrefix(c.Node, "unix:"); ok {
		n.base = "http://node"
		client.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}
	} else {
		if u, err := url.Parse(c.Node); err != nil || u.Scheme != "https" || u.Host == "" {
			return node{}, trust.Errorf(trust.Invalid, "node address %q is neither https://host:port nor unix:/path", c.Node)
		}
		n.base = strings.TrimSuffix(c.Node, "/")
		if c.HTTPClient != nil {
			client = *c.HTTPClient
		}
	}
	// The caller's token goes to the node and nowhere it might point us.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	n.client = &client
	return n, nil
}

// ask puts one question. Whatever is not a clear yes or no, in time, is an
// error of kind Unavailable. A request id, when there is one, joins the records.
func (n node) ask(ctx context.Context, requestID string, q evaluation) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	body, err := json.Marshal(q)
	if err != nil {
		return answer{}, trust.Errorf(trust.Invalid, "asking the node: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.base+evaluationPath, bytes.NewReader(body))
	if err != nil {
		return answer{}, trust.Errorf(trust.Internal, "asking the node: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+n.credential)
	if requestID != "" {
		req.Header.Set("X-Request-ID", requestID)
	}
	resp, err := n.client.Do(req)
	if err != nil {
		return answer{}, trust.Errorf(trust.Unavailable, "asking the node: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return answer{}, trust.Errorf(trust.Unavailable, "the node answered %d; only 200 is a decision", resp.StatusCode)
	}
	return readAnswer(io.LimitReader(resp.Body, maxAnswer))
}

// readAnswer parses a decision. An absent decision is no decision.
func readAnswer(r io.Reader) (answer, error) {
	var a struct {
		Decision *bool `json:"decision"`
		Context  struct {
			ID    string `json:"id"`
			Nonce string `json:"dpop_nonce"`
		} `json:"context"`
	}
	if err := json.UnmarshalRead(r, &a); err != nil {
		return answer{}, trust.Errorf(trust.Unavailable, "reading the node's answer: %w", err)
	}
	if a.Decision == nil {
		return answer{}, trust.Errorf(trust.Unavailable, "the node's answer holds no decision")
	}
	return answer{Permit: *a.Decision, ID: a.Context.ID, Nonce: a.Context.Nonce}, nil
}
