package state

import (
	"reflect"
	"sync"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/approval"
	"github.com/entente-id/entente/breakglass"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/client"
	"github.com/entente-id/entente/dispute"
	"github.com/entente-id/entente/drill"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/erasure"
	"github.com/entente-id/entente/exception"
	"github.com/entente-id/entente/finding"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/identity"
	"github.com/entente-id/entente/incident"
	"github.com/entente-id/entente/mapping"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/policy"
	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/service"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/suspension"
	"github.com/entente-id/entente/trust"
)

// Codec turns entries of the trust log into events. It knows every kind this
// binary may read.
type Codec struct {
	kinds    map[trust.Kind]reflect.Type
	versions map[string]int // newest version known of each name
}

// NewCodec knows the kinds of all nouns.
func NewCodec() *Codec { return ofAllNouns() }

// ofAllNouns makes the one codec, which nothing changes.
var ofAllNouns = sync.OnceValue(func() *Codec {
	c := &Codec{kinds: map[trust.Kind]reflect.Type{}, versions: map[string]int{}}
	for _, events := range [][]trust.Event{
		framework.Events(), participant.Events(), operator.Events(), service.Events(), client.Events(), agreement.Events(),
		mapping.Events(), policy.Events(), revocation.Events(), suspension.Events(), exception.Events(), signal.Events(), edge.Events(), drill.Events(), finding.Events(), stream.Events(),
		dispute.Events(),
		erasure.Events(),
		identity.Events(),
		incident.Events(),
		approval.Events(),
		breakglass.Events(),
		review.Events(),
	} {
		for _, e := range events {
			k := e.EventKind()
			c.kinds[k] = reflect.TypeOf(e)
			c.versions[k.Name] = max(c.versions[k.Name], k.Version)
		}
	}
	return c
})

// Kinds lists every kind the codec reads, for the golden files.
func (c *Codec) Kinds() []trust.Kind {
	kinds := make([]trust.Kind, 0, len(c.kinds))
	for k := range c.kinds {
		kinds = append(kinds, k)
	}
	return kinds
}

// Decode reads an entry's body. A kind or version this binary does not know is
// Conflict: the caller must stop, since skipping it would fold another state.
func (c *Codec) Decode(k trust.Kind, body []byte) (trust.Event, error) {
	t, ok := c.kinds[k]
	if !ok {
		if v := c.versions[k.Name]; v != 0 {
			return nil, trust.Errorf(trust.Conflict, "entry is %s; this binary knows %s/v%d", k, k.Name, v)
		}
		return nil, trust.Errorf(trust.Conflict, "entry is %s; this binary does not know that kind", k)
	}
	v := reflect.New(t)
	if err := canonical.Decode(body, v.Interface()); err != nil {
		return nil, trust.Errorf(trust.Internal, "reading %s: %w", k, err)
	}
	return v.Elem().Interface().(trust.Event), nil
}

// Encode gives an event's kind and canonical body.
func (c *Codec) Encode(e trust.Event) (trust.Kind, []byte, error) {
	k := e.EventKind()
	if _, ok := c.kinds[k]; !ok {
		return k, nil, trust.Errorf(trust.Internal, "event %s is not registered", k)
	}
	body, err := canonical.Marshal(e)
	if err != nil {
		return k, nil, trust.Errorf(trust.Internal, "writing %s: %w", k, err)
	}
	return k, body, nil
}
