package node

import (
	"context"
	"time"

	"github.com/entente-id/entente/review"
	"github.com/entente-id/entente/trust"
)

// lapseAtOnce is for how many items one commit records that nobody answered.
const lapseAtOnce = 256

// keepCampaigns sees until ctx ends that what nobody reviewed lapses on its date.
func (n *Node) keepCampaigns(ctx context.Context) {
	for ctx.Err() == nil {
		if err := n.lapseCampaigns(ctx); err != nil && ctx.Err() == nil {
			n.Log.Error("what nobody reviewed could not be ended", "error", err)
		}
		wait(ctx, nil, min(n.Config.Heartbeat, time.Second))
	}
}

// lapseCampaigns ends what was not reviewed in time, and closes the campaigns of
// which nothing waits any more. By a time that is in doubt nothing lapses.
func (n *Node) lapseCampaigns(ctx context.Context) error {
	mark := n.Clock.Mark()
	if mark.Doubted {
		return nil
	}
	for {
		over, due := n.State().Review.Due(mark.Wall.Unix())
		if !due {
			return nil
		}
		for more := true; more; {
			if _, err := n.change(ctx, func(c *change) (err error) {
				more, err = c.lapseItems(&over)
				return err
			}); err != nil {
				return err
			}
		}
		if err := n.countAllUses(ctx); err != nil { // for what is found at the close
			return err
		}
		closed := false
		if _, err := n.change(ctx, func(c *change) (err error) {
			closed, err = c.closeCampaign(over.ID)
			return err
		}); err != nil || !closed {
			return err
		}
	}
}

// lapseItems takes the next items of a campaign that nobody answered for in time,
// and is true where there may be more.
func (c *change) lapseItems(over *review.Campaign) (more bool, err error) {
	if c.now < over.Due {
		return false, nil
	}
	f, left := c.reviewFacts(), lapseAtOnce
	for _, p := range c.Review.Points.All() {
		if _, holds := f.Find(p.Item); p.Campaign != over.ID || p.Stage != review.Waiting || !holds {
			continue
		}
		if left == 0 {
			return true, nil
		}
		left--
		if err := c.lapseItem(over.ID, p.Item); err != nil {
			return false, err
		}
	}
	return false, nil
}

// closeCampaign ends a campaign of which nothing waits, with a finding where agreed,
// granted and used differ; false where something does.
func (c *change) closeCampaign(id string) (bool, error) {
	events := c.Review.Close(c.reviewFacts(), id)
	if len(events) == 0 {
		return false, nil
	}
	over, _ := c.Review.Get(id)
	if err := c.raiseDrift(&over); err != nil {
		return false, err
	}
	if over.Lapsed > 0 {
		c.n.Log.Warn("nobody reviewed in time what has lapsed now", "review", id, "items", over.Lapsed)
	}
	return true, c.add(events...)
}

// lapseItem ends what nobody answered for: a mapping for good, a client or an
// agreement until two people resume it.
func (c *change) lapseItem(id string, i review.Item) error {
	events := c.Review.Lapse(id, i, c.now)
	if len(events) == 0 {
		return nil
	}
	if err := c.add(events...); err != nil {
		return err
	}
	why := Why{Reason: "nobody answered for it in " + id + " by " + trust.Instant(c.now).String()}
	return c.stop(i, SuspendRequest{Why: why}, id)
}
