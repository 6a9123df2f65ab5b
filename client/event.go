package client

import "github.com/entente-id/entente/trust"

// Added: a client may ask for credentials.
type Added struct {
	Document Document `json:"document"`
	By       string   `json:"by"`
}

// Renewed: a client proves itself by other means; what it had counts no more.
type Renewed struct {
	ID    string `json:"id"`
	Means Means  `json:"means"`
	By    string `json:"by"`
}

// Ended: a client is one no longer, and what was issued to it has ended with it.
type Ended struct {
	ID string `json:"id"`
	By string `json:"by"`
}

// EventKind is client.added.
func (Added) EventKind() trust.Kind { return kind("added") }

// EventKind is client.renewed.
func (Renewed) EventKind() trust.Kind { return kind("renewed") }

// EventKind is client.ended.
func (Ended) EventKind() trust.Kind { return kind("ended") }

func kind(verb string) trust.Kind { return trust.Kind{Name: "client." + verb, Version: 1} }

// Events gives one of each kind of event of this package.
func Events() []trust.Event { return []trust.Event{Added{}, Renewed{}, Ended{}} }
