package ssf

import (
	"net/http"
	"slices"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/trust"
)

// body is a stream's configuration as both ends write it (SSF 1.0, section 8.1.1).
// What is the transmitter's to say may stand in a request and must then be right.
// Pointers tell what is there.
type body struct {
	ID          *string        `json:"stream_id,omitzero"`
	Issuer      *string        `json:"iss,omitzero"`
	Audience    *string        `json:"aud,omitzero"`
	Supported   *[]signal.Type `json:"events_supported,omitzero"`
	Requested   *[]string      `json:"events_requested,omitzero"`
	Delivered   *[]signal.Type `json:"events_delivered,omitzero"`
	Delivery    *delivery      `json:"delivery,omitzero"`
	MinInterval *int64         `json:"min_verification_interval,omitzero"`
	Description *string        `json:"description,omitzero"`
}

type delivery struct {
	Method        stream.Method `json:"method"`
	Endpoint      string        `json:"endpoint_url,omitempty"`
	Authorization string        `json:"authorization_header,omitempty"`
}

// render gives a stream as its receiver reads it.
func (h handler) render(v node.StreamView) body {
	issuer, supported, interval := h.node.Self().String(), h.node.SignalTypes(), h.node.VerifyEvery()
	d := delivery{Method: v.Delivery.Method, Endpoint: v.Delivery.Endpoint}
	if d.Method == stream.Poll {
		d.Endpoint = h.node.Address() + pollPath + v.ID
	}
	b := body{
		ID: &v.ID, Issuer: &issuer, Audience: &v.Client, Supported: &supported, Delivered: &v.Events, Delivery: &d, MinInterval: &interval,
	}
	if len(v.Settings.Requested) > 0 {
		b.Requested = &v.Settings.Requested
	}
	if v.Settings.Description != "" {
		b.Description = &v.Settings.Description
	}
	return b
}

func read[T any](c call) (v T, err error) {
	if c.URL.RawQuery != "" {
		return v, trust.Errorf(trust.Invalid, "the request takes no query")
	}
	data, err := wire.Body(c.w, c.Request, wire.JSON, maxBody)
	if err != nil {
		return v, err
	}
	return v, canonical.DecodeLoose(data, &v)
}

// id gives the stream_id of a query that has nothing else; "" for no query.
func (c call) id() (string, error) {
	query := c.URL.Query()
	ids := query["stream_id"]
	if c.URL.RawQuery == "" {
		return "", nil
	}
	if len(query) != 1 || len(ids) != 1 || ids[0] == "" {
		return "", trust.Errorf(trust.Invalid, "the query is not one stream_id")
	}
	return ids[0], nil
}

// named is id where a stream must be named.
func (c call) named() (string, error) {
	id, err := c.id()
	if err == nil && id == "" {
		return "", trust.Errorf(trust.Invalid, "stream_id is missing")
	}
	return id, err
}

// create opens a stream: 201. Without delivery it is polled.
func create(c call) error {
	b, err := read[body](c)
	if err != nil {
		return err
	}
	if b.ID != nil || b.Issuer != nil || b.Audience != nil || b.Supported != nil || b.Delivered != nil || b.MinInterval != nil {
		return trust.Errorf(trust.Invalid, "a stream that is not there yet has nothing that its transmitter says")
	}
	var s node.StreamSettings
	b.apply(&s, true)
	v, err := c.receiver.CreateStream(c.Context(), s)
	if err != nil {
		return err
	}
	return wire.Answer(c.w, http.StatusCreated, c.h.render(v))
}

// apply writes what a receiver says into the settings; whole replaces what it
// does not say too.
func (b body) apply(s *node.StreamSettings, whole bool) {
	if b.Requested != nil {
		s.Requested = *b.Requested
	} else if whole {
		s.Requested = nil
	}
	if b.Description != nil {
		s.Description = *b.Description
	} else if whole {
		s.Description = ""
	}
	if d := b.Delivery; d != nil {
		s.Delivery, s.Authorization = stream.Delivery{Method: d.Method, Endpoint: d.Endpoint}, d.Authorization
	} else if whole {
		s.Delivery = stream.Delivery{Method: stream.Poll}
	}
}

// show gives one stream, or all in an array.
func (h handler) show(c call) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	if id != "" {
		v, err := c.receiver.Stream(c.Context(), id)
		if err != nil {
			return err
		}
		return wire.Answer(c.w, http.StatusOK, h.render(v))
	}
	views, err := c.receiver.Streams(c.Context())
	if err != nil {
		return err
	}
	all := make([]body, len(views))
	for i, v := range views {
		all[i] = h.render(v)
	}
	return wire.Answer(c.w, http.StatusOK, all)
}

// update changes what a request says (PATCH); replace all that is the receiver's
// to say (PUT).
func (h handler) update(c call) error  { return h.edit(c, false) }
func (h handler) replace(c call) error { return h.edit(c, true) }

func (h handler) edit(c call, whole bool) error {
	b, err := read[body](c)
	if err != nil {
		return err
	}
	if b.ID == nil || *b.ID == "" {
		return trust.Errorf(trust.Invalid, "stream_id is missing")
	}
	old, err := c.receiver.Stream(c.Context(), *b.ID)
	if err != nil {
		return err
	}
	if !b.agrees(h.render(old)) {
		return trust.Errorf(trust.Invalid, "what the transmitter says of the stream is otherwise")
	}
	v, err := c.receiver.UpdateStream(c.Context(), *b.ID, func(s *node.StreamSettings) { b.apply(s, whole) })
	if err != nil {
		return err
	}
	return wire.Answer(c.w, http.StatusOK, h.render(v))
}

// agrees reports whether what b has of the transmitter's is as it is, and takes
// the address to poll out of it.
func (b *body) agrees(is body) bool {
	if d := b.Delivery; d != nil && d.Method == stream.Poll && d.Endpoint == is.Delivery.Endpoint {
		d.Endpoint = ""
	}
	return same(b.Issuer, is.Issuer) && same(b.Audience, is.Audience) && same(b.MinInterval, is.MinInterval) &&
		(b.Supported == nil || slices.Equal(*b.Supported, *is.Supported)) && (b.Delivered == nil || slices.Equal(*b.Delivered, *is.Delivered))
}

func same[T comparable](stated, is *T) bool { return stated == nil || *stated == *is }

// remove ends a stream: 204.
func remove(c call) error {
	id, err := c.named()
	if err != nil {
		return err
	}
	if err := c.receiver.DeleteStream(c.Context(), id); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
