// Package edge is the partner plane on the wire: security event tokens pushed by
// RFC 8935, nonce heartbeats, a partner's own messages once more, and drills. It decides
// how an outcome is said, and says little: a partner learns the class of a
// refusal, never its ground. It refuses to know what a message means and how a
// partner is authenticated.
package edge

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/receipt"
	"github.com/entente-id/entente/trust"
)

// Node is what the partner plane asks of the shell.
type Node interface {
	// ReceiveMessage takes a partner's message; when it returns nil the message
	// and its effect are durable. A *node.Gap says which message comes first, or
	// which chunks of a list do.
	ReceiveMessage(ctx context.Context, from trust.ParticipantID, jws []byte) error
	// ReceiveChunk takes a piece of the list that the partner's next message
	// announced.
	ReceiveChunk(ctx context.Context, from trust.ParticipantID, chunk []byte) error
	// Heartbeat answers a nonce with a signed word.
	Heartbeat(ctx context.Context, from trust.ParticipantID, nonce string) (string, error)
	// Received tells a partner what is held here of its own messages.
	Received(ctx context.Context, from trust.ParticipantID, q node.ReceivedQuestion) (node.ReceivedAnswer, error)
	// Messages gives a partner its own messages of a lane after a number.
	Messages(ctx context.Context, from trust.ParticipantID, lane edge.Lane, after uint64, limit int) ([]string, error)
	// ReceiptsFor gives a home its next receipts after those it has, nil for none.
	ReceiptsFor(ctx context.Context, to trust.ParticipantID, after node.After) (*receipt.Delivery, error)
	// Canary answers a call of the canary resource after its record is durable.
	Canary(ctx context.Context, from trust.ParticipantID, c node.CanaryCall) (node.CanaryAnswer, error)
	// SettleDrill signs and records a drill's result.
	SettleDrill(ctx context.Context, from trust.ParticipantID, r node.DrillResult) (node.DrillResult, error)
	// Reconciled compares a partner's signed account with ours and gives ours.
	Reconciled(ctx context.Context, from trust.ParticipantID, jws []byte) (string, error)
	// Trespass takes note that a partner asked for the admin interface.
	Trespass(ctx context.Context, from trust.ParticipantID)
}

const (
	messageType   = "application/secevent+jwt" // RFC 8417, section 7.2
	statementType = "application/jwt"
	maxMessage    = 1 << 20   // bytes; a framework travels in one
	maxChunk      = 512 << 10 // bytes of a piece of a list
	maxHeartbeat  = 4 << 10
	maxAfter      = 256 // bytes
	page          = 100 // messages in one answer
)

// Peer gives the participant that mutual TLS proved, by the context of its
// request; zero for none.
type Peer func(context.Context) trust.ParticipantID

type handler struct {
	node Node
	peer Peer
}

// New serves the partner plane of n to the partners that peer recognises.
func New(n Node, peer Peer) http.Handler {
	h := handler{n, peer}
	mux := http.NewServeMux()
	mux.Handle("POST /edge/v1/messages", h.partner(h.receive))
	mux.Handle("GET /edge/v1/messages", h.partner(h.resend))
	mux.Handle("POST /edge/v1/received", h.partner(h.received))
	mux.Handle("POST /edge/v1/chunks", h.partner(h.chunk))
	mux.Handle("POST /edge/v1/heartbeat", h.partner(h.heartbeat))
	mux.Handle("POST /edge/v1/receipts", h.partner(h.receipts))
	mux.Handle("POST /edge/v1/canary", h.partner(h.canary))
	mux.Handle("POST /edge/v1/drills", h.partner(h.settle))
	mux.Handle("POST /edge/v1/reconciliations", h.partner(h.reconcile))
	mux.Handle("/v1/", h.partner(h.trespass))
	return mux
}

// trespass answers a partner that asks for the admin interface like one that asks
// for anything else that is not here (R49).
func (h handler) trespass(w http.ResponseWriter, r *http.Request, from trust.ParticipantID) error {
	h.node.Trespass(r.Context(), from)
	http.NotFound(w, r)
	return nil
}

// partner lets only partners in, and answers an error.
func (h handler) partner(serve func(http.ResponseWriter, *http.Request, trust.ParticipantID) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := h.peer(r.Context())
		if from.IsZero() {
			wire.Fail(w, trust.Errorf(wire.Unauthenticated, "the client certificate is not one of a partner"))
			return
		}
		if err := serve(w, r, from); err != nil {
			wire.Fail(w, uniform(err))
		}
	})
}

// receive takes one message. 202 means it is durable here (RFC 8935, section
// 2.2); 409 names the message that must come first, or the chunks of its list.
func (h handler) receive(w http.ResponseWriter, r *http.Request, from trust.ParticipantID) error {
	jws, err := wire.Body(w, r, messageType, maxMessage)
	if err != nil {
		return err
	}
	err = h.node.ReceiveMessage(r.Context(), from, jws)
	if err == nil {
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	if gap, ok := errors.AsType[*node.Gap](err); ok {
		return wire.Answer(w, http.StatusConflict, struct {
			Expected uint64   `json:"expected"`
			Need     []string `json:"need,omitempty"`
		}{gap.Expected, gap.Need})
	}
	if refusal, ok := refusals[trust.KindOf(err)]; ok {
		return wire.Answer(w, http.StatusBadRequest, refusal)
	}
	return err
}

// chunk takes a piece of a list. 202 means that it need not be sent again unless
// the message that announced it is answered with its hash.
func (h handler) chunk(w http.ResponseWriter, r *http.Request, from trust.ParticipantID) error {
	chunk, err := wire.Body(w, r, wire.JSON, maxChunk)
	if err == nil {
		err = h.node.ReceiveChunk(r.Context(), from, chunk)
	}
	if err == nil {
		w.WriteHeader(http.StatusAccepted)
	}
	return err
}

// refusal is the body of RFC 8935, section 2.3.
type refusal struct {
	Err         string `json:"err"`
	Description string `json:"description"`
}

// refusals are uniform: what exactly was wrong stands in our own records. A kind
// that is not here is no refusal of the message; the sender tries again.
var refusals = map[trust.ErrorKind]refusal{
	trust.Invalid:  {"invalid_request", "The message cannot be read."},
	trust.NotFound: {"invalid_request", "The message cannot be read."},
	trust.Denied:   {"access_denied", "The message is not accepted from this sender."},
	trust.Conflict: {"access_denied", "The message is not accepted from this sender."},
}

// heartbeat answers {"nonce": …} with a signed word, itself a security event
// token.
func (h handler) heartbeat(w http.ResponseWriter, r *http.Request, from trust.ParticipantID) error {
	data, err := wire.Body(w, r, wire.JSON, maxHeartbeat)
	if err != nil {
		return err
	}
	var ask struct {
		Nonce string `json:"nonce"`
	}
	if err := canonical.DecodeLoose(data, &ask); err != nil {
		return err
	}
	jws, err := h.node.Heartbeat(r.Context(), from, ask.Nonce)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", messageType)
	_, _ = io.WriteString(w, jws) // the partner may have gone
	return nil
}

// received answers {"nonce": …, "since": …} with what is held here of the partner's
// own messages, for one that may have lost them.
func (h handler) received(w http.ResponseWriter, r *http.Request, from trust.ParticipantID) error {
	data, err := wire.Body(w, r, wire.JSON, maxHeartbeat)
	if err != nil {
		return err
	}
	var q node.ReceivedQuestion
	if err := canonical.DecodeLoose(data, &q); err != nil {
		return err
	}
	answer, err := h.node.Received(r.Context(), from, q)
	if err != nil {
		return err
	}
	return wire.Answer(w, http.StatusOK, answer)
}

// resend gives a partner its own messages of a lane after a number, at most a
// page of them; an empty page is the end.
func (h handler) resend(w http.ResponseWriter, r *http.Request, from trust.ParticipantID) error {
	query := r.URL.Query()
	lane := edge.Lane(query.Get("lane"))
	if lane != edge.Safety && lane != edge.Governance {
		return trust.Errorf(trust.Invalid, "lane is neither safety nor governance")
	}
	after, err := strconv.ParseUint(query.Get("after"), 10, 63)
	if err != nil {
		return trust.Errorf(trust.Invalid, "after is not a message's number")
	}
	messages, err := h.node.Messages(r.Context(), from, lane, after, page)
	if err != nil {
		return err
	}
	if messages == nil {
		messages = []string{}
	}
	return wire.Answer(w, http.StatusOK, struct {
		Messages []string `json:"messages"`
	}{messages})
}

// receipts answers {"after": …} with the next batch behind that number, or with
// 204 where there is none.
func (h handler) receipts(w http.ResponseWriter, r *http.Request, from trust.ParticipantID) error {
	data, err := wire.Body(w, r, wire.JSON, maxAfter)
	if err != nil {
		return err
	}
	var ask node.After
	if err := canonical.Decode(data, &ask); err != nil {
		return err
	}
	given, err := h.node.ReceiptsFor(r.Context(), from, ask)
	if err != nil {
		return err
	}
	if given == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return wire.Answer(w, http.StatusOK, given)
}

// reconcile answers a signed account with ours, a JWS both.
func (h handler) reconcile(w http.ResponseWriter, r *http.Request, from trust.ParticipantID) error {
	jws, err := wire.Body(w, r, statementType, maxMessage)
	if err != nil {
		return err
	}
	answer, err := h.node.Reconciled(r.Context(), from, jws)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", statementType)
	_, _ = io.WriteString(w, answer) // the partner may have gone
	return nil
}

// uniform takes from an error all that would tell an outsider more than its
// class.
func uniform(err error) error {
	switch kind := trust.KindOf(err); kind {
	case trust.Denied, trust.NotFound, trust.Conflict:
		return trust.Errorf(trust.Denied, "not accepted from this sender")
	case trust.Unavailable:
		return trust.Errorf(kind, "try again later")
	case trust.Internal:
		return trust.Errorf(kind, "internal")
	default:
		return err
	}
}
