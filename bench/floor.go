package main

import (
	"encoding/json"
	"io"
	"net/http"
)

// This file is frozen: figures of different days compare only as long as the
// floor they are held against is the same. It is what a plain Go service does
// that takes 1 KB of JSON by POST and answers JSON, with nothing in between.

type floorRequest struct {
	Subject  string            `json:"subject"`
	Action   string            `json:"action"`
	Resource string            `json:"resource"`
	Context  map[string]string `json:"context"`
}

type floorAnswer struct {
	Decision bool   `json:"decision"`
	ID       string `json:"id"`
}

func floorHandler(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		http.Error(w, "body", http.StatusBadRequest)
		return
	}
	var q floorRequest
	if err := json.Unmarshal(body, &q); err != nil {
		http.Error(w, "json", http.StatusBadRequest)
		return
	}
	answer, err := json.Marshal(floorAnswer{Decision: q.Action == "read", ID: q.Subject})
	if err != nil {
		http.Error(w, "answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer)
}

// floorBody is a request of 1,024 bytes.
func floorBody() []byte {
	q := floorRequest{Subject: "nurse-17", Action: "read", Resource: "WardRecord/42", Context: map[string]string{"evidence": ""}}
	empty, err := json.Marshal(q)
	if err != nil {
		panic(err) // a fixed value
	}
	filler := make([]byte, 1024-len(empty))
	for i := range filler {
		filler[i] = 'a' + byte(i%26)
	}
	q.Context["evidence"] = string(filler)
	body, err := json.Marshal(q)
	if err != nil {
		panic(err)
	}
	return body
}
