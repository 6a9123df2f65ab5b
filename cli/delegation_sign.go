package cli

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/entente-id/entente/delegation"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

// signFlags are the flags of delegation sign.
type signFlags struct {
	parent, key, kid                string
	actor, actorIssuer, actorKey    string
	audience, expires, out, lasting string
	scope, claims                   []string
	depth                           int
}

func (a *app) delegationSign() *cobra.Command {
	var f signFlags
	c := &cobra.Command{
		Use: "sign", Short: "Let somebody act, by a link behind a principal's token or another link",
		Long: `Sign a link of delegation. Who delegates is whom the parent leads to: the principal
by its own token, or whom the link before lets act. The key is one that their
issuer publishes. What is not given is as the parent has it; a link that would let
more be done, for longer, elsewhere or through more hands than its parent is
refused before it is signed. The parent's own signature is not checked.

The exit code is 3 when the link would widen.`,
		Example: `  entente delegation sign --parent token.jwt --key idp.pem --kid k1 --scope 'read WardRecord/42' --depth 1 \
      --actor agent-a --actor-issuer https://agents.rxw.example --for 5m > link1.jwt
  entente delegation sign --parent link1.jwt --key agents.pem --kid k2 --actor agent-b > link2.jwt`,
		Args: args(),
		RunE: func(*cobra.Command, []string) error { return a.signLink(f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.parent, "parent", "", "the `file` with what stands before: the principal's token or a link; of several lines the last")
	flags.StringVar(&f.key, "key", "", "the `file` with the private key of the delegator's issuer, PKCS #8 in PEM: Ed25519, or ECDSA on P-256")
	flags.StringVar(&f.kid, "kid", "", "the name under which that key is published; its thumbprint without it")
	flags.StringVar(&f.actor, "actor", "", "the `subject` that may act")
	flags.StringVar(&f.actorIssuer, "actor-issuer", "", "the issuer that answers for it; the delegator's own without it")
	flags.StringVar(&f.actorKey, "actor-key", "", "the RFC 7638 `thumbprint` of the only key that it may show")
	flags.StringArrayVar(&f.scope, "scope", nil, "what may be done: `'ACTION,... TYPE[/ID]'`, as often as needed; the parent's without it")
	flags.StringVar(&f.audience, "audience", "", "the one service that it is for; the parent's without it")
	flags.StringVar(&f.expires, "expires", "", "when it ends, RFC 3339 or Unix seconds; with the parent without it")
	flags.StringVar(&f.lasting, "for", "", "for how `long` it lasts, such as 5m, in place of --expires")
	flags.IntVar(&f.depth, "depth", 0, "how many links may follow")
	flags.StringArrayVar(&f.claims, "claim", nil, "a claim of the issuer's own, `NAME=TEXT`: what it is confined by, a level of assurance")
	flags.StringVar(&f.out, "out", "-", "the `file` to write the link to; - is standard output")
	for _, required := range []string{"parent", "key", "actor"} {
		_ = c.MarkFlagRequired(required) // it is a flag
	}
	return c
}

func (a *app) signLink(f signFlags) error {
	before, err := a.pieces([]string{f.parent})
	if err != nil {
		return err
	}
	parent := &before[len(before)-1]
	l, allows, err := beside(parent)
	if err == nil {
		err = a.narrow(&l, f, parent.isLink())
	}
	if err != nil {
		return err
	}
	if fault := allows(l); fault != nil {
		return trust.Errorf(trust.Denied, "the link is refused and was not signed: it %s (%s)", fault.Text, fault.Reason)
	}
	more := map[string]any{}
	for _, claim := range f.claims {
		name, value, ok := strings.Cut(claim, "=")
		if !ok || name == "" {
			return trust.Errorf(trust.Invalid, "claim %q is not NAME=TEXT", claim)
		}
		more[name] = value
	}
	signer, err := readSigner(f.key, f.kid)
	if err != nil {
		return err
	}
	text, err := delegation.Sign(signer, l, more)
	if err != nil {
		return err
	}
	if f.out != "-" {
		return a.write(f.out, []byte(text+"\n"), 0o600)
	}
	return a.show(view{data: struct {
		Token string `json:"token"`
		shownLink
	}{text, linkOf(&l)}, names: []string{text}, text: text + "\n"})
}

// beside begins a link behind a parent as the parent has it, with the rule that
// it is held to.
func beside(parent *piece) (delegation.Link, func(delegation.Link) *delegation.Fault, error) {
	hash := parent.hash()
	if parent.isLink() {
		p, err := delegation.Read(parent.claims)
		if err != nil {
			return delegation.Link{}, nil, err
		}
		l := delegation.Link{From: p.To, Parent: hash, Audience: p.Audience, Scope: p.Scope, ExpiresAt: p.ExpiresAt}
		return l, func(l delegation.Link) *delegation.Fault { return p.Allows(hash, l) }, nil
	}
	root, err := delegation.ReadRoot(parent.claims, hash)
	if err != nil {
		return delegation.Link{}, nil, err
	}
	return delegation.Link{From: root.Principal, Parent: hash, Audience: root.Audience, ExpiresAt: root.ExpiresAt}, root.Allows, nil
}

// narrow fills in what the flags say.
func (a *app) narrow(l *delegation.Link, f signFlags, follows bool) (err error) {
	l.To = delegation.Party{Issuer: l.From.Issuer, Subject: f.actor}
	if f.actorIssuer != "" {
		if l.To.Issuer, err = trust.ParseIssuerID(f.actorIssuer); err != nil {
			return err
		}
	}
	l.Key, l.Depth, l.IssuedAt = f.actorKey, f.depth, a.Now().Unix()
	if f.audience != "" {
		l.Audience = f.audience
	}
	switch {
	case f.expires != "" && f.lasting != "":
		return trust.Errorf(trust.Invalid, "--expires and --for both say when the link ends; give one")
	case f.expires != "":
		if l.ExpiresAt, err = a.moment(f.expires); err != nil {
			return err
		}
	case f.lasting != "":
		d, err := time.ParseDuration(f.lasting)
		if err != nil || d < time.Second {
			return trust.Errorf(trust.Invalid, "--for %q is not a time of at least a second, such as 5m", f.lasting)
		}
		l.ExpiresAt = l.IssuedAt + int64(d/time.Second)
	}
	if l.ExpiresAt <= l.IssuedAt {
		return trust.Errorf(trust.Denied, "the link would have expired at %s, before it is signed", trust.Instant(l.ExpiresAt))
	}
	if len(f.scope) > 0 {
		l.Scope = nil
	} else if !follows {
		return trust.Errorf(trust.Invalid, "--scope is missing; the first link says what may be done")
	}
	for _, text := range f.scope {
		g, err := delegation.ParseGrant(text)
		if err != nil {
			return err
		}
		l.Scope = append(l.Scope, g)
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(a.Rand, id); err != nil {
		return trust.Errorf(trust.Internal, "drawing an identifier: %w", err)
	}
	l.ID = base64.RawURLEncoding.EncodeToString(id)
	return nil
}

// readSigner reads a private key that others must not be able to read.
func readSigner(path, kid string) (jose.Signer, error) {
	data, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, trust.Errorf(trust.Invalid, "%s is no private key in PEM (PRIVATE KEY, PKCS #8)", path)
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "%s is no private key in PKCS #8", path) // the cause could quote it
	}
	key, ok := private.(crypto.Signer)
	if !ok {
		return nil, trust.Errorf(trust.Invalid, "%s holds a key that does not sign", path)
	}
	return jose.NewSigner(key, kid)
}
