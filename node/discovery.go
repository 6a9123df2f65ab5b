package node

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/trust"
)

// SetUpTransmitter opens a stream at the transmitter of an issuer, by what that
// says of itself (SSF 1.0, section 7), and lets its signals count as
// AddTransmitter does; d says the rest. It gives the document as it was added. It
// fails with Invalid, by the member, for what is not as it should be, with
// Unavailable, or as AddTransmitter does; what that would refuse opens nothing.
func (n *Node) SetUpTransmitter(ctx context.Context, a Actor, d signal.Document, token, issuer string) (signal.Document, error) {
	if !slices.Contains(a.Roles, operator.Admin) {
		return d, n.denyOperator(ctx, a)
	}
	c, err := n.discover(ctx, issuer)
	if err != nil {
		return d, err
	}
	if d, err = c.Begin(d); err != nil {
		return d, err
	}
	random, err := n.drawTransmitterSecret()
	if err != nil {
		return d, err
	}
	if err := n.wouldAdd(d, random, a); err != nil {
		return d, err
	}
	// Its first event may come at once, and one that cannot be verified is refused.
	if err := n.readTransmitterKeys(ctx, &signal.Transmitter{Document: d}); err != nil {
		return d, trust.Errorf(trust.KindOf(err), "jwks_uri: %w", err)
	}
	opening := d.Opening(n.Address()+signal.PushPath+d.Name, "Bearer "+TransmitterPrefix+base64.RawURLEncoding.EncodeToString(random))
	answer, err := n.openStream(ctx, &c, token, opening)
	if err != nil {
		return d, err
	}
	asked := d
	if d, err = d.Opened(opening, answer); err == nil {
		err = n.addTransmitter(ctx, a, d, token, random)
	}
	if err != nil {
		return d, n.giveBack(ctx, &c, &asked, token, answer, err)
	}
	n.enableStream(ctx, &c, &d, token)
	return d, nil
}

// discover reads what the transmitter of an issuer says of itself.
func (n *Node) discover(ctx context.Context, issuer string) (signal.Configuration, error) {
	address, err := signal.ConfigurationURL(issuer)
	if err != nil {
		return signal.Configuration{}, err
	}
	text, err := n.Fetch.Get(ctx, address)
	if err != nil {
		return signal.Configuration{}, err
	}
	return signal.ReadConfiguration(text, issuer)
}

// wouldAdd fails as adding d will, whatever its stream says.
func (n *Node) wouldAdd(d signal.Document, random []byte, a Actor) error {
	d.StreamID = "to be opened"
	if d.Audience == "" {
		d.Audience = "to be told"
	}
	if d.Delivery == signal.Poll {
		d.PollURI = d.VerifyURI
	}
	c := &change{Snapshot: n.State(), n: n}
	_, err := c.Signal.Add(c.issuerOf, d, sha256.Sum256(random), a.ID)
	return err
}

// openStream asks for a stream and gives the answer (SSF 1.0, section 8.1.1.1).
func (n *Node) openStream(ctx context.Context, c *signal.Configuration, token string, o signal.Opening) ([]byte, error) {
	body, err := canonical.Marshal(o)
	if err != nil {
		return nil, err
	}
	answer, err := n.postTo(ctx, c.Streams, token, body)
	switch {
	case err != nil:
		return nil, err
	case answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden:
		return nil, trust.Errorf(trust.Denied, "configuration_endpoint: %s answers %d; the token is not one that may open streams there", c.Streams, answer.Status)
	case answer.Status == http.StatusConflict:
		return nil, trust.Errorf(trust.Conflict, "configuration_endpoint: %s answers 409; we have as many streams there as we may", c.Streams)
	case answer.Status != http.StatusCreated:
		return nil, trust.Errorf(trust.Unavailable, "configuration_endpoint: %s answers %d to a new stream, not 201", c.Streams, answer.Status)
	}
	return answer.Body, nil
}

// giveBack deletes a stream that a transmitter opened and that could not be added
// here, for want of which is in why. One that another name here is heard by stays.
func (n *Node) giveBack(ctx context.Context, c *signal.Configuration, d *signal.Document, token string, answer []byte, why error) error {
	stream, address := c.Deleting(answer)
	if stream == "" {
		return trust.Errorf(trust.KindOf(why), "transmitter %s opened a stream that is not heard here, and does not name it; end it there: %w", d.Signer(), why)
	}
	for t := range n.State().Signal.All() {
		if t.StreamID == stream && t.Signer() == d.Signer() {
			return trust.Errorf(trust.KindOf(why), "transmitter %s gave the stream of transmitter %s once more: %w", d.Signer(), t.Name, why)
		}
	}
	authorization := ""
	if token != "" {
		authorization = "Bearer " + token
	}
	gone, err := n.Post.Delete(context.WithoutCancel(ctx), address, authorization)
	if err == nil && gone.Status/100 != 2 {
		err = trust.Errorf(trust.Unavailable, "configuration_endpoint: %s answers %d", c.Streams, gone.Status)
	}
	if err != nil {
		return trust.Errorf(trust.KindOf(why), "transmitter %s opened stream %s, which is not heard here and was not deleted (%v); end it there: %w", d.Signer(), stream, err, why)
	}
	return trust.Errorf(trust.KindOf(why), "transmitter %s opened a stream that is not heard here; it is deleted there again: %w", d.Signer(), why)
}

// enableStream lets a stream run whose first event came before it was expected
// here: many transmitters pause one for that.
func (n *Node) enableStream(ctx context.Context, c *signal.Configuration, d *signal.Document, token string) {
	if c.Status == "" || d.Delivery != signal.Push {
		return
	}
	body, err := canonical.Marshal(map[string]string{"stream_id": d.StreamID, "status": "enabled"})
	if err == nil {
		var answer Posted
		if answer, err = n.postTo(ctx, c.Status, token, body); err == nil && answer.Status/100 != 2 {
			err = trust.Errorf(trust.Unavailable, "status_endpoint: %s answers %d", c.Status, answer.Status)
		}
	}
	if err != nil {
		n.Log.Warn("a transmitter was not asked to let its stream run", "transmitter", d.Name, "error", err)
	}
}
