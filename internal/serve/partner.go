package serve

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"net/http"

	"github.com/entente-id/entente/trust"
)

// Owner finds whose TLS key this is now, by the SHA-256 of its
// SubjectPublicKeyInfo. It is asked at the handshake and again for every
// request, so it must be quick and answer from the newest state.
type Owner func(spki [32]byte) (trust.ParticipantID, bool)

// Certificate gives this node's own certificate; it is asked at every handshake,
// so that a renewed key is used without a restart.
type Certificate func() (tls.Certificate, error)

// PartnerTLS is mutual TLS between nodes: 1.3 only, the client's key must have
// an owner, and nothing is resumed, so that no ticket outlives a revocation. No
// authority is asked; the certificate around the key says nothing.
func PartnerTLS(own Certificate, owner Owner) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true,
		ClientAuth:             tls.RequireAnyClientCert,
		NextProtos:             []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c, err := own()
			return &c, err
		},
		// VerifyPeerCertificate would not run on a resumed connection.
		VerifyConnection: func(s tls.ConnectionState) error {
			if _, ok := peerOf(&s, owner); !ok {
				return errUnknownKey
			}
			return nil
		},
	}
}

var errUnknownKey = trust.Errorf(trust.Denied, "the client's key is not that of a participant trusted here")

type callerKey struct{}

// Authenticated lets a request through while the key its connection was opened
// with has an owner, and puts the owner in the context for Caller. A participant
// suspended meanwhile gets 403 and the connection is closed.
func Authenticated(owner Owner, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := peerOf(r.TLS, owner)
		if !ok {
			w.Header().Set("Connection", "close")
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			w.Write([]byte(`{"type":"about:blank","title":"Forbidden","status":403}` + "\n"))
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, who)))
	})
}

// Caller gives the participant that Authenticated found; the zero value when the
// request did not pass it.
func Caller(ctx context.Context) trust.ParticipantID {
	who, _ := ctx.Value(callerKey{}).(trust.ParticipantID)
	return who
}

func peerOf(s *tls.ConnectionState, owner Owner) (trust.ParticipantID, bool) {
	if s == nil || len(s.PeerCertificates) == 0 {
		return trust.ParticipantID{}, false
	}
	who, ok := owner(pinOf(s))
	return who, ok && !who.IsZero()
}

// pinOf hashes the key of the other end's certificate.
func pinOf(s *tls.ConnectionState) [32]byte {
	return sha256.Sum256(s.PeerCertificates[0].RawSubjectPublicKeyInfo)
}
