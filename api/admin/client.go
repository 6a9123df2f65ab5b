package admin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/trust"
)

const maxAnswer = 64 << 20 // bytes

// Client calls a node's admin interface. Its errors have the kind the node gave
// them; Unavailable also says that nobody answers, and wire.Unauthenticated that
// the credential is none here.
type Client struct {
	socket     string
	credential string
	key        string
	http       *http.Client
}

// NewClient makes a client of the node behind a unix socket, for the operator
// whose credential this is.
func NewClient(socket, credential string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &Client{socket: socket, credential: credential, http: &http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Once gives a client whose requests are carried out once for a key, however often
// they are sent: each under the key and its own path, so that one key serves all
// the requests of one command.
func (c *Client) Once(key string) *Client {
	once := *c
	once.key = key
	return &once
}

// Close lets go of the connections that are kept open.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call sends in, unless it is nil, and reads the answer into a T.
func call[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var out T
	answer, err := c.send(ctx, method, path, in)
	if err != nil {
		return out, err
	}
	if len(answer) == 0 {
		return out, nil
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, trust.Errorf(trust.Internal, "the node's answer cannot be read: %w", err)
	}
	return out, nil
}

// do is call for what answers nothing.
func (c *Client) do(ctx context.Context, method, path string, in any) error {
	_, err := c.send(ctx, method, path, in)
	return err
}

func (c *Client) send(ctx context.Context, method, path string, in any) ([]byte, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in, json.Deterministic(true))
		if err != nil {
			return nil, trust.Errorf(trust.Invalid, "the request cannot be written: %w", err)
		}
		body = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://admin"+path, body)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "the request cannot be made: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+c.credential)
	if in != nil {
		r.Header.Set("Content-Type", wire.JSON)
	}
	if c.key != "" && method == http.MethodPost {
		r.Header.Set(KeyHeader, c.key+path)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, c.unreached(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "the node's answer broke off: %w", err)
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return nil, refusal(answer, data)
	}
	return data, nil
}

// unreached says that nobody answered, and keeps what ended the context.
func (c *Client) unreached(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return trust.Errorf(trust.Unavailable, "the node at %s did not answer in time: %w", c.socket, err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	return trust.Errorf(trust.Unavailable, "no node answers at %s: %w", c.socket, err)
}

// refusal reads a problem; what is none is at least a status.
func refusal(r *http.Response, data []byte) error {
	var p wire.Problem
	if strings.HasPrefix(r.Header.Get("Content-Type"), wire.MediaType) && json.Unmarshal(data, &p) == nil && p.Kind != "" {
		return p.Err()
	}
	return trust.Errorf(trust.Internal, "the node answered %s", r.Status)
}
