package serve

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/entente-id/entente/trust"
)

// ListenUnix listens on a socket that only this user may open. A socket left by
// a process that is gone is replaced; it fails with Conflict when somebody
// listens there or something else stands in its place.
func ListenUnix(ctx context.Context, path string) (net.Listener, error) {
	if err := clearSocket(ctx, path); err != nil {
		return nil, err
	}
	c := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		// On Linux the file takes the mode of the unbound socket, so there is no
		// moment, whatever the umask, at which others could open it.
		return raw.Control(func(fd uintptr) { _ = unix.Fchmod(int(fd), 0o600) })
	}}
	l, err := c.Listen(ctx, "unix", path)
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "listening on %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, trust.Errorf(trust.Unavailable, "closing %s to others: %w", path, errors.Join(err, l.Close()))
	}
	return l, nil
}

func clearSocket(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return trust.Errorf(trust.Unavailable, "looking at %s: %w", path, err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return trust.Errorf(trust.Conflict, "%s is there and is no socket; it is left as it is", path)
	}
	d := net.Dialer{Timeout: time.Second}
	conn, err := d.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		conn.Close()
		return trust.Errorf(trust.Conflict, "another process listens on %s", path)
	case !errors.Is(err, syscall.ECONNREFUSED):
		return trust.Errorf(trust.Conflict, "%s may be in use: %w", path, err)
	}
	if err := os.Remove(path); err != nil {
		return trust.Errorf(trust.Unavailable, "removing the stale socket %s: %w", path, err)
	}
	return nil
}
