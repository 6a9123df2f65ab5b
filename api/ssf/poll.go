package ssf

import (
	"net/http"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/node"
)

// poll gives the events of a stream and takes what the receiver says of earlier
// ones (RFC 8936, section 2).
func poll(c call) error {
	asked, err := read[struct {
		Max         *int     `json:"maxEvents"`
		Immediately bool     `json:"returnImmediately"`
		Ack         []string `json:"ack"`
		Errors      map[string]struct {
			Err         string `json:"err"`
			Description string `json:"description"`
		} `json:"setErrs"`
	}](c)
	if err != nil {
		return err
	}
	p := node.PollRequest{Max: asked.Max, Immediately: asked.Immediately, Acked: asked.Ack, Refused: map[string]node.Rejected{}}
	for jti, e := range asked.Errors {
		p.Refused[jti] = node.Rejected{Code: e.Err, Words: e.Description}
	}
	answer, err := c.receiver.Poll(c.Context(), c.PathValue("id"), p)
	if err != nil {
		return err
	}
	return wire.Answer(c.w, http.StatusOK, struct {
		Sets map[string]string `json:"sets"`
		More bool              `json:"moreAvailable,omitzero"`
	}{answer.Sets, answer.More})
}
