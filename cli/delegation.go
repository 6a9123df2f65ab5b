package cli

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/participant"
	"github.com/entente-id/entente/trust"
)

func (a *app) delegationCommand() *cobra.Command {
	return a.group("delegation", "Let others act, by signed links", a.delegationSign(), a.delegationShow(), a.delegationVerify())
}

// piece is one token of a chain, read and not verified.
type piece struct {
	raw    []byte
	typ    string
	claims canonical.Object
}

func (p *piece) isLink() bool { return p.typ == delegation.Type }

func (p *piece) hash() [32]byte { return sha256.Sum256(p.raw) }

// kind is what the piece would be presented as.
func (p *piece) kind() evidence.Kind {
	switch p.typ {
	case delegation.Type:
		return evidence.Delegation
	case "at+jwt":
		return evidence.AccessToken
	default:
		return evidence.IDToken
	}
}

// pieceForm lets in what a chain is made of.
var pieceForm = jose.Form{Types: []string{"at+jwt", "jwt", "", delegation.Type}}

// pieces reads the tokens of a chain out of files, one a line, in their order.
func (a *app) pieces(files []string) (all []piece, err error) {
	for _, file := range files {
		data, err := a.read(file)
		if err != nil {
			return nil, err
		}
		for n, line := range strings.Split(string(data), "\n") {
			line = strings.TrimSpace(line)
			if line == "" {
				continue
			}
			u, err := jose.ParseBytes([]byte(line), pieceForm)
			if err != nil {
				return nil, trust.Errorf(trust.Invalid, "%s: line %d is neither a token nor a link: %w", file, n+1, err)
			}
			all = append(all, piece{[]byte(line), u.Header().Type, u.UnverifiedClaims()})
		}
	}
	if len(all) == 0 {
		return nil, trust.Errorf(trust.Invalid, "%s holds no token; a chain is the principal's token and links, one a line", strings.Join(files, " "))
	}
	return all, nil
}

// shownChain is a chain in the order in which it stands.
type shownChain struct {
	Verified  *bool        `json:"verified,omitzero"` // absent where nothing was verified
	Reason    trust.Reason `json:"reason,omitzero"`
	Text      string       `json:"text,omitzero"`
	Principal *shownToken  `json:"principal,omitzero"`
	Links     []shownLink  `json:"links"`
	Caller    *shownToken  `json:"caller,omitzero"`

	failed int // the link at which it is refused, from 1; one more for the caller; 0 for none
}

// shownParty is one who stands in a chain.
type shownParty struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
}

func (p shownParty) String() string {
	return p.Subject + " of " + strings.TrimPrefix(p.Issuer, "https://")
}

// shownToken is what a principal's or a caller's own token says.
type shownToken struct {
	shownParty
	Audience  string        `json:"audience,omitzero"`
	ExpiresAt trust.Instant `json:"expires_at,omitzero"`
}

// shownLink is what a link says.
type shownLink struct {
	From      shownParty       `json:"from"`
	To        shownParty       `json:"to"`
	Key       string           `json:"key,omitzero"` // that the one it lets act is held to
	Scope     delegation.Scope `json:"scope"`
	Audience  string           `json:"audience"`
	Depth     int              `json:"depth"`
	IssuedAt  trust.Instant    `json:"issued_at"`
	ExpiresAt trust.Instant    `json:"expires_at"`
	ID        string           `json:"id"`
}

func shown(p delegation.Party) shownParty { return shownParty{p.Issuer.String(), p.Subject} }

// chainOfPieces reads a chain: links, with the principal's token before them and
// the caller's behind where they are there.
func chainOfPieces(all []piece) (c shownChain, err error) {
	c.Links = []shownLink{}
	for i := range all {
		p := &all[i]
		switch {
		case p.isLink():
			l, err := delegation.Read(p.claims)
			if err != nil {
				return c, trust.Errorf(trust.Invalid, "token %d is no link: %w", i+1, err)
			}
			c.Links = append(c.Links, linkOf(&l))
		case i == 0:
			c.Principal = tokenOf(p)
		case i == len(all)-1:
			c.Caller = tokenOf(p)
		default:
			return c, trust.Errorf(trust.Invalid, "token %d is no link; between the principal's token and the caller's stand links alone", i+1)
		}
	}
	return c, nil
}

func linkOf(l *delegation.Link) shownLink {
	return shownLink{
		From: shown(l.From), To: shown(l.To), Key: l.Key, Scope: l.Scope, Audience: l.Audience, Depth: l.Depth,
		IssuedAt: trust.Instant(l.IssuedAt), ExpiresAt: trust.Instant(l.ExpiresAt), ID: l.ID,
	}
}

func tokenOf(p *piece) *shownToken {
	var t shownToken
	t.Issuer, _ = p.claims.Text("iss")
	t.Subject, _ = p.claims.Text("sub")
	t.Audience, _ = p.claims.Text("aud")
	exp, _ := p.claims.Int("exp")
	t.ExpiresAt = trust.Instant(exp)
	return &t
}

// text draws the chain from the principal down.
func (c *shownChain) text() string {
	var rungs []rung
	audience := ""
	switch {
	case c.Principal != nil:
		audience = c.Principal.Audience
		rungs = append(rungs, rung{who: c.Principal.String(), says: "for " + audience + " · until " + c.Principal.ExpiresAt.String()})
	case len(c.Links) > 0:
		rungs = append(rungs, rung{who: c.Links[0].From.String()})
	}
	var last shownParty
	for i := range c.Links {
		l := &c.Links[i]
		says := linkText(scopeText(l.Scope), l.ExpiresAt, l.Depth)
		if l.Audience != audience {
			says += " · for " + l.Audience
		}
		if l.Key != "" {
			says += " · held to key " + l.Key
		}
		last = l.To
		rungs = append(rungs, rung{last.String(), says, c.failed == i+1})
	}
	if failed := c.failed > len(c.Links); c.Caller != nil && c.Caller.shownParty == last {
		rungs[len(rungs)-1].says += " · calls until " + c.Caller.ExpiresAt.String()
		rungs[len(rungs)-1].failed = rungs[len(rungs)-1].failed || failed
	} else if c.Caller != nil {
		rungs = append(rungs, rung{c.Caller.String(), "calls until " + c.Caller.ExpiresAt.String(), failed})
	}
	return clean(picture(rungs))
}

func scopeText(s delegation.Scope) (all []string) {
	for _, g := range s {
		all = append(all, g.String())
	}
	return all
}

func (a *app) delegationShow() *cobra.Command {
	return &cobra.Command{
		Use: "show FILE...", Short: "Draw a chain as it says itself",
		Long: `Read a chain, one token a line: the principal's token, the links in their order
and, where it is there, the caller's own token. Show who lets whom do what, where,
until when, and how many more may follow. Nothing is verified.`,
		Example: "  entente delegation show chain\n  entente delegation show token.jwt link1.jwt link2.jwt -o json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error {
			all, err := a.pieces(files)
			if err != nil {
				return err
			}
			c, err := chainOfPieces(all)
			if err != nil {
				return err
			}
			return a.show(view{data: c, names: c.names(), text: c.text() + "\nnothing of this was verified\n"})
		},
	}
}

func (c *shownChain) names() (all []string) {
	for i := range c.Links {
		all = append(all, c.Links[i].ID)
	}
	return all
}

func (a *app) delegationVerify() *cobra.Command {
	var jwks []string
	var at string
	c := &cobra.Command{
		Use: "verify FILE...", Short: "Verify a chain offline, with the node's own code",
		Long: `Verify a chain, one token a line as show reads it, as a node would that knows the
issuers whose keys are given: the principal's token, every link and the caller's
own token. Without a caller's token the links are verified up to the last. No
framework, agreement or policy is looked at, and no revocation.

The exit code is 0 when the chain holds, 6 when it is refused, and 2 when the
files or the flags are unfit.`,
		Example: `  entente delegation verify chain --jwks https://idp.rxw.example=idp.json --jwks https://agents.rxw.example=agents.json`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error {
			all, err := a.pieces(files)
			if err != nil {
				return err
			}
			registry, err := a.issuersOf(jwks)
			if err != nil {
				return err
			}
			now, err := a.moment(at)
			if err != nil {
				return err
			}
			c, err := verifyChain(all, registry, now)
			if err != nil {
				return err
			}
			verdict := "verified"
			if !*c.Verified {
				verdict = fmt.Sprintf("refused: %s: %s", c.Reason, c.Text)
			}
			if err := a.show(view{data: c, names: []string{strings.SplitN(verdict, ":", 2)[0]}, text: verdict + "\n\n" + c.text()}); err != nil || *c.Verified {
				return err
			}
			return failed{exitUnverified, trust.Errorf(trust.Denied, "the chain is refused: %s: %s", c.Reason, c.Text)}
		},
	}
	c.Flags().StringArrayVar(&jwks, "jwks", nil, "an issuer's public keys, `ISSUER=FILE` with one JWK or a JWK Set; for each issuer once")
	c.Flags().StringVar(&at, "at", "", "the moment to verify at, RFC 3339 or Unix seconds; now without it")
	return c
}

// verifyChain asks the node's own verification, and says where a chain breaks.
func verifyChain(all []piece, r evidence.Registry, now int64) (c shownChain, err error) {
	if c, err = chainOfPieces(all); err != nil {
		return c, err
	}
	if c.Principal == nil || len(all) < 2 {
		return c, trust.Errorf(trust.Invalid, "a chain begins with the principal's token, and links or the caller's token stand behind it")
	}
	proofs := make([]evidence.Proof, len(all))
	for i := range all {
		proofs[i] = evidence.Proof{Kind: all[i].kind(), Token: all[i].raw}
	}
	if c.Caller == nil { // in whose place nothing is, so that the last link is verified as one
		proofs = append(proofs, evidence.Proof{Kind: evidence.AccessToken})
	}
	ev, _, fault := evidence.VerifyChain(proofs, r, now, nil)
	ok := false
	c.Verified = &ok
	if fault == nil {
		c.failed = len(ev.Chain.Links) + 1
		fault = ev.Chain.Fault
	}
	if fault == nil || c.Caller == nil && c.failed > len(c.Links) && fault.Reason == trust.ActorProof {
		ok, c.failed = true, 0
		return c, nil
	}
	c.Reason, c.Text = fault.Reason, fault.Text
	return c, nil
}

// issuersOf reads issuers and their keys.
func (a *app) issuersOf(jwks []string) (evidence.Registry, error) {
	registry := offline{}
	for _, given := range jwks {
		iss, file, ok := strings.Cut(given, "=")
		if _, twice := registry[iss]; !ok || twice {
			return nil, trust.Errorf(trust.Invalid, "--jwks %q is not ISSUER=FILE, for each issuer once", given)
		}
		data, err := a.read(file)
		if err != nil {
			return nil, err
		}
		keys, err := readKeys(data)
		if err != nil {
			return nil, trust.Errorf(trust.Invalid, "%s: %w", file, err)
		}
		issuer, err := trust.ParseIssuerID(iss)
		if err == nil {
			err = registry.add(participant.Speaker{Issuer: issuer, Keys: keys})
		}
		if err != nil {
			return nil, err
		}
	}
	if len(registry) == 0 {
		return nil, trust.Errorf(trust.Invalid, "no keys are given; --jwks names each issuer and the file with its keys")
	}
	return registry, nil
}
