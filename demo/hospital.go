package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/entente-id/entente/api/admin"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/demo/idp"
	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/operator"
	"github.com/entente-id/entente/trust"
)

// hospital is one trust: its node's process, its people, its provider and its
// services.
type hospital struct {
	world *world
	code  string // "RXW", also the org_code of its tokens
	name  string

	id         trust.ParticipantID
	dir        string
	endpoint   string // host:port of the partner plane
	relay      *relay // before it; partners call that
	governance jose.Signer
	node       *process

	admin     *admin.Client            // the first operator
	operators map[string]*admin.Client // the others, by name

	provider *idp.Provider
	issuer   trust.IssuerID
	ward     *idp.Client // the application that nurses sign in to
	handover *idp.Client // another one, which calls with its ID tokens
	broker   *idp.Client // a broker, which restates sign-ins in tokens of its own
	actors   map[string]actor
}

// operatorFile is an operator's context, as init writes it.
type operatorFile struct {
	Socket     string `json:"socket"`
	Name       string `json:"name"`
	Credential string `json:"credential"`
}

// staff are the operators of every trust beside the first admin.
var staff = []admin.NewOperator{
	{Name: registrar, Roles: []trust.Role{operator.Admin, "registration_authority"}},
	{Name: locumDesk, Roles: []trust.Role{"locum_desk"}},
	{Name: wardManager, Roles: []trust.Role{"ward_managers"}},
	{Name: security, Roles: []trust.Role{operator.Admin, "security"}},
	{Name: recordKeeper, Roles: []trust.Role{"records"}},
	{Name: auditor, Roles: []trust.Role{operator.Auditor}},
}

// The operators, by what they do.
const (
	registrar    = "registrar"
	locumDesk    = "locum-desk"
	wardManager  = "ward-manager"
	security     = "security"
	recordKeeper = "record-keeper"
	auditor      = "auditor"
)

func (h *hospital) domain() string { return strings.ToLower(h.code) + ".example" }

func (h *hospital) file(name string) string { return filepath.Join(h.dir, name) }

// open makes the node as an administrator would, starts it, and brings its
// operators and its provider up.
func (h *hospital) open(ctx context.Context) error {
	var err error
	if h.id, err = trust.ParseParticipantID("https://trust." + h.domain()); err != nil {
		return err
	}
	h.dir = filepath.Join(h.world.dir, strings.ToLower(h.code))
	if h.endpoint, err = freePort(); err != nil {
		return err
	}
	if h.relay, err = newRelay(h.endpoint); err != nil {
		return err
	}
	if err := h.init(ctx); err != nil {
		return err
	}
	if err := h.start(ctx); err != nil {
		return err
	}
	if err := h.hire(ctx); err != nil {
		return err
	}
	return h.signInServices(ctx)
}

// init runs the program's own init, with a passphrase that only this run knows.
func (h *hospital) init(ctx context.Context) error {
	passphrase := rand.Text()
	secret := h.dir + ".passphrase"
	if err := os.WriteFile(secret, []byte(passphrase), 0o600); err != nil {
		return trust.Errorf(trust.Unavailable, "writing a passphrase: %w", err)
	}
	made := exec.CommandContext(ctx, h.world.program, "init", h.dir, "--demo", "--no-input",
		"--entity", h.id.String(), "--name", h.name, "--operator", "administrator",
		"--listen", h.endpoint, "--endpoint", "https://"+h.relay.address(), "--passphrase-file", secret)
	made.SysProcAttr = apart()
	if said, err := made.CombinedOutput(); err != nil {
		return trust.Errorf(trust.Unavailable, "making the node of %s: %w: %s", h.code, err, said)
	}
	var err error
	if h.governance, err = keyring.OpenGovernance(h.file("governance.key"), passphrase); err != nil {
		return err
	}
	if err := os.WriteFile(h.file("node.yaml"), []byte(h.config()), 0o644); err != nil {
		return trust.Errorf(trust.Unavailable, "writing the configuration of %s: %w", h.code, err)
	}
	h.admin, err = clientOf(h.file("operator.json"))
	return err
}

// config is what init writes, for loopback: the providers stand on 127.0.0.1
// under the demo's authority, and the enforcement points use a socket.
func (h *hospital) config() string {
	return fmt.Sprintf(`entity: %s
data: data
partners: {listen: %q, advertise: %q}
enforcement: {socket: pep.sock}
admin: {socket: admin.sock}
keys: {file: keys.age, unlock_file: unlock.key}
egress: {allow: [127.0.0.0/8], ca_file: %q, refresh: 1s}
heartbeat: {interval: 1s}
log: {level: info, format: json}
`, h.id, h.endpoint, "https://"+h.relay.address(), h.world.caFile())
}

func clientOf(file string) (*admin.Client, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, trust.Errorf(trust.Unavailable, "reading an operator's context: %w", err)
	}
	var o operatorFile
	if err := canonical.Decode(data, &o); err != nil {
		return nil, err
	}
	return admin.NewClient(o.Socket, o.Credential), nil
}

// start runs the node and waits until it answers. A node that ends by itself
// ends the demo.
func (h *hospital) start(ctx context.Context) error {
	var err error
	h.node, err = start(h.world.program, h.file("node.log"), func() {
		h.world.crash(trust.Errorf(trust.Unavailable, "the node of %s ended by itself: %s", h.code, lastLine(h.file("node.log"))))
	}, "serve", "-c", h.file("node.yaml"))
	if err != nil {
		return err
	}
	return until(ctx, "the node of "+h.code+" to answer", func(ctx context.Context) (bool, error) {
		_, err := h.admin.Status(ctx)
		if trust.KindOf(err) == trust.Unavailable {
			return false, nil
		}
		return err == nil, err
	})
}

// stop ends the node in good order.
func (h *hospital) stop() {
	if h.node != nil {
		h.node.stop()
	}
}

// leave ends all that goes with the node.
func (h *hospital) leave() {
	h.stop()
	if h.relay != nil {
		h.relay.close()
	}
}

// hire makes the staff operators, each with a context file.
func (h *hospital) hire(ctx context.Context) error {
	h.operators = map[string]*admin.Client{}
	for _, person := range staff {
		added, err := h.admin.AddOperator(ctx, person)
		if err != nil {
			return err
		}
		o := operatorFile{h.file("admin.sock"), person.Name, added.Credential}
		text, err := canonical.Marshal(o)
		if err != nil {
			return err
		}
		if err := os.WriteFile(h.file(person.Name+".json"), text, 0o600); err != nil {
			return trust.Errorf(trust.Unavailable, "writing an operator's context: %w", err)
		}
		h.operators[person.Name] = admin.NewClient(o.Socket, o.Credential)
	}
	return nil
}

// lastLine gives the end of a log, for whoever has to look into it.
func lastLine(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return lines[len(lines)-1]
}
