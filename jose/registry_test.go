package jose_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/entente-id/entente/jose"
	"github.com/entente-id/entente/trust"
)

var update = flag.Bool("update", false, "write the table of docs/keys.md anew")

// page renders the registry as docs/keys.md has it.
func page() string {
	var b strings.Builder
	b.WriteString("| algorithm | keys | status | accepted for |\n| --- | --- | --- | --- |\n")
	for _, r := range jose.Registry() {
		status, uses := string(r.Status), make([]string, len(r.Uses))
		if r.Until != 0 {
			status += " until " + r.Until.String()
		}
		for i, use := range r.Uses {
			uses[i] = "`" + string(use) + "`"
		}
		what := strings.Join(uses, " ")
		if r.Status == jose.Refused {
			what = "nothing: " + r.Why
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.Name, r.Keys, status, what)
	}
	return b.String()
}

// docs/keys.md says what the registry says.
func TestRegistryIsDocumented(t *testing.T) {
	const file, head = "../docs/keys.md", "| algorithm |"
	text := string(must(os.ReadFile(file)))
	begin := strings.Index(text, head)
	if begin < 0 {
		t.Fatalf("%s has no table that begins with %q", file, head)
	}
	end := begin + strings.Index(text[begin:], "|\n\n") + 2
	if *update {
		if err := os.WriteFile(file, []byte(text[:begin]+page()+text[end:]), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text[begin:end] != page() {
		t.Errorf("%s has another table than the registry; run this test with -update", file)
	}
}

// Every use takes the algorithms that the registry gives it and no others, and
// what the registry refuses nothing takes.
func TestEveryUseTakesItsOwnAlgorithms(t *testing.T) {
	var named []jose.Alg
	for _, r := range jose.Registry() {
		named = append(named, r.Name)
		if (r.Status == jose.Refused) != (len(r.Uses) == 0) || (r.Status == jose.Transitional) != (r.Until != 0) || (r.Status == jose.Refused) != (r.Why != "") {
			t.Errorf("row %+v contradicts itself", r)
		}
	}
	named = append(named, "none", "HS256", "ES256K", "RSA1_5", "es256", "")
	for _, use := range jose.Uses() {
		if len(use.Algs()) == 0 {
			t.Errorf("nothing is accepted for %s", use)
		}
		for _, alg := range named {
			_, err := jose.Parse(esToken(`{"alg":"`+string(alg)+`","kid":"k","typ":"JWT"}`, payload), jose.Form{Types: []string{"JWT"}, Use: use})
			taken := err == nil
			if taken != use.Admits(alg) || taken != slices.Contains(use.Algs(), alg) {
				t.Errorf("%s for %s: %v", alg, use, err)
			}
		}
	}
	for alg, uses := range map[jose.Alg][]jose.Use{
		jose.ES384: {jose.ForSVID, jose.ForCertificate},
		jose.RS256: {jose.ForToken, jose.ForSVID, jose.ForCertificate, jose.ForProof, jose.ForAssertion, jose.ForLink},
		jose.EdDSA: {jose.ForToken, jose.ForCertificate, jose.ForProof, jose.ForAssertion, jose.ForLink, jose.ForCredential, jose.ForMessage, jose.ForStatement, jose.ForCheckpoint, jose.ForTLS, jose.ForDocument},
	} {
		for _, use := range jose.Uses() {
			if use.Admits(alg) != slices.Contains(uses, use) {
				t.Errorf("%s for %s: %v", alg, use, use.Admits(alg))
			}
		}
	}
	if jose.Use("pet").Admits(jose.ES256) || len(jose.Use("pet").Algs()) > 0 {
		t.Error("a use that is none takes something")
	}
}

// A short modulus ends on a day; nothing else does.
func TestKindsOfKeysThatEnd(t *testing.T) {
	day, err := trust.ParseInstant("2031-01-01T00:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range jose.Algs() {
		want := int64(math.MaxInt64)
		if alg == jose.RS256 || alg == jose.PS256 {
			want = int64(day)
		}
		if got := publicKey(alg, "k").Ends(); got != want {
			t.Errorf("%s ends at %d, not at %d", alg, got, want)
		}
	}
	if long := must(jose.NewKey(newRSA(3072).Public(), jose.RS256, "")); long.Ends() != math.MaxInt64 {
		t.Errorf("a modulus of 3072 bits ends at %d", long.Ends())
	}
	if (jose.Key{}).Ends() != math.MaxInt64 {
		t.Error("the zero key ends")
	}
}

// A key that names no algorithm is for the first that the use has for its type.
func TestFitKey(t *testing.T) {
	for _, c := range []struct {
		use  jose.Use
		key  any
		want jose.Alg
	}{
		{jose.ForCertificate, p384.Public(), jose.ES384}, {jose.ForCertificate, p521.Public(), jose.ES512}, {jose.ForCertificate, ecKey.Public(), jose.ES256},
		{jose.ForCertificate, edKey.Public(), jose.EdDSA}, {jose.ForCertificate, rsaKey.Public(), jose.RS256},
		{jose.ForMessage, edKey.Public(), jose.EdDSA}, {jose.ForMessage, rsaKey.Public(), ""}, {jose.ForToken, p384.Public(), ""}, {jose.ForToken, "x", ""},
	} {
		key, err := jose.FitKey(c.key, c.use)
		if key.Alg() != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%T for %s: %q, %v", c.key, c.use, key.Alg(), err)
		}
	}
}

// A thumbprint is let through where a form says so, and is never read.
func TestThumbprintsInAHeader(t *testing.T) {
	form := jose.Form{Types: []string{"JWT"}, Thumbprints: true}
	for _, name := range []string{"x5t", "x5t#S256"} {
		head := `{"alg":"ES256","kid":"k","typ":"JWT","` + name + `":`
		if v, err := accept(esToken(head+`"ykNaY4qM_ta4k2TgZOCEYLkcYlA"}`, payload), publicKey(jose.ES256, "k"), form); err != nil || v.Header() != (jose.Header{Alg: jose.ES256, KeyID: "k", Type: "jwt"}) {
			t.Errorf("%s: %+v, %v", name, v.Header(), err)
		}
		for _, value := range []string{`""`, `null`, `1`, `["a"]`, `{}`} {
			_, err := jose.Parse(esToken(head+value+`}`, payload), form)
			wantFault(t, name+" is "+value, err, jose.HeaderMember)
		}
		_, err := jose.Parse(esToken(head+`"x"}`, payload), anyType)
		wantFault(t, name+" where nobody asked", err, jose.HeaderMember)
	}
	_, err := jose.Parse(esToken(`{"alg":"ES256","kid":"k","typ":"JWT","x5t":"a","x5c":["MIIB"]}`, payload), form)
	wantFault(t, "a certificate beside", err, jose.HeaderX5C)
}
