package cli_test

import (
	"testing"

	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/revocation"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/stream"
)

// An operator lets a receiver in, sees what its stream owes, and stops it.
func TestStreams(t *testing.T) {
	ward := twoTrusts(t)
	d := deskAt(t, ward.Home)
	jwks := d.file("gateway.jwks", `{"kty":"OKP","crv":"Ed25519","kid":"k2","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`)
	add := []string{"client", "add", "gateway", "--participant", ward.Home.ID.String(), "--jwks", jwks}
	d.fails(2, `a client has a --service`, add...)
	d.fails(2, `--signals-all and --push say more of --signals`, append(add, "--service", "x", "--signals-all")...)
	d.fails(2, `client gateway is refused`, append(add, "--signals", "--push", "http://gateway.example")...)
	d.ok(append(add, "--signals", "--signals-all")...)
	d.like(`gateway +active +\S+ +\S* *private_key_jwt`, "client", "show", "gateway")

	secret, _, _ := ward.Home.ReceiverToken("gateway", true)
	r, _ := ward.Home.Receiver(secret)
	v, err := r.CreateStream(t.Context(), node.StreamSettings{Delivery: stream.Delivery{Method: stream.Poll}, Requested: []string{string(signal.SessionRevoked)}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ward.Home.Revoke(t.Context(), ward.Home.Admin, node.RevokeRequest{Kind: revocation.Subject, Issuer: ward.Issuer.URL, Subject: "nurse-1", Reason: "left"})
	if err != nil {
		t.Fatal(err)
	}
	d.like(`^ID +CLIENT +DELIVERY +STATUS +BY +SINCE +OWES +OLDEST\n\S+ +gateway +poll +enabled +receiver +20\S+ +1 +20`, "signal", "stream", "list")
	d.fails(2, `required flag\(s\) "reason" not set`, "signal", "stream", "pause", v.ID)
	d.ok("signal", "stream", "pause", v.ID, "--reason", "moved")
	d.like(`"status": "paused"`, "signal", "stream", "show", v.ID, "-o", "json")
	d.ok("signal", "stream", "resume", v.ID)
	d.like(` enabled +operator `, "signal", "stream", "show", v.ID)
	d.ok("signal", "stream", "remove", v.ID)
	d.fails(1, `stream \S+ is not known`, "signal", "stream", "show", v.ID)
}
