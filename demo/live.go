package demo

import (
	"bufio"
	"context"
	"net/http"
	"time"

	"github.com/entente-id/entente/demo/records"
	"github.com/entente-id/entente/trust"
)

// live is an open stream of vital signs.
type live struct {
	stop  context.CancelFunc
	ended chan time.Time // when the service said that it is over; closed at the end of the stream
}

// watchPatient opens a stream with a bearer token, and reads it until it ends.
func (d *desk) watchPatient(ctx context.Context, token string) (*live, error) {
	var l *live
	err := until(ctx, d.name+" of "+d.host.code+" to hold its node's watch stream", func(ctx context.Context) (bool, error) {
		var err error
		l, err = d.openLive(ctx, token)
		return l != nil, err
	})
	return l, err
}

// openLive gives nothing where the service cannot let sessions in yet.
func (d *desk) openLive(ctx context.Context, token string) (*live, error) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+recordPath+"/live", nil)
	if err != nil {
		stop()
		return nil, trust.Errorf(trust.Internal, "asking %s: %w", d.name, err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	lasting := *d.host.world.http
	lasting.Timeout = 0
	answer, err := lasting.Do(r)
	if err != nil {
		stop()
		return nil, trust.Errorf(trust.Unavailable, "asking %s of %s: %w", d.name, d.host.code, err)
	}
	if answer.StatusCode != http.StatusOK {
		stop()
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusServiceUnavailable {
			return nil, nil
		}
		return nil, trust.Errorf(trust.Conflict, "%s of %s answered %s", d.name, d.host.code, answer.Status)
	}
	l := &live{stop: stop, ended: make(chan time.Time, 1)}
	go func() {
		defer close(l.ended)
		defer answer.Body.Close()
		for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
			if lines.Text() == "event: "+records.LiveEnd {
				l.ended <- time.Now()
				return
			}
		}
	}()
	return l, nil
}

// cut waits for the service to end the stream, and gives the time since an
// instant.
func (l *live) cut(ctx context.Context, since time.Time) (time.Duration, error) {
	defer l.stop()
	select {
	case at, told := <-l.ended:
		if !told {
			return 0, trust.Errorf(trust.Conflict, "the stream broke off; nobody said that it is over")
		}
		return max(at.Sub(since), 0), nil
	case <-time.After(removalTarget):
		return 0, trust.Errorf(trust.Conflict, "the stream is open %s after the end was acknowledged", removalTarget)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
