package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/entente-id/entente/evidence"
	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

func (a *app) evidenceCommand() *cobra.Command {
	return a.group("evidence", "What callers present", a.evidenceCheck())
}

// checkFlags are the flags of evidence check.
type checkFlags struct {
	jwks, bundle, trustDomain                string
	issuer, audience, class, kind, at, token string
	lines, signatureOnly                     bool
}

func (a *app) evidenceCheck() *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use: "check", Short: "Verify a token offline, with the node's own code",
		Long: `Verify a token as a node would that knows one issuer and its keys, and print its
verified claims, or the reason for which it is refused, check by check. No node is
asked, nothing is fetched, and no agreement or policy is looked at.

With --bundle and --trust-domain the token is an SVID of that trust domain: a
JWT-SVID, or the certificates of an X509-SVID, leaf first, in PEM or DER. These
are for no audience, and that the caller holds the leaf's key is taken for shown.

With --signature-only the header, the key and the signature are checked and
nothing else: the type may be any, and the payload any bytes.

With --lines every line of the input is a token, and every line of the output,
in the same order, what became of it; with -o json, one object a line. A line ends
with a line feed; all before it is the token, spaces and a carriage return too. An
X509-SVID stands on a line as the base64 of its DER.

The exit code is 0 when all is verified, 6 when a token is refused, and 2 when
the keys or the flags are unfit.`,
		Example: `  entente evidence check --jwks jwks.json --issuer https://idp.rxw.example \
      --audience https://records.rje.example --token token.jwt
  entente evidence check --bundle bundle.json --trust-domain prod.rxw.example \
      --audience https://records.rje.example --token svid.jwt
  entente evidence check --jwks key.json --signature-only --lines --token vectors.txt -o json`,
		Args: args(),
		RunE: func(*cobra.Command, []string) error {
			check, err := a.checker(f)
			if err != nil {
				return err
			}
			if f.lines {
				return a.checkLines(f.token, check)
			}
			return a.checkOne(f.token, check)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.jwks, "jwks", "", "the issuer's public keys: a `file` with one JWK or a JWK Set")
	flags.StringVar(&f.bundle, "bundle", "", "the `file` with the bundle of a SPIFFE trust domain, in place of --jwks")
	flags.StringVar(&f.trustDomain, "trust-domain", "", "the trust domain that the bundle belongs to")
	flags.StringVar(&f.issuer, "issuer", "", "the iss that the keys belong to")
	flags.StringVar(&f.audience, "audience", "", "the aud that the token must be for")
	flags.StringVar(&f.class, "class", "", "the identity class that the issuer's tokens speak of: human, or of SVIDs workload, without it")
	flags.StringVar(&f.kind, "kind", "", "the token type URN, or its last part; by the token itself without it")
	flags.StringVar(&f.at, "at", "", "the moment to check at, RFC 3339 or Unix seconds; now without it")
	flags.StringVar(&f.token, "token", "-", "the token's `file`; - is standard input")
	flags.BoolVar(&f.lines, "lines", false, "the input is many tokens, one a line")
	flags.BoolVar(&f.signatureOnly, "signature-only", false, "check the header, the key and the signature alone")
	return c
}

// checker gives the check that the flags ask for, ready for any number of
// tokens.
func (a *app) checker(f checkFlags) (func(token []byte) checked, error) {
	switch {
	case f.signatureOnly && f.bundle+f.trustDomain+f.issuer+f.audience+f.kind+f.at != "":
		return nil, trust.Errorf(trust.Invalid, "--signature-only looks at no claim; it goes with --jwks, and with none of --bundle, --trust-domain, --issuer, --audience, --kind and --at")
	case f.bundle != "":
		return a.svidChecker(f)
	case f.trustDomain != "":
		return nil, trust.Errorf(trust.Invalid, "--trust-domain goes with --bundle, which names the file with that of the trust domain")
	case f.jwks == "":
		return nil, trust.Errorf(trust.Invalid, "no keys are given; --jwks names the file with the issuer's, --bundle the one of a trust domain")
	}
	data, err := a.read(f.jwks)
	if err != nil {
		return nil, err
	}
	keys, err := readKeys(data)
	if err != nil {
		return nil, trust.Errorf(trust.Invalid, "%s: %w", f.jwks, err)
	}
	if f.signatureOnly {
		return func(token []byte) checked { return checkSignature(token, keys) }, nil
	}
	return a.evidenceChecker(f, keys)
}

func (a *app) checkOne(path string, check func([]byte) checked) error {
	in, done, err := a.open(path)
	if err != nil {
		return err
	}
	defer done()
	// What is longer than any token may be is refused for that, however long.
	token, err := io.ReadAll(io.LimitReader(in, 4*jose.MaxToken))
	if err != nil {
		return unreadable(path, err)
	}
	c := check(bytes.TrimSuffix(token, []byte("\n")))
	if err := a.show(view{data: c, names: []string{c.verdict()}, text: c.text()}); err != nil || c.Verified {
		return err
	}
	return failed{exitUnverified, trust.Errorf(trust.Denied, "the token is refused: %s: %s", c.Reason, c.Text)}
}

// checkLines checks a token a line and says a line to each.
func (a *app) checkLines(path string, check func([]byte) checked) error {
	if a.output == "yaml" {
		return trust.Errorf(trust.Invalid, "with --lines the output is table, wide, json or name, a line for each token")
	}
	in, done, err := a.open(path)
	if err != nil {
		return err
	}
	defer done()
	lines, out := bufio.NewReaderSize(in, 2*jose.MaxToken), bufio.NewWriterSize(a.Out, 64<<10)
	total, refused := 0, 0
	for {
		token, err := line(lines)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return unreadable(path, err)
		}
		c := check(token)
		total++
		if c.Line = total; !c.Verified {
			refused++
		}
		if err := a.sayLine(out, c); err != nil {
			return trust.Errorf(trust.Unavailable, "standard output cannot be written: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return trust.Errorf(trust.Unavailable, "standard output cannot be written: %w", err)
	}
	if refused > 0 {
		return failed{exitUnverified, trust.Errorf(trust.Denied, "%d of %d tokens are refused", refused, total)}
	}
	return nil
}

// line reads up to the next line feed. Of a line beyond the reader's memory,
// which is longer than a token may be, the beginning is enough.
func line(r *bufio.Reader) ([]byte, error) {
	text, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		begun := bytes.Clone(text)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return begun, err
	}
	if errors.Is(err, io.EOF) && len(text) > 0 {
		return text, nil
	}
	return bytes.TrimSuffix(text, []byte("\n")), err
}

func (a *app) sayLine(w *bufio.Writer, c checked) error {
	switch a.output {
	case "json":
		if err := json.MarshalWrite(w, c, json.Deterministic(true), jsontext.Multiline(false)); err != nil {
			return err
		}
		return w.WriteByte('\n')
	case "name":
		_, err := w.WriteString(c.verdict() + "\n")
		return err
	default:
		said := c.Subject
		if !c.Verified {
			said = c.Reason + "  " + c.Text
		}
		_, err := w.WriteString(strings.TrimRight(fmt.Sprintf("%d  %s  %s", c.Line, c.verdict(), cleanAll([]string{said})[0]), " ") + "\n")
		return err
	}
}

// open gives a file to read, or standard input for "-".
func (a *app) open(path string) (io.Reader, func(), error) {
	if path == "-" {
		return a.In, func() {}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, unreadable(path, err)
	}
	return f, func() { _ = f.Close() }, nil
}

// moment reads --at.
func (a *app) moment(at string) (int64, error) {
	if at == "" {
		return a.Now().Unix(), nil
	}
	if seconds, err := strconv.ParseInt(at, 10, 64); err == nil {
		return seconds, nil
	}
	instant, err := trust.ParseInstant(at)
	return int64(instant), err
}

// kindsOf gives the kinds of proof to try: the one that is named, or all.
func kindsOf(name string, all []evidence.Kind) ([]evidence.Kind, error) {
	if name == "" {
		return all, nil
	}
	var known []string
	for _, k := range all {
		short := string(k)[strings.LastIndexByte(string(k), ':')+1:]
		if name == string(k) || name == short {
			return []evidence.Kind{k}, nil
		}
		known = append(known, short)
	}
	return nil, trust.Errorf(trust.Invalid, "kind %q is not one of %s", name, strings.Join(known, ", "))
}
