package fetch

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/entente-id/entente/trust"
)

// Answer is how a server answered a Post or a Delete. Wait is what Retry-After asks for.
type Answer struct {
	Status int
	Body   []byte
	Wait   time.Duration
}

// Post sends a body to an https address, with an Authorization header unless that
// is "", and gives the answer, whatever its status: a redirect is one, and is not
// followed. A body beyond the limit is left out. It fails with Invalid for
// another address, with Denied for a host that may not be dialled, and with
// Unavailable for what may pass.
func (c *Client) Post(ctx context.Context, address, contentType, authorization string, body []byte) (Answer, error) {
	return c.send(ctx, http.MethodPost, address, contentType, authorization, body)
}

// Delete asks for what is at an https address to be deleted, as Post carries a body
// there.
func (c *Client) Delete(ctx context.Context, address, authorization string) (Answer, error) {
	return c.send(ctx, http.MethodDelete, address, "", authorization, nil)
}

func (c *Client) send(ctx context.Context, method, address, contentType, authorization string, body []byte) (Answer, error) {
	u, err := c.check(address)
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return Answer{}, trust.Errorf(trust.Invalid, "address cannot be requested: %w", err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	request.Header.Set("Accept", "application/json")
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{}, failed(u, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer := Answer{Status: response.StatusCode}
	if seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 24); err == nil {
		answer.Wait = time.Duration(seconds) * time.Second
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, c.config.MaxBytes+1))
	if err == nil && int64(len(text)) <= c.config.MaxBytes {
		answer.Body = text
	}
	return answer, nil
}
