package jose

import (
	"bytes"
	"slices"
	"strings"

	"github.com/entente-id/entente/canonical"
)

// MaxToken bounds a token in bytes where its form does not say otherwise.
const MaxToken = 16 << 10

// Form is what is known of a token before it is read.
type Form struct {
	// Types are the media types the header's typ may have, such as "at+jwt":
	// without "application/", compared without regard to case (RFC 7515, section
	// 4.1.9). The empty string stands for an absent typ. With no types every
	// token is refused.
	Types []string
	// Use is what the token is signed for, by which the registry says which
	// algorithms its header may name; empty means ForToken.
	Use Use
	// Thumbprints says that the header may name a certificate by x5t and
	// x5t#S256 (RFC 7515, sections 4.1.7 and 4.1.8), as some issuers do: each is
	// a text, and nobody reads it.
	Thumbprints bool
	// MaxBytes bounds the whole token; 0 means MaxToken.
	MaxBytes int
}

// algs gives what the header may name.
func (f Form) algs() []Alg {
	if f.Use == "" {
		return general
	}
	return accepted[f.Use]
}

// Header is the protected header of a token: all that it may say.
type Header struct {
	Alg   Alg
	KeyID string // "" when absent
	Type  string // lower case, without "application/"; "" when absent
}

// Unverified is a token that has been read and whose signature has not been
// checked. Its content may choose among registered keys and nothing else.
type Unverified struct {
	header    Header
	claims    canonical.Object
	raw       []byte
	signed    int // raw[:signed] is the signing input
	signature []byte
}

// Header gives the header.
func (u *Unverified) Header() Header { return u.header }

// UnverifiedClaims gives the payload before anybody vouches for it: good for
// choosing whose registered keys to try. It is the object that Verify gives
// back and must not be changed.
func (u *Unverified) UnverifiedClaims() canonical.Object { return u.claims }

// Parse reads a token in JWS compact form: three parts of strict base64url, a
// header of alg, kid and typ alone, a payload that is one strict JSON object.
// It fails with Invalid and a Fault.
func Parse(token string, form Form) (*Unverified, error) { return ParseBytes([]byte(token), form) }

// ParseBytes is Parse without a copy: the token must not change until it has
// been verified.
func ParseBytes(token []byte, form Form) (*Unverified, error) { return parse(token, form, readHeader) }

func parse(token []byte, form Form, header headerReader) (*Unverified, error) {
	u, payload, err := open(token, form, header)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(form.Types, func(t string) bool { return strings.ToLower(t) == u.header.Type }) {
		return nil, refuse(Typ)
	}
	if u.claims, err = canonical.ParseObject(payload); err != nil {
		return nil, refuse(PayloadJSON)
	}
	return u, nil
}

// headerReader reads a header of a form.
type headerReader func(text []byte, form Form) (Header, error)

// open takes a token apart and reads its header; the payload is left as bytes.
func open(token []byte, form Form, header headerReader) (u *Unverified, payload []byte, err error) {
	limit := form.MaxBytes
	if limit == 0 {
		limit = MaxToken
	}
	if len(token) > limit {
		return nil, nil, refuse(TooLarge)
	}
	switch bytes.Count(token, []byte(".")) {
	case 2:
	case 4:
		return nil, nil, refuse(Encrypted)
	default:
		return nil, nil, refuse(Malformed)
	}
	u = &Unverified{raw: token, signed: bytes.LastIndexByte(token, '.')}
	first, second, _ := bytes.Cut(token[:u.signed], []byte("."))
	head, okHead := decode(first)
	payload, okPayload := decode(second)
	signature, okSignature := decode(token[u.signed+1:])
	if !okHead || !okPayload || !okSignature {
		return nil, nil, refuse(Base64)
	}
	if u.header, err = header(head, form); err != nil {
		return nil, nil, err
	}
	u.signature = signature
	return u, payload, nil
}

// forbidden are the header members that would bring a key, change what is
// signed or ask for more than a signature. They are told apart because each is
// an attack of its own.
var forbidden = []struct {
	name  string
	fault Fault
}{
	{"crit", HeaderCrit}, {"b64", HeaderB64}, {"jku", HeaderJKU}, {"jwk", HeaderJWK},
	{"x5u", HeaderX5U}, {"x5c", HeaderX5C}, {"zip", HeaderZip}, {"enc", HeaderEnc},
}

func readHeader(text []byte, form Form) (Header, error) {
	o, err := canonical.ParseObject(text)
	if err != nil {
		return Header{}, refuse(HeaderJSON)
	}
	for _, f := range forbidden {
		if _, found := o[f.name]; found {
			return Header{}, refuse(f.fault)
		}
	}
	for name, v := range o {
		s, ok := v.(string)
		thumbprint := form.Thumbprints && (name == "x5t" || name == "x5t#S256")
		if known := name == "alg" || name == "kid" || name == "typ" || thumbprint; !known || !ok || s == "" {
			return Header{}, refuse(HeaderMember)
		}
	}
	alg, _ := o.Text("alg")
	kid, _ := o.Text("kid")
	typ, _ := o.Text("typ")
	if !slices.Contains(form.algs(), Alg(alg)) {
		return Header{}, refuse(AlgUnknown)
	}
	return Header{Alg: Alg(alg), KeyID: kid, Type: mediaType(typ)}, nil
}

func mediaType(typ string) string {
	typ = strings.ToLower(typ)
	if short, ok := strings.CutPrefix(typ, "application/"); ok && short != "" && !strings.Contains(short, "/") {
		return short
	}
	return typ
}
