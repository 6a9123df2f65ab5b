package spectest_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/entente-id/entente/internal/archtest"
	"github.com/entente-id/entente/internal/spectest"
)

var update = flag.Bool("update", false, "write docs/openapi.json anew")

const golden = "../../docs/openapi.json"

// What is published says what the code does.
func TestThePublishedDocument(t *testing.T) {
	source, err := archtest.Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	d, err := spectest.Render(source)
	if err != nil {
		t.Fatal(err)
	}
	data, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, want) {
		t.Error("docs/openapi.json is not what the routes, the types and their comments say; go test ./internal/spectest -update writes it")
	}
}
