package simulation_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/entente-id/entente/agreement"
	"github.com/entente-id/entente/edge"
	"github.com/entente-id/entente/framework"
	"github.com/entente-id/entente/internal/keyring"
	"github.com/entente-id/entente/internal/nodetest"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/state"
	"github.com/entente-id/entente/trust"
)

const (
	bound     = 10 * time.Second // how old a view may be, by the framework
	heartbeat = 3 * time.Second
	people    = 2 // of each home
)

// epoch is when every history begins: a bubble's time begins with 2000, and the
// cast has been put up in its first seconds.
var epoch = time.Date(2000, 1, 1, 0, 10, 0, 0, time.UTC)

// link is an agreement: the home's people may read at the host.
type link struct{ home, host int }

// casts are who may play, by who has agreed with whom.
var casts = []*cast{
	{nodes: 2, links: []link{{0, 1}}},
	{nodes: 2, links: []link{{0, 1}, {1, 0}}},
	{nodes: 3, links: []link{{0, 1}, {0, 2}}},
	{nodes: 3, links: []link{{0, 2}, {1, 2}}},
	{nodes: 5, links: []link{{0, 1}, {0, 2}, {3, 2}, {3, 4}, {1, 4}}},
}

// cast is nodes with active agreements, as each history finds them. Putting them
// up is dear, so that histories share it, and the keyrings too.
type cast struct {
	nodes int
	links []link

	once    sync.Once
	members []*member
	wards   []*nodetest.Ward // of the links
	tokens  sync.Map         // by issue; histories have the same times
}

// issue is a token that somebody gets on a link, at a time in Unix seconds.
type issue struct {
	link, who int
	at        int64
}

// member is one node of a cast, with the state that its disk holds.
type member struct {
	*nodetest.Node
	at    int
	disk  *disk
	keys  *keyring.Keyring
	state loaded
}

// loaded is a state checkpoint and what was read from it.
type loaded struct {
	data       []byte
	state      *state.Snapshot
	checkpoint []byte
}

// load is state.Load, which reads again all but what the cast begins with: states
// never change, so that the histories share that one.
func (m *member) load(data []byte) (*state.Snapshot, []byte, error) {
	if bytes.Equal(data, m.state.data) {
		return m.state.state, m.state.checkpoint, nil
	}
	return state.Load(data)
}

// stage is a test that makes its directories where they outlive it.
type stage struct {
	*testing.T
	dir string
}

func (s stage) TempDir() string {
	dir, err := os.MkdirTemp(s.dir, "")
	if err != nil {
		s.Fatal(err)
	}
	return dir
}

// ready puts the cast up.
func (c *cast) ready(t *testing.T) *cast {
	t.Helper()
	c.once.Do(func() {
		synctest.Test(t, func(b *testing.T) { c.found(stage{b, scratch}) })
		for _, m := range c.members {
			var err error
			m.keys, err = keyring.Open(filepath.Join(m.Dir, "keys.age"), filepath.Join(m.Dir, "unlock.key"), func() int64 { return epoch.Unix() })
			if err != nil {
				t.Fatal(err)
			}
			data := m.disk.registers[[2]string{"state", "checkpoint"}]
			read, checkpoint, err := state.Load(data)
			if err != nil {
				t.Fatal(err)
			}
			m.state = loaded{data, read, checkpoint}
		}
	})
	return c
}

func (c *cast) found(t stage) {
	w := nodetest.NewWorld(t)
	disks := map[trust.ParticipantID]*disk{}
	w.Configure = func(n *nodetest.Node, config *node.Config) {
		if disks[n.ID] == nil {
			disks[n.ID] = newDisk()
		}
		config.Store, config.Log = disks[n.ID].open(0), slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	var nodes []*nodetest.Node
	for i := range c.nodes {
		n := w.New(fmt.Sprintf("trust.n%d.example", i), append(nodetest.HomeRoles(), nodetest.HostRoles()...)...)
		nodes = append(nodes, n)
		c.members = append(c.members, &member{Node: n, at: i, disk: disks[n.ID]})
	}
	rules := w.Rules(nodes...)
	tier := rules.Tiers[trust.Standard]
	tier.MaxStaleness = trust.Span(bound / time.Second)
	rules.Tiers = map[trust.Tier]framework.TierRule{trust.Standard: tier}
	signed := w.Sign(rules, nodes...)
	for _, n := range nodes {
		n.Adopt(signed)
	}
	issuers, furnished := map[int]*nodetest.Issuer{}, map[int]bool{}
	for i, l := range c.links {
		home, host := nodes[l.home], nodes[l.host]
		if _, known := home.State().Participant.Partner(host.ID); !known {
			w.Introduce(home, host)
		}
		if issuers[l.home] == nil {
			issuers[l.home] = w.NewIssuer("https://idp." + home.ID.String()[len("https://"):])
		}
		ward := w.Agree(home, host, []*nodetest.Issuer{issuers[l.home]}, func(d *agreement.Document) { d.Name = fmt.Sprint("link-", i) })
		if furnished[l.host] {
			ward.Map(fmt.Sprint("nurse-", i))
		} else {
			ward.Furnish()
		}
		furnished[l.host] = true
		c.wards = append(c.wards, ward)
	}
	nodetest.Eventually(t, "all messages to arrive", func() bool {
		for _, n := range nodes {
			for _, p := range n.Status(t.Context()).Partners {
				for _, lane := range edge.Lanes() {
					if p.Queued[lane] > 0 {
						return false
					}
				}
			}
		}
		return true
	})
	for _, n := range nodes {
		n.Stop()
	}
	if time.Now().After(epoch) {
		t.Fatalf("the cast was put up at %s, after the histories begin", time.Now())
	}
}

// token gives what the issuer of a link gives a person at a time.
func (c *cast) token(link, who int, at int64) []byte {
	if known, ok := c.tokens.Load(issue{link, who, at}); ok {
		return known.([]byte)
	}
	ward := c.wards[link]
	jws, err := jose.Sign(ward.Issuer.Key, "at+jwt", map[string]any{
		"iss": ward.Issuer.URL, "sub": subject(who), "aud": ward.Audience, "iat": at, "exp": at + 900, "jti": fmt.Sprint(who, " ", at), "client_id": "ward-app",
		"auth_time": at - 60, "id_assurance_level": "3", "authentication_assurance_level": "3",
		"role_code": nodetest.Nurse, "ward_ids": []string{"w7"},
	})
	if err != nil {
		panic(err)
	}
	c.tokens.Store(issue{link, who, at}, []byte(jws))
	return []byte(jws)
}

func (c *cast) close() {
	for _, m := range c.members {
		if m.keys != nil {
			_ = m.keys.Close()
		}
	}
}
