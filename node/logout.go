package node

import (
	"context"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// ReceiveLogout takes a logout token of a registered issuer (OpenID Connect
// Back-Channel Logout 1.0). When it returns nil, the end of the session is durable
// and in force. The same token again changes nothing. Errors are a *signal.Refusal,
// NotFound and Unavailable.
func (n *Node) ReceiveLogout(ctx context.Context, name string, jws []byte) error {
	t, ok := n.State().Signal.Transmitter(name)
	if !ok || t.Delivery != signal.Logout {
		return trust.Errorf(trust.NotFound, "transmitter %s of logout tokens is not known", name)
	}
	u, err := jose.ParseBytes(jws, jose.Form{Types: []string{signal.LogoutType, "jwt", ""}, Use: jose.ForToken, Thumbprints: true})
	if err != nil {
		return signal.Refuse(signal.InvalidRequest, "logout token cannot be read: %w", err)
	}
	token, err := n.readToken(&t, u, signal.ReadLogout)
	if err != nil {
		return err
	}
	about, refusal := signal.Resolve(token.Subject, nil)
	if refusal != nil {
		return refusal
	}
	return n.applySignal(ctx, &t, &token, about)
}
