package authzen_test

import (
	"strings"
	"testing"

	"github.com/entente-id/entente/api/authzen"
	"github.com/entente-id/entente/trust"
)

// Why something is asked is passed on, and bounded.
func TestReasonAndTicket(t *testing.T) {
	request := func(reason, ticket string) []byte {
		return []byte(`{"subject":{"type":"evidence","id":"0"},"action":{"name":"write"},"resource":{"type":"Firewall","id":"42"},` +
			`"context":{"purpose":"HSYSADMIN","reason":"` + reason + `","ticket":"` + ticket + `"}}`)
	}
	ask, err := authzen.Parse(request("open a port", "CHG-17"))
	if err != nil || ask.Reason != "open a port" || ask.Ticket != "CHG-17" {
		t.Errorf("read as %+v, %v", ask.Request, err)
	}
	long := strings.Repeat("x", 1000)
	if _, err := authzen.Parse(request(long, long)); err != nil {
		t.Error(err)
	}
	for _, body := range [][]byte{request(long+"x", ""), request("", long+"x")} {
		if _, err := authzen.Parse(body); trust.KindOf(err) != trust.Invalid {
			t.Errorf("what is too long gives %v", err)
		}
	}
}
