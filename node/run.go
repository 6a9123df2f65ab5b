package node

import (
	"context"
	"sync"

	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/trust"
)

// Run does what a node does by itself until ctx ends: it delivers messages,
// asks partners for their word, renews its statement and fetches issuers' keys.
// It returns when all of that has stopped.
func (n *Node) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { n.keepStatements(ctx) })
	all.Go(func() { n.keepIssuerKeys(ctx) })
	all.Go(func() { n.keepWarning(ctx) })
	all.Go(func() { n.keepCheckpoints(ctx) })
	all.Go(func() { n.keepSessions(ctx) })
	all.Go(func() { n.keepFeeds(ctx) })
	all.Go(func() { n.keepReceipts(ctx) })
	all.Go(func() { n.keepStreams(ctx) })
	all.Go(func() { n.keepDrills(ctx) })
	all.Go(func() { n.keepReviews(ctx) })
	all.Go(func() { n.keepSuspensions(ctx) })
	all.Go(func() { n.keepCampaigns(ctx) })
	all.Go(func() { n.keepIdentities(ctx) })
	n.greetAgain(ctx)
	started := map[trust.ParticipantID]bool{}
	for {
		for partner := range n.State().Participant.Partners() {
			id := partner.Card.ID
			if started[id] {
				continue
			}
			started[id] = true
			all.Go(func() { n.keepHeartbeat(ctx, id) })
			all.Go(func() { n.keepRestoring(ctx, id) })
			all.Go(func() { n.keepCounters(ctx, id) })
			all.Go(func() { n.keepReconciling(ctx, id) })
			for _, lane := range edge.Lanes() {
				all.Go(func() { n.keepDelivering(ctx, id, lane) })
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-n.kick:
		}
	}
}

// nudge lets Run look again at the partners and issuers there are.
func (n *Node) nudge() {
	for _, kick := range []chan struct{}{n.kick, n.issuers.kick} {
		select {
		case kick <- struct{}{}:
		default:
		}
	}
}

// deliverySignal is a broadcast: the channel closes when the partner has new
// messages.
func (n *Node) deliverySignal(partner trust.ParticipantID) <-chan struct{} {
	n.wakeLock.Lock()
	defer n.wakeLock.Unlock()
	if n.wake[partner] == nil {
		n.wake[partner] = make(chan struct{})
	}
	return n.wake[partner]
}

func (n *Node) wakeDelivery(partner trust.ParticipantID) {
	n.wakeLock.Lock()
	defer n.wakeLock.Unlock()
	if n.wake[partner] != nil {
		close(n.wake[partner])
	}
	n.wake[partner] = make(chan struct{})
}
