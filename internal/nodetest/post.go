package nodetest

import (
	"context"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// Post answers what is posted to an address.
type Post func(authorization string, body []byte) (status int, answer []byte)

// Serve lets p answer at an address to which every node may post.
func (w *World) Serve(url string, p Post) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.posts[url] = p
}

// Post is the nodes' way to post.
func (w *World) Post(_ context.Context, url, _, authorization string, body []byte) (node.Posted, error) {
	return w.ask(url, authorization, body)
}

// Delete is the nodes' way to delete: what is served at "DELETE " and the address
// answers.
func (w *World) Delete(_ context.Context, url, authorization string) (node.Posted, error) {
	return w.ask("DELETE "+url, authorization, nil)
}

func (w *World) ask(url, authorization string, body []byte) (node.Posted, error) {
	w.mu.Lock()
	p := w.posts[url]
	w.mu.Unlock()
	if p == nil {
		return node.Posted{}, trust.Errorf(trust.Unavailable, "nobody answers at %s", url)
	}
	status, answer := p(authorization, body)
	return node.Posted{Status: status, Body: answer}, nil
}
