package decision_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/entente-id/entente/decision"
	"github.com/entente-id/entente/trust"
)

// declared gives the value of every constant of type Reason in trust.
func declared(t *testing.T) map[trust.Reason]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../trust/reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[trust.Reason]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Reason" {
			value := must(strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value))
			if other, twice := found[trust.Reason(value)]; twice {
				t.Errorf("%s and %s are both %q", other, spec.Names[0].Name, value)
			}
			found[trust.Reason(value)] = spec.Names[0].Name
		}
		return true
	})
	return found
}

func TestEveryReasonIsDocumented(t *testing.T) {
	missing := declared(t)
	for _, doc := range trust.Reasons() {
		if missing[doc.Reason] == "" || doc.Means == "" || doc.Remedy == "" {
			t.Errorf("%q is documented twice, without meaning, or does not exist", doc.Reason)
		}
		delete(missing, doc.Reason)
	}
	for reason, name := range missing {
		t.Errorf("%s (%s) is not documented", name, reason)
	}
	if err := os.MkdirAll("../docs", 0o755); *update && err != nil {
		t.Fatal(err)
	}
	golden(t, "../docs/reasons.md", reasonPage())
}

func reasonPage() string {
	var page strings.Builder
	page.WriteString(`# Reasons

Every decision carries one reason: the check that decided, a dot, and what it
found. Reasons go to our own enforcement points and operators; across the border
a denial is uniform. Generated from the table in trust/reason.go by
` + "`go test ./decision -run Reason -update`" + `.

| reason | check | what was found | what to do |
| --- | --- | --- | --- |
`)
	for _, doc := range trust.Reasons() {
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", doc.Reason, checkOf(doc.Reason), doc.Means, doc.Remedy)
	}
	return page.String()
}

func checkOf(reason trust.Reason) string {
	prefix, _, _ := strings.Cut(string(reason), ".")
	for i, name := range decision.Names {
		if strings.HasSuffix(name, prefix) {
			return fmt.Sprintf("%d %s", i+1, name)
		}
	}
	if prefix == "record" {
		return "after the checks"
	}
	return "all"
}

// A reason that no test can bring about is none.
func TestEveryReasonOccurs(t *testing.T) {
	seen := map[trust.Reason]bool{
		trust.CannotRecord: true, trust.Unsettled: true, trust.SessionStopped: true, // the shell's own
		trust.BadSignature: true, trust.ParticipantUnknown: true, // see TestForgedEvidenceIsNone
		// Of SVIDs: see evidence.TestX509SVID and node.TestAStaleBundle.
		trust.UntrustedDomain: true, trust.CertificateUnfit: true, trust.UnknownAuthority: true, trust.BundleStale: true,
		trust.AlgorithmEnded: true, // in years: see evidence.TestAKindOfKeyEnds
		// Of clients: see evidence.TestClientAssertionRefuses.
		trust.UnknownClient: true, trust.ClientMethod: true, trust.AssertionLifetime: true,
	}
	seen[trust.CanaryAstray] = true // see internal/denial.TestCanariesReachNothingElse
	for _, c := range deviations() {
		seen[c.want] = true
	}
	for reason, name := range declared(t) {
		if !seen[reason] {
			t.Errorf("no deviation brings about %s (%s)", name, reason)
		}
	}
}
