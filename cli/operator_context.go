package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/trust"
)

// operatorContext is who asks, and which node. It holds a secret: its file has
// mode 0600.
type operatorContext struct {
	Socket     string `json:"socket"`
	Name       string `json:"name"`
	Credential string `json:"credential"`
}

func (o operatorContext) encode() ([]byte, error) {
	data, err := json.Marshal(o, jsontext.WithIndent("  "))
	if err != nil {
		return nil, trust.Errorf(trust.Internal, "writing an operator's context: %w", err)
	}
	return append(data, '\n'), nil
}

// context reads the operator's context file.
func (a *app) context() (operatorContext, error) {
	var o operatorContext
	path := a.operator
	if path == "" {
		path = filepath.Join(a.configHome(), "entente", "operator.json")
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return o, trust.Errorf(wire.Unauthenticated, "there is no operator's context at %s; name one with --operator", path)
	}
	data, err := readPrivate(path)
	if err != nil {
		return o, err
	}
	if err := canonical.Decode(data, &o); err != nil {
		return o, trust.Errorf(trust.Invalid, "%s: %w", path, err)
	}
	if a.socket != "" {
		o.Socket = a.socket
	}
	return o, nil
}

func (a *app) configHome() string {
	if dir := a.Env("XDG_CONFIG_HOME"); dir != "" {
		return dir
	}
	return filepath.Join(a.Env("HOME"), ".config")
}

// withNode runs ask with a client of the node, within the time limit.
func (a *app) withNode(ctx context.Context, ask func(context.Context, *admin.Client) error) error {
	o, err := a.context()
	if err != nil {
		return err
	}
	client := admin.NewClient(o.Socket, o.Credential).Once(a.key)
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	return ask(ctx, client)
}
