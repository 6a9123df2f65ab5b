package edge

import (
	"net/http"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/canonical"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/trust"
)

// maxDrill is in bytes of a canary's call or of a drill's result.
const maxDrill = 64 << 10

// canary answers {"agreement": …, "token": …}, the partner's canary at our canary
// resource, with {"decision": …}. As for any caller, a denial has one text.
func (h handler) canary(w http.ResponseWriter, r *http.Request, from trust.ParticipantID) error {
	call, err := read[node.CanaryCall](w, r)
	if err != nil {
		return err
	}
	answer, err := h.node.Canary(r.Context(), from, call)
	if err != nil {
		return err
	}
	return wire.Answer(w, http.StatusOK, answer)
}

// settle answers a drill's result that the home signed with one that this node
// signed around it.
func (h handler) settle(w http.ResponseWriter, r *http.Request, from trust.ParticipantID) error {
	shown, err := read[node.DrillResult](w, r)
	if err != nil {
		return err
	}
	answer, err := h.node.SettleDrill(r.Context(), from, shown)
	if err != nil {
		return err
	}
	return wire.Answer(w, http.StatusOK, answer)
}

// read takes the whole of a small body of JSON; a later version may say more.
func read[T any](w http.ResponseWriter, r *http.Request) (T, error) {
	var v T
	data, err := wire.Body(w, r, wire.JSON, maxDrill)
	if err != nil {
		return v, err
	}
	return v, canonical.DecodeLoose(data, &v)
}
