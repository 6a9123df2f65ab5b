package cli

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

// keyLife is how long the first online keys are valid, in seconds.
const keyLife = 400 * 86400

// newNode is what init makes a node of.
type newNode struct {
	dir        string
	entity     trust.ParticipantID
	name       string
	operator   string
	listen     string // partner plane
	endpoint   string // where partners reach it
	enforce    string // enforcement plane
	passphrase string
	demo       bool
}

func (a *app) initCommand() *cobra.Command {
	var n newNode
	var entity, passphraseFile string
	c := &cobra.Command{
		Use: "init DIR", Short: "Make a node: its directory, keys, first operator and ledger",
		Long: `Make the directory of a node: node.yaml; keys.age, the online keys, encrypted to
unlock.key; governance.key, the organisation's own key under a passphrase, to be
moved off this machine; operator.json, the first operator's context; and data,
the ledger with its first entries.`,
		Example: `  entente init /etc/entente --entity https://trust.rje.example --name "RJE Hospitals" --operator l.marsh`,
		Args:    args("DIR"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			n.dir = args[0]
			if n.entity, err = trust.ParseParticipantID(entity); err != nil {
				return err
			}
			if n.endpoint, err = endpointOf(n); err != nil {
				return err
			}
			if n.passphrase, err = a.passphrase(passphraseFile, true); err != nil {
				return err
			}
			made, err := a.make(c.Context(), n)
			if err != nil {
				return err
			}
			a.say("move %s off this machine, then: entente serve -c %s", filepath.Join(n.dir, "governance.key"), filepath.Join(n.dir, "node.yaml"))
			return a.show(view{
				data: made, names: []string{made.Entity.String()},
				columns: []string{"ENTITY", "ENDPOINT", "DIRECTORY", "GOVERNANCE KEY"},
				rows:    [][]string{{made.Entity.String(), made.Endpoint, made.Directory, made.GovernanceKey}},
			})
		},
	}
	f := c.Flags()
	f.StringVar(&entity, "entity", "", "the organisation's https entity identifier")
	f.StringVar(&n.name, "name", "", "the organisation's name")
	f.StringVar(&n.operator, "operator", "", "the name of the first operator, an admin")
	f.StringVar(&n.listen, "listen", ":8443", "where partners' nodes are listened for")
	f.StringVar(&n.endpoint, "endpoint", "", "where partners' nodes reach this one (default https://, the entity's host, and the port of --listen)")
	f.StringVar(&n.enforce, "enforcement-listen", "127.0.0.1:8444", "where enforcement points are listened for")
	f.StringVar(&passphraseFile, "passphrase-file", "", "`file` with the passphrase of the governance key; without it you are asked")
	f.BoolVar(&n.demo, "demo", false, "make a ledger whose time can be moved; real nodes refuse such a partner")
	for _, name := range []string{"entity", "name", "operator"} {
		_ = c.MarkFlagRequired(name) // fails only for a flag that is not there
	}
	return c
}

// endpointOf gives the address that partners are told.
func endpointOf(n newNode) (string, error) {
	_, port, err := net.SplitHostPort(n.listen)
	if err != nil {
		return "", trust.Errorf(trust.Invalid, "--listen %q is not host:port", n.listen)
	}
	if _, _, err := net.SplitHostPort(n.enforce); err != nil {
		return "", trust.Errorf(trust.Invalid, "--enforcement-listen %q is not host:port", n.enforce)
	}
	if n.endpoint != "" {
		return n.endpoint, nil
	}
	u, err := url.Parse(n.entity.String())
	if err != nil {
		return "", trust.Errorf(trust.Invalid, "entity %s is no URL: %w", n.entity, err)
	}
	return "https://" + net.JoinHostPort(u.Hostname(), port), nil
}

// made is what init tells.
type made struct {
	Entity        trust.ParticipantID `json:"entity"`
	Endpoint      string              `json:"endpoint"`
	Directory     string              `json:"directory"`
	GovernanceKey string              `json:"governance_key"`
}

// make begins a node in an empty directory. What fails leaves nothing behind.
func (a *app) make(ctx context.Context, n newNode) (m made, err error) {
	if n.dir, err = filepath.Abs(n.dir); err != nil {
		return m, trust.Errorf(trust.Invalid, "directory %s has no absolute path: %w", n.dir, err)
	}
	if entries, err := os.ReadDir(n.dir); err == nil && len(entries) > 0 {
		return m, trust.Errorf(trust.Conflict, "directory %s is not empty; a node begins in an empty one", n.dir)
	}
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return m, unwritable(n.dir, err)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(n.dir) // it was empty before; the first error is the one to tell
		}
	}()
	governance, err := keyring.CreateGovernance(filepath.Join(n.dir, "governance.key"), n.passphrase)
	if err != nil {
		return m, err
	}
	card, err := a.card(n, governance)
	if err != nil {
		return m, err
	}
	if err := a.write(filepath.Join(n.dir, "node.yaml"), nodeYAML(n), 0o644); err != nil {
		return m, err
	}
	birth, err := a.firstOperator(n)
	if err != nil {
		return m, err
	}
	birth.Card = card
	if err := a.Create(ctx, filepath.Join(n.dir, "node.yaml"), birth); err != nil {
		return m, err
	}
	return made{n.entity, n.endpoint, n.dir, governance.Key().GovernanceText()}, nil
}

// card makes the online keys and has the governance key certify them.
func (a *app) card(n newNode, governance jose.Signer) (participant.SignedCard, error) {
	keys, unlock := filepath.Join(n.dir, "keys.age"), filepath.Join(n.dir, "unlock.key")
	recipient, err := keyring.CreateUnlock(unlock)
	if err != nil {
		return participant.SignedCard{}, err
	}
	now := a.Now().Unix()
	window := trust.Window{NotBefore: now, NotAfter: now + keyLife}
	if err := keyring.Create(keys, recipient, window); err != nil {
		return participant.SignedCard{}, err
	}
	ring, err := keyring.Open(keys, unlock, func() int64 { return now })
	if err != nil {
		return participant.SignedCard{}, err
	}
	defer ring.Close()
	origin := strings.TrimPrefix(n.entity.String(), "https://")
	data, err := participant.DraftCard(participant.Card{
		Kind: "Card", ID: n.entity, Name: n.name, GovernanceKey: governance.Key().GovernanceText(), Endpoint: n.endpoint,
		TrustOrigin: origin + "/trust", DecisionOrigin: origin + "/decisions",
		Keys: ring.Records(window), Issued: trust.Instant(now), Demo: n.demo,
	})
	if err != nil {
		return participant.SignedCard{}, err
	}
	return participant.SignCard(governance, data)
}

// firstOperator writes the context of the first admin.
func (a *app) firstOperator(n newNode) (node.Birth, error) {
	id, err := node.NewOperatorID(a.Rand)
	if err != nil {
		return node.Birth{}, err
	}
	credential, hash, err := node.NewCredential(a.Rand, string(wire.Operator))
	if err != nil {
		return node.Birth{}, err
	}
	text, err := operatorContext{filepath.Join(n.dir, "admin.sock"), n.operator, credential}.encode()
	if err != nil {
		return node.Birth{}, err
	}
	return node.Birth{
		Operator: operator.Added{ID: id, Roles: []trust.Role{operator.Admin}, Credential: hash[:]}, Name: n.operator,
	}, a.write(filepath.Join(n.dir, "operator.json"), text, 0o600)
}

// nodeYAML is the configuration of a new node. Relative paths begin at its file.
func nodeYAML(n newNode) []byte {
	return []byte("entity: " + n.entity.String() + `
data: data
partners: {listen: "` + n.listen + `", advertise: "` + n.endpoint + `"}
enforcement: {listen: "` + n.enforce + `"}
admin: {socket: admin.sock}
keys: {file: keys.age, unlock_file: unlock.key}
`)
}
