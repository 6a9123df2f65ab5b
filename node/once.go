package node

import (
	"context"
	"crypto/sha256"
	"sync"

	"github.com/entente-id/entente/trust"
)

// onceFor is for how many seconds a request that was named is not carried out
// again.
const onceFor = 86400

// named is the name of a request, which the first entry of it uses up.
type named struct {
	mu    sync.Mutex
	value []trust.Once // none once it is used up
}

type namedKey struct{}

// OnlyOnce gives a context under which an operator's request is carried out, under
// a name of the operator's choice, at most once within a day: the name is used up
// in the commit of its first entry in the trust log, so a crash loses both or
// neither. It fails with Conflict where that has happened.
func (n *Node) OnlyOnce(ctx context.Context, a Actor, name string) (context.Context, error) {
	sum := sha256.Sum256([]byte("request\x00" + a.ID + "\x00" + name))
	now := n.Now()
	value := []trust.Once{{Key: [16]byte(sum[:16]), Expires: now + onceFor, Edge: n.Self()}}
	verdicts, err := n.Store.Once(ctx, now, value)
	if err == nil {
		err = verdicts[0]
	}
	if trust.KindOf(err) == trust.Conflict {
		return nil, trust.Errorf(trust.Conflict, "a request named %q was carried out before, and its answer is no longer kept; the ledger has what it did", name)
	}
	if err != nil {
		return nil, err
	}
	return context.WithValue(ctx, namedKey{}, &named{value: value}), nil
}

// take gives the name that the next entry uses up, if ctx carries one that no entry
// has, and back, which returns it because none did.
func take(ctx context.Context) (value []trust.Once, back func()) {
	name, ok := ctx.Value(namedKey{}).(*named)
	if !ok {
		return nil, func() {}
	}
	name.mu.Lock()
	defer name.mu.Unlock()
	value, name.value = name.value, nil
	return value, func() {
		name.mu.Lock()
		defer name.mu.Unlock()
		name.value = value
	}
}
