package ssf

import (
	"net/http"

	"github.com/entente-id/entente/api/wire"
	"github.com/entente-id/entente/node"
	"github.com/entente-id/entente/signal"
	"github.com/entente-id/entente/stream"
	"github.com/entente-id/entente/trust"
)

// status is how a stream stands (SSF 1.0, section 8.1.2).
type status struct {
	ID     string        `json:"stream_id"`
	Status stream.Status `json:"status"`
	Reason string        `json:"reason,omitempty"`
}

func showStatus(c call) error {
	id, err := c.named()
	if err != nil {
		return err
	}
	return answerStatus(c, id)
}

func answerStatus(c call, id string) error {
	v, err := c.receiver.Stream(c.Context(), id)
	if err != nil {
		return err
	}
	return wire.Answer(c.w, http.StatusOK, status{ID: v.ID, Status: v.Status, Reason: node.MovedBecause(v.Stream)})
}

func move(c call) error {
	s, err := read[status](c)
	if err != nil {
		return err
	}
	if s.ID == "" {
		return trust.Errorf(trust.Invalid, "stream_id is missing")
	}
	if err := c.receiver.MoveStream(c.Context(), s.ID, s.Status, s.Reason); err != nil {
		return err
	}
	return answerStatus(c, s.ID)
}

// verify lets a verification event be sent: 204, and 429 for one too many.
func verify(c call) error {
	v, err := read[struct {
		ID    string `json:"stream_id"`
		State string `json:"state"`
	}](c)
	if err != nil {
		return err
	}
	if err := c.receiver.VerifyStream(c.Context(), v.ID, v.State); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// subject is whom a request is about (SSF 1.0, section 8.1.3).
type subject struct {
	ID      string           `json:"stream_id"`
	Subject signal.SubjectID `json:"subject"`
}

func readSubject(c call) (subject, error) {
	s, err := read[subject](c)
	if err == nil && (s.ID == "" || s.Subject.Format == "") {
		err = trust.Errorf(trust.Invalid, "stream_id or subject is missing")
	}
	return s, err
}

// addSubject answers 200 and removeSubject 204, whoever that is.
func addSubject(c call) error {
	s, err := readSubject(c)
	if err != nil {
		return err
	}
	if err := c.receiver.AddSubject(c.Context(), s.ID, s.Subject); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func removeSubject(c call) error {
	s, err := readSubject(c)
	if err != nil {
		return err
	}
	if err := c.receiver.RemoveSubject(c.Context(), s.ID, s.Subject); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
