package nodetest

import (
	"context"
	"net/http"
	"os"
	"path/filepath"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/store/local"
	"github.com/entente-id/entente/trust"
)

// Recover puts a copy of a stopped node's ledger in place of its own, and opens an
// epoch behind what is lost.
func (n *Node) Recover(backup string) node.Reopening {
	n.World.T.Helper()
	return Must(n.TryRecover(backup, 0))(n.World.T)
}

// TryRecover is Recover into an epoch, 0 for the next.
func (n *Node) TryRecover(backup string, epoch uint32) (out node.Reopening, err error) {
	n.World.T.Helper()
	n.PutBack(backup)
	n.with(func(c node.Config) {
		out, err = node.Recover(n.World.T.Context(), c, epoch, "the disk broke")
	})
	return out, err
}

// PutBack puts a copy of a stopped node's ledger in place of its own.
func (n *Node) PutBack(backup string) {
	n.World.T.Helper()
	data := filepath.Join(n.Dir, "data")
	check(n.World.T, os.RemoveAll(data))
	check(n.World.T, os.CopyFS(data, os.DirFS(backup)))
}

// Backup copies the node's ledger.
func (n *Node) Backup() string {
	n.World.T.Helper()
	to := filepath.Join(n.World.T.TempDir(), "backup")
	_, err := local.Copy(n.World.T.Context(), filepath.Join(n.Dir, "data"), to, local.Options{})
	check(n.World.T, err)
	return to
}

func (n *Node) serveReceived(ctx context.Context, from trust.ParticipantID, r node.Outgoing) (node.Incoming, error) {
	var ask node.ReceivedQuestion
	if err := canonical.Decode(r.Body, &ask); err != nil {
		return node.Incoming{Status: http.StatusBadRequest}, nil
	}
	answer, err := n.Received(ctx, from, ask)
	if err != nil {
		return node.Incoming{Status: http.StatusServiceUnavailable}, nil
	}
	body, err := canonical.Marshal(answer)
	return node.Incoming{Status: http.StatusOK, Body: body}, err
}
