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

// lapseCampaigns ends what was not reviewed in time, and the campaigns whose date
// has come. By a time that is in doubt nothing lapses.
func (n *Node) lapseCampaigns(ctx context.Context) error {
	mark := n.Clock.Mark()
	if mark.Doubted {
		return nil
	}
	for more := true; more; {
		if _, due := n.State().Review.Due(mark.Wall.Unix()); !due {
			return nil
		}
		if _, err := n.change(ctx, func(c *change) (err error) {
			more, err = c.lapseCampaign()
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// lapseCampaign takes the next items that nobody answered for, and is true where
// that changed something.
func (c *change) lapseCampaign() (bool, error) {
	over, due := c.Review.Due(c.now)
	if !due {
		return false, nil
	}
	f, left := c.reviewFacts(), lapseAtOnce
	for _, p := range c.Review.Points.All() {
		if left == 0 {
			return true, nil
		}
		if _, holds := f.Find(p.Item); p.Campaign != over.ID || p.Stage != review.Waiting || !holds {
			continue
		}
		left--
		if err := c.lapseItem(over.ID, p.Item); err != nil {
			return false, err
		}
	}
	events := c.Review.Close(c.reviewFacts(), over.ID)
	if err := c.add(events...); err != nil {
		return false, err
	}
	if now, _ := c.Review.Get(over.ID); now.Lapsed > 0 {
		c.n.Log.Warn("nobody reviewed in time what has lapsed now", "review", over.ID, "items", now.Lapsed)
	}
	return len(events) > 0, nil
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
